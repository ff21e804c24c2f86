# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of the target: it is not there, comes late, is no file system, cannot be written."""

from . import faultjudge as judge
from . import image
from .faultrun import Case, uuid

MIB = 96


def ext4(*numbers, mib=MIB):
    """disks() of a case: an empty ext4 for each number, as vdb, vdc, ..."""
    def make(where):
        made = []
        for number in numbers:
            made.append(where / f"disk{number}.img")
            image.make_ext4(made[-1], mib, fs_uuid=uuid(number))
        return made
    return make


def target(number=1, *more):
    """Lines of crashpod.conf."""
    return (f"ext4 UUID={uuid(number)}", "path /var/crash", *more)


def check_plain(run):
    path, _ = judge.captured(run)
    judge.opens(run, path)


def check_missing(run):
    judge.said(run, "says-missing", f"target failed: UUID={uuid(2)} did not appear within 30 s")
    judge.said(run, "says-lost", "no dump was written: ")
    judge.said(run, "log-on-console", "the dead kernel's log, its last ")


CASES = (
    Case("none", "nothing is wrong", target(), check_plain, ext4(1), quick=True),
    Case("target-missing", "the target is not there", target(2), check_missing, ext4(1)),
)
