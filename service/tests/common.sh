# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154 # variables shared with the tests
# common.sh - sourced by the shell tests of the commands of the production system: made-up roots
# whose programs write down how they were called.
# Environment: CRASHPOD (default build/crashpod of this checkout).

# shellcheck source=scripts/tests/results.sh
. "$(dirname "$(readlink -f "$0")")/../../scripts/tests/results.sh"

CRASHPOD=${CRASHPOD:-$(readlink -f "$top/build/crashpod" || true)}
export CRASHPOD
kver=6.6.6-test
host_path=$PATH:/usr/sbin:/sbin

quiet()
{
	"$@" > /dev/null 2>&1
}

# equal NAME GOT WANTED
equal()
{
	if test "$2" = "$3"; then ok "$1"; else not_ok "$1" "'$2' instead of '$3'"; fi
}

# has NAME FILE TEXT: a line with that text is in the file
has()
{
	if grep -q -F -e "$3" "$2"; then
		ok "$1"
	else
		not_ok "$1" "no '$3' in:"
		sed -e 's/^/# /' "$2"
	fi
}

# has_not NAME FILE TEXT
has_not()
{
	if grep -F -e "$3" "$2" > "$lab/found"; then
		not_ok "$1" "there is: $(cat "$lab/found")"
	else
		ok "$1"
	fi
}

# put FILE TEXT: TEXT is printf's format, below the root
put()
{
	mkdir -p "$root/$(dirname "$1")"
	# shellcheck disable=SC2059 # the texts are this directory's own
	printf "$2" > "$root/$1"
}

# program FILE [COMMANDS]: a script below the root that writes down its name and arguments, with
# the root as ROOT in them, and does COMMANDS.
program()
{
	mkdir -p "$root/$(dirname "$1")"
	cat > "$root/$1" <<-SCRIPT
		#!/bin/sh
		echo "\$(basename "\$0") \$*" | sed -e "s,$root,ROOT,g" >> "$root/log"
		${2:-}
	SCRIPT
	chmod 0755 "$root/$1"
}

# begin NAME: a root in which all is there but crashpod is not set up
begin()
{
	root=$lab/$1
	mkdir -p "$root/run/systemd/system" "$root/etc/systemd/system/multi-user.target.wants" \
		"$root/dev/disk/by-uuid" "$root/var/lib"
	: > "$root/log"
	put "boot/config-$kver" 'CONFIG_KEXEC_FILE=y\nCONFIG_CRASH_DUMP=y\nCONFIG_PROC_VMCORE=y
CONFIG_BLK_DEV_INITRD=y\nCONFIG_RELOCATABLE=y\n'
	put proc/self/mountinfo '22 1 254:1 / / rw shared:1 - ext4 /dev/vda1 rw\n'
	put proc/meminfo 'MemTotal: 4096000 kB\n'
	put proc/cmdline 'BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro quiet\n'
	put proc/iomem '00001000-7fffffff : System RAM\n'
	put sys/kernel/kexec_crash_size '0\n'
	put sys/kernel/kexec_crash_loaded '0\n'
	put etc/os-release 'NAME="Debian GNU/Linux"\nID=debian\n'
	put dev/vda1 ''
	ln -s ../../vda1 "$root/dev/disk/by-uuid/1111-aaaa"
	put usr/lib/systemd/system/crashpod.service ''
	put usr/lib/systemd/system/crashpod-collect.service ''
	# shellcheck disable=SC2016 # for the script itself
	program usr/lib/crashpod/mkinitrd 'while test $# -gt 0; do
			test "$1" != -o || out=$2
			shift
		done
		mkdir -p "${out%/*}" && echo image > "$out"'
	# links as systemctl makes them
	# shellcheck disable=SC2016
	program bin/systemctl 'wants='"$root"'/etc/systemd/system/multi-user.target.wants
		case $1 in
		enable) ln -sf "/usr/lib/systemd/system/$2" "$wants/$2" ;;
		disable) rm -f "$wants/$2" ;;
		esac'
	PATH=$root/bin:$host_path
}

# state: all files of the root, what is in them and their modes, but not what the programs wrote
state()
{
	(cd "$root" && find . -type f ! -name log ! -name out -exec sha256sum {} + | sort &&
		find . -type f ! -name log ! -name out -printf '%p %m\n' | sort &&
		find . -type l -printf '%p %l\n' | sort)
}
