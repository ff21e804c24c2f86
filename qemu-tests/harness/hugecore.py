# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the vmcore of an idle machine with up to 64 TiB of RAM into a file of a few hundred MB.

The kernel is x86_64's 6.1. What differs from page to page is small: the first LIVE bytes, which
hold the kernel, slab, user memory and page cache, and the struct pages of those. All else repeats:
free memory is a hole of the file, and its struct pages are one pattern. Many PT_LOADs with
addresses of their own point at the same bytes of the file.

    physical memory   0       LIVE        MAP           MAP + ram / 64        ram
                      | live  | free      | memory map  | free                |
"""

import os
import random
import struct
from array import array
from dataclasses import dataclass, field

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40
PAGE = 4 * KIB
STRUCT_PAGE = 64
PER_BYTE = PAGE // STRUCT_PAGE  # so many bytes does a byte of the memory map describe

LIVE = 64 * MIB
MAP = 4 * GIB
FREE_PATTERN = 256 * MIB  # beyond any cache, as a real memory map is
RESERVED_PATTERN = 64 * MIB
HOLE = TIB

IMAGE = 16 * MIB  # the kernel's image, and in it all tables
IMAGE_BYTES = 32 * MIB
TEXT_VA = 0xffffffff80000000
DIRECT_VA = 0xffff888000000000
VMEMMAP_VA = 0xffffea0000000000

SECTION_BITS, PHYSMEM_BITS = 27, 46
SECTION_ENTRY = 16
PER_ROOT = PAGE // SECTION_ENTRY
ROOTS = (1 << PHYSMEM_BITS - SECTION_BITS) // PER_ROOT
SECTION_FLAGS = 0xf  # present, has a map, online, early

TABLE_FLAGS, LEAF_FLAGS = 0x63, 0x80000000000001e3  # the leaf is a large one

NODE_ZONE = 0x0017ffffc0000000  # flags: node 0, zone Normal, no last CPU
PG_LRU, PG_SLAB, PG_RESERVED, PG_SWAPBACKED = 1 << 4, 1 << 9, 1 << 12, 1 << 19
BUDDY = 0xffffff7f
NO_MAPPING = 0xffffffff

INFO = """OSRELEASE=6.1.0-synthetic
PAGESIZE=4096
SYMBOL(init_top_pgt)={root:x}
SYMBOL(mem_section)={sections:x}
SIZE(page)=64
SIZE(mem_section)=16
OFFSET(page.flags)=0
OFFSET(page._refcount)=52
OFFSET(page.mapping)=24
OFFSET(page.lru)=8
OFFSET(page._mapcount)=48
OFFSET(page.private)=40
OFFSET(page.compound_dtor)=16
OFFSET(page.compound_order)=17
OFFSET(page.compound_head)=8
OFFSET(mem_section.section_mem_map)=0
LENGTH(mem_section)={roots}
LENGTH(zone.free_area)=11
NUMBER(PG_lru)=4
NUMBER(PG_private)=13
NUMBER(PG_swapcache)=10
NUMBER(PG_swapbacked)=19
NUMBER(PG_slab)=9
NUMBER(PG_hwpoison)=23
NUMBER(PG_head_mask)=65536
NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129
NUMBER(HUGETLB_PAGE_DTOR)=2
NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257
NUMBER(phys_base)=0
NUMBER(pgtable_l5_enabled)=0
NUMBER(sme_mask)=0
NUMBER(KERNEL_IMAGE_SIZE)=1073741824
NUMBER(SECTION_SIZE_BITS)=27
NUMBER(MAX_PHYSMEM_BITS)=46
KERNELOFFSET=0
"""


@dataclass
class Kept:
    """Pages that are to be in a dump of level 31, counted without crashpod."""
    ram: int
    dumped: int
    dumped_e: int  # with -e
    free: int


@dataclass
class Load:
    pa: int
    size: int
    off: int
    va: int


@dataclass
class Tables:
    """Page tables in the image: made as they are asked for, one page after the other."""
    live: bytearray
    next_pa: int = IMAGE
    made: dict = field(default_factory=dict)

    def page(self):
        pa = self.next_pa
        self.next_pa += PAGE
        if self.next_pa > IMAGE + IMAGE_BYTES:
            raise ValueError("no room for page tables")
        self.live[pa:pa + PAGE] = bytes(PAGE)
        return pa

    def put(self, pa, value):
        struct.pack_into("<Q", self.live, pa, value)

    def map(self, va, pa, size, leaf_shift):
        """Maps with leaves of 2 MiB (21) or 1 GiB (30)."""
        for at in range(0, size, 1 << leaf_shift):
            table = IMAGE
            for shift in range(39, leaf_shift, -9):
                entry = table + (va + at >> shift & 511) * 8
                if entry not in self.made:
                    self.made[entry] = self.page()
                    self.put(entry, self.made[entry] | TABLE_FLAGS)
                table = self.made[entry]
            self.put(table + (va + at >> leaf_shift & 511) * 8, pa + at | LEAF_FLAGS)


def _pages(first, n, flags=0, mapping=0, counts=NO_MAPPING):
    """n struct pages, of pages from first on, that are alike but for the list heads in them."""
    words = array("Q", bytes(n * STRUCT_PAGE))
    va = VMEMMAP_VA + first * STRUCT_PAGE
    heads = array("Q", range(va + 8, va + n * STRUCT_PAGE, STRUCT_PAGE))
    words[0::8] = array("Q", [NODE_ZONE | flags]) * n
    words[1::8] = heads
    words[2::8] = heads
    if mapping:
        words[3::8] = array("Q", [mapping]) * n
    words[6::8] = array("Q", [counts]) * n
    return words


def _free_pattern(size):
    """Struct pages of free areas of the largest order."""
    n = size // STRUCT_PAGE
    words = _pages((1 << 30) // STRUCT_PAGE, n)
    words[5::8 * 1024] = array("Q", [10]) * (n // 1024)
    words[6::8 * 1024] = array("Q", [BUDDY]) * (n // 1024)
    return words


# Live pages in turn: flags, mapping, _mapcount and _refcount, and whether they are dumped.
LIVE_KINDS = (
    (0, 0, 1 << 32 | NO_MAPPING, True),
    (PG_SLAB, 0, 1 << 32 | NO_MAPPING, True),
    (PG_LRU | PG_SWAPBACKED, 0xffff888001234001, 2 << 32, False),
    (PG_LRU, 0xffff888001234000, 2 << 32 | NO_MAPPING, False),
)
LIVE_RUN = 8


def _live_pages():
    """The struct pages of live memory, and how many of them are dumped. The image comes first."""
    kept = 0
    out = array("Q")
    for first in range(0, LIVE // PAGE, LIVE_RUN):
        image = first * PAGE < IMAGE + IMAGE_BYTES
        kind = LIVE_KINDS[0 if image else first // LIVE_RUN % len(LIVE_KINDS)]
        out += _pages(first, LIVE_RUN, *kind[:3])
        kept += LIVE_RUN * kind[3]
    return out, kept


def _live(ram):
    """The bytes of live memory: something that compresses by half, and the tables in it."""
    rng = random.Random(1)
    live = bytearray(LIVE)
    for at in range(0, LIVE, 16 * KIB):
        live[at:at + 8 * KIB] = rng.randbytes(8 * KIB)
    tables = Tables(live)
    root = tables.page()
    tables.map(TEXT_VA + IMAGE, IMAGE, IMAGE_BYTES, 21)
    tables.map(DIRECT_VA, 0, ram, 30)
    tables.map(VMEMMAP_VA, MAP, ram // PER_BYTE, 21)
    roots = tables.next_pa
    for _ in range(ROOTS * 8 // PAGE):
        tables.page()
    sections = ram >> SECTION_BITS
    entry = struct.pack("<QQ", VMEMMAP_VA | SECTION_FLAGS, DIRECT_VA + IMAGE)
    for first in range(0, sections, PER_ROOT):
        page = tables.page()
        tables.put(roots + first // PER_ROOT * 8, DIRECT_VA + page)
        n = min(PER_ROOT, sections - first)
        live[page:page + n * SECTION_ENTRY] = entry * n
    return live, INFO.format(root=TEXT_VA + root, sections=DIRECT_VA + roots, roots=ROOTS)


def _repeat(pa, end, off, period):
    return [Load(at, min(period, end - at), off, DIRECT_VA + at) for at in range(pa, end, period)]


def _loads(ram, at):
    """All PT_LOADs; at: where the parts begin in the file."""
    map_end = MAP + ram // PER_BYTE
    loads = [Load(IMAGE, IMAGE_BYTES, at["live"] + IMAGE, TEXT_VA + IMAGE),
             Load(0, LIVE, at["live"], DIRECT_VA)]
    loads += _repeat(LIVE, MAP, at["hole"], HOLE)
    of_map = MAP  # the memory map, in the order of what it describes
    loads.append(Load(of_map, LIVE // PER_BYTE, at["live_map"], DIRECT_VA + of_map))
    of_map += LIVE // PER_BYTE
    for what, described, period in (("free", MAP, FREE_PATTERN),
                                    ("reserved", map_end, RESERVED_PATTERN),
                                    ("free", ram, FREE_PATTERN)):
        end = MAP + described // PER_BYTE
        loads += _repeat(of_map, end, at[what], period)
        of_map = end
    return loads + _repeat(map_end, ram, at["hole"], HOLE)


def _note(name, kind, desc):
    name = name + b"\0"
    pad = [-len(x) % 4 * b"\0" for x in (name, desc)]
    return struct.pack("<III", len(name), len(desc), kind) + name + pad[0] + desc + pad[1]


def _headers(info, loads, room):
    notes = _note(b"CORE", 1, bytes(336)) + _note(b"VMCOREINFO", 0, info.encode())
    ident = b"\177ELF" + bytes([2, 1, 1]) + bytes(9)
    head = ident + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 1 + len(loads),
                               0, 0, 0)
    notes_at = len(head) + 56 * (1 + len(loads))
    head += struct.pack("<IIQQQQQQ", 4, 0, notes_at, 0, 0, len(notes), len(notes), 4)
    for x in loads:
        head += struct.pack("<IIQQQQQQ", 1, 7, x.off, x.va, x.pa, x.size, x.size, 0)
    head += notes
    if len(head) > room:
        raise ValueError("no room for headers")
    return head


def possible(ram):
    """Whether there can be such a machine: whole pages of each pattern, within the address space."""
    return ram % (8 * GIB) == 0 and 8 * GIB <= ram <= 1 << PHYSMEM_BITS


def write(path, ram):
    """Writes the vmcore of a machine with ram bytes; returns what is to be kept of it."""
    if not possible(ram):
        raise ValueError(f"{ram} bytes of RAM")
    live, info = _live(ram)
    live_map, live_kept = _live_pages()
    parts = {"live": live, "live_map": live_map, "free": _free_pattern(FREE_PATTERN),
             "reserved": _pages(MAP // PAGE, RESERVED_PATTERN // STRUCT_PAGE, PG_RESERVED, 0,
                                1 << 32 | NO_MAPPING)}
    at, end = {}, 2 * MIB
    for name, data in parts.items():
        at[name] = end
        end += len(data) * getattr(data, "itemsize", 1)
    at["hole"] = end
    with open(path, "wb") as f:
        f.write(_headers(info, _loads(ram, at), 2 * MIB))
        for name, data in parts.items():
            f.seek(at[name])
            f.write(data)
        f.truncate(end + HOLE)
    pages, map_pages = ram // PAGE, ram // PER_BYTE // PAGE
    # a page of the memory map is kept with -e where one page that it describes is
    map_kept = LIVE // PER_BYTE // PAGE + map_pages // PER_BYTE
    return Kept(pages, live_kept + map_pages, live_kept + map_kept,
                pages - LIVE // PAGE - map_pages)


def read_map(path, ram, piece=64 * KIB):
    """Reads the memory map once, a block's struct pages at a time, and copies each piece once."""
    with open(path, "rb") as f:
        fd = f.fileno()
        head = f.read(2 * MIB)
        count = struct.unpack_from("<H", head, 56)[0]
        one, other = memoryview(bytearray(piece)), memoryview(bytearray(piece))
        for i in range(count):
            kind, _, off, _, pa, size = struct.unpack_from("<IIQQQQ", head, 64 + 56 * i)
            if kind != 1 or pa < MAP or pa >= MAP + ram // PER_BYTE:
                continue
            for at in range(off, off + size, piece):
                os.preadv(fd, [one], at)
                other[:] = one
