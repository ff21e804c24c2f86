# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole Debian machine without systemd: sysvinit runs /etc/init.d/crashpod.

The newcomer's way (systems.py), there and back; crashes, of which one goes to a raw target that the
script fetches the dump from; another kernel; changes that nothing watches for; memory that goes and
comes by udev's rule alone. Then the package goes, and its links with it.
"""

import shutil

from ground import paths, systems as ground

from . import inits, systems, systems_stay
from .systemtest import crash_and_judge
from .sysvm import SysVm

LOADED = systems_stay.LOADED
RAW = "/dev/vdc"
RAW_BYTES = 512 << 20

NOTHING = """cat /sys/kernel/kexec_crash_loaded
test "$(cat /sys/kernel/kexec_crash_loaded)" = 0 || exit 1
ls -d /etc/rc?.d/*crashpod
"""

# The way back leaves links, files and the boot loader as they were; links' numbers are insserv's.
STATE = """ls -d /etc/rc?.d/* /etc/default/grub.d/* /etc/crashpod.conf /var/lib/crashpod/* 2> /dev/null |
    sed 's,/\\([SK]\\)[0-9][0-9],/\\1,'
sha256sum /boot/grub/grub.cfg"""

# Each verb, as an administrator calls it. With nothing loaded the machine is not ready.
VERBS = f"""again()
{{
    before=$(stat -c %y.%i {LOADED})
    service crashpod "$1" || {{ echo "$1: $?"; exit 1; }}
    test "$(stat -c %y.%i {LOADED})" != "$before" || {{ echo "$1 loads nothing"; exit 1; }}
}}
service crashpod status || exit 1
again restart
again reload
again force-reload
service crashpod stop || exit 1
test "$(cat /sys/kernel/kexec_crash_loaded)" = 0 || {{ echo "it is still loaded"; exit 1; }}
service crashpod status > /dev/null
status=$?
test $status = 3 || {{ echo "status exits $status with nothing loaded"; exit 1; }}
service crashpod start
"""

# Nothing watches the configuration here: status says it, and refresh does it.
CHANGE_CONF = f"""before=$(grep ^initrd {LOADED})
crashpod raw format {RAW} || exit 1
sed -i '1i raw {RAW}' /etc/crashpod.conf
crashpod status && {{ echo "status does not see it"; exit 1; }}
crashpod status | grep 'out of date, changed since: .*crashpod refresh' || exit 1
crashpod refresh --reload || exit 1
test "$(grep ^initrd {LOADED})" != "$before" || {{ echo "the old image is loaded"; exit 1; }}
"""
CHANGE_LATER = """sed -i '/^raw /d' /etc/crashpod.conf
echo 'verify full' >> /etc/crashpod.conf
! crashpod status || { echo "status does not see it"; exit 1; }
"""

# What cannot be made leaves what is there, and that is loaded.
BREAK_CONF = f"""image=/var/lib/crashpod/initramfs-$(uname -r).img
before=$(sha256sum $image)
loaded=$(grep ^initrd {LOADED})
cp /etc/crashpod.conf /root/conf
echo 'nonsense 1' >> /etc/crashpod.conf
crashpod refresh --if-needed --reload
status=$?
crashpod status && status=ready
service crashpod restart || status=$?
i=0
until tail -n 20 /var/log/syslog | grep -a ' crashpod: crashpod refre[s]h .* failed'; do
    i=$((i + 1))
    test $i -lt 100 || {{ echo "the log does not tell"; exit 1; }}
    sleep 1
done
cat /root/conf > /etc/crashpod.conf
rm /root/conf
test $status = 1 || {{ echo "exit $status"; exit 1; }}
test "$(sha256sum $image)" = "$before" || {{ echo "it is another image"; exit 1; }}
test "$(grep ^initrd {LOADED})" = "$loaded" || {{ echo "another image is loaded"; exit 1; }}
test "$(cat /sys/kernel/kexec_crash_loaded)" = 1 || {{ echo "nothing is loaded"; exit 1; }}
"""

# Several blocks of memory at once: each has udev ask for a load, and none may fail. What is loaded in
# the end was begun after they came.
HOTPLUG = f"""own=0
test ! -e /sys/devices/system/memory/crash_hotplug || own=$(cat /sys/devices/system/memory/crash_hotplug)
lines=$(wc -l < /var/log/syslog)
before=$(stat -c %y.%i {LOADED})
gone=
for block in $(ls -d /sys/devices/system/memory/memory* | sort -rV); do
    echo offline 2> /dev/null > $block/state || continue
    gone="$gone $block"
    test $(echo $gone | wc -w) -lt 4 || break
done
echo "offline:$gone; the kernel tells it by itself: $own"
test $(echo $gone | wc -w) -gt 1 || {{ echo "too little memory goes offline"; exit 1; }}
udevadm settle
online=$(awk '{{ printf "%d", $1 }}' /proc/uptime)
for block in $gone; do
    echo online > $block/state &
done
wait
udevadm settle
while pgrep -x crashpod > /dev/null; do sleep 1; done
tail -n "+$((lines + 1))" /var/log/syslog | grep -a -v qemu-ga | grep -i 'crashpod.*fail' && exit 1
if test "$(stat -c %y.%i {LOADED})" = "$before"; then again=no; else again=yes; fi
began=$(sed -n 's/^began \\(.*\\)[0-9]\\{{9\\}}$/\\1/p' {LOADED})
echo "loaded again: $again, begun at $began s, the blocks came from $online s on"
case $own$again in
0yes) test "$began" -ge "$online" ;;
1no) ;;
*) exit 1 ;;
esac
"""

REMOVED = """ls -d /etc/rc?.d/S??crashpod 2> /dev/null && exit 1
pgrep -x crashpod && exit 1
true
"""
DEPENDS = "! grep -l crashpod /etc/init.d/.depend.*"


def _arm(journey, vm):
    """From a fresh machine to one that says it is ready; the way back once, too."""
    vm.do(systems.REPOSITORY)
    journey.must(vm, "install", systems.INSTALL)
    init = inits.of(journey.system)
    _, text = vm.do(f"{init.enabled}; cat /proc/cmdline")
    journey.add("install-arms-nothing", None if "disabled" in text and "crashkernel" not in text
                else text)
    journey.must(vm, "install-loads-nothing", NOTHING)
    _, before = vm.do(STATE)
    journey.must(vm, "setup", "crashpod setup --yes")
    _, text = vm.do(init.enabled)
    journey.add("setup-enables", None if text.strip() == "enabled" else text)
    journey.must(vm, "setup-remove", "crashpod setup --remove --yes")
    _, text = vm.do(STATE)
    changed = set(text.splitlines()) ^ set(before.splitlines())
    journey.add("setup-remove-restores", f"changed: {changed}" if changed else None)
    journey.must(vm, "setup-again", "crashpod setup --yes")
    _reboot(journey, vm, "reboot")
    journey.status(vm, "status")
    text = vm.steps[-1][1]
    journey.add("status-boot", None if "ok: /etc/init.d/crashpod loads it at each boot" in text else text)
    journey.must(vm, "verbs", VERBS)
    journey.status(vm, "verbs-status")


def _reboot(journey, vm, name):
    vm.away("reboot", 1)
    journey.seconds[name] = round(vm.steps[-1][2], 1)


def _next_kernel(journey, vm, parts):
    """Another kernel is installed, by its hooks; it is armed after a reboot."""
    journey.must(vm, "kernel-install", f"apt-get -q -y install {' '.join(parts)}")
    journey.must(vm, "kernel-image", f"ls -l /var/lib/crashpod/initramfs-{journey.other}.*")
    _reboot(journey, vm, "kernel-reboot")
    _, text = vm.do("uname -r")
    journey.add("kernel-boots", None if text.strip() == journey.other else
                f"{text.strip()} runs, not {journey.other}")
    return journey.status(vm, "kernel-status")


def _stay(journey, vm):
    """Changes, each with status after it; the crash between them goes to a raw target."""
    journey.must(vm, "conf-change", CHANGE_CONF)
    journey.status(vm, "conf-status")
    systems.crash(journey, vm, "raw-crash")
    journey.must(vm, "raw-collected", inits.of(journey.system).log +
                 f" | grep '{RAW}: slo[t] . is collected: .*, complete'")
    journey.status(vm, "raw-status")
    journey.must(vm, "conf-later", CHANGE_LATER)
    _reboot(journey, vm, "conf-reboot")
    journey.status(vm, "conf-boot-status")
    journey.must(vm, "conf-error", BREAK_CONF)
    journey.status(vm, "conf-mended")
    journey.must(vm, "hotplug", HOTPLUG)
    journey.status(vm, "hotplug-status")
    vm.do(systems.REPOSITORY)
    journey.must(vm, "reinstall", systems_stay.REINSTALL)
    journey.status(vm, "reinstall-status")
    systems_stay.other_gone(journey, vm)


def _go(journey, vm, parts):
    _arm(journey, vm)
    if any(why is not None for _, why in journey.tests):
        return
    systems.crash(journey, vm, "crash")
    journey.status(vm, "crash-status")
    crash_and_judge(journey, vm)
    vm.do(systems.REPOSITORY)
    if _next_kernel(journey, vm, parts):
        _stay(journey, vm)
    systems_stay.leave(journey, vm, REMOVED)
    journey.must(vm, "purge-forgets", DEPENDS)


def run(suite, way, debs):
    """A Journey, judged. Lost and GroundError pass through."""
    journey = systems.Journey(suite, way, paths.GROUND / "run" / f"system-{suite}-{way}")
    journey.where.mkdir(parents=True, exist_ok=True)
    journey.system = ground.ensure(suite, systems.settle, "sysvinit")
    journey.other, parts = systems.other_kernel(suite)
    disk, raw = journey.where / "disk", journey.where / "raw"
    shutil.rmtree(journey.where / "var-crash", ignore_errors=True)
    paths.run(["cp", "--sparse=always", "--reflink=auto", journey.system.disk, disk])
    with open(raw, "wb") as f:
        f.truncate(RAW_BYTES)
    repository = ground.repository(suite, parts, debs, journey.where)
    with SysVm(journey.where, systems.MEMORY_BYTES, [disk, repository, raw]) as vm:
        try:
            vm.power_on()
            journey.seconds["first-boot"] = round(vm.wait_up(1), 1)
            _go(journey, vm, parts)
            vm.power_off()
        finally:
            systems.tell(journey, vm, {})
    return journey
