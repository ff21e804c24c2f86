# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154 # variables shared with mkinitrd
# target.sh - from the targets of the configuration to the modules they need. Sourced by mkinitrd.
#
# By default the image is for this machine: each target's device is looked up, and every driver
# between it and the root of sysfs is asked for. With --generic the table below is taken instead.

# Storage drivers of --generic, each taken where the kernel has it: virtual machines' first, then
# what most servers boot from. Others come with --add-modules.
target_generic_drivers()
{
	cat <<-'TABLE'
	virtio_pci
	virtio_mmio
	virtio_blk
	virtio_scsi
	hv_storvsc
	xen_blkfront
	vmw_pvscsi
	mptspi
	mptsas
	nvme
	ahci
	ata_piix
	mpt3sas
	megaraid_sas
	sd_mod
	TABLE
}

target_request_all()
{
	# first of all: it may be about to end the capture, and a disk's driver may take its time
	test "$generic" = yes || target_watchdogs
	targets=0
	while read -r kind device; do
		chain_is_target "$kind" || continue
		if chain_is_fs "$kind"; then
			target_fs "$kind" "$device"
			chain_fs "$kind" "$device"
		fi
		targets=$((targets + 1))
		test "$generic" = yes || target_device "$kind" "$device"
	done < "$work/conf"
	if test "$targets" -eq 0; then
		test "$generic" = yes || test -n "$add_modules" ||
			fail "$conf: no target" "add a line like 'ext4 UUID=...'"
		say "note: $conf names no target: it must come with the capture kernel's command line"
	fi
	test "$generic" = no || target_generic
	test "$generic" = yes || target_pstore
	target_added
}

target_added()
{
	for name in $add_modules; do
		module_request need "$name" "--add-modules"
	done
}

# A file system's module is found by its alias: ext4 serves ext2 and ext3 too.
target_fs()
{
	name=$1
	if tree_has "fs-$1"; then
		name=fs-$1
	elif ! tree_has "$1"; then
		case $1 in
		ext2 | ext3) name=ext4 ;;
		esac
	fi
	module_request need "$name" "file system $1 of $2"
}

target_generic()
{
	found=0
	for name in $(target_generic_drivers); do
		tree_has "$name" || continue
		module_request need "$name" "--generic"
		found=$((found + 1))
	done
	test "$found" -gt 0 || test -n "$add_modules" ||
		fail "kernel $kver has none of the drivers of --generic: name yours with --add-modules"
}

# A device that cannot be looked at is an error unless the modules were named by hand.
target_device()
{
	node=$(target_node "$2")
	if test -z "$node"; then
		test -z "$add_modules" || {
			say "note: $2 is not on this machine: its drivers are those of --add-modules"
			return 0
		}
		fail "$1 $2: no such device on this machine" \
			"attach it; for another machine's image give --generic or --add-modules"
	fi
	name=$(readlink -f "$node")
	name=$(printf '%s\n' "${name#"$(readlink -f "$dev")"/}" | tr / '!')
	test -e "$sys/class/block/$name" || name=$(layers_name "$node" "$name")
	test -e "$sys/class/block/$name" ||
		fail "$1 $2: $node is not a block device of this machine" 'name another target'
	real=$(readlink -f "$sys/class/block/$name")
	test "$1" != raw || target_area "$2" "$node"
	target_name=$name
	report "target $1 $2: $name"
	if layers_target "$name" "$1" "$2"; then return 0; fi
	target_refuse "$real" "$1 $2"
	target_refuse_pool "$name" "$1 $2"
	target_walk "$real" "device $name of $2"
	target_nvme "$real" "device $name of $2"
}

# PID 1 writes to a device without a file system only where it finds an area for dumps.
target_area()
{
	"$crashpod" raw info "$2" > /dev/null 2> "$work/area" && return 0
	fail "raw $1: no dump would be written there:$(
		sed -e 's/^crashpod raw info://' "$work/area" | tr -d '\n')" \
		"make an area with 'crashpod raw format $2'"
}

# The device node of a target's name; nothing where there is none.
target_node()
{
	case $1 in
	UUID=*) target_tag uuid UUID "${1#*=}" ;;
	LABEL=*) target_tag label LABEL "${1#*=}" ;;
	PARTUUID=*) target_tag partuuid PARTUUID "${1#*=}" ;;
	PARTLABEL=*) target_tag partlabel PARTLABEL "${1#*=}" ;;
	/dev/*) test ! -e "$dev/${1#/dev/}" || echo "$dev/${1#/dev/}" ;;
	esac
}

target_tag()
{
	if test -e "$dev/disk/by-$1/$3"; then
		echo "$dev/disk/by-$1/$3"
	elif command -v blkid > /dev/null; then
		# udev escapes some characters of labels, and may not run here at all.
		blkid -c /dev/null -l -o device -t "$2=$3" || true
	fi
}

target_refuse()
{
	case $1 in
	*/virtual/block/*) fail "$2: not supported: a device without hardware (loop, ram, zram)" \
		'name another target' ;;
	esac
}

# A btrfs on several devices mounts only after each has been shown to the kernel.
target_refuse_pool()
{
	for d in "$sys"/fs/btrfs/*/devices/"$1"; do
		test -e "$d" || continue
		members=0
		for member in "$(dirname "$d")"/*; do
			test ! -e "$member" || members=$((members + 1))
		done
		test "$members" -le 1 || fail "$2: not supported yet: btrfs on several devices" \
			'name another target'
	done
}

# Every driver on the way up from a device, the bus's before the device's; for a check the other
# way.
target_walk()
{
	d=$1
	: > "$work/walk"
	top=$(readlink -f "$sys")/devices
	while test "$d" != "$top" && test "$d" != /; do
		target_level "$d" "$2" > "$work/level"
		if test "$check" = yes; then
			cat "$work/level" >> "$work/walk"
		else
			cat "$work/walk" >> "$work/level"
			mv "$work/level" "$work/walk"
		fi
		d=$(dirname "$d")
	done
	cat "$work/walk" >> "$work/requests"
}

# One device's driver. A driver that is built into the running kernel may be a module of KVER,
# under any name: the device's own modalias finds it.
target_level()
{
	test -e "$1/driver" || return 0
	driver=$(basename "$(readlink -f "$1/driver")")
	module=
	test ! -e "$1/driver/module" || module=$(basename "$(readlink -f "$1/driver/module")")
	# not every bus has a file of that name: that of cards (mmc) has not
	alias=
	test ! -r "$1/uevent" || alias=$(sed -n 's/^MODALIAS=//p' "$1/uevent")
	test -n "$alias" || test ! -r "$1/modalias" || alias=$(cat "$1/modalias")
	level="$2 (${1##*/}, driver $driver)"
	if test -n "$module" && tree_has "$module"; then
		echo "need $module $level"
	elif test -n "$alias" && tree_has "$alias"; then
		echo "need $alias $level"
	elif test -n "$module"; then
		echo "need $module $level"
	elif tree_has "$driver"; then
		echo "need $driver $level"
	elif test "$kver" = "$(uname -r)"; then
		echo "built $driver $level"
	else
		say "note: driver $driver of $2 is built into the running kernel and was not found in" \
			"$kver; it may be built in there too"
	fi
}

# With multipath the disk hangs below a virtual subsystem, which links to the controllers.
target_nvme()
{
	case $1 in
	*/virtual/nvme-subsystem/*) ;;
	*) return 0 ;;
	esac
	subsystem=$(dirname "$1")
	test -e "$subsystem/subsysnqn" || subsystem=$(dirname "$subsystem")
	for controller in "$subsystem"/nvme*; do
		test -e "$controller/cntlid" || continue
		target_walk "$(readlink -f "$controller")" "$2"
	done
}

# A watchdog that runs now would reset the machine in the middle of a dump: PID 1 keeps it quiet,
# for which its driver has to be there.
target_watchdogs()
{
	for w in "$sys"/class/watchdog/watchdog*/device; do
		test -e "$w/driver" || continue
		target_walk "$(readlink -f "$w")" "the watchdog"
	done
	# nothing else is asked for yet: a kernel without the driver has not set the watchdog going
	: >> "$work/requests"
	while read -r how name why; do
		if test "$how" = built || tree_has "$name"; then
			printf '%s %s %s\n' "$how" "$name" "$why"
		else
			say "note: kernel $kver has no module $name for $why: it is left out"
		fi
	done < "$work/requests" > "$work/level"
	mv "$work/level" "$work/requests"
}

# Where no target takes the dump the log goes to the store that the machine has.
target_pstore()
{
	store=
	test ! -r "$sys/module/pstore/parameters/backend" ||
		store=$(cat "$sys/module/pstore/parameters/backend")
	case $store in
	efi | efi_pstore) store=efi_pstore ;;
	ramoops) ;;
	*) return 0 ;; # none, or built in
	esac
	module_request want "$store" "pstore"
}
