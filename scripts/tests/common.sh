# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034 # variables shared with the tests
# common.sh - sourced by the tests in scripts/tests: a place to work in, and the counting of results.
# Environment: BUILD, where the programs are (default build of this checkout).
set -eu

LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin
top=$(readlink -f "$(dirname "$0")/../..")
BUILD=$(readlink -f "${BUILD:-$top/build}")
export BUILD
failures=0
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
unset SOURCE_DATE_EPOCH DESTDIR PREFIX FLAVOUR

ok()
{
	echo "ok $1"
}

not_ok()
{
	echo "not ok $1: $2"
	failures=$((failures + 1))
}

# result NAME WHY CONDITION...: the condition is a command; WHY is said when it fails.
result()
{
	name=$1
	why=$2
	shift 2
	if "$@"; then
		ok "$name"
	else
		not_ok "$name" "$why"
	fi
}

finish()
{
	test "$failures" -eq 0
}
