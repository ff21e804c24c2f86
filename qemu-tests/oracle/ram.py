# SPDX-License-Identifier: GPL-2.0-or-later
"""Which frames a dump must have, from the production kernel's /proc/iomem."""

import re

from .pages import PAGE

# Since 5.5 kexec_file_load(2) gives the first MiB to the capture kernel and keeps it out of
# /proc/vmcore; kexec-tools has it copied aside and shows it.
LOW = 1 << 20


def _ranges(iomem, what):
    for line in iomem.splitlines():
        match = re.match(r"\s*([0-9a-f]+)-([0-9a-f]+) : (.*)", line)
        if match and match[3] == what:
            yield int(match[1], 16), int(match[2], 16) + 1


def dumpable(iomem, low=LOW):
    """Frames of System RAM that are neither reserved for a crash nor below low.

    A dict: frame -> the bytes of it that are RAM, as a slice; few frames are RAM only in part.
    """
    frames = {}
    for start, end in _ranges(iomem, "System RAM"):
        start = max(start, low)
        for pfn in range(start // PAGE, -(-end // PAGE)):
            pa = pfn * PAGE
            frames[pfn] = slice(max(start - pa, 0), min(end - pa, PAGE))
    for start, end in _ranges(iomem, "Crash kernel"):
        for pfn in range(start // PAGE, -(-end // PAGE)):
            frames.pop(pfn, None)
    return frames


def region(iomem, pa):
    """The innermost line of /proc/iomem that an address is in, to tell a person where it is."""
    found = "no region"
    for line in iomem.splitlines():
        match = re.match(r"\s*([0-9a-f]+)-([0-9a-f]+) : (.*)", line)
        if match and int(match[1], 16) <= pa <= int(match[2], 16):
            found = match[3]
    return found
