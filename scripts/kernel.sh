#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kernel.sh - build a small capture kernel from the fragments of configs/kernel.
#
#	scripts/kernel.sh [FRAGMENT...]		(default: those of $DEFAULT below; all: every one)
#
# The kernel is tinyconfig with the fragments over it, nothing as a module, so that its initramfs
# holds no modules either. An option that a fragment asks for and the kernel does not have is named, as
# is one that `base` leaves out and another needs; only what `base` asks for and lacks is an error.
# The same source, compiler and fragments give the same bytes.
#
# KERNEL_SOURCE  package with the source (default: linux-source-X.Y of the release this runs on),
#                a tarball, or an unpacked tree, which is not written to (its kernel is 4 MiB larger)
# KERNEL_OUT     default build/kernel
#
# Written to KERNEL_OUT: bzImage, config, System.map, vmlinux; release (what uname -r will say);
#	lib/modules/RELEASE/modules.{builtin,order}, for mkinitrd --modules-root KERNEL_OUT
# Exit: 0 built; 1 failed; 2 usage.
set -eu

DEFAULT="base virtio nvme ahci ext4 xfs efi serial pstore watchdog"

top=$(cd "$(dirname "$0")/.." && pwd)
# the kernel's make runs elsewhere
build=$(readlink -m "${BUILD:-$top/build}")
fragments=$top/configs/kernel
out=$(readlink -m "${KERNEL_OUT:-$build/kernel}")
source=${KERNEL_SOURCE:-}
jobs=$(nproc)

die() {
	echo "kernel.sh: $*" >&2
	exit 1
}

# The package that Debian's linux-source depends on.
default_package() {
	apt-cache depends linux-source | sed -n 's/^ *Depends: *\(linux-source-.*\)/\1/p' | head -n 1
}

# Downloads a package without installing it; gives the tarball in it.
fetch() {
	dir=$build/kernel-source/$1
	mkdir -p "$dir"
	if [ -z "$(find "$dir" -name '*.tar.xz')" ]; then
		(cd "$dir" && apt-get -q -o APT::Sandbox::User=root download "$1" >/dev/null) ||
			die "apt-get download $1 failed"
		dpkg-deb --fsys-tarfile "$dir"/*.deb | tar -x -C "$dir" --strip-components=3 \
			"./usr/src/$1.tar.xz" || die "$1 has no usr/src/$1.tar.xz"
		rm -f "$dir"/*.deb
	fi
	find "$dir" -name '*.tar.xz'
}

# A tree of the tarball, unpacked once.
unpack() {
	tree=$build/kernel-source/$(basename "$1" .tar.xz).tree
	if [ ! -f "$tree/.unpacked" ]; then
		rm -rf "$tree"
		mkdir -p "$tree"
		tar -x -C "$tree" --strip-components=1 -f "$1"
		touch "$tree/.unpacked"
	fi
	echo "$tree"
}

# The entry code stands in 2 MiB of its own, and what comes after it in the next, for the page tables of
# CONFIG_PAGE_TABLE_ISOLATION: 4 MiB of a small kernel. No fragment asks for that option.
pack_text() {
	sed -i -e '/define ALIGN_ENTRY_TEXT_/s/PMD_SIZE/PAGE_SIZE/' \
		"$tree/arch/x86/kernel/vmlinux.lds.S"
}

# Names what FRAGMENT asks for and the configuration has not.
check_fragment() {
	sed -n -e 's/^\(CONFIG_[A-Z0-9_]*\)=n$/\1 n/p' -e 's/^# \(CONFIG_[A-Z0-9_]*\) is not set$/\1 n/p' \
		-e 's/^\(CONFIG_[A-Z0-9_]*\)=\(.*\)/\1 \2/p' "$fragments/$1.config" |
		while read -r name value; do
			has=$(sed -n "s/^$name=//p" "$obj/.config")
			[ "${has:-n}" = "$value" ] || echo "$1: $name=$value is ${has:-n}"
		done
}

# What base means in newer kernels: since 6.9 crash dumps are an option below kexec's.
base_of_newer() {
	if sed -n '/^config CRASH_DUMP$/,/^config /p' "$tree/kernel/Kconfig.kexec" 2>/dev/null |
		grep -q 'depends on KEXEC_CORE'; then
		echo CONFIG_KEXEC=y
	fi
}

configure() {
	kmake tinyconfig >/dev/null
	for f in "$@"; do
		cat "$fragments/$f.config"
	done >>"$obj/.config"
	base_of_newer >>"$obj/.config"
	# the last line that names an option counts; what it depends on decides
	kmake olddefconfig 2>/dev/null >/dev/null || die "olddefconfig failed"
	lacking=
	for f in "$@"; do
		text=$(check_fragment "$f")
		[ -z "$text" ] || echo "$text"
		# what base leaves out another fragment may have, or need
		[ "$f" != base ] || lacking=$(echo "$text" | grep -v '=n is ' || :)
	done
	[ -z "$lacking" ] || die "this source does not have what base needs"
}

kmake() {
	make -s -C "$tree" O="$obj" ARCH=x86_64 KBUILD_BUILD_USER=crashpod KBUILD_BUILD_HOST=crashpod \
		KBUILD_BUILD_VERSION=1 KBUILD_BUILD_TIMESTAMP="$stamp" "$@"
}

# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- $DEFAULT
if [ "$*" = all ]; then
	# shellcheck disable=SC2046 # likewise
	set -- base $(basename -s .config -a "$fragments"/*.config | grep -vx base)
fi
for f in "$@"; do
	if [ ! -f "$fragments/$f.config" ]; then
		echo "kernel.sh: no fragment $f in configs/kernel" >&2
		exit 2
	fi
done
[ -n "$source" ] || source=$(default_package)
[ -n "$source" ] || die "no linux-source package is known: apt-get update, or set KERNEL_SOURCE"
if [ -d "$source" ]; then
	tree=$(readlink -f "$source")
elif [ -f "$source" ]; then
	tree=$(unpack "$source")
	pack_text
else
	tarball=$(fetch "$source")
	tree=$(unpack "$tarball")
	pack_text
fi
obj=$out/obj
mkdir -p "$obj"
# the time of the source, not of the build
stamp=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y "$tree/Makefile")}")
export LC_ALL=C
configure "$@"
kmake -j"$jobs" bzImage
release=$(cat "$obj/include/config/kernel.release")
modules=$out/lib/modules/$release
mkdir -p "$modules"
kmake modules.builtin modules.builtin.modinfo 2>/dev/null || :
for f in modules.builtin modules.builtin.modinfo; do
	[ ! -f "$obj/$f" ] || cp "$obj/$f" "$modules/$f"
done
[ -f "$modules/modules.builtin" ] || : >"$modules/modules.builtin"
: >"$modules/modules.order"
depmod -b "$out" "$release"
cp "$obj/arch/x86/boot/bzImage" "$out/bzImage"
cp "$obj/.config" "$modules/config"
cp "$obj/.config" "$out/config"
cp "$obj/System.map" "$obj/vmlinux" "$out/"
echo "$release" >"$out/release"
echo "kernel.sh: $out/bzImage: $release, $(stat -c %s "$out/bzImage") bytes"
