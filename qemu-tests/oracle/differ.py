# SPDX-License-Identifier: GPL-2.0-or-later
"""crashpod's dump beside makedumpfile's of the same vmcore and level: what may differ, and nothing
else.

All judge functions give [(test, why not or None)].
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from ground import forky, paths

from . import pagediff
from .diskdump import Diskdump
from .elfdump import Elfdump

CACHE, PRIVATE, USER, FREE = 2, 4, 8, 16


@dataclass(frozen=True)
class Frame:
    """A frame's struct page, and its head's, as drgn_frames.py reads them."""
    pfn: int
    page: dict
    of: dict      # None where the page is no tail
    masks: bool   # the kernel has page.compound_info
    poison: bool  # and pages that can be poisoned

    def is_a(self, name):
        return bool(self.page and self.page[name])

    def text(self):
        if not self.page:
            return f"{self.pfn:#x}: no struct page"
        p, of = self.page, self.of
        said = (f"{self.pfn:#x}: flags {p['text'] or '0'}, mapping {p['mapping']:#x}, "
                f"_mapcount {p['mapcount']:#x}, compound {p['compound']:#x}")
        if of:
            said += (f"; head {p['head_pfn']:#x}: flags {of['text']}, "
                     f"mapping {of['mapping']:#x}, _mapcount {of['mapcount']:#x}")
        return said


def left_out(page, level):
    """True where a level leaves out a page, by the rules that both dumpers follow."""
    anon = page["mapping"] & 1 and not page["slab"]
    cached = not anon and (page["lru"] or page["swapcache"])
    if level & FREE and page["buddy"]:
        return True
    if cached and level & (PRIVATE if page["has_private"] else CACHE | PRIVATE):
        return True
    return bool(level & USER and (anon or page["hugetlb"]))


def kept(frame, level):
    """True where a dump is to have a frame, by an independent reading of its struct page."""
    page = frame.page if frame.of is None else frame.of
    never = frame.is_a("hwpoison") or page["hwpoison"] or page["offline"]
    return not never and not left_out(page, level)


def _unseen_tail(frame, level):
    return (frame.masks and frame.of is not None and frame.of["head"] and kept(frame, level)
            and left_out(frame.page, level))


@dataclass(frozen=True)
class Difference:
    """Frames that one of the dumpers is meant to keep and the other is not."""
    name: str
    levels: tuple
    ours: bool  # crashpod's dump has them; else makedumpfile's has
    test: object
    why: str


ALL = tuple(range(32))
# makedumpfile looks at no struct page at these levels, unless the kernel can poison pages.
BLIND = (0, 1)
PAGES = tuple(level for level in ALL if level & (CACHE | PRIVATE | USER | FREE))

DIFFERENCES = (
    Difference("offline", BLIND, False, lambda f, l: f.is_a("offline") and not f.poison,
               "the hypervisor has it: never dumped"),
    Difference("poisoned-tail", ALL, False,
               lambda f, l: f.is_a("hwpoison") and f.of is not None and not f.of["hwpoison"],
               "reading it can kill the machine; makedumpfile asks the head only"),
    Difference("unseen-tail", PAGES, True, _unseen_tail,
               "makedumpfile does not see that it is a tail, and its head is to be kept"),
    Difference("early-memmap", ALL, True, lambda f, l: f.is_a("preinit") and kept(f, l),
               "makedumpfile does not know a flag of section_mem_map (bit 5) and reads this "
               "section's struct pages 32 bytes off"),
    Difference("early-memmap", ALL, False, lambda f, l: f.is_a("preinit") and not kept(f, l),
               "the same"),
)


def read_frames(kernel, vmcore, ranges, where):
    """[Frame] of ranges of frames, by drgn and the kernel's debug information."""
    if not ranges:
        return []
    where.mkdir(parents=True, exist_ok=True)
    script = where / "drgn_frames.py"
    shutil.copyfile(Path(__file__).with_name(script.name), script)
    request, answer = where / "frames.request", where / "frames.answer"
    request.write_text(json.dumps(ranges), encoding="ascii")
    forky.run(["timeout", "300", "python3", script, kernel.vmlinux, vmcore, request, answer])
    got = json.loads(answer.read_text(encoding="ascii"))
    heads = got["heads"]
    return [Frame(int(pfn), page, heads[str(page["head_pfn"])] if page and page["tail"] else None,
                  got["masks"], got["poison"]) for pfn, page in got["frames"].items()]


def explain(frames, level, ours):
    """({class: count}, [frames that no class explains])."""
    counts, unexplained = {}, []
    for frame in frames:
        name = next((d.name for d in DIFFERENCES if d.ours == ours and level in d.levels
                     and d.test(frame, level)), None)
        if name is None:
            unexplained.append(frame)
        else:
            counts[name] = counts.get(name, 0) + 1
    return counts, unexplained


@dataclass
class Row:
    """A line of the table."""
    level: int
    format: str
    ours: int
    theirs: int
    more: dict
    fewer: dict
    unexplained: list


def row(diff, kernel, vmcore, level, where):
    """Which frames differ; of kdump-compressed dumps each by its class. What differs in ELF files
    follows from that by the rule of segments."""
    sides = []
    for name, ours in (("only_a", True), ("only_b", False)):
        pagediff.pfns(diff[name])
        if diff["a"]["format"] == "elf":
            count = diff[name]["count"]
            sides.append(({"frames": count} if count else {}, []))
        else:
            frames = read_frames(kernel, vmcore, diff[name]["ranges"], where)
            sides.append(explain(frames, level, ours))
    (more, odd), (fewer, odd_too) = sides
    return Row(level, diff["a"]["format"], diff["a"]["in"]["count"], diff["b"]["in"]["count"],
               more, fewer, odd + odd_too)


# Sets that must be empty in any dump, in an ELF dump, and what it says when they are not.
EMPTY = (("differ", "other bytes than in the vmcore"), ("missing", "no page behind a descriptor"),
         ("broken", "broken pages"), ("foreign", "pages that the vmcore has not"),
         ("ram_more", "RAM that is none in the vmcore"), ("ram_less", "RAM left out"))
EMPTY_ELF = (("va", "another virtual address"), ("text", "another text mapping"),
             ("lost", "kept, but do not read as in the vmcore"))


def _empty(dump, sets):
    why = [f"{what}: {pagediff.few(dump[name])}" for name, what in sets if dump[name]["count"]]
    return "; ".join(why) + (f"; {dump['why_broken']}" if dump["why_broken"] else "") or None


def judge_pages(diff):
    """Bytes, completeness and RAM of both dumps."""
    found = []
    for key, whose in (("a", "ours"), ("b", "theirs")):
        dump = diff[key]
        sets = EMPTY + (EMPTY_ELF if dump["format"] == "elf" else ())
        found.append((f"pages-{whose}", _empty(dump, sets)
                      or (None if dump["complete"] else "marked incomplete")
                      or (None if dump["in"]["count"] else "no pages at all")))
    return found


def judge_classes(line):
    """Every frame that only one dump has is explained."""
    odd = line.unexplained
    why = f"{len(odd)} frames differ: " + " | ".join(f.text() for f in odd[:4]) if odd else None
    return [("same-frames", why)]


def judge_segments(diff):
    """What is in the ELF files: a run of 256 left out pages or the end of RAM ends a segment; what
    is shorter is a hole in ours (zeros), and the memory as it was in makedumpfile's."""
    ours, theirs = diff["a"], diff["b"]
    found = []
    for name, dump, model, none, what in (
            ("ours", ours, "model_runs", "extra", "pages left out are in the file"),
            ("theirs", theirs, "model_loads", "hole", "short gaps read as zeros")):
        why = _empty({**dump, "why_broken": ""},
                     ((f"{model}_more", "in the file beyond the segments' rule"),
                      (f"{model}_less", "not in the file as the segments' rule has it")))
        if dump[none]["count"]:
            why = f"{what}: {dump[none]['count']} frames"
        found.append((f"segments-{name}", why))
    return found


def judge_headers(vmcore, ours, theirs):
    """Notes, vmcoreinfo and the numbers of the headers."""
    notes = Elfdump(vmcore).notes
    kind = Diskdump if open(ours, "rb").read(8) == b"KDUMP   " else Elfdump
    a, b = kind(ours), kind(theirs)
    why = [f"{name}'s notes are not the vmcore's" for name, d in (("crashpod", a),
                                                                  ("makedumpfile", b))
           if d.notes != notes]
    for name in ("vmcoreinfo", "utsname", "max_mapnr", "max_mapnr_64", "nr_cpus", "phys_base",
                 "level", "block"):
        if getattr(a, name, None) != getattr(b, name, None):
            why.append(f"{name} is {getattr(a, name)!r}, makedumpfile has {getattr(b, name)!r}")
    return [("headers", "; ".join(w[:200] for w in why) or None)]
