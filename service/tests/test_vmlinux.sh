#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_vmlinux.sh - crashpod vmlinux: its command line, and files that are no dumps. Dumps are asked by
# qemu-tests/run.py vmlinux.
# shellcheck disable=SC1091,SC2154 # common.sh; its variables
. "$(dirname "$(readlink -f "$0")")/common.sh"

root=$lab

# vmlinux STATUS TEXT ARGUMENT...
vmlinux()
{
	want=$1 text=$2 status=0
	shift 2
	"$CRASHPOD" vmlinux "$@" > "$root/out" 2>&1 < /dev/null || status=$?
	equal "vmlinux $*: exit" "$status" "$want"
	has "vmlinux $*: says why" "$root/out" "$text"
}

put text 'Linux version 6.1.0\n'
put empty ''
vmlinux 2 "no dump given"
vmlinux 2 "no dump given" --json
vmlinux 2 "no dump given" --run -- "$root/text"
vmlinux 2 "one dump only" "$root/text" "$root/empty"
vmlinux 2 "--run and --json together" --run --json "$root/text"
vmlinux 2 "arguments after -- are for --run" "$root/text" -- -s
vmlinux 2 "--root needs an absolute path" "$root/text" --root
vmlinux 2 "--root needs an absolute path" --root there "$root/text"
vmlinux 2 "unknown option" --crash "$root/text"
vmlinux 1 "crashpod vmlinux: " "$root/text"
vmlinux 1 "crashpod vmlinux: " "$root/empty"
vmlinux 1 "No such file" "$root/none"
vmlinux 1 "No such file" --json --root / "$root/none"
finish
