#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_setup_rc.sh - crashpod setup in made-up roots without systemd: the rc script is run at boot, and
# not any more; and the script itself.
# shellcheck disable=SC1091,SC2016,SC2154 # common.sh; texts of made-up files; its variables
. "$(dirname "$(readlink -f "$0")")/common.sh"

hooks=$top/service/hooks

# setup OPTION...: its output is in $root/out, its exit status in $status
setup()
{
	status=0
	"$CRASHPOD" setup --root "$root" -k "$kver" "$@" > "$root/out" 2>&1 < /dev/null || status=$?
}

# sysv NAME: Debian without systemd; crashpod's script is known and off, as its package leaves it
sysv()
{
	begin "$1"
	rm -r "$root/run/systemd" "$root/usr/lib/systemd" "$root/bin/systemctl"
	put etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'
	mkdir -p "$root/etc/default/grub.d"
	program bin/update-grub
	program etc/init.d/crashpod
	put etc/inittab '# The default runlevel.\nid:2:initdefault:\nsi::sysinit:/etc/init.d/rcS\n'
	for level in 0 1 2 3 4 5 6; do
		mkdir -p "$root/etc/rc$level.d"
		ln -s ../init.d/crashpod "$root/etc/rc$level.d/K01crashpod"
	done
	# links as update-rc.d makes them
	program bin/update-rc.d 'verb=$2 name=$1
		test "$1" != -f || { verb=$3 name=$2; }
		for dir in '"$root"'/etc/rc[2-5].d; do
			old=$(ls "$dir" | grep "$name\$")
			case $verb in
			defaults) test -n "$old" || ln -s "../init.d/$name" "$dir/S03$name" ;;
			enable) test -z "$old" || { rm "$dir/$old"; ln -s "../init.d/$name" "$dir/S03$name"; } ;;
			disable) test -z "$old" || { rm "$dir/$old"; ln -s "../init.d/$name" "$dir/K01$name"; } ;;
			remove) rm -f "$dir/$old" ;;
			esac
		done'
}

# there_and_back NAME known|unknown CALLS: those for an unknown script
there_and_back()
{
	sysv "$1"
	test "$2" = known || rm "$root"/etc/rc?.d/K01crashpod
	before=$(state)
	setup --dry-run
	equal "$1: dry run: exit" "$status" 0
	has "$1: dry run: shows it" "$root/out" "run update-rc.d crashpod enable"
	equal "$1: dry run: nothing is changed" "$(state)" "$before"
	setup --yes
	equal "$1: exit" "$status" 0
	has "$1: says to reboot" "$root/out" "reboot, then ask crashpod status"
	equal "$1: programs" "$(cut -d ' ' -f 1-3 "$root/log" | tr '\n' ,)" \
		"mkinitrd -k $kver,update-grub ,${3}update-rc.d crashpod enable,"
	result "$1: runs at boot" "no link" test -L "$root/etc/rc2.d/S03crashpod"
	after=$(state)
	: > "$root/log"
	setup --yes
	equal "$1: again: exit" "$status" 0
	equal "$1: again: nothing is changed" "$(state)" "$after"
	equal "$1: again: nothing is run" "$(cat "$root/log")" ""
	setup --remove --yes
	equal "$1: remove: exit" "$status" 0
	has "$1: remove: stopped" "$root/log" "crashpod stop"
	equal "$1: remove: all is as it was" "$(state)" "$before"
}

# Only the runlevel counts that the next boot goes to.
other_runlevel()
{
	sysv other-runlevel
	mv "$root/etc/rc3.d/K01crashpod" "$root/etc/rc3.d/S03crashpod"
	setup --yes
	has "another runlevel's link: enabled all the same" "$root/log" "update-rc.d crashpod enable"
	result "another runlevel's link: runs at boot" "no link" test -L "$root/etc/rc2.d/S03crashpod"
}

loaded_at_once()
{
	sysv reserved
	put etc/default/grub 'GRUB_CMDLINE_LINUX="crashkernel=512M"\n'
	put sys/kernel/kexec_crash_size '536870912\n'
	setup --yes
	equal "reserved: exit" "$status" 0
	has "reserved: loaded at once" "$root/log" "crashpod restart"
	has "reserved: no reboot" "$root/out" "no reboot is needed"
}

with_chkconfig()
{
	sysv chkconfig
	rm "$root/bin/update-rc.d"
	mkdir "$root/etc/rc.d"
	rm -r "$root"/etc/rc?.d
	program sbin/chkconfig 'mkdir -p '"$root"'/etc/rc.d/rc3.d
		case "$*" in
		"crashpod on") ln -s x '"$root"'/etc/rc.d/rc3.d/S99crashpod ;;
		"--del crashpod") rm '"$root"'/etc/rc.d/rc3.d/S99crashpod ;;
		esac'
	put etc/inittab 'id:3:initdefault:\n'
	PATH=$root/sbin:$PATH
	setup --yes
	equal "chkconfig: exit" "$status" 0
	has "chkconfig: known" "$root/log" "chkconfig --add crashpod"
	has "chkconfig: on" "$root/log" "chkconfig crashpod on"
	setup --remove --yes
	equal "chkconfig: remove: exit" "$status" 0
	has "chkconfig: remove" "$root/log" "chkconfig --del crashpod"
}

in_the_way()
{
	sysv no-script
	rm "$root/etc/init.d/crashpod"
	setup --yes
	equal "no script: exit" "$status" 1
	has "no script: said" "$root/out" "to do: there is no systemd, and no /etc/init.d/crashpod"
	has "no script: the rest is done" "$root/etc/default/grub.d/crashpod.cfg" crashkernel=

	sysv no-tool
	rm "$root/bin/update-rc.d"
	setup --yes
	equal "no update-rc.d: exit" "$status" 1
	has "no update-rc.d: said" "$root/out" "to do: have /etc/init.d/crashpod run at boot"

	sysv tool-fails
	program bin/update-rc.d 'exit 1'
	setup --yes
	equal "update-rc.d fails: exit" "$status" 1
	has "update-rc.d fails: said" "$root/out" "update-rc.d failed with exit status 1"
}

kdump()
{
	sysv kdump
	program etc/init.d/kdump-tools
	ln -s ../init.d/kdump-tools "$root/etc/rc2.d/S02kdump-tools"
	before=$(state)
	setup --yes
	equal "kdump-tools: exit" "$status" 1
	has "kdump-tools: said" "$root/out" "/etc/init.d/kdump-tools is run at boot"
	equal "kdump-tools: nothing is changed" "$(state)" "$before"
	put etc/default/kdump-tools 'USE_KDUMP=1\nKDUMP_COREDIR="/var/crash"\n'
	setup --yes --from-kdump
	equal "from kdump-tools: exit" "$status" 0
	has "from kdump-tools: off" "$root/log" "update-rc.d kdump-tools disable"
	has "from kdump-tools: unloaded" "$root/log" "kdump-tools stop"
	: > "$root/log"
	setup --remove --yes
	equal "from kdump-tools: remove: exit" "$status" 0
	has "from kdump-tools: remove: on again" "$root/log" "update-rc.d kdump-tools enable"
}

# --- the script ---

# rc VERB: its output is in $root/out, its exit status in $status
rc()
{
	: > "$root/log"
	status=0
	CRASHPOD_ROOT=$root sh "$hooks/crashpod.init" "$1" > "$root/out" 2>&1 || status=$?
}

# later: until the last of what comes after the boot's step is there
later()
{
	i=0
	until grep -q collect "$root/log" || test $i -eq 50; do
		i=$((i + 1))
		sleep 0.2
	done
}

# called: what the script has had the program do
called()
{
	tr '\n' , < "$root/log" | sed -e "s/$(uname -r)/KVER/g"
}

machine()
{
	begin "$1"
	put etc/crashpod.conf 'ext4 UUID=1111-aaaa\n'
	put "var/lib/crashpod/initramfs-$(uname -r).img" image
	program usr/sbin/crashpod 'test "$1" != "${FAIL-}" || { echo "it cannot be done"; exit 1; }'
}

boot()
{
	machine rc-start
	rc start
	equal "start: exit" "$status" 0
	later
	equal "start: at once loaded, then the rest" "$(called)" \
		"crashpod load,crashpod refresh -k KVER --if-needed --reload,crashpod raw collect,"

	machine rc-no-image
	rm "$root"/var/lib/crashpod/*
	rc start
	later
	equal "no image: exit" "$status" 0
	equal "no image: made, then loaded" "$(called)" \
		"crashpod refresh -k KVER --if-missing,crashpod load,crashpod refresh -k KVER --if-needed --reload,crashpod raw collect,"

	machine rc-not-loaded
	FAIL=load
	export FAIL
	rc start
	unset FAIL
	later
	equal "it cannot be loaded: exit" "$status" 1
	has "it cannot be loaded: said" "$root/out" "it cannot be done"
	equal "it cannot be loaded: dumps are collected all the same" "$(called)" \
		"crashpod load,crashpod refresh -k KVER --if-needed --reload,crashpod raw collect,"

	machine rc-capture
	put proc/vmcore x
	rc start
	equal "in a capture kernel: exit" "$status" 0
	equal "in a capture kernel: nothing is done" "$(called)" ''

	machine rc-not-set-up
	rm "$root/etc/crashpod.conf"
	rc start
	equal "not set up: exit" "$status" 6
	has "not set up: said" "$root/out" "crashpod setup"
}

# The boot does not wait for what takes long.
no_waiting()
{
	machine rc-slow
	program usr/sbin/crashpod 'test "$1" != refresh || sleep 3'
	begun=$(date +%s)
	CRASHPOD_ROOT=$root sh "$hooks/crashpod.init" start > "$root/out" 2>&1
	result "a slow refresh: the boot goes on" "$(($(date +%s) - begun)) s" \
		test "$(($(date +%s) - begun))" -lt 3
	later
	has "a slow refresh: what comes after it is done" "$root/log" "crashpod raw collect"
}

verbs()
{
	machine rc-verbs
	rc stop
	equal "stop" "$status $(called)" "0 crashpod unload,"
	for level in 0 6; do
		RUNLEVEL=$level rc stop
		equal "stop on the way down, $level" "$status $(called)" "0 "
	done
	RUNLEVEL=1 rc stop
	equal "stop for one user" "$status $(called)" "0 crashpod unload,"
	rc reload
	equal "reload" "$status $(called)" "0 crashpod load --again,"
	rc status
	equal "status" "$status $(called)" "0 crashpod status,"
	FAIL=status
	export FAIL
	rc status
	unset FAIL
	equal "status: not ready" "$status" 3
	rc nonsense
	equal "usage" "$status" 2
	rm "$root/usr/sbin/crashpod"
	rc start
	equal "removed, not purged: start is quiet" "$status $(cat "$root/out")" "0 "
	rc stop
	equal "removed, not purged: stop is quiet" "$status $(cat "$root/out")" "0 "
	rc status
	equal "removed, not purged: status" "$status" 4
}

there_and_back known known ''
there_and_back unknown unknown 'update-rc.d crashpod defaults,'
other_runlevel
loaded_at_once
with_chkconfig
in_the_way
kdump
boot
no_waiting
verbs
finish
