# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154 # variables shared with mkinitrd
# inputs.sh - what an image is made from, as text: the same text, the same bytes. Sourced by
# mkinitrd.
#
# Beside an image in its own place (/var/lib/crashpod/initramfs-KVER.img) lies the text that it was
# made from, initramfs-KVER.inputs, with a last line of the image itself. A line each:
#	kernel RELEASE
#	compression KIND
#	option WORD           of the command line, those that `crashpod refresh` gives again
#	builder|init|conf|layers SHA256
#	module NAME SHA256 [PARAMETERS]
#	image SHA256

inputs_head='crashpod-inputs 1'

inputs_hash()
{
	sum=$(sha256sum)
	printf '%s\n' "${sum%% *}"
}

# inputs_option OPTION [VALUE]: kept for the next build of this image.
inputs_option()
{
	case $* in
	*'
'*) usage "$1: a line end in its value" ;;
	esac
	for word in "$@"; do
		given="${given}option $word
"
	done
}

# One sha256sum for all of them: status asks for this text, and a process each takes longer.
inputs_modules()
{
	set --
	while IFS='|' read -r _ line; do
		set -- "$@" "${line%% *}"
	done < "$work/modules"
	test $# -ne 0 || return 0
	sha256sum "$@" > "$work/sums" || fail "not all modules can be read"
	while IFS='|' read -r _ line && read -r sum _ <&3; do
		path=${line%% *}
		parameters=
		test "$line" = "$path" || parameters=" ${line#"$path" }"
		module_name "$path"
		printf 'module %s %s%s\n' "$module" "$sum" "$parameters"
	done < "$work/modules" 3< "$work/sums"
}

inputs_make()
{
	{
		printf '%s\nkernel %s\ncompression %s\n' "$inputs_head" "$kver" "$compress"
		printf '%s' "$given"
		printf 'builder %s\n' "$(cat "$self_dir"/mkinitrd "$self_dir"/*.sh | inputs_hash)"
		printf 'init %s\n' "$(inputs_hash < "$init")"
		printf 'conf %s\n' "$(inputs_hash < "$work/conf")"
		test ! -s "$work/layers" || printf 'layers %s\n' "$(inputs_hash < "$work/layers")"
		inputs_modules
	} > "$work/inputs"
}

# Where the text of OUT belongs; nothing where OUT is not in its own place.
inputs_place()
{
	case $out in
	*/var/lib/crashpod/initramfs-*.img) printf '%s\n' "${out%.img}.inputs" ;;
	esac
}

inputs_with_image()
{
	cat "$work/inputs"
	printf 'image %s\n' "$(inputs_hash < "$1")"
}

# Whether OUT is what these inputs make.
inputs_same()
{
	record=$(inputs_place)
	test -n "$record" && test -f "$record" && test -f "$out" || return 1
	inputs_with_image "$out" | cmp -s - "$record"
}

# After the image: what is cut off in between has a text that is not of its image.
inputs_install()
{
	record=$(inputs_place)
	test -n "$record" || return 0
	out_tmp=$(mktemp "$out_dir/.mkinitrd.XXXXXX") || fail "$out_dir: cannot write there"
	inputs_with_image "$work/image" > "$out_tmp" || fail "$record: cannot be written"
	chmod 0644 "$out_tmp"
	sync "$out_tmp" || fail "$record: cannot be synced"
	mv -fT "$out_tmp" "$record" || fail "$record: cannot be put in place"
	out_tmp=
	sync "$out_dir"
}
