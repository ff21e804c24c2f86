# SPDX-License-Identifier: GPL-2.0-or-later
"""The production system of `run.py disks`: a root with the host's own tools and all modules of the
kernel, on a disk that is only read; a small disk with the case; and the target's controller."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from ground import forky, paths

from . import image
from .vm import Vm

# What mkinitrd, crashpod and the guest's script call.
TOOLS = ("dash", "awk", "basename", "blkid", "btrfs", "cat", "chmod", "comm", "cp", "cpio",
         "cut", "date", "dd", "depmod", "dirname", "dmesg", "find", "grep", "gzip", "head", "id", "ln",
         "ls", "lsmod", "mkdir", "mktemp", "modinfo", "modprobe", "mount", "mv", "readlink", "rm",
         "sed", "sha256sum", "sleep", "sort", "stat", "sync", "tail", "touch", "tr", "umount",
         "uname", "wc", "xargs", "xz", "zstd")
ROOT_LABEL, TEST_LABEL = "disksroot", "diskstest"
TEST_MIB = 320


def _libraries(program):
    """The shared libraries of a program of this host, and its loader."""
    done = subprocess.run(["ldd", program], check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return re.findall(r"(/\S+) \(0x", done.stdout)


def _put(root, source, inside):
    to = root / inside.lstrip("/")
    to.parent.mkdir(parents=True, exist_ok=True)
    if not to.exists():
        shutil.copyfile(source, to)
        to.chmod(0o755)


def _fill(root, kernel):
    """The tree of the production root."""
    for name in ("proc", "sys", "dev", "tmp", "run", "var", "test", "etc", "boot", "usr/bin",
                 "usr/sbin", "usr/lib", "usr/lib64"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    for name in TOOLS:
        found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
        if found is None:
            raise paths.GroundError(f"{name} is not installed")
        for library in _libraries(found):
            _put(root, library, library.replace("/lib", "/usr/lib", 1)
                 if library.startswith("/lib") else library)
        _put(root, os.path.realpath(found), f"usr/bin/{name}")
    (root / "usr/bin/sh").symlink_to("dash")
    (root / "usr/sbin/modprobe").symlink_to("../bin/modprobe")  # where the kernel calls it
    _put(root, forky.tool("busybox"), "usr/bin/busybox")
    for name in ("crashpod.conf", "modprobe.d"):
        (root / "etc" / name).symlink_to(f"/test/{name}")
    paths.run(["cp", "-al", f"{kernel.root}/lib/modules", f"{root}/usr/lib/"])
    shutil.copyfile(kernel.vmlinuz, root / f"boot/vmlinuz-{kernel.kver}")
    shutil.copyfile(kernel.config, root / f"boot/config-{kernel.kver}")


def base(kernel):
    """The image of the production root; made once for each kernel and list of tools."""
    stamp = hashlib.sha256(repr((TOOLS, kernel.version)).encode()
                           + Path(__file__).read_bytes()).hexdigest()[:16]
    out = paths.GROUND / f"disks-{kernel.name}.img"
    note = out.with_suffix(".stamp")
    with paths.locked(f"disks-{kernel.name}"):
        if out.exists() and note.exists() and note.read_text(encoding="ascii") == stamp:
            return out
        paths.say(f"disks: the root of {kernel.kver}")
        tree = paths.GROUND / f"disks-{kernel.name}.tree"
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        _fill(tree, kernel)
        image.make_ext4(out, 900, tree, options=("-L", ROOT_LABEL, "-O", "^has_journal"))
        shutil.rmtree(tree)
        note.write_text(stamp, encoding="ascii")
    return out


def test_disk(where, case_text, conf, modprobe, prepare):
    """The disk of the case: what the guest runs, and where it writes what it found."""
    tree = where / "test"
    for name in ("bin", "modprobe.d", "out"):
        (tree / name).mkdir(parents=True)
    for name in ("crashpod", "init"):
        source = paths.BUILD / name
        if not source.exists():
            raise paths.GroundError(f"{source} is not there; `make` builds it")
        shutil.copy(source, tree / "bin" / name)
    shutil.copytree(paths.TOP / "mkinitrd", tree / "mkinitrd",
                    ignore=shutil.ignore_patterns("tests"))
    (tree / "bin/mkinitrd").symlink_to("../mkinitrd/mkinitrd")
    shutil.copy(image.GUEST / "disks-init.sh", tree / "init")
    (tree / "init").chmod(0o755)
    (tree / "case").write_text(case_text, encoding="ascii")
    (tree / "crashpod.conf").write_text(conf, encoding="ascii")
    (tree / "prepare").write_text(prepare, encoding="ascii")
    (tree / "modprobe.d/test.conf").write_text(modprobe, encoding="ascii")
    out = where / "test.img"
    image.make_ext4(out, TEST_MIB, tree, options=("-L", TEST_LABEL))
    shutil.rmtree(tree)
    return out


class Machine(Vm):
    """A guest of any chipset."""

    def __init__(self, where, memory_bytes, machine):
        super().__init__(where, memory_bytes, cpus=2, reserve=False)
        self.machine = machine

    def _memory_argv(self):
        argv = super()._memory_argv()
        argv[1] = argv[1].replace("q35", self.machine, 1)
        return argv
