# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154 # variables shared with mkinitrd
# layers.sh - targets on mapped devices and arrays: the table that PID 1 builds them up again from,
# the modules that takes, and the disks below. Sourced by mkinitrd.
#
# `crashpod layers` writes down what the running system has; $work/layers becomes
# /etc/crashpod.layers of the image.

# layers_target SYSNAME KIND SPEC: false where the device is one of a disk.
layers_target()
{
	layers_stacked "$1" || return 1
	layers_named "$1" "$2" "$3"
	"$crashpod" layers --sys "$sys" --dev "$dev" "$1" > "$work/section" 2> "$work/why" || {
		fail "$2 $3: its layers cannot be built up in the capture kernel:$(
			sed -e 's/^crashpod layers://' "$work/why" | tr -d '\n')" 'name another target'
	}
	if test -s "$work/section"; then
		test -s "$work/layers" || echo 'crashpod-layers 1' > "$work/layers"
		{
			printf 'for %s\n' "$3"
			cat "$work/section"
		} >> "$work/layers"
		layers_modules "$3"
	elif test "$3" != "${3#/}"; then
		fail "$2 $3: a name that the capture kernel has not" "name it UUID=... or PARTUUID=..."
	fi
	: > "$work/leaves"
	layers_walk "$1"
	sort -u "$work/leaves" > "$work/leaves.sorted"
	test -s "$work/leaves.sorted" || fail "$2 $3: nothing lies below $1" 'name another target'
	while read -r leaf; do
		real=$(readlink -f "$sys/class/block/$leaf")
		target_refuse "$real" "$2 $3"
		report "below $3: $leaf"
		target_walk "$real" "device $leaf of $3"
		target_nvme "$real" "device $leaf of $3"
	done < "$work/leaves.sorted"
}

# layers_named SYSNAME KIND SPEC: PID 1 knows a mapped device of the table by its place there,
# whatever it is called; arrays and their partitions only by the kernel's names.
layers_named()
{
	case $3 in
	/dev/*) ;;
	*) return 0 ;;
	esac
	test -d "$sys/class/block/$1/dm" || test "$3" = "/dev/$1" ||
		fail "$2 $3: a name that the capture kernel has not" "name it /dev/$1"
}

# layers_name NODE NAME: the name in sysfs of a node that is no link, as /dev/mapper/NAME is where
# udev does not run; NAME where there is none.
layers_name()
{
	number=$(stat -L -c '%t:%T' "$1" 2> /dev/null) || number=
	case $number in
	?*:?*) number=$((0x${number%:*})):$((0x${number#*:})) ;;
	esac
	if test -b "$1" && test -e "$sys/dev/block/$number"; then
		basename "$(readlink -f "$sys/dev/block/$number")"
	else
		printf '%s\n' "$2"
	fi
}

# Whether a device, or the disk that it is a partition of, is built on others.
layers_stacked()
{
	d=$(readlink -f "$sys/class/block/$1")
	test -d "$d/dm" || test -d "$d/md" || test -d "$(dirname "$d")/md"
}

# The disks and partitions below a device, in $work/leaves. A subshell's variables are its own.
layers_walk()
(
	d=$(readlink -f "$sys/class/block/$1")
	test -d "$d/slaves" || d=$(dirname "$d") # a partition of an array
	found=no
	for slave in "$d"/slaves/*; do
		test -e "$slave" || continue
		found=yes
		layers_walk "${slave##*/}"
	done
	test "$found" = yes || echo "$1" >> "$work/leaves"
)

layers_modules()
{
	while read -r what name _ level _; do
		case $what in
		md)
			module_request need md_mod "array $name of $1"
			layers_level "$level" "array $name of $1"
			;;
		dm) module_request need dm_mod "mapped device $name of $1" ;;
		esac
	done < "$work/section"
	sed -n -e 's/^map [0-9]* [0-9]* \([a-z-]*\).*/\1/p' "$work/section" | sort -u > "$work/types"
	while read -r type; do
		case $type in
		thin | thin-pool) module_request need dm_thin_pool "target $type of $1" ;;
		crypt) layers_crypt "$1" ;;
		esac
	done < "$work/types"
}

# layers_crypt SPEC: the key comes from the kernel, so that it must take one; the ciphers are asked
# for by the kernel in words that need modprobe, which the ramdisk has not.
layers_crypt()
{
	test ! -s "$work/kernel-config" ||
		grep -q -x CONFIG_CRASH_DM_CRYPT=y "$work/kernel-config" ||
		fail "$1 is encrypted, and kernel $kver takes no key (CONFIG_CRASH_DM_CRYPT, since 6.16)" \
			'name another target'
	module_request need dm_crypt "target crypt of $1"
	sed -n -e 's/^map [0-9]* [0-9]* crypt \([^ ]*\).*/\1/p' "$work/section" | sort -u |
		while read -r cipher; do
			layers_cipher "$cipher" "cipher $cipher of $1"
		done
}

# layers_cipher CIPHER WHY: aes-xts-plain64, aes-cbc-essiv:sha256, capi:xts(aes)-plain64: what it is
# made of, but for what dm-crypt makes itself.
layers_cipher()
{
	for part in $(printf '%s\n' "${1#capi:}" | tr -s '(),:-' ' '); do
		case $part in
		plain | plain64 | plain64be | benbi | null | lmk | tcw | random) continue ;;
		eboiv | elephant) part=ecb ;;
		esac
		test "${part#[!0-9]}" != "$part" || continue # how many keys
		module_request need "crypto-$part" "$2"
		# a template over another one, which no dependency tells of
		test "$part" != xts || ! tree_has crypto-ecb || module_request need crypto-ecb "$2"
	done
}

# Which module has a level is in its alias; where it is built in there may be none.
layers_level()
{
	for name in "md-$1" "$1"; do
		tree_has "$name" || continue
		module_request need "$name" "$2"
		return 0
	done
	case $1 in
	raid[456]) module_request need raid456 "$2" ;;
	*) module_request need "$1" "$2" ;;
	esac
}

layers_stage()
{
	test ! -s "$work/layers" || cat "$work/layers" > "$root/etc/crashpod.layers"
}
