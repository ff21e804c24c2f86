#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# /init of the production kernel's initramfs in `run.py disks`: mounts the root, which is only read,
# and the disk that takes what is found, and goes there.
set -eu
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
while read -r module; do
	/bin/busybox insmod "/modules/$module" || /bin/busybox echo "boot: $module not loaded"
done < /modules/order

# where LABEL DIR OPTIONS
disk()
{
	tries=0
	until device=$(/bin/busybox findfs "LABEL=$1" 2> /dev/null); do
		tries=$((tries + 1))
		test "$tries" -lt 100
		/bin/busybox usleep 50000
	done
	/bin/busybox mount -t ext4 -o "$3" "$device" "$2"
}

disk disksroot /root ro,noload
disk diskstest /root/test rw
for dir in proc sys dev; do
	/bin/busybox mount -o move "/$dir" "/root/$dir"
done
exec /bin/busybox switch_root /root /test/init
