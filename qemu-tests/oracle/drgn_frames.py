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


class Pages:
    """The memory map of the dead kernel."""

    def __init__(self, prog):
        self.prog = prog
        self.type = prog.type("struct page")
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
        self.new_types = self._constant("PGTY_offline") is not None
        self.span = 1 << 40

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

    def _is(self, name, mapcount):
        if self.new_types:
            return mapcount >> 24 == self._constant(f"PGTY_{name}")
        if name not in OLD_TYPES:
            return False
        return mapcount & (OLD_BASE | OLD_TYPES[name]) == OLD_BASE

    def _head(self, compound, va):
        """Address of the head's struct page: a tail names it, or since 7.1 may hold a mask."""
        named = compound - 1
        if 0 <= named - self.base < self.span and (named - self.base) % self.size == 0:
            return named
        return va & compound if self.masks else named

    def _decode(self, raw, va):
        def word(name, size=8):
            return int.from_bytes(raw[self.at[name]:self.at[name] + size], "little")

        def has(flag):
            return bool(flags & self.flags[flag])

        flags, mapcount = word("flags"), word("_mapcount", 4)
        compound = word("compound")
        page = {"flags": flags, "mapping": word("mapping"), "mapcount": mapcount,
                "compound": compound, "private": word("private"), "tail": bool(compound & 1),
                "head": has("head"), "hwpoison": has("hwpoison"), "lru": has("lru"),
                "swapcache": has("swapcache") and has("swapbacked"),
                "has_private": has("private"),
                "text": decode_page_flags_value(self.prog, flags)}
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
        """{pfn: fields}, a tail's with those of its head; a frame without a struct page: None."""
        found, heads = {}, {}
        for first, count in ranges:
            pages = self._read(self.base + first * self.size, count)
            if count > 1 and pages[0] is None:
                pages = [self._read(self.base + (first + i) * self.size)[0] for i in range(count)]
            for i, page in enumerate(pages):
                found[first + i] = page
                if page and page["tail"]:
                    va = page["head_va"]
                    if va not in heads:
                        heads[va] = self._read(va)[0]
                    page["head_pfn"] = (va - self.base) // self.size
                    page["of"] = heads[va]
        return found


def main():
    vmlinux, vmcore, request, answer = sys.argv[1:]
    with open(request, encoding="ascii") as f:
        ranges = json.load(f)
    prog = drgn.Program()
    prog.set_core_dump(vmcore)
    prog.load_debug_info([vmlinux], main=True)
    pages = Pages(prog)
    with open(answer, "w", encoding="ascii") as f:
        json.dump({"masks": pages.masks, "frames": pages.ask(ranges)}, f)


main()
