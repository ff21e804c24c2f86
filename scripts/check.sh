#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# check.sh - everything `make check` asks for, counted: ends with "N passed, N failed" and exit 1
# when anything failed. Output of each part is in BUILD/check/PART.log.
# usage: check.sh [PART...]   (default: what `make check` runs)
#   all-kernels: the part that `make check-all` adds, hours of it
set -eu

cd "$(dirname "$0")/.."
: "${BUILD:=build}" "${KERNEL:=6.1-cloud}" "${SECOND:=new-cloud}"
MAKE=${MAKE:-make}
jobs=$(nproc)
logs=$BUILD/check
parts=${*:-"deps format gcc clang hardening unit tsan shellcheck install packages mkinitrd qemu"}
passed=0 failed=0

mkdir -p "$logs"

count() { # NPASSED NFAILED
	passed=$((passed + $1)) failed=$((failed + $2))
}

# one command, one result
one() { # NAME COMMAND...
	name=$1
	shift
	if "$@" >"$logs/$name.log" 2>&1; then
		echo "pass $name"
		count 1 0
	else
		echo "fail $name: see $logs/$name.log"
		tail -n 40 "$logs/$name.log"
		count 0 1
	fi
}

# A program that prints a line for each of its tests: lines that match PASS and FAIL are counted;
# one that fails without such a line, or runs no test at all, is a failure too.
many() { # NAME PASS FAIL COMMAND...
	name=$1 good_re=$2 bad_re=$3 status=0
	shift 3
	"$@" >"$logs/$name.log" 2>&1 || status=$?
	good=$(grep -Ec "$good_re" "$logs/$name.log") || true
	bad=$(grep -Ec "$bad_re" "$logs/$name.log") || true
	if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; }; then
		bad=1
	fi
	count "$good" "$bad"
	if [ "$bad" -eq 0 ]; then
		echo "pass $name: $good tests"
	else
		echo "fail $name: $bad of $((good + bad)) tests (exit $status), see $logs/$name.log"
		grep -E "$bad_re|ERROR|runtime error" "$logs/$name.log" | head -n 20 || true
		tail -n 15 "$logs/$name.log"
	fi
}

unit() {
	one unit-build "$MAKE" -j"$jobs" tests
	for t in "$BUILD"/tests/*/tests/test_*; do
		case $t in *.d | *.o) continue ;; esac
		if [ -x "$t" ]; then
			many "unit-$(basename "$t")" '^\[ *OK *\]' '^\[ *FAILED *\] [a-z]' "$t"
		fi
	done
	many record '^pass ' '^fail ' python3 qemu-tests/oracle/test_record.py
}

hardening() {
	many hardening '^ok ' '^not ok ' sh scripts/hardening.sh "$BUILD/init" "$BUILD/crashpod" \
		"$BUILD/clang/init" "$BUILD/clang/crashpod"
}

# A race is a report and another exit status, whatever the test itself says.
tsan() {
	one tsan-build "$MAKE" -j"$jobs" tsan-tests
	for t in "$BUILD"/tsan/*/tests/test_*; do
		many "tsan-$(basename "$t")" '^\[ *OK *\]' '^\[ *FAILED *\] [a-z]' \
			env CRASHPOD_TEST_THREADS=4 "$t"
	done
}

mkinitrd_tests() {
	for t in mkinitrd/tests/test_*.sh service/tests/test_*.sh; do
		many "$(basename "$t" .sh)" '^ok ' '^not ok ' sh "$t"
	done
}

install_tests() {
	for t in scripts/tests/test_*.sh; do
		many "$(basename "$t" .sh)" '^ok ' '^not ok ' sh "$t"
	done
}

# Needs a minute, and what deps.sh --packaging installs.
packages() {
	one deb "$MAKE" deb
	one rpm "$MAKE" rpm
	many packages '^ok ' '^not ok ' sh scripts/tests/packages.sh
}

# The kernels and the oracles are fetched while the compilers run.
ground_begin() {
	python3 qemu-tests/run.py ground "$KERNEL" "$SECOND" >"$logs/ground.log" 2>&1 &
	ground_pid=$!
}

ground_end() {
	if ! wait "$ground_pid"; then
		echo "fail ground: see $logs/ground.log"
		tail -n 20 "$logs/ground.log"
		count 0 1
	fi
}

# pass and fail lines have a slash in them, the last line of a run sums them up
qemu_run() { # NAME COMMAND OPTION...
	name=$1
	shift
	many "$name" '^pass .*/' '^fail .*/' python3 qemu-tests/run.py "$@"
	grep -E '^(pass|fail|lost)[: ]' "$logs/$name.log" | grep -v '^pass .*/' || true
}

qemu() {
	many pagediff '^pass ' '^fail ' python3 qemu-tests/oracle/test_pagediff.py
	qemu_run synth synth --sizes 64G 2T
	many memmap '^pass ' '^fail ' python3 qemu-tests/oracle/test_memmap.py
	qemu_run qemu-loop loop --kernel "$KERNEL"
	qemu_run qemu-loop-second loop --kernel "$SECOND" --format kdump
	qemu_run qemu-kexec-tools loop --kernel "$KERNEL" --format kdump --loader kexec-tools
	qemu_run qemu-cpus loop --kernel "$KERNEL" --format kdump --crashkernel 128M \
		--cpus 3 --capture-cpus 3 --panic-cpu 2 --conf 'compress zstd:-1'
	qemu_run qemu-estimate estimate --kernel "$KERNEL"
	qemu_run qemu-hostile hostile --kernel "$KERNEL" --only pages vmcoreinfo
	qemu_run qemu-faults faults --kernel "$KERNEL" --quick
	qemu_run qemu-layers layers --quick
	qemu_run qemu-crashtest crashtest --kernel "$KERNEL"
	qemu_run qemu-disks disks --quick
	qemu_run qemu-matrix matrix --kernel "$KERNEL" --profile plain --fresh --levels 1 31
	qemu_run qemu-matrix-second matrix --kernel "$SECOND" --profile plain --fresh --levels 31 \
		--formats kdump
	qemu_run qemu-value value --kernel "$KERNEL" --levels 31
	qemu_run qemu-vmlinux vmlinux --kernel "$KERNEL"
}

# crashpod's own, which cases of faults and layers are captured by
own_kernels() {
	if ! sh scripts/kernel.sh >"$logs/kernel.log" 2>&1 ||
		! KERNEL_OUT=${BUILD:-build}/kernel-all sh scripts/kernel.sh all >"$logs/kernel-all.log" 2>&1; then
		echo "fail own-kernels: see $logs/kernel.log, $logs/kernel-all.log"
		count 0 1
	fi
}

all_kernels() {
	own_kernels
	qemu_run synth-all synth
	qemu_run layers-all layers
	qemu_run vmlinux-all vmlinux --kernel 6.1-cloud --kernel new-cloud --kernel 5.10-cloud
	qemu_run selfbuilt selfbuilt
	one rpm-package "$MAKE" rpm
	qemu_run rpmsystem rpmsystem
	qemu_run disks-all disks
	for k in 6.1-cloud new-cloud; do
		qemu_run "faults-$k" faults --kernel "$k"
	done
	for k in 5.10 6.1 6.12 new; do
		for flavour in cloud amd64 rt; do
			kernel=$k-$flavour
			qemu_run "loop-$kernel" loop --kernel "$kernel"
			qemu_run "estimate-$kernel" estimate --kernel "$kernel" --levels 31 1
			qemu_run "matrix-$kernel-full" matrix --kernel "$kernel" --profile full
			qemu_run "matrix-$kernel-plain" matrix --kernel "$kernel" --profile plain
			qemu_run "value-$kernel" value --kernel "$kernel"
		done
		qemu_run "sources-$k" sources --kernel "$k-cloud"
		qemu_run "hostile-$k" hostile --kernel "$k-cloud"
	done
}

ground_pid=
for part in $parts; do
	case $part in
	deps)
		one deps sh scripts/deps.sh
		case $parts in *mkinitrd* | *qemu*) ground_begin ;; esac
		;;
	format) one format "$MAKE" format-check ;;
	gcc) one gcc "$MAKE" -j"$jobs" all ;;
	clang) one clang "$MAKE" -j"$jobs" clang ;;
	hardening) hardening ;;
	unit) unit ;;
	tsan) tsan ;;
	shellcheck) one shellcheck "$MAKE" lint ;;
	install) install_tests ;;
	packages) packages ;;
	mkinitrd | qemu)
		if [ -n "$ground_pid" ]; then
			ground_end
			ground_pid=
		fi
		if [ "$part" = qemu ]; then qemu; else mkinitrd_tests; fi
		;;
	all-kernels) all_kernels ;;
	*)
		echo "check.sh: no part '$part'" >&2
		exit 2
		;;
	esac
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
