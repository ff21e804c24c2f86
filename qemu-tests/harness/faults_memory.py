# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of memory and of the processes of PID 1: killed, crashed, stuck, never started."""

import re

from . import faultjudge as judge
from .faultrun import Case
from .faultdisks import ext4
from .faults_target import target
from .sabotage import HALFWAY, LARGE, ON_HALFWAY, edit, order

# Children of PID 1, in their order.
DMESG, MODULES, TARGET, TRIAGE, DUMP = (f"child:{n}" for n in range(1, 6))
# KiB of a dump of 16 to 18 MB.
MIDDLE = "size:8000"
KILL, SEGV, STOP = "signal:9", "signal:11", "signal:19"
AGAIN = "the dump is made once more, by one thread that reads /proc/vmcore"


def notes(run, record, name, pattern):
    """A note in the record, and the same on the console."""
    judge.said(run, f"says-{name}", re.escape(pattern))
    run.add(f"notes-{name}", None if any(pattern in n for n in record.get("notes", [])) else
            f"the notes are {record.get('notes')}")


def check_again(why):
    """The first try ends so, the second is whole."""
    def check(run):
        path, record = judge.captured(run)
        notes(run, record, "again", f"the dump's process {why}: {AGAIN}")
        judge.step(run, record, "dump", "ok", "dump complete")
        judge.opens(run, path)
    return check


def check_cut(why, notes_wanted=(), opens=True):
    """A part of the dump stays, the record says why, and crash opens it if it is long enough."""
    def check(run):
        path, record = judge.captured(run, complete=False)
        judge.said(run, "says-why", f"dump incomplete: {why}")
        run.add("reason", None if why in record.get("reason", "") else
                f"the reason is {record.get('reason')!r}")
        for number, pattern in enumerate(notes_wanted):
            notes(run, record, f"note{number}", pattern)
        judge.said(run, "says-end", "failed after .* s: reboot")
        if opens:
            judge.opens(run, path, ("sys", "log"))
    return check


def check_step(name, result="it is tried once more"):
    """A step's child is killed, which costs nothing."""
    def check(run):
        path, record = judge.captured(run)
        notes(run, record, name, f"{name} crashed with signal 9: {result}")
        judge.step(run, record, name, "ok")
        judge.opens(run, path)
    return check


def check_modules(run):
    path, record = judge.captured(run)
    judge.said(run, "says-module", "module 1, .* crashed with signal 9: it is tried once more")
    judge.step(run, record, "modules", "ok", "0 failed")
    judge.opens(run, path)


def check_nofork_short(run):
    path, record = judge.captured(run)
    judge.step(run, record, "modules", "ok")
    judge.opens(run, path)


def check_nofork(run):
    judge.said(run, "says-why", "target failed: could not be started: no memory for a process")
    judge.said(run, "says-lost", "no dump was written: .*could not be started")
    judge.said(run, "says-end", "failed after .* s: reboot")
    _, names = judge.files(run)
    run.add("nothing-left", f"{names}" if names else None)


def case(name, fault, check, when, what, times=1, **more):
    """A case with a saboteur."""
    conf = more.pop("conf", ()) + ((LARGE,) if when == HALFWAY else ())
    append = more.pop("append", "")
    return Case(name, fault, target(1, *conf), check, ext4(1), edit=edit,
                append=f"{order(when, what, times)} {append}", **more)


CASES = (
    case("dump-killed", "the dump's process is killed in the middle",
         check_again("crashed with signal 9"), MIDDLE, KILL),
    case("dump-crashes", "the dump's process crashes in the middle, both times",
         check_cut("crashed with signal 11", [AGAIN], opens=False), MIDDLE, SEGV, times=2),
    case("dump-crashes-early", "the dump's process crashes halfway, then at once",
         check_cut("crashed with signal 11", [
             AGAIN, "the second try got less far (crashed with signal 11): what the first has "
             "written stays"]), HALFWAY, SEGV, times=2, append="sab_then=size:0", on=ON_HALFWAY),
    case("dump-stops", "the dump's process makes no progress", check_cut(
        "made no progress for 120 s"), HALFWAY, STOP, limit_s=300, on=ON_HALFWAY),
    case("dump-deadline", "the dump's process is stuck when the capture's time is over",
         check_cut("ran into its deadline of"), HALFWAY, STOP, conf=("timeout 60",), on=ON_HALFWAY),
    case("oom", "memory runs out for a moment in the middle of the dump",
         check_again("crashed with signal 9"), MIDDLE, "eat"),
    case("oom-stays", "memory runs out in the middle of the dump and does not come back",
         check_cut("crashed with signal 9", [AGAIN]), HALFWAY, "eat:30", on=ON_HALFWAY),
    case("dmesg-killed", "the process that reads the log is killed", check_step("dmesg"),
         DMESG, KILL),
    case("modules-killed", "the process that loads modules is killed", check_modules,
         MODULES, KILL),
    case("target-killed", "the process that mounts the target is killed", check_step("target"),
         TARGET, KILL),
    case("triage-killed", "the process that writes log and record is killed",
         check_step("triage"), TRIAGE, KILL),
    case("nofork-short", "no process can be started for two seconds", check_nofork_short,
         DMESG, "nofork:2000"),
    case("nofork", "no process can be started", check_nofork, DMESG, "nofork:99000"),
)
