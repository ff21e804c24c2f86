#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /test/crash of such a guest: what a sync would have cleaned, the census, the end.
set -eu
classes "$(cat /test/seed)" /test/out/manifest.late dirty fragments > /test/out/late.log 2>&1
census /test/out/facts >> /test/out/late.log 2>&1
# The disk gets nothing more but what is synced by itself.
cat /test/out/late.log > /dev/console
echo "test-mark: counted" > /dev/console
# the line is to be out before the panic writes over it
usleep 200000
echo c > /proc/sysrq-trigger
