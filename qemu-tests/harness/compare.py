# SPDX-License-Identifier: GPL-2.0-or-later
"""crashpod beside makedumpfile: one crash, one capture kernel, one /proc/vmcore, one disk.

Each collector runs alone, from dropped caches to a finished sync, and its dump is judged page by
page before its figures are shown.
"""

import re
from dataclasses import dataclass, field

from ground import kernels, paths
from oracle import compare as pages
from oracle import planted, ram, reference
from oracle.pages import DumpError

from . import image, scenario
from .vm import Memory

# name: program, options. LEVEL is put in.
COLLECTORS = {
    "makedumpfile-z": ("makedumpfile", "-z -d LEVEL"),
    "makedumpfile-c": ("makedumpfile", "-c -d LEVEL"),
    "makedumpfile-l": ("makedumpfile", "-l -d LEVEL"),
    "makedumpfile-E": ("makedumpfile", "-E -d LEVEL"),
    "crashpod-z": ("crashpod dump", "-q -z -d LEVEL"),
    "crashpod-c": ("crashpod dump", "-q -c -d LEVEL"),
    "crashpod-E": ("crashpod dump", "-q -E -d LEVEL"),
}
# The page reader knows no lzo: this one's figures are shown, and that its pages were not read.
UNREAD = ("makedumpfile-l",)
# busybox time -v: one figure a line.
PEAK = re.compile(r"Maximum resident set size \(kbytes\): (\d+)")
USER = re.compile(r"(?:User|System) time \(seconds\): ([\d.]+)")

CAPTURE = """set -u
out=/target/var/crash
collect()
{
	name=$1
	shift
	sync
	echo 3 > /proc/sys/vm/drop_caches
	start=$(cut -d' ' -f1 /proc/uptime)
	time -v "$@" /proc/vmcore "$out/$name" > "$out/$name.log" 2>&1
	rc=$?
	sync
	end=$(cut -d' ' -f1 /proc/uptime)
	echo "$name $rc $start $end" >> "$out/times"
}
"""


@dataclass
class Row:
    """One collector's figures."""
    name: str
    rc: int
    seconds: float
    cpu_s: float = 0
    peak_kib: int = 0
    size: int = 0
    why: list = field(default_factory=list)
    frames: set = field(default_factory=set)


def _capture(names, level):
    lines = [CAPTURE]
    for name in names:
        program, options = COLLECTORS[name]
        lines.append(f"collect {name} {program} {options.replace('LEVEL', str(level))}\n")
    return "".join(lines)


def _plan(kernel, where, names, level, memory_mib, cpus):
    files = image.with_libraries("makedumpfile")
    if any(n.startswith("crashpod") for n in names):
        files.append(("bin/crashpod", paths.BUILD / "crashpod"))
    files += [("bin/makedumpfile", files[0][1])]
    capture = image.busybox_initramfs(kernel, "capture-init.sh", where / "capture.cpio",
                                      files=files[1:],
                                      texts=[("capture", _capture(names, level))])
    load = scenario.kexec_load()
    per_dump = memory_mib + 256 if level < 8 else memory_mib // 4 + 256
    return scenario.Plan(kernel, where, load=load, memory_mib=memory_mib, cpus=cpus,
                         crashkernel="256M", disk_mib=512 + len(names) * per_dump,
                         files=[*scenario.kexec_files(), ("boot/capture", capture)], limit_s=900)


def _figures(outcome, name, rc, start, end):
    row = Row(name, int(rc), round(float(end) - float(start), 2))
    text = (outcome.crash_dir / f"{name}.log").read_text(errors="replace")
    row.cpu_s = sum(map(float, USER.findall(text)))
    peak = PEAK.search(text)
    row.peak_kib = int(peak[1]) if peak else 0
    dump = outcome.crash_dir / name
    row.size = dump.stat().st_size if dump.exists() else 0
    if row.rc != 0:
        row.why.append(f"exit {rc}: {text.strip().splitlines()[0] if text.strip() else ''}")
    return row, dump


def _judge(row, dump, outcome, level, memory_mib):
    manifest = planted.read_manifest(outcome.out)
    wanted = {pa for _, _, pa in manifest if pa is not None}
    iomem = (outcome.out / "iomem").read_text(encoding="ascii")
    try:
        opened = pages.open_dump(dump)
        found = pages.compare(opened, outcome.snapshot, Memory(memory_mib << 20),
                              ram.dumpable(iomem), wanted)
    except (DumpError, OSError, ValueError) as e:
        row.why.append(str(e))
        return
    row.frames = found.frames
    merged = not hasattr(opened, "dumped")
    if merged:
        lost = reference.settle(found, opened, outcome.snapshot, Memory(memory_mib << 20), iomem,
                                level)
        if lost:
            row.why.append(f"{len(lost)} frames are left out")
    if found.differing or found.missing or found.outside:
        row.why.append(f"{len(found.differing)} pages differ, {found.missing} are missing")
    why = planted.judge(manifest, outcome.seed, level, found.pages.get, merged)
    row.why += [f"{name}: {text}" for name, text in why.items()]


def run(kernel_name, level, memory_mib, cpus, names=None):
    """Rows of the table, in the order the collectors ran."""
    kernel = kernels.ensure(kernel_name)
    if names is None:
        have = (paths.BUILD / "crashpod").exists()
        names = [n for n in COLLECTORS if have or not n.startswith("crashpod")]
    rows = []
    with scenario.workplace(f"compare-{kernel_name}-d{level}-{memory_mib}M") as where:
        plan = _plan(kernel, where, names, level, memory_mib, cpus)
        outcome = scenario.run(plan, snapshot=where / "snapshot")
        times = outcome.crash_dir / "times"
        if not times.exists():
            raise paths.GroundError(f"the capture kernel timed nothing; see {where}/console.log")
        for line in times.read_text(encoding="ascii").splitlines():
            row, dump = _figures(outcome, *line.split())
            if name_is_read(row.name):
                _judge(row, dump, outcome, level, memory_mib)
            rows.append(row)
        (where / "snapshot").unlink()
    return rows


def name_is_read(name):
    """True where the pages of a collector's dump are compared."""
    return name not in UNREAD


def counterpart(row, rows):
    """makedumpfile's row of the same format, where there is one."""
    wanted = ("makedumpfile-E",) if row.name.endswith("-E") else ("makedumpfile-z", "makedumpfile-c")
    return next((r for r in rows if r.name in wanted and r.frames), None)


def agreement(row, rows):
    """How the pages kept differ from makedumpfile's, as "+more -fewer"."""
    other = counterpart(row, rows)
    if other is None or not row.frames:
        return "?"
    return f"+{len(row.frames - other.frames)} -{len(other.frames - row.frames)}"


def table(rows):
    """Lines to print. The last but one column: pages kept that makedumpfile does not, and not."""
    lines = [f"{'collector':16}{'seconds':>9}{'cpu s':>8}{'size MB':>10}{'peak MiB':>10}"
             f"{'pages':>10}{'vs mdf':>14}  judged"]
    for row in rows:
        good = "every page as in memory" if name_is_read(row.name) else "pages not read (lzo)"
        lines.append(f"{row.name:16}{row.seconds:9.2f}{row.cpu_s:8.2f}{row.size / 1e6:10.1f}"
                     f"{row.peak_kib / 1024:10.1f}{len(row.frames):10}{agreement(row, rows):>14}"
                     f"  {'; '.join(row.why) or good}")
    return lines
