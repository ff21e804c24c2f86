#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_refresh.sh - crashpod refresh and the hooks of kernel packages, as installed in a root of
# their own, with the real builder and two kernels.
# shellcheck disable=SC1091,SC2034,SC2154 # the builder's tests' common.sh, and its variables
. "$(dirname "$(readlink -f "$0")")/../../mkinitrd/tests/common.sh"

root=$lab/root
images=$root/var/lib/crashpod
other=6.6.7-test
CRASHPOD_SYS=$lab/sys
CRASHPOD_DEV=$lab/dev
CRASHPOD_ROOT=$root
export CRASHPOD_SYS CRASHPOD_DEV CRASHPOD_ROOT

# run WHAT...: output in $lab/said, exit status in $rc
run()
{
	rc=0
	"$@" > "$lab/said" 2>&1 || rc=$?
}

refresh()
{
	run "$CRASHPOD" refresh --root "$root" "$@"
}

# is NAME EXIT TEXT: of the last run
is()
{
	result "$1: exit" "$rc: $(cat "$lab/said")" test "$rc" -eq "$2"
	test -z "$3" || result "$1: says" "$(cat "$lab/said")" grep -q -F -e "$3" "$lab/said"
}

there()
{
	test -s "$images/initramfs-$1.img" && test -s "$images/initramfs-$1.inputs"
}

gone()
{
	test ! -e "$images/initramfs-$1.img" && test ! -e "$images/initramfs-$1.inputs"
}

sums()
{
	(cd "$images" && sha256sum ./*)
}

# A second kernel, as its package would unpack it.
other_kernel()
{
	kver=$other
	make_tree "$root"
	depmod -b "$root" "$kver"
	: > "$root/boot/vmlinuz-$kver"
	kver=6.6.6-test
}

make_lab
DESTDIR=$root sh "$top/scripts/install.sh"
depmod -b "$root" "$kver"
: > "$root/boot/vmlinuz-$kver"
mkdir -p "$root/etc" "$images"
post=$root/etc/kernel/postinst.d/zz-crashpod
postrm=$root/etc/kernel/postrm.d/zz-crashpod
install=$root/usr/lib/kernel/install.d/90-crashpod.install

# Nothing is set up: hooks keep quiet.
for hook in "$post $kver" "$postrm $kver" "$install add $kver" "$install remove $kver" \
	"$post" "$postrm" "$install"; do
	# shellcheck disable=SC2086 # words
	run $hook
	is "not set up: ${hook#"$root"}" 0 ''
	result "not set up: nothing is said" "$(cat "$lab/said")" test ! -s "$lab/said"
done
result 'not set up: nothing is made' "$(ls "$images")" gone "$kver"
refresh
is 'no configuration' 1 "$kver: its initramfs could not be made, and there is none"

printf 'xfs UUID=1111-2222\n' > "$root/etc/crashpod.conf"
refresh -k "$kver"
is 'one kernel' 0 'modules, compression'
result 'one kernel: made' "$(ls "$images")" there "$kver"
refresh -k "$kver" --if-needed
is 'again' 0 'is up to date'
refresh -k "$kver" --if-missing
is 'not missing' 0 ''
result 'not missing: nothing is looked at' "$(cat "$lab/said")" test ! -s "$lab/said"
mv "$images/initramfs-$kver.img" "$lab/moved"
refresh -k "$kver" --if-missing
is 'missing' 0 'modules, compression'
other_kernel
mkdir -p "$root/lib/modules/headers-only"
refresh --if-needed
is 'all kernels' 0 "initramfs-$other.img: "
result 'all kernels: the other one' "$(ls "$images")" there "$other"
result 'all kernels: no other' "$(ls "$images")" test "$(find "$images" -type f | wc -l)" -eq 4

# Options stay with an image, and are taken for those of other kernels from the running one.
"$root/usr/lib/crashpod/mkinitrd" -k "$kver" -c "$root/etc/crashpod.conf" --modules-root "$root" \
	-o "$images/initramfs-$kver.img" --add-modules 'tunable efi_pstore' --compress gzip 2> "$lab/said"
refresh -k "$kver" --if-needed
is 'options: kept' 0 'is up to date'
refresh -k "$kver"
result 'options: given again' "$(cat "$images/initramfs-$kver.inputs")" \
	grep -q '^module tunable ' "$images/initramfs-$kver.inputs"

# What fails keeps the image, and each kernel has its own try.
before=$(sums)
echo 'nonsense 1' >> "$root/etc/crashpod.conf"
refresh
is 'broken configuration' 1 'its initramfs could not be made, the one of '
result 'broken configuration: both are told' "$(cat "$lab/said")" \
	test "$(grep -c 'stays$\|stays:' "$lab/said")" -eq 2
result 'broken configuration: both stay' "$(sums)" test "$(sums)" = "$before"
for hook in "$post $kver /boot/x" "$install add $kver /boot/x"; do
	# shellcheck disable=SC2086
	run $hook
	is "a hook never fails: ${hook#"$root"}" 0 'crashpod: '
done
printf 'xfs UUID=1111-2222\ndump_level 17\n' > "$root/etc/crashpod.conf"
mv "$root/lib/modules/$other/kernel/fs/xfs/xfs.ko" "$lab/xfs.ko"
refresh
is 'one of two' 1 "$other: its initramfs could not be made, the one of "
result 'one of two: the other is made' "$(cat "$lab/said")" \
	grep -q "initramfs-$kver.img: .* bytes" "$lab/said"
mv "$lab/xfs.ko" "$root/lib/modules/$other/kernel/fs/xfs/xfs.ko"

# A change while an image is being made, by the first call of a tool that the builder uses: the
# image is made again.
mkdir "$lab/tools"
for tool in modprobe gzip sha256sum; do
	cat > "$lab/tools/$tool" <<-SHIM
	#!/bin/sh
	mv "$lab/next.conf" "$root/etc/crashpod.conf" 2> /dev/null
	PATH=$PATH exec $tool "\$@"
	SHIM
	chmod +x "$lab/tools/$tool"
	printf 'xfs UUID=1111-2222\ndump_level 1\n' > "$root/etc/crashpod.conf"
	printf 'xfs UUID=1111-2222\ndump_level 17\n' > "$lab/next.conf"
	PATH=$lab/tools:$PATH refresh -k "$kver"
	is "changed by $tool" 0 "initramfs-$kver.img: "
	result "changed by $tool: it was" '' test ! -e "$lab/next.conf"
	refresh -k "$kver" --if-needed
	is "changed by $tool: again" 0 'is up to date'
	rm "$lab/tools/$tool"
done

# The hooks of packages.
run "$post" "$other" "/boot/vmlinuz-$other"
is 'postinst' 0 "initramfs-$other.img: "
run "$postrm" "$other" "/boot/vmlinuz-$other"
is 'postrm of an upgrade' 0 ''
result 'postrm of an upgrade: it stays' "$(ls "$images")" there "$other"
rm "$root/boot/vmlinuz-$other"
run "$postrm" "$other" "/boot/vmlinuz-$other"
is 'postrm' 0 "removed the initramfs of kernel $other"
result 'postrm: it is gone' "$(ls "$images")" gone "$other"
result 'postrm: the other stays' "$(ls "$images")" there "$kver"
run "$postrm" "$other"
is 'postrm again' 0 ''
: > "$root/boot/vmlinuz-$other"
run "$install" add "$other" /efi/x "/boot/vmlinuz-$other"
is 'kernel-install add' 0 "initramfs-$other.img: "
result 'kernel-install add: it is there' "$(ls "$images")" there "$other"
run "$install" inspect "$other"
is 'kernel-install, another verb' 0 ''
run "$install" remove "$other" /efi/x
is 'kernel-install remove' 0 "removed the initramfs"
result 'kernel-install remove: it is gone' "$(ls "$images")" gone "$other"
# called by the hooks of a package that calls zz-crashpod as well
export DPKG_MAINTSCRIPT_PACKAGE=linux-image-x
run "$install" add "$other" /efi/x "/boot/vmlinuz-$other"
is 'kernel-install add, of a package' 0 ''
result 'kernel-install add, of a package: nothing is made' "$(ls "$images")" gone "$other"
run "$post" "$other" "/boot/vmlinuz-$other"
run "$install" remove "$other" /efi/x
is 'kernel-install remove, an upgrade of the package' 0 ''
result 'kernel-install remove, an upgrade of the package: it stays' "$(ls "$images")" there "$other"
mv "$post" "$lab/zz-crashpod"
run "$install" remove "$other" /efi/x
is 'kernel-install remove, without the other hook' 0 "removed the initramfs"
mv "$lab/zz-crashpod" "$post"
unset DPKG_MAINTSCRIPT_PACKAGE
mkdir "$root/usr/sbin/away"
mv "$root/usr/sbin/crashpod" "$root/usr/sbin/away"
run "$post" "$other"
is 'removed, not purged' 0 ''
result 'removed, not purged: nothing is said' "$(cat "$lab/said")" test ! -s "$lab/said"

mkdir "$lab/empty"
run "$CRASHPOD" refresh --root "$lab/empty"
is 'no kernel' 1 'no kernel is installed'
run "$CRASHPOD" refresh --root "$lab/empty" --if-needed
is 'no kernel, nothing needed' 0 ''

# usage
for options in '-k a/b' '--removed ..' '-k' '--nonsense' "-k $kver --removed $kver" 'x' '--reload'; do
	# shellcheck disable=SC2086
	refresh $options
	is "usage: $options" 2 'crashpod refresh: '
done
run "$CRASHPOD" load --again -k "$kver"
is 'usage: load --again' 2 '--again takes the options of the load before'
finish
