#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --check: the chain of each target, whether the image has it, and what to do where it has not.
# shellcheck disable=SC1091,SC2034,SC2154 # variables shared with common.sh
. "$(dirname "$0")/common.sh"
make_lab
root=$lab/root
again="run crashpod-mkinitrd -k $kver and crashpod load"

# made COMPRESSION: the image, as the machine is now.
made()
{
	build --modules-root "$root" -o "$lab/out" --compress "$1"
	result "image-$1" "$(cat "$lab/stderr")" test "$rc" -eq 0
}

# A line each, in $lab/stdout.
check()
{
	build --modules-root "$root" -o "$lab/out" --check
}

# says NAME LINE: the line is there, whole.
says()
{
	result "$1" "$(cat "$lab/stdout" "$lab/stderr")" grep -q -x -F -e "$2" "$lab/stdout"
}

# Every line is in the form that is promised, and the exit status is as they say.
well_formed()
{
	bad=0
	! grep -q -e '^bad ' "$lab/stdout" || bad=1
	test -s "$lab/stdout" && test "$rc" -eq "$bad" &&
		! grep -v -q -e '^ok .' -e '^bad .*: ..*$' "$lab/stdout"
}

good()
{
	result "$1-form" "$(cat "$lab/stdout")" well_formed
	result "$1-good" "exit status $rc: $(cat "$lab/stdout")" test "$rc" -eq 0
}

bad()
{
	result "$1-form" "$(cat "$lab/stdout")" well_formed
	result "$1-bad" "exit status $rc: $(cat "$lab/stdout")" test "$rc" -eq 1
	says "$1-said" "bad $2"
}

set_conf 'xfs UUID=1111-2222' 'ext4 /dev/vda'
for compression in none zstd gzip xz; do
	made "$compression"
	check
	good "compression-$compression"
done
printf '%s\n' \
	'ok target xfs UUID=1111-2222: device vda1' \
	'ok file system xfs of UUID=1111-2222: module xfs is in the image' \
	'ok device vda1 of UUID=1111-2222 (virtio0, driver virtio_blk): module virtio_blk is in the image' \
	'ok device vda1 of UUID=1111-2222 (0000:00:04.0, driver virtio-pci): module virtio_pci is in the image' \
	'ok target ext4 /dev/vda: device vda' \
	"ok file system ext4 of /dev/vda: built into kernel $kver" \
	'ok device vda of /dev/vda (virtio0, driver virtio_blk): module virtio_blk is in the image' \
	'ok device vda of /dev/vda (0000:00:04.0, driver virtio-pci): module virtio_pci is in the image' \
	"ok the configuration $lab/conf is as it is in the image" \
	"ok PID 1 $lab/init is as it is in the image" \
	'ok modules: all 6 that a build takes are in the image, with their options' > "$lab/want"
result whole-chain "$(diff "$lab/want" "$lab/stdout")" cmp -s "$lab/want" "$lab/stdout"
# nothing but these lines: what reads them need not care for stderr
result quiet "$(cat "$lab/stderr")" test ! -s "$lab/stderr"
cp "$lab/out" "$lab/before"
check
result writes-nothing 'the image was touched' cmp -s "$lab/before" "$lab/out"

# Before there is a place to work in.
build --modules-root "$root" -o "$lab" --check
bad directory "$lab is a directory: run crashpod-mkinitrd and crashpod load"

# What is wrong with the image itself.
rm "$lab/out"
check
bad no-image "there is no image $lab/out: $again"
echo text > "$lab/out"
check
bad not-an-image "$lab/out is not an initramfs: $again"
head -c 300 "$lab/before" > "$lab/out"
check
bad damaged "$lab/out is damaged: $again"
(cd "$lab" && echo init | cpio -o -H newc --quiet) > "$lab/out"
check
bad of-another-builder "$lab/out was not made by mkinitrd: $again"

# What has changed since it was made.
set_conf 'ext4 UUID=1111-2222'
made zstd
set_conf 'xfs UUID=1111-2222'
check
bad other-file-system \
	"file system xfs of UUID=1111-2222: not in the image: fast_crc crc_lib xfs: $again"
says other-configuration "bad the configuration $lab/conf is another one in the image: $again"
made zstd
echo 'another program' > "$lab/init"
check
bad other-init "PID 1 $lab/init is another one in the image: $again"
echo 'stands for PID 1' > "$lab/init"
# the disk hangs on another controller now
module drivers/scsi/hba.ko '' '' 'alias=pci:v0000BADCd*'
echo pci:v0000BADCd00000001 > "$lab/sys/devices/pci0000:00/0000:00:04.0/modalias"
rm "$lab/sys/bus/pci/drivers/virtio-pci/module"
check
bad other-controller \
	"device vda1 of UUID=1111-2222 (0000:00:04.0, driver virtio-pci): not in the image: hba: $again"
says other-controller-modules "bad modules: not in the image: hba: $again"
rm "$tree/kernel/drivers/scsi/hba.ko"
ln -s "$lab/sys/module/virtio_pci" "$lab/sys/bus/pci/drivers/virtio-pci/module"
echo pci:v00001AF4d00001001sv0 > "$lab/sys/devices/pci0000:00/0000:00:04.0/modalias"
check
good controller-back
mkdir -p "$root/etc/modprobe.d"
echo 'options virtio_blk num=2' > "$root/etc/modprobe.d/t.conf"
check
bad other-options "modules: of another build or with other options in the image: virtio_blk: $again"
rm -r "${root:?}/etc"
module fs/xfs/xfs.ko '' crc_lib alias=fs-xfs version=2
check
bad other-build "modules: of another build or with other options in the image: xfs: $again"
made zstd

# Soft dependencies are no link, and are in the image all the same.
mv "$tree/kernel/crypto/fast-crc.ko" "$lab/"
made zstd
mv "$lab/fast-crc.ko" "$tree/kernel/crypto/"
check
bad soft-dependency "modules: not in the image: fast-crc: $again"
made zstd

# What the image cannot be blamed for.
mv "$tree/kernel/drivers/block/virtio_blk.ko" "$lab/"
why='kernel 6.6.6-test has no module virtio_blk'
check
bad no-module "device vda1 of UUID=1111-2222 (virtio0, driver virtio_blk): $why: install its modules, or take another target"
says no-module-whole "bad modules are missing in $tree, nothing was made: install the modules of kernel $kver"
mv "$lab/virtio_blk.ko" "$tree/kernel/drivers/block/"
set_conf 'xfs UUID=not-here' 'xfs UUID=1111-2222'
check
bad no-device "xfs UUID=not-here: no such device on this machine: attach it; for another machine's image give --generic or --add-modules"
says next-target-looked-at 'ok target xfs UUID=1111-2222: device vda1'
set_conf 'dump_level 31'
check
bad no-target "$lab/conf names no target: add a line as 'ext4 UUID=...'"
set_conf 'dump_level 77'
check
bad conf-error "$lab/conf: not usable: correct it"
set_conf 'raw /dev/vda1'
check
bad raw-no-area "raw /dev/vda1: no dump would be written there: $lab/dev/vda1: no crashpod raw area on it: make one with \`crashpod raw format\`: make an area with 'crashpod raw format $lab/dev/vda1'"
set_conf 'xfs UUID=1111-2222'
build --modules-root "$root" -k 9.9.9 -o "$lab/out" --check
bad no-kernel "no modules of kernel 9.9.9 below $root (lib/modules or usr/lib/modules): install them"

# The store for the log of a kernel that no target took the dump of; modules that were asked for.
mkdir -p "$lab/sys/module/pstore/parameters"
echo efi > "$lab/sys/module/pstore/parameters/backend"
check
bad pstore "pstore: not in the image: efi_pstore: $again"
rm -r "$lab/sys/module/pstore"
build --modules-root "$root" -o "$lab/out" --check --add-modules tunable
bad added "--add-modules: not in the image: tunable: $again"

# The watchdog's driver, and one that is built into the kernel that runs.
make_watchdog
check
bad watchdog "the watchdog (0000:00:05.0, driver i6300esb): not in the image: i6300esb: $again"
made zstd
check
good watchdog
kver=$(uname -r)
make_tree "$lab/now"
root=$lab/now
rm "$lab/sys/bus/pci/drivers/i6300esb/module" "$tree/kernel/drivers/watchdog/i6300esb.ko"
made zstd
check
good built-in
says built-in-said 'ok the watchdog (0000:00:05.0, driver i6300esb): built into the running kernel'

finish
