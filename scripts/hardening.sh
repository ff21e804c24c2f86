#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# hardening.sh - what the linker and the compiler were asked for is in the programs.
# usage: hardening.sh PROGRAM...	PROGRAM.debug, not stripped, lies beside each
# First the checks are shown to fail: on programs that lack one property each.
# Prints "ok ..." and "not ok ..." lines; exit 1 when there is one of the latter.
#
# shellcheck disable=SC2317 # the checks are called by name
set -eu

LC_ALL=C
export LC_ALL
bad=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each prints what is wrong, or nothing.
static_pie() {
	readelf -hW "$1" | grep -q 'Type: *DYN ' || echo "not position-independent"
	readelf -lW "$1" | grep -q INTERP && echo "wants an interpreter"
	readelf -dW "$1" | grep -q '(NEEDED)' && echo "wants a shared library"
	return 0
}

relro() {
	readelf -lW "$1" | grep -q GNU_RELRO || echo "no RELRO"
	readelf -dW "$1" | grep -q 'FLAGS_1.*NOW' || echo "relocations are not all done at start"
}

# Flags of a segment: R, W and E, with blanks for what it has not.
memory() {
	readelf -lW "$1" | grep -q 'GNU_STACK .* RW  ' || echo "executable stack"
	readelf -lW "$1" | grep -q ' RWE ' && echo "memory that is writable and executable"
	readelf -dW "$1" | grep -q TEXTREL && echo "relocations in the code"
	return 0
}

# Of a static program: it is linked in only where it is called.
stack_protector() {
	readelf -sW "$1.debug" | grep -q 'FUNC .* __stack_chk_fail$' || echo "no stack protector"
}

say() { # PROBLEM NAME
	if [ -z "$1" ]; then
		echo "ok $2"
	else
		echo "not ok $2: $1"
		bad=1
	fi
}

check() { # PROGRAM
	for property in static_pie relro memory stack_protector; do
		problem=$("$property" "$1" | tr '\n' ',')
		say "${problem%,}" "$1 $property"
	done
}

# A program made with these options must be found to lack the property.
finds() { # PROPERTY WHAT OPTION...
	property=$1 what=$2
	shift 2
	gcc -o "$work/t" "$work/t.c" "$@" 2>/dev/null
	cp "$work/t" "$work/t.debug"
	case $("$property" "$work/t") in
	*"$what"*) say "" "finds: $what" ;;
	*) say "not found in a program made with $*" "finds: $what" ;;
	esac
}

cat >"$work/t.c" <<'C'
int main(int argc, char **argv)
{
	return argc > 1000 ? argv[0][0] : 0;
}
C
finds static_pie "not position-independent" -static -no-pie
finds static_pie "wants an interpreter" -pie
finds static_pie "wants a shared library" -pie
finds relro "no RELRO" -Wl,-z,norelro
finds relro "not all done at start" -Wl,-z,relro,-z,lazy
finds memory "executable stack" -Wl,-z,execstack
finds memory "writable and executable" -Wl,--omagic,-emain -static -no-pie \
	-nostdlib
finds stack_protector "no stack protector" -pie -fno-stack-protector
for program; do
	if [ -f "$program" ] && [ -f "$program.debug" ]; then
		check "$program"
	else
		say "is not built" "$program"
	fi
done
exit "$bad"
