#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_completion.sh - what bash, zsh and fish offer for a line, by the programs that were built.
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
	got=$(offered "$@" 2>&1)
	shift
	result "bash: $*" "'$got', not '$wanted'" test "$got" = "$wanted"
}

# zsh_offered WORD...: compadd is replaced by one that prints what it would add.
zsh_offered()
{
	zsh -fc 'compadd() { shift; print -- ${(M)@:#$words[CURRENT]*} }; _files() { print -- *; }
		file=$1; shift; words=("$@"); CURRENT=$#; . $file' zsh "$top/completions/_crashpod" "$@"
}

zsh_is()
{
	wanted=$1
	shift
	got=$(zsh_offered "$@")
	result "zsh: $*" "'$got', not '$wanted'" test "$got" = "$wanted"
}

# shellcheck disable=SC2016 # for fish to expand
# fish_offered LINE: what fish itself offers, in its own order; its settings stay those of the lab.
fish_offered()
{
	HOME=$lab XDG_CONFIG_HOME=$lab XDG_DATA_HOME=$lab fish --no-config -c \
		'source $argv[1]; complete -C "$argv[2]"' "$top/completions/crashpod.fish" "$1" |
		cut -f 1 | sort | tr '\n' ' '
}

fish_is()
{
	got=$(fish_offered "$2")
	result "fish: $2" "'$got', not '$1 '" test "$got" = "$1 "
}

# options_of COMMAND...: what its help names, each word of it by itself.
options_of()
{
	"$@" --help | sed -n '/^usage/,/^$/p' | tr -c 'a-zA-Z-' '\n' | grep -E '^--?[a-zA-Z]' | sort -u
}

# same_options COMMAND...: all shells offer these, and no others but --help.
same_options()
{
	options_of "$@" | tr '\n' ' ' > "$lab/want"
	function=_crashpod
	test "$1" = crashpod || function=_crashpod_mkinitrd
	for shell in bash zsh fish; do
		case $shell in
		bash) offered "$function" "$@" - ;;
		zsh) zsh_offered "$@" - ;;
		fish) fish_offered "$* -" ;;
		esac | tr ' ' '\n' | grep -v -e '^$' -e '^--help$' | sort -u | tr '\n' ' ' > "$lab/got"
		result "$shell: the options of $*" "$(cat "$lab/got"), not $(cat "$lab/want")" \
			cmp -s "$lab/got" "$lab/want"
	done
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
zsh_is "$commands--help --version" crashpod ''
zsh_is "verify" crashpod ver
zsh_is "--stats --sync" crashpod dump --s
zsh_is "$(echo *)" crashpod dump ''
zsh_is "structure" crashpod dump --verify s
zsh_is "$(echo *)" crashpod dump -c ''
zsh_is "format info collect" crashpod raw ''
zsh_is "zstd" crashpod-mkinitrd --compress z
result "zsh: the file parses" "it does not" zsh -n "$top/completions/_crashpod"
got=$(zsh -fc 'fpath=($1 $fpath); autoload -Uz compinit; compinit -u -d $2
	print $_comps[crashpod] $_comps[crashpod-mkinitrd]' zsh "$top/completions" "$lab/zcompdump")
result "zsh: finds it for both programs" "'$got'" test "$got" = "_crashpod _crashpod"
# shellcheck disable=SC2086 # a list of words
fish_is "$(printf '%s\n' $commands --help --version | sort | tr '\n' ' ' | sed 's/ $//')" "crashpod "
fish_is "verify" "crashpod ver"
fish_is "--stats --sync" "crashpod dump --s"
fish_is "vmcore" "crashpod dump v"
fish_is "structure" "crashpod dump --verify s"
fish_is "vmcore" "crashpod dump -c v"
fish_is "collect format info" "crashpod raw "
fish_is "zstd" "crashpod-mkinitrd --compress z"
result "fish: the file parses" "it does not" fish --no-config -n "$top/completions/crashpod.fish"
for command in $commands; do
	# one without options offers the --help that all have
	test -z "$(options_of crashpod "$command")" || same_options crashpod "$command"
done
same_options crashpod-mkinitrd
# a word that is no option stays out of sed's expressions
is "" _crashpod crashpod dump '-[' x
finish
