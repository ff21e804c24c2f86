#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_setup_boot.sh - crashpod setup: crashkernel= by each boot loader, and taken away again.
# shellcheck disable=SC1091,SC2016,SC2154 # common.sh; texts of made-up files; its variables
. "$(dirname "$(readlink -f "$0")")/common.sh"

setup()
{
	status=0
	"$CRASHPOD" setup --root "$root" -k "$kver" --yes "$@" > "$root/out" 2>&1 < /dev/null ||
		status=$?
}

entry()
{
	put "boot/loader/entries/$1.conf" "title Linux $1\nlinux /vmlinuz-$1\noptions $2\n"
}

# there_and_back NAME: set up, once more, and undone
there_and_back()
{
	before=$(state)
	setup
	equal "$1: exit" "$status" 0
	after=$(state)
	: > "$root/log"
	setup
	equal "$1: again changes nothing" "$(state)" "$after"
	equal "$1: again runs nothing" "$(cat "$root/log")" ""
	setup --remove
	equal "$1: remove: exit" "$status" 0
	equal "$1: remove: all is as it was" "$(state)" "$before"
}

systemd_boot()
{
	begin systemd-boot
	entry a 'root=/dev/vda1 ro'
	entry b 'root=/dev/vda1 ro crashkernel=64M quiet'
	entry enough 'root=/dev/vda1 ro crashkernel=1G'
	put etc/kernel/cmdline 'root=/dev/vda1 ro\n'
	there_and_back systemd-boot
	setup
	has "systemd-boot: an entry" "$root/boot/loader/entries/a.conf" \
		'options root=/dev/vda1 ro crashkernel=240M'
	has "systemd-boot: too little" "$root/boot/loader/entries/b.conf" \
		'options root=/dev/vda1 ro crashkernel=240M quiet'
	has "systemd-boot: enough" "$root/boot/loader/entries/enough.conf" 'crashkernel=1G'
	has "systemd-boot: later kernels" "$root/etc/kernel/cmdline" 'ro crashkernel=240M'

	begin no-cmdline
	put proc/cmdline 'initrd=\\x\\initrd root=/dev/vda1 ro crashkernel=64M quiet\n'
	entry a 'root=/dev/vda1 ro quiet'
	there_and_back "no /etc/kernel/cmdline"
	setup
	equal "no /etc/kernel/cmdline: made from the running kernel's" \
		"$(cat "$root/etc/kernel/cmdline")" "root=/dev/vda1 ro crashkernel=240M quiet"

	# systemd-boot with unified kernel images: no entries, and grub's files lie about
	begin uki
	put etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'
	mkdir -p "$root/etc/default/grub.d"
	program bin/update-grub
	put sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f \
		'\006\000\000\000s\000y\000s\000t\000e\000m\000d\000-\000b\000o\000o\000t\000'
	put etc/kernel/cmdline 'root=/dev/vda1 ro\n'
	setup
	equal "unified images: something is left to do" "$status" 1
	has "unified images: said" "$root/out" "kernel-install add $kver"
	has "unified images: command line" "$root/etc/kernel/cmdline" crashkernel=240M
	has_not "unified images: grub is not what boots" "$root/log" update-grub
}

# RHEL without grubby: entries, and what grub2-mkconfig would use
entries_of_grub()
{
	begin bls-grub
	put etc/os-release 'ID="almalinux"\nID_LIKE="rhel centos fedora"\n'
	put etc/default/grub 'GRUB_TIMEOUT=1\nGRUB_CMDLINE_LINUX="console=ttyS0"\n'
	entry a 'root=/dev/vda1 ro $tuned_params'
	there_and_back "entries of grub"
	setup
	has "entries of grub: variables stay" "$root/boot/loader/entries/a.conf" \
		'ro $tuned_params crashkernel=240M'
	has "entries of grub: defaults" "$root/etc/default/grub" \
		'GRUB_CMDLINE_LINUX="console=ttyS0 crashkernel=240M"'
	has "entries of grub: naming" "$root/etc/crashpod.conf" "naming rhel"
}

grubby()
{
	begin grubby
	entry a 'root=/dev/vda1 ro'
	program bin/grubby
	setup
	equal "grubby: exit" "$status" 0
	has "grubby: called" "$root/log" "grubby --update-kernel=ALL --args=crashkernel=240M"
	equal "grubby: entries are left to it" "$(tail -n 1 "$root/boot/loader/entries/a.conf")" \
		"options root=/dev/vda1 ro"
	entry a 'root=/dev/vda1 ro crashkernel=240M'
	: > "$root/log"
	setup
	has_not "grubby: again is not called" "$root/log" grubby
	setup --remove
	has "grubby: remove" "$root/log" "grubby --update-kernel=ALL --remove-args=crashkernel"

	begin grubby-before
	put proc/cmdline 'root=/dev/vda1 crashkernel=64M\n'
	entry a 'root=/dev/vda1 ro crashkernel=64M'
	program bin/grubby
	setup
	setup --remove
	has "grubby: what was there before" "$root/log" \
		"grubby --update-kernel=ALL --args=crashkernel=64M"
}

grub_file()
{
	begin grub-file
	put etc/default/grub '# GRUB_CMDLINE_LINUX_DEFAULT="crashkernel=1G"
GRUB_CMDLINE_LINUX_DEFAULT="loglevel=3 quiet"\n'
	mkdir -p "$root/boot/grub"
	program bin/grub-mkconfig
	before=$(state)
	setup
	equal "grub file: exit" "$status" 0
	has "grub file: the line" "$root/etc/default/grub" \
		'GRUB_CMDLINE_LINUX_DEFAULT="loglevel=3 quiet crashkernel=240M"'
	has "grub file: grub-mkconfig" "$root/log" "grub-mkconfig -o ROOT/boot/grub/grub.cfg"
	: > "$root/log"
	setup --remove
	equal "grub file: remove: all is as it was" "$(state)" "$before"
	has "grub file: remove: grub-mkconfig" "$root/log" "grub-mkconfig -o"
}

# What is no line of one pair of quotes is not touched: the word would not be of the value.
grub_unquoted()
{
	for value in 'quiet' '' '"quiet" # of "old"' '"a" "b"'; do
		begin "grub-unquoted"
		put etc/default/grub "GRUB_CMDLINE_LINUX_DEFAULT=$value\n"
		program bin/grub-mkconfig
		before=$(state)
		setup
		equal "grub, not quoted: exit: $value" "$status" 1
		has "grub, not quoted: said: $value" "$root/out" 'no line GRUB_CMDLINE_LINUX_DEFAULT="..."'
		equal "grub, not quoted: nothing is changed: $value" "$(state)" "$before"
		rm -r "$root"
	done
	begin grub-escape
	put etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT="a=\\"b c\\"" \n'
	program bin/grub-mkconfig
	setup
	has "grub, quotes inside" "$root/etc/default/grub" '="a=\"b c\" crashkernel=240M"'
}

# Of several words the last one counts, and files are read by their names.
grub_order()
{
	begin grub-order
	put etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'
	put etc/default/grub.d/kdump-tools.cfg \
		'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=384M-:128M"\n'
	program bin/update-grub
	setup
	equal "read later: exit" "$status" 1
	has "read later: said" "$root/out" "to do: /etc/default/grub.d/kdump-tools.cfg is read after"
	has_not "read later: nothing is promised" "$root/out" "the next boot reserves"
	setup
	equal "read later: again: exit" "$status" 1
	rm "$root/etc/default/grub.d/kdump-tools.cfg"
	setup
	equal "read later: gone: exit" "$status" 0
	put etc/default/grub.d/early.cfg 'GRUB_CMDLINE_LINUX="crashkernel=64M"\n'
	mv "$root/etc/default/grub.d/early.cfg" "$root/etc/default/grub.d/a.cfg"
	setup
	equal "read before: exit" "$status" 0
}

unknown_loader()
{
	begin unknown
	setup
	equal "unknown boot loader: exit" "$status" 1
	has "unknown boot loader: said" "$root/out" \
		"add crashkernel=240M to the kernel's command line"
	has "unknown boot loader: the rest is done" "$root/log" "systemctl enable crashpod.service"
	put sys/kernel/kexec_crash_size '268435456\n'
	setup
	equal "unknown boot loader: enough is reserved" "$status" 0
}

systemd_boot
entries_of_grub
grubby
grub_file
grub_unquoted
grub_order
unknown_loader
finish
