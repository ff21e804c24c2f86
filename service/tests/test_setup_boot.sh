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
}

# kernel-install makes an entry from /etc/kernel/cmdline
later()
{
	entry "$1" "$(cat "$root/etc/kernel/cmdline")"
}

# Entries of kernels that came after setup have crashkernel= as well.
later_kernels()
{
	begin later
	entry a 'root=/dev/vda1 ro'
	put etc/kernel/cmdline 'root=/dev/vda1 ro\n'
	later b
	before=$(state)
	rm "$root/boot/loader/entries/b.conf"
	setup
	later b
	has "a later kernel's entry: has it" "$root/boot/loader/entries/b.conf" crashkernel=240M
	setup
	has "a later kernel's entry: nothing to do" "$root/out" "all of it is set up already"
	setup --remove
	equal "a later kernel's entry: remove: all is as it was" "$(state)" "$before"

	begin later-made
	entry a 'root=/dev/vda1 ro quiet'
	put proc/cmdline 'root=/dev/vda1 ro quiet\n'
	entry b 'root=/dev/vda1 ro quiet'
	before=$(state)
	rm "$root/boot/loader/entries/b.conf"
	setup
	later b
	setup --remove
	equal "a later kernel's entry, the command line made by setup: all is as it was" \
		"$(state)" "$before"
	# somebody has changed that file
	setup
	put etc/kernel/cmdline 'root=/dev/vda1 crashkernel=240M loud\n'
	setup --remove
	equal "a command line that was changed since: crashkernel= goes" \
		"$(cat "$root/etc/kernel/cmdline")" "root=/dev/vda1 loud"
	has "a command line that was changed since: told" "$root/out" \
		"/etc/kernel/cmdline was changed since: only crashkernel= is taken out"
	# kernel-install would take the running kernel's
	rm "$root/etc/kernel/cmdline"
	setup
	put proc/cmdline 'root=/dev/vda1 crashkernel=240M\n'
	setup --remove
	has "the command line made by setup: the running kernel's is told" "$root/out" \
		"installed before the next boot gets crashkernel=240M"
}

# More is needed than when it was set up; what setup had asked for is not what was there before.
more_needed()
{
	for what in word file; do
		begin "more-$what"
		entry a 'root=/dev/vda1 ro'
		entry b 'root=/dev/vda1 ro'
		put proc/cmdline 'root=/dev/vda1 ro\n'
		test $what = file || put etc/kernel/cmdline 'root=/dev/vda1 ro\n'
		before=$(state)
		rm "$root/boot/loader/entries/b.conf"
		setup
		# a smaller machine then, and a kernel since
		sed -i -e 's/240M/64M/' "$root/boot/loader/entries/a.conf" \
			"$root/etc/kernel/cmdline" "$root/var/lib/crashpod/setup.made"
		sum=$(sha256sum "$root/etc/kernel/cmdline" | cut -d ' ' -f 1)
		sed -i -e "s,^\(file\t/etc/kernel/cmdline\t\)[0-9a-f]*,\1$sum," \
			"$root/var/lib/crashpod/setup.made"
		later b
		setup
		equal "more is needed ($what)" "$(cat "$root/boot/loader/entries/b.conf")" \
			"$(printf 'title Linux b\nlinux /vmlinuz-b\noptions root=/dev/vda1 ro crashkernel=240M')"
		has "more is needed ($what): later kernels" "$root/etc/kernel/cmdline" crashkernel=240M
		setup --remove
		equal "more is needed ($what): remove: all is as it was" "$(state)" "$before"
	done
}

# Other systems may have entries on the same EFI system partition.
other_systems()
{
	begin others
	put etc/machine-id '0123456789abcdef0123456789abcdef\n'
	put efi/loader/entries/own.conf \
		'machine-id 0123456789abcdef0123456789abcdef\nlinux /a\noptions ro\n'
	put efi/loader/entries/other.conf \
		'machine-id ffffffffffffffffffffffffffffffff\nlinux /a\noptions ro\n'
	there_and_back "another system's entry"
	setup
	has "another system's entry: own" "$root/efi/loader/entries/own.conf" crashkernel=240M
	has_not "another system's entry: stays" "$root/efi/loader/entries/other.conf" crashkernel
	has "another system's entry: told" "$root/out" "other.conf is another system's"
}

# systemd-boot with unified kernel images: no entries, and grub's files lie about
unified()
{
	begin uki
	put etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX=""\n'
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
	has_not "unified images: grub's file stays" "$root/etc/default/grub" crashkernel
}


# kernel-install is there, and has made an image: it makes it anew
unified_anew()
{
	begin uki-anew
	put sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f \
		'\006\000\000\000s\000y\000s\000t\000e\000m\000d\000-\000b\000o\000o\000t\000'
	put etc/kernel/cmdline 'root=/dev/vda1 ro\n'
	for k in $kver 6.6.7-later 6.6 6.6.7 6.6.8 6.6.8+own; do
		put "lib/modules/$k/modules.dep" ''
		put "boot/vmlinuz-$k" ''
	done
	put "boot/efi/EFI/Linux/token-$kver.efi" ''
	put boot/efi/EFI/Linux/token-6.6.7-later+3-1.efi ''
	put boot/efi/EFI/Linux/token-6.6.8+own.efi ''
	program bin/kernel-install
	before=$(state)
	setup
	equal "unified images are made anew: exit" "$status" 0
	equal "unified images are made anew" "$(grep kernel-install "$root/log")" \
		"kernel-install add $kver ROOT/boot/vmlinuz-$kver
kernel-install add 6.6.7-later ROOT/boot/vmlinuz-6.6.7-later
kernel-install add 6.6.8+own ROOT/boot/vmlinuz-6.6.8+own"
	: > "$root/log"
	setup
	equal "unified images: again: exit" "$status" 0
	equal "unified images: again runs nothing" "$(cat "$root/log")" ""
	setup --remove
	equal "unified images: remove: all is as it was" "$(state)" "$before"
	equal "unified images: remove: made anew" "$(grep -c "kernel-install add" "$root/log")" 3
	# kernel-install has the command line from the running kernel when the file is not there
	rm "$root/etc/kernel/cmdline"
	put proc/cmdline 'root=/dev/vda1 crashkernel=240M\n'
	program bin/kernel-install "cat $root/etc/kernel/cmdline >> $root/log"
	before=$(state)
	setup
	: > "$root/log"
	setup --remove
	equal "unified images, the command line made by setup: as it was" "$(state)" "$before"
	equal "unified images, the command line made by setup: what they get" \
		"$(grep -v kernel-install "$root/log" | sort -u | grep root=)" "root=/dev/vda1"
	# what cannot be made leaves nothing half done
	put etc/kernel/cmdline 'root=/dev/vda1 ro\n'
	program bin/kernel-install 'exit 1'
	setup
	equal "unified images that cannot be made: exit" "$status" 1
	equal "unified images that cannot be made: the command line is as it was" \
		"$(cat "$root/etc/kernel/cmdline")" "root=/dev/vda1 ro"
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
	equal "read later: exit" "$status" 0
	has "read later: ours is behind it" "$root/etc/default/grub.d/zz-crashpod.cfg" "crashkernel=240M"
	before=$(state)
	setup
	equal "read later: again: exit" "$status" 0
	equal "read later: again: nothing is changed" "$(state)" "$before"
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
later_kernels
more_needed
other_systems
unified
unified_anew
entries_of_grub
grubby
grub_file
grub_unquoted
grub_order
unknown_loader
finish
