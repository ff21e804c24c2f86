# SPDX-License-Identifier: GPL-2.0-or-later
"""crashpod beside makedumpfile: one crash, one capture kernel, one /proc/vmcore, one disk.

Each collector runs alone, from dropped caches to a finished sync, all of them round after round;
its last dump is judged page by page before its figures are shown.
"""

import re
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from ground import kernels, paths

from . import image, scenario, verdict


PLAIN = ("makedumpfile-z", "makedumpfile-c")


@dataclass(frozen=True)
class Collector:
    """A program and its options. beside: whose dump has to have the same pages."""
    program: str
    options: str
    beside: tuple = ()

    @property
    def read(self):
        """True where the pages of its dump are compared: the page reader knows no lzo."""
        return "-l" not in self.options.split()

    @property
    def elf(self):
        return "-E" in self.options.split()

    @property
    def excludes(self):
        """True where it leaves out memory map."""
        return "-e" in self.options.split()

    @property
    def plain(self):
        """True where the dump is to have every page that the level keeps, and says which."""
        return self.beside is PLAIN


# As PID 1 writes: a page cache that fills up is what a small kernel can do without.
MAKEDUMPFILE, CRASHPOD = "makedumpfile", "crashpod dump -q --direct"
WORK = "/target/var/crash/work"
EXCLUDED, ELF = ("makedumpfile-ze",), ("makedumpfile-E",)
COLLECTORS = {
    "makedumpfile-z": Collector(MAKEDUMPFILE, "-z", PLAIN),
    "makedumpfile-c": Collector(MAKEDUMPFILE, "-c", PLAIN),
    "makedumpfile-l": Collector(MAKEDUMPFILE, "-l"),
    "makedumpfile-ze": Collector(MAKEDUMPFILE, f"-z -e --work-dir {WORK}", EXCLUDED),
    "makedumpfile-E": Collector(MAKEDUMPFILE, "-E", ELF),
    "crashpod-z": Collector(CRASHPOD, "-z", PLAIN),
    "crashpod-z-1": Collector(CRASHPOD, "-z-1", PLAIN),
    "crashpod-z-1e": Collector(CRASHPOD, "-z-1 -e", EXCLUDED),
    "crashpod-z-3e": Collector(CRASHPOD, "-z-3 -e", EXCLUDED),
    "crashpod-z-5e": Collector(CRASHPOD, "-z-5 -e", EXCLUDED),
    "crashpod-c": Collector(CRASHPOD, "-c", PLAIN),
    "crashpod-ze": Collector(CRASHPOD, "-z -e", EXCLUDED),
    "crashpod-E": Collector(CRASHPOD, "-E", ELF),
}
# What a guest that is judged by the dumps is worth by default: zlib and ELF take their time there.
IDLE = ("makedumpfile-z", "makedumpfile-l", "makedumpfile-ze", "crashpod-z", "crashpod-z-1",
        "crashpod-ze", "crashpod-z-1e", "crashpod-z-3e")
# The most memory that is copied to judge the dumps by.
COPIED_MIB = 4096
# busybox time -v: one figure a line.
PEAK = re.compile(r"Maximum resident set size \(kbytes\): (\d+)")
USER = re.compile(r"(?:User|System) time \(seconds\): ([\d.]+)")

CAPTURE = """set -u
out=/target/var/crash
mkdir -p WORK
collect()
{
	name=$1
	shift
	rm -f "$out/$name"
	sync
	echo 3 > /proc/sys/vm/drop_caches
	start=$(cut -d' ' -f1 /proc/uptime)
	time -v "$@" /proc/vmcore "$out/$name" > "$out/$name.$turn.log" 2>&1
	rc=$?
	sync
	end=$(cut -d' ' -f1 /proc/uptime)
	echo "$name $turn $rc $start $end" >> "$out/times"
}
"""


@dataclass
class Setup:
    """What is compared. judge: "memory", a copy of the guest's, "dumps", each other, or None: the
    copy where it is not too large."""
    kernel: str = kernels.DEFAULT
    level: int = 31
    memory_mib: int = 2048
    cpus: int = 2
    names: tuple = ()
    runs: int = 1
    judge: str = None
    guest_cpu: str = "max"

    def __post_init__(self):
        if self.judge is None:
            self.judge = "memory" if self.memory_mib <= COPIED_MIB else "dumps"
        if not self.names:
            have = (paths.BUILD / "crashpod").exists()
            self.names = [n for n in (IDLE if self.idle else COLLECTORS)
                          if have or not n.startswith("crashpod")]

    @property
    def idle(self):
        return self.judge == "dumps"

    def title(self):
        return f"{self.kernel}-d{self.level}-{self.memory_mib}M"


@dataclass
class Row:
    """One collector's figures of all rounds, and what was found in its last dump."""
    name: str
    dump: Path
    wall: list = field(default_factory=list)
    cpu: list = field(default_factory=list)
    peak_kib: int = 0
    size: int = 0
    pages: int = 0
    versus: str = "?"
    why: list = field(default_factory=list)
    good: str = ""

    @property
    def seconds(self):
        return statistics.median(self.wall)

    @property
    def cpu_s(self):
        return statistics.median(self.cpu)

    @property
    def collector(self):
        return COLLECTORS[self.name]


def _capture(setup):
    lines = [CAPTURE.replace("WORK", WORK),
             f"for turn in {' '.join(str(n) for n in range(1, setup.runs + 1))}; do\n"]
    for name in setup.names:
        c = COLLECTORS[name]
        lines.append(f"\tcollect {name} {c.program} {c.options} -d {setup.level}\n")
    return "".join([*lines, "done\n"])


def _disk_mib(setup):
    """Room for all dumps. The memory map is a 64th of the memory, and most of an idle guest's."""
    if setup.level < 8:
        each = setup.memory_mib + 256
    elif setup.idle and setup.level & 16:
        each = setup.memory_mib // 32 + 512
    else:
        each = setup.memory_mib // 4 + 256
    return 512 + len(setup.names) * each


def _plan(kernel, where, setup):
    files = image.with_libraries("makedumpfile")
    files += [("bin/makedumpfile", files[0][1])]
    if any(n.startswith("crashpod") for n in setup.names):
        files.append(("bin/crashpod", paths.BUILD / "crashpod"))
    capture = image.busybox_initramfs(kernel, "capture-init.sh", where / "capture.cpio",
                                      files=files[1:], texts=[("capture", _capture(setup))])
    each_s = 60 + 6 * (setup.memory_mib >> 10)
    return scenario.Plan(kernel, where, load=scenario.kexec_load(), memory_mib=setup.memory_mib,
                         cpus=setup.cpus, cpu=setup.guest_cpu, crashkernel="256M",
                         disk_mib=_disk_mib(setup), idle=setup.idle,
                         files=[*scenario.kexec_files(), ("boot/capture", capture)],
                         limit_s=600 + each_s * setup.runs * len(setup.names))


def _see_room(memory_mib):
    """An idle guest touches its memory map, and little else."""
    with open("/proc/meminfo", encoding="ascii") as f:
        have = int(re.search(r"MemAvailable: *(\d+)", f.read())[1]) >> 10
    need = memory_mib // 64 + 1536
    if have < need:
        raise paths.GroundError(f"{memory_mib} MiB need {need} MiB of the host, {have} are there")


def _figures(outcome, rows, name, turn, rc, start, end):
    """Add one run's figures to its collector's row."""
    dump = outcome.crash_dir / name
    row = rows.setdefault(name, Row(name, dump))
    text = (outcome.crash_dir / f"{name}.{turn}.log").read_text(errors="replace")
    peak = PEAK.search(text)
    row.wall.append(round(float(end) - float(start), 2))
    row.cpu.append(sum(map(float, USER.findall(text))))
    row.peak_kib = max(row.peak_kib, int(peak[1]) if peak else 0)
    row.size = dump.stat().st_size if dump.exists() else 0
    if rc != "0":
        row.why.append(f"exit {rc}: {text.strip().splitlines()[0] if text.strip() else ''}")


def run(setup):
    """Rows of the table, in the order the collectors ran."""
    kernel = kernels.ensure(setup.kernel)
    rows = {}
    if setup.idle:
        _see_room(setup.memory_mib)
    with scenario.workplace(f"compare-{setup.title()}") as where:
        snapshot = None if setup.idle else where / "snapshot"
        outcome = scenario.run(_plan(kernel, where, setup), snapshot=snapshot)
        times = outcome.crash_dir / "times"
        if not times.exists():
            raise paths.GroundError(f"the capture kernel timed nothing; see {where}/console.log")
        for line in times.read_text(encoding="ascii").splitlines():
            _figures(outcome, rows, *line.split())
        rows = list(rows.values())
        if setup.idle:
            verdict.by_dumps(rows)
        else:
            verdict.by_memory(rows, outcome, setup)
            snapshot.unlink()
    return rows


def _ratio(row, rows, name):
    """How many times as fast as another collector."""
    other = next((r for r in rows if r.name == name), None)
    return f"{other.seconds / row.seconds:.2f}x" if other and row.seconds else "-"


def table(rows):
    """Lines to print. vs mdf: pages kept that makedumpfile does not keep, and the other way."""
    lines = [f"{'collector':16}{'seconds':>9}{'cpu s':>8}{'size MB':>10}{'peak MiB':>10}"
             f"{'to -z':>8}{'to -l':>8}{'pages':>10}{'vs mdf':>14}  judged"]
    for row in rows:
        lines.append(f"{row.name:16}{row.seconds:9.2f}{row.cpu_s:8.2f}{row.size / 1e6:10.1f}"
                     f"{row.peak_kib / 1024:10.1f}{_ratio(row, rows, 'makedumpfile-z'):>8}"
                     f"{_ratio(row, rows, 'makedumpfile-l'):>8}{row.pages:10}{row.versus:>14}"
                     f"  {'; '.join(row.why) or row.good}")
    return lines
