# SPDX-License-Identifier: GPL-2.0-or-later
"""Reader of kdump-compressed dumps, plain or flattened.

Strict on purpose: whatever the format forbids is a DumpError, even where a reader would get by.
"""

import ctypes
import ctypes.util
import mmap
import struct
import zlib

from .pages import PAGE, Bits, DumpError

SIGNATURE = b"KDUMP   "
HEADER = struct.Struct("<8si390s6x16sIiiIIIIIIi")
SUB_HEADER = struct.Struct("<QiiQQQQQQQQQQQ")
DESCRIPTOR = struct.Struct("<QIIQ")
INCOMPLETE, ZLIB, ZSTD = 8, 1, 0x20
FLAT_MAGIC = b"makedumpfile\0\0\0\0" + struct.pack(">qq", 1, 1)


class Zstd:
    """ZSTD_decompress of the host's libzstd."""

    def __init__(self):
        name = ctypes.util.find_library("zstd")
        if name is None:
            raise DumpError("no libzstd on this host to read zstd pages with")
        self.lib = ctypes.CDLL(name)
        self.lib.ZSTD_decompress.restype = ctypes.c_size_t
        self.lib.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t,
                                             ctypes.c_char_p, ctypes.c_size_t]
        self.out = ctypes.create_string_buffer(PAGE)

    def __call__(self, data):
        got = self.lib.ZSTD_decompress(self.out, PAGE, data, len(data))
        if got != PAGE:
            raise DumpError(f"a zstd page gives {ctypes.c_ssize_t(got).value} bytes")
        return self.out.raw


def unflatten(path, out):
    """Write a flattened dump's records where they belong."""
    with open(path, "rb") as f, open(out, "wb") as to:
        head = f.read(4096)
        if not head.startswith(FLAT_MAGIC):
            raise DumpError("not a flattened dump")
        while True:
            record = f.read(16)
            if len(record) != 16:
                raise DumpError("the flattened dump ends without its end record")
            offset, size = struct.unpack(">qq", record)
            if offset == -1:
                break
            data = f.read(size)
            if len(data) != size:
                raise DumpError("a flattened record is cut short")
            to.seek(offset)
            to.write(data)
        if f.read(1):
            raise DumpError("bytes after the flattened dump's end record")


class Diskdump:
    """A kdump-compressed dump."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.map = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        fields = HEADER.unpack_from(self.map)
        self.signature, self.version, self.utsname = fields[:3]
        self.status, self.block, self.sub_blocks, self.bitmap_blocks, self.max_mapnr = fields[4:9]
        self.nr_cpus = fields[-1]
        self._check_header()
        self._read_sub_header()
        self._read_bitmaps()
        self.zstd = None

    def _check_header(self):
        if self.signature != SIGNATURE:
            raise DumpError(f"signature {self.signature!r}")
        if self.version < 6 or self.block != PAGE:
            raise DumpError(f"version {self.version}, block size {self.block}")
        if (1 + self.sub_blocks + self.bitmap_blocks) * PAGE > len(self.map):
            raise DumpError("the file ends before its bitmaps do")

    def _read_sub_header(self):
        fields = SUB_HEADER.unpack_from(self.map, PAGE)
        self.phys_base, self.level = fields[0], fields[1]
        self.vmcoreinfo = self._area("vmcoreinfo", fields[5], fields[6])
        self.notes = self._area("notes", fields[7], fields[8])
        self.max_mapnr_64 = fields[13]

    def _area(self, what, offset, size):
        if size > len(self.map) or offset > len(self.map) - size:
            raise DumpError(f"{what} at {offset}+{size} lies outside the file")
        return self.map[offset:offset + size]

    def _read_bitmaps(self):
        at = (1 + self.sub_blocks) * PAGE
        half = self.bitmap_blocks * PAGE // 2
        if half * 8 < self.max_mapnr_64:
            raise DumpError(f"bitmaps of {half} bytes for {self.max_mapnr_64} frames")
        self.ram = Bits(self.map[at:at + half])
        self.dumped = Bits(self.map[at + half:at + 2 * half])
        extra = int.from_bytes(self.dumped.data, "little") & ~int.from_bytes(self.ram.data,
                                                                             "little")
        if extra:
            raise DumpError(f"frame {extra.bit_length() - 1:#x} is dumped but is not RAM")
        self.table = at + 2 * half
        if self.table + self.dumped.count() * DESCRIPTOR.size > len(self.map):
            raise DumpError("the file ends before its descriptors do")

    @property
    def complete(self):
        return not self.status & INCOMPLETE

    def is_ram(self, pfn):
        return pfn in self.ram

    def pages(self):
        """(pfn, bytes) of each dumped page in order; bytes are None where the page is missing."""
        for index, pfn in enumerate(self.dumped):
            yield pfn, self.page(index, pfn)

    def page(self, index, pfn):
        """The bytes of the dumped page that is the index-th; None where it is missing."""
        where = self.table + index * DESCRIPTOR.size
        offset, size, flags, _ = DESCRIPTOR.unpack_from(self.map, where)
        if offset == 0 and size == 0:
            return None
        if size > PAGE or offset < self.table or offset > len(self.map) - size:
            raise DumpError(f"frame {pfn:#x}: data at {offset}+{size} lies outside the file")
        data = self.map[offset:offset + size]
        if flags == ZSTD:
            self.zstd = self.zstd or Zstd()
            page = self.zstd(data)
        elif flags == ZLIB:
            page = zlib.decompress(data)
        elif flags == 0:
            page = data
        else:
            raise DumpError(f"frame {pfn:#x}: flags {flags:#x}")
        if len(page) != PAGE:
            raise DumpError(f"frame {pfn:#x}: {len(page)} bytes")
        return page
