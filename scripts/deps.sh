#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# deps.sh - install the Debian packages that building and testing crashpod needs.
#
#	scripts/deps.sh [--check] [--packaging]
#
# With --packaging also what `make deb` and `make rpm` need.
# Installs what is missing, as root, without recommended packages. With --check it
# installs nothing: it lists what is missing and exits 1 when there is any.
# Exit: 0 all there; 1 something missing or not installable; 2 usage.
set -eu

usage() {
	echo "usage: deps.sh [--check] [--packaging]" >&2
	exit 2
}

# One line a package: its name, then what it is for. CLANG_RT stands for the sanitizer
# runtime of the release's default clang, whose package name carries clang's version.
packages() {
	cat <<-'TABLE'
	gcc             host compiler, and musl-gcc runs it
	libc6-dev       host C library, for unit tests
	linux-libc-dev  kernel headers
	make            build
	musl-tools      musl-gcc and static musl, for what goes into the ramdisk
	clang           second compiler, fuzzing
	CLANG_RT        clang's sanitizers and libFuzzer
	clang-format    format check
	clang-tidy      static checks
	shellcheck      static checks of the shell scripts
	libcmocka-dev   unit tests
	zlib1g-dev      host zlib, for unit tests under sanitizers
	libzstd-dev     host zstd, for unit tests under sanitizers
	libelf-dev      host libelf, for unit tests under sanitizers
	libblkid-dev    host libblkid, for unit tests under sanitizers
	python3         test tools
	python3-jsonschema  the record and its schema
	cpio            initramfs archive
	gzip            initramfs compression, gzip modules
	xz-utils        initramfs compression, xz modules, source packages
	zstd            initramfs compression, zstd modules
	kmod            module dependency closure
	util-linux      loop devices and partitions of test disks
	e2fsprogs       test file systems
	xfsprogs        test file systems
	btrfs-progs     test file systems
	f2fs-tools      test file systems
	dosfstools      test file systems
	exfatprogs      test file systems
	busybox-static  user space of test guests
	debootstrap     roots with other releases' tools
	gpgv            what debootstrap verifies a release with
	ca-certificates package mirrors over https
	debian-archive-keyring  signatures of the source package indexes
	dpkg-dev        unpacks source packages
	bison           source packages
	flex            source packages
	bc              the capture kernel's build
	gawk            source packages
	mandoc          checks the manual pages
	zsh             its completion is tried
	fish            its completion is tried
	fdisk           partitions of test disks
	m4              source packages
	pkg-config      source packages
	TABLE
	[ "$packaging" = no ] || cat <<-'TABLE'
	build-essential what every Debian package is built with
	debhelper       the Debian package
	lintian         its judge
	rpm             the RPM package
	TABLE
}

# Debian's clang depends on the versioned one: "clang-14 (>= 14~)" gives 14. Nothing is known
# of clang before the first apt-get update; then the release tells.
clang_major() {
	depends=$(dpkg-query -W -f='${Depends}\n' clang 2>/dev/null || :)
	[ -n "$depends" ] || depends=$(apt-cache show --no-all-versions clang 2>/dev/null |
		sed -n 's/^Depends: //p')
	major=$(echo "$depends" | sed -n 's/^\(.*, *\)\{0,1\}clang-\([0-9][0-9]*\).*/\2/p')
	case $major:$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release) in
	:bookworm) echo 14 ;;
	:*) echo 19 ;;
	*) echo "$major" ;;
	esac
}

names() {
	clang_rt=libclang-rt-$(clang_major)-dev
	packages | sed -e "s/^CLANG_RT /$clang_rt /" -e 's/ .*//'
}

installed() {
	case $(dpkg-query -W -f='${db:Status-Abbrev}\n' "$1" 2>/dev/null || :) in
	?i*) return 0 ;;
	*) return 1 ;;
	esac
}

missing() {
	names | while read -r name; do
		installed "$name" || printf '%s ' "$name"
	done
}

# apt-get is quiet unless it fails. The lock's timeout lets two runs wait for each other.
apt() {
	log=$(mktemp)
	rc=0
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 "$@" \
		>"$log" 2>&1 || rc=$?
	[ "$rc" -eq 0 ] || cat "$log" >&2
	rm -f "$log"
	return "$rc"
}

check=no packaging=no
for option in "$@"; do
	case $option in
	--check) check=yes ;;
	--packaging) packaging=yes ;;
	*) usage ;;
	esac
done

list=$(missing)
[ -n "$list" ] || exit 0
if [ "$check" = yes ] || [ "$(id -u)" -ne 0 ]; then
	echo "deps.sh: packages are missing; as root, run:" >&2
	echo "apt-get update && apt-get install --no-install-recommends $list" >&2
	exit 1
fi
apt update
# Asked again: with no package lists, clang's version was not known before.
list=$(missing)
echo "deps.sh: installing $list"
# shellcheck disable=SC2086 # a list of words
apt install --no-install-recommends $list
list=$(missing)
if [ -n "$list" ]; then
	echo "deps.sh: still missing: $list" >&2
	exit 1
fi
