# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole Debian machines, by suite: disks that boot by themselves, under build/ground/systems/SUITE.

GPT, BIOS GRUB on the disk (another kind: UEFI firmware and systemd-boot), an ext4 root, systemd (or, as
a kind, sysvinit), the suite's own linux-image-amd64, a serial console, and qemu-guest-agent, by which
the tests run commands. What a person would have installed: none of crashpod's packages are on it. Made
once; a run works on a copy.
"""

import hashlib
import os
import re
import shutil
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from . import apt, efidisk, forky, paths

# suite: the suites of the mirror that its machine is made from, its kernel in kernels.TABLE
SUITES = {"bookworm": "6.1-amd64", "trixie": "6.12-amd64", "testing": "new-amd64"}
RELEASE = {"testing": "forky"}

ROOT_UUID = "5c0ffee5-0dd5-4bad-8bad-0123456789ab"
SECTOR = 512
DISK_MIB = 6144
CORE_SECTOR = 2048  # of the BIOS boot partition, where GRUB's core lies
ROOT_SECTOR = 4096
PACKAGES = ("linux-image-amd64", "grub-pc", "initramfs-tools", "systemd-sysv", "dbus", "udev",
            "qemu-guest-agent", "kmod", "e2fsprogs")
# sysvinit as PID 1, and nothing of systemd's but udev: a name with - goes
SYSVINIT_PACKAGES = ("linux-image-amd64", "grub-pc", "initramfs-tools", "sysvinit-core", "sysv-rc",
                     "initscripts", "insserv", "startpar", "orphan-sysvinit-scripts", "rsyslog",
                     "systemd-standalone-sysusers", "udev", "qemu-guest-agent", "kmod", "e2fsprogs",
                     "systemd-sysv-", "systemd-")
GRUB_SETTLE = "grub-install /dev/vda && update-grub"

FILES = {
    "etc/fstab": f"UUID={ROOT_UUID} / ext4 errors=remount-ro 0 1\n",
    "etc/hostname": "newcomer\n",
    "etc/hosts": "127.0.0.1 localhost newcomer\n",
    "etc/default/grub": 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=0\nGRUB_DISTRIBUTOR=Debian\n'
                        'GRUB_CMDLINE_LINUX_DEFAULT=""\nGRUB_CMDLINE_LINUX="console=ttyS0"\n'
                        'GRUB_TERMINAL=serial\n',
    # no network: nothing is to wait for one
    "etc/network/interfaces": "auto lo\niface lo inet loopback\n",
}


@dataclass(frozen=True)
class Kind:
    """What sets machines of a suite apart: packages, files, the script of the first boot; and the init,
    of harness/inits.py's, which the packages bring."""
    packages: tuple
    files: dict
    settle: str
    init: str = field(default="systemd", repr=False)
    # UEFI firmware, and the boot loader comes with the first boot; never changes for a kind
    uefi: bool = field(default=False, repr=False)


@dataclass
class System:
    """A machine's disk, which stays as it is, and what is in it."""
    suite: str
    disk: Path
    kver: str
    kind: str = "grub"

    @property
    def root_bytes(self):
        """Where its root file system begins on the disk."""
        return (efidisk.ROOT_SECTOR if KINDS[self.kind].uefi else ROOT_SECTOR) * SECTOR

    @property
    def variables(self):
        """What its firmware keeps, beside the disk; only with UEFI."""
        return self.disk.parent / "variables.fd"


# what Debian's installer puts there for UEFI, and its systemd-boot
SDBOOT_PACKAGES = tuple(p for p in PACKAGES if p != "grub-pc") + ("systemd-boot", "dosfstools")
SDBOOT_FILES = {name: text for name, text in FILES.items() if name != "etc/default/grub"} | {
    "etc/fstab": FILES["etc/fstab"] + f"UUID={efidisk.ESP_UUID} /boot/efi vfat umask=0077 0 1\n",
    "boot/efi/.keep": "",
}
# as the package's own postinst does it on a machine that runs
SDBOOT_SETTLE = """bootctl install {} &&
kernel-install add "$(uname -r)" "/boot/vmlinuz-$(uname -r)" && bootctl list --no-pager"""

KINDS = {
    "grub": Kind(PACKAGES, FILES, GRUB_SETTLE + " && systemctl is-system-running"),
    "systemd-boot": Kind(SDBOOT_PACKAGES, SDBOOT_FILES,
                         SDBOOT_SETTLE.format("--make-entry-directory=yes") +
                         " && systemctl is-system-running", uefi=True),
    # kernel, initramfs and command line in one image
    "unified": Kind((*SDBOOT_PACKAGES, "systemd-ukify", "systemd-boot-efi"),
                    SDBOOT_FILES | {"etc/kernel/install.conf": "layout=uki\n"},
                    SDBOOT_SETTLE.format("") + " && systemctl is-system-running", uefi=True),
    "sysvinit": Kind(SYSVINIT_PACKAGES, FILES, GRUB_SETTLE, "sysvinit"),
}


def release(suite):
    """The code name of a suite."""
    return RELEASE.get(suite, suite)


def _recipe(kind):
    """What a machine is made by; another recipe makes it again. The number is of this file's code."""
    made_by = (2, KINDS[kind], ROOT_UUID, DISK_MIB, CORE_SECTOR, ROOT_SECTOR)
    return hashlib.sha256(repr(made_by).encode()).hexdigest()


def bootstrap(suite, root, log, packages=PACKAGES, files=None):
    """The packages of a machine, unpacked and configured in a directory."""
    tools = root.parent / "debootstrap"
    shutil.rmtree(tools, ignore_errors=True)
    program, share = forky.debootstrap_tools(tools, release(suite))
    env = dict(os.environ, DEBOOTSTRAP_DIR=str(share), DEBIAN_FRONTEND="noninteractive",
               LC_ALL="C", PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    enter = ["unshare", "-m", "--propagation", "private"]
    with open(log, "w", encoding="utf-8") as out:
        paths.run([*enter, "sh", program, f"--arch={apt.ARCH}", f"--keyring={forky.KEYRING}",
                   release(suite), root, paths.MIRROR], env=env, stdout=out)
        for name, text in (files or FILES).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        # services are not started in a directory
        policy = root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        policy.chmod(0o755)
        inside = [*enter, "sh", forky.ENTER, root, paths.BUILD]
        paths.run([*inside, "apt-get", "-q", "-y", "--no-install-recommends", "install",
                   *packages], env=env, stdout=out)
        paths.run([*inside, "apt-get", "clean"], env=env, stdout=out)
        paths.run([*inside, "passwd", "-d", "root"], env=env, stdout=out)
        policy.unlink()
    shutil.rmtree(tools)
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)
    (root / "etc/machine-id").write_text("", encoding="ascii")
    (root / "etc/apt/sources.list").write_text("", encoding="ascii")


def kver_of(root):
    """The release of the one kernel that is installed."""
    found = [p.name.removeprefix("vmlinuz-") for p in (root / "boot").glob("vmlinuz-*")]
    if len(found) != 1:
        raise paths.GroundError(f"{root}/boot has {len(found)} kernels")
    return found[0]


def _first_menu(root, kver):
    """A menu for the first boot only: update-grub cannot work in a directory."""
    (root / "boot/grub").mkdir(exist_ok=True)
    (root / "boot/grub/grub.cfg").write_text(
        "serial --unit=0 --speed=115200\nterminal_output serial\n"
        f"linux /boot/vmlinuz-{kver} root=UUID={ROOT_UUID} ro console=ttyS0\n"
        f"initrd /boot/initrd.img-{kver}\nboot\n", encoding="ascii")
    modules = root / "boot/grub/i386-pc"
    shutil.copytree(root / "usr/lib/grub/i386-pc", modules, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("*.img", "*.module"))


def grub_core(root, prefix="/boot/grub"):
    """GRUB's first sector and its core, made to find each other on this disk."""
    core = root / "tmp/core.img"
    paths.run(["chroot", root, "grub-mkimage", "-O", "i386-pc", "-o", "/tmp/core.img", "-p",
               f"(hd0,gpt2){prefix}", "biosdisk", "part_gpt", "ext2", "serial", "linux"])
    boot = bytearray((root / "usr/lib/grub/i386-pc/boot.img").read_bytes()[:440])
    body = bytearray(core.read_bytes())
    core.unlink()
    sectors = -(-len(body) // SECTOR)
    if sectors > ROOT_SECTOR - CORE_SECTOR:
        raise paths.GroundError(f"GRUB's core is of {sectors} sectors")
    # the first sector loads the core's first, which loads the rest: where they are
    struct.pack_into("<Q", boot, 0x5c, CORE_SECTOR)
    struct.pack_into("<QH", body, 0x1f4, CORE_SECTOR + 1, sectors - 1)
    return bytes(boot), bytes(body)


def write_disk(root, disk, grub):
    """Partitions, file system and boot loader (as grub_core() gives it), without mounting
    anything."""
    boot, core = grub
    with open(disk, "wb") as f:
        f.truncate(DISK_MIB << 20)
    table = (f"label: gpt\nstart={CORE_SECTOR}, size={ROOT_SECTOR - CORE_SECTOR}, "
             f"type=21686148-6449-6E6F-744E-656564454649\nstart={ROOT_SECTOR}, name=root\n")
    subprocess.run(["sfdisk", "-q", str(disk)], input=table, text=True, check=True)
    # the last MiB holds the second copy of the table
    paths.run(["mke2fs", "-q", "-t", "ext4", "-U", ROOT_UUID, "-d", root,
               "-E", f"offset={ROOT_SECTOR * SECTOR},root_owner=0:0", disk,
               f"{DISK_MIB - 3}M"])
    with open(disk, "r+b") as f:
        f.write(boot)
        f.seek(CORE_SECTOR * SECTOR)
        f.write(core)


def _make(suite, kind, where):
    paths.say(f"ground: a machine of {suite} with {kind} (some minutes)")
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True)
    root = where / "root"
    bootstrap(suite, root, where / "bootstrap.log", KINDS[kind].packages, KINDS[kind].files)
    kver = kver_of(root)
    if KINDS[kind].uefi:
        efidisk.take_kernel(root, kver, where)
        efidisk.write(root, where / "disk", ROOT_UUID, DISK_MIB)
    else:
        _first_menu(root, kver)
        write_disk(root, where / "disk", grub_core(root))
    shutil.rmtree(root)
    return kver


def ensure(suite, settle, kind="grub"):
    """The machine of a suite, made if it is not there. settle(System) boots it once, so that the boot
    loader is installed by the machine's own tools; what that leaves is kept."""
    name = suite if kind == "grub" else f"{suite}-{kind}"
    where = paths.GROUND / "systems" / name
    with paths.locked(f"system-{name}"):
        stamp = where / "stamp"
        found = stamp.read_text(encoding="ascii").split() if stamp.exists() else []
        if len(found) != 2 or found[0] != _recipe(kind):
            system = System(suite, where / "disk", _make(suite, kind, where), kind)
            settle(system)
            stamp.write_text(f"{_recipe(kind)} {system.kver}\n", encoding="ascii")
            found = ["", system.kver]
    return System(suite, where / "disk", found[1], kind)


# --- packages for a machine without network ---


def _plain_name(dependency):
    return re.split(r"[ (:|]", dependency.strip())[0]


def lacking(system, names, where):
    """The packages that apt would install on a machine for these, what it recommends not."""
    status = where / "dpkg-status"
    paths.run(["debugfs", "-R", f"dump /var/lib/dpkg/status {status}",
               f"{system.disk}?offset={ROOT_SECTOR * SECTOR}"])
    source = apt.Suite(release(system.suite))
    source.update()
    text = paths.run(["apt-get", "-q", "-s", "-o", f"Dir::State::status={status}",
                      "--no-install-recommends", "install", *names], env=source.env)
    status.unlink()
    return re.findall(r"^Inst (\S+)", text, re.M)


def repository(suite, names, local, where):
    """An apt repository, as an ext4 image, of packages of a suite and local .deb files, with all that
    they depend on; gives the image."""
    pool = where / "repository"
    shutil.rmtree(pool, ignore_errors=True)
    pool.mkdir(parents=True)
    source = apt.Suite(release(suite))
    source.update()
    for deb in local:
        shutil.copy(deb, pool)
    text = "".join(paths.run(["dpkg-deb", "-f", deb, "Depends"]).strip() + "," for deb in local)
    wanted = [_plain_name(d) for d in text.split(",") if d.strip()] + list(names)
    cache = paths.GROUND / "systems" / f"packages-{suite}"
    for name in wanted:
        fields = source.show(name)
        deb = cache / Path(fields["Filename"]).name
        if not deb.exists():
            source.download(name, cache).rename(deb)
        shutil.copy(deb, pool)
    index = paths.run(["dpkg-scanpackages", "-m", "."], cwd=pool, stderr=subprocess.DEVNULL)
    (pool / "Packages").write_text(index, encoding="utf-8")
    image = where / "repository.img"
    image.unlink(missing_ok=True)
    paths.run(["mke2fs", "-q", "-t", "ext4", "-L", "repository", "-d", pool, image, "1024M"])
    shutil.rmtree(pool)
    return image
