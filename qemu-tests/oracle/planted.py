# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages that guest/plant.c planted: their bytes, and which dump levels leave them out."""

import struct

from .pages import PAGE

MASK = (1 << 64) - 1
# Class: its id in plant.c or classes.c, and the level bits that must all be set for the page to be left out
# (None: never left out; 0: always, as reading a failing frame can kill the machine).
# A page of a file is private (bit 4) or not (bit 2) as its file system likes: with both it goes.
CLASSES = {
    "user": (1, 8),
    "zero": (2, 8),
    "same": (3, 8),
    "thp": (4, 8),
    "tmpfs": (5, 2 | 4),
    "cache": (6, 2 | 4),
    "pipe": (7, None),
    "poison": (8, 0),
    "mlocked": (16, 8),
    "swapped": (17, 8),
    "shmswap": (18, 2 | 4),
    "huge": (19, 8),
    "gigantic": (20, 8),
    "readin": (21, 2 | 4),
    "dirty": (22, 2 | 4),
    "pipes": (23, None),
    "ksm": (24, 8),
    "sockets": (25, None),
    "free": (None, 16),
}
# A file's page is not on an LRU list, and so is kept, while it waits in a batch of a CPU.
LRU_BATCH = 31


def _page(seed, class_id, index):
    state = (seed ^ class_id << 56 ^ index << 32) & MASK
    words = []
    for _ in range(PAGE // 8):
        state = (state + 0x9e3779b97f4a7c15) & MASK
        z = ((state ^ state >> 30) * 0xbf58476d1ce4e5b9) & MASK
        z = ((z ^ z >> 27) * 0x94d049bb133111eb) & MASK
        words.append(z ^ z >> 31)
    return struct.pack(f"<{len(words)}Q", *words)


def expected(seed, name, index):
    """The bytes of a planted page."""
    if name == "zero":
        return bytes(PAGE)
    return _page(seed, CLASSES[name][0], 0 if name == "same" else index)


def read_manifest(where):
    """[(class, index, physical address or None)] of the guest's manifests, which must be whole."""
    entries = []
    for name in ("manifest", "manifest.free"):
        lines = (where / name).read_text(encoding="ascii").splitlines()
        if not lines or lines[-1] != "end":
            raise ValueError(f"{name} is cut short")
        for line in lines[:-1]:
            kind, index, pa = line.split()
            entries.append((kind, int(index), None if pa == "-" else int(pa, 0)))
    return entries


def left_out(name, level):
    """True where a dump of this level leaves out pages of the class."""
    bits = CLASSES[name][1]
    return bits is not None and level & bits == bits


def _may_be_kept(name, count, merged):
    if name == "free":
        # The kernel runs on between the look at its free pages and the crash.
        return count // 10
    if name in ("tmpfs", "cache", "readin", "dirty"):
        return count if merged else LRU_BATCH
    if merged and name != "poison":
        return count // 2 if name == "user" else count
    return 0


def judge(manifest, seed, level, page_at, merged=False):
    """Why the planted pages are not as they must be, by class; an empty dict when they are.

    page_at(physical address) gives the dump's page, or None where it has none. Free pages
    hold anything. merged: the format (ELF) keeps short runs of left out pages to spare headers,
    and leaves out zero pages where the level has that bit.
    """
    kept, wrong, total = {}, {}, {}
    for name, index, pa in manifest:
        if pa is None:
            continue
        total[name] = total.get(name, 0) + 1
        page = page_at(pa)
        if page is None:
            continue
        kept[name] = kept.get(name, 0) + 1
        if name != "free" and page != expected(seed, name, index):
            wrong[name] = wrong.get(name, 0) + 1
    why = {}
    for name, count in total.items():
        have, bad = kept.get(name, 0), wrong.get(name, 0)
        if left_out(name, level):
            allowed = _may_be_kept(name, count, merged)
            if have > allowed:
                why[name] = f"{have} of {count} pages are kept at level {level}"
        elif merged and level & 1 and name in ("zero", "free"):
            continue
        elif have != count:
            why[name] = f"{have} of {count} pages are in the dump at level {level}"
        elif bad:
            why[name] = f"{bad} of {count} pages have other bytes"
    return why
