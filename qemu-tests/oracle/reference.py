# SPDX-License-Identifier: GPL-2.0-or-later
"""makedumpfile's opinion of which pages a level keeps, asked about QEMU's copy of the memory.

An ELF dump cannot say of a page of zeros whether it was zero or left out between two kept ones.
So the copy is made a vmcore, and makedumpfile is asked which pages may be missing.
"""

from ground import forky

from . import ram
from .diskdump import Diskdump
from .elfdump import EHDR, EM_X86_64, ET_CORE, PHDR, PT_LOAD, PT_NOTE
from .pages import PAGE

KERNEL_TEXT = 0xffffffff80000000
RWX = 7


def _runs(frames):
    """[(first frame, end)] of a set of frames."""
    runs = []
    for pfn in sorted(frames):
        if runs and runs[-1][1] == pfn:
            runs[-1][1] = pfn + 1
        else:
            runs.append([pfn, pfn + 1])
    return runs


def _headers(dump, memory, frames):
    """PT_LOADs of the memory where the kernel maps it: its text, and everything directly."""
    loads = []
    for load in dump.loads:
        vaddr, paddr, size = load[3], load[4], load[6]
        if vaddr >= KERNEL_TEXT:
            loads.append((PT_LOAD, RWX, memory.offset(paddr), vaddr, paddr, size, size, 0))
        else:
            direct = vaddr - paddr
    for first, end in _runs(frames):
        pa, size = first * PAGE, (end - first) * PAGE
        loads.append((PT_LOAD, RWX, memory.offset(pa), direct + pa, pa, size, size, 0))
    return loads


def to_vmcore(dump, snapshot, memory, iomem):
    """Make the snapshot an ELF vmcore in place: the headers go below 1 MiB, which has no pages
    in a dump. dump gives notes and the kernel's mapping."""
    loads = _headers(dump, memory, ram.dumpable(iomem))
    at = EHDR.size + (1 + len(loads)) * PHDR.size
    if at + len(dump.notes) > ram.LOW:
        raise ValueError("the headers do not fit below 1 MiB")
    note = (PT_NOTE, 0, at, 0, 0, len(dump.notes), len(dump.notes), 0)
    with open(snapshot, "r+b") as f:
        f.write(EHDR.pack(b"\x7fELF\x02\x01\x01".ljust(16, b"\0"), ET_CORE, EM_X86_64, 1, 0,
                          EHDR.size, 0, 0, EHDR.size, PHDR.size, 1 + len(loads), 0, 0, 0))
        for header in (note, *loads):
            f.write(PHDR.pack(*header))
        f.write(dump.notes)


def kept(dump, snapshot, memory, iomem, level):
    """Set of frames that makedumpfile keeps at a level. The snapshot is changed."""
    to_vmcore(dump, snapshot, memory, iomem)
    out = snapshot.with_name("reference")
    forky.run(["makedumpfile", "-z", "-d", level, snapshot, out])
    frames = set(Diskdump(out).dumped)
    out.unlink()
    return frames


def settle(result, dump, snapshot, memory, iomem, level):
    """Take the pages of zeros that the level may leave out of a comparison's result; give the
    set of frames that the dump should have and has not."""
    keeps = kept(dump, snapshot, memory, iomem, level)
    for pa in result.zeroed:
        if pa // PAGE not in keeps:
            result.differing.remove(pa)
            result.frames.discard(pa // PAGE)
            result.pages.pop(pa, None)
    return {pfn for pfn in keeps - result.frames if not result.is_zero(pfn * PAGE)}
