#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_completion.sh - what bash and zsh offer for a line, by the programs that were built.
# shellcheck source=scripts/tests/common.sh
. "$(dirname "$0")/common.sh"

PATH=$BUILD:$lab/bin:$PATH
export PATH
mkdir "$lab/bin"
ln -s "$top/mkinitrd/mkinitrd" "$lab/bin/crashpod-mkinitrd"
cd "$lab"
: > "$lab/vmcore"

# offered FUNCTION WORD...: what bash offers for the last word.
offered()
{
	bash -c '. "$0"; f=$1; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); $f; echo "${COMPREPLY[*]}"' \
		"$top/completions/crashpod.bash" "$@"
}

# is WANTED FUNCTION WORD...
is()
{
	wanted=$1
	shift
	got=$(offered "$@")
	shift
	result "bash: $*" "'$got', not '$wanted'" test "$got" = "$wanted"
}

# zsh_is WANTED WORD...: compadd is replaced by one that prints what it would add.
zsh_is()
{
	wanted=$1
	shift
	got=$(zsh -fc 'compadd() { shift; print -- ${(M)@:#$words[CURRENT]*} }; _files() { print -- *; }
		file=$1; shift; words=("$@"); CURRENT=$#; . $file' zsh "$top/completions/_crashpod" "$@")
	result "zsh: $*" "'$got', not '$wanted'" test "$got" = "$wanted"
}

# Every command of the program's own list is offered.
commands=$(crashpod --help | sed -n 's/^  crashpod \([a-z]*\).*/\1/p' | tr '\n' ' ')
result "there are commands" "none" test -n "$commands"
is "$commands--help --version" _crashpod crashpod ''
is "verify" _crashpod crashpod ver
is "--stats --sync" _crashpod crashpod dump --s
is "--json --help" _crashpod crashpod status -
is "--if-needed" _crashpod crashpod refresh --if-n
is "--again --append" _crashpod crashpod load --a
is "structure" _crashpod crashpod dump --verify s
is "format info collect" _crashpod crashpod raw ''
is "--force" _crashpod crashpod raw --f
is "--json --root --run --help" _crashpod crashpod vmlinux -
is "vmcore" _crashpod crashpod vmlinux v
is "vmcore" _crashpod crashpod dump -c v
is "vmcore" _crashpod crashpod list -c v
is "--json" _crashpod crashpod list --j
is "vmcore" _crashpod crashpod show --html -o v
is "--result --root" _crashpod crashpod test --r
is "--modules-root" _crashpod_mkinitrd crashpod-mkinitrd --mo
is "zstd" _crashpod_mkinitrd crashpod-mkinitrd --compress z
if command -v zsh > /dev/null; then
	zsh_is "verify" crashpod ver
	zsh_is "--stats --sync" crashpod dump --s
	zsh_is "$(echo *)" crashpod dump ''
else
	echo "zsh is not installed: its completion is not tried"
fi
finish
