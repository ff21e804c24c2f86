#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /test/prepare and, with "after", /test/after of a guest whose target lies on arrays or volumes.
# /test/layer has shell functions: make_layers builds them and sets $device, open_layers has the real
# tools find them again and sets $device. What comes of it is in /test/out/layers.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
DM_DISABLE_UDEV=1
export PATH DM_DISABLE_UDEV
out=/test/out/layers
mkdir -p $out /run /mnt /etc/lvm
cat > /etc/lvm/lvm.conf <<-'TEXT'
	activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
	devices { obtain_device_list_from_udev = 0 external_device_info_source = "none" use_devicesfile = 0 }
	backup { backup = 0 archive = 0 }
TEXT
device=
# shellcheck source=/dev/null
. /test/layer

facts() # WHEN
{
	cp /proc/mdstat "$out/mdstat.$1" 2> /dev/null || true
	dmsetup table > "$out/dm.$1" 2>&1 || true
}

prepare()
{
	xargs -n 1 modprobe < /test/modules
	make_layers
	mke2fs -q -t ext4 -b 4096 -U "$(cat /test/uuid)" -E nodiscard "$device"
	mount -t ext4 "$device" /mnt
	mkdir -p /mnt/data
	seq 1 20000 > /mnt/data/numbers
	sync
	facts before
	cat /proc/uptime > $out/uptime
	set -- -c /etc/crashpod.conf -o /boot/crashpod.img --init /usr/lib/crashpod/init
	# of crashpod's own kernel
	test ! -s /test/own || set -- "$@" -k "$(cat /test/own)" --modules-root /own
	dash /usr/lib/crashpod/mkinitrd/mkinitrd "$@" --dry-run > $out/report 2>&1
	dash /usr/lib/crashpod/mkinitrd/mkinitrd "$@"
	cat /proc/uptime >> $out/uptime
	stat -c %s /boot/crashpod.img > $out/image-bytes
	if command -v last_layers > /dev/null; then last_layers; fi
	sync
	sleep 1
}

after()
{
	xargs -n 1 modprobe < /test/modules
	open_layers > $out/open 2>&1
	facts after
	echo "$device" > $out/device
	rc=0
	e2fsck -f -n "$device" > $out/fsck 2>&1 || rc=$?
	echo $rc > $out/fsck.rc
	mount -t ext4 -o ro "$device" /mnt
	seq 1 20000 | cmp - /mnt/data/numbers > $out/numbers 2>&1 || echo differ >> $out/numbers
	mkdir -p $out/crash
	test ! -d /mnt/var/crash || cp -r /mnt/var/crash/. $out/crash
	umount /mnt
}

if test "${1:-}" = after; then after; else prepare; fi
