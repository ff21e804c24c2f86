# SPDX-License-Identifier: GPL-2.0-or-later
"""An initramfs written from a list of names: newc cpio, everything owned by root, no times."""

import stat
from pathlib import Path


class Archive:
    """Collects entries; directories on the way to an entry are made as needed."""

    def __init__(self):
        self.entries = {}

    def add(self, name, data, mode):
        """One entry; name has no leading slash."""
        parent = str(Path(name).parent)
        if parent != "." and parent not in self.entries:
            self.mkdir(parent)
        self.entries[name] = (mode, data)

    def mkdir(self, name):
        self.add(name, b"", stat.S_IFDIR | 0o755)

    def text(self, name, data, mode=0o644):
        self.add(name, data.encode(), stat.S_IFREG | mode)

    def file(self, name, source, mode=0o755):
        self.add(name, Path(source).read_bytes(), stat.S_IFREG | mode)

    def symlink(self, name, target):
        self.add(name, target.encode(), stat.S_IFLNK | 0o777)

    @classmethod
    def read(cls, data):
        """The entries of one newc archive."""
        archive, at = cls(), 0
        while True:
            mode, size, named = (int(data[at + o:at + o + 8], 16) for o in (14, 54, 94))
            name = data[at + 110:at + 110 + named - 1].decode()
            begin = (at + 110 + named + 3) & ~3
            if name == "TRAILER!!!":
                return archive
            archive.entries[name] = (mode, data[begin:begin + size])
            at = (begin + size + 3) & ~3

    def write(self, path):
        """Write the archive, uncompressed."""
        out = bytearray()
        for inode, (name, (mode, data)) in enumerate(self.entries.items(), start=1):
            out += _entry(inode, name, mode, data)
        out += _entry(0, "TRAILER!!!", 0, b"")
        Path(path).write_bytes(out)


def _entry(inode, name, mode, data):
    raw = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (inode, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(raw), 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + raw
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
