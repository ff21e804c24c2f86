#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Run a program in another root: enter-root.sh ROOT BOUND COMMAND...
# BOUND, a directory, is seen at the same path inside. To be started by unshare -m: the mounts
# live in a mount namespace that dies with the program, so nothing is left to clean.
set -eu
root=$1
bound=$2
shift 2
mkdir -p "$root$bound"
mount --bind "$bound" "$root$bound"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" "$@"
