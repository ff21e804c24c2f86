# SPDX-License-Identifier: GPL-2.0-or-later
"""What every page frame was just before a crash: guest/census.c's copy of /proc/kpageflags.

Counts of page classes, and the judgement that a guest of harness/rich.py has of each class as many
as a test needs. What a kernel is not built for is asserted to be absent, not passed over.
"""

import array
import mmap
import re
from dataclasses import dataclass

from . import planted
from .elfdump import Elfdump
from .pages import PAGE

# Bits of /proc/kpageflags (include/uapi/linux/kernel-page-flags.h); from 32 on the kernel's own.
DIRTY, LRU, SLAB, WRITEBACK, BUDDY, MMAP, ANON = 4, 5, 7, 8, 10, 11, 12
SWAPCACHE, SWAPBACKED, HEAD, TAIL, HUGE = 13, 14, 15, 16, 17
UNEVICTABLE, HWPOISON, NOPAGE, KSM, THP = 18, 19, 20, 21, 22
OFFLINE, ZERO_PAGE, PGTABLE = 23, 24, 26
RESERVED, MLOCKED, PRIVATE = 32, 33, 35

# name: bits that are set, bits that are not
CLASSES = {
    "buddy": ((BUDDY,), ()),
    "slab": ((SLAB,), ()),
    "anon": ((ANON,), (HUGE,)),
    "anon small": ((ANON,), (HUGE, THP)),
    "thp": ((THP,), ()),
    "thp tail": ((THP, TAIL), ()),
    "ksm": ((KSM,), ()),
    "zero page": ((ZERO_PAGE,), ()),
    "file": ((LRU,), (ANON, SWAPBACKED)),
    "file private": ((LRU, PRIVATE), (ANON, SWAPBACKED)),
    "file not private": ((LRU,), (ANON, SWAPBACKED, PRIVATE)),
    "file dirty": ((LRU, DIRTY), (ANON, SWAPBACKED)),
    "shmem": ((LRU, SWAPBACKED), (ANON, SWAPCACHE)),
    "swapcache anon": ((SWAPCACHE, ANON), ()),
    "swapcache shmem": ((SWAPCACHE,), (ANON,)),
    "mlocked": ((MLOCKED,), ()),
    "huge": ((HUGE,), ()),
    "huge tail": ((HUGE, TAIL), ()),
    "huge used": ((HUGE, MMAP), ()),
    "pgtable": ((PGTABLE,), ()),
    "offline": ((OFFLINE,), ()),
    "hwpoison": ((HWPOISON,), ()),
    "hwpoison tail": ((HWPOISON, TAIL), ()),
    "hwpoison thp": ((HWPOISON, THP), ()),
    "hwpoison huge": ((HWPOISON, HUGE), ()),
    "hwpoison buddy": ((HWPOISON, BUDDY), ()),
    "compound other": ((HEAD,), (HUGE, THP, SLAB)),
    "reserved": ((RESERVED,), ()),
    "nopage": ((NOPAGE,), ()),
}

BLOCK_MIB = 128


def _mask(bits):
    return sum(1 << bit for bit in bits)


def read(path):
    """{flags: how many frames}; few values cover millions of frames."""
    values = array.array("Q")
    data = path.read_bytes()
    values.frombytes(data[:len(data) // 8 * 8])
    found = {}
    for value in values:
        found[value] = found.get(value, 0) + 1
    return found


def frames(path, name):
    """The frames of a class, in order."""
    have, without = map(_mask, CLASSES[name])
    values = array.array("Q")
    values.frombytes(path.read_bytes())
    return [pfn for pfn, value in enumerate(values) if value & have == have and not value & without]


def count(found):
    """{class: frames}. Classes overlap: a frame is in each whose bits it has."""
    result = {}
    for name, (bits, without) in CLASSES.items():
        have, not_have = _mask(bits), _mask(without)
        result[name] = sum(n for value, n in found.items()
                           if value & have == have and not value & not_have)
    return result


def free_orders(buddyinfo):
    """[free blocks of order 0, 1, ...] over all zones."""
    total = []
    for line in buddyinfo.splitlines():
        counts = [int(n) for n in re.sub(r".*zone +\S+", "", line).split()]
        total += [0] * (len(counts) - len(total))
        total = [a + b for a, b in zip(total, counts)]
    return total


def config(kernel):
    """The options that a kernel's build has on, as built in or as a module."""
    with open(kernel.config, encoding="ascii") as f:
        text = f.read()
    options = set(re.findall(r"^CONFIG_(\w+)=[ym]$", text, re.M))
    # From 6.17 five levels are no option any more: every kernel has them.
    if "CONFIG_X86_5LEVEL" not in text:
        options.add("X86_5LEVEL")
    return options


@dataclass(frozen=True)
class Wanted:
    """At least so many frames; none at all where the kernel lacks an option that it needs."""
    least: int
    needs: tuple = ()


def wanted(profile):
    """{class: Wanted} of a profile's guest."""
    poison = ("MEMORY_FAILURE",)
    have = {
        "buddy": Wanted(100000), "slab": Wanted(4000), "anon small": Wanted(12000),
        "thp": Wanted(4096, ("TRANSPARENT_HUGEPAGE",)),
        "thp tail": Wanted(4088, ("TRANSPARENT_HUGEPAGE",)),
        "zero page": Wanted(1),
        "file private": Wanted(2000), "file not private": Wanted(4000), "file dirty": Wanted(1900),
        "shmem": Wanted(200), "swapcache anon": Wanted(1900), "swapcache shmem": Wanted(1900),
        "mlocked": Wanted(1000), "huge": Wanted(24 * 512), "huge tail": Wanted(24 * 511),
        "huge used": Wanted(8 * 512), "pgtable": Wanted(1100), "compound other": Wanted(100),
        "hwpoison": Wanted(20, poison), "hwpoison huge": Wanted(1, poison),
        "hwpoison thp": Wanted(1, (*poison, "TRANSPARENT_HUGEPAGE")),
    }
    if profile.balloon:
        # Of the memory that is plugged in, one block is offline: those frames count as no page.
        have["offline"] = Wanted(profile.balloon * 256, ("VIRTIO_BALLOON",))
    if "gigantic" in profile.classes:
        have["huge"] = Wanted(262144 + 24 * 512)
        have["huge used"] = Wanted(262144 + 8 * 512)
    return have


def _judge_count(name, want, have, options):
    missing = [option for option in want.needs if option not in options]
    if missing:
        return None if have == 0 else \
            f"{have} frames in a kernel without CONFIG_{', CONFIG_'.join(missing)}"
    return None if have >= want.least else f"{have} frames of {name}, wanted {want.least}"


def _fact(rich, name):
    path = rich.facts / name
    return path.read_text(encoding="ascii", errors="replace") if path.exists() else ""


def _judge_orders(rich):
    orders = free_orders(_fact(rich, "buddyinfo"))
    yield "orders", None if len(orders) >= 11 else f"{len(orders)} orders in buddyinfo"
    for order, blocks in enumerate(orders):
        yield f"order-{order}", None if blocks else f"no free block of order {order}"


def _plugged(rich):
    """Each block is as it was left, and the frames of the one taken offline are no pages."""
    lines = re.findall(r"^(memory\d+) (\w+) ([0-9a-f]+)$", _fact(rich, "plugged"), re.M)
    want = rich.profile.dimm // BLOCK_MIB
    states = [state for _, state, _ in lines]
    if states != ["online"] * (want - 1) + ["offline"]:
        return f"the plugged blocks are {' '.join(states) or 'not there'}, wanted {want}"
    per_block = (BLOCK_MIB << 20) // PAGE
    values = array.array("Q")
    values.frombytes(rich.census.read_bytes())
    first = int(lines[-1][2], 16) * per_block
    # 7.2 says nothing of such a frame, where older kernels say that it is no page.
    pages = sum(value not in (0, 1 << NOPAGE) for value in values[first:first + per_block])
    return f"{pages} frames of the offline block are pages" if pages else None


def _holes(rich):
    """What the command line carves out of memory is no System RAM."""
    units = {"K": 1 << 10, "M": 1 << 20}
    for size, unit, start in re.findall(r"memmap=(\d+)([KM])\$(0x\w+)", rich.profile.append):
        start, end = int(start, 0), int(start, 0) + int(size) * units[unit] - 1
        if f"{start:08x}-{end:08x} : Reserved" not in _fact(rich, "iomem"):
            return f"no Reserved {start:#x}-{end:#x} in /proc/iomem"
    return None


def _high(rich):
    lines = re.findall(r"^([0-9a-f]+)-[0-9a-f]+ : System RAM", _fact(rich, "iomem"), re.M)
    high = sum(int(start, 16) >= 1 << 32 for start in lines)
    # A hole in the high part and the plugged memory make it three ranges.
    want = 3 if rich.profile.dimm else 0
    return None if high == want else f"{high} ranges of System RAM above 4 GiB, wanted {want}"


def _numbers(notes):
    """VMCOREINFO's numbers that tell how the kernel is mapped."""
    text = bytes(notes).decode("latin-1")
    level5 = re.search(r"NUMBER\(pgtable_l5_enabled\)=(\d+)", text)
    offset = re.search(r"KERNELOFFSET=([0-9a-f]+)", text)
    return int(level5[1]) if level5 else 0, int(offset[1], 16) if offset else 0


def _judge_shape(rich, options, notes):
    profile = rich.profile
    nodes = len(set(re.findall(r"^Node (\d+)", _fact(rich, "buddyinfo"), re.M)))
    want = max(len(profile.nodes), 1)
    yield "nodes", None if nodes == want else f"{nodes} nodes, wanted {want}"
    yield "holes", _holes(rich)
    yield "above-4g", _high(rich)
    level5, offset = _numbers(notes)
    want = int("X86_5LEVEL" in options and "la57=off" not in profile.cpu)
    yield "levels", None if level5 == want else f"pgtable_l5_enabled is {level5}, wanted {want}"
    kaslr = "nokaslr" not in profile.append
    yield "kaslr", None if kaslr == bool(offset) else f"KERNELOFFSET is {offset:#x}"
    shared = int(_fact(rich, "pages_shared") or 0)
    yield "ksm", None if shared >= 512 else f"{shared} pages are shared, wanted 512"
    free = re.search(r"^HugePages_Free: +(\d+)", _fact(rich, "meminfo"), re.M)
    yield "huge-free", None if free and int(free[1]) >= 8 else "fewer than 8 free huge pages"
    optimized = _fact(rich, "hugetlb_optimize_vmemmap").strip() == "1"
    want = "hugetlb_free_vmemmap=on" in profile.append and \
        "HUGETLB_PAGE_OPTIMIZE_VMEMMAP" in options
    yield "huge-vmemmap", None if optimized == want else f"vmemmap of huge pages: {optimized}"
    if profile.dimm:
        yield "plugged", _plugged(rich)


def _planted(rich, dump):
    """The copy of the vmcore has every planted page as it was planted."""
    wrong, total = {}, 0
    with open(rich.vmcore, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as core:
        for name, index, pa in planted.read_manifest(rich.dir):
            if pa is None or name in ("free", "poison"):
                continue
            total += 1
            at = next((l[2] + pa - l[4] for l in dump.loads if l[4] <= pa < l[4] + l[5]), None)
            if at is None or core[at:at + PAGE] != planted.expected(rich.seed, name, index):
                wrong[name] = wrong.get(name, 0) + 1
    if wrong:
        return ", ".join(f"{n} pages of {name} are not as planted" for name, n in wrong.items())
    return None if total else "the manifest is empty"


def judge(rich):
    """[(name, why not or None)] of a guest that harness/rich.py made."""
    options = config(rich.kernel)
    have = count(read(rich.census))
    dump = Elfdump(rich.vmcore)
    tests = [(name.replace(" ", "-"), _judge_count(name, want, have[name], options))
             for name, want in wanted(rich.profile).items()]
    tests += _judge_orders(rich)
    tests += _judge_shape(rich, options, dump.notes)
    tests.append(("planted", _planted(rich, dump)))
    return [(f"census-{name}", why) for name, why in tests]


def table(riches):
    """Lines of text: a row for each class and free order, a column for each guest."""
    columns = []
    for rich in riches:
        column = count(read(rich.census))
        orders = free_orders(_fact(rich, "buddyinfo"))
        column.update({f"free blocks of order {i}": n for i, n in enumerate(orders)})
        columns.append(column)
    names = list(dict.fromkeys(name for column in columns for name in column))
    widths = [max(len(rich.dir.name), 8) for rich in riches]
    lines = [" " * 24 + "".join(f"  {rich.dir.name:>{w}}" for rich, w in zip(riches, widths))]
    for name in names:
        lines.append(f"{name:24}" + "".join(f"  {column.get(name, '-'):>{w}}"
                                            for column, w in zip(columns, widths)))
    return lines
