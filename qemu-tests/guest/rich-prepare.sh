#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /test/prepare of a guest whose memory is to hold every class of pages. /test/rich.conf says
# what the harness gives: DIMM_MIB to be plugged in when asked for, BALLOON_MIB to be taken away.
# What the kernel has not is not hidden here: the judge counts the pages afterwards.
set -eu
# shellcheck source=/dev/null
. /test/rich.conf
memory=/sys/devices/system/memory
facts=/test/out/facts

# wait_for COMMAND...: until it is true, 30 s at most.
wait_for()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		if test "$tries" -gt 300; then
			echo "gave up waiting for: $*"
			return 1
		fi
		usleep 100000
	done
}

# Nothing is to be moved, merged, split or written back behind our back, and what is freed is to
# be free, not to wait in a CPU's list for its next use.
still()
{
	for setting in kernel/numa_balancing=0 vm/compaction_proactiveness=0 \
		vm/dirty_writeback_centisecs=0 vm/dirty_expire_centisecs=360000 \
		vm/percpu_pagelist_high_fraction=100000; do
		file=/proc/sys/${setting%=*}
		if test -e "$file"; then echo "${setting#*=}" > "$file"; fi
	done
	if test -e /sys/kernel/mm/transparent_hugepage/khugepaged/defrag; then
		echo 0 > /sys/kernel/mm/transparent_hugepage/khugepaged/defrag
		echo madvise > /sys/kernel/mm/transparent_hugepage/enabled
	fi
}

block_names()
{
	find $memory -maxdepth 1 -name 'memory[0-9]*' | sort
}

has_blocks()
{
	test "$(block_names | wc -l)" -ge "$1"
}

# The plugged memory goes online as movable, and its last block offline again. Lines of
# facts/plugged: BLOCK STATE.
plug()
{
	block_names > /tmp/blocks
	size=$((0x$(cat $memory/block_size_bytes) / 1048576))
	echo "test-mark: want-dimm" > /dev/console
	wait_for has_blocks $(($(wc -l < /tmp/blocks) + DIMM_MIB / size))
	block_names | grep -v -x -F -f /tmp/blocks > /tmp/plugged
	# The kernel may have put them online by itself; a zone is chosen when a block is offline.
	while read -r block; do
		if test "$(cat "$block/state")" = online; then echo offline > "$block/state"; fi
	done < /tmp/plugged
	while read -r block; do
		echo online_movable > "$block/state"
	done < /tmp/plugged
	echo offline > "$(tail -n 1 /tmp/plugged)/state"
	while read -r block; do
		echo "$(basename "$block") $(cat "$block/state") $(cat "$block/phys_index")"
	done < /tmp/plugged > $facts/plugged
}

total_kib()
{
	sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

has_shrunk()
{
	test "$(total_kib)" -le "$1"
}

inflate()
{
	before=$(total_kib)
	echo "test-mark: want-balloon" > /dev/console
	wait_for has_shrunk $((before - BALLOON_MIB * 1024))
}

mkdir -p $facts /busy
still
mount -t debugfs debugfs /sys/kernel/debug
while read -r module; do
	insmod "/test/modules/$module"
done < /test/modules/order
mkswap /dev/vdc
swapon /dev/vdc
mount -t ext4 -o commit=600 /dev/vdd /busy
test "$DIMM_MIB" -eq 0 || plug
test "$BALLOON_MIB" -eq 0 || inflate
seed=$(cat /test/seed)
cat /boot/* > /dev/null
# shellcheck disable=SC2086 # both are lists
classes "$seed" /test/out/manifest.classes $CLASSES
# shellcheck disable=SC2086
poison "$seed" /test/out/manifest.poison $POISON
