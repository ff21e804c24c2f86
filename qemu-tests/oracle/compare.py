# SPDX-License-Identifier: GPL-2.0-or-later
"""A dump's pages against the guest's memory as QEMU had it when the capture kernel came up."""

import mmap
from dataclasses import dataclass, field

from .diskdump import SIGNATURE, Diskdump
from .elfdump import Elfdump
from .pages import PAGE


def open_dump(path):
    """The reader of a dump's format."""
    with open(path, "rb") as f:
        magic = f.read(8)
    return Diskdump(path) if magic == SIGNATURE else Elfdump(path)


@dataclass
class Result:
    """What the comparison found. differing and outside are physical addresses, frames what the
    dump has, zeroed those of differing that the dump has as zeros."""
    same: int = 0
    missing: int = 0
    differing: list = field(default_factory=list)
    zeroed: list = field(default_factory=list)
    outside: list = field(default_factory=list)
    frames: set = field(default_factory=set)
    pages: dict = field(default_factory=dict)
    ram_page: object = None

    def is_zero(self, pa):
        """True where the guest's memory has zeros at a physical address."""
        return not any(self.ram_page(pa))


def _equal(page, memory, part):
    """What is RAM must be the same, and what is not must be zeros in the dump."""
    return page == memory or (page[part] == memory[part] and not any(page[:part.start])
                              and not any(page[part.stop:]))


def compare(dump, snapshot, memory, frames, wanted=()):
    """Compare every page. frames: the bytes of each frame that are RAM, as ram.dumpable() gives
    them; wanted: physical addresses whose pages to give back."""
    whole = slice(0, PAGE)
    result = Result()
    with open(snapshot, "rb") as f:
        ram = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    result.ram_page = lambda pa: ram[memory.offset(pa):memory.offset(pa) + PAGE]
    for pfn, page in dump.pages():
        pa = pfn * PAGE
        at = memory.offset(pa)
        if page is None:
            result.missing += 1
        elif at is None:
            result.outside.append(pa)
        elif _equal(page, ram[at:at + PAGE], frames.get(pfn, whole)):
            result.same += 1
        else:
            result.differing.append(pa)
            if not any(page):
                result.zeroed.append(pa)
        if page is None:
            continue
        result.frames.add(pfn)
        if pa in wanted:
            result.pages[pa] = page
    return result
