#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_postrm.sh - purging Debian's package undoes what crashpod setup has made, as --remove does.
# shellcheck disable=SC1091,SC2016,SC2154 # common.sh; texts of made-up files; its variables
. "$(dirname "$(readlink -f "$0")")/common.sh"

setup()
{
	"$CRASHPOD" setup --root "$root" -k "$kver" --yes > "$root/out" 2>&1 < /dev/null || true
}

purge()
{
	status=0
	DPKG_ROOT=$root DPKG_MAINTSCRIPT_PACKAGE=crashpod \
		sh "$top/debian/crashpod.postrm" purge > "$root/out" 2>&1 || status=$?
}

# The units' links are the prerm's.
purged()
{
	rm -f "$root"/etc/systemd/system/multi-user.target.wants/crashpod*
	purge
	equal "$1: exit" "$status" 0
	equal "$1: all is as it was" "$(state)" "$before"
	equal "$1: what is told" "$(cat "$root/out")" "${2-}"
}

entry()
{
	put "$1.conf" "title Linux\nlinux /vmlinuz\noptions $2\n"
}

entries()
{
	for esp in boot efi boot/efi; do
		begin "entries-$(basename "$esp")-$(dirname "$esp")"
		entry "$esp/loader/entries/a" 'root=/dev/vda1 ro'
		entry "$esp/loader/entries/b" 'root=/dev/vda1 crashkernel=64M quiet'
		entry "$esp/loader/entries/later" 'root=/dev/vda1 ro'
		put etc/kernel/cmdline 'root=/dev/vda1 ro\n'
		before=$(state)
		rm "$root/$esp/loader/entries/later.conf"
		setup
		entry "$esp/loader/entries/later" "$(cat "$root/etc/kernel/cmdline")"
		has "$esp: a later kernel's entry has it" "$root/$esp/loader/entries/later.conf" \
			crashkernel=240M
		purged "$esp" "crashpod: crashkernel= still reserves memory: see /$esp/loader/entries/b.conf"
	done
}

made_cmdline()
{
	begin made
	put proc/cmdline 'root=/dev/vda1 ro\n'
	entry boot/loader/entries/a 'root=/dev/vda1 ro'
	entry boot/loader/entries/later 'root=/dev/vda1 ro'
	before=$(state)
	rm "$root/boot/loader/entries/later.conf"
	setup
	entry boot/loader/entries/later "$(cat "$root/etc/kernel/cmdline")"
	purged "command line made by setup"

	setup
	put etc/kernel/cmdline 'crashkernel=240M root=/dev/vda1\n'
	purge
	equal "a command line that was changed since: crashkernel= goes" \
		"$(cat "$root/etc/kernel/cmdline")" " root=/dev/vda1"
}

unified()
{
	begin uki
	put sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f \
		'\006\000\000\000s\000y\000s\000t\000e\000m\000d\000-\000b\000o\000o\000t\000'
	put etc/kernel/cmdline 'root=/dev/vda1 ro\n'
	put "lib/modules/$kver/modules.dep" ''
	put "boot/vmlinuz-$kver" ''
	put "boot/efi/EFI/Linux/token-$kver.efi" ''
	program bin/kernel-install
	before=$(state)
	setup
	: > "$root/log"
	purged "unified image"
	equal "unified image: made anew" "$(cat "$root/log")" \
		"kernel-install add $kver ROOT/boot/vmlinuz-$kver"

	# kernel-install has the command line from the running kernel when the file is not there
	rm "$root/etc/kernel/cmdline"
	put proc/cmdline 'root=/dev/vda1 crashkernel=240M\n'
	program bin/kernel-install "cat $root/etc/kernel/cmdline >> $root/log"
	before=$(state)
	setup
	: > "$root/log"
	purged "unified image, command line made by setup"
	equal "unified image, command line made by setup: what it gets" \
		"$(tail -n 1 "$root/log")" "root=/dev/vda1"
}

grub()
{
	begin grub
	put etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'
	mkdir -p "$root/etc/default/grub.d"
	program bin/update-grub
	before=$(state)
	setup
	: > "$root/log"
	purged "grub"
	equal "grub: update-grub" "$(cat "$root/log")" "update-grub "

	begin grub-file
	put etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'
	program bin/update-grub
	before=$(state)
	setup
	has "grub's file: edited" "$root/etc/default/grub" '="quiet crashkernel=240M"'
	: > "$root/log"
	purged "grub's file"
	equal "grub's file: update-grub" "$(cat "$root/log")" "update-grub "
}

# What nobody of crashpod has put there stays, and is told.
own_word()
{
	begin own
	entry boot/loader/entries/a 'root=/dev/vda1 ro'
	put etc/kernel/cmdline 'root=/dev/vda1 ro\n'
	setup
	entry boot/loader/entries/a 'root=/dev/vda1 crashkernel=1G'
	purge
	has "own crashkernel=: stays" "$root/boot/loader/entries/a.conf" crashkernel=1G
	has "own crashkernel=: told" "$root/out" \
		"crashkernel= still reserves memory: see /boot/loader/entries/a.conf"
}

entries
made_cmdline
unified
grub
own_word
finish
