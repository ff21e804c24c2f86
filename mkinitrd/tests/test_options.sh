#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What modprobe.d and the kernel's lists say of modules: blacklists, weak dependencies; and firmware,
# which is left out.
# shellcheck disable=SC1091,SC2034,SC2154 # variables shared with common.sh
. "$(dirname "$0")/common.sh"
make_lab
root=$lab/root
set_conf 'xfs UUID=1111-2222'

one()
{
	rm -f "$lab/out"
	build --modules-root "$root" -o "$lab/out" --compress none "$@"
}

# order NAME WANT: the image's modules, on one line.
order()
{
	got=none
	test "$rc" -ne 0 ||
		got=$(image_cat "$lab/out" etc/crashpod.modules | sed -e 's,^/lib/modules/,,' | tr '\n' ' ')
	result "$1" "got '$got', said '$(cat "$lab/stderr")'" test "$got" = "$2"
}

fs='fast-crc.ko crc-lib.ko xfs.ko '
disk='virtio.ko virtio_pci.ko virtio_blk.ko '

# A driver that the target hangs on is taken all the same; what is only of use is not.
mkdir -p "$root/etc/modprobe.d"
echo 'blacklist virtio_blk' > "$root/etc/modprobe.d/t.conf"
one
order blacklisted-driver "$fs$disk"
one --add-modules crc-anyhow
order not-blacklisted-alias "$fs$disk"
# a blacklist is of aliases, as modprobe has it: what is asked for by name comes along
module lib/crc-lib.ko crc_lib ''
module fs/xfs/xfs.ko '' crc_lib alias=fs-xfs 'softdep=pre: crc-anyhow'
echo 'blacklist fast-crc' > "$root/etc/modprobe.d/t.conf"
one
order blacklisted-soft "${fs#fast-crc.ko }$disk"
result blacklisted-soft-said "$(cat "$lab/stderr")" \
	said 'note: crc-anyhow, which module xfs can use, is blacklisted in modprobe.d: left out'
one --add-modules crc-anyhow
order blacklisted-needed "${fs#fast-crc.ko }${disk}fast-crc.ko "
result blacklisted-needed-said "$(cat "$lab/stderr")" \
	said 'note: module fast_crc is blacklisted in modprobe.d, and is put in all the same'
module lib/crc-lib.ko crc_lib '' 'softdep=pre: fast-crc nowhere-crc'
module fs/xfs/xfs.ko '' crc_lib alias=fs-xfs
# commands of modprobe.d are not run, here or there
echo "install virtio_blk touch $lab/ran" > "$root/etc/modprobe.d/t.conf"
one
order install-passed-over "$fs$disk"
result install-not-run 'the command ran' test ! -e "$lab/ran"
echo 'softdep virtio_blk post: tunable' > "$root/etc/modprobe.d/t.conf"
one
order softdep-of-modprobe-d "$fs${disk}tunable.ko "
rm -r "${root:?}/etc"

# Firmware is named and left out.
module drivers/block/virtio_blk.ko '' register_virtio 'alias=virtio:d00000002v*' \
	firmware=hba/one.bin firmware=hba/two.bin
one
order firmware "$fs$disk"
result firmware-said "$(cat "$lab/stderr")" \
	said 'note: module virtio_blk may ask for firmware, which is not put in: hba/one.bin hba/two.bin'
none_in()
{
	! image_list "$lab/out" | grep -q -e firmware -e '\.bin'
}
result firmware-left-out "$(image_list "$lab/out")" none_in
one_note()
{
	test "$(grep -c firmware "$lab/stderr")" -eq 1
}
result firmware-of-one "$(cat "$lab/stderr")" one_note

# What a weak dependency names goes in before: in the ramdisk nothing loads it when it is wanted.
cp -r "$root" "$lab/indexed"
root=$lab/indexed
depmod -b "$root" "$kver"
echo 'weakdep virtio-blk tunable' > "$root/lib/modules/$kver/modules.weakdep"
one
order weak-dependency "${fs}virtio.ko virtio_pci.ko tunable.ko virtio_blk.ko "

finish
