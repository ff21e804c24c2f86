# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the memory of a capture kernel goes: a real capture, watched from inside.

Fixed parts come from the kernel's own lines, the rest from /proc/meminfo when least was free.
"""

import re

from . import cpio, faultdisks, faultjudge, faultrun, faults_target, floor, image

SECTION_KIB = 128 << 10
MAP_KIB = 2 << 10  # struct pages of a section; all of it is there when any of its pages is


def _with_watcher(where, initrd):
    """Appends the watcher to the initramfs: the kernel unpacks one archive after the other."""
    program = image.compile_guest("footprint", where / "footprint")
    archive = cpio.Archive()
    archive.file("footprint", program)
    extra = where / "footprint.cpio"
    archive.write(extra)
    with open(initrd, "ab") as f:
        f.write(bytes(-f.tell() % 4))
        f.write(extra.read_bytes())


def run(setup, mib):
    """One watched capture. Gives the Run."""
    case = faultrun.Case(
        f"footprint-{mib}M", "", faults_target.target(), faultjudge.captured,
        faultdisks.ext4(1, mib=512), edit=_with_watcher, capture=setup.capture,
        append=f"rdinit=/footprint printk.time=1 {setup.append}", memory_mib=setup.memory_mib,
        crashkernel=f"{mib}M")
    return faultrun.run(case, setup.kernel)


def _kib(pattern, text):
    match = re.search(pattern, text)
    return int(match[1]) if match else 0


def table(found):
    """[(what, KiB)] of a Run, from the reservation down to what was free at the least."""
    text = found.text
    numbers = re.findall(r"footprint:((?: \w+ \d+)+)", text)
    if not numbers:
        raise floor.Lost("the watcher said nothing")
    words = numbers[-1].split()
    least = dict(zip(words[::2], map(int, words[1::2])))
    ranges = re.findall(r"node +0: \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]", text)
    ranges = [(int(a, 16) >> 10, (int(b, 16) + 1) >> 10) for a, b in ranges]
    seen = sum(b - a for a, b in ranges)
    sections = {n for a, b in ranges for n in range(a // SECTION_KIB, (b - 1) // SECTION_KIB + 1)}
    code, rwdata, rodata, init, bss = (_kib(rf"(\d+)K {w}", text) for w in
                                       ("kernel code", "rwdata", "rodata", "init", "bss"))
    gaps = sum(int(n) for n in re.findall(r"Freeing unused kernel image \(.*gap\) memory: (\d+)K",
                                          text))
    kernel = code + rwdata + rodata + bss
    memmap = len(sections) * MAP_KIB
    rows = [("kernel: code", code), ("kernel: data, constants, bss", kernel - code),
            ("kernel: code and data of its start, then free", init + gaps),
            (f"memory map of {len(sections)} sections", memmap),
            ("initramfs as loaded, then free", (found.where / "crashpod.img").stat().st_size >> 10),
            ("other memory of the boot (page tables, hash tables, per-CPU areas)",
             seen - least["MemTotal"] - kernel - memmap),
            ("initramfs unpacked (init, configuration)", least["Shmem"] or least["Cached"]),
            ("page cache", least["Buffers"] + (least["Cached"] - least["Shmem"]
                                               if least["Shmem"] else 0)),
            ("modules", least["Modules"]), ("slab", least["Slab"]),
            ("kernel stacks", least["KernelStack"]), ("page tables", least["PageTables"]),
            ("per-CPU memory", least["Percpu"]), ("PID 1 and the dump's process",
                                                  least["AnonPages"])]
    known = sum(n for _, n in rows[6:])
    rows.append(("not accounted", least["MemTotal"] - known - least["MemFree"]))
    rows.append(("free at the least", least["MemFree"]))
    return [("all that the capture kernel has", seen), *rows]
