# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154 # variables shared with mkinitrd
# chain.sh - kinds of targets; what a file system asks for beside its module. Sourced by mkinitrd.

chain_is_fs()
{
	case $1 in
	ext2 | ext3 | ext4 | xfs | btrfs | f2fs | vfat | exfat) return 0 ;;
	*) return 1 ;;
	esac
}

chain_is_target()
{
	test "$1" = raw || chain_is_fs "$1"
}

# chain_fs KIND DEVICE: what a file system of this kind has to be told, and needs besides.
chain_fs()
{
	case $1 in
	vfat)
		chain_nls "$2"
		say "note: $2: vfat has files of at most 4 GiB: a dump that would be larger is" \
			"filtered more, or cut"
		! grep -q -x 'format elf' "$work/conf" ||
			say "note: $2: an ELF dump that spans more than 4 GiB is made in the" \
				"kdump format on vfat"
		;;
	esac
	case $1 in
	vfat | exfat)
		! grep -q -x 'naming rhel' "$work/conf" ||
			say "note: $2: $1 has no ':' in names: dumps there have debian's"
		;;
	esac
	case $1 in
	ext2 | vfat | exfat)
		say "note: $2: $1 has no journal: what the machine was writing there when it" \
			"crashed may be damaged; a file system of its own for the dumps is safer"
		;;
	esac
}

# vfat asks for its character sets by name when it is mounted; no dependency tells of them.
chain_nls()
{
	chain_config=$(image_kernel_config)
	codepage=$(printf '%s\n' "$chain_config" |
		sed -n 's/^CONFIG_FAT_DEFAULT_CODEPAGE=\([0-9]*\)$/\1/p')
	charset=$(printf '%s\n' "$chain_config" |
		sed -n 's/^CONFIG_FAT_DEFAULT_IOCHARSET="\([a-z0-9-]*\)"$/\1/p')
	for name in "nls_cp${codepage:-437}" "nls_${charset:-iso8859-1}"; do
		module_request want "$name" "character set of vfat $1"
	done
}
