# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034 # variables shared with the tests
# common.sh - sourced by the tests in scripts/tests.
# Environment: BUILD, where the programs are (default build of this checkout).

# shellcheck source=scripts/tests/results.sh
. "$(dirname "$(readlink -f "$0")")/results.sh"

PATH=$PATH:/usr/sbin:/sbin
BUILD=$(readlink -f "${BUILD:-$top/build}")
export BUILD
unset SOURCE_DATE_EPOCH DESTDIR PREFIX FLAVOUR
