# SPDX-License-Identifier: GPL-2.0-or-later
"""Every level and both formats: crashpod's dump of a saved vmcore beside makedumpfile's."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ground import forky, kernels, paths
from oracle import differ, difftools, pagediff
from oracle.pages import DumpError

from . import scenario

LEVELS = (0, 1, 2, 4, 8, 16, 31)
FORMATS = ("kdump", "elf")
OPTION = {"kdump": "-z", "elf": "-E"}
WHOSE = ("ours", "theirs")
# Two processors is what the tests ask of a machine.
WORKERS = 2
UNSEEN = "makedumpfile leaves out tails of slabs of this kernel"


@dataclass
class Report:
    """Everything found; tests are (name, why not or None)."""
    title: str
    tests: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    seconds: dict = field(default_factory=dict)

    def add(self, prefix, found):
        self.tests += [(f"{prefix}-{name}", why) for name, why in found]

    @property
    def passed(self):
        return bool(self.tests) and all(why is None for _, why in self.tests)


class Clock:
    """Adds up the seconds of each part, over all threads."""

    def __init__(self, seconds):
        self.seconds = seconds

    def run(self, name, function, *args):
        start = time.monotonic()
        try:
            return function(*args)
        finally:
            spent = time.monotonic() - start
            self.seconds[name] = round(self.seconds.get(name, 0) + spent, 2)


def make_dump(whose, fmt, level, vmcore, out):
    """One dump; GroundError with what the program said."""
    program = [paths.BUILD / "crashpod", "dump", "-q"]
    run = paths.run
    if whose == "theirs":
        program, run = ["makedumpfile"], forky.run
    run([*program, OPTION[fmt], "-d", level, vmcore, out])


class Matrix:
    """One vmcore."""

    def __init__(self, kernel, vmcore, where, tools, report):
        self.kernel, self.vmcore, self.where, self.tools = kernel, vmcore, where, tools
        self.report = report
        self.clock = Clock(report.seconds)
        self.pool = ThreadPoolExecutor(WORKERS)
        self.whole = {}
        self.unseen = False  # of the level at hand, from its kdump-compressed dumps

    def later(self, name, function, *args):
        """Start a part; a future."""
        return self.pool.submit(self.clock.run, name, function, *args)

    def path(self, whose, fmt, level):
        return self.where / f"{whose}-d{level}.{fmt}"

    def dumps(self, fmt, level):
        """Make both dumps; why it did not work, by test."""
        made = {}
        for whose in WHOSE:
            out = self.path(whose, fmt, level)
            made[whose] = self.later(f"dump {whose}", make_dump, whose, fmt, level, self.vmcore,
                                     out)
        found = []
        for whose, future in made.items():
            try:
                future.result()
            except paths.GroundError as e:
                found.append((f"dump-{whose}", str(e).replace("\n", " / ")))
        return found

    def tool_jobs(self, fmt, level):
        """Start the tools on both dumps."""
        jobs = {}
        for tool in self.tools:
            answer = difftools.TOOLS[tool][0]
            for whose in WHOSE:
                jobs[tool, whose] = self.later(tool, answer, self.kernel,
                                               self.path(whose, fmt, level),
                                               self.where / f"{tool}-{whose}-d{level}-{fmt}")
        for whose in WHOSE:
            jobs["command", whose] = self.later(
                "verify, info", difftools.command_answer, self.path(whose, fmt, level), fmt,
                level)
        return jobs

    def judge_tools(self, prefix, jobs, line):
        """What the tools showed of both dumps."""
        if line.format == "kdump":
            self.unseen = "unseen-tail" in line.more
        excused = UNSEEN if self.unseen else None
        for tool in self.tools:
            found, broken = difftools.judge(tool, self.kernel, self.whole[tool].result(),
                                            jobs[tool, "ours"].result(),
                                            jobs[tool, "theirs"].result(), excused)
            self.report.add(prefix, found)
            if broken:
                self.report.notes.append(f"{prefix}: {excused}: {broken}")
        for whose in WHOSE:
            self.report.add(prefix, [(f"verify-{whose}", jobs["command", whose].result())])

    def judge(self, fmt, level):
        """Both dumps of one format and level, which are there."""
        prefix = f"d{level}-{fmt}"
        ours, theirs = (self.path(whose, fmt, level) for whose in WHOSE)
        jobs = self.tool_jobs(fmt, level)
        kept = [self.path(whose, "kdump", level) for whose in WHOSE] if fmt == "elf" else ()
        diff = self.clock.run("pages", pagediff.compare, self.vmcore, ours, theirs, kept)
        line = self.clock.run("frames", differ.row, diff, self.kernel, self.vmcore, level,
                              self.where / f"frames-d{level}-{fmt}")
        self.report.rows.append(line)
        self.report.add(prefix, differ.judge_pages(diff))
        self.report.add(prefix, differ.judge_headers(self.vmcore, ours, theirs))
        if fmt == "elf":
            self.report.add(prefix, differ.judge_segments(diff))
        else:
            self.report.add(prefix, differ.judge_classes(line))
        self.judge_tools(prefix, jobs, line)

    def level(self, level, formats):
        """All of one level. The kdump-compressed dumps say what the ELF ones have to keep."""
        needed = sorted({"kdump", *formats}, key=FORMATS.index)
        for fmt in needed:
            failed = self.dumps(fmt, level)
            self.report.add(f"d{level}-{fmt}", failed)
            if not failed and fmt in formats:
                try:
                    self.judge(fmt, level)
                except DumpError as e:
                    self.report.add(f"d{level}-{fmt}", [("readable", str(e))])
        for fmt in needed:
            for whose in WHOSE:
                self.path(whose, fmt, level).unlink(missing_ok=True)

    def live(self, live):
        """crashpod's dump of /proc/vmcore itself: the same pages as of the copy."""
        out = self.path("ours", "kdump", 31)
        self.clock.run("dump ours", make_dump, "ours", "kdump", 31, self.vmcore, out)
        diff = self.clock.run("pages", pagediff.compare, self.vmcore, live, out)
        found = [(n, w) for n, w in differ.judge_pages(diff)]
        sides = [pagediff.few(diff[k]) for k in ("only_a", "only_b") if diff[k]["count"]]
        found.append(("same-frames", "the copy's dump differs: " + "; ".join(sides)
                      if sides else None))
        found += differ.judge_headers(self.vmcore, live, out)
        self.report.add("live", found)
        out.unlink()

    def run(self, levels, formats, live):
        start = time.monotonic()
        self.whole = {tool: self.later(tool, difftools.TOOLS[tool][0], self.kernel, self.vmcore,
                                       self.where / f"{tool}-vmcore") for tool in self.tools}
        for level in levels:
            self.level(level, formats)
        if live:
            self.live(live)
        self.pool.shutdown()
        for tool in self.tools:
            why = difftools.TOOLS[tool][1](self.kernel, self.whole[tool].result())
            self.report.add("vmcore", [(tool, why)])
        self.report.seconds["all"] = round(time.monotonic() - start, 1)


def _inside(vmcore, where):
    """The vmcore at a path that the forky root sees too."""
    vmcore = Path(vmcore).resolve()
    if vmcore.is_relative_to(paths.BUILD):
        return vmcore
    inside = where / "vmcore"
    shutil.copyfile(vmcore, inside)
    return inside


def run(kernel_name, profile, levels, formats, vmcore=None, tools=tuple(difftools.TOOLS)):
    """Judge one vmcore: the one given, or a rich guest's. Lost and GroundError pass through."""
    kernel, live = kernels.ensure(kernel_name), None
    if vmcore is None:
        from . import rich  # the guests take QEMU; a vmcore that is there does not
        guest = rich.make(kernel_name, profile)
        vmcore, live = guest.vmcore, guest.live
    if not Path(vmcore).exists():
        raise paths.GroundError(f"{vmcore} is not there")
    report = Report(f"{kernel_name}-{profile}")
    with scenario.workplace(f"matrix-{report.title}") as where:
        judge = Matrix(kernel, _inside(vmcore, where), where, tools, report)
        judge.run(levels, formats, live if 31 in levels else None)
    return report


def _classes(counts):
    return " ".join(f"{name}:{n}" for name, n in sorted(counts.items())) or "-"


def table(report):
    """Lines to print: the frames of each pair, and how they differ by class."""
    lines = [f"{'kernel-profile':22}{'level':>6} {'format':6}{'crashpod':>10}{'makedumpfile':>13}"
             f"{'unexplained':>12}  more by class | fewer by class"]
    for row in report.rows:
        lines.append(f"{report.title:22}{row.level:6} {row.format:6}{row.ours:10}{row.theirs:13}"
                     f"{len(row.unexplained):12}  {_classes(row.more)} | {_classes(row.fewer)}")
    return lines


def line(report):
    """The run in one line."""
    failed = sum(why is not None for _, why in report.tests)
    times = " ".join(f"{name} {value}" for name, value in report.seconds.items())
    return (f"{'fail' if failed or not report.tests else 'pass'}: matrix {report.title}: "
            f"{len(report.tests) - failed} passed, {failed} failed; seconds: {times}")
