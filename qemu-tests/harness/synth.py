# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps of machines of any size: time for each TiB and memory must not grow with RAM."""

import json
import time
from dataclasses import dataclass, field

from ground import paths

from . import hugecore, scenario

BLOCK = 4 * hugecore.MIB
PER_BLOCK, BESIDES = 4, hugecore.MIB  # bytes of memory that a larger machine may take
WHOLE_MAX = 128 * hugecore.GIB  # with the memory map in the dump: 1/64 of RAM
CRASHPOD = paths.BUILD / "crashpod"


@dataclass
class Result:
    """One dump of one machine."""
    ram: int
    vmemmap: bool  # the memory map is in the dump
    stats: dict
    size: int
    disk: int
    read: float  # seconds to read the memory map once
    problems: list = field(default_factory=list)

    @property
    def classify(self):
        return self.stats["seconds"]["classify"]

    @property
    def total(self):
        return self.stats["seconds"]["total"]


def _judge(result, kept, out):
    """What is wrong with the dump, by what the generator knows and what verify says."""
    pages = result.stats["pages"]
    wanted = {"ram": kept.ram, "free": kept.free, "unknown": 0, "no_memmap": 0, "unreadable": 0,
              "dumped": kept.dumped if result.vmemmap else kept.dumped_e}
    result.problems += [f"{pages[name]} pages {name}, not {n}" for name, n in wanted.items()
                        if pages[name] != n]
    try:
        said = paths.run([CRASHPOD, "verify", out])
        if ": sound: " not in said:
            result.problems.append(said.strip())
    except paths.GroundError as e:
        result.problems.append(str(e))


def _dump(where, ram, kept, vmemmap):
    """Dumps the machine whose vmcore is there, and judges that."""
    vmcore, out, stats = where / "vmcore", where / "out", where / "stats"
    # before each dump, so that both are measured while the machine is as busy
    start = time.monotonic()
    hugecore.read_map(vmcore, ram)
    read = time.monotonic() - start
    paths.run([CRASHPOD, "dump", "-q", "-d", "31", "-j", "1", *([] if vmemmap else ["-e"]),
               "--stats", stats, vmcore, out])
    result = Result(ram, vmemmap, json.loads(stats.read_text(encoding="utf-8")),
                    out.stat().st_size, out.stat().st_blocks * 512, read)
    _judge(result, kept, out)
    out.unlink()
    return result


def _judge_memory(results):
    """No dump may take more memory than the smallest machine's but for its blocks."""
    for r in results:
        first = next(x for x in results if x.vmemmap == r.vmemmap)
        grown = 1024 * (r.stats["peak_rss_kib"] - first.stats["peak_rss_kib"])
        room = (r.ram - first.ram) // BLOCK * PER_BLOCK + BESIDES
        if grown > room:
            r.problems.append(f"{grown >> 10} KiB more than at {size(first.ram)}, "
                              f"wanted at most {room >> 10}")


def run(sizes, show):
    """A Result for each dump, in ascending order of RAM; show is called with each."""
    results = []
    with scenario.workplace("synth") as where:
        for ram in sorted(sizes):
            kept = hugecore.write(where / "vmcore", ram)
            for vmemmap in (True, False) if ram <= WHOLE_MAX else (False,):
                results.append(_dump(where, ram, kept, vmemmap))
                show(results[-1])
            (where / "vmcore").unlink()
    _judge_memory(results)
    return results


def size(n):
    """Bytes as 64G or 24T."""
    return f"{n // hugecore.TIB}T" if n % hugecore.TIB == 0 else f"{n // hugecore.GIB}G"


HEAD = (f"{'ram':>5} {'':3}{'classify':>9}{'write':>9}{'total':>9}{'s/TiB':>8}{'read once':>11}"
        f"{'ratio':>7}{'peak KiB':>10}{'size MB':>9}{'on disk':>9}")


def line(r):
    """A line below HEAD."""
    return (f"{size(r.ram):>5} {'' if r.vmemmap else '-e':3}{r.classify:9.2f}"
            f"{r.stats['seconds']['write']:9.2f}{r.total:9.2f}"
            f"{r.total * hugecore.TIB / r.ram:8.2f}{r.read:11.2f}{r.classify / r.read:7.2f}"
            f"{r.stats['peak_rss_kib']:10}{r.size / 1e6:9.1f}{r.disk / 1e6:9.1f}")
