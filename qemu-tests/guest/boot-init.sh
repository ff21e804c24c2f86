#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the production kernel's initramfs: load what the root needs and go there.
set -eu
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
while read -r module; do
	/bin/busybox insmod "/modules/$module" || /bin/busybox echo "boot-init: $module not loaded"
done < /modules/order
tries=0
until test -b /dev/vda; do
	tries=$((tries + 1))
	test "$tries" -lt 100
	/bin/busybox usleep 50000
done
/bin/busybox mount -t ext4 /dev/vda /root
for dir in proc sys dev; do
	/bin/busybox mount -o move "/$dir" "/root/$dir"
done
exec /bin/busybox switch_root /root /sbin/init
