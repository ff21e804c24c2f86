# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of crashpod and crashpod-mkinitrd for bash. The commands and options are those that the
# programs' own usage names, so that there is no second list of them.

_crashpod_options()
{
	"$@" --help 2> /dev/null | sed -n 's/^usage: //p;s/^ *\[-/&/p' |
		grep -oE -e '(^|[^a-zA-Z-])--?[a-zA-Z][a-z-]*' | sed -e 's/^[^-]//' | sort -u
}

_crashpod_releases()
{
	local dir
	for dir in /lib/modules/*/; do
		[[ -d $dir ]] && basename "$dir"
	done
}

# _crashpod_value PROGRAM WORD...: the value of the option before the cursor; fails where it takes none.
_crashpod_value()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	case $1:$prev in
	*:-k | *:--removed) mapfile -t COMPREPLY < <(compgen -W "$(_crashpod_releases)" -- "$cur") ;;
	*:--verify) mapfile -t COMPREPLY < <(compgen -W "none structure full" -- "$cur") ;;
	crashpod-mkinitrd:--compress)
		mapfile -t COMPREPLY < <(compgen -W "zstd gzip xz none" -- "$cur")
		;;
	*:--modules-root | *:--root) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
	*:-o | crashpod-mkinitrd:-c | crashpod:-c | *:--init | *:--kernel | *:--initrd | *:--stats)
		# crashpod dump's -c takes no value
		[[ $1:$prev:${COMP_WORDS[1]} != crashpod:-c:dump ]] || return 1
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	*:--append | *:--cmdline | *:--cpus | *:--disk-rate | *:--add-modules | *:-d | *:-j) ;;
	*) return 1 ;;
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
	_crashpod_value crashpod && return
	if [[ $cur == -* ]]; then
		words=$(_crashpod_options "${COMP_WORDS[0]}" "${COMP_WORDS[1]}")
		mapfile -t COMPREPLY < <(compgen -W "$words --help" -- "$cur")
	elif [[ ${COMP_WORDS[1]} == raw ]] && ((COMP_CWORD == 2)); then
		mapfile -t COMPREPLY < <(compgen -W "format info collect" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

_crashpod_mkinitrd()
{
	local cur=${COMP_WORDS[COMP_CWORD]}
	COMPREPLY=()
	_crashpod_value crashpod-mkinitrd && return
	mapfile -t COMPREPLY < <(compgen -W "$(_crashpod_options "${COMP_WORDS[0]}")" -- "$cur")
}

complete -o filenames -F _crashpod crashpod
complete -o filenames -F _crashpod_mkinitrd crashpod-mkinitrd
