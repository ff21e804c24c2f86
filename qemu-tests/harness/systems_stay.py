# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that is protected stays so: a changed configuration, one with an error, memory that comes
and goes, the package installed again, a kernel removed. Then the package goes, and leaves nothing."""

LOADED = "/run/crashpod/loaded"

# Waits for the watch on the configuration to have another image loaded; a second change comes while
# the first is worked on.
CHANGE_CONF = f"""before=$(grep ^initrd {LOADED})
echo 'dump_level 1' >> /etc/crashpod.conf
sleep 2
echo 'verify full' >> /etc/crashpod.conf
i=0
while test "$(grep ^initrd {LOADED})" = "$before" ||
    test "$(systemctl is-active crashpod-refresh.service)" = activating; do
    i=$((i + 1))
    test $i -lt 600 || {{ echo "it was not loaded in ten minutes"; exit 1; }}
    sleep 1
done
echo "loaded again after $i s"
"""

# What cannot be made leaves what is there: the same image stays loaded. What the watch on the file
# has begun is over before the next change.
BREAK_CONF = f"""image=/var/lib/crashpod/initramfs-$(uname -r).img
before=$(sha256sum $image {LOADED})
watch()
{{
    i=0
    while test "$(systemctl show -P Result crashpod-refresh.service)" != $1 ||
        test "$(systemctl is-active crashpod-refresh.service)" = activating; do
        i=$((i + 1))
        test $i -lt 600 || {{ echo "the watch on the file has no $1"; exit 1; }}
        sleep 1
    done
}}
cp /etc/crashpod.conf /root/conf
echo 'nonsense 1' >> /etc/crashpod.conf
crashpod refresh --if-needed --reload
status=$?
crashpod status && status=ready
(watch exit-code) || status=unwatched
cat /root/conf > /etc/crashpod.conf
rm /root/conf
test $status = 1 || {{ echo "exit $status"; exit 1; }}
test "$(sha256sum $image {LOADED})" = "$before" || {{ echo "it is another image"; exit 1; }}
watch success
"""

# An image that is too large to be loaded: the one before is loaded again. Without compression zeros are
# as large as anything.
TOO_LARGE = f"""init=/usr/lib/crashpod/init
systemctl stop crashpod-refresh.path
crashpod-mkinitrd --compress none && crashpod load --again || exit 1
before=$(grep ^initrd {LOADED})
cp -a $init /root/init
truncate -s 150M $init
crashpod refresh -k "$(uname -r)" --if-needed --reload
status=$?
crashpod status && status=ready
mv /root/init $init
test $status = 1 || {{ echo "exit $status"; exit 1; }}
test "$(cat /sys/kernel/kexec_crash_loaded)" = 1 || {{ echo "nothing is loaded"; exit 1; }}
test "$(grep ^initrd {LOADED})" = "$before" || {{ cat {LOADED}; exit 1; }}
crashpod-mkinitrd && crashpod load --again && systemctl start crashpod-refresh.path
"""

# Memory that goes and comes again is told to the capture kernel: by udev's rule, or by the kernel.
HOTPLUG = f"""own=0
test ! -e /sys/devices/system/memory/crash_hotplug || own=$(cat /sys/devices/system/memory/crash_hotplug)
again()
{{
    before=$(stat -c %y.%i {LOADED})
    for block in $(ls -d /sys/devices/system/memory/memory* | sort -rV); do
        echo offline 2> /dev/null > $block/state || continue
        echo online > $block/state
        break
    done
    test "$(cat $block/state)" = online || {{ echo "no memory goes offline"; exit 1; }}
    echo "$block was offline; the kernel tells it by itself: $own"
    udevadm settle
    i=0
    while test "$(stat -c %y.%i {LOADED})" = "$before" && test $i -lt 60; do
        i=$((i + 1))
        test $own = 0 || test $i -lt 5 || break
        sleep 1
    done
    if test "$(stat -c %y.%i {LOADED})" = "$before"; then again=no; else again=yes; fi
    echo "loaded again: $again"
    case $own$again in
    0yes | 1no) ;;
    *) exit 1 ;;
    esac
}}
again
systemctl stop crashpod.service && crashpod load || exit 1
echo "loaded by hand:"
again
systemctl start crashpod.service
"""

# Goes wrong when everything has ended, and the root file system is read-only.
LATE = "/usr/lib/systemd/system-shutdown/late"
LATE_CRASH = f"""mkdir -p {LATE.rpartition("/")[0]}
printf '#!/bin/sh\\necho 1 > /proc/sys/kernel/sysrq\\necho c > /proc/sysrq-trigger\\n' > {LATE}
chmod +x {LATE}
systemctl reboot"""

REINSTALL = "apt-get -q -y install --reinstall crashpod"

# Nothing is loaded or enabled any more; what stays of the package does nothing.
REMOVED = """cat /sys/kernel/kexec_crash_loaded
test "$(cat /sys/kernel/kexec_crash_loaded)" = 0 || exit 1
find /etc/systemd/system /run/crashpod -name '*crashpod*' 2> /dev/null | grep . && exit 1
for hook in /etc/kernel/post*.d/zz-crashpod; do
    $hook "$(uname -r)" | grep . && exit 1
done
true
"""

# The package's own files, what setup and load made, and traces of both; not dumps, and not what
# dpkg and apt remember.
LEFT = """find / -xdev \\( -path /var/crash -o -path /var/log -o -path /var/cache/apt -o -path /var/lib/apt \\
    -o -path /proc -o -path /sys -o -path /srv -o -path /tmp \\) -prune -o -name '*crashpod*' -print
grep -ls crashkernel= /etc/default/grub /etc/default/grub.d/* /boot/grub/grub.cfg
true
"""


def _conf(journey, vm):
    journey.must(vm, "conf-change", CHANGE_CONF)
    journey.status(vm, "conf-status")
    journey.must(vm, "conf-error", BREAK_CONF)
    journey.status(vm, "conf-mended")
    journey.must(vm, "too-large", TOO_LARGE)
    journey.status(vm, "too-large-mended")


def other_gone(journey, vm):
    """The kernel that does not run is removed, and its image with it."""
    kver = journey.system.kver
    journey.must(vm, "kernel-remove",
                 f"test -e /var/lib/crashpod/initramfs-{kver}.img || exit 1\n"
                 f"apt-get -q -y purge linux-image-amd64 linux-image-{kver}\n"
                 f"ls /var/lib/crashpod\n! ls /var/lib/crashpod/initramfs-{kver}.*")
    journey.status(vm, "kernel-remove-status")


def _package_gone(journey, vm, allowed, removed):
    journey.must(vm, "remove", "apt-get -q -y remove crashpod")
    journey.must(vm, "removed", removed + REMOVED)
    _, dumps = vm.do("ls /var/crash")
    journey.must(vm, "purge", "apt-get -q -y purge crashpod")
    _, left = vm.do(LEFT)
    left = [line for line in left.split() if line not in allowed]
    journey.add("purge-leaves-nothing", f"left: {' '.join(left)}" if left else None)
    begun = len(vm.steps)
    vm.away("reboot", 1)
    journey.seconds["purge-reboot"] = round(vm.steps[begun][2], 1)
    _, line = vm.do("cat /proc/cmdline")
    journey.add("purge-reserves-nothing", None if allowed or "crashkernel" not in line else line)
    _, after = vm.do("ls /var/crash")
    journey.add("purge-keeps-dumps", None if dumps and after == dumps else f"{dumps} {after}")


def _late_crash(journey, vm):
    """A panic at the very end of a shutdown is captured."""
    _, before = vm.do("ls /var/crash")
    begun = len(vm.steps)
    vm.away(LATE_CRASH, 2)
    journey.seconds["late-crash"] = round(vm.steps[begun][2], 1)
    _, after = vm.do(f"rm {LATE}; ls /var/crash")
    new = sorted(set(after.split()) - set(before.split()))
    journey.add("late-crash", None if len(new) == 1 else f"{before} then {after}")
    for stamp in new:
        journey.must(vm, "late-verify", f"crashpod verify /var/crash/{stamp}/dump.{stamp}")
    journey.status(vm, "late-status")


def stay(journey, vm):
    """Changes on a machine that runs its second kernel; it must be ready after each."""
    _conf(journey, vm)
    journey.must(vm, "hotplug", HOTPLUG)
    journey.status(vm, "hotplug-status")
    journey.must(vm, "reinstall", REINSTALL)
    journey.status(vm, "reinstall-status")
    other_gone(journey, vm)
    _late_crash(journey, vm)


def leave(journey, vm, removed=""):
    """The package is removed and purged. What a person wrote for the boot loader is theirs. removed: what
    else must be true after the removal."""
    allowed = [] if journey.way != "hand" else ["/etc/default/grub.d/crashpod.cfg",
                                                 "/boot/grub/grub.cfg"]
    _package_gone(journey, vm, allowed, removed)
