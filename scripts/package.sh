#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# package.sh - a Debian or an RPM package of this tree.
#
#	scripts/package.sh deb | rpm
#
# The tree is copied to BUILD/deb or BUILD/rpm and packed there; what comes out lies in that
# directory. The libraries are those of SYSROOT (default BUILD/sysroot), which must be there; a
# plain dpkg-buildpackage in the tree makes its own. VERSION must be that of the changelog. A Debian
# package of which lintian has an error or a warning is a failure.
# Exit: 0 packed; 1 failed; 2 usage.
set -eu

LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.."
: "${BUILD:=build}" "${VERSION:?}"
BUILD=$(readlink -f "$BUILD")
SYSROOT=$(readlink -f "${SYSROOT:-$BUILD/sysroot}")

die()
{
	printf 'package.sh: %s\n' "$*" >&2
	exit 1
}

need()
{
	for tool in "$@"; do
		command -v "$tool" > /dev/null || die "$tool is not installed: scripts/deps.sh --packaging"
	done
}

# The tree without what was made in it.
copy_tree()
{
	rm -rf "$1"
	mkdir -p "$1"
	tar -cf - --exclude=./build --exclude=./.git --exclude=__pycache__ . | tar -xf - -C "$1"
}

make_deb()
{
	need dpkg-buildpackage dh lintian
	test "$(dpkg-parsechangelog -S Version)" = "$VERSION" ||
		die "debian/changelog is of version $(dpkg-parsechangelog -S Version), not $VERSION"
	rm -rf "$BUILD/deb"
	copy_tree "$BUILD/deb/crashpod-$VERSION"
	(cd "$BUILD/deb/crashpod-$VERSION" && CRASHPOD_SYSROOT=$SYSROOT \
		dpkg-buildpackage -b -us -uc -P"pkg.crashpod.sysroot") > "$BUILD/deb/build.log" 2>&1 || {
		tail -n 40 "$BUILD/deb/build.log" >&2
		die "dpkg-buildpackage failed (log: $BUILD/deb/build.log)"
	}
	rm -rf "$BUILD/deb/crashpod-$VERSION"
	lintian --allow-root --fail-on error,warning "$BUILD"/deb/*.changes >&2 ||
		die "lintian finds fault with the package"
	ls "$BUILD"/deb/*.deb
}

make_rpm()
{
	need rpmbuild
	rm -rf "$BUILD/rpm"
	mkdir -p "$BUILD/rpm"
	rpmbuild --define "_topdir $BUILD/rpm" --define "tree $PWD" --define "build $BUILD" \
		--define "version_of_tree $VERSION" --define "prebuilt 1" --target x86_64 --nodeps \
		--define "_buildhost reproducible" --define "clamp_mtime_to_source_date_epoch 1" \
		-bb packaging/crashpod.spec > "$BUILD/rpm/build.log" 2>&1 || {
		tail -n 40 "$BUILD/rpm/build.log" >&2
		die "rpmbuild failed (log: $BUILD/rpm/build.log)"
	}
	mv "$BUILD"/rpm/RPMS/*/*.rpm "$BUILD/rpm/"
	rm -rf "$BUILD/rpm/RPMS" "$BUILD/rpm/BUILD" "$BUILD/rpm/BUILDROOT"
	ls "$BUILD"/rpm/*.rpm
}

case $#:${1-} in
1:deb) make_deb ;;
1:rpm) make_rpm ;;
*)
	echo "usage: package.sh deb | rpm" >&2
	exit 2
	;;
esac
