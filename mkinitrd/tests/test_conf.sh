#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The configuration and the options: what is wrong is said with its place, and nothing is made.
# shellcheck disable=SC1091,SC2034,SC2154 # variables shared with common.sh
. "$(dirname "$0")/common.sh"
make_lab

# refused NAME MESSAGE LINE...
refused()
{
	case_name=$1
	message=$2
	shift 2
	set_conf "$@"
	rm -f "$lab/out"
	build --modules-root "$lab/root" -o "$lab/out"
	result "$case_name" "exit status $rc" test "$rc" -eq 1
	result "$case_name-said" "$(cat "$lab/stderr")" said "$message"
	result "$case_name-nothing-made" 'OUT is there' test ! -e "$lab/out"
}

refused unknown-directive "$lab/conf:2:" 'xfs UUID=1111-2222' 'dumplevel 31'
refused duplicate "$lab/conf:3:" 'xfs UUID=1111-2222' 'dump_level 31' 'dump_level 17'
refused out-of-range "$lab/conf:2:" 'xfs UUID=1111-2222' 'dump_level 32'
refused raw-no-area "make an area with 'crashpod raw format $lab/dev/vda1'" 'raw /dev/vda1'
refused raw-uuid "$lab/conf:1: raw: 'UUID=1111-2222' names a file system" 'raw UUID=1111-2222'
refused by-id "$lab/conf:2: xfs: /dev/disk/by-id/x-part1" 'path /' 'xfs /dev/disk/by-id/x-part1'
refused device-mapper "$lab/conf:1: ext4: /dev/mapper/vg-crash" 'ext4 /dev/mapper/vg-crash'
refused no-target 'no target' 'dump_level 31'
refused no-device 'no such device on this machine' 'xfs UUID=no-such-uuid'
rm "$lab/conf"
build --modules-root "$lab/root" -o "$lab/out"
result no-conf "exit status $rc" test "$rc" -eq 1
result no-conf-said "$(cat "$lab/stderr")" said "$lab/conf"

# misused NAME MESSAGE OPTION...
misused()
{
	case_name=$1
	message=$2
	shift 2
	build "$@"
	result "$case_name" "exit status $rc" test "$rc" -eq 2
	result "$case_name-said" "$(cat "$lab/stderr")" said "$message"
}
misused unknown-option 'unknown option or argument: --frobnicate' --frobnicate
misused no-value '-o needs a value' -o
misused empty-value '--init needs a value' --init ''
misused compression 'not one of zstd, gzip, xz, none' --compress bzip2
misused release 'not a kernel release' -k ../etc

set_conf 'xfs UUID=1111-2222'
build --modules-root "$lab/root" -k 1.2.3 -o "$lab/out"
result no-kernel "$(cat "$lab/stderr")" said "no modules of kernel 1.2.3 below $lab/root"

# Compression and what the kernel can unpack.
build --modules-root "$lab/root" --dry-run
result default-zstd "$(cat "$lab/stdout")" grep -q -e 'compression zstd' "$lab/stdout"
sed -i -e /ZSTD/d "$lab/root/boot/config-$kver"
build --modules-root "$lab/root" --dry-run
result falls-back-to-gzip "$(cat "$lab/stdout")" grep -q -e 'compression gzip' "$lab/stdout"
result fall-back-said "$(cat "$lab/stderr")" said "kernel $kver cannot unpack zstd"
build --modules-root "$lab/root" -o "$lab/out" --compress zstd
result explicit-refused "exit status $rc" test "$rc" -eq 1
result explicit-refused-said "$(cat "$lab/stderr")" said '--compress zstd: kernel'
mv "$lab/root/boot/config-$kver" "$tree/config"
build --modules-root "$lab/root" --dry-run
result config-in-modules "$(cat "$lab/stdout")" grep -q -e 'compression gzip' "$lab/stdout"
rm "$tree/config"
build --modules-root "$lab/root" --dry-run
result no-config-new-kernel "$(cat "$lab/stdout")" grep -q -e 'compression zstd' "$lab/stdout"
kver=5.4.0-test
make_tree "$lab/old"
rm "$lab/old/boot/config-$kver"
build --modules-root "$lab/old" --dry-run
result no-config-old-kernel "$(cat "$lab/stdout")" grep -q -e 'compression gzip' "$lab/stdout"

finish
