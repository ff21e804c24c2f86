# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154 # variables shared with the tests
# common.sh - sourced by the tests of mkinitrd: small kernel module trees and sysfs trees made from
# text.
#
# A test module is an object file of a few lines of assembler, with what depmod looks at: names
# in __ksymtab_strings are what it exports, undefined symbols what it needs, .modinfo the rest.
# Environment: CC (default cc), CRASHPOD (default build/crashpod of this checkout).

# shellcheck source=scripts/tests/results.sh
. "$(dirname "$(readlink -f "$0")")/../../scripts/tests/results.sh"

PATH=$PATH:/usr/sbin:/sbin
mkinitrd=$test_dir/../mkinitrd
CRASHPOD=${CRASHPOD:-$(readlink -f "$top/build/crashpod" || true)}
export CRASHPOD
kver=6.6.6-test
unset SOURCE_DATE_EPOCH

# build ARGS...: runs mkinitrd on the tree in $lab; the exit status goes to $rc, messages to
# $lab/stderr, what --dry-run and --check print to $lab/stdout.
build()
{
	rc=0
	CRASHPOD_SYS=$lab/sys CRASHPOD_DEV=$lab/dev "$mkinitrd" -k "$kver" -c "$lab/conf" \
		--init "$lab/init" "$@" > "$lab/stdout" 2> "$lab/stderr" || rc=$?
}

said()
{
	grep -q -F -e "$1" "$lab/stderr"
}

# What is in an image made with --compress none.
image_list()
{
	cpio -it --quiet < "$1"
}

image_cat()
{
	cpio -i --quiet --to-stdout "$2" < "$1"
}

# module PATH EXPORTS NEEDS [MODINFO...]: a module file below the tree's kernel/ directory.
module()
{
	target=$tree/kernel/$1
	exports=$2
	needs=$3
	shift 3
	mkdir -p "$(dirname "$target")"
	{
		echo '.section __ksymtab_strings,"a"'
		for s in $exports; do
			printf '.asciz "%s"\n' "$s"
		done
		echo '.section .modinfo,"a"'
		printf '.asciz "license=GPL"\n.asciz "vermagic=%s SMP"\n' "$kver"
		for s in "$@"; do
			printf '.asciz "%s"\n' "$s"
		done
		echo '.text'
		for s in $exports; do
			printf '.globl %s\n%s:\nret\n' "$s" "$s"
		done
		for s in $needs; do
			printf 'call %s\n' "$s"
		done
	} | "${CC:-cc}" -x assembler -c -o "$target" -
}

# make_tree ROOT [lib|usr/lib]: a kernel with an xfs that needs a library with a soft dependency,
# a virtio disk whose bus is two modules, and a file system that is built in.
make_tree()
{
	tree=$1/${2:-lib}/modules/$kver
	mkdir -p "$tree" "$1/boot"
	module fs/xfs/xfs.ko '' crc_lib alias=fs-xfs
	module lib/crc-lib.ko crc_lib '' 'softdep=pre: fast-crc nowhere-crc'
	module crypto/fast-crc.ko '' '' alias=crc-anyhow
	module drivers/virtio/virtio.ko register_virtio ''
	module drivers/virtio/virtio_pci.ko '' register_virtio 'alias=pci:v00001AF4d*'
	module drivers/block/virtio_blk.ko '' register_virtio 'alias=virtio:d00000002v*'
	module drivers/watchdog/i6300esb.ko '' '' 'alias=pci:v00008086d000025AB*'
	module drivers/block/tunable.ko '' '' 'parm=depth:an int'
	module drivers/firmware/efi_pstore.ko '' ''
	echo kernel/fs/ext4/ext4.ko > "$tree/modules.builtin"
	printf 'ext4.alias=fs-ext4\0ext4.alias=fs-ext2\0' > "$tree/modules.builtin.modinfo"
	: > "$tree/modules.order"
	printf 'CONFIG_RD_%s=y\n' ZSTD GZIP XZ > "$1/boot/config-$kver"
}

# A disk vda on virtio over PCI with one partition, as sysfs and devtmpfs show it.
make_machine()
{
	pci=$lab/sys/devices/pci0000:00/0000:00:04.0
	disk=$pci/virtio0/block/vda
	mkdir -p "$disk/vda1" "$lab/sys/class/block" "$lab/dev/disk/by-uuid" \
		"$lab/sys/bus/pci/drivers/virtio-pci" "$lab/sys/bus/virtio/drivers/virtio_blk" \
		"$lab/sys/module/virtio_pci" "$lab/sys/module/virtio_blk"
	ln -s "$lab/sys/bus/pci/drivers/virtio-pci" "$pci/driver"
	ln -s "$lab/sys/bus/virtio/drivers/virtio_blk" "$pci/virtio0/driver"
	ln -s "$lab/sys/module/virtio_pci" "$lab/sys/bus/pci/drivers/virtio-pci/module"
	ln -s "$lab/sys/module/virtio_blk" "$lab/sys/bus/virtio/drivers/virtio_blk/module"
	echo pci:v00001AF4d00001001sv0 > "$pci/modalias"
	echo virtio:d00000002v00001AF4 > "$pci/virtio0/modalias"
	ln -s "$disk" "$lab/sys/class/block/vda"
	ln -s "$disk/vda1" "$lab/sys/class/block/vda1"
	: > "$lab/dev/vda"
	: > "$lab/dev/vda1"
	ln -s ../../vda1 "$lab/dev/disk/by-uuid/1111-2222"
}

# A watchdog on PCI, as sysfs shows one that the running system has the driver of.
make_watchdog()
{
	pci=$lab/sys/devices/pci0000:00/0000:00:05.0
	mkdir -p "$pci/watchdog/watchdog0" "$lab/sys/class/watchdog" \
		"$lab/sys/bus/pci/drivers/i6300esb" "$lab/sys/module/i6300esb"
	ln -s "$lab/sys/bus/pci/drivers/i6300esb" "$pci/driver"
	ln -s "$lab/sys/module/i6300esb" "$lab/sys/bus/pci/drivers/i6300esb/module"
	ln -s "$pci" "$pci/watchdog/watchdog0/device"
	ln -s "$pci/watchdog/watchdog0" "$lab/sys/class/watchdog/watchdog0"
}

# set_conf LINE...: the configuration, a line each.
set_conf()
{
	printf '%s\n' "$@" > "$lab/conf"
}

make_lab()
{
	test -x "$CRASHPOD" || {
		echo "not ok setup: $CRASHPOD is not built"
		exit 1
	}
	echo 'stands for PID 1' > "$lab/init"
	make_tree "$lab/root"
	make_machine
}
