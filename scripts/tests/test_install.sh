#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_install.sh - what scripts/install.sh puts where, that it works there, and that it goes again.
# shellcheck source=scripts/tests/common.sh
. "$(dirname "$0")/common.sh"

install_sh=$top/scripts/install.sh
kver=$(uname -r)-test

# A kernel whose file system and driver are built in: an image without modules.
small_kernel()
{
	tree=$1/lib/modules/$kver
	mkdir -p "$tree/kernel" "$1/boot"
	printf 'kernel/fs/ext4/ext4.ko\n' > "$tree/modules.builtin"
	printf 'ext4.alias=fs-ext4\0' > "$tree/modules.builtin.modinfo"
	: > "$tree/modules.order"
	printf 'CONFIG_RD_GZIP=y\n' > "$1/boot/config-$kver"
	depmod -b "$1" "$kver"
}

# image PROGRAM NAME: the installed builder makes an image with the installed PID 1.
image()
{
	rc=0
	"$1" -k "$kver" -c "$lab/conf" --modules-root "$lab/kernel" --add-modules ext4 \
		--compress none -o "$lab/$2.img" > "$lab/$2.log" 2>&1 || rc=$?
	result "$2 makes an image" "$(cat "$lab/$2.log")" test "$rc" -eq 0
	cpio -i --quiet --to-stdout init < "$lab/$2.img" > "$lab/$2.init" 2> /dev/null || :
	result "$2 puts the installed PID 1 in" "another init" cmp -s "$lab/$2.init" "$3"
}

files_of()
{
	(cd "$1" && find . -type f -o -type l) | sort
}

test_places()
{
	DESTDIR=$lab/usr sh "$install_sh" || not_ok "install" "exit $?"
	DESTDIR=$lab/usr sh "$install_sh" list | sed "s,^$lab/usr,.," | sort > "$lab/want"
	files_of "$lab/usr" > "$lab/got"
	result "install puts there what list names" "$(diff "$lab/want" "$lab/got")" \
		cmp -s "$lab/want" "$lab/got"
	result "no mkinitrd of others is in the way" "usr/sbin/mkinitrd" \
		test ! -e "$lab/usr/usr/sbin/mkinitrd"
	image "$lab/usr/usr/sbin/crashpod-mkinitrd" usr "$BUILD/init"
}

test_local()
{
	DESTDIR=$lab/local PREFIX=/usr/local sh "$install_sh"
	result "units name the prefix's programs" "$(grep -r sbin "$lab/local/usr/local/lib/systemd")" \
		grep -q '^ExecStart=/usr/local/sbin/crashpod' \
		"$lab/local/usr/local/lib/systemd/system/crashpod.service"
	result "nothing still names /usr/sbin/crashpod" "a unit does" \
		sh -c "! grep -rq -e '[ =]/usr/sbin/crashpod' '$lab/local/usr/local/lib/systemd'"
	image "$lab/local/usr/local/sbin/crashpod-mkinitrd" local "$BUILD/init"
}

test_gone()
{
	mkdir -p "$lab/usr/etc" "$lab/usr/usr/share/man/man8"
	echo "ext4 UUID=x" > "$lab/usr/etc/crashpod.conf"
	DESTDIR=$lab/usr sh "$install_sh" uninstall > "$lab/said"
	result "uninstall leaves the configuration alone" "$(files_of "$lab/usr")" \
		test "$(files_of "$lab/usr")" = ./etc/crashpod.conf
	result "uninstall says what stays" "$(cat "$lab/said")" grep -q 'crashpod.conf stays' "$lab/said"
}

# refused NAME MESSAGE: install of the copied tree fails with a message.
refused()
{
	rc=0
	DESTDIR=$lab/refused sh "$lab/tree/scripts/install.sh" > "$lab/said" 2>&1 || rc=$?
	result "$1" "exit $rc: $(cat "$lab/said")" sh -c "test $rc -ne 0 && grep -q -e '$2' '$lab/said'"
}

test_refused()
{
	mkdir -p "$lab/tree/service/hooks"
	(cd "$top" && tar -cf - scripts service mkinitrd configs docs completions ./*.md LICENSE) |
		tar -xf - -C "$lab/tree"
	: > "$lab/tree/service/hooks/forgotten"
	refused "a file without a row is an error" 'service/hooks/forgotten: no row'
	rm "$lab/tree/service/hooks/forgotten"
	printf '#!/bin/sh\nexec /usr/sbin/crashpod status\n' > "$lab/tree/service/hooks/kernel-postinst"
	DESTDIR=$lab/hooks PREFIX=/usr/local sh "$lab/tree/scripts/install.sh"
	result "a kernel hook is installed, and names this prefix" "no" grep -q \
		/usr/local/sbin/crashpod "$lab/hooks/etc/kernel/postinst.d/zz-crashpod"
	rm "$lab/tree/mkinitrd/mkinitrd"
	refused "a row without a file is an error" 'mkinitrd/mkinitrd is not there'
}

printf 'ext4 UUID=12345678-9abc-def0-1234-56789abcdef0\n' > "$lab/conf"
small_kernel "$lab/kernel"
test_places
test_local
test_gone
test_refused
finish
