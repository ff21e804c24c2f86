# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole Debian machine on which kdump-tools works: `crashpod setup --from-kdump` takes its place.

kdump-tools is installed as Debian has it, loads its own capture kernel and saves one crash. crashpod
comes, takes over, and stays loaded whatever kdump-tools' hooks do; it gives all back, takes over once
more, and stays ready when kdump-tools' package goes.
"""

import re
import shutil

from ground import paths, systems as ground

from . import systems, systems_stay
from .sysvm import SysVm

NAMES = ("kdump-tools", "makedumpfile")
MAX_BOOTS = 20
KDUMP = "/etc/default/kdump-tools"
LOADED = systems_stay.LOADED
# kdump-config writes it each time it has loaded its capture kernel.
KEXEC_CMD = "/var/crash/kexec_cmd"
UDEV = "/etc/udev/rules.d/50-kdump-tools.rules"

# Whenever kdump-tools' package comes or goes the machine's own initramfs would be made anew, which
# takes minutes and tells nothing of what is tried here.
OWN_INITRAMFS = "echo update_initramfs=no > /etc/initramfs-tools/update-initramfs.conf"
INSTALL_KDUMP = f"""export DEBIAN_FRONTEND=noninteractive
echo 'kdump-tools kdump-tools/use_kdump boolean true' | debconf-set-selections
apt-get -q update && apt-get -q -y --no-install-recommends install {' '.join(NAMES)}"""
# As a person does it: what is commented out is taken in, with the person's values.
SETTINGS = f"""sed -i -e 's/^#KDUMP_NUM_DUMPS=.*/KDUMP_NUM_DUMPS=3/' \\
    -e 's/^#MAKEDUMP_ARGS=.*/MAKEDUMP_ARGS="-c -d 31"/' \\
    -e 's/^#KDUMP_FAIL_CMD=.*/KDUMP_FAIL_CMD="reboot -f"/' {KDUMP}
grep -v -e '^#' -e '^$' {KDUMP}
cat /etc/default/grub.d/kdump-tools.cfg"""
TAKEN = ("path /var/crash", "naming debian", "core_collector makedumpfile -c -d 31", "keep 3",
         "failure_action reboot")

READY = """kdump-config show
kdump-config status | grep ': ready to kdump' || exit 1
test "$(cat /sys/kernel/kexec_crash_loaded)" = 1 && systemctl is-enabled kdump-tools.service"""

# All that setup may change and --remove has to give back.
STATE = """find /etc -type f ! -name '.updated' ! -name machine-id -exec sha256sum {} + | sort -k 2
find /etc/systemd /etc/rc?.d -type l -printf '%p %l\\n' | sort
grep -o 'crashkernel=[^ ]*' /boot/grub/grub.cfg | sort -u"""
# What loads, and is loaded: installing crashpod and a refused setup leave it as it is.
SERVICE = f"""cat /sys/kernel/kexec_crash_loaded
stat -c '%n %y %i' {KEXEC_CMD}
systemctl is-enabled kdump-tools.service
systemctl is-active kdump-tools.service"""

# Kernels, memory, CPUs and packages that come and go, at which kdump-tools' hooks act: none of them may
# load its capture kernel. kdump-config's own word is the file's time.
HOOKS = f"""before=$(stat -c %y {KEXEC_CMD})
for block in $(ls -d /sys/devices/system/memory/memory* | sort -rV); do
    echo offline 2> /dev/null > $block/state || continue
    echo online > $block/state
    break
done
test "$(cat $block/state)" = online || exit 1
echo 0 > /sys/devices/system/cpu/cpu1/online && echo 1 > /sys/devices/system/cpu/cpu1/online || exit 1
udevadm trigger --action=add --subsystem-match=cpu
udevadm settle
/etc/kernel/postinst.d/kdump-tools "$(uname -r)" || exit 1
DEBIAN_FRONTEND=noninteractive apt-get -q -y install --reinstall kdump-tools || exit 1
sleep 5
udevadm settle
systemctl is-enabled kdump-tools.service
systemctl is-active kdump-tools.service kdump-tools-dump.service crashpod.service
test "$(stat -c %y {KEXEC_CMD})" = "$before" || {{ echo "kdump-tools has loaded its own"; exit 1; }}"""

# After a boot: neither its units nor kdump-config itself, by udev or by hand, has said anything.
QUIET = f"""(journalctl -b -q -u kdump-tools.service -u kdump-tools-dump.service
journalctl -b -q -t kdump-config) | grep . && exit 1
systemctl is-active kdump-tools.service && exit 1
test {LOADED} -nt {KEXEC_CMD}"""

# Older dumps, for `keep` to take: copies of one under names of another year.
OLD_NAMES = tuple(f"20200101000{n}" for n in range(3))
OLD_DUMPS = """cd /var/crash
for name in {names}; do
    cp -a {dump} $name
    mv $name/dump.{dump} $name/dump.$name
    mv $name/dmesg.{dump} $name/dmesg.$name
done
ls"""


def _has(journey, name, text, *patterns):
    lost = [p for p in patterns if not re.search(p, text, re.M)]
    journey.add(name, f"no {lost} in {text.strip()[-600:]!r}" if lost else None)


def _same(journey, vm, name, script, before):
    """What the script prints is still what it was."""
    _, text = vm.do(script)
    new = sorted(set(text.splitlines()) ^ set(before.splitlines()))
    journey.add(name, f"differs: {new}" if new else None)


def _reboot(journey, vm, name):
    begun = len(vm.steps)
    vm.away("systemctl reboot", 1)
    journey.seconds[name] = round(vm.steps[begun][2], 1)
    vm.do("systemctl is-system-running --wait")


def _dumps(vm):
    _, text = vm.do("find /var/crash -mindepth 1 -maxdepth 1 -type d -name '2*' -printf '%f\\n'")
    return set(text.split())


def _kdump(journey, vm):
    """kdump-tools at work, and its dump's directory name, or None."""
    vm.do(OWN_INITRAMFS)
    vm.do(systems.REPOSITORY)
    journey.must(vm, "kdump-install", INSTALL_KDUMP)
    journey.must(vm, "kdump-settings", SETTINGS)
    _reboot(journey, vm, "kdump-reboot")
    journey.must(vm, "kdump-ready", READY)
    if journey.tests[-1][1] is not None:
        return None
    before = _dumps(vm)
    vm.away(systems.CRASH, 2)
    journey.seconds["kdump-crash"] = round(vm.steps[-1][2], 1)
    vm.do("systemctl is-system-running --wait")
    new = sorted(_dumps(vm) - before)
    journey.add("kdump-dump", None if len(new) == 1 else f"new: {new}")
    return new[0] if len(new) == 1 else None


def _theirs(journey, vm, name, dump):
    """crashpod's commands on the dump that kdump-tools has made."""
    path = f"/var/crash/{dump}/dump.{dump}"
    text = journey.must(vm, f"{name}-list", "crashpod list")
    _has(journey, f"{name}-listed", text, re.escape(path))
    text = journey.must(vm, f"{name}-info", f"crashpod info {path}")
    _has(journey, f"{name}-info-facts", text, re.escape(journey.system.kver), r"\b31\b")
    journey.must(vm, f"{name}-verify", f"crashpod verify {path}")
    text = journey.must(vm, f"{name}-show", f"crashpod show {path}")
    _has(journey, f"{name}-show-cause", text, r"sysrq triggered crash", r"sysrq_handle_crash\+0x")
    _, text = vm.do(f"crashpod vmlinux {path}")
    _has(journey, f"{name}-vmlinux", text, rf"linux-image-{re.escape(journey.system.kver)}-dbg")


def _refused(journey, vm):
    """crashpod is there, or False: nothing is changed, and it says what would be done."""
    _, service = vm.do(SERVICE)
    journey.must(vm, "install", systems.INSTALL)
    if journey.tests[-1][1] is not None:
        return False
    _same(journey, vm, "install-changes-nothing", SERVICE, service)
    status, text = vm.do("crashpod status")
    _has(journey, "status-names-it", text, r"^missing: .*kdump-tools.*from-kdump")
    journey.add("status-not-ready", None if status == 1 else f"exit {status}")
    status, text = vm.do("crashpod setup --yes")
    journey.add("setup-refuses", None if status == 1 else f"exit {status}: {text}")
    _has(journey, "setup-offers", text, r"crashpod setup --from-kdump", r"^nothing was changed")
    _same(journey, vm, "refused-service", SERVICE, service)
    return True


def _take(journey, vm, name):
    """Takes over, and is ready at once: the present reservation is enough."""
    text = journey.must(vm, name, "crashpod setup --yes --from-kdump")
    _has(journey, f"{name}-no-reboot", text, r"^no reboot is needed")
    _, text = vm.do("grep -v '^#' /etc/crashpod.conf")
    want = [f"ext4 UUID={ground.ROOT_UUID}", *TAKEN]
    journey.add(f"{name}-conf", None if text.splitlines() == want else text)
    _, text = vm.do("systemctl is-enabled kdump-tools.service crashpod.service; "
                    "systemctl is-active kdump-tools.service crashpod.service")
    journey.add(f"{name}-services", None if text.split() ==
                ["disabled", "enabled", "inactive", "active"] else text)
    journey.must(vm, f"{name}-loaded", f"cat /sys/kernel/kexec_crash_loaded {LOADED} && "
                 f"test {LOADED} -nt {KEXEC_CMD} && cat {UDEV}")
    journey.status(vm, f"{name}-status")


def _boot_line(journey, vm, name, words):
    """What the command line has of crashkernel=, and that the last word counts."""
    _, text = vm.do("cat /proc/cmdline; cat /sys/kernel/kexec_crash_size")
    line, size = text.strip().splitlines()
    found = re.findall(r"crashkernel=(\S+)", line)
    mib = int(re.search(r"(\d+)M$", found[-1])[1]) if found else 0
    good = len(found) == words and int(size) == mib << 20
    journey.add(name, None if good else text)


def _ours(journey, vm, theirs):
    """After a boot kdump-tools has done nothing and its hooks do nothing; the crash is crashpod's."""
    vm.do(systems.REPOSITORY)
    journey.must(vm, "kdump-quiet", QUIET)
    _boot_line(journey, vm, "boot-line", 2)
    text = journey.must(vm, "oops", "cat /proc/sys/kernel/panic_on_oops")
    journey.add("oops-panics", None if text.strip() == "1" else text)
    journey.must(vm, "hooks", HOOKS)
    journey.status(vm, "hooks-status")
    dump = systems.crash(journey, vm, "crash")
    if dump:
        text = vm.do(f"crashpod info {dump}; ls /var/crash/*/crashpod.json")[1]
        _has(journey, "crash-is-ours", text, r"zlib", r"crashpod\.json")
    _theirs(journey, vm, "both", theirs)
    return dump


def _back(journey, vm, state):
    """--remove: kdump-tools is as it was, now and after a boot."""
    journey.must(vm, "undo", "crashpod setup --remove --yes")
    _same(journey, vm, "undo-state", STATE, state)
    journey.must(vm, "undo-loaded", READY)
    _reboot(journey, vm, "undo-reboot")
    journey.must(vm, "undo-ready", READY)
    _boot_line(journey, vm, "undo-boot-line", 1)


def _alone(journey, vm, theirs, ours):
    """Taken over once more; kdump-tools goes, crashpod stays, and keeps as many dumps as it is told."""
    _take(journey, vm, "again")
    vm.do(systems.REPOSITORY)
    journey.must(vm, "kdump-purge", "apt-get -q -y purge kdump-tools && update-grub")
    journey.status(vm, "kdump-purge-status")
    _reboot(journey, vm, "alone-reboot")
    journey.status(vm, "alone-status")
    _boot_line(journey, vm, "alone-boot-line", 1)
    journey.must(vm, "old-dumps", OLD_DUMPS.format(names=" ".join(OLD_NAMES),
                                                   dump=ours.split("/")[3]))
    systems.crash(journey, vm, "alone-crash")
    left = _dumps(vm)
    # three are kept: the new one, the one before it, the youngest of the old
    good = left & set(OLD_NAMES) == {OLD_NAMES[-1]}
    journey.add("keep-takes-ours", None if good else f"left: {left}")
    journey.add("keep-leaves-theirs", None if theirs in left else f"left: {left}")


def _go(journey, vm):
    theirs = _kdump(journey, vm)
    if theirs is None:
        return None
    vm.do(systems.REPOSITORY)
    if not _refused(journey, vm):
        return None
    _theirs(journey, vm, "theirs", theirs)
    _, state = vm.do(STATE)
    _take(journey, vm, "setup")
    _reboot(journey, vm, "reboot")
    journey.status(vm, "status")
    ours = _ours(journey, vm, theirs)
    _back(journey, vm, state)
    if ours:
        _alone(journey, vm, theirs, ours)
    systems_stay.leave(journey, vm)
    said = [text for what, text, *_ in vm.steps if "purge crashpod" in what]
    journey.add("purge-says", said[-1][-300:] if "kdump-tools" in said[-1] else None)
    status, text = vm.do(f"ls {UDEV}")
    journey.add("purge-udev", None if status else text)
    return ours


def run(suite, way, debs):
    """A Journey, judged. Lost and GroundError pass through."""
    journey = systems.Journey(suite, way, paths.GROUND / "run" / f"system-{suite}-{way}")
    journey.where.mkdir(parents=True, exist_ok=True)
    journey.system = ground.ensure(suite, systems.settle)
    disk = journey.where / "disk"
    shutil.rmtree(journey.where / "var-crash", ignore_errors=True)
    paths.run(["cp", "--sparse=always", "--reflink=auto", journey.system.disk, disk])
    names = ground.lacking(journey.system, NAMES, journey.where)
    repository = ground.repository(suite, names, debs, journey.where)
    ours, answers = None, {}
    with SysVm(journey.where, systems.MEMORY_BYTES, [disk, repository]) as vm:
        vm.max_boots = MAX_BOOTS
        try:
            vm.power_on()
            journey.seconds["first-boot"] = round(vm.wait_up(1), 1)
            ours = _go(journey, vm)
            vm.power_off()
            if ours:
                answers = systems.judge_dump(journey, disk, ours)
        finally:
            systems.tell(journey, vm, answers)
    return journey
