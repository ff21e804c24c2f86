#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_setup.sh - crashpod setup in made-up roots: each boot loader, what stands in the way, steps
# that fail, and the way back.
# shellcheck disable=SC1091,SC2016,SC2154 # common.sh; texts of made-up files; its variables
. "$(dirname "$(readlink -f "$0")")/common.sh"

# setup OPTION...: its output is in $root/out, its exit status in $status
setup()
{
	status=0
	"$CRASHPOD" setup --root "$root" -k "$kver" "$@" > "$root/out" 2>&1 < /dev/null || status=$?
}

debian()
{
	begin "$1"
	put etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'
	mkdir -p "$root/etc/default/grub.d"
	program bin/update-grub
}

grub_of_debian()
{
	debian grub
	before=$(state)
	setup --dry-run
	equal "dry run: exit" "$status" 0
	equal "dry run: nothing is changed" "$(state)" "$before"
	equal "dry run: nothing is run" "$(cat "$root/log")" ""
	has "dry run: shows the file" "$root/out" "new /etc/default/grub.d/crashpod.cfg"
	has "dry run: shows its line" "$root/out" 'LINUX_DEFAULT crashkernel=240M"'
	has "dry run: shows the program" "$root/out" "run update-grub"
	setup
	equal "nobody to ask: exit" "$status" 1
	equal "nobody to ask: nothing is changed" "$(state)" "$before"
	setup --yes
	equal "setup: exit" "$status" 0
	has "setup: says to reboot" "$root/out" "reboot, then ask crashpod status"
	has "setup: target" "$root/etc/crashpod.conf" "ext4 UUID=1111-aaaa"
	has "setup: path" "$root/etc/crashpod.conf" "path /var/crash"
	has "setup: naming" "$root/etc/crashpod.conf" "naming debian"
	result "setup: the configuration is sound" "crashpod conf refuses it" \
		quiet "$CRASHPOD" conf "$root/etc/crashpod.conf"
	equal "setup: programs" "$(cut -d ' ' -f 1-3 "$root/log" | tr '\n' ,)" \
		"mkinitrd -k $kver,update-grub ,systemctl enable crashpod.service,systemctl enable crashpod-collect.service,"
	after=$(state)
	: > "$root/log"
	setup --yes
	equal "again: exit" "$status" 0
	equal "again: nothing is changed" "$(state)" "$after"
	equal "again: nothing is run" "$(cat "$root/log")" ""
	has "again: says so" "$root/out" "set up already"
	setup --remove --yes
	equal "remove: exit" "$status" 0
	equal "remove: all is as it was" "$(state)" "$before"
	has "remove: grub is told" "$root/log" "update-grub"
	setup --remove --yes
	equal "remove: again fails" "$status" 1
	has "remove: again says why" "$root/out" "has made nothing here"
}

# A file that somebody changed is not taken away.
changed_since()
{
	debian changed
	setup --yes
	echo "dump_level 1" >> "$root/etc/crashpod.conf"
	setup --remove --yes
	equal "changed since: exit" "$status" 0
	has "changed since: the configuration stays" "$root/etc/crashpod.conf" "dump_level 1"
	has "changed since: said" "$root/out" "/etc/crashpod.conf was changed"
	result "changed since: the rest goes" "crashpod.cfg is there" \
		test ! -e "$root/etc/default/grub.d/crashpod.cfg"
}

step_fails()
{
	debian update-grub-fails
	program bin/update-grub 'exit 3'
	setup --yes
	equal "update-grub fails: exit" "$status" 1
	has "update-grub fails: said" "$root/out" "bin/update-grub failed with exit status 3"
	result "update-grub fails: its file is taken back" "it is there" \
		test ! -e "$root/etc/default/grub.d/crashpod.cfg"
	has_not "update-grub fails: what comes after is not begun" "$root/log" systemctl
	program bin/update-grub
	setup --yes
	equal "update-grub works again: exit" "$status" 0

	debian mkinitrd-fails
	program usr/lib/crashpod/mkinitrd 'exit 1'
	before=$(state)
	setup --yes
	equal "mkinitrd fails: exit" "$status" 1
	has "mkinitrd fails: said" "$root/out" "configuration and initramfs: "
	equal "mkinitrd fails: all is as it was" "$(state)" "$before"
}

in_the_way()
{
	debian no-crash-dump
	put "boot/config-$kver" 'CONFIG_KEXEC=y\n# CONFIG_CRASH_DUMP is not set\n'
	before=$(state)
	setup --yes
	equal "kernel without CRASH_DUMP: exit" "$status" 1
	has "kernel without CRASH_DUMP: said" "$root/out" "without CONFIG_CRASH_DUMP"
	has_not "kernel with KEXEC only: that is enough" "$root/out" CONFIG_KEXEC_FILE
	equal "kernel without CRASH_DUMP: nothing is changed" "$(state)" "$before"

	debian overlay
	put proc/self/mountinfo '22 1 0:31 / / rw - overlay overlay rw\n'
	before=$(state)
	setup --yes
	equal "overlay: exit" "$status" 1
	has "overlay: said" "$root/out" "/var/crash is on overlay"
	equal "overlay: nothing is changed" "$(state)" "$before"

	debian kdump-enabled
	ln -s x "$root/etc/systemd/system/multi-user.target.wants/kdump-tools.service"
	setup --yes
	equal "kdump is enabled: exit" "$status" 1
	has "kdump is enabled: said" "$root/out" "crashpod setup --from-kdump takes its place"

	debian not-installed
	rm "$root/usr/lib/systemd/system/crashpod.service"
	setup --yes
	equal "not installed: exit" "$status" 1
	has "not installed: said" "$root/out" "there is no unit crashpod.service"

	debian bad-conf
	put etc/crashpod.conf 'ext4 UUID=1\nlevel 31\n'
	setup --yes
	equal "configuration with errors: exit" "$status" 1
	has "configuration with errors: said" "$root/out" "/etc/crashpod.conf has errors"
}

# What is there stays: a configuration, and a reservation that is enough.
already_there()
{
	debian there
	put etc/crashpod.conf 'xfs LABEL=crash\n'
	put etc/default/grub 'GRUB_CMDLINE_LINUX="crashkernel=1G-8G:256M,8G-:512M"\n'
	put sys/kernel/kexec_crash_size '268435456\n'
	setup --yes
	equal "there: exit" "$status" 0
	equal "there: the configuration stays" "$(cat "$root/etc/crashpod.conf")" "xfs LABEL=crash"
	has_not "there: the reservation stays" "$root/log" update-grub
	has "there: no reboot" "$root/out" "no reboot is needed"
	has "there: loaded at once" "$root/log" "systemctl restart crashpod.service"
	setup --remove --yes
	equal "there: and stays" "$(cat "$root/etc/crashpod.conf")" "xfs LABEL=crash"

	debian too-small-now
	put sys/kernel/kexec_crash_size '67108864\n'
	program bin/systemctl "test \$1 != restart"
	setup --yes
	equal "too small now: exit" "$status" 0
	has "too small now: tried" "$root/out" "ran systemctl restart crashpod.service, which failed"
	has "too small now: says to reboot" "$root/out" "reboot, then ask crashpod status"

	debian load-fails
	put sys/kernel/kexec_crash_size '1073741824\n'
	program bin/systemctl "test \$1 != restart"
	setup --yes
	equal "enough, and it does not load: exit" "$status" 1
	has "enough, and it does not load: said" "$root/out" "load: "

	debian too-small
	put etc/default/grub.d/aother.cfg '# crashkernel=512M\nGRUB_CMDLINE_LINUX="$X crashkernel=64M"\n'
	setup --yes
	has "too small: a value of ours is added" "$root/etc/default/grub.d/crashpod.cfg" \
		crashkernel=240M

	# the last word counts
	debian too-small-behind
	put etc/default/grub.d/other.cfg 'GRUB_CMDLINE_LINUX_DEFAULT="$X crashkernel=64M"\n'
	setup --yes
	has "too small, in a later file: ours is the last one" \
		"$root/etc/default/grub.d/zz-crashpod.cfg" crashkernel=240M
	before=$(state)
	setup --yes
	equal "too small, in a later file: again changes nothing" "$(state)" "$before"
	setup --remove --yes
	equal "too small, in a later file: remove" "$(ls "$root/etc/default/grub.d")" other.cfg
}

# A file system of its own below /var, bind mounts and subvolumes.
mounts()
{
	debian var
	put proc/self/mountinfo '22 1 254:2 / / rw - ext4 /dev/vda2 rw
23 22 254:1 / /var rw - xfs /dev/vda1 rw\n'
	setup --yes
	has "/var: file system" "$root/etc/crashpod.conf" "xfs UUID=1111-aaaa"
	equal "/var: path" "$(grep ^path "$root/etc/crashpod.conf")" "path /crash"

	debian subvolume
	put proc/self/mountinfo '22 1 0:25 /@rootfs / rw - btrfs /dev/vda1 rw\n'
	setup --yes
	has "subvolume: file system" "$root/etc/crashpod.conf" "btrfs UUID=1111-aaaa"
	has "subvolume: path" "$root/etc/crashpod.conf" "path /@rootfs/var/crash"

	debian link
	mkdir -p "$root/srv/dumps"
	ln -s ../srv/dumps "$root/var/crash"
	setup --yes
	has "symbolic link: the real directory" "$root/etc/crashpod.conf" "path /srv/dumps"

	debian dev-root
	put proc/self/mountinfo '22 1 254:1 / / rw - ext4 /dev/root rw\n'
	put sys/dev/block/254:1/uevent 'MAJOR=254\nMINOR=1\nDEVNAME=vda1\n'
	setup --yes
	has "/dev/root: by its number" "$root/etc/crashpod.conf" "ext4 UUID=1111-aaaa"
}

# luks FSTYPE NUMBER: a volume on LUKS on a partition, as sysfs has it.
luks()
{
	debian "luks-$1"
	put proc/self/mountinfo "22 1 $2 / / rw - $1 /dev/mapper/vg-root rw\n"
	put sys/devices/virtual/block/dm-0/dm/uuid 'CRYPT-LUKS2-0123-secret\n'
	put sys/devices/virtual/block/dm-0/dm/name 'secret\n'
	put sys/devices/virtual/block/dm-1/dm/uuid 'LVM-abc\n'
	mkdir -p "$root/sys/devices/virtual/block/dm-1/slaves" "$root/sys/class/block" \
		"$root/sys/dev/block" "$root/dev/mapper"
	ln -s ../../dm-0 "$root/sys/devices/virtual/block/dm-1/slaves/dm-0"
	ln -s ../../devices/virtual/block/dm-1 "$root/sys/dev/block/253:1"
	ln -s ../../devices/virtual/block/dm-1 "$root/sys/class/block/dm-1"
	: > "$root/dev/dm-1"
	ln -s ../dm-1 "$root/dev/mapper/vg-root"
}

encrypted()
{
	for kind in 'ext4 253:1' 'btrfs 0:31'; do
		# shellcheck disable=SC2086 # two words
		luks $kind
		before=$(state)
		setup --yes
		equal "LUKS, ${kind% *}: exit" "$status" 1
		has "LUKS, ${kind% *}: said" "$root/out" \
			"/var/crash is on /dev/mapper/vg-root, of which dm-crypt secret is encrypted, and this kernel cannot hand its key"
		has "LUKS, ${kind% *}: says what to do" "$root/out" "a raw partition (crashpod raw format"
		equal "LUKS, ${kind% *}: nothing is changed" "$(state)" "$before"
		mkdir -p "$root/sys/kernel/config/crash_dm_crypt_keys"
		uuid=fedcba98-7654-3210-fedc-ba9876543210
		echo CRYPT-LUKS2-fedcba9876543210fedcba9876543210-secret \
			> "$root/sys/devices/virtual/block/dm-0/dm/uuid"
		setup --yes
		equal "LUKS, ${kind% *}, no key: exit" "$status" 1
		has "LUKS, ${kind% *}, no key: says what to do" "$root/out" \
			"add link-volume-key=@u::%logon:cryptsetup:$uuid to its options in /etc/crypttab"
	done
	echo LVM-xyz > "$root/sys/devices/virtual/block/dm-0/dm/uuid"
	ln -s ../../dm-1 "$root/dev/disk/by-uuid/2222-bbbb"
	setup --yes
	has "LVM alone: taken" "$root/etc/crashpod.conf" "btrfs UUID=2222-bbbb"
}

# Programs that are found only outside of the root are not run.
nothing_outside()
{
	debian outside
	rm "$root/bin/systemctl"
	mkdir -p "$lab/elsewhere"
	printf '#!/bin/sh\ntouch %s\n' "$lab/elsewhere/was-run" > "$lab/elsewhere/systemctl"
	chmod 0755 "$lab/elsewhere/systemctl"
	PATH=$lab/elsewhere:$root/bin:$host_path
	setup --yes
	equal "outside: exit" "$status" 1
	has "outside: said" "$root/out" "systemctl is not installed"
	result "outside: not run" "it was run" test ! -e "$lab/elsewhere/was-run"
}

without_systemd()
{
	debian rc
	rm -r "$root/run/systemd"
	setup --yes
	equal "no systemd: exit" "$status" 1
	has "no systemd: said" "$root/out" "to do: there is no systemd"
	has "no systemd: the rest is done" "$root/etc/default/grub.d/crashpod.cfg" crashkernel=
}

grub_of_debian
changed_since
step_fails
in_the_way
already_there
mounts
encrypted
nothing_outside
without_systemd
finish
