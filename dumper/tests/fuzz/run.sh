#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh - give each fuzz target its seeds, run it, and print what came of it.
# usage: run.sh DIR SECONDS JOBS TARGET...
# DIR/bin holds the programs; DIR/corpus/TARGET, DIR/findings/TARGET-* and DIR/log/TARGET are written.
# Exit: 0 nothing found; 1 a finding, or a target that did not run.
set -eu

dir=$1 seconds=$2 jobs=$3
shift 3

# Most bytes of an input: what a target's seeds need, and not much more.
max_len() {
	case $1 in
	conf | vmcoreinfo) echo 8192 ;;
	dmesg | record) echo 16384 ;;
	elf | whole) echo 262144 ;;
	*) echo 65536 ;;
	esac
}

run_one() {
	corpus=$dir/corpus/$1
	mkdir -p "$corpus" "$dir/findings" "$dir/log"
	rm -f "$dir/findings/$1"-*
	"$dir/bin/fuzz_tool" seeds "$1" "$corpus"
	status=0
	"$dir/bin/$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-malloc_limit_mb=1024 -max_len="$(max_len "$1")" -print_final_stats=1 \
		-artifact_prefix="$dir/findings/$1-" "$corpus" >"$dir/log/$1" 2>&1 || status=$?
	echo "$status" >"$dir/log/$1.status"
}

# A field of the log's last line of progress, or of its final numbers.
last() { # TARGET PATTERN
	sed -n "s/$2/\\1/p" "$dir/log/$1" | tail -n 1
}

row() {
	runs=$(last "$1" '^stat::number_of_executed_units: *\([0-9]*\)$')
	# of the lines of progress: a run that ends with a finding has no final one
	[ -n "$runs" ] || runs=$(last "$1" '^#\([0-9]*\).*cov: .*')
	edges=$(last "$1" '^#[0-9].* cov: \([0-9]*\) .*')
	took=$(last "$1" '^Done .* in \([0-9]*\) second.*')
	found=$(find "$dir/findings" -name "$1-*" | wc -l)
	printf '%-12s %10s %8s %8s %8s\n' "$1" "${runs:-0}" "${took:--}" "${edges:-0}" "$found"
	[ "$found" -eq 0 ] && [ "$(cat "$dir/log/$1.status")" -eq 0 ] && [ "${runs:-0}" -gt 0 ]
}

running=0
for target; do
	run_one "$target" &
	running=$((running + 1))
	if [ "$running" -ge "$jobs" ]; then
		wait
		running=0
	fi
done
wait

bad=0
printf '%-12s %10s %8s %8s %8s\n' target runs seconds edges findings
for target; do
	row "$target" || bad=1
done
if [ "$bad" -ne 0 ]; then
	echo "inputs are in $dir/findings, reports in $dir/log" >&2
fi
exit "$bad"
