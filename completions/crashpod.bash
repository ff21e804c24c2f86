# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of crashpod and crashpod-mkinitrd for bash. The commands, their options and what these
# take are those that the programs' own usage names, so that there is no second list of them.

# _crashpod_usage PROGRAM [COMMAND]
_crashpod_usage()
{
	"$@" --help 2> /dev/null | sed -n 's/^usage: //p;s/^ *\[-/&/p'
}

_crashpod_options()
{
	_crashpod_usage "$@" | grep -oE -e '(^|[^a-zA-Z-])--?[a-zA-Z][a-z-]*' | sed -e 's/^[^-]//' | sort -u
}

# What a command has in the place of its first argument: raw's own commands.
_crashpod_second()
{
	_crashpod_usage "$@" | sed -e 's/^crashpod [a-z]* //' -e 's/ | /\n/g' | sed -n 's/^\([a-z][a-z]*\) .*/\1/p'
}

# _crashpod_kind OPTION PROGRAM [COMMAND]: what the usage calls its value; nothing where it takes none.
_crashpod_kind()
{
	local option=$1
	shift
	[[ $option =~ ^--?[a-zA-Z][a-z-]*$ ]] || return
	_crashpod_usage "$@" | sed -n "s/.*[^a-zA-Z-]$option \\([A-Za-z|\"]\\{1,\\}\\).*/\\1/p" | head -n 1
}

_crashpod_releases()
{
	local dir
	for dir in /lib/modules/*/; do
		[[ -d $dir ]] && basename "$dir"
	done
}

# _crashpod_value PROGRAM [COMMAND]: the value of the option before the cursor; fails where there is none.
_crashpod_value()
{
	local cur=${COMP_WORDS[COMP_CWORD]} kind
	kind=$(_crashpod_kind "${COMP_WORDS[COMP_CWORD - 1]}" "$@")
	case $kind in
	'') return 1 ;;
	KVER) mapfile -t COMPREPLY < <(compgen -W "$(_crashpod_releases)" -- "$cur") ;;
	DIR) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
	F | FILE | CONF | OUT) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	[a-z]*) mapfile -t COMPREPLY < <(compgen -W "${kind//|/ }" -- "$cur") ;;
	esac
}

_crashpod()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		words=$("${COMP_WORDS[0]}" --help 2> /dev/null | sed -n 's/^  crashpod \([a-z]*\).*/\1/p')
		mapfile -t COMPREPLY < <(compgen -W "$words --help --version" -- "$cur")
		return
	fi
	_crashpod_value "${COMP_WORDS[@]:0:2}" && return
	words=
	((COMP_CWORD > 2)) || words=$(_crashpod_second "${COMP_WORDS[@]:0:2}")
	[[ $cur != -* ]] || words="$(_crashpod_options "${COMP_WORDS[@]:0:2}") --help"
	if [[ $words ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

_crashpod_mkinitrd()
{
	local cur=${COMP_WORDS[COMP_CWORD]}
	COMPREPLY=()
	_crashpod_value "${COMP_WORDS[0]}" && return
	mapfile -t COMPREPLY < <(compgen -W "$(_crashpod_options "${COMP_WORDS[0]}")" -- "$cur")
}

complete -o filenames -F _crashpod crashpod
complete -o filenames -F _crashpod_mkinitrd crashpod-mkinitrd
