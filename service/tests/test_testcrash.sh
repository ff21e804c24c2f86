#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_testcrash.sh - crashpod test on made-up roots, in which nothing can crash: what it says, asks,
# refuses, and leaves.
# shellcheck source=service/tests/common.sh
. "$(dirname "$0")/common.sh"

boot=11111111-2222-3333-4444-555555555555

armed()
{
	begin "$1"
	put sys/kernel/kexec_crash_size '268435456\n'
	put sys/kernel/kexec_crash_loaded "${2:-1}\\n"
	put proc/sys/kernel/random/boot_id "$boot\\n"
	put proc/sys/kernel/osrelease "$kver\\n"
	put proc/sysrq-trigger ''
	put dev/kmsg ''
}

# run INPUT ARGUMENT...: its exit status in $rc, what it said in $lab/said
run()
{
	input=$1
	shift
	rc=0
	printf '%s' "$input" | "$CRASHPOD" test --root "$root" "$@" > "$lab/said" 2>&1 || rc=$?
}

nothing_done()
{
	equal "$1: nothing is crashed" "$(cat "$root/proc/sysrq-trigger")" ""
	result "$1: no marker is left" "there is one" test ! -e "$root/var/lib/crashpod/test.json"
}

armed unloaded 0
run '' --yes
equal "not loaded: it fails" "$rc" 1
has "not loaded: it says so" "$lab/said" "no capture kernel is loaded: a crash now would leave nothing"
nothing_done "not loaded"

n=0
for word in '' 'yes
' 'CRASH
' 'crash it
'; do
	n=$((n + 1))
	armed refused$n
	run "$word"
	equal "other word $n: it fails" "$rc" 1
	has "other word $n: it asks" "$lab/said" "Type 'crash' to crash the machine now: "
	has "other word $n: it says so" "$lab/said" "not confirmed: nothing was done"
	nothing_done "other word $n"
done
has "what is reserved is shown" "$lab/said" "ok: 256 MiB reserved for the capture kernel"
has "what will be lost is told" "$lab/said" "what is not saved is lost"
has "what is missing is told" "$lab/said" "As it stands, the dump may fail"

for way in word yes; do
	armed "$way"
	if test $way = word; then run 'crash
'; else run '' --yes; fi
	# here the machine goes on, and that is what it has to say
	equal "$way: it fails where the machine goes on" "$rc" 1
	has "$way: it says that it goes on" "$lab/said" "the machine goes on: sysrq-c did not crash it"
	equal "$way: sysrq-c" "$(cat "$root/proc/sysrq-trigger")" c
	has "$way: the log has the boot" "$root/dev/kmsg" "<5>crashpod: test crash of boot $boot"
	has "$way: the marker has the boot" "$root/var/lib/crashpod/test.json" "\"boot_id\": \"$boot\""
	equal "$way: the marker is root's alone" \
		"$(stat -c %a "$root/var/lib/crashpod/test.json")" 600
done

# the same boot goes on
run '' --result
equal "same boot: it fails" "$rc" 1
has "same boot: it says so" "$lab/said" "wrong: a test was begun, but this is still the same boot"
put proc/sys/kernel/random/boot_id '99999999-2222-3333-4444-555555555555\n'
mkdir -p "$root/var/crash"
run '' --result
equal "no dump: it fails" "$rc" 1
has "no dump: it says so" "$lab/said" "wrong: no dump of that crash is in $root/var/crash"
run '' --result --json
equal "no dump: JSON fails too" "$rc" 1
has "no dump: JSON" "$lab/said" '"good": false'

armed no-sysrq
rm "$root/proc/sysrq-trigger"
run '' --yes
equal "no sysrq: it fails" "$rc" 1
has "no sysrq: it says so" "$lab/said" "/proc/sysrq-trigger: No such file"
result "no sysrq: no marker is left" "there is one" test ! -e "$root/var/lib/crashpod/test.json"

for bad in '--json' '--root x' 'now' '--what'; do
	rc=0
	# shellcheck disable=SC2086 # words
	"$CRASHPOD" test $bad > "$lab/said" 2>&1 || rc=$?
	equal "test $bad: usage" "$rc" 2
done
finish
