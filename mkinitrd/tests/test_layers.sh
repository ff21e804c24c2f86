#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Targets on arrays and mapped devices: the table that goes into the image, the modules, and what is
# refused. Tables of mapped devices come from the kernel: those are tried in guests.
# shellcheck disable=SC1091,SC2034,SC2154 # variables shared with common.sh
. "$(dirname "$0")/common.sh"
make_lab
root=$lab/root
module drivers/md/md-mod.ko md_register ''
module drivers/md/raid1.ko '' md_register alias=md-raid1 alias=md-level-1
module drivers/md/dm-mod.ko '' ''
pci=$lab/sys/devices/pci0000:00/0000:00:04.0/virtio0/block
virtual=$lab/sys/devices/virtual/block

one()
{
	rm -f "$lab/out"
	build --modules-root "$root" -o "$lab/out" --compress none "$@"
}

modules()
{
	got=none
	test "$rc" -ne 0 ||
		got=$(image_cat "$lab/out" etc/crashpod.modules | sed -e 's,^/lib/modules/,,' | tr '\n' ' ')
	result "$1" "got '$got', said '$(cat "$lab/stderr")'" test "$got" = "$2"
}

table()
{
	got=$(image_cat "$lab/out" etc/crashpod.layers)
	result "$1" "got '$got'" test "$got" = "$2"
}

refused()
{
	one
	result "$1" "exit status $rc" test "$rc" -eq 1
	result "$1-said" "$(cat "$lab/stderr")" said "$2"
	result "$1-nothing-made" 'OUT is there' test ! -e "$lab/out"
}

# little BYTES NUMBER: for printf.
little()
{
	n=$2
	for _ in $(seq "$1"); do
		printf '\\%03o' $((n % 256))
		n=$((n / 256))
	done
}

# member NODE NUMBER: a superblock of version 1.2, as much of it as a prober looks at.
member()
{
	{
		head -c 4096 /dev/zero
		# shellcheck disable=SC2059 # escapes are what it is for
		printf "$(little 4 $((0xa92b4efc)))$(little 4 1)$(little 8 0)"
		printf '0123456789abcdef'
		head -c 40 /dev/zero
		# shellcheck disable=SC2059
		printf "$(little 4 1)$(little 4 0)$(little 8 1024)$(little 4 0)$(little 4 2)"
		head -c 32 /dev/zero
		# shellcheck disable=SC2059
		printf "$(little 8 2048)$(little 8 1024)$(little 8 8)$(little 8 0)$(little 4 "$2")"
		printf '\0\0\0\0member number %02d' "$2"
	} > "$1"
	truncate -s 4M "$1" # on a floppy no prober looks for arrays
	# its checksum, which util-linux from 2.40 on looks at
	sum=$(od -An -v -tu4 -j 4096 -N 256 "$1" | tr -s ' ' '\n' | awk '{ sum += $1 }
		END { printf "%d", sum % 4294967296 + int(sum / 4294967296) }')
	# shellcheck disable=SC2059
	printf "$(little 4 "$sum")" | dd of="$1" bs=1 seek=$((4096 + 216)) conv=notrunc status=none
}

fs='fast-crc.ko crc-lib.ko xfs.ko '
disk='virtio.ko virtio_pci.ko virtio_blk.ko '
mkdir -p "$virtual/md7/md" "$virtual/md7/slaves" "$pci/vda/vda2" "$lab/sys/dev/block"
ln -s "$virtual/md7" "$lab/sys/class/block/md7"
ln -s "$pci/vda/vda2" "$lab/sys/class/block/vda2"
echo raid1 > "$virtual/md7/md/level"
echo 1.2 > "$virtual/md7/md/metadata_version"
for n in 1 2; do
	member "$lab/dev/vda$n" "$n"
	ln -s "$pci/vda/vda$n" "$virtual/md7/slaves/vda$n"
done
: > "$lab/dev/md7"
ln -sf ../../md7 "$lab/dev/disk/by-uuid/1111-2222"
set_conf 'xfs UUID=1111-2222'
one
modules md-modules "${fs}md-mod.ko raid1.ko $disk"
array='md md7 30313233-3435-3637-3839-616263646566 raid1 2'
table md-table "crashpod-layers 1
for UUID=1111-2222
$array"
ln -sf ../../vda1 "$lab/dev/disk/by-uuid/3333-4444"
# the chain, from the file system by the array to each disk
check()
{
	build --modules-root "$root" -o "$lab/out" --check
	result "$1-exit" "exit status $rc: $(cat "$lab/stdout")" test "$rc" -eq "$2"
	result "$1" "$(cat "$lab/stdout")" grep -q -x -F -e "$3" "$lab/stdout"
}
check check-array 0 'ok array md7 of UUID=1111-2222: module raid1 is in the image'
for line in 'target xfs UUID=1111-2222: device md7' \
	'device vda2 of UUID=1111-2222 (virtio0, driver virtio_blk): module virtio_blk is in the image' \
	'the table of arrays and volumes is as it is in the image'; do
	result "check-$line" "$(cat "$lab/stdout")" grep -q -x -F -e "ok $line" "$lab/stdout"
done
rm "$virtual/md7/slaves/vda2"
check check-other-array 1 \
	"bad the table of arrays and volumes is another one in the image: run crashpod-mkinitrd -k $kver and crashpod load"
ln -s "$pci/vda/vda2" "$virtual/md7/slaves/vda2"
set_conf 'xfs /dev/md7' 'xfs UUID=1111-2222'
one
table md-two-targets "crashpod-layers 1
for /dev/md7
$array
for UUID=1111-2222
$array"
set_conf 'xfs UUID=1111-2222'
one --generic
absent()
{
	! image_list "$lab/out" | grep -q layers
}
result generic-has-none 'a table is there' absent

# a partition of an array is found when the array is there
mkdir -p "$virtual/md7/md7p1"
echo 1 > "$virtual/md7/md7p1/partition"
ln -s "../../devices/virtual/block/md7/md7p1" "$lab/sys/class/block/md7p1"
: > "$lab/dev/md7p1"
set_conf 'xfs /dev/md7p1'
one
table md-partition "crashpod-layers 1
for /dev/md7p1
$array"
# udev's names of arrays are not there in the ramdisk
mkdir "$lab/dev/md"
ln -s ../md7 "$lab/dev/md/crash"
set_conf 'xfs /dev/md/crash'
refused md-link 'xfs /dev/md/crash: a name that the capture kernel has not: name it /dev/md7'
truncate -s 32M "$lab/dev/md7"
"$CRASHPOD" raw format "$lab/dev/md7" > "$lab/format"
set_conf 'raw /dev/md7'
one
modules md-raw "md-mod.ko raid1.ko $disk"
table md-raw-table "crashpod-layers 1
for /dev/md7
$array"
set_conf 'xfs UUID=1111-2222'
echo external:imsm > "$virtual/md7/md/metadata_version"
refused md-external "md7: an array with metadata 'external:imsm'"
echo 1.2 > "$virtual/md7/md/metadata_version"
rm "$root/lib/modules/$kver/kernel/drivers/md/raid1.ko"
refused md-no-module 'module raid1 is needed for array md7'

# paths to one disk need no table: the drivers of both
mkdir -p "$virtual/dm-3/dm" "$virtual/dm-3/slaves"
ln -s "$virtual/dm-3" "$lab/sys/class/block/dm-3"
echo mpatha > "$virtual/dm-3/dm/name"
echo mpath-3600a0b80 > "$virtual/dm-3/dm/uuid"
ln -s "$pci/vda" "$virtual/dm-3/slaves/vda"
: > "$lab/dev/dm-3"
ln -sf ../../dm-3 "$lab/dev/disk/by-uuid/1111-2222"
one
modules multipath-modules "$fs$disk"
result multipath-has-none 'a table is there' absent
ln -s dm-3 "$lab/dev/paths"
set_conf 'xfs /dev/paths'
refused multipath-link 'xfs /dev/paths: a name that the capture kernel has not: name it UUID='
set_conf 'xfs UUID=1111-2222'
# a table can be had of a running kernel only
echo LVM-x > "$virtual/dm-3/dm/uuid"
refused dm-no-control "$lab/dev/mapper/control: No such file"

# Encrypted: the table as `crashpod layers` writes it down where the kernel hands keys over.
uuid=01234567-89ab-cdef-0123-456789abcdef
real=$CRASHPOD
# encrypted CIPHER: what the command says of it
encrypted()
{
	cat > "$lab/section" <<-TEXT
		leaf crypto_LUKS $uuid
		dm secret CRYPT-LUKS2-0123456789abcdef0123456789abcdef-secret
		map 0 32768 crypt $1 :64:user:cryptsetup:$uuid 0 @0 32768
	TEXT
}
cat > "$lab/crashpod" <<-TEXT
	#!/bin/sh
	test "\$1" = layers || exec "$real" "\$@"
	cat "$lab/section"
TEXT
chmod +x "$lab/crashpod"
CRASHPOD=$lab/crashpod
encrypted aes-xts-plain64
refused crypt-no-key "UUID=1111-2222 is encrypted, and kernel $kver takes no key (CONFIG_CRASH_DM_CRYPT"
echo CONFIG_CRASH_DM_CRYPT=y >> "$root/boot/config-$kver"
refused crypt-no-module 'module dm_crypt is needed for target crypt of UUID=1111-2222'
module drivers/md/dm-crypt.ko '' ''
refused crypt-no-cipher 'module crypto-aes is needed for cipher aes-xts-plain64 of UUID=1111-2222'
for name in aes xts ecb cbc essiv; do
	module "crypto/$name.ko" '' '' "alias=crypto-$name"
done
module crypto/aes-fast.ko '' '' alias=crypto-aes
one
modules crypt-modules "${fs}dm-mod.ko dm-crypt.ko aes.ko aes-fast.ko xts.ko ecb.ko $disk"
table crypt-table "crashpod-layers 1
for UUID=1111-2222
$(cat "$lab/section")"
encrypted 'capi:xts(aes)-plain64'
one
modules crypt-capi "${fs}dm-mod.ko dm-crypt.ko xts.ko ecb.ko aes.ko aes-fast.ko $disk"
encrypted aes:64-cbc-lmk
one
modules crypt-keys "${fs}dm-mod.ko dm-crypt.ko aes.ko aes-fast.ko cbc.ko $disk"
encrypted aes-cbc-essiv:sha256
refused crypt-no-hash 'module crypto-sha256 is needed for cipher aes-cbc-essiv:sha256'
finish
