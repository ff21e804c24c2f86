# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154 # variables shared with mkinitrd
# options.sh - what the machine's modprobe.d has to say of the modules of the image. Sourced by
# mkinitrd.
#
# options: go with the module, into the image's list (kmod adds MODULE.PARAM= of the running
# kernel's command line; PID 1 those of its own). install and remove: commands, which the ramdisk
# cannot run, are passed over. blacklist: kmod leaves a blacklisted module out where an alias asked
# for it, as modprobe does for udev. A driver that the target hangs on is taken all the same: it
# drives the disk now, whoever loaded it, and without it no dump is written. softdep: as the
# kernel's own.

# option_blacklisted NAME: whether the kernel has modules of this name or alias, and modprobe.d
# forbids all of them.
option_blacklisted()
{
	! tree_has "$1" && test -n "$(option_modules "$1")"
}

# The modules of a name or alias, whatever modprobe.d says.
option_modules()
{
	modprobe -C "$work/no-config" -d "$work/tree" -S "$kver" -q -R "$1" 2> /dev/null || true
}

# option_close NAME WHY: takes blacklisted modules, for the target hangs on them.
option_close()
{
	for blacklisted in $(option_modules "$1"); do
		say "note: module $blacklisted is blacklisted in modprobe.d, and is put in all the" \
			"same: $2 hangs on it"
		module_close "$blacklisted" "$2"
	done
}

# The softdep lines of modprobe.d: kmod passes over them together with install commands. A file
# hides those of its name in the directories that come after.
option_softdeps()
{
	dirs=etc
	test "$modules_root" != / || dirs='etc run usr/local/lib usr/lib lib'
	mkdir -p "$work/modprobe.d"
	for d in $dirs; do
		for file in "${modules_root%/}/$d"/modprobe.d/*.conf; do
			test -f "$file" || continue
			test ! -e "$work/modprobe.d/${file##*/}" || continue
			: > "$work/modprobe.d/${file##*/}"
			sed -n '/^[[:blank:]]*softdep[[:blank:]]/p' "$file"
		done
	done
}
