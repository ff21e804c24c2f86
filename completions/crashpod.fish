# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of crashpod and crashpod-mkinitrd for fish. The commands, their options and what these
# take are those that the programs' own usage names, so that there is no second list of them.

# __crashpod_usage PROGRAM [COMMAND]
function __crashpod_usage
    $argv --help 2>/dev/null | sed -n 's/^usage: //p;s/^ *\[-/&/p'
end

function __crashpod_options
    __crashpod_usage $argv | grep -oE -e '(^|[^a-zA-Z-])--?[a-zA-Z][a-z-]*' | sed -e 's/^[^-]//' | sort -u
end

# What a command has in the place of its first argument: raw's own commands.
function __crashpod_second
    __crashpod_usage $argv | sed -e 's/^crashpod [a-z]* //' -e 's/ | /\n/g' | sed -n 's/^\([a-z][a-z]*\) .*/\1/p'
end

# __crashpod_kind OPTION PROGRAM [COMMAND]: what the usage calls its value; nothing where it takes none.
function __crashpod_kind
    string match -qr '^--?[a-zA-Z][a-z-]*$' -- $argv[1]
    or return
    __crashpod_usage $argv[2..-1] |
        sed -n "s/.*[^a-zA-Z-]$argv[1] \\([A-Za-z|\"]\\{1,\\}\\).*/\\1/p" | head -n 1
end

# __crashpod_value PROGRAM [COMMAND]: the value of the option before the cursor; fails where there is none.
function __crashpod_value
    set -l kind (__crashpod_kind (commandline -opc)[-1] $argv)
    switch "$kind"
        case ''
            return 1
        case KVER
            for dir in /lib/modules/*/
                basename $dir
            end
        case DIR
            __fish_complete_directories (commandline -ct)
        case F FILE CONF OUT
            __fish_complete_path (commandline -ct)
        case '*|*'
            string split '|' -- $kind
    end
    return 0
end

function __crashpod_complete
    set -l words (commandline -opc)
    set -l command $words[1]
    set -l found
    if not string match -q '*crashpod-mkinitrd' -- $command
        if test (count $words) -eq 1
            $command --help 2>/dev/null | sed -n 's/^  crashpod \([a-z]*\).*/\1/p'
            printf '%s\n' --help --version
            return
        end
        set command $words[1..2]
    end
    __crashpod_value $command
    and return
    if string match -q -- '-*' (commandline -ct)
        set found (__crashpod_options $command) --help
    else if test (count $words) -eq 2 -a (count $command) -eq 2
        set found (__crashpod_second $command)
    end
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end

complete -c crashpod -f -a '(__crashpod_complete)'
complete -c crashpod-mkinitrd -f -a '(__crashpod_complete)'
