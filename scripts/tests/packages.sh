#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# packages.sh - the packages in BUILD/deb and BUILD/rpm: what is in them, what their judges say, and
# that they install into an empty root and leave it again.
# shellcheck source=scripts/tests/common.sh
. "$(dirname "$0")/common.sh"

deb=$(ls "$BUILD"/deb/crashpod_*_amd64.deb)
rpm=$(ls "$BUILD"/rpm/crashpod-*.rpm)

# The files that install.sh names are in the package, but for those that are packed under another name.
same_files()
{
	FLAVOUR=$1 sh "$top/scripts/install.sh" list | sort > "$lab/want"
	sed -e 's,^\./,/,' "$lab/list" | grep -v '/$' | sort > "$lab/got"
	lack=$(comm -23 "$lab/want" "$lab/got")
	result "$1: every file is packed" "not there: $lack" test -z "$lack"
}

dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -e 's,\.gz$,,' > "$lab/list"
same_files deb
lintian --allow-root --fail-on error,warning "$BUILD"/deb/*.changes > "$lab/lintian" 2>&1 && rc=0 || rc=$?
result "deb: lintian has nothing to say" "$(cat "$lab/lintian")" test "$rc" -eq 0
dpkg-deb -x "$deb" "$lab/deb"
result "deb: the program runs" "it does not" sh -c "'$lab/deb/usr/sbin/crashpod' --version | grep -q 0"

# whatever the debhelper of the building system adds to them
dpkg-deb -e "$deb" "$lab/control"
result "deb: installing starts and enables nothing" "$(cat "$lab/control/postinst")" \
	sh -c "! grep -q -e 'deb-systemd-invoke' -e 'deb-systemd-helper enable' '$lab/control/postinst'"

rpm -qlp "$rpm" > "$lab/list"
same_files rpm
mkdir -p "$lab/rpm"
# an empty root has no shell: its scriptlets are read by the shell alone
rc=0
rpm --root "$lab/rpm" --initdb
rpm --root "$lab/rpm" --nodeps --noscripts -i "$rpm" > "$lab/said" 2>&1 || rc=$?
result "rpm: installs into an empty root" "$(cat "$lab/said")" test "$rc" -eq 0
result "rpm: nothing is changed on disk" "$(rpm --root "$lab/rpm" -V --nodeps crashpod)" \
	rpm --root "$lab/rpm" -V --nodeps crashpod
result "rpm: the program runs" "it does not" sh -c "'$lab/rpm/usr/sbin/crashpod' --version | grep -q 0"
rpm --root "$lab/rpm" --nodeps --noscripts -e crashpod > "$lab/said" 2>&1 || rc=$?
left=$(find "$lab/rpm" -path "$lab/rpm/var/lib/rpm" -prune -o -name '*crashpod*' -print)
result "rpm: is removed wholly" "left: $left $(cat "$lab/said")" test -z "$left"

for section in prein postin preun postun; do
	rpm -qp --qf "%{$(echo $section | tr '[:lower:]' '[:upper:]')}" "$rpm" > "$lab/scriptlet"
	test "$(cat "$lab/scriptlet")" != '(none)' || continue
	result "rpm: $section is a shell's" "$(sh -n "$lab/scriptlet" 2>&1)" sh -n "$lab/scriptlet"
done
finish
