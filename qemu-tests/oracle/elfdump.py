# SPDX-License-Identifier: GPL-2.0-or-later
"""Reader of ELF dumps and vmcores."""

import mmap
import struct

from .pages import PAGE, DumpError

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
SHDR_INFO = struct.Struct("<44xI16x")
PT_LOAD, PT_NOTE, PN_XNUM, EM_X86_64, ET_CORE = 1, 4, 0xffff, 62, 4
INCOMPLETE = 1


class Elfdump:
    """An ELF dump. Ranges that the dump leaves out (p_filesz < p_memsz) have no pages."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.map = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        (ident, kind, machine, _, _, phoff, shoff, self.flags, _, phentsize, phnum,
         _, _, _) = EHDR.unpack_from(self.map)
        if ident[:5] != b"\x7fELF\x02" or kind != ET_CORE or machine != EM_X86_64:
            raise DumpError("not an x86_64 ELF core")
        if phentsize != PHDR.size:
            raise DumpError(f"program headers of {phentsize} bytes")
        if phnum == PN_XNUM:
            phnum = SHDR_INFO.unpack_from(self.map, shoff)[0]
        headers = [PHDR.unpack_from(self.map, phoff + i * PHDR.size) for i in range(phnum)]
        if not headers or headers[0][0] != PT_NOTE:
            raise DumpError("the first program header is not the notes")
        if sum(h[0] == PT_NOTE for h in headers) != 1:
            raise DumpError("more than one PT_NOTE")
        self.notes = self._part(headers[0])
        self.loads = [h for h in headers if h[0] == PT_LOAD]
        if not self.loads:
            raise DumpError("no PT_LOAD")
        for load in self.loads:
            if load[5] > load[6] or load[2] > len(self.map) - load[5]:
                raise DumpError(f"PT_LOAD {load} lies outside the file")

    def _part(self, header):
        return self.map[header[2]:header[2] + header[5]]

    @property
    def complete(self):
        return not self.flags & INCOMPLETE

    def is_ram(self, pfn):
        at = pfn * PAGE
        return any(l[4] <= at < l[4] + l[6] for l in self.loads)

    def pages(self):
        """(pfn, bytes) of each page whose whole frame is in the file."""
        seen = set()
        for _, _, offset, _, paddr, filesz, _, _ in sorted(self.loads, key=lambda l: l[4]):
            first = -paddr % PAGE
            for at in range(first, filesz - PAGE + 1, PAGE):
                pfn = (paddr + at) // PAGE
                if pfn not in seen:
                    seen.add(pfn)
                    yield pfn, self.map[offset + at:offset + at + PAGE]
