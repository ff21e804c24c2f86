#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# PID 1 of the production system under test. First boot: plant known memory unless there is a
# /test/idle, load the capture kernel with /test/load, crash. Second boot: say so on the disk and
# power off.
# What the harness judges is in /test/out; the console lines only tell it the time.
set -u
PATH=/bin:/sbin:/usr/bin:/usr/sbin
export PATH
out=/test/out

mark()
{
	echo "test-mark: $1" > /dev/console
	echo "$1 $(cut -d' ' -f1 /proc/uptime)" >> $out/stages
}

off()
{
	kill -9 -1
	sync
	umount /tmp
	mount -o remount,ro /
	poweroff -f
}

# A step's output and exit code are files; a failure ends the test at once, by the same way off.
step()
{
	name=$1
	shift
	"$@" > "$out/$name.log" 2>&1
	rc=$?
	echo "$rc" > "$out/$name.rc"
	test "$rc" -eq 0 && return 0
	mark "failed-$name"
	off
}

busybox --install -s /bin
mount -t tmpfs tmpfs /tmp
mkdir -p $out
cat /proc/sys/kernel/random/boot_id >> $out/boots
if test "$(wc -l < $out/boots)" -gt 1; then
	mark came-back
	cp $out/boots $out/came-back
	cat /proc/uptime >> $out/came-back
	test ! -e /test/after || step after sh /test/after
	off
fi
mark booted
cp /proc/cmdline /proc/iomem $out/
test ! -e /test/prepare || step prepare sh /test/prepare
test -e /test/idle || step plant plant "$(cat /test/seed)" $out/manifest /tmp/planted /test/planted
echo "<5>crashpod-test: planted with seed $(cat /test/seed)" > /dev/kmsg
mark planted
step load sh /test/load
cat /sys/kernel/kexec_crash_loaded > $out/kexec_crash_loaded
cat /sys/kernel/kexec_crash_size > $out/kexec_crash_size
mark loaded
sync
test -e /test/idle || step plant-free plant "$(cat /test/seed)" $out/manifest.free
mark crash
sync
echo 1 > /proc/sys/kernel/sysrq
# The file system is left mounted and dirty, as a machine's is.
echo dirty > $out/dirty
sh /test/crash
sleep 60
mark did-not-crash
off
