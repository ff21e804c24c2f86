# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154 # variables shared with mkinitrd
# modules.sh - from names of modules to files in load order. Sourced by mkinitrd.
#
# $work/requests holds what is asked for, a line each: need|want|built NAME WHY...; a name may be
# an alias. A module that is needed and neither there nor built in stops the build; one that is
# only wanted is noted; built is a driver of the running kernel that is no module. kmod answers
# every question; it is asked in $work/tree, where lib/modules/KVER is a link to the kernel's own
# directory, or a copy made of links where that directory has no index (a package unpacked with
# dpkg-deb -x) and depmod must write one.

tree_open()
{
	tree_source=
	for d in lib/modules usr/lib/modules; do
		test ! -d "${modules_root%/}/$d/$kver" || tree_source=${modules_root%/}/$d/$kver
		test -z "$tree_source" || break
	done
	test -n "$tree_source" ||
		fail "no modules of kernel $kver below $modules_root (lib/modules or usr/lib/modules)" \
			"install them"
	mkdir -p "$work/tree/lib/modules" "$work/tree/usr" "$work/seen" "$work/no-config"
	# kmod looks below lib or usr/lib, as it was built.
	ln -s ../lib "$work/tree/usr/lib"
	tree=$work/tree/lib/modules/$kver
	if test -f "$tree_source/modules.dep" && test -f "$tree_source/modules.dep.bin"; then
		ln -s "$(readlink -f "$tree_source")" "$tree"
	else
		tree_index
	fi
	tree_soft
	: > "$work/requests"
	: > "$work/modules"
	: > "$work/missing"
}

tree_index()
{
	cp -rs "$(readlink -f "$tree_source")" "$tree"
	# Without these depmod would mistake the kernel's headers for modules.
	rm -rf "$tree/build" "$tree/source"
	tree_plain ZLIB gz
	tree_plain XZ xz
	tree_plain ZSTD zst
	depmod -b "$work/tree" "$kver" 2> "$work/depmod.log" || {
		cat "$work/depmod.log" >&2
		fail "depmod failed for $tree_source"
	}
}

# Not every build of kmod reads every compression: what this one does not read is given plain.
tree_plain()
{
	modprobe --version | grep -q -e "+$1" && return 0
	find "$tree" -name "*.ko.$2" | while read -r file; do
		module_unpack "$file" "${file%."$2"}"
		rm "$file"
	done
}

# The options of the running system's modprobe.d belong to its own modules only.
tree_modprobe()
{
	if test "$modules_root" = /; then
		modprobe -d "$work/tree" -S "$kver" -i -D "$@"
	elif test -d "$modules_root/etc/modprobe.d"; then
		modprobe -C "$modules_root/etc/modprobe.d" -d "$work/tree" -S "$kver" -i -D "$@"
	else
		modprobe -C "$work/no-config" -d "$work/tree" -S "$kver" -i -D "$@"
	fi
}

# Of an alias whose modules are all blacklisted kmod says nothing, and calls that success.
tree_has()
{
	test -n "$(tree_modprobe -q "$1" 2> /dev/null)"
}

# module_request need|want NAME WHY
module_request()
{
	printf '%s %s %s\n' "$1" "$2" "$3" >> "$work/requests"
}

# The name of a module file, as the kernel writes it, in $module.
module_name()
{
	module=${1##*/}
	module=${module%%.ko*}
	while :; do
		case $module in
		*-*) module=${module%%-*}_${module#*-} ;;
		*) return 0 ;;
		esac
	done
}

# Soft and weak dependencies, in $work/soft/KIND/NAME (pre, post, weak), a module a line: one awk,
# not three for each module. modprobe looks at the first softdep line of a module only, and a module
# may have several.
tree_soft()
{
	mkdir -p "$work/soft/pre" "$work/soft/post" "$work/soft/weak"
	{
		for list in "$tree/modules.softdep" "$tree/modules.weakdep"; do
			test ! -f "$list" || cat "$list"
		done
		option_softdeps
	} | awk -v dir="$work/soft" '
		$1 == "softdep" || $1 == "weakdep" {
			gsub("[^A-Za-z0-9]", "_", $2)
			kind = $1 == "weakdep" ? "weak" : ""
			for (i = 3; i <= NF; i++)
				if ($i ~ /^(pre|post):$/)
					kind = substr($i, 1, length($i) - 1)
				else if (kind != "") {
					file = dir "/" kind "/" $2
					print $i >> file
					close(file)
				}
		}'
}

# Appends to $work/modules what NAME needs, in load order, each file once: "WHY|PATH OPTIONS".
# The loop is a subshell of its own at every level, so its variables are local.
module_close()
{
	tree_modprobe "$1" | while read -r verb path options; do
		case $path in
		"$work"/tree/usr/*) path=$work/tree/${path#"$work"/tree/usr/} ;; # a newer kmod
		esac
		module_name "$path"
		name=$module
		test ! -e "$work/seen/$name" || continue
		: > "$work/seen/$name"
		if test "$verb" = builtin; then
			report "built in: $name, for $2"
			continue
		fi
		# what a weak dependency names is loaded by the kernel when it is wanted, which it cannot
		# do where there is no modprobe: it goes in before the module
		module_close_soft "$name" weak
		module_close_soft "$name" pre
		printf '%s|%s\n' "$2" "$path${options:+ $options}" >> "$work/modules"
		module_close_soft "$name" post
	done
}

module_close_soft()
{
	test -f "$work/soft/$2/$1" || return 0
	while read -r soft; do
		if tree_has "$soft"; then
			module_close "$soft" "module $1"
		elif option_blacklisted "$soft"; then
			say "note: $soft, which module $1 can use, is blacklisted in modprobe.d: left out"
		else
			say "note: $soft, which module $1 can use, is not in $tree_source: left out"
		fi
	done < "$work/soft/$2/$1"
}

# kmod says nothing of a dependency whose file is gone: it leaves it out. So modules.dep is held
# against the list.
modules_verify()
{
	sed -e 's/^[^|]*|//' -e 's/ .*//' "$work/modules" > "$work/paths"
	awk -v top="$tree/" '
		FNR == NR { chosen[$1] = 1; next }
		{
			sub(":$", "", $1)
			for (i = 1; i <= NF; i++)
				$i = ($i ~ /^\//) ? $i : top $i
			if ($1 in chosen)
				for (i = 1; i <= NF; i++)
					if (!($i in chosen))
						print $1, $i
		}' "$work/paths" "$tree/modules.dep" > "$work/broken"
	while read -r path need; do
		module_name "$path"
		user=$module
		module_name "$need"
		say "module $user needs $module, which modules.dep has and $tree_source has not:" \
			"${need#"$tree"/}"
	done < "$work/broken"
	test ! -s "$work/broken" || fail "modules are missing in $tree_source, nothing was made"
}

modules_resolve()
{
	while read -r strength name why; do
		if test "$strength" = built; then
			report "built into the running kernel: $name, for $why"
		elif tree_has "$name"; then
			module_close "$name" "$why"
		elif test "$strength" = need && option_blacklisted "$name"; then
			option_close "$name" "$why"
		elif test "$strength" = need; then
			say "module $name is needed for $why and is not in $tree_source"
			echo "$name" >> "$work/missing"
		else
			say "note: module $name, for $why, is not in $tree_source: left out"
		fi
	done < "$work/requests"
	test ! -s "$work/missing" || fail "modules are missing in $tree_source, nothing was made"
	modules_verify
	module_count=$(wc -l < "$work/modules")
}

# module_unpack FROM TO: the module's bytes as they were signed.
module_unpack()
{
	test -f "$1" || fail "module file ${1#"$tree"/} is in modules.dep and not in $tree_source"
	case $1 in
	*.ko) cat "$1" > "$2" ;;
	*.ko.gz) module_filter "$1" "$2" gzip -dc ;;
	*.ko.xz) module_filter "$1" "$2" xz -dc ;;
	*.ko.zst) module_filter "$1" "$2" zstd -dcq ;;
	*) fail "$1: not a module file" ;;
	esac
}

module_filter()
{
	from=$1
	to=$2
	shift 2
	command -v "$1" > /dev/null || fail "$from: $1 is not installed"
	"$@" < "$from" > "$to" || fail "$from: $1 cannot unpack it"
}
