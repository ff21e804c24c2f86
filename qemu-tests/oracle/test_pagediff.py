#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pagediff sees damage: a little vmcore and dumps of it made by hand, each spoiled in one place."""

import json
import struct
import sys
import tempfile
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from oracle import differ, pagediff  # noqa: E402
from oracle.diskdump import DESCRIPTOR, HEADER, SUB_HEADER, ZLIB  # noqa: E402
from oracle.elfdump import EHDR, EM_X86_64, ET_CORE, PHDR, PT_LOAD, PT_NOTE  # noqa: E402
from oracle.pages import PAGE, DumpError  # noqa: E402

FIRST, COUNT = 0x100, 1400  # frames
DIRECT = 0xffff888000000000
NOTES = b"\x04\0\0\0\x04\0\0\0\x01\0\0\0ABC\0defg"
# Left out by the dumps: a short gap and a long one.
GONE = {*range(0x110, 0x118), *range(0x200, 0x200 + 300)}


def content(pfn):
    """A page of the vmcore; every ninth is of zeros."""
    word = 0 if pfn % 9 == 0 else pfn * 0x9e3779b97f4a7c15 % 2**64
    return struct.pack("<Q", word) * 512


FRAMES = range(FIRST, FIRST + COUNT)
KEPT = [pfn for pfn in FRAMES if pfn not in GONE]


def elf(loads, flags=0):
    """An ELF core; loads: (first frame, pages in the file, pages of memory, bytes)."""
    at = EHDR.size + (1 + len(loads)) * PHDR.size
    headers = [PHDR.pack(PT_NOTE, 0, at, 0, 0, len(NOTES), len(NOTES), 0)]
    data = NOTES
    for first, file, mem, pages in loads:
        headers.append(PHDR.pack(PT_LOAD, 7, at + len(data), DIRECT + first * PAGE, first * PAGE,
                                 file * PAGE, mem * PAGE, 0))
        data += pages
    return EHDR.pack(b"\x7fELF\x02\x01\x01".ljust(16, b"\0"), ET_CORE, EM_X86_64, 1, 0, EHDR.size,
                     0, flags, EHDR.size, PHDR.size, len(headers), 0, 0, 0) + b"".join(
                         [*headers, data])


def pages(frames):
    return b"".join(map(content, frames))


def elf_dump(**flags):
    """As crashpod writes it at level 0: zeros in the short gap, a segment ends at the long one."""
    gap = range(FIRST, 0x200)
    first = b"".join(bytes(PAGE) if pfn in GONE else content(pfn) for pfn in gap)
    rest = range(0x200 + 300, FIRST + COUNT)
    return elf([(FIRST, len(gap), len(gap) + 300, first),
                (rest.start, len(rest), len(rest), pages(rest))], **flags)


def bitmap(frames):
    bits = bytearray(PAGE)
    for pfn in frames:
        bits[pfn // 8] |= 1 << pfn % 8
    return bytes(bits)


def kdump(kept=None, status=ZLIB, descriptor=lambda pfn, d: d, page=content):
    """A kdump-compressed file; the functions spoil a descriptor or a page."""
    kept, end = KEPT if kept is None else kept, FIRST + COUNT
    table, data = [], b""
    start = 4 * PAGE + DESCRIPTOR.size * len(kept)
    for pfn in kept:
        packed = zlib.compress(page(pfn), 1)
        table.append(DESCRIPTOR.pack(*descriptor(pfn, (start + len(data), len(packed), ZLIB, 0))))
        data += packed
    head = HEADER.pack(b"KDUMP   ", 6, b"", b"", status, PAGE, 1, 2, end, 0, 0, 0, 0, 1)
    sub = SUB_HEADER.pack(0, 0, 0, 0, end, 0, 0, PAGE + SUB_HEADER.size, len(NOTES), 0, 0, 0, end,
                          end)
    return (head.ljust(PAGE, b"\0") + (sub + NOTES).ljust(PAGE, b"\0") + bitmap(FRAMES)
            + bitmap(kept) + b"".join(table) + data)


def spoil_page(pfn):
    """One bit of a page is another."""
    page = bytearray(content(pfn))
    if pfn == 0x155:
        page[77] ^= 4
    return bytes(page)


def only(pfn, change):
    """A function that changes the descriptor of one frame."""
    return lambda at, d: change(*d) if at == pfn else d


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def report(where, ours, theirs, kept=None, vmcore=None):
    """The whys of all judges of pages and segments, by test."""
    vmcore = vmcore or elf([(FIRST, COUNT, COUNT, pages(FRAMES))])
    files = {"vmcore": vmcore, "a": ours, "b": theirs, "kept": kept}
    for name, data in files.items():
        (where / name).write_bytes(data or b"")
    kept = (where / "kept",) * 2 if kept else ()
    try:
        diff = pagediff.compare(where / "vmcore", where / "a", where / "b", kept)
    except DumpError as e:
        return {"open": str(e)}
    found = differ.judge_pages(diff) + (differ.judge_segments(diff)[:1] if kept else [])
    found += [(key, pagediff.few(diff[key]) if diff[key]["count"] else None)
              for key in ("only_a", "only_b")]
    return {name: why for name, why in found if why}


BODY = EHDR.size + 3 * PHDR.size + len(NOTES)
END = 4 * PAGE + DESCRIPTOR.size * len(KEPT)

# name, the spoiled dump, the only test that may fail, what it says
KDUMPS = (
    ("sound", kdump(), None, None),
    ("a bit of a page", kdump(page=spoil_page), "pages-ours", "other bytes than in the vmcore: 1 "
     "frames (0x155)"),
    ("a page is not there", kdump([p for p in KEPT if p != 0x155]), "only_b", "1 frames (0x155)"),
    ("a page too many", kdump(sorted([*KEPT, 0x111])), "only_a", "1 frames (0x111)"),
    ("a descriptor of nothing", kdump(descriptor=only(0x155, lambda *d: (0, 0, 0, 0))),
     "pages-ours", "no page behind a descriptor: 1 frames (0x155)"),
    ("data past the end", kdump(descriptor=only(0x155, lambda o, *d: (1 << 40, *d))), "pages-ours",
     "broken pages: 1 frames (0x155)"),
    ("data in the table", kdump(descriptor=only(0x155, lambda o, *d: (END - 9, *d))), "pages-ours",
     "broken pages: 1 frames (0x155)"),
    ("a size too large", kdump(descriptor=only(0x155, lambda o, s, *d: (o, s + 1, *d))),
     "pages-ours", "zlib gives"),
    ("zstd that is zlib", kdump(descriptor=only(0x155, lambda o, s, *d: (o, s, 0x20, 0))),
     "pages-ours", "zstd:"),
    ("flags nobody knows", kdump(descriptor=only(0x155, lambda o, s, *d: (o, s, 0x40, 0))),
     "pages-ours", "flags 0x40"),
    ("marked incomplete", kdump(status=ZLIB | 8), "pages-ours", "marked incomplete"),
    ("another page's data", kdump(page=lambda p: content(p + (p == 0x155))), "pages-ours",
     "1 frames (0x155)"),
    ("no descriptors", kdump()[:4 * PAGE + 100], "open", "the file ends before its descriptors"),
    ("not RAM", flip(kdump(), 3 * PAGE + 1), "open", "in the dump, but not RAM"),
)
ELFS = (
    ("sound ELF", elf_dump(), None, None),
    ("a bit of a segment", flip(elf_dump(), BODY + 0x155 * 9), "pages-ours", "(0x100)"),
    ("a bit of a gap", flip(elf_dump(), BODY + 0x12 * PAGE), "pages-ours", "other bytes"),
    ("an incomplete ELF", elf_dump(flags=1), "pages-ours", "marked incomplete"),
    ("a short file", elf_dump()[:-1], "open", "lies outside the file"),
    ("a long gap in the file", elf([(FIRST, COUNT, COUNT, b"".join(
        bytes(PAGE) if p in GONE else content(p) for p in FRAMES))]), "segments-ours",
     "in the file beyond the segments' rule: 300 frames (0x200+300)"),
    ("gaps that are not zeros", elf([(FIRST, 256, 556, pages(range(FIRST, 0x200))),
                                     (0x32c, 1100 - 256, 1100 - 256,
                                      pages(range(0x32c, FIRST + COUNT)))]), "segments-ours",
     "pages left out are in the file"),
    ("RAM left out", elf([(FIRST, 256, 256, b"".join(bytes(PAGE) if p in GONE else content(p)
                                                     for p in range(FIRST, 0x200))),
                          (0x32c, 844, 844, pages(range(0x32c, FIRST + COUNT)))]), "pages-ours",
     "RAM left out: 300 frames (0x200+300)"),
)
# The same with a dump in the vmcore's place.
DUMP_ALONE = (
    ("sound beside a dump", kdump(), None, None),
    ("a page less than the dump", kdump(KEPT[1:]), "only_b", "1 frames (0x100)"),
    ("a page more than the dump", kdump(sorted([*KEPT, 0x111])), "pages-ours",
     "pages that the vmcore has not: 1 frames (0x111)"),
    ("a bit of a page beside a dump", kdump(page=spoil_page), "pages-ours", "1 frames (0x155)"),
)


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        for table, theirs, kept, vmcore in ((KDUMPS, kdump(), None, None),
                                            (ELFS, elf_dump(), kdump(), None),
                                            (DUMP_ALONE, kdump(), None, kdump())):
            for name, dump, test, text in table:
                got = report(Path(tmp), dump, theirs, kept, vmcore)
                good = not got if test is None else test in got and text in got[test]
                # what is wrong must not be said of makedumpfile's
                good = good and "pages-theirs" not in got
                failed += not good
                print(f"{'pass' if good else 'fail'} pagediff/{name}"
                      + ("" if good else f": {json.dumps(got)}"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
