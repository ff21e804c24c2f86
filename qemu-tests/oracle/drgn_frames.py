# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs under the forky root's drgn: argv is VMLINUX VMCORE REQUEST ANSWER (JSON files).

Reads the struct pages of the frames asked for ([[first, count]...]) by the kernel's debug
information: another way than the vmcoreinfo that the dumpers go by.
"""

import json
import sys

import drgn
from drgn.helpers.linux.mm import decode_page_flags_value, pfn_to_page

# Page types before 6.12 are macros, of which debug information says nothing; bits are cleared.
OLD_TYPES = {"buddy": 0x80, "offline": 0x100}
OLD_BASE = 0xf0000000
SECTION_SHIFT = 15  # of x86_64: frames of a section
LAST_PFN = 1 << 24  # what a test guest may have


class Pages:
    """The memory map of the dead kernel."""

    def __init__(self, prog):
        self.prog = prog
        self.type = prog.type("struct page")
        self.span = LAST_PFN
        self.size = drgn.sizeof(self.type)
        self.base = pfn_to_page(prog, 0).value_()
        self.at = {name: drgn.offsetof(self.type, name)
                   for name in ("flags", "mapping", "_mapcount", "private")}
        self.masks = self._has("compound_info")
        self.at["compound"] = drgn.offsetof(
            self.type, "compound_info" if self.masks else "compound_head")
        # Not every kernel has all: what it has not, no page of it is.
        self.flags = {name: 1 << bit if (bit := self._constant(f"PG_{name}")) is not None else 0
                      for name in ("hwpoison", "head", "lru", "swapcache", "swapbacked",
                                   "private", "slab")}
        self.texts = {}
        self.preinit = self._preinit()
        self.new_types = self._constant("PGTY_offline") is not None

    def _has(self, member):
        try:
            drgn.offsetof(self.type, member)
        except LookupError:
            return False
        return True

    def _constant(self, name):
        try:
            return self.prog.constant(name).value_()
        except LookupError:
            return None

    def _preinit(self):
        """Numbers of the sections whose part of the memory map was made early in the boot, as for
        gigantic pages (6.15): a flag that was not there before says so in section_mem_map."""
        bit = self._constant("SECTION_IS_VMEMMAP_PREINIT_BIT")
        if bit is None:
            return set()
        roots = self.prog["mem_section"]
        section = self.prog.type("struct mem_section")
        each = 4096 // drgn.sizeof(section)
        return {nr for nr in range(self.span >> SECTION_SHIFT)
                if roots[nr // each]
                and roots[nr // each][nr % each].section_mem_map.value_() >> bit & 1}

    def _is(self, name, mapcount):
        if self.new_types:
            return mapcount >> 24 == self._constant(f"PGTY_{name}")
        if name not in OLD_TYPES:
            return False
        return mapcount & (OLD_BASE | OLD_TYPES[name]) == OLD_BASE

    def _head(self, compound, va):
        """Address of the head's struct page: a tail names it, or since 7.1 may hold a mask."""
        named = compound - 1
        if 0 <= named - self.base < self.span * self.size and (named - self.base) % self.size == 0:
            return named
        return va & compound if self.masks else named

    def _decode(self, raw, va):
        def word(name, size=8):
            return int.from_bytes(raw[self.at[name]:self.at[name] + size], "little")

        def has(flag):
            return bool(flags & self.flags[flag])

        flags, mapcount = word("flags"), word("_mapcount", 4)
        compound = word("compound")
        if flags not in self.texts:
            self.texts[flags] = decode_page_flags_value(self.prog, flags)
        page = {"flags": flags, "mapping": word("mapping"), "mapcount": mapcount,
                "compound": compound, "private": word("private"), "tail": bool(compound & 1),
                "head": has("head"), "hwpoison": has("hwpoison"), "lru": has("lru"),
                "swapcache": has("swapcache") and has("swapbacked"),
                "has_private": has("private"),
                "text": self.texts[flags]}
        for name in ("buddy", "offline", "hugetlb", "slab"):
            page[name] = self._is(name, mapcount)
        page["slab"] = page["slab"] or has("slab")
        if page["tail"]:
            page["head_va"] = self._head(compound, va)
        return page

    def _read(self, va, n=1):
        try:
            raw = self.prog.read(va, n * self.size)
        except drgn.FaultError:
            return [None] * n
        return [self._decode(raw[i * self.size:(i + 1) * self.size], va + i * self.size)
                for i in range(n)]

    def ask(self, ranges):
        """{pfn: fields} and {pfn: fields of a head}; a frame without a struct page: None."""
        found, heads = {}, {}
        for first, count in ranges:
            pages = self._read(self.base + first * self.size, count)
            if count > 1 and pages[0] is None:
                pages = [self._read(self.base + (first + i) * self.size)[0] for i in range(count)]
            for i, page in enumerate(pages):
                found[first + i] = page
                if not page:
                    continue
                page["preinit"] = first + i >> SECTION_SHIFT in self.preinit
                if page["tail"]:
                    va = page["head_va"]
                    page["head_pfn"] = (va - self.base) // self.size
                    if page["head_pfn"] not in heads:
                        heads[page["head_pfn"]] = self._read(va)[0]
        return found, heads


def main():
    vmlinux, vmcore, request, answer = sys.argv[1:]
    with open(request, encoding="ascii") as f:
        ranges = json.load(f)
    prog = drgn.Program()
    prog.set_core_dump(vmcore)
    prog.load_debug_info([vmlinux], main=True)
    pages = Pages(prog)
    found, heads = pages.ask(ranges)
    with open(answer, "w", encoding="ascii") as f:
        json.dump({"masks": pages.masks, "poison": bool(pages.flags["hwpoison"]),
                   "frames": found, "heads": heads}, f)


main()
