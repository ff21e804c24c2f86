# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034 # variables shared with the tests
# results.sh - sourced by the common.sh of every directory of shell tests: a place to work in, and
# the counting of results. Says "ok NAME" or "not ok NAME: WHY", a line for each.
set -eu

LC_ALL=C
export LC_ALL
test_dir=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$test_dir/../..")
failures=0
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT

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
