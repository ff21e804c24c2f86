#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# PID 1 of the production system in `run.py disks`, on a root that is only read. First boot: finds
# the target's drivers as udev does, mounts the target, fills it with files, has mkinitrd build an
# image by looking at this machine, loads it, and crashes while the target is written to. Second
# boot: compares the files with what they were, takes the dump off the target, and powers off.
#
# /test is a disk of its own: case (the case as shell variables), bin/, mkinitrd/, crashpod.conf,
# modprobe.d; out/ takes what is found.
#
# shellcheck disable=SC1091,SC2154 # /test/case is the guest's
set -u
PATH=/test/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
out=/test/out
data=/run/data

mark()
{
	echo "test-mark: $1" > /dev/console
}

off()
{
	sync
	umount /test || mount -o remount,ro /test
	busybox poweroff -f
	sleep 100
}

failed()
{
	mark "failed-$1"
	echo "$1: $2" >> $out/failed
	dmesg > $out/dmesg.failed
	off
}

# step NAME COMMAND...: what it printed is $out/NAME.log
step()
{
	name=$1
	shift
	"$@" > "$out/$name.log" 2>&1 || failed "$name" "exit $?: $(tail -n 3 "$out/$name.log")"
}

# What the case wants loaded before all else: the first disk is its.
early()
{
	test -n "$early" || return 0
	modprobe -a "$early" sd_mod
	tries=0
	until test -e /sys/class/block/sda; do
		tries=$((tries + 1))
		test "$tries" -lt 100 || failed early "$early: no sda"
		sleep 0.1
	done
}

# What udev goes by. Cards (mmc) have no file of their name.
modaliases()
{
	find /sys/devices -name uevent -exec cat {} + 2> /dev/null | sed -n 's/^MODALIAS=//p' | sort -u
}

# The drivers of everything that sysfs shows, until the target is there.
coldplug()
{
	tries=0
	: > /run/aliases
	test ! -e $out/crashed || sleep 2
	until device=$(blkid -c /dev/null -l -o device -t "$spec") && test -n "$device"; do
		modaliases > /run/now
		comm -13 /run/aliases /run/now | xargs -r modprobe -a -b -q || true
		mv /run/now /run/aliases
		tries=$((tries + 1))
		test "$tries" -lt 60 || failed coldplug "no $spec: $(ls /sys/class/block)"
		sleep 0.2
	done
}

fill()
{
	mkdir -p "$data/known/deep/er"
	i=0
	while test $i -lt 24; do
		i=$((i + 1))
		head -c $((i * i * 977)) /dev/urandom > "$data/known/$i"
	done
	head -c 3000000 /dev/urandom > "$data/known/deep/er/big"
	head -c 2000000 /dev/zero > "$data/known/zeros"
	ln "$data/known/7" "$data/known/link" 2> /dev/null || true
	(cd "$data" && find known -type f -exec sha256sum {} +) > $out/sums
	sync
}

# Whatever the crash interrupts: a file that grows, and names that come and go.
busy()
{
	while :; do
		: > "$data/growing"
		i=0
		while test $i -lt 200; do
			i=$((i + 1))
			head -c 40000 /dev/urandom >> "$data/growing"
			echo $i > "$data/churn.new"
			mv "$data/churn.new" "$data/churn.$((i % 9))"
			rm -f "$data/churn.$(((i + 3) % 9))"
		done
	done
}

first()
{
	# the drivers that the target does not wait for
	test "$beside" = no || modaliases | xargs -r modprobe -a -b -q || true
	if test -n "$subvolume"; then
		mount -t "$fstype" "$device" $data || failed mount "$device"
		step subvolume btrfs subvolume create "$data/$subvolume"
		test "$default" = no || step default btrfs subvolume set-default "$data/$subvolume"
		umount $data
	fi
	step mount mount -t "$fstype" -o "$options" "$device" $data
	mark mounted
	fill
	lsmod > $out/lsmod
	step prepare sh /test/prepare
	mark prepared
	step mkinitrd mkinitrd --init /test/bin/init
	mark built
	test "$check" = no || step check mkinitrd --check --init /test/bin/init
	cp "/var/lib/crashpod/initramfs-$(uname -r).img" $out/image
	step load crashpod load --append "$append"
	crashpod status > $out/status 2>&1
	echo $? > $out/status.rc
	echo "$device" > $out/device.1
	readlink -f "/sys/class/block/${device#/dev/}" > $out/sysfs
	busy &
	echo "<5>crashpod-test: planted with seed 1" > /dev/kmsg
	echo first > $out/crashed
	sleep 1
	# a part of it is on the disk, and not all
	sync -f $data
	sleep 1
	sync -f /test
	mount -o remount,ro /test || failed remount /test
	mark crash
	echo 1 > /proc/sys/kernel/sysrq
	sh -c 'echo c > /proc/sysrq-trigger'
	sleep 60
}

second()
{
	mark came-back
	rm $out/crashed
	echo "$device" > $out/device.2
	step mount.2 mount -t "$fstype" -o "$options" "$device" $data
	(cd $data && sha256sum --quiet -c) < $out/sums > $out/compared 2>&1
	echo $? > $out/compared.rc
	cat $data/growing > /dev/null 2> $out/growing
	ls -lR $data > $out/list
	umount $data
	step mount.top mount -t "$fstype" -o "$where" "$device" $data
	if test "$big" = yes; then
		for dump in "$data"/crash/*/dump.*; do
			crashpod verify "$dump" > $out/verify.log 2>&1
			crashpod info "$dump" > $out/info.log 2>&1
		done
		mkdir -p $out/crash
		for file in "$data"/crash/*/dmesg.* "$data"/crash/*/crashpod.json; do
			mkdir -p "$out/crash/$(basename "$(dirname "$file")")"
			cp "$file" "$out/crash/$(basename "$(dirname "$file")")/"
		done
	else
		cp -r "$data/crash" $out/crash 2> $out/copied
	fi
	step umount umount $data
	mark judged
}

. /test/case
mkdir -p $out
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var
mkdir -p /var/lib/crashpod $data
mark booted
if test -e $out/crashed; then
	# it is known by now which these are
	# shellcheck disable=SC2086 # words
	modprobe -a -q $drivers
	coldplug
	second
else
	early
	coldplug
	first
fi
off
