#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What -e may leave out is told from what it may not: a dump made by hand of a machine with page
tables, one section, and its memory map."""

import struct
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from oracle import memmap  # noqa: E402
from oracle.diskdump import DESCRIPTOR, HEADER, SUB_HEADER  # noqa: E402
from oracle.pages import PAGE, DumpError  # noqa: E402

# Frames: a table of each level, the roots of sections, a root, and the memory map.
PGD, P4D, PUD, PMD, ROOTS, SECTIONS = 0x10, 0x11, 0x12, 0x13, 0x20, 0x21
MAP, END = range(0x200, 0x400), 0x400
# Of the direct mapping and of the memory map, by levels; they differ in the third, so that one
# table of it does.
BASES = {4: (0xffff888000000000, 0xffffea0040000000), 5: (0xff11000000000000, 0xffd4000040000000)}
PRESENT, LARGE, FLAGS = 1, 0x80, 0x3


def slot(va, level):
    return va >> 3 + 9 * level & 511


def machine(levels):
    """{frame: {word: value}}: the direct mapping in pages of 1 GiB, the memory map in 2 MiB."""
    direct, vmemmap = BASES[levels]
    words = {frame: {} for frame in (PGD, P4D, PUD, PMD, ROOTS, SECTIONS, *MAP)}
    for va in (direct, vmemmap):
        if levels == 5:
            words[PGD][slot(va, 5)] = P4D * PAGE | PRESENT
        words[P4D if levels == 5 else PGD][slot(va, 4)] = PUD * PAGE | PRESENT
    words[PUD][slot(direct, 3)] = PRESENT | LARGE
    words[PUD][slot(vmemmap, 3)] = PMD * PAGE | PRESENT
    words[PMD][slot(vmemmap, 2)] = MAP.start * PAGE | PRESENT | LARGE
    words[ROOTS][0] = direct + SECTIONS * PAGE
    words[SECTIONS][0] = vmemmap | FLAGS
    return words


def info(levels):
    """VMCOREINFO."""
    return (f"SYMBOL(swapper_pg_dir)={memmap.KERNEL_TEXT + PGD * PAGE:x}\n"
            f"NUMBER(phys_base)=0\nNUMBER(pgtable_l5_enabled)={levels - 4}\n"
            f"SYMBOL(mem_section)={BASES[levels][0] + ROOTS * PAGE:x}\nLENGTH(mem_section)=4\n"
            "SIZE(mem_section)=16\nNUMBER(SECTION_SIZE_BITS)=27\nSIZE(page)=64\n").encode()


def kdump(words, notes):
    """A kdump-compressed file of pages that are not compressed."""
    bits = bytearray(PAGE)
    for pfn in words:
        bits[pfn // 8] |= 1 << pfn % 8
    table, data, start = b"", b"", 4 * PAGE + DESCRIPTOR.size * len(words)
    for pfn in sorted(words):
        table += DESCRIPTOR.pack(start + len(data), PAGE, 0, 0)
        data += struct.pack("<512Q", *(words[pfn].get(i, 0) for i in range(512)))
    head = HEADER.pack(b"KDUMP   ", 6, b"", b"", 0, PAGE, 1, 2, END, 0, 0, 0, 0, 1)
    sub = SUB_HEADER.pack(0, 31, 0, 0, END, PAGE + SUB_HEADER.size, len(notes), 0, 0, 0, 0, 0, 0,
                          END)
    return (head.ljust(PAGE, b"\0") + (sub + notes).ljust(PAGE, b"\0") + bytes(bits) * 2 + table
            + data)


# name, what is left out, what is said of it. 64 page structures are a frame of the memory map:
# the first is of the tables, the ninth of the memory map's beginning.
TESTS = (
    ("nothing", (), None),
    ("structures of pages left out", (0x201, 0x207, 0x210, 0x3ff), None),
    ("a page that is no memory map", (0x201, ROOTS), "1 pages that are no memory map are left out "
     "(0x20, ...)"),
    ("structures of page tables", (0x200, 0x201), "1 page structures of pages that are kept are "
     "left out (0x200, ...)"),
    ("structures of the memory map", range(0x207, 0x211), "8 page structures of pages that are "
     "kept are left out (0x208, 0x209, 0x20a, ...)"),
)


def judge(path, left_out):
    try:
        return memmap.wrongly_left_out(path, left_out)
    except DumpError as e:
        return str(e)


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        path = Path(tmp) / "dump"
        for levels in BASES:
            path.write_bytes(kdump(machine(levels), info(levels)))
            results = [(f"{name}, {levels} levels", judge(path, left_out), want)
                       for name, left_out, want in TESTS]
            path.write_bytes(kdump({**machine(levels), SECTIONS: {}}, info(levels)))
            results.append((f"no sections, {levels} levels", judge(path, ()),
                            "no memory map found"))
            path.write_bytes(kdump(machine(levels), b""))
            results.append((f"no VMCOREINFO, {levels} levels", judge(path, ()),
                            "VMCOREINFO has no SYMBOL(swapper_pg_dir)"))
            for name, got, want in results:
                failed += got != want
                print(f"{'pass' if got == want else 'fail'} memmap/{name}"
                      + ("" if got == want else f": {got}"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
