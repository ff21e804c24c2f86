# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of time: the capture kernel loses power; the machine crashes over and over."""

import re

from . import faultjudge as judge
from .diskserver import served, settle
from .faultrun import Case, Run
from .faultdisks import ext4
from .faults_target import target

# A dump of 18 MB takes so long that the console shows its way.
SLOW, SLOWER = 2 << 20, 1 << 20
# Pages that come last, do not compress and make up half of the dump.
FILL = "dd if=/dev/urandom of=/tmp/fill bs=1M count=24\n"


def slow(run):
    run.disks[1].slow(SLOW)


def slower(run):
    run.disks[1].slow(SLOWER)


def _cut(run):
    """What a dump leaves that lost its power; half of what was not flushed is gone."""
    settle(run, lost=True)
    path, found = judge.captured(run, complete=False, status="writing")
    run.add("record-cause", None if judge.PANIC in found.get("panic", "") else f"{found}")
    return path


def check_cut(run):
    _cut(run)


def check_cut_half(run):
    """The dump syncs every three seconds: what was written before is found."""
    path = _cut(run)
    if path is None:
        return
    _, text = judge.command("verify", path)
    match = re.search(r"(\d+) of (\d+) pages missing", text)
    run.add("pages-on-disk", None if match and int(match[1]) < int(match[2]) * 9 / 10 else text)


def check_cut_opens(run):
    judge.opens(run, _cut(run))


def check_cut_end(run):
    """Named: then it is whole. Not named: then it says so itself, or is whole."""
    settle(run, lost=True)
    directory = judge.newest(run)
    if directory is None:
        return
    judge.dmesg(run, directory)
    judge.record(run, directory)
    judge.opens(run, judge.dump(run, directory, complete=True))


def _power(name, fault, pattern, check, quick=False):
    return Case(name, fault, target(1, "dump_level 1"), check, served(ext4(1), 1),
                production=FILL,
                on=(("dump starts", slow), ("writing [89][0-9]%", slower), (pattern, Run.quit)), ends="quit", quick=quick)


CASES = (
    _power("power-10", "the power fails at a tenth of the dump", "writing [1-9][0-9]%", check_cut),
    _power("power-50", "the power fails at half of the dump", "writing [4-9][0-9]%",
           check_cut_half),
    _power("power-90", "the power fails at nine tenths of the dump", "writing 9[0-9]%",
           check_cut_opens),
    _power("power-end", "the power fails just after the dump is complete", "dump complete",
           check_cut_end),
)
