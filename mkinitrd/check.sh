# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154 # variables shared with mkinitrd
# check.sh - `mkinitrd --check`: whether an image fits this machine as it is. Sourced by mkinitrd.
#
# The chain of each target from its file system to the controller is what a build asks for; then the
# image is held against the one that would be made. Lines on standard output: "ok TEXT", or
# "bad TEXT: WHAT TO DO" (behind the last colon). A target that cannot be looked at is one bad line,
# and the next one is looked at.

check_ok()
{
	printf 'ok %s\n' "$*"
}

# check_bad TEXT [WHAT TO DO]
check_bad()
{
	printf 'bad %s: %s\n' "$1" "${2:-$check_mend}"
	test -z "$work" || : > "$work/bad"
}

check_main()
{
	check_mend="run crashpod-mkinitrd -k $kver and crashpod load"
	check_open
	tree_open
	image_kernel_config > "$work/kernel-config"
	: > "$work/all"
	target_watchdogs
	check_requests
	targets=0
	while read -r kind device; do
		chain_is_target "$kind" || continue
		targets=$((targets + 1))
		(check_target "$kind" "$device") || : > "$work/bad"
	done < "$work/conf"
	test "$targets" -gt 0 || check_bad "$conf names no target" "add a line as 'ext4 UUID=...'"
	: > "$work/requests"
	target_pstore
	target_added
	check_requests
	test "$targets" -eq 0 || (check_whole) || : > "$work/bad"
	test ! -e "$work/bad"
}

# The files of the image, below $work/image; the names of its modules in $work/have.
check_open()
{
	test -f "$out" || fail "there is no image $out"
	case $(head -c 4 "$out" | od -An -tx1 | tr -d ' \n') in
	28b52ffd) set -- zstd -dcq ;;
	1f8b*) set -- gzip -dc ;;
	fd377a58) set -- xz -dc ;;
	30373037) set -- cat ;;
	*) fail "$out is not an initramfs" ;;
	esac
	command -v "$1" > /dev/null || fail "$out cannot be read without $1" "install $1"
	mkdir -p "$work/image/etc"
	"$@" < "$out" > "$work/image.cpio" 2> /dev/null || fail "$out is damaged"
	(cd "$work/image" && cpio -id --quiet --no-absolute-filenames init 'etc/*' \
		'lib/modules/*.ko*' < ../image.cpio 2> /dev/null) || fail "$out is damaged"
	test -f "$work/image/etc/crashpod.modules" || fail "$out was not made by mkinitrd"
	check_names < "$work/image/etc/crashpod.modules" > "$work/have"
}

check_names()
{
	sed -e 's/ .*//' -e 's,.*/,,' -e 's/\.ko\(\.[a-z]*\)*$//' -e 's/-/_/g'
}

check_target()
{
	: > "$work/requests"
	if chain_is_fs "$1"; then
		target_fs "$1" "$2"
		chain_fs "$1" "$2" 2> /dev/null # its notes are for those who build
	fi
	target_device "$1" "$2"
	check_ok "target $1 $2: device $target_name"
	check_requests
}

# What was asked for, from the file system to the controller.
check_requests()
{
	while read -r strength name why; do
		check_link "$strength" "$name" "$why"
	done < "$work/requests"
	cat "$work/requests" >> "$work/all"
}

# check_link need|want|built NAME WHY
check_link()
{
	if test "$1" = built; then
		check_ok "$3: built into the running kernel"
		return 0
	fi
	module=
	lacks=
	check_files "$1" "$2" > "$work/files"
	while read -r verb path _; do
		test "$verb" = insmod || continue
		module_name "$path"
		grep -q -x -e "$module" "$work/have" || lacks="$lacks $module"
	done < "$work/files"
	if test -n "$lacks"; then
		check_bad "$3: not in the image:$lacks"
	elif test -n "$module"; then
		check_ok "$3: module $module is in the image"
	elif test -s "$work/files"; then
		check_ok "$3: built into kernel $kver"
	elif test "$1" = want; then
		check_ok "$3: kernel $kver has no module $2, which may be left out"
	else
		check_bad "$3: kernel $kver has no module $2" "install its modules, or take another target"
	fi
}

# check_files need|want NAME: the files of a module or alias in load order. A blacklist keeps out
# what is only wanted.
check_files()
{
	if tree_has "$2"; then
		tree_modprobe -q "$2"
	elif test "$1" = need; then
		for blacklisted in $(option_modules "$2"); do
			tree_modprobe -q "$blacklisted"
		done
	fi
}

# What a build would put in, and what the image has.
check_whole()
{
	cp "$work/all" "$work/requests"
	again=$check_mend
	check_mend="install the modules of kernel $kver"
	modules_resolve 2> /dev/null
	image_stage 2> /dev/null
	check_mend=$again
	check_same etc/crashpod.conf "the configuration $conf"
	test ! -e "$root/etc/crashpod.layers" ||
		check_same etc/crashpod.layers 'the table of arrays and volumes'
	check_same init "PID 1 $init"
	check_modules
}

# check_same FILE TEXT
check_same()
{
	if cmp -s "$root/$1" "$work/image/$1"; then
		check_ok "$2 is as it is in the image"
	else
		check_bad "$2 is another one in the image"
	fi
}

# Modules that the links above load with them, parameters, and the files: those of an updated kernel
# of the same release may not fit the old one.
check_modules()
{
	lacks=
	other=
	while read -r path parameters; do
		file=${path##*/}
		line="$path${parameters:+ $parameters}"
		if test ! -f "$work/image$path"; then
			lacks="$lacks ${file%%.ko*}"
		elif ! cmp -s "$root$path" "$work/image$path" ||
			! grep -q -x -F -e "$line" "$work/image/etc/crashpod.modules"; then
			other="$other ${file%%.ko*}"
		fi
	done < "$root/etc/crashpod.modules"
	if test -n "$lacks"; then
		check_bad "modules: not in the image:$lacks"
	elif test -n "$other"; then
		check_bad "modules: of another build or with other options in the image:$other"
	else
		check_ok "modules: all $module_count that a build takes are in the image, with their options"
	fi
}
