# SPDX-License-Identifier: GPL-2.0-or-later
"""Images of disks for `run.py disks`: a file system on a partition or on the whole disk, and what
its fsck has to say of it. No mount, so no privilege and nothing to undo."""

import subprocess
from dataclasses import dataclass

from ground import paths

START = 1 << 20  # of the one partition, in bytes
LABELS = {"gpt": "label: gpt\nstart=2048, type=linux\n", "mbr": "label: dos\nstart=2048, type=83\n",
          "none": None}


@dataclass
class FileSystem:
    """How one is made and looked at. The image's path is appended to each command.

    journal: False where a crash may leave damage that fsck has to mend before the file system is
    sound; then fix does.
    """
    make: tuple
    check: tuple
    journal: bool = True
    fix: tuple = ()
    mount: str = "defaults"


def _ext(kind):
    return FileSystem(("mke2fs", "-q", "-F", "-t", kind, "-E", "root_owner=0:0"),
                      ("e2fsck", "-f", "-n"), kind != "ext2", ("e2fsck", "-f", "-y"))


FILE_SYSTEMS = {
    "ext2": _ext("ext2"),
    "ext3": _ext("ext3"),
    "ext4": _ext("ext4"),
    "xfs": FileSystem(("mkfs.xfs", "-q", "-f"), ("xfs_repair", "-n", "-f")),
    "btrfs": FileSystem(("mkfs.btrfs", "-q", "-f"), ("btrfs", "check", "--readonly")),
    "f2fs": FileSystem(("mkfs.f2fs", "-q", "-f"), ("fsck.f2fs", "-f", "--dry-run")),
    "vfat": FileSystem(("mkfs.vfat", "-F", "32"), ("fsck.vfat", "-n"), False,
                       ("fsck.vfat", "-a", "-w")),
    "exfat": FileSystem(("mkfs.exfat",), ("fsck.exfat", "-n"), False, ("fsck.exfat", "-y")),
}


def _copy(source, to, seek=0, skip=0):
    """Copies an image to, or from, a place in another; holes stay holes."""
    argv = ["dd", "bs=1M", "conv=sparse,notrunc", "status=none", f"if={source}", f"of={to}",
            f"seek={seek >> 20}", f"skip={skip >> 20}"]
    paths.run(argv)


def make(path, table, fstype, mib):
    """A disk of mib MiB with one file system; gives its UUID."""
    inner = path.with_suffix(".fs")
    space = (mib << 20) - (2 * START if LABELS[table] else 0)
    with open(inner, "wb") as f:
        f.truncate(space)
    paths.run([*FILE_SYSTEMS[fstype].make, inner])
    found = paths.run(["blkid", "-p", "-o", "value", "-s", "UUID", inner]).strip()
    if LABELS[table] is None:
        inner.rename(path)
        return found
    with open(path, "wb") as f:
        f.truncate(mib << 20)
    subprocess.run(["sfdisk", "-q", path], input=LABELS[table], text=True, check=True)
    _copy(inner, path, seek=START)
    inner.unlink()
    return found


def check(path, table, fstype, mend=False):
    """(what fsck has to say where the file system is not sound or None, all that it printed).

    mend: the file system is mended, and then put back into the disk.
    """
    inner = path.with_suffix(".fs")
    offset = START if LABELS[table] else 0
    fs = FILE_SYSTEMS[fstype]
    inner.unlink(missing_ok=True)
    with open(inner, "wb") as f:
        f.truncate(path.stat().st_size - 2 * offset)
    _copy(path, inner, skip=offset)
    with open(inner, "r+b") as f:  # past the end of the partition
        f.truncate(path.stat().st_size - 2 * offset)
    done = subprocess.run([*(fs.fix if mend else fs.check), str(inner)], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
    if mend:
        # zeros have to be written too, where there were others
        paths.run(["dd", "bs=1M", "conv=notrunc", "status=none", f"if={inner}", f"of={path}",
                   f"seek={offset >> 20}"])
        paths.run(["fallocate", "--dig-holes", path])
    inner.unlink()
    words = " / ".join(done.stdout.strip().splitlines()[-4:])
    good = done.returncode in ((0, 1) if mend else (0,))
    return (None if good else f"exit {done.returncode}: {words}"), done.stdout
