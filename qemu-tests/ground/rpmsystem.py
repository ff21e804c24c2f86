# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole machine that is laid out as openEuler and its kin are, of the packages that Debian has.
It is in build/ground/systems/rpm-layout.

What is like theirs: rpm with a database of its own and no dpkg, /etc/os-release, entries of the
Boot Loader Specification read by GRUB's blscfg (of forky's GRUB 2.14; there is no grubby,
update-grub or grub-mkconfig), modules as .ko.xz, /boot/initramfs-KVER.img, kdump's configuration
and service; a later kernel comes as an rpm whose scriptlets call kernel-install.
What is not: the kernels, their names and the programs are those of Debian; kdump.service does
nothing, as its package is not in Debian; of kernel-install's plugins the one that writes entries,
20-grub.install, is a stand-in, and brings an initramfs that was made beforehand.
"""

import hashlib
import shutil
from pathlib import Path

from . import apt, kernels, paths, systems

SUITE = "trixie"
KERNEL = "6.12-cloud"  # in kernels.TABLE
LATER_KERNEL = "new-cloud"
NAME = "rpm-layout"
GRUB_SUITE = "forky"  # the first with blscfg
GRUB_PACKAGES = ("grub-pc-bin", "grub2-common")
PACKAGES = ("linux-image-cloud-amd64", "initramfs-tools", "systemd-sysv", "dbus", "udev",
            "qemu-guest-agent", "kmod", "e2fsprogs", "cpio", "zstd", "xz-utils", "rpm", "crash",
            "libdevmapper1.02.1")
# what the rpm database says is there: the names that openEuler's packages have
BASE = ("/bin/sh", "kmod", "cpio", "diffutils", "zstd", "xz", "util-linux", "systemd", "crash")
GONE = ("usr/bin/apt", "usr/bin/apt-*", "usr/bin/dpkg*", "usr/sbin/dpkg*", "var/lib/apt",
        "var/lib/dpkg", "etc/apt", "etc/dpkg", "etc/kernel/*.d", "etc/kdump-tools*", "usr/lib/apt",
        "usr/lib/dpkg", "var/cache/apt", "var/cache/debconf", "etc/debian_version")
PLUGIN = "usr/lib/kernel/install.d/20-grub.install"
MACHINE_ID = "0123456789abcdef0123456789abcdef"
CMDLINE = f"root=UUID={systems.ROOT_UUID} ro console=ttyS0 no_timer_check"

FILES = {
    **{name: systems.FILES[name] for name in ("etc/fstab", "etc/hostname", "etc/hosts")},
    "etc/default/grub": 'GRUB_TIMEOUT=0\nGRUB_DISTRIBUTOR="openEuler"\nGRUB_DEFAULT=saved\n'
                        f'GRUB_CMDLINE_LINUX="{CMDLINE.partition(" ro ")[2]}"\n'
                        'GRUB_ENABLE_BLSCFG=true\n',
    "etc/kdump.conf": "#raw /dev/sda5\n#ext4 /dev/sda3\npath /var/crash\n"
                      "core_collector makedumpfile -l --message-level 7 -d 31\n"
                      "#failure_action shell\n",
    "usr/lib/systemd/system/kdump.service":
        "[Unit]\nDescription=Crash recovery kernel arming (stand-in)\n\n[Service]\n"
        "Type=oneshot\nExecStart=/bin/true\nRemainAfterExit=yes\n\n"
        "[Install]\nWantedBy=multi-user.target\n",
    "etc/rpm/macros": "%_dbpath /var/lib/rpm\n",
    # as RHEL's: entries are the business of 20-grub.install
    "etc/kernel/install.conf": "layout=other\n",
    PLUGIN: f"""#!/bin/sh
# Stands in for grub2's plugin of this name.
set -e
entry=/boot/loader/entries/{MACHINE_ID}-$2.conf
case $1 in
add)
	cp "$4" "/boot/vmlinuz-$2"
	cp "/lib/modules/$2/initramfs.img" "/boot/initramfs-$2.img"
	printf '%s\\n' "title openEuler ($2) 24.03 (LTS)" "version $2" "linux /boot/vmlinuz-$2" \\
		"initrd /boot/initramfs-$2.img" "options $(cat /etc/kernel/cmdline)" > "$entry"
	;;
remove) rm -f "/boot/vmlinuz-$2" "/boot/initramfs-$2.img" "$entry" ;;
esac
""",
}
OS_RELEASE = '''NAME="openEuler"
VERSION="24.03 (LTS)"
ID="openEuler"
VERSION_ID="24.03"
PRETTY_NAME="openEuler 24.03 (LTS)"
ANSI_COLOR="0;31"
'''
GRUB_CFG = '''serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
set timeout=0
insmod blsuki
blscfg --path (hd0,gpt2)/boot/loader/entries
'''
BASE_SPEC = '''Name: layout-base
Version: 1
Release: 1
Summary: What Debian's packages have put here
License: GPL-2.0-or-later
BuildArch: noarch
{provides}
%description
Stands in the rpm database for packages that another manager has unpacked.
%files
'''


KERNEL_SPEC = '''Name: kernel
Version: {version}
Release: {release}
Summary: A later kernel
License: GPL-2.0-only
AutoReqProv: no
%global debug_package %{{nil}}
%global __os_install_post %{{nil}}
%global _build_id_links none
%global _binary_payload w1.gzdio
%description
A kernel with its modules, as an rpm.
%install
mkdir -p %{{buildroot}}/usr/lib/modules
cp -r {modules} %{{buildroot}}/usr/lib/modules/
cp {initramfs} %{{buildroot}}/usr/lib/modules/{kver}/initramfs.img
cd %{{buildroot}}/usr/lib/modules/{kver}
rm -f modules.alias* modules.dep* modules.devname modules.soft* modules.sym* modules.weak* *.bin
%files
/usr/lib/modules/{kver}
%posttrans
kernel-install add {kver} /lib/modules/{kver}/vmlinuz || exit $?
%preun
kernel-install remove {kver} || exit $?
%postun
rm -rf /usr/lib/modules/{kver}
'''


def _recipe(later):
    """What a machine is made by; another recipe makes it again. The number is of this code."""
    made_by = (2, later.kver, PACKAGES, BASE, GONE, FILES, OS_RELEASE, GRUB_CFG,
               GRUB_PACKAGES, BASE_SPEC)
    return hashlib.sha256(repr(made_by).encode()).hexdigest()


def _rpm_database(root, where):
    """A database of its own, with the one package that stands for Debian's."""
    spec = where / "base.spec"
    spec.write_text(BASE_SPEC.format(provides="".join(f"Provides: {b}\n" for b in BASE)),
                    encoding="ascii")
    paths.run(["rpmbuild", "--define", f"_topdir {where}/rpmbuild", "-bb", spec])
    package, = (where / "rpmbuild/RPMS/noarch").glob("*.rpm")
    shutil.copy(package, root / "tmp/base.rpm")
    shutil.rmtree(root / "var/lib/rpm", ignore_errors=True)
    paths.run(["chroot", root, "rpm", "--initdb"])
    paths.run(["chroot", root, "rpm", "-i", "/tmp/base.rpm"])
    (root / "tmp/base.rpm").unlink()


def _boot(root, where, kver):
    """Kernel, entry and menu where this layout has them; gives GRUB's sectors."""
    boot, entries = root / "boot", root / "boot/loader/entries"
    (boot / f"initrd.img-{kver}").rename(boot / f"initramfs-{kver}.img")
    entries.mkdir(parents=True)
    (entries / f"{MACHINE_ID}-{kver}.conf").write_text(
        f"title openEuler ({kver}) 24.03 (LTS)\nversion {kver}\nlinux /boot/vmlinuz-{kver}\n"
        f"initrd /boot/initramfs-{kver}.img\noptions {CMDLINE}\n"
        "grub_users $grub_users\ngrub_arg --unrestricted\ngrub_class kernel\n", encoding="ascii")
    source = apt.Suite(GRUB_SUITE)
    source.update()
    for package in GRUB_PACKAGES:
        paths.run(["dpkg-deb", "-x", source.download(package, where / "grub"), root])
    (boot / "grub2").mkdir()
    (boot / "grub2/grub.cfg").write_text(GRUB_CFG, encoding="ascii")
    shutil.copytree(root / "usr/lib/grub/i386-pc", boot / "grub2/i386-pc",
                    ignore=shutil.ignore_patterns("*.img", "*.module"))
    made = systems.grub_core(root, "/boot/grub2")
    # there is no program that makes a menu: what reads the entries is GRUB itself
    for left in [*(root / "usr/bin").glob("grub-*"), *(root / "usr/sbin").glob("grub-*"),
                 *(root / "usr/sbin").glob("update-grub*"), *(root / "etc/grub.d").glob("*")]:
        left.unlink()
    return made


def _modules(kernel):
    """Where an unpacked kernel has its modules."""
    for name in ("usr/lib/modules", "lib/modules"):
        tree = Path(kernel.root) / name / kernel.kver
        if tree.is_dir() and not tree.parent.is_symlink():
            return tree
    raise paths.GroundError(f"{kernel.root} has no modules")


def _later_initramfs(root, kernel, where):
    """A later kernel's initramfs, while there still is what can make one."""
    tree = root / "usr/lib/modules" / kernel.kver
    shutil.copytree(_modules(kernel), tree)
    shutil.copyfile(kernel.config, root / f"boot/config-{kernel.kver}")
    paths.run(["chroot", root, "depmod", kernel.kver])
    paths.run(["chroot", root, "mkinitramfs", "-o", "/tmp/later.img", kernel.kver])
    shutil.move(root / "tmp/later.img", where / "later.img")
    (root / f"boot/config-{kernel.kver}").unlink()
    shutil.rmtree(tree)


def kernel_rpm(where):
    """The later kernel as an rpm; gives its release and the file."""
    kernel = kernels.ensure(LATER_KERNEL)
    top, spec = where / "rpmbuild", where / "kernel.spec"
    shutil.rmtree(top, ignore_errors=True)
    version, _, release = kernel.kver.replace("-", "_").partition("+")
    spec.write_text(KERNEL_SPEC.format(
        version=version, release=release, kver=kernel.kver, modules=_modules(kernel),
        initramfs=paths.GROUND / "systems" / NAME / "later.img"), encoding="ascii")
    paths.run(["rpmbuild", "--define", f"_topdir {top}", "--target", "x86_64", "-bb", spec])
    package, = (top / "RPMS").rglob("kernel-*.rpm")
    return kernel.kver, package


def _make(where, later):
    paths.say(f"ground: a machine of the layout that rpm systems have, of {SUITE} (some minutes)")
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True)
    root = where / "root"
    systems.bootstrap(SUITE, root, where / "bootstrap.log", PACKAGES, FILES)
    (root / PLUGIN).chmod(0o755)
    kver = systems.kver_of(root)
    _rpm_database(root, where)
    _later_initramfs(root, later, where)
    grub = _boot(root, where, kver)
    for pattern in GONE:
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    (root / "etc/os-release").unlink(missing_ok=True)
    (root / "etc/os-release").write_text(OS_RELEASE, encoding="ascii")
    (root / "etc/systemd/system/multi-user.target.wants/kdump.service").symlink_to(
        "/usr/lib/systemd/system/kdump.service")
    # what a first boot would make anew because /usr is younger
    for name in ("etc/.updated", "var/.updated"):
        (root / name).touch()
    systems.write_disk(root, where / "disk", grub)
    for made in (root, where / "rpmbuild", where / "grub"):
        shutil.rmtree(made)
    return kver


def ensure():
    """The machine's disk, which stays as it is, and its kernel; made if it is not there."""
    where = paths.GROUND / "systems" / NAME
    later = kernels.ensure(LATER_KERNEL)
    with paths.locked(f"system-{NAME}"):
        stamp = where / "stamp"
        found = stamp.read_text(encoding="ascii").split() if stamp.exists() else []
        if len(found) != 2 or found[0] != _recipe(later):
            kver = _make(where, later)
            stamp.write_text(f"{_recipe(later)} {kver}\n", encoding="ascii")
            found = ["", kver]
    return systems.System(NAME, where / "disk", found[1])


def image(where, name, tree, mib):
    """An ext4 image of a directory, by whose label a machine finds it."""
    disk = Path(where) / f"{name}.img"
    disk.unlink(missing_ok=True)
    paths.run(["mke2fs", "-q", "-t", "ext4", "-L", name, "-E", "root_owner=0:0", "-d", tree, disk,
               f"{mib}M"])
    return disk
