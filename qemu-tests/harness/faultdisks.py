# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks for a case: file systems that are empty, and others that are damaged or are none."""

import random
import struct
import uuid as uuids

from ground import paths

from . import image
from .faultrun import uuid

MIB = 96
PARTUUID = "7a26e700-01"
SUPERBLOCK = 1024


def ext4(*numbers, mib=MIB):
    """disks() of a case: an empty ext4 for each number, in their order after those there are."""
    def make(where):
        made = [where / f"disk{number}.img" for number in numbers]
        for number, path in zip(numbers, made):
            plain(number, mib)(path)
        return made
    return make


def disks(*makers):
    """disks() of a case: each maker writes one image, as vdb, vdc, ..."""
    def make(where):
        made = []
        for index, maker in enumerate(makers, start=1):
            made.append(where / f"disk{index}.img")
            maker(made[-1])
        return made
    return make


def plain(number, mib=MIB):
    """An empty ext4."""
    return lambda path: image.make_ext4(path, mib, fs_uuid=uuid(number))


def noise(path):
    """Bytes that are nothing."""
    path.write_bytes(random.Random(1).randbytes(MIB << 20))


def noise_in_partition(path):
    """One DOS partition, PARTUUID, which holds nothing."""
    with open(path, "wb") as f:
        f.truncate(MIB << 20)
        f.seek(440)
        f.write(bytes.fromhex(PARTUUID.split("-", maxsplit=1)[0])[::-1])
        f.seek(446)
        f.write(struct.pack("<8B2I", 0, 0, 0, 0, 0x83, 0, 0, 0, 2048, (MIB << 11) - 2048))
        f.seek(510)
        f.write(b"\x55\xaa")
        f.seek(1 << 20)
        f.write(random.Random(2).randbytes(1 << 20))


def xfs_head(number):
    """As much of an xfs as libblkid looks at."""
    def make(path):
        sb = bytearray(512)
        blocks, size = (MIB << 20) // 4096, 4096
        struct.pack_into(">4sIQ", sb, 0, b"XFSB", size, blocks)
        sb[32:48] = uuids.UUID(uuid(number)).bytes
        # rextsize, agblocks, agcount, rbmblocks, logblocks, version 4 with directories of version 2
        struct.pack_into(">5IH", sb, 80, 1, blocks // 4, 4, 0, 1200, 0x2004)
        # sector, inode, inodes a block, then the logarithms of all sizes
        struct.pack_into(">HHH", sb, 102, 512, 256, 16)
        struct.pack_into(">8B", sb, 120, 12, 9, 8, 4, 13, 0, 0, 25)
        with open(path, "wb") as f:
            f.write(sb)
            f.truncate(MIB << 20)
    return make


def damaged(number, *places):
    """An ext4 with noise at (offset, bytes)."""
    def make(path):
        plain(number)(path)
        with open(path, "r+b") as f:
            for at, length in places:
                f.seek(at)
                f.write(random.Random(at).randbytes(length))
    return make


def debugfs(number, *commands, source=None):
    """An ext4 that debugfs(8) has changed."""
    def make(path):
        image.make_ext4(path, MIB, source, fs_uuid=uuid(number))
        for command in commands:
            paths.run(["debugfs", "-w", "-R", command, path])
    return make
