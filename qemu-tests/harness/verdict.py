# SPDX-License-Identifier: GPL-2.0-or-later
"""What is right and wrong with the dumps of one crash: by a copy of the guest's memory, or, where
there can be none, by each other. Fills in pages, versus, why and good of compare's rows."""

import subprocess

from ground import paths
from oracle import compare as pages
from oracle import memmap, pagediff, planted, ram, reference
from oracle.pages import DumpError

from .vm import Memory

UNREAD = "pages not read (lzo)"
# Sets of pagediff that must be empty; an ELF dump has pages between those kept, and no bitmaps.
WRONG_ELF = (("differ", "other bytes"), ("missing", "no page behind a descriptor"),
             ("broken", "broken pages"), ("lost", "kept, but not as in the other dump"))
WRONG = (*WRONG_ELF[:3], ("foreign", "pages too many"), ("ram_more", "RAM that is none"),
         ("ram_less", "RAM left out"))


def _readable(rows):
    """The rows whose dumps are there and can be read; says of the others why they are not."""
    for row in rows:
        if not row.collector.read:
            row.good = UNREAD
    return [row for row in rows if row.collector.read and not row.why]


def _verify(row):
    """crashpod's own opinion of its dump."""
    if row.name.startswith("crashpod"):
        done = subprocess.run([paths.BUILD / "crashpod", "verify", row.dump], check=False,
                              capture_output=True, text=True, errors="replace")
        if done.returncode != 0:
            row.why.append(f"verify: {(done.stdout + done.stderr).strip()[-200:]}")


def _counterpart(row, rows):
    """makedumpfile's row that has to have the same pages, where there is one."""
    return next((r for name in row.collector.beside for r in rows if r.name == name), None)


def _judge_excluded(row, known, left_out):
    """What -e leaves out is memory map of what the level leaves out."""
    try:
        why = memmap.wrongly_left_out(known.dump, left_out)
    except DumpError as e:
        why = f"the memory map of {known.name}: {e}"
    if why:
        row.why.append(why)
    row.good += f", but for {len(left_out)} of the memory map"


def _judge_memory(row, outcome, setup):
    """One dump beside the guest's memory; gives the frames that it has."""
    manifest = planted.read_manifest(outcome.out)
    wanted = {pa for _, _, pa in manifest if pa is not None}
    iomem = (outcome.out / "iomem").read_text(encoding="ascii")
    memory = Memory(setup.memory_mib << 20)
    opened = pages.open_dump(row.dump)
    found = pages.compare(opened, outcome.snapshot, memory, ram.dumpable(iomem), wanted)
    merged = not hasattr(opened, "dumped")
    if merged:
        lost = reference.settle(found, opened, outcome.snapshot, memory, iomem, setup.level)
        if lost:
            row.why.append(f"{len(lost)} frames are left out")
    if found.differing or found.missing or found.outside:
        row.why.append(f"{len(found.differing)} pages differ, {found.missing} are missing")
    why = planted.judge(manifest, outcome.seed, setup.level, found.pages.get, merged)
    row.why += [f"{name}: {text}" for name, text in why.items()]
    return found.frames


def by_memory(rows, outcome, setup):
    """Every page is as QEMU had it when the capture kernel came up."""
    readable = _readable(rows)
    frames = {}
    for row in readable:
        row.good = "every page as in memory"
        try:
            frames[row.name] = _judge_memory(row, outcome, setup)
        except (DumpError, OSError, ValueError) as e:
            row.why.append(str(e))
            continue
        row.pages = len(frames[row.name])
        _verify(row)
    known = next((row for row in readable if row.collector.plain and row.name in frames), None)
    for row in readable:
        if known and row.collector.excludes and row.name in frames:
            _judge_excluded(row, known, frames[known.name] - frames[row.name])
        other = _counterpart(row, readable)
        if other and row.name in frames and other.name in frames:
            ours, theirs = frames[row.name], frames[other.name]
            row.versus = f"+{len(ours - theirs)} -{len(theirs - ours)}"


def _judge_dump(row, known, other):
    """One dump beside the one that is known; other is its counterpart or None."""
    kind = row.collector
    diff = pagediff.compare(known.dump, row.dump, (other or row).dump,
                            (known.dump, known.dump) if kind.elf else ())
    dump = diff["a"]
    row.pages = dump["in"]["count"]
    row.why += [f"{what}: {pagediff.few(dump[name])} {dump['why_broken']}".strip()
                for name, what in (WRONG_ELF if kind.elf else WRONG) if dump[name]["count"]]
    if not dump["complete"] or not row.pages:
        row.why.append("marked incomplete" if row.pages else "no pages at all")
    row.good = "every page can be read" if row is known else f"pages as in {known.name}"
    if kind.excludes:
        whole = pagediff.compare(known.dump, row.dump, known.dump)
        _judge_excluded(row, known, pagediff.pfns(whole["only_b"]))
    if other is None:
        return
    for what, sign, found in (("more", "+", diff["only_a"]), ("fewer", "-", diff["only_b"])):
        row.versus = f"{'' if sign == '+' else row.versus + ' '}{sign}{found['count']}"
        # Which of the pages left out are there all the same is a matter of taste elsewhere.
        if kind.plain and found["count"]:
            row.why.append(f"{what} than {other.name}: {pagediff.few(found)}")


def by_dumps(rows):
    """The dumps say the same of each page that the first plain one has; that is makedumpfile's,
    where it took part."""
    readable = _readable(rows)
    known = next((row for row in readable if row.collector.plain), None)
    for row in sorted(readable, key=lambda r: r is not known):
        if known is None:
            row.good = "nothing to compare with"
        else:
            try:
                _judge_dump(row, known, _counterpart(row, readable))
            except DumpError as e:
                row.why.append(str(e))
        _verify(row)
