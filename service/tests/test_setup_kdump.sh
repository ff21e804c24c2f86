#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_setup_kdump.sh - crashpod setup --from-kdump: what is taken over, what is not, and the old
# service.
# shellcheck disable=SC1091,SC2016,SC2154 # common.sh; texts of made-up files; its variables
. "$(dirname "$(readlink -f "$0")")/common.sh"

setup()
{
	status=0
	"$CRASHPOD" setup --root "$root" -k "$kver" --yes "$@" > "$root/out" 2>&1 < /dev/null ||
		status=$?
}

# conf NAME TEXT: the configuration without comments is TEXT
conf()
{
	equal "$1" "$(grep -v '^#' "$root/etc/crashpod.conf" | tr '\n' ,)" "$2"
}

rhel()
{
	begin "rhel-$1"
	put etc/os-release 'ID="rhel"\n'
	ln -s x "$root/etc/systemd/system/multi-user.target.wants/kdump.service"
	put usr/lib/systemd/system/kdump.service ''
	put boot/loader/entries/a.conf 'options root=/dev/vda1 crashkernel=1G-4G:192M,4G-64G:256M\n'
	put proc/cmdline 'root=/dev/vda1 crashkernel=1G-4G:192M,4G-64G:256M\n'
	put proc/iomem '00001000-13fffffff : System RAM\n'
}

from_rhel()
{
	rhel target
	put etc/kdump.conf '#comment\nxfs UUID=2222-bbbb\npath /dumps\n
core_collector makedumpfile -l --message-level 7 -d 17\nfailure_action halt
extra_modules gfs2\nkdump_post /bin/script\n'
	before=$(state)
	setup --from-kdump
	equal "rhel: exit" "$status" 0
	conf "rhel: configuration" \
		"xfs UUID=2222-bbbb,core_collector makedumpfile -l --message-level 7 -d 17,failure_action halt,path /dumps,naming rhel,"
	has "rhel: left out" "$root/out" "'extra_modules gfs2' is left out"
	has "rhel: left out" "$root/out" "'kdump_post /bin/script' is left out: unknown directive"
	has "rhel: the old service" "$root/log" "systemctl disable kdump.service"
	has "rhel: and what it has loaded" "$root/log" "systemctl stop kdump.service"
	has_not "rhel: its reservation is enough" "$root/out" "change /boot/loader"
	after=$(state)
	setup --from-kdump
	equal "rhel: again changes nothing" "$(state)" "$after"
	setup --remove
	equal "rhel: remove: exit" "$status" 0
	has "rhel: remove: the old service" "$root/log" "systemctl enable kdump.service"
	# the link is as our systemctl makes it
	rm "$root/etc/systemd/system/multi-user.target.wants/kdump.service"
	ln -s x "$root/etc/systemd/system/multi-user.target.wants/kdump.service"
	equal "rhel: remove: all is as it was" "$(state)" "$before"

	rhel gone
	put etc/kdump.conf 'path /var/crash\n'
	setup --from-kdump
	rm "$root/usr/lib/systemd/system/kdump.service"
	: > "$root/log"
	setup --remove
	equal "rhel, kdump is gone since: remove: exit" "$status" 0
	has "rhel, kdump is gone since: said" "$root/out" "kdump.service is not there any more"
	has_not "rhel, kdump is gone since: not enabled" "$root/log" "systemctl enable"
	result "rhel, kdump is gone since: the rest goes" "crashpod.conf is there" \
		test ! -e "$root/etc/crashpod.conf"

	rhel fails
	put etc/kdump.conf 'path /var/crash\n'
	program usr/lib/crashpod/mkinitrd 'exit 1'
	before=$(state)
	setup --from-kdump
	equal "rhel, no initramfs: exit" "$status" 1
	equal "rhel, no initramfs: all is as it was" "$(state)" "$before"
	has_not "rhel, no initramfs: kdump goes on" "$root/log" systemctl

	rhel default
	put etc/kdump.conf 'path /var/dumps\ncore_collector makedumpfile -c\ndefault poweroff\n'
	setup --from-kdump
	conf "rhel without a target: the root file system" \
		"ext4 UUID=1111-aaaa,path /var/dumps,naming rhel,core_collector makedumpfile -c,failure_action poweroff,"

	rhel network
	put etc/kdump.conf 'ssh user@host\npath /var/crash\n'
	before=$(state)
	setup --from-kdump
	equal "rhel, ssh: exit" "$status" 1
	has "rhel, ssh: said" "$root/out" "'ssh user@host': dumps to the network are not supported"
	equal "rhel, ssh: nothing is changed" "$(state)" "$before"

	rhel mapper
	put etc/kdump.conf 'xfs /dev/mapper/rhel-crash\npath /\n'
	before=$(state)
	setup --from-kdump
	equal "rhel, a target that is not taken: exit" "$status" 1
	has "rhel, a target that is not taken: said" "$root/out" \
		"problem: /etc/kdump.conf: 'xfs /dev/mapper/rhel-crash': xfs: /dev/mapper/rhel-crash: a name"
	equal "rhel, a target that is not taken: nothing is changed" "$(state)" "$before"

	rhel own-conf
	put etc/kdump.conf 'path /var/crash\n'
	put etc/crashpod.conf 'ext4 UUID=3333\n'
	setup --from-kdump
	equal "rhel, a configuration is there: exit" "$status" 1
	has "rhel, a configuration is there: said" "$root/out" "is there already"
	has "rhel, a configuration is there: it stays" "$root/etc/crashpod.conf" "UUID=3333"
}

debian()
{
	begin "debian-$1"
	ln -s x "$root/etc/systemd/system/multi-user.target.wants/kdump-tools.service"
	put etc/default/grub.d/kdump-tools.cfg \
		'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=384M-:512M"\n'
	put usr/lib/systemd/system/kdump-tools.service ''
	program bin/update-grub
}

# order NAME TEXT...: lines of the log with these texts, in that order
order()
{
	name=$1
	at=0
	shift
	for text in "$@"; do
		next=$(grep -n -F -e "$text" "$root/log" | tail -n 1 | cut -d : -f 1)
		test "${next:-0}" -gt "$at" || {
			not_ok "$name" "'$text' is not where it belongs: $(cat "$root/log")"
			return
		}
		at=$next
	done
	ok "$name"
}

# kdump-tools has loaded its capture kernel, which has room: crashpod's takes its place.
loaded_debian()
{
	debian "$1"
	put etc/default/kdump-tools 'KDUMP_NUM_DUMPS=3\n'
	put usr/lib/udev/rules.d/50-kdump-tools.rules 'SUBSYSTEM=="memory", PROGRAM="kdump-config"\n'
	put proc/sys/kernel/panic_on_oops '1\n'
	put sys/kernel/kexec_crash_size '536870912\n'
	put sys/kernel/kexec_crash_loaded '1\n'
}

take_over()
{
	loaded_debian loaded
	before=$(state)
	setup --from-kdump
	equal "loaded: exit" "$status" 0
	order "loaded: it is stopped when crashpod's can be loaded" mkinitrd update-grub \
		"systemctl stop kdump-tools.service" "systemctl restart crashpod.service"
	has "loaded: its udev rules do nothing any more" \
		"$root/etc/udev/rules.d/50-kdump-tools.rules" "In the place of kdump-tools"
	has "loaded: an oops is a crash as before" "$root/etc/sysctl.d/60-crashpod.conf" \
		"kernel.panic_on_oops = 1"
	has "loaded: what it reserves is told" "$root/out" "kdump-tools.cfg reserves 512 MiB"
	has "loaded: whose dumps stay is told" "$root/out" "kdump-tools has made stay until"
	after=$(state)
	setup --from-kdump
	equal "loaded: again changes nothing" "$(state)" "$after"
	setup --remove
	order "loaded: remove: it is started when all is as it was" \
		"systemctl enable kdump-tools.service" "systemctl stop crashpod.service" \
		update-grub "systemctl start kdump-tools.service"
	rm "$root/etc/systemd/system/multi-user.target.wants/kdump-tools.service"
	ln -s x "$root/etc/systemd/system/multi-user.target.wants/kdump-tools.service"
	equal "loaded: remove: all is as it was" "$(state)" "$before"

	loaded_debian no-oops
	put proc/sys/kernel/panic_on_oops '0\n'
	put etc/udev/rules.d/50-kdump-tools.rules '# of somebody\n'
	setup --from-kdump
	equal "an oops is none: it stays so" "$(ls "$root/etc/sysctl.d" 2> /dev/null)" ""
	equal "rules of somebody stay" "$(cat "$root/etc/udev/rules.d/50-kdump-tools.rules")" \
		"# of somebody"

	loaded_debian little-room
	put sys/kernel/kexec_crash_size '33554432\n'
	setup --from-kdump
	equal "too little is reserved: exit" "$status" 0
	has "too little is reserved: it is disabled" "$root/log" "systemctl disable kdump-tools"
	has_not "too little is reserved: what it has loaded stays" "$root/log" "systemctl stop"
	has_not "too little is reserved: nothing is loaded" "$root/log" "systemctl restart"
	has "too little is reserved: said" "$root/out" "has loaded stays until the reboot"
	has "too little is reserved: a reboot" "$root/out" "the next boot reserves"

	loaded_debian little-room-next
	put etc/default/grub.d/kdump-tools.cfg \
		'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=64M"\n'
	setup --from-kdump
	has "its crashkernel= is too little: ours counts" \
		"$root/etc/default/grub.d/zz-crashpod.cfg" crashkernel=240M

	loaded_debian gone
	setup --from-kdump
	rm "$root/usr/lib/systemd/system/kdump-tools.service" "$root/log"
	rm -r "$root/etc/default/kdump-tools" "$root/etc/default/grub.d/kdump-tools.cfg"
	setup --remove
	equal "kdump-tools is gone: remove: exit" "$status" 0
	has "kdump-tools is gone: remove: said" "$root/out" "kdump-tools.service is not there any"
	has_not "kdump-tools is gone: remove: not enabled" "$root/log" "enable kdump-tools"
	equal "kdump-tools is gone: remove: nothing is left" \
		"$(find "$root/etc/udev" "$root/etc/sysctl.d" "$root/etc/default" -type f)" ""

	# disabled by hand
	loaded_debian disabled
	rm "$root/etc/systemd/system/multi-user.target.wants/kdump-tools.service"
	setup
	equal "disabled before: exit" "$status" 0
	has "disabled before: its udev rules do nothing any more" \
		"$root/etc/udev/rules.d/50-kdump-tools.rules" "In the place of kdump-tools"
	has "disabled before: a reservation that stays" \
		"$root/etc/default/grub.d/crashpod.cfg" crashkernel=240M
}

from_debian()
{
	debian plain
	put etc/default/kdump-tools '# KDUMP_COREDIR="/commented"\nUSE_KDUMP=1
KDUMP_COREDIR="/var/dumps"\nKDUMP_FAIL_CMD="echo 1 > /proc/sys/kernel/sysrq; halt -f"
MAKEDUMP_ARGS="-c -d 17"\nKDUMP_NUM_DUMPS=3\n#NFS="host:/export"\n'
	setup --from-kdump
	equal "debian: exit" "$status" 0
	conf "debian: configuration" \
		"ext4 UUID=1111-aaaa,path /var/dumps,naming debian,core_collector makedumpfile -c -d 17,keep 3,failure_action halt,"
	has "debian: the old service" "$root/log" "systemctl disable kdump-tools.service"
	has "debian: a reservation that stays when kdump-tools goes" \
		"$root/etc/default/grub.d/crashpod.cfg" crashkernel=240M

	debian hostile
	put etc/default/kdump-tools 'KDUMP_COREDIR="$(touch /tmp/x)"\nMAKEDUMP_ARGS="-d 99"\n'
	setup --from-kdump
	equal "debian, no plain values: exit" "$status" 0
	conf "debian, no plain values: defaults" "ext4 UUID=1111-aaaa,path /var/crash,naming debian,"
	has "debian, no plain values: said" "$root/out" "MAKEDUMP_ARGS=-d 99 is left out"

	debian settings
	put etc/default/kdump-tools 'KDUMP_KERNEL=/var/lib/kdump/vmlinuz\nKDUMP_COMPRESSION=gzip
KDUMP_CMDLINE_APPEND="nr_cpus=1 debug"\n#KDUMP_KEXEC_ARGS="--x"\n'
	setup --from-kdump
	has "debian, no counterpart: said" "$root/out" "KDUMP_COMPRESSION=gzip is left out"
	has "debian, no counterpart: said" "$root/out" "KDUMP_CMDLINE_APPEND=nr_cpus=1 debug is left"
	has_not "debian, as it comes: not said" "$root/out" KDUMP_KERNEL
	has_not "debian, a comment: not said" "$root/out" KDUMP_KEXEC_ARGS

	debian nfs
	put etc/default/kdump-tools 'NFS="host:/export"\n'
	before=$(state)
	setup --from-kdump
	equal "debian, NFS: exit" "$status" 1
	has "debian, NFS: said" "$root/out" "NFS=host:/export: dumps to the network"
	equal "debian, NFS: nothing is changed" "$(state)" "$before"

	begin none
	setup --from-kdump
	equal "no kdump: exit" "$status" 1
	has "no kdump: said" "$root/out" "there is neither /etc/kdump.conf nor"
}

from_rhel
from_debian
take_over
finish
