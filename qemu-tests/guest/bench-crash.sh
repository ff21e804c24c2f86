#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /test/crash of the guest that is measured: page cache, tmpfs, slab and anonymous memory as a
# machine at work has them, from the tree of a Debian system on vdc; then the end.
set -eu
exec 2> /test/out/crash.log
set -x
mkdir -p /mnt
mount -t ext4 -o ro /dev/vdc /mnt
mount -t tmpfs tmpfs /mnt/tmp
mount -o bind /proc /mnt/proc
mount -o bind /dev /mnt/dev
find /mnt -xdev -type f -size -20000k -print0 > /tmp/files
xargs -0 cat < /tmp/files > /dev/null
cp -a /mnt/usr/bin /mnt/usr/share/doc /mnt/tmp/
cp /test/fill.py /mnt/tmp/fill.py
chroot /mnt /usr/bin/python3 /tmp/fill.py 450 > /tmp/filled &
until grep -q filled /tmp/filled; do
	usleep 200000
done
echo "test-mark: filled" > /dev/console
cat /proc/meminfo > /test/out/meminfo
echo c > /proc/sysrq-trigger
