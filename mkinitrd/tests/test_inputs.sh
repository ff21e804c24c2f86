#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What an image was made from: the text beside it, and --if-needed, which makes an image only where
# that has changed.
# shellcheck disable=SC1091,SC2034,SC2154 # variables shared with common.sh
. "$(dirname "$0")/common.sh"
make_lab
set_conf 'xfs UUID=1111-2222'
place=$lab/var/lib/crashpod
out=$place/initramfs-$kver.img
text=$place/initramfs-$kver.inputs
mkdir -p "$place"

again()
{
	build --modules-root "$lab/root" -o "$out" --if-needed "$@"
}

# made NAME: the last build made the image. kept NAME: it did not.
made()
{
	result "$1" "$(cat "$lab/stderr")" said ' bytes, '
}

kept()
{
	result "$1" "$(cat "$lab/stderr")" said 'is up to date'
}

again --add-modules 'tunable efi_pstore'
result builds "$(cat "$lab/stderr")" test "$rc" -eq 0
made 'makes what is not there'
for line in 'crashpod-inputs 1' "kernel $kver" 'compression zstd' 'option --add-modules' \
	'option tunable efi_pstore' "init $(sha256sum < "$lab/init" | cut -d ' ' -f 1)" \
	"module virtio_blk $(sha256sum < "$tree/kernel/drivers/block/virtio_blk.ko" | cut -d ' ' -f 1)" \
	"image $(sha256sum < "$out" | cut -d ' ' -f 1)"; do
	result "text: $line" "$(cat "$text")" grep -q -x -F -e "$line" "$text"
done
again --add-modules 'tunable efi_pstore'
kept 'not made twice'

build --modules-root "$lab/root" -o "$out" --inputs --add-modules 'tunable efi_pstore'
same_text()
{
	grep -v '^image ' "$text" | cmp -s - "$lab/stdout"
}
result 'inputs: the same text' "$(diff "$text" "$lab/stdout")" same_text

printf '# a comment\n\nxfs   UUID=1111-2222\n' > "$lab/conf"
again --add-modules 'tunable efi_pstore'
kept 'a comment is no change'
for change in "echo 'dump_level 17' >> $lab/conf" "echo x >> $lab/init" \
	"echo x >> $out" "rm $text" "cp $text $lab/text && sed -i -e 1d $text"; do
	sh -c "$change"
	again --add-modules 'tunable efi_pstore'
	made "changed: ${change%%"$lab"*}"
	again --add-modules 'tunable efi_pstore'
	kept "and then kept: ${change%%"$lab"*}"
done
module drivers/block/virtio_blk.ko '' register_virtio 'alias=virtio:d00000002v*' 'author=another'
again --add-modules 'tunable efi_pstore'
made 'changed: a module'
again
made 'changed: the options'
no_options()
{
	! grep -q '^option --add' "$text"
}
result 'no options: none in the text' "$(cat "$text")" no_options
mkdir -p "$lab/root/etc/modprobe.d"
echo 'options virtio_blk queue_depth=3' > "$lab/root/etc/modprobe.d/x.conf"
again
made 'changed: modprobe.d'
result 'parameters are in the text' "$(cat "$text")" grep -q 'virtio_blk [0-9a-f]* queue_depth=3$' "$text"

# A build that fails leaves both.
before=$(sha256sum "$out" "$text")
set_conf 'xfs UUID=1111-2222' 'nonsense 1'
again
result 'fails: exit' "exit $rc" test "$rc" -eq 1
result 'fails: both stay' 'changed' test "$(sha256sum "$out" "$text")" = "$before"
result 'fails: no litter' "$(ls -A "$place")" test "$(find "$place" -type f | wc -l)" -eq 2

set_conf 'xfs UUID=1111-2222'
build --modules-root "$lab/root" -o "$lab/elsewhere.img" --if-needed
result 'elsewhere: made' "$(cat "$lab/stderr")" said ' bytes, '
result 'elsewhere: no text' 'there is one' test ! -e "$lab/elsewhere.inputs"
build --add-modules 'a
b'
result 'a line end in a value' "exit $rc" test "$rc" -eq 2
finish
