#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The image: same bytes each time, whole or not at all, small, and holding what it should.
# shellcheck disable=SC1091,SC2034,SC2154 # variables shared with common.sh
. "$(dirname "$0")/common.sh"
make_lab
set_conf 'xfs UUID=1111-2222' 'dump_level 17'
root=$lab/root

touch "$lab/.mkinitrd.young1"
touch -d '2 days ago' "$lab/.mkinitrd.older1" "$lab/.mkinitrd.another-name"
build --modules-root "$root" -o "$lab/one" --compress none
result leftovers "$(ls -a "$lab")" test -e "$lab/.mkinitrd.young1" -a -e "$lab/.mkinitrd.another-name" \
	-a ! -e "$lab/.mkinitrd.older1"
result builds "$(cat "$lab/stderr")" test "$rc" -eq 0
sleep 1 # file times must not matter
touch "$lab/init" "$root/boot"
build --modules-root "$root" -o "$lab/two" --compress none
result reproducible 'two builds differ' cmp -s "$lab/one" "$lab/two"

sed -i -e 's/17/31/' "$lab/conf"
build --modules-root "$root" -o "$lab/other" --compress none
differs()
{
	! cmp -s "$lab/one" "$lab/other"
}
result inputs-matter 'another dump_level gave the same image' differs

for kind in zstd gzip xz; do
	build --modules-root "$root" -o "$lab/packed" --compress $kind
	$kind -dc < "$lab/packed" > "$lab/unpacked" || true
	result "unpacks-$kind" 'is not the archive of --compress none' \
		cmp -s "$lab/unpacked" "$lab/other"
	cp "$lab/packed" "$lab/packed.first"
	build --modules-root "$root" -o "$lab/packed" --compress $kind
	result "reproducible-$kind" 'two builds differ' cmp -s "$lab/packed" "$lab/packed.first"
done

image_list "$lab/one" > "$lab/list"
cat > "$lab/want" <<'TEXT'
dev
etc
etc/crashpod.conf
etc/crashpod.modules
init
lib
lib/modules
lib/modules/crc-lib.ko
lib/modules/fast-crc.ko
lib/modules/virtio.ko
lib/modules/virtio_blk.ko
lib/modules/virtio_pci.ko
lib/modules/xfs.ko
proc
run
sys
target
TEXT
result contents "$(diff "$lab/want" "$lab/list" | tr '\n' ' ')" cmp -s "$lab/want" "$lab/list"

owners()
{
	cpio -itvn --quiet < "$lab/one" | awk '$3 != 0 || $4 != 0 || $0 !~ /1970/ { bad = 1 }
		$1 ~ /^-/ && $1 != ($NF == "init" ? "-rwxr-xr-x" : "-rw-r--r--") { bad = 1 }
		END { exit bad }'
}
result owners 'an owner, a mode or a time is not normalised' owners

image_cat "$lab/one" etc/crashpod.conf > "$lab/conf-in-image"
result conf 'not what crashpod conf prints' grep -q -x -e 'dump_level 17' "$lab/conf-in-image"

SOURCE_DATE_EPOCH=86400 build --modules-root "$root" -o "$lab/dated" --compress none
dated()
{
	cpio -itvn --quiet < "$lab/dated" | grep -q -e 'Jan  2  1970 init'
}
result source-date-epoch 'the files are not of that time' dated

# A module stays compressed where the kernel unpacks it, and only there.
xz -T1 "$tree/kernel/fs/xfs/xfs.ko"
set_conf 'xfs UUID=1111-2222'
build --modules-root "$root" -o "$lab/unpacked" --compress none
image_cat "$lab/unpacked" lib/modules/xfs.ko > "$lab/xfs.ko"
xz -dc "$tree/kernel/fs/xfs/xfs.ko.xz" > "$lab/xfs.plain"
result module-unpacked "$(cat "$lab/stderr")" cmp -s "$lab/xfs.plain" "$lab/xfs.ko"
cp "$root/boot/config-$kver" "$lab/config.before"
printf 'CONFIG_MODULE_DECOMPRESS=y\nCONFIG_MODULE_COMPRESS_XZ=y\n' >> "$root/boot/config-$kver"
build --modules-root "$root" -o "$lab/compressed" --compress none
image_cat "$lab/compressed" lib/modules/xfs.ko.xz > "$lab/xfs.ko.xz"
result module-compressed "$(cat "$lab/stderr")" \
	cmp -s "$tree/kernel/fs/xfs/xfs.ko.xz" "$lab/xfs.ko.xz"
image_cat "$lab/compressed" etc/crashpod.modules > "$lab/list"
result module-compressed-listed "$(cat "$lab/list")" \
	grep -q -x -e /lib/modules/xfs.ko.xz "$lab/list"
cp "$lab/config.before" "$root/boot/config-$kver"
xz -d "$tree/kernel/fs/xfs/xfs.ko.xz"

# Built in file system and no driver asked for: no module.
set_conf 'ext4 UUID=9999'
head -c 600000 /dev/urandom > "$lab/big-init"
mv "$lab/init" "$lab/small-init"
cp "$lab/big-init" "$lab/init"
module drivers/tiny.ko '' ''
build --modules-root "$root" -o "$lab/small" --add-modules tiny
size=$(wc -c < "$lab/small" 2> /dev/null || echo 9999999)
result small "$size bytes of image for a PID 1 of 600000" test "$size" -lt 620000
mv "$lab/small-init" "$lab/init"

# OUT: a build that fails leaves the old one and no other file; so does --dry-run.
mkdir "$lab/place"
echo old > "$lab/place/out"
set_conf 'xfs UUID=1111-2222' 'no_such_directive 1'
build --modules-root "$root" -o "$lab/place/out"
result fails-with-1 "exit status $rc" test "$rc" -eq 1
result old-kept 'OUT was touched by a failing build' test "$(cat "$lab/place/out")" = old
set_conf 'xfs UUID=1111-2222'
build --modules-root "$root" -o "$lab/place/out" --dry-run
result dry-run-exit "$(cat "$lab/stderr")" test "$rc" -eq 0
result dry-run-writes-nothing 'OUT was touched' test "$(cat "$lab/place/out")" = old
result dry-run-reports "$(cat "$lab/stdout")" \
	grep -q -e 'module xfs: .*kernel/fs/xfs/xfs.ko, for file system xfs' "$lab/stdout"
result no-litter "$(ls -A "$lab/place")" test "$(ls -A "$lab/place")" = out
full()
{
	# A write that fails half-way: a file size limit of one block.
	(ulimit -f 1 && trap '' XFSZ 2> /dev/null && build --modules-root "$root" \
		-o "$lab/place/out" --compress none && test "$rc" -eq 1)
}
result disk-full 'the build did not fail' full
result disk-full-old-kept 'OUT was touched' test "$(cat "$lab/place/out")" = old
result disk-full-no-litter "$(ls -A "$lab/place")" test "$(ls -A "$lab/place")" = out
build --modules-root "$root" -o "$lab/place"
result directory-refused "$(cat "$lab/stderr")" said 'is a directory'
mkfifo "$lab/place/node" # stands for a device, which not everybody can make
build --modules-root "$root" -o "$lab/place/node"
result node-refused "$(cat "$lab/stderr")" said 'is not a regular file'
result node-kept 'OUT was replaced' test -p "$lab/place/node"
build --help
result help "exit status $rc" test "$rc" -eq 0
result help-text "$(cat "$lab/stdout")" grep -q '^usage: mkinitrd' "$lab/stdout"

finish
