# SPDX-License-Identifier: GPL-2.0-or-later
"""crashpod beside makedumpfile on one vmcore in the page cache: wall and CPU seconds, sizes, peaks.

All commands of the table take turns, round after round, so that a machine whose speed drifts is
slow for both sides; what is compared are the medians. Nobody syncs: makedumpfile cannot.
"""

import os
import re
import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass, field

from ground import forky, paths

from . import scenario

MAKEDUMPFILE = {
    "mdf -z -d31": "-z -d 31",
    "mdf -z -d31 2t": "-z -d 31 --num-threads 2",
    "mdf -l -d31": "-l -d 31",
    "mdf -c -d31": "-c -d 31",
    "mdf -z -d1": "-z -d 1",
    "mdf -E -d31": "-E -d 31",
    "mdf -E -d0": "-E -d 0",
}
CRASHPOD = {
    "-z -d31 1t": "-z -d 31 -j 1",
    "-z -d31 2t": "-z -d 31 -j 2",
    "-z-1 -d31 1t": "-z-1 -d 31 -j 1",
    "-z-1 -d31 2t": "-z-1 -d 31 -j 2",
    "-z -d1 2t": "-z -d 1 -j 2",
    "-z-1 -d1 2t": "-z-1 -d 1 -j 2",
    "-z-2 -d1 2t": "-z-2 -d 1 -j 2",
    "-c -d31 1t": "-c -d 31 -j 1",
    "-E -d31 1t": "-E -d 31 -j 1",
    "-E -d31 2t": "-E -d 31 -j 2",
    "-E -d0 2t": "-E -d 0 -j 2",
}
COPY = "cp"
TRIES = 3


@dataclass(frozen=True)
class Goal:
    """A line of the table: how many times as fast as the best of others, at a size of at most so
    many times the first one's."""
    ours: str
    others: tuple
    ratio: float
    size: float = None


GOALS = (
    Goal("-z -d31 1t", ("mdf -z -d31",), 1.3, 1.02),
    Goal("-z-1 -d31 1t", ("mdf -z -d31",), 1.9, 1.12),
    Goal("-z -d31 2t", ("mdf -z -d31", "mdf -z -d31 2t"), 2.6, 1.02),
    Goal("-z-1 -d31 2t", ("mdf -z -d31", "mdf -z -d31 2t"), 3.8, 1.12),
    Goal("-z -d1 2t", ("mdf -z -d1",), 2.4, 1.02),
    Goal("-z-1 -d1 2t", ("mdf -z -d1",), 2.4, 1.02),
    Goal("-z-2 -d1 2t", ("mdf -z -d1",), 3.2, 1.12),
    Goal("-c -d31 1t", ("mdf -c -d31",), 1.0, 1.02),
    Goal("-E -d31 1t", ("mdf -E -d31",), 3.0),
    Goal("-E -d31 2t", ("mdf -E -d31",), 3.0),
    Goal("-E -d0 2t", ("mdf -E -d0",), 1.5),
    Goal("-E -d0 2t", (COPY,), 1 / 1.2),
)


@dataclass
class Figures:
    """All runs of one command."""
    wall: list = field(default_factory=list)
    cpu: list = field(default_factory=list)
    peak_kib: int = 0
    size: int = 0
    failed: int = 0  # runs that gave no dump

    @property
    def median(self):
        return statistics.median(self.wall)


def _outside(program):
    """A program of the forky root, started without entering it, which would take time too."""
    libraries = forky.ROOT / "usr/lib/x86_64-linux-gnu"
    return [forky.ROOT / "usr/lib64/ld-linux-x86-64.so.2", "--library-path", libraries,
            forky.tool(program)]


def commands(vmcore, out, names=None):
    """{name: argv} of everything that is measured."""
    made = {}
    for name, options in MAKEDUMPFILE.items():
        made[name] = [*_outside("makedumpfile"), *options.split(), vmcore, out]
    for name, options in CRASHPOD.items():
        made[name] = [paths.BUILD / "crashpod", "dump", "-q", *options.split(), vmcore, out]
    made[COPY] = ["/bin/cp", vmcore, out]
    return {name: argv for name, argv in made.items() if not names or name in names}


# busybox time -v, started from a small process: a program inherits the peak of who starts it.
PEAK = re.compile(r"Maximum resident set size \(kbytes\): (\d+)")


def warm_up(argv, out, figures):
    """One run that is not counted; it tells the peak of memory."""
    out.unlink(missing_ok=True)
    said = paths.run([forky.tool("busybox"), "time", "-v", *argv])
    figures.peak_kib = int(PEAK.search(said)[1])


def measure(argv, out, figures):
    """One run of one command, which writes out."""
    out.unlink(missing_ok=True)
    argv = [str(a) for a in argv]
    start = time.monotonic()
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    if process.returncode:
        raise paths.GroundError(f"{' '.join(argv)}: exit {process.returncode}")
    figures.wall.append(wall)
    figures.cpu.append(usage.ru_utime + usage.ru_stime)
    figures.size = out.stat().st_size


def again(once, argv, out, figures):
    """Run once() until it gives a dump: makedumpfile's threads abort it now and then."""
    for _ in range(TRIES - 1):
        try:
            return once(argv, out, figures)
        except paths.GroundError:
            figures.failed += 1
    return once(argv, out, figures)


def run(vmcore, runs, names=None):
    """{name: Figures} after a warm-up that is not counted."""
    with scenario.workplace("bench") as where:
        out = where / "out"
        with open(vmcore, "rb") as f:
            while f.read(1 << 22):
                pass
        todo = commands(vmcore, out, names)
        found = {name: Figures() for name in todo}
        for name, argv in todo.items():
            again(warm_up, argv, out, found[name])
        for _ in range(runs):
            for name, argv in todo.items():
                again(measure, argv, out, found[name])
        shutil.rmtree(where)
    return found


def table(found):
    """Lines: each command's figures, then each goal's ratio."""
    lines = [f"{'command':16}{'wall s':>9}{'min':>8}{'max':>8}{'cpu s':>8}{'size MB':>10}"
             f"{'peak MiB':>10}"]
    for name, f in found.items():
        lines.append(f"{name:16}{f.median:9.3f}{min(f.wall):8.3f}{max(f.wall):8.3f}"
                     f"{statistics.median(f.cpu):8.3f}{f.size / 1e6:10.2f}"
                     f"{f.peak_kib / 1024:10.1f}")
    lines += [f"{name}: {f.failed} more runs gave no dump" for name, f in found.items() if f.failed]
    lines += ["", f"{'work':16}{'beside':18}{'times as fast':>14}{'goal':>7}{'size':>8}"
              f"{'at most':>9}"]
    for g in GOALS:
        if g.ours not in found or not all(o in found for o in g.others):
            continue
        best = min(g.others, key=lambda name: found[name].median)
        ratio = found[best].median / found[g.ours].median
        size = found[g.ours].size / found[g.others[0]].size
        met = ratio >= g.ratio and (g.size is None or size <= g.size)
        lines.append(f"{g.ours:16}{best:18}{ratio:13.2f}x{g.ratio:6.2f}x{size:8.3f}"
                     f"{g.size if g.size else '-':>9}  {'met' if met else 'missed'}")
    return lines
