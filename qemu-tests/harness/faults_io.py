# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of input and output: writes, flushes and reads fail, data is damaged, nothing answers."""

from . import faultjudge as judge
from .diskserver import served, settle
from .faultrun import Case
from .faultdisks import ext4
from .faults_target import target

RATE = 2 << 20
TWO = target(1, *target(2)[:1])
FAILING, NEXT = "vdb", "the next one is tried"


def slow(run):
    run.disks[1].slow(RATE)


def failing(*kinds, **how):
    """An action: requests of the first disk fail from here on."""
    return lambda run: run.disks[1].fail(*kinds, **how)


def wiped(data):
    """A write that stores nothing of what it was given to store."""
    return bytes(len(data))


def damaging(run):
    run.disks[1].damage(256 << 10, wiped)


def hanging(run):
    run.disks[1].hang()


def released(run):
    run.disks[1].release()


def _first(run, why):
    """The first target's part, after the second one took the dump."""
    hits = settle(run)
    run.add("fault-met", None if hits else "no request met the fault")
    judge.said(run, "says-next", NEXT)
    path, found = judge.captured(run, 2)
    judge.opens(run, path)
    notes = " ".join(found.get("notes", []))
    run.add("record-first", None if NEXT in notes else f"notes: {notes}")
    if why:
        judge.said(run, "says-why", why)
    return judge.newest(run, 1)


def check_first(run):
    """All writes fail: what was synced before is what is left."""
    directory = _first(run, "dump (incomplete|failed): .*I/O error")
    if directory:
        judge.dmesg(run, directory)
        judge.record(run, directory)


def check_once(run):
    """One write fails: the first target has its part, and a record that says so."""
    settle_first = _first(run, "dump incomplete: .*write of .*I/O error")
    if not settle_first:
        return
    judge.dmesg(run, settle_first)
    found = judge.record(run, settle_first)
    run.add("record-status-1", None if found.get("status") == "incomplete" else f"{found}")
    run.add("record-place", None if "dump.2" in found.get("reason", "") else f"{found}")
    judge.dump(run, settle_first, complete=False)


def check_last(run):
    directory = _first(run, "dump incomplete: .*I/O error")
    if directory:
        judge.dmesg(run, directory)
        judge.dump(run, directory, complete=False)


def check_flush(run):
    """Nothing is known to be on that disk: not even the headers of a dump."""
    directory = _first(run, "dump failed: .*fsync .*I/O error")
    if directory:
        judge.dmesg(run, directory)
        run.add("no-dump", None if not list(directory.glob("dump.*")) else "there is one")


def check_rename(run):
    """All of the dump is there, but its name is not: it stays one that was not finished."""
    directory = _first(run, "dump incomplete: (fsync|rename) .*(I/O error|Read-only file system)")
    names = [p.name for p in directory.glob("dump.*")] if directory else []
    run.add("name-incomplete", None if len(names) == 1 and names[0].endswith("-incomplete")
            else f"{names}")
    if names:
        judge.opens(run, directory / names[0])


def check_damaged(run):
    directory = _first(run, "dump incomplete: verify: ")
    if directory:
        found = judge.record(run, directory)
        run.add("record-verify", None if found.get("dump", {}).get("verify", {}).get("result") ==
                "failed" else f"{found.get('dump')}")
        judge.dump(run, directory, complete=False, flaw="not sound: ")


def check_mount(run):
    settle(run)
    judge.said(run, "says-why", "target failed: mount /dev/vdb as ext4: I/O error")
    judge.said(run, "says-next", NEXT)
    judge.opens(run, judge.captured(run, 2)[0])


def check_hang(run):
    directory = _first(run, "dump .*(no progress|hangs)")
    if directory:
        judge.dmesg(run, directory)
        judge.record(run, directory)


def _io(name, fault, check, *on, conf=TWO, limit_s=150, quick=False):
    return Case(name, fault, conf, check, served(ext4(1, 2), 1), on=on, limit_s=limit_s,
                quick=quick)


CASES = (
    _io("io-write-first", "every write of the dump fails, from the first on", check_first,
        ("dump starts", failing("write"))),
    _io("io-write-middle", "every write fails from the middle of the dump on", check_first,
        ("dump starts", slow), ("writing [3-9][0-9]%", failing("write"))),
    _io("io-write-once", "one write in the middle of the dump fails", check_once,
        ("dump starts", slow), ("writing [3-9][0-9]%", failing("write", once=True))),
    _io("io-write-last", "the writes at the end of the dump fail", check_last,
        ("dump starts", slow), ("writing [89][0-9]%", failing("write"))),
    _io("io-flush", "the disk cannot flush its cache", check_flush,
        ("dump starts", failing("flush"))),
    _io("io-rename", "writes fail when the dump gets its name", check_rename,
        ("dump starts", slow), ("verifying", failing("write")),
        conf=(*TWO, "verify full")),
    _io("io-read-mount", "the target's file system cannot be read", check_mount,
        ("modules: ", failing("read")), conf=("ext4 /dev/vdb", *TWO[1:])),
    _io("io-damaged", "the disk stores something else and says nothing", check_damaged,
        ("dump starts", damaging), conf=(*TWO, "verify full")),
    _io("io-hang", "the disk answers nothing any more in the middle of the dump", check_hang,
        ("dump starts", slow), ("writing [3-9][0-9]%", hanging),
        ("machine restart|sysrq: Resetting", released), limit_s=500),
)
