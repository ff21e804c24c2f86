# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest boots from: initramfs of busybox, and the production root as an ext4 image."""

import lzma
import os
import re
import shutil
import subprocess
from pathlib import Path

from ground import forky, kernels, paths

from . import cpio

GUEST = paths.TESTS / "guest"
ROOT_UUID = "5c0ffee5-0dd5-4bad-8bad-d15ea5edcafe"
ROOT_LABEL = "prodroot"
BOOT_MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "crc32c_intel", "ext4")
BUSYBOX = "usr/bin/busybox"


def _module_bytes(path):
    """A module as insmod of any busybox takes it: not compressed."""
    if path.name.endswith(".xz"):
        return lzma.decompress(path.read_bytes())
    if path.name.endswith(".zst"):
        done = subprocess.run(forky.command(["zstd", "-dc", path]), check=True,
                              stdout=subprocess.PIPE)
        return done.stdout
    return path.read_bytes()


def plain_module(path, out):
    """Write a module uncompressed; gives out."""
    out.write_bytes(_module_bytes(path))
    return out


def busybox_initramfs(kernel, init, out, modules=BOOT_MODULES, files=(), texts=()):
    """An initramfs that runs a script of guest/ under busybox, its modules in /modules/order."""
    archive = cpio.Archive()
    for name in ("proc", "sys", "dev", "root", "target", "tmp"):
        archive.mkdir(name)
    archive.file("bin/busybox", forky.tool("busybox"))
    archive.symlink("bin/sh", "busybox")
    archive.file("init", GUEST / init)
    names = []
    for path in kernels.module_closure(kernel, modules):
        name = re.sub(r"\.ko\..*", ".ko", path.name)
        archive.add(f"modules/{name}", _module_bytes(path), 0o100644)
        names.append(name)
    archive.text("modules/order", "".join(n + "\n" for n in names))
    for name, source in files:
        archive.file(name, source)
    for name, text in texts:
        archive.text(name, text, 0o755)
    archive.write(out)
    return out


def with_libraries(program):
    """(name in the guest, file) of a program of the forky root, its loader and its libraries."""
    inside = "/" + str(forky.tool(program).relative_to(forky.ROOT))
    found = [(f"usr/bin/{program}", forky.ROOT / inside[1:])]
    for line in forky.run(["ldd", inside]).splitlines():
        match = re.search(r"(/\S+) \(0x", line)
        if match:
            real = (forky.ROOT / match[1][1:])
            found.append((match[1][1:], real))
    return found


def compile_guest(name, out):
    """A guest program, linked statically so that it runs without libraries.

    musl-gcc sees no kernel headers; SYSROOT/kernel holds nothing else.
    """
    cc = os.environ.get("CRASHPOD_MUSL_CC", "musl-gcc")
    paths.run([cc, "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-static",
               "-idirafter", paths.BUILD / "sysroot/kernel", "-o", out, GUEST / f"{name}.c"])
    return out


class Root:
    """A directory tree that becomes the production root's image."""

    def __init__(self, where):
        self.dir = Path(where)
        shutil.rmtree(self.dir, ignore_errors=True)
        for name in ("proc", "sys", "dev", "tmp", "sbin", "usr/bin", "usr/sbin", "etc", "boot",
                     "test", "var/crash", "lib"):
            (self.dir / name).mkdir(parents=True, exist_ok=True)
        self.file("bin/busybox", forky.tool("busybox"))
        (self.dir / "bin/sh").symlink_to("busybox")
        self.file("sbin/init", GUEST / "production-init.sh")

    def file(self, name, source, mode=0o755):
        to = self.dir / name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, to)
        to.chmod(mode)

    def text(self, name, text, mode=0o644):
        to = self.dir / name
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text, encoding="utf-8")
        to.chmod(mode)

    def make(self, image, size_mib):
        """Write the ext4 image; no mount, so no privilege and nothing to undo."""
        make_ext4(image, size_mib, self.dir)


def make_ext4(image, size_mib, source=None, fs_uuid=ROOT_UUID, options=()):
    """An ext4 image with the test's label, from a directory or empty."""
    Path(image).unlink(missing_ok=True)
    argv = ["mke2fs", "-q", "-t", "ext4", "-b", "4096", "-m", "0", "-L", ROOT_LABEL,
            "-U", fs_uuid, "-E", "root_owner=0:0", *options]
    if source is not None:
        argv += ["-d", source]
    paths.run([*argv, image, f"{size_mib}M"])


def check_ext4(image):
    """Replay the journal and tell whether the file system is sound; a crash must leave it so."""
    done = subprocess.run(["e2fsck", "-f", "-p", str(image)], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # 0: sound; 1: errors corrected, which includes a journal that was replayed.
    return done.returncode in (0, 1), done.stdout


def extract(image, inside, to):
    """Copy a directory out of an image; a directory that is not there gives an empty one."""
    to = Path(to)
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    paths.run(["debugfs", "-R", f"rdump {inside} {to}", image])
    return to / Path(inside).name


def _is_btrfs(image):
    with open(image, "rb") as f:
        f.seek(0x10040)
        return f.read(8) == b"_BHRfS_M"


def check(image):
    """(whether a file system is sound after its journal's replay, what the checker said)."""
    if not _is_btrfs(image):
        return check_ext4(image)
    done = subprocess.run(["btrfs", "check", "--readonly", str(image)], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode == 0, done.stdout


def copy_out(image, inside, to):
    """As extract(), of ext4 or btrfs."""
    if not _is_btrfs(image):
        return extract(image, inside, to)
    to = Path(to)
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    paths.run(["btrfs", "restore", "--metadata", image, to])
    return to / inside.strip("/")
