# SPDX-License-Identifier: GPL-2.0-or-later
"""A real crash whose memory is damaged before the capture kernel looks at it.

The host writes into the guest's memory when the capture kernel says its first line: nothing of
the production kernel runs any more, and nothing of its memory has been read yet. The dump must
be whole all the same, with every page as the damage left it, and say what was not understood.
"""

import json
import mmap
import random
import struct

from oracle import compare, ram
from oracle.pages import PAGE, DumpError

from . import loop, scenario
from .vm import Memory

TEXT = 0xffffffff80000000
ADDR = 0x000ffffffffff000
PRESENT, LARGE = 1, 0x80
HAS_MAP = 2
NOTE_NAME = b"VMCOREINFO\0"
# Sections of 128 MiB whose struct pages are made random: user memory, mostly free.
SECTIONS = (3, 9)


class Guest:
    """The dead kernel's memory, found by its VMCOREINFO, as a program on the host sees it."""

    def __init__(self, vm):
        self.memory = vm.memory
        with open(vm.ram, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 0)
        mark = next(n for n, _ in vm.console.marks if n.startswith("vmcoreinfo-"))
        at, size = mark.removeprefix("vmcoreinfo-").split("-")
        self.note = int(at, 16)
        raw = self.read(self.note, int(size, 16))
        name_len, self.desc_len = struct.unpack_from("<II", raw)
        if raw[12:12 + name_len] != NOTE_NAME:
            raise ValueError(f"no VMCOREINFO note at {self.note:#x}")
        self.desc = self.note + 12 + (name_len + 3) // 4 * 4
        lines = self.read(self.desc, self.desc_len).split(b"\0")[0].decode().splitlines()
        self.info = dict(line.split("=", 1) for line in lines if "=" in line)
        self.root = self.symbol("init_top_pgt") - TEXT + self.number("phys_base")

    def symbol(self, name):
        return int(self.info[f"SYMBOL({name})"], 16)

    def number(self, name):
        return int(self.info[f"NUMBER({name})"], 0)

    def read(self, pa, size):
        at = self.memory.offset(pa)
        return self.map[at:at + size]

    def write(self, pa, data):
        at = self.memory.offset(pa)
        self.map[at:at + len(data)] = data

    def word(self, pa):
        return struct.unpack("<Q", self.read(pa, 8))[0]

    def physical(self, va):
        """Walk the page tables."""
        table = self.root
        for level in range(4 if self.number("pgtable_l5_enabled") else 3, -1, -1):
            shift = 12 + 9 * level
            entry = self.word(table + (va >> shift & 511) * 8)
            if not entry & PRESENT:
                raise ValueError(f"{va:#x} is not mapped")
            table = entry & ADDR
            if level == 0 or entry & LARGE and level < 3:
                return (table & -(1 << shift)) + (va & (1 << shift) - 1)
        raise AssertionError

    def section_entry(self, number):
        """Physical address of a section's struct mem_section."""
        size = int(self.info["SIZE(mem_section)"])
        roots = self.symbol("mem_section")
        root = self.word(self.physical(roots + number // (PAGE // size) * 8))
        return self.physical(root + number % (PAGE // size) * size)

    def section_pages(self, number):
        """Physical addresses of the pages that hold a section's struct pages."""
        coded = self.word(self.section_entry(number) +
                          int(self.info["OFFSET(mem_section.section_mem_map)"]))
        if not coded & HAS_MAP:
            raise ValueError(f"section {number} has no memory map")
        count = 1 << self.number("SECTION_SIZE_BITS") - 12
        size = int(self.info["SIZE(page)"])
        first = (coded & -PAGE) + number * count * size
        return [self.physical(first + at) for at in range(0, count * size, PAGE)]

    def frames(self, number):
        """The frames that a section describes."""
        count = 1 << self.number("SECTION_SIZE_BITS") - 12
        return set(range(number * count, (number + 1) * count))


def damage_vmcoreinfo(guest, noise):
    """the text of the VMCOREINFO note is random bytes"""
    guest.write(guest.desc, noise.randbytes(guest.desc_len))


def damage_pagetables(guest, _noise):
    """every entry of the kernel's half of the root table leads to the root table"""
    for index in range(256, 512):
        guest.write(guest.root + index * 8, struct.pack("<Q", guest.root | 0x63))


def damage_unmapped(guest, _noise):
    """the kernel's half of the root table is empty"""
    guest.write(guest.root + 256 * 8, bytes(256 * 8))


def damage_pages(guest, noise):
    """the struct pages of two sections are random bytes"""
    for number in SECTIONS:
        for pa in guest.section_pages(number):
            guest.write(pa, noise.randbytes(PAGE))


def damage_sections(guest, noise):
    """the table of sections is random bytes"""
    entry = guest.section_entry(0)
    guest.write(entry & -PAGE, noise.randbytes(PAGE))


# name: what is damaged, and a part of the reason that the record must give.
CASES = {
    "vmcoreinfo": (damage_vmcoreinfo, "everything is dumped: pages cannot be classified: "
                                      "VMCOREINFO: no "),
    "pagetables": (damage_pagetables, "everything is dumped: pages cannot be classified: "
                                      "page tables at "),
    "unmapped": (damage_unmapped, "everything is dumped: pages cannot be classified: "
                                  "page tables at "),
    "pages": (damage_pages, "pages are kept because their descriptors make no sense"),
    "sections": (damage_sections, "everything is dumped: pages cannot be classified: "
                                  "mem_section"),
}


class Damage:
    """Does the damage of a case, and remembers where struct pages were damaged."""

    def __init__(self, name):
        self.name = name
        self.doubtful = set()

    def __call__(self, vm):
        vm.qmp.call("stop")
        guest = Guest(vm)
        if self.name == "pages":
            for number in SECTIONS:
                self.doubtful |= guest.frames(number)
        CASES[self.name][0](guest, random.Random(self.name))
        guest.map.close()
        vm.qmp.call("cont")


def judge_record(report, name, kept):
    """What crashpod.json says of what was not understood; kept: how many frames that is."""
    found = report.record.get("dump", {})
    pages = found.get("pages", {})
    wanted = CASES[name][1]
    report.add("says-why", None if wanted in found.get("reason", "") else
               f"the reason is {found.get('reason')!r}")
    report.add("notes-say-why", None if any(wanted[:60] in n for n in report.record["notes"]) else
               f"the notes are {report.record['notes']}")
    which = "unknown" if name == "pages" else "no_memmap"
    report.add(f"counts-{which}", None if pages.get(which) == kept else
               f"{pages.get(which)} of {kept}")
    level = report.options.level if name == "pages" else 1
    report.add("level-used", None if found.get("level_used") == level else
               f"{found.get('level_used')}, not {level}")
    report.add("all-readable", None if pages.get("unreadable") == 0 else
               f"{pages.get('unreadable')} pages were not")


def judge_dmesg(report, name):
    """The log is there, unless nothing tells where it was: then the record says so."""
    index = next(i for i, (test, _) in enumerate(report.tests) if test == "dmesg-file")
    if name != "vmcoreinfo":
        return
    step = next((s for s in report.record["steps"] if s["name"] == "dmesg"), {})
    good = step.get("result") == "failed" and "VMCOREINFO" in step.get("message", "")
    report.tests[index] = ("no-dmesg-says-why", None if good else f"the step says {step}")


def judge_pages(report, plan, damage):
    """Every page as the damage left it; none left out that is not understood. Gives how many
    frames must have been counted."""
    iomem = (report.outcome.out / "iomem").read_text(encoding="ascii")
    frames = ram.dumpable(iomem)
    doubtful = damage.doubtful & set(frames) if damage.doubtful else set(frames)
    try:
        dump = compare.open_dump(report.dump)
        result = compare.compare(dump, report.outcome.snapshot, Memory(plan.memory_mib << 20),
                                 frames)
    except DumpError as e:
        report.add("dump-format", str(e))
        return len(doubtful)
    report.add("dump-complete", None if dump.complete else "the dump is marked incomplete")
    report.add("pages-readable", f"{result.missing} pages are missing" if result.missing else None)
    report.add("pages-equal", None if result.same and not result.differing else
               f"{len(result.differing)} of {result.same + len(result.differing)} differ, first "
               + ", ".join(f"{pa:#x} ({ram.region(iomem, pa)})" for pa in result.differing[:3]))
    lost = doubtful - result.frames
    report.add("doubtful-kept", f"{len(lost)} frames are left out, first {min(lost):#x}"
               if lost else None)
    if damage.doubtful:
        gone = set(frames) - result.frames
        report.add("others-filtered", None if len(gone) > len(frames) // 2 else
                   f"only {len(gone)} frames are left out")
    return len(doubtful)


def run_case(kernel, name):
    """One crash with one kind of damage."""
    options = loop.Options(kernel=kernel, name=f"hostile-{kernel}-{name}")
    report = loop.Report(options)
    damage = Damage(name)
    with scenario.workplace(options.title()) as where:
        plan = loop.make_plan(options, where)
        plan.disk_mib = options.memory_mib + 1024
        plan.load += ("echo \"test-mark: vmcoreinfo-$(tr ' ' - < /sys/kernel/vmcoreinfo)\" "
                      "> /dev/console\n")
        report.outcome = scenario.run(plan, snapshot=where / "snapshot", on_capture=damage)
        report.seconds = loop.stages(report.outcome)
        loop.judge_guest(report)
        loop.judge_files(report)
        if report.dump is not None:
            loop.judge_command(report)
            kept = judge_pages(report, plan, damage)
            judge_dmesg(report, name)
            judge_record(report, name, kept)
        (where / "result.json").write_text(json.dumps(loop.summary(report), indent=1),
                                           encoding="utf-8")
        (where / "snapshot").unlink(missing_ok=True)
    return report


def run(kernel, only=None):
    """The reports of all cases, or of those named, in order."""
    return [run_case(kernel, name) for name in CASES if not only or name in only]
