#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A distribution's kernel: GROUND_KERNEL is a directory with boot/ and lib/modules/KVER (or
# usr/lib/modules/KVER) of one kernel, as `dpkg-deb -x` leaves it.
# shellcheck disable=SC1091,SC2034,SC2154 # variables shared with common.sh
. "$(dirname "$0")/common.sh"
root=${GROUND_KERNEL:-$test_dir/../../build/ground/kernels/6.1-cloud/root}
test -d "$root" || {
	echo "not ok setup: no kernel in $root: set GROUND_KERNEL"
	exit 1
}
make_lab
set_conf 'ext4 UUID=1' 'xfs UUID=2'
for d in "$root"/lib/modules/* "$root"/usr/lib/modules/*; do
	test ! -d "$d/kernel" || kver=${d##*/}
done

for n in one two; do
	build --modules-root "$root" --generic --compress none -o "$lab/$n"
	result "builds-$n" "$(cat "$lab/stderr")" test "$rc" -eq 0
done
result reproducible 'two builds differ' cmp -s "$lab/one" "$lab/two"

# Every module comes after those it depends on, by the kernel's own modules.dep.
image_cat "$lab/one" etc/crashpod.modules > "$lab/list"
result has-modules 'the list is empty' test -s "$lab/list"
in_order()
{
	while read -r path parameters; do
		file=$(find "$root" -name "$(basename "$path")*" | head -n 1)
		modinfo -F depends "$file" | tr ',-' '\n_' | while read -r need; do
			test -z "$need" && continue
			grep -q -e "/$need\.ko" "$lab/before" || exit 1
		done || {
			echo "# $path: something it needs is not before it ${parameters:-}"
			return 1
		}
		echo "$path" | sed -e 's/-/_/g' >> "$lab/before"
	done < "$lab/list"
}
: > "$lab/before"
result in-order 'a module is before one it needs' in_order

same_bytes()
{
	file=$(find "$root" -name 'xfs.ko*')
	inside=$(sed -n -e 's,^/\(.*/xfs\.ko[^ ]*\).*,\1,p' "$lab/list")
	image_cat "$lab/one" "$inside" > "$lab/xfs.ko"
	# the kernel unpacks it itself
	if test "${inside##*/}" = "${file##*/}"; then
		cmp -s "$file" "$lab/xfs.ko"
		return
	fi
	case $file in
	*.xz) xz -dc "$file" ;;
	*.zst) zstd -dcq "$file" ;;
	*) cat "$file" ;;
	esac | cmp -s - "$lab/xfs.ko"
}
result same-bytes 'the signed module was changed' same_bytes

finish
