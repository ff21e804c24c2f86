#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The modules: which, in which order, from which layout and compression, and what is missing.
# shellcheck disable=SC1091,SC2034,SC2154 # variables shared with common.sh
. "$(dirname "$0")/common.sh"
make_lab
root=$lab/root
uuid='xfs UUID=1111-2222'
set_conf "$uuid"

# order NAME WANT: the module list of the image $lab/out, on one line without directories.
order()
{
	got=none
	test "$rc" -ne 0 ||
		got=$(image_cat "$lab/out" etc/crashpod.modules | sed -e 's,^/lib/modules/,,' | tr '\n' ' ')
	result "$1" "got '$got', said '$(cat "$lab/stderr")'" test "$got" = "$2"
}

fs='fast-crc.ko crc-lib.ko xfs.ko '
disk='virtio.ko virtio_pci.ko virtio_blk.ko '
one()
{
	rm -f "$lab/out"
	build --modules-root "$root" -o "$lab/out" --compress none "$@"
}

one
order hostonly "$fs$disk"
result soft-missing-noted "$(cat "$lab/stderr")" said 'note: nowhere-crc, which module crc_lib can use'
unindexed()
{
	test ! -e "$tree/modules.dep"
}
result root-not-written 'depmod wrote into the tree' unindexed
cp "$lab/out" "$lab/plain"

make_watchdog
one
order watchdog-first "i6300esb.ko $fs$disk"
one --generic
order watchdog-not-generic "$fs$disk"
mv "$tree/kernel/drivers/watchdog/i6300esb.ko" "$lab/i6300esb.ko"
one
order watchdog-without-driver "$fs$disk"
result watchdog-without-driver-noted "$(cat "$lab/stderr")" said 'no module i6300esb for the watchdog (0000:00:05.0, driver i6300esb): it is'
mv "$lab/i6300esb.ko" "$tree/kernel/drivers/watchdog/i6300esb.ko"
rm -r "$lab/sys/class/watchdog"

set_conf 'ext4 /dev/vda'
one
order whole-disk "$disk"
# a raw area needs the disk's driver, and no file system's
truncate -s 32M "$lab/dev/vda1"
"$CRASHPOD" raw format "$lab/dev/vda1" > "$lab/format"
set_conf 'raw /dev/vda1'
one
order raw-area "$disk"
: > "$lab/dev/vda1"
set_conf 'ext4 UUID=1111-2222'
one
order built-in-fs "$disk"
set_conf 'ext2 UUID=1111-2222'
one
order ext2-is-ext4 "$disk"
set_conf 'xfs UUID=another-machine'
one --generic
# sd_mod, nvme and the rest of the table are not in this kernel: taken where they exist.
order generic "$fs$disk"
one --add-modules 'tunable virtio_blk'
order add-modules "${fs}tunable.ko virtio.ko virtio_blk.ko "
set_conf "$uuid"
one --add-modules 'crc-anyhow'
order alias "$fs$disk"


# The machine's store for a dead kernel's log comes along; where the kernel has it not, no matter.
mkdir -p "$lab/sys/module/pstore/parameters"
for store in efi efi_pstore; do
	echo "$store" > "$lab/sys/module/pstore/parameters/backend"
	one
	order "pstore-$store" "$fs${disk}efi_pstore.ko "
done
echo ramoops > "$lab/sys/module/pstore/parameters/backend"
one
order pstore-not-there "$fs$disk"
echo '(null)' > "$lab/sys/module/pstore/parameters/backend"
one
order pstore-none "$fs$disk"
rm -r "$lab/sys/module/pstore"

# Options of the tree's own modprobe.d; the running system's are not for another root.
mkdir -p "$root/etc/modprobe.d"
echo 'options tunable depth=8 name="a b"' > "$root/etc/modprobe.d/t.conf"
one --add-modules tunable
order parameters "$fs${disk}tunable.ko depth=8 name=\"a b\" "
rm -r "${root:?}/etc"

# Missing: a driver the device runs on, a file system, a module asked for, a file of modules.dep.
# missing NAME MESSAGE OPTION...
missing()
{
	case_name=$1
	message=$2
	shift 2
	one "$@"
	result "$case_name" "exit status $rc" test "$rc" -eq 1
	result "$case_name-said" "$(cat "$lab/stderr")" said "$message"
	result "$case_name-nothing-made" 'OUT is there' test ! -e "$lab/out"
}
missing asked-for 'module nonesuch is needed for --add-modules' --add-modules nonesuch
set_conf 'btrfs UUID=1111-2222'
missing file-system 'module btrfs is needed for file system btrfs of UUID=1111-2222'
set_conf "$uuid"
mv "$tree/kernel/drivers/block/virtio_blk.ko" "$lab/"
missing driver 'module virtio_blk is needed for device vda1 of UUID=1111-2222'
mv "$lab/virtio_blk.ko" "$tree/kernel/drivers/block/"
cp -r "$root" "$lab/indexed"
depmod -b "$lab/indexed" "$kver"
mv "$lab/indexed/lib/modules/$kver/kernel/lib/crc-lib.ko" "$lab/"
root=$lab/indexed
missing file 'module xfs needs crc_lib, which modules.dep has and'
result file-named "$(cat "$lab/stderr")" said 'has not: kernel/lib/crc-lib.ko'
mv "$lab/crc-lib.ko" "$lab/indexed/lib/modules/$kver/kernel/lib/"
one
order indexed "$fs$disk"

# usr/lib/modules, and each compression: the same image as from the plain tree.
same()
{
	result "$1" "differs: $(cat "$lab/stderr")" cmp -s "$lab/out" "$lab/plain"
}
root=$lab/usr
make_tree "$root" usr/lib
one
same usr-lib
for kind in gzip:gz xz:xz zstd:zst; do
	root=$lab/${kind#*:}
	cp -r "$lab/root" "$root"
	find "$root" -name '*.ko' | while read -r file; do
		# from a file, as kernels are built: zstd then writes the size, which kmod wants
		"${kind%:*}" -c "$file" > "$file.${kind#*:}"
		rm "$file"
	done
	one
	same "modules-${kind#*:}"
done
xz_file=$lab/xz/lib/modules/$kver/kernel/fs/xfs/xfs.ko.xz
root=$lab/xz
depmod -b "$root" "$kver"
head -c 50 "$xz_file" > "$lab/half"
cp "$lab/half" "$xz_file"
missing damaged 'xz cannot unpack it'

# Devices that need more than drivers.
root=$lab/root
mkdir -p "$lab/sys/devices/virtual/block/loop0"
ln -s "$lab/sys/devices/virtual/block/loop0" "$lab/sys/class/block/loop0"
: > "$lab/dev/loop0"
set_conf 'ext4 /dev/loop0'
missing loop 'not supported: a device without hardware'
mkdir -p "$lab/sys/fs/btrfs/1/devices"
ln -s "$lab/sys/class/block/vda1" "$lab/sys/fs/btrfs/1/devices/vda1"
set_conf 'ext4 /dev/vda1'
one
order one-member "$disk"
ln -s "$lab/sys/class/block/vda" "$lab/sys/fs/btrfs/1/devices/vda"
missing several-devices 'not supported yet: btrfs on several devices'
rm -r "$lab/sys/fs"
: > "$lab/dev/null-like"
set_conf 'xfs /dev/null-like'
missing not-a-disk 'is not a block device of this machine'

# A driver built into the running kernel that is a module of the image's.
set_conf "$uuid"
rm "$lab/sys/bus/virtio/drivers/virtio_blk/module"
one
order modalias "$fs$disk"
# a bus whose drivers name no module, and whose devices tell their name only in their events
device=$lab/sys/devices/pci0000:00/0000:00:04.0/virtio0
{
	echo DRIVER=virtio_blk
	printf 'MODALIAS='
	cat "$device/modalias"
} > "$device/uevent"
rm "$device/modalias"
one
order modalias-in-uevent "$fs$disk"

finish
