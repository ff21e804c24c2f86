#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of a capture initramfs without crashpod: for samples, and to compare makedumpfile with.
# Runs /capture with the production root's disk on /target, then reboots, whatever came of it.
set -u
PATH=/bin
export PATH
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
echo "test-mark: capture" > /dev/console
while read -r module; do
	insmod "/modules/$module" || echo "capture-init: $module not loaded"
done < /modules/order
tries=0
until test -b /dev/vda || test "$tries" -gt 100; do
	tries=$((tries + 1))
	usleep 50000
done
mount -t ext4 /dev/vda /target && sh /capture > /target/test/out/capture.log 2>&1
echo "test-mark: captured" > /dev/console
cut -d' ' -f1 /proc/uptime > /target/test/out/capture.uptime
sync
umount /target
reboot -f
