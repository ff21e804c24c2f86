# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a kernel's memory map lies, read from a kdump-compressed dump of it by its page tables, and
which of it a dump made with -e may leave out: page structures of pages that are left out."""

import re
import struct

from .diskdump import Diskdump
from .pages import PAGE, DumpError

KERNEL_TEXT = 0xffffffff80000000
FRAME = 0x000ffffffffff000
PRESENT, LARGE = 1, 0x80
FEW = 3


class Machine:
    """Virtual memory of a dump."""

    def __init__(self, path):
        self.dump = Diskdump(path)
        text = self.dump.vmcoreinfo.decode(errors="replace")
        self.info = dict(re.findall(r"^(\S+)=(\S+)$", text, re.M))
        self.index = {pfn: index for index, pfn in enumerate(self.dump.dumped)}
        self.levels = 5 if self.info.get("NUMBER(pgtable_l5_enabled)") == "1" else 4
        self.root = (self.symbol("swapper_pg_dir") - KERNEL_TEXT
                     + self.number("NUMBER(phys_base)"))

    def entry(self, name):
        """An entry of VMCOREINFO."""
        if name not in self.info:
            raise DumpError(f"VMCOREINFO has no {name}")
        return self.info[name]

    def symbol(self, name):
        return int(self.entry(f"SYMBOL({name})"), 16)

    def number(self, name):
        return int(self.entry(name))

    def words(self, pa):
        """The 512 words of a frame."""
        index = self.index.get(pa // PAGE)
        page = None if index is None else self.dump.page(index, pa // PAGE)
        if page is None:
            raise DumpError(f"frame {pa // PAGE:#x} is needed and not there")
        return struct.unpack("<512Q", page)

    def translate(self, va):
        """(physical address, bytes up to the mapping's end) of a virtual one, or None."""
        table = self.root
        for level in range(self.levels, 0, -1):
            shift = 3 + 9 * level
            entry = self.words(table)[va >> shift & 511]
            if not entry & PRESENT:
                return None
            table, inside = entry & FRAME, (1 << shift) - 1
            if level == 1 or entry & LARGE:
                return (table & ~inside) + (va & inside), inside + 1 - (va & inside)
        return None

    def read(self, va):
        """The 512 words of the page at a virtual address."""
        at = self.translate(va)
        if at is None:
            raise DumpError(f"{va:#x} is not mapped")
        return self.words(at[0])


def _section_maps(machine):
    """(section number, where its page structures would begin were it the first) of each section."""
    words = machine.number("SIZE(mem_section)") // 8
    per_root = PAGE // 8 // words
    roots, count = machine.symbol("mem_section"), machine.number("LENGTH(mem_section)")
    for first in range(0, count, PAGE // 8):
        for at, root in enumerate(machine.read(roots + first * 8)[:count - first], first):
            if not root:
                continue
            for i, coded in enumerate(machine.read(root)[:per_root * words:words]):
                if coded & PRESENT:
                    yield at * per_root + i, coded & -PAGE


def frames(machine):
    """{frame: first page described} of the memory map."""
    size = machine.number("SIZE(page)")
    pages = 1 << machine.number("NUMBER(SECTION_SIZE_BITS)") >> 12
    found = {}
    for number, base in _section_maps(machine):
        va, end = base + number * pages * size, base + (number + 1) * pages * size
        while va < end:
            at = machine.translate(va)
            if at is None:
                va += PAGE
                continue
            length = min(at[1], end - va)
            for offset in range(0, length, PAGE):
                found[(at[0] + offset) // PAGE] = (va + offset - base) // size
            va += length
    if not found:
        raise DumpError("no memory map found")
    return found


def wrongly_left_out(path, left_out):
    """Why frames that the dump at path has may not be left out by -e, or None."""
    machine = Machine(path)
    described = frames(machine)
    per_frame = PAGE // machine.number("SIZE(page)")
    foreign, needed = [], []
    for frame in left_out:
        pfn = described.get(frame)
        if pfn is None:
            foreign.append(frame)
        elif any(p in machine.index for p in range(pfn, pfn + per_frame)):
            needed.append(frame)
    why = [f"{len(found)} {what} are left out ({', '.join(f'{f:#x}' for f in found[:FEW])}, ...)"
           for found, what in ((foreign, "pages that are no memory map"),
                               (needed, "page structures of pages that are kept")) if found]
    return "; ".join(why) or None
