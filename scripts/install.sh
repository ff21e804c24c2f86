#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# install.sh - put what was built where a system looks for it, or take it away again.
#
#	scripts/install.sh [install | uninstall | list]
#
# One table says what goes where. A row without its file is an error, and so is a file of
# service/, service/hooks/, mkinitrd/, completions/ or docs/man/ without a row: nothing is left out
# silently.
# `list` prints the paths.
#
# Environment, with the defaults:
#	DESTDIR=	a root that is packed later, put before every path
#	PREFIX=/usr	sbin/, lib/ and share/ lie below it
#	SYSCONFDIR=/etc	kernel hooks that Debian keeps there
#	UNITDIR, SBINDIR, LIBDIR, DATADIR	from PREFIX
#	BUILD=build	where the programs are
#	PROGRAM_SUFFIX=	.debug: programs that still have their symbols, for a packager to split
#	FLAVOUR=plain	deb, rpm: what a package of that kind holds
# Exit: 0 done; 1 failed; 2 usage. The configuration and /var/lib/crashpod are never touched.
set -eu

LC_ALL=C
export LC_ALL
umask 022
cd "$(dirname "$0")/.."
: "${DESTDIR=}" "${PREFIX=/usr}" "${SYSCONFDIR=/etc}" "${BUILD=build}" "${PROGRAM_SUFFIX=}"
: "${FLAVOUR=plain}"
: "${UNITDIR=$PREFIX/lib/systemd/system}" "${SBINDIR=$PREFIX/sbin}"
: "${LIBDIR=$PREFIX/lib/crashpod}" "${DATADIR=$PREFIX/share}"
# Debian's zsh has a place of its own for what packages bring
if test "$FLAVOUR" = deb; then ZSHDIR=vendor-completions; else ZSHDIR=site-functions; fi
doc=$DATADIR/doc/crashpod

die()
{
	printf 'install.sh: %s\n' "$*" >&2
	exit 1
}

# flavours, mode, file, place. A mode with ~: paths in the file are made those of this install.
# A link has "link" for its mode and what it names for its file.
table()
{
	cat <<-TABLE
	all       0755   $BUILD/crashpod$PROGRAM_SUFFIX      $SBINDIR/crashpod
	all       0755   $BUILD/init$PROGRAM_SUFFIX          $LIBDIR/init
	all       0755   mkinitrd/mkinitrd                   $LIBDIR/mkinitrd
	all       link   $LIBDIR/mkinitrd                    $SBINDIR/crashpod-mkinitrd
	all       0644~  service/crashpod.service            $UNITDIR/crashpod.service
	all       0644~  service/crashpod-collect.service    $UNITDIR/crashpod-collect.service
	all       0644~  service/crashpod-refresh.path       $UNITDIR/crashpod-refresh.path
	all       0644~  service/crashpod-refresh.service    $UNITDIR/crashpod-refresh.service
	all       0644   docs/man/crashpod.8                 $DATADIR/man/man8/crashpod.8
	all       0644   docs/man/crashpod-mkinitrd.8        $DATADIR/man/man8/crashpod-mkinitrd.8
	all       0644   docs/man/crashpod.conf.5            $DATADIR/man/man5/crashpod.conf.5
	all       0644   completions/crashpod.bash           $DATADIR/bash-completion/completions/crashpod
	all       link   $DATADIR/bash-completion/completions/crashpod $DATADIR/bash-completion/completions/crashpod-mkinitrd
	all       0644   completions/_crashpod               $DATADIR/zsh/$ZSHDIR/_crashpod
	all       0644   completions/crashpod.fish           $DATADIR/fish/vendor_completions.d/crashpod.fish
	all       link   $DATADIR/fish/vendor_completions.d/crashpod.fish $DATADIR/fish/vendor_completions.d/crashpod-mkinitrd.fish
	all       0644   configs/crashpod.conf               $doc/examples/crashpod.conf
	all       0644   configs/migrated-kdump.conf         $doc/examples/migrated-kdump.conf
	all       0644   configs/small-machine.conf          $doc/examples/small-machine.conf
	all       0644   configs/two-targets.conf            $doc/examples/two-targets.conf
	all       0644   README.md                           $doc/README.md
	all       0644   ARCHITECTURE.md                     $doc/ARCHITECTURE.md
	plain,rpm 0644   CHANGELOG.md                        $doc/CHANGELOG.md
	plain,rpm 0644   LICENSE                             $doc/LICENSE
	TABLE
	for file in mkinitrd/*.sh; do
		printf 'all 0644 %s %s\n' "$file" "$LIBDIR/${file#mkinitrd/}"
	done
	hooks
	for file in docs/*; do
		test -d "$file" || printf 'all 0644 %s %s\n' "$file" "$doc/${file#docs/}"
	done
}

# Hooks by what their names say they are; one of another name has no row, which is an error.
hooks()
{
	for file in service/hooks/*; do
		name=${file##*/}
		case $name in
		kernel-postinst) printf 'plain,deb 0755~ %s %s\n' "$file" "$SYSCONFDIR/kernel/postinst.d/zz-crashpod" ;;
		kernel-postrm) printf 'plain,deb 0755~ %s %s\n' "$file" "$SYSCONFDIR/kernel/postrm.d/zz-crashpod" ;;
		*.install) printf 'all 0755~ %s %s\n' "$file" "$PREFIX/lib/kernel/install.d/$name" ;;
		crashpod.init) printf 'plain 0755~ %s %s\n' "$file" "$SYSCONFDIR/init.d/crashpod" ;;
		*.rules) printf 'all 0644~ %s %s\n' "$file" "$PREFIX/lib/udev/rules.d/$name" ;;
		esac
	done
}

# The rows of this flavour.
rows()
{
	table | while read -r flavours mode file place; do
		case ,$flavours, in
		*,all,* | *",$FLAVOUR,"*) printf '%s %s %s\n' "$mode" "$file" "$place" ;;
		esac
	done
}

# Of what is only there to be installed, nothing may be forgotten.
check_complete()
{
	for file in service/* service/hooks/* mkinitrd/* completions/* docs/man/*; do
		case $file in
		*.[ch] | *'*') continue ;;
		esac
		test -f "$file" || continue
		table | grep -q -F -e " $file " || die "$file: no row of the table installs it"
	done
}

# The text of a file with this install's paths.
adapted()
{
	sed -e "s,/usr/sbin/crashpod,$SBINDIR/crashpod,g" -e "s,/usr/lib/crashpod,$LIBDIR,g" "$1"
}

# Each file appears whole: written beside its place, then renamed.
put()
{
	mode=$1 file=$2 place=$DESTDIR$3
	mkdir -p "${place%/*}"
	if test "$mode" = link; then
		ln -sfn "$(relative "$file" "${3%/*}")" "$place"
		return
	fi
	test -f "$file" || die "$file is not there: make it first"
	case $mode in
	*~) adapted "$file" > "$place.new" ;;
	*) cp "$file" "$place.new" ;;
	esac
	chmod "${mode%\~}" "$place.new"
	mv -f "$place.new" "$place"
}

# relative FILE DIR: how a link in DIR names FILE.
relative()
{
	back='' dir=${2%/}
	until case $1 in "$dir"/*) true ;; *) false ;; esac; do
		back=../$back
		dir=${dir%/*}
	done
	printf '%s%s\n' "$back" "${1#"$dir"/}"
}

install_all()
{
	check_complete
	rows | while read -r mode file place; do
		put "$mode" "$file" "$place"
	done
}

# Directories of crashpod's own go when they are empty; the system's stay.
uninstall_all()
{
	rows | while read -r mode file place; do
		rm -f "$DESTDIR$place"
	done
	for dir in "$LIBDIR" "$doc/examples" "$doc"; do
		test ! -d "$DESTDIR$dir" || rmdir "$DESTDIR$dir" || die "$DESTDIR$dir is not empty"
	done
	for kept in "$SYSCONFDIR/crashpod.conf" /var/lib/crashpod; do
		test ! -e "$DESTDIR$kept" || printf 'install.sh: %s stays\n' "$DESTDIR$kept"
	done
}

case $FLAVOUR in
plain | deb | rpm) ;;
*) die "FLAVOUR=$FLAVOUR: not one of plain, deb, rpm" ;;
esac
case ${1-install} in
install) install_all ;;
uninstall) uninstall_all ;;
list) rows | sed -e 's/.* //' -e "s,^,$DESTDIR," ;;
*)
	echo "usage: install.sh [install | uninstall | list]" >&2
	exit 2
	;;
esac
