#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_man.sh - the manual pages are sound, and say something of every command, option and directive
# that the programs know.
# shellcheck source=scripts/tests/common.sh
. "$(dirname "$0")/common.sh"

man=$top/docs/man

# The part of crashpod(8) about one command: from its item to the next command's.
part()
{
	awk -v want="$1" -v all=" $commands " '
		/^\.It Xo$/ { open = 1; next }
		/^\.It Cm / || (open && /^\.Cm /) {
			name = $1 == ".It" ? $3 : $2
			if (index(all, " " name " "))
				now = name
		}
		{ open = 0 }
		/^\.Sh / { now = "" }
		now == want
	' "$man/crashpod.8"
}

# The options that a usage text names, and those of a source file's table of long options.
options_of()
{
	printf '%s\n' "$1" | grep -oE -e '(^|[^a-zA-Z-])--?[a-zA-Z][a-z-]*' | sed -e 's/^[^-]//'
	test ! -f "$2" || sed -n 's/{ "\([a-z-]*\)", \(no\|required\)_argument/\n--\1\n/gp' "$2" |
		grep '^--'
}

# has_all WHAT OPTION...: the text on stdin names each of them as an option, and no longer one only.
has_all()
{
	what=$1
	shift
	text=$(cat)
	for option in "$@"; do
		printf '%s\n' "$text" | tr ',|()' '    ' |
			grep -qE -e "(^|[. ])Fl ([a-zA-Z] +)*${option#-}( |\$)" ||
			lack="$lack $what:$option"
	done
}

sound()
{
	command -v mandoc > /dev/null || {
		not_ok "mandoc" "is not installed: scripts/deps.sh"
		return
	}
	for page in "$man"/*; do
		mandoc -Tlint -W warning "$page" > "$lab/lint" 2>&1 || :
		result "${page##*/} is sound" "$(cat "$lab/lint")" test ! -s "$lab/lint"
	done
}

commands=$("$BUILD/crashpod" --help | sed -n 's/^  crashpod \([a-z]*\).*/\1/p' | tr '\n' ' ')
result "there are commands" "none" test -n "$commands"
sound
for command in $commands; do
	lack=
	part "$command" > "$lab/part"
	result "crashpod $command has an item" "none" test -s "$lab/part"
	source=$top/dumper/cmd/cmd_$command.c
	test -f "$source" || source=$top/service/cmd_$command.c
	# shellcheck disable=SC2046 # a list of words
	has_all "$command" $(options_of "$("$BUILD/crashpod" "$command" --help | sed -n 1p)" "$source") \
		< "$lab/part"
	result "crashpod $command: all options" "not told of:$lack" test -z "$lack"
done

lack=
# shellcheck disable=SC2046
has_all mkinitrd $(options_of "$("$top/mkinitrd/mkinitrd" --help)" '') < "$man/crashpod-mkinitrd.8"
result "crashpod-mkinitrd: all options" "not told of:$lack" test -z "$lack"

lack=
table=$top/dumper/base/conf_table.c
directives=$(sed -n '/^#define CONF_FSTYPES(X)/,/[^\\]$/p' "$top/dumper/base/conf_device.h" |
	grep -o '"[a-z0-9]*"' | tr -d '"'
	sed -n '/^const struct conf_directive/,/^};/s/^.{ "\([a-z_]*\)", .*/\1/p' "$table")
result "there are directives" "$directives" test "$(printf '%s\n' "$directives" | wc -l)" -gt 15
for directive in $directives; do
	grep -qE -e "^\.(It )?Cm $directive( |\$)" "$man/crashpod.conf.5" || lack="$lack $directive"
done
result "crashpod.conf: all directives" "not told of:$lack" test -z "$lack"

# the check itself sees what a page lacks
printf '.Op Fl -kernel Ar k\n.Op Fl j Ar n\n.Op Fl z | c\n' > "$lab/part"
lack=
has_all test -k -n -c --kernel -j < "$lab/part"
result "what a page lacks is seen" "seen:$lack" test "$lack" = " test:-k test:-n"
finish
