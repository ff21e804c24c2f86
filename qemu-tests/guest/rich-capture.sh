#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /capture of such a guest: crashpod's dump of it, then /proc/vmcore whole on the disk vdb.
# What each gave and how long it took is in /target/test/out/capture.times.
set -u
out=/target/test/out

timed()
{
	name=$1
	shift
	from=$(cut -d' ' -f1 /proc/uptime)
	"$@"
	echo "$name $? $from $(cut -d' ' -f1 /proc/uptime)" >> $out/capture.times
	echo "test-mark: $name" > /dev/console
}

copy_vmcore()
{
	copy /proc/vmcore /dev/vdb > $out/vmcore.bytes
}

cat /proc/meminfo /proc/iomem > $out/facts/capture
if test -x /bin/crashpod; then
	timed live crashpod dump -q -d 31 --stats $out/live.stats /proc/vmcore $out/live.kdump
fi
timed copy copy_vmcore
