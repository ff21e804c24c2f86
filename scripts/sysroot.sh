#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# sysroot.sh - build the static libraries of the ramdisk's programs against musl.
#
#	scripts/sysroot.sh [OUTDIR]		(default: build/sysroot)
#
# Sources are the Debian source packages of the release this runs on, newest version of
# the release, its updates and its security suite; apt checks their signatures and
# checksums. zstd comes from Debian 13 where the release is older: since 1.5.6 it takes a
# tenth less time for one page. Nothing of the system's apt state is changed, and no root is needed.
# A library is built again when its version, its flags, the compiler, musl or this
# script changed; the package lists are fetched again when they are a day old.
#
# CRASHPOD_MIRROR           Debian mirror (http://deb.debian.org/debian)
# CRASHPOD_SECURITY_MIRROR  security mirror (http://deb.debian.org/debian-security)
#
# Written:
#	OUTDIR/include, OUTDIR/lib   headers; libz.a libzstd.a libelf.a libblkid.a
#	OUTDIR/kernel                links to the kernel's headers, and to nothing of glibc's
#	OUTDIR/bin/musl-cc           gcc for static-pie musl programs with all of these
#	OUTDIR/versions.txt          "library version" lines; written last
#	build/{apt,src,log}          package lists and archives, sources, full logs
# Exit: 0 built; 1 failed (OUTDIR holds whole libraries only); 2 usage.
set -eu

usage() {
	echo "usage: sysroot.sh [OUTDIR]" >&2
	exit 2
}

die() {
	echo "sysroot.sh: $*" >&2
	exit 1
}

# Source package, then the library it gives. zlib comes first: libelf needs it.
LIBRARIES="zlib:libz libzstd:libzstd elfutils:libelf util-linux:libblkid"
CFLAGS="-O2 -g -fPIE -fstack-protector-strong -ffunction-sections -fdata-sections"

# --- apt, with lists, cache and sources of its own ---

# A configuration given with -c is read after the machine's own in apt.conf.d, so proxies and
# the like stay in force and what is said here wins. Hooks run after an update are for the
# system's lists, not for these. The download user of apt cannot reach every checkout.
apt_setup() {
	mkdir -p "$apt/sources.list.d" "$apt/state/lists/partial" "$apt/cache/archives/partial" \
		"$apt/archives"
	cat >"$apt/apt.conf" <<-CONF
	#clear APT::Update::Pre-Invoke;
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	APT::Default-Release "";
	APT::Sandbox::User "root";
	APT::Update::Error-Mode "any";
	Dir::Etc::sourcelist "/dev/null";
	Dir::Etc::sourceparts "$apt/sources.list.d";
	Dir::State "$apt/state";
	Dir::Cache "$apt/cache";
	CONF
	for release in "$codename" "$(release_of libzstd)"; do
		apt_source "${CRASHPOD_MIRROR:-http://deb.debian.org/debian}" \
			"$release $release-updates"
		apt_source "${CRASHPOD_SECURITY_MIRROR:-http://deb.debian.org/debian-security}" \
			"$release-security"
		[ "$release" != "$(release_of libzstd)" ] || break
	done >"$apt/new.sources"
	if ! cmp -s "$apt/new.sources" "$apt/sources.list.d/crashpod.sources"; then
		rm -f "$apt/fresh"
	fi
	mv "$apt/new.sources" "$apt/sources.list.d/crashpod.sources"
}

apt_source() {
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n' \
		"$1" "$2" "$keyring"
}

apt_update() {
	[ -z "$(find "$apt/fresh" -mmin -1440 2>/dev/null)" ] || return 0
	if apt-get -c "$apt/apt.conf" -q update >"$logs/apt-update.log" 2>&1; then
		touch "$apt/fresh"
	elif [ -e "$apt/fresh" ]; then
		echo "sysroot.sh: package lists could not be fetched; older ones serve" >&2
	else
		tail -n 20 "$logs/apt-update.log" >&2
		die "no package lists (log: $logs/apt-update.log)"
	fi
}

# The release whose source package is built.
release_of() {
	case $1-$codename in
	libzstd-bullseye | libzstd-bookworm) echo trixie ;;
	*) echo "$codename" ;;
	esac
}

# Versions of a source package, newest first. A line of madison's: name | version | URI suite/main
# Sources
source_versions() {
	apt-cache -c "$apt/apt.conf" madison "$1" |
		awk -F ' *[|] *' -v release="$(release_of "$1")" '
			$3 ~ " " release "(-updates|-security)?/.* Sources$" { print $2 }' |
		sort -Vru
}

# The .dsc of a version (whose name has no epoch), downloaded unless it was before.
source_fetch() {
	dsc=$apt/archives/$1_${2#*:}.dsc
	[ ! -e "$dsc.ok" ] || return 0
	(cd "$apt/archives" && apt-get -c "$apt/apt.conf" -q source --only-source \
		--download-only "$1=$2") >"$logs/$1-fetch.log" 2>&1 || return 1
	touch "$dsc.ok"
}

# --- the tools to build with ---

# The kernel's headers without glibc's, which lie in the same directory on Debian.
kernel_headers() {
	mkdir -p "$out/kernel"
	for dir in linux asm-generic mtd rdma; do
		[ ! -d "/usr/include/$dir" ] || ln -sfn "/usr/include/$dir" "$out/kernel/$dir"
	done
	ln -sfn "/usr/include/$(gcc -print-multiarch)/asm" "$out/kernel/asm"
}

# Debian's musl-gcc takes -static-pie without a word and makes a dynamic program: its specs
# know neither rcrt1.o nor the linker's options. These specs, read after musl's, do.
musl_cc() {
	musl_specs=$(REALGCC="echo" musl-gcc | sed 's/.*-specs //')
	musl_lib=${musl_specs%/*}
	[ -e "$musl_lib/rcrt1.o" ] || die "no $musl_lib/rcrt1.o: this musl has no static-pie"
	mkdir -p "$out/bin" "$out/lib" "$out/include"
	cat >"$out/lib/static-pie.specs" <<-SPECS
	*startfile:
	%{!nostartfiles:$musl_lib/rcrt1.o $musl_lib/crti.o crtbeginS.o%s}

	*link:
	-static -pie --no-dynamic-linker -z text -nostdlib %{rdynamic:-export-dynamic}

	SPECS
	cat >"$out/bin/musl-cc.new" <<-WRAPPER
	#!/bin/sh
	# musl-cc: gcc for static-pie programs on musl, with this directory's libraries.
	root=\${0%/*}/..
	exec \${REALGCC:-gcc} -specs=$musl_specs -specs="\$root/lib/static-pie.specs" \\
		-isystem "\$root/include" -idirafter "\$root/kernel" -L"\$root/lib" "\$@"
	WRAPPER
	chmod +x "$out/bin/musl-cc.new"
	mv "$out/bin/musl-cc.new" "$out/bin/musl-cc"
}

# --- one recipe a library: run in its source directory, installs into $stage ---

recipe_zlib() {
	./configure --static
	make -j"$jobs" libz.a
	cp zlib.h zconf.h "$stage/include"
	cp libz.a "$stage/lib"
}

recipe_libzstd() {
	make -j"$jobs" -C lib libzstd.a CC="$CC" CFLAGS="$CFLAGS -O3" ZSTD_LEGACY_SUPPORT=0
	cp lib/zstd.h lib/zstd_errors.h "$stage/include"
	cp lib/libzstd.a "$stage/lib"
}

# configure asks for argp, fts and obstack for programs and libraries that are not built here.
recipe_elfutils() {
	generated_newer
	./configure --disable-nls --disable-debuginfod --disable-libdebuginfod \
		--without-bzlib --without-lzma --without-zstd \
		ac_cv_search_argp_parse="none required" \
		ac_cv_search_fts_close="none required" \
		ac_cv_search__obstack_free="none required"
	make -j"$jobs" -C libelf libelf.a
	# From 0.191 on libelf takes search trees from elfutils' own convenience library.
	if [ -e lib/eu-search.c ]; then
		make -C lib eu-search.o
		ar rcsD libelf/libelf.a lib/eu-search.o
	fi
	cp libelf/libelf.h libelf/gelf.h libelf/nlist.h "$stage/include"
	cp libelf/libelf.a "$stage/lib"
}

recipe_util_linux() {
	generated_newer
	./configure --disable-all-programs --enable-libblkid --disable-shared --enable-static \
		--disable-nls --disable-asciidoc --without-python --without-systemd
	make -j"$jobs" libblkid.la
	mkdir "$stage/include/blkid"
	cp libblkid/src/blkid.h "$stage/include/blkid"
	cp .libs/libblkid.a "$stage/lib"
}

# Debian's patches make autotools' inputs newer than the files made from them, which make
# would then make again. No patch applied so far changes what is built from these.
generated_newer() {
	find . -name aclocal.m4 -exec touch {} +
	find . \( -name configure -o -name config.h.in -o -name Makefile.in \) -exec touch {} +
}

# --- building ---

stamp_text() {
	echo "$1 $2"
	echo "$CFLAGS"
	gcc -dumpfullversion
	dpkg-query -W -f='${Package} ${Version}\n' musl-dev linux-libc-dev
	cksum <"$self"
}

unpack() {
	rm -rf "${src:?}/$1" "$src/$1.stage"
	dpkg-source --no-check --no-copy -q -x "$apt/archives/$1_${2#*:}.dsc" "$src/$1"
	mkdir -p "$src/$1.stage/include" "$src/$1.stage/lib"
}

# Everything in a library must link: a symbol that musl lacks shows here, not in a program.
link_whole() {
	echo 'int main(void) { return 0; }' >"$stage/main.c"
	"$CC" -o "$stage/main" "$stage/main.c" -Wl,--whole-archive "$stage/lib/$1.a" \
		-Wl,--no-whole-archive -L"$stage/lib" -lz
	"$stage/main"
	rm "$stage/main.c" "$stage/main"
}

# Paths of this machine stay out of the libraries: same sources, same bytes.
compile() {
	set -e
	unpack "$1" "$2"
	cd "$src/$1"
	stage=$src/$1.stage
	CC=$out/bin/musl-cc
	CFLAGS="$CFLAGS -ffile-prefix-map=$src/$1=/usr/src/$1"
	CFLAGS="$CFLAGS -ffile-prefix-map=$out=/usr/src/sysroot"
	export CC CFLAGS LC_ALL=C
	case $1 in
	zlib) recipe_zlib ;;
	libzstd) recipe_libzstd ;;
	elfutils) recipe_elfutils ;;
	util-linux) recipe_util_linux ;;
	esac
	link_whole "$3"
}

# Each file appears whole: copied beside its place, then renamed.
install_stage() {
	(cd "$src/$1.stage" && find . -type f) | while read -r file; do
		mkdir -p "$out/${file%/*}"
		cp "$src/$1.stage/$file" "$out/$file.new"
		mv "$out/$file.new" "$out/$file"
	done
}

# Sets $version to the one that is built, the newest that can be had.
build() {
	versions=$(source_versions "$1")
	[ -n "$versions" ] || die "no source package $1 in $(release_of "$1")"
	newest=
	for version in $versions; do
		newest=${newest:-$version}
		stamp_text "$1" "$version" | cmp -s - "$out/stamp/$1" && return 0
		source_fetch "$1" "$version" && break
		version=
	done
	[ -n "$version" ] || { cat "$logs/$1-fetch.log" >&2; die "cannot download $1"; }
	[ "$version" = "$newest" ] ||
		echo "sysroot.sh: WARNING: $1 $newest is not on the mirror, using $version" >&2
	rm -f "$out/stamp/$1"
	# Not "compile ... || ...": that would switch off compile's own set -e.
	set +e
	(compile "$1" "$version" "$2") >"$logs/$1.log" 2>&1
	rc=$?
	set -e
	if [ "$rc" -ne 0 ]; then
		tail -n 30 "$logs/$1.log" >&2
		die "$1 $version failed (log: $logs/$1.log)"
	fi
	install_stage "$1"
	stamp_text "$1" "$version" >"$out/stamp/$1.new"
	mv "$out/stamp/$1.new" "$out/stamp/$1"
	rm -rf "${src:?}/$1" "$src/$1.stage"
	echo "sysroot.sh: $2.a from $1 $version"
}

[ $# -le 1 ] || usage
case ${1-} in -*) usage ;; esac
self=$(cd "$(dirname "$0")" && pwd)/sysroot.sh
top=${self%/scripts/sysroot.sh}
out=${1:-$top/build/sysroot}
mkdir -p "$out/stamp" "$top/build/log" "$top/build/src" "$top/build/apt"
out=$(cd "$out" && pwd)
apt=$top/build/apt src=$top/build/src logs=$top/build/log
jobs=$(nproc)
# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
[ -n "$codename" ] || die "/etc/os-release names no release"

exec 9>"$apt/lock"
flock 9
apt_setup
apt_update
kernel_headers
musl_cc
: >"$out/versions.new"
for pair in $LIBRARIES; do
	build "${pair%:*}" "${pair#*:}"
	echo "${pair#*:} $version" >>"$out/versions.new"
done
mv "$out/versions.new" "$out/versions.txt"
