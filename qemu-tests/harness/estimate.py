# SPDX-License-Identifier: GPL-2.0-or-later
"""`crashpod estimate` against what happens: its crashkernel= must capture, its sizes must be near.

A guest estimates itself and crashes, with room to spare; a second one is booted with the value that
the first one named, estimates itself as well and must be captured. Each dump is compared with what
was foretold for its level a moment before the crash.
"""

import json
from dataclasses import dataclass, field

from ground import kernels

from . import faultdisks, faultjudge, faultrun, faults_target

SPACIOUS_MIB = 256
DISK_MIB = 4096  # sparse
# How far a dump may be from what was foretold, either way; levels that keep free memory depend on
# pages that repeat, see docs/estimate.md.
SIZE_PERCENT = {31: 20}
SIZE_PERCENT_ELSE = 35
OVER_PERCENT = 15  # and the reservation above the smallest that captures

# What is freed is to be free, not to wait in a CPU's list for its next use: loading leaves 13 MB
# there, and whether they are still there at the crash a moment later is chance.
STILL = """fraction=/proc/sys/vm/percpu_pagelist_high_fraction
test ! -e $fraction || echo 100000 > $fraction
"""

ESTIMATE = """mkdir -p /mnt
mount -t ext4 /dev/vdb /mnt
cat > /etc/crashpod.conf <<END
{conf}
END
crashpod estimate --json --kernel /boot/{kernel} --initrd /boot/crashpod.img --cpus {cpus} \\
    > /test/out/estimate.json
crashpod estimate --kernel /boot/{kernel} --initrd /boot/crashpod.img --cpus {cpus} \\
    > /test/out/estimate.txt
umount /mnt
"""


@dataclass
class Setup:
    """floor_mib: the smallest crashkernel= that captures, by `run.py floor`; 0: unknown."""
    kernel: str = kernels.DEFAULT
    capture: object = None
    memory_mib: int = 4096
    levels: tuple = (31,)
    cpus: int = 1
    floor_mib: int = 0


@dataclass
class Row:
    """One crash. foretold and real are bytes of the dump."""
    level: int
    crashkernel_mib: int
    estimate_mib: int = 0
    foretold: int = 0
    real: int = 0
    seconds: tuple = (0.0, 0.0)
    tests: list = field(default_factory=list)
    text: str = ""

    @property
    def error(self):
        """Of the size, in percent of the real one."""
        return 100 * (self.foretold - self.real) / self.real if self.real else None


def _judge(row, run):
    path, record = faultjudge.captured(run)
    tree, _ = run.tree(0, "/test/out")
    found = json.loads((tree / "estimate.json").read_text(encoding="utf-8"))
    row.text = (tree / "estimate.txt").read_text(encoding="utf-8")
    level = next(item for item in found["levels"] if item["level"] == row.level)
    row.estimate_mib = found["crashkernel"]["mib"]
    row.foretold = level["bytes"]
    row.real = path.stat().st_size if path else 0
    row.seconds = (level["seconds"], record.get("dump", {}).get("seconds", {}).get("total", 0))
    run.add("by-kpageflags", None if found["pages"]["source"] == "/proc/kpageflags" else
            f"{found['pages']}")
    run.add("sampled", None if found["pages"]["sampled"] > 1000 else f"{found['notes']}")
    run.add("target", None if found["targets"][0].get("enough") else f"{found['targets']}")
    if row.real:
        most = SIZE_PERCENT.get(row.level, SIZE_PERCENT_ELSE)
        run.add("size", None if abs(row.error) <= most else
                f"{row.foretold} bytes foretold, {row.real} written: {row.error:+.1f}%")


def crash(setup, level, crashkernel_mib):
    """One guest: estimates, crashes, is judged. Lost and GroundError pass through."""
    row = Row(level, crashkernel_mib)
    conf = faults_target.target(1, f"dump_level {level}")
    case = faultrun.Case(
        f"estimate-{level}-{crashkernel_mib}M", "", conf, lambda run: _judge(row, run),
        faultdisks.ext4(1, mib=DISK_MIB), memory_mib=setup.memory_mib,
        crashkernel=f"{crashkernel_mib}M", cpus=max(setup.cpus, 1), capture_cpus=setup.cpus,
        capture=setup.capture, limit_s=300,
        production=STILL,
        loaded=ESTIMATE.format(conf="\n".join(conf), cpus=setup.cpus,
                               kernel="capture" if setup.capture else "vmlinuz"))
    run = faultrun.run(case, setup.kernel)
    row.tests = run.tests
    return row


def run(setup, say=print):
    """Rows of crashes at the estimated value, one for each level; the first one estimates."""
    first = crash(setup, setup.levels[0], SPACIOUS_MIB)
    rows = [first]
    say(first.text, flush=True)
    for level in setup.levels:
        rows.append(crash(setup, level, first.estimate_mib))
    if setup.floor_mib:
        over = 100 * (first.estimate_mib - setup.floor_mib) / setup.floor_mib
        rows[0].tests.append(("crashkernel", None if 0 <= over <= OVER_PERCENT else
                              f"{first.estimate_mib}M is {over:+.1f}% of {setup.floor_mib}M"))
    return rows


def line(setup, row):
    """A row as docs/estimate.md has it."""
    by = setup.capture.name if setup.capture else "itself"
    error = "-" if row.error is None else f"{row.error:+.1f}%"
    return (f"| {setup.kernel}, {setup.memory_mib >> 10} GiB | {by} | {row.crashkernel_mib}M | "
            f"{row.level} | {row.foretold / 1e6:.1f} | {row.real / 1e6:.1f} | {error} | "
            f"{row.seconds[0]:.1f} | {row.seconds[1]:.1f} |")


HEAD = ("| guest | captured by | crashkernel= | level | foretold MB | written MB | error | "
        "foretold s | took s |\n|---|---|---|---|---|---|---|---|---|")
