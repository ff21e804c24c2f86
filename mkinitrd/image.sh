# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154 # variables shared with mkinitrd
# image.sh - the archive: what is in it, its compression, and putting it in its place. Sourced by
# mkinitrd.
#
# There is no /dev/console in the archive: the kernel's own rootfs, which is unpacked first, has
# it, and PID 1 mounts devtmpfs over /dev. So the builder need not be root, and root's image is
# the same as anyone's.

# The kernel's configuration as text; nothing where it cannot be found.
image_kernel_config()
{
	for f in "${modules_root%/}/boot/config-$kver" "$tree_source/config" \
		"${modules_root%/}/usr/lib/modules/$kver/config"; do
		test -f "$f" || continue
		cat "$f"
		return 0
	done
	if test "$modules_root" = / && test "$kver" = "$(uname -r)" && test -f /proc/config.gz; then
		gzip -dc /proc/config.gz
	fi
}

# image_kernel_unpacks KIND: whether the kernel takes such an initramfs. Where its configuration
# is not to be had, all but zstd (in the kernel since 5.9) are taken to be there.
image_kernel_unpacks()
{
	case $1 in
	zstd) symbol=CONFIG_RD_ZSTD ;;
	gzip) symbol=CONFIG_RD_GZIP ;;
	xz) symbol=CONFIG_RD_XZ ;;
	none) return 0 ;;
	esac
	if test -s "$work/kernel-config"; then
		grep -q -e "^$symbol=y" "$work/kernel-config"
	elif test "$1" = zstd; then
		image_release_since_5_9
	fi
}

image_release_since_5_9()
{
	major=${kver%%.*}
	minor=${kver#*.}
	minor=${minor%%[!0-9]*}
	case $major in
	'' | *[!0-9]*) return 1 ;;
	esac
	test "$major" -gt 5 || { test "$major" -eq 5 && test "${minor:-0}" -ge 9; }
}

image_pick_compression()
{
	image_kernel_config > "$work/kernel-config"
	if test -n "$compress"; then
		image_kernel_unpacks "$compress" ||
			fail "--compress $compress: kernel $kver cannot unpack that"
		image_need_tool || fail "--compress $compress: $compress is not installed"
		return 0
	fi
	for compress in zstd gzip xz none; do
		image_kernel_unpacks "$compress" || {
			say "note: kernel $kver cannot unpack $compress"
			continue
		}
		image_need_tool && return 0
		say "note: $compress is not installed"
	done
}

image_need_tool()
{
	test "$compress" = none || command -v "$compress" > /dev/null
}

# Everything that goes in, below $work/root.
image_stage()
{
	root=$work/root
	mkdir -p "$root/dev" "$root/etc" "$root/lib/modules" "$root/proc" "$root/run" "$root/sys" \
		"$root/target"
	cat "$init" > "$root/init"
	chmod 0755 "$root/init"
	cat "$work/conf" > "$root/etc/crashpod.conf"
	layers_stage
	: > "$root/etc/crashpod.modules"
	while IFS='|' read -r why line; do
		image_stage_module "$why" "${line%% *}" "$line"
	done < "$work/modules"
	image_firmware
}

# Whether the kernel itself unpacks the module file: it takes half the memory or less until it is
# loaded.
image_kernel_unpacks_module()
{
	case $1 in
	*.ko.gz) symbol=CONFIG_MODULE_COMPRESS_GZIP ;;
	*.ko.xz) symbol=CONFIG_MODULE_COMPRESS_XZ ;;
	*.ko.zst) symbol=CONFIG_MODULE_COMPRESS_ZSTD ;;
	*) return 1 ;;
	esac
	grep -q -e '^CONFIG_MODULE_DECOMPRESS=y' "$work/kernel-config" &&
		grep -q -e "^$symbol=y" "$work/kernel-config"
}

# image_stage_module WHY PATH LINE: LINE is the path, then the module's parameters.
image_stage_module()
{
	file=${2##*/}
	if image_kernel_unpacks_module "$2" && test -f "$2"; then
		cat "$2" > "$root/lib/modules/$file"
	else
		file=${file%%.ko*}.ko
		module_unpack "$2" "$root/lib/modules/$file"
	fi
	parameters=
	test "$3" = "$2" || parameters=" ${3#"$2" }"
	printf '/lib/modules/%s%s\n' "$file" "$parameters" >> "$root/etc/crashpod.modules"
	test "$dry_run" = no ||
		report "module ${file%%.ko*}: $(wc -c < "$root/lib/modules/$file") bytes," \
			"$tree_source${2#"$tree"}, for $1${parameters:+, options$parameters}"
}

# Few modules ask for firmware, so all are looked at together first.
image_firmware()
{
	test "$module_count" -gt 0 || return 0
	test -n "$(modinfo -F firmware "$root"/lib/modules/*.ko* 2> /dev/null)" || return 0
	for file in "$root"/lib/modules/*.ko*; do
		firmware=$(modinfo -F firmware "$file" 2> /dev/null | tr '\n' ' ')
		module_name "$file"
		test -z "$firmware" ||
			say "note: module $module may ask for firmware, which is not put in: ${firmware% }"
	done
}

# A small window keeps what the capture kernel needs for unpacking small: it has it beside all files,
# before it has given back the memory of its own start. Levels above 12 take three times as long for
# a thousandth.
image_compress()
{
	case $compress in
	zstd) zstd -q --single-thread -12 --zstd=wlog=17 -c "$1" ;;
	gzip) gzip -n -9 -c "$1" ;;
	xz) xz -T1 --check=crc32 --lzma2=preset=6,dict=1MiB -c "$1" ;;
	none) cat "$1" ;;
	esac
}

image_pack()
{
	epoch=${SOURCE_DATE_EPOCH:-0}
	case $epoch in
	'' | *[!0-9]*) fail "SOURCE_DATE_EPOCH=$epoch: not a number of seconds" ;;
	esac
	find "$root" -type d -exec chmod 0755 {} +
	find "$root" -type f ! -path "$root/init" -exec chmod 0644 {} +
	find "$root" -exec touch -d "@$epoch" {} +
	(cd "$root" && find . -mindepth 1 | sed -e 's,^\./,,' | sort |
		cpio -o -H newc --reproducible --quiet -R 0:0) > "$work/image.cpio" ||
		fail "cpio failed"
	image_compress "$work/image.cpio" > "$work/image" || fail "$compress failed"
	image_bytes=$(wc -c < "$work/image")
	report "image: $image_bytes bytes, $(wc -c < "$work/image.cpio") unpacked," \
		"$module_count modules, compression $compress"
}

image_install()
{
	out_dir=$(dirname "$out")
	if test "$out_dir" = /var/lib/crashpod; then
		mkdir -p "$out_dir" || fail "$out_dir: cannot be made"
	fi
	# of builds that the power was cut from
	find "$out_dir" -maxdepth 1 -type f -name '.mkinitrd.??????' -mmin +1440 -delete 2> /dev/null || :
	out_tmp=$(mktemp "$out_dir/.mkinitrd.XXXXXX") || fail "$out_dir: cannot write there"
	cat "$work/image" > "$out_tmp" || fail "$out: cannot be written"
	chmod 0644 "$out_tmp"
	sync "$out_tmp" || fail "$out: cannot be synced"
	mv -fT "$out_tmp" "$out" || fail "$out: cannot be put in place"
	out_tmp=
	sync "$out_dir"
}
