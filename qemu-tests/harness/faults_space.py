# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of room: the target is full before, at once or in the middle; old dumps; crash loops."""

import os
import random
import re
import time

from ground import paths

from . import cpio, image
from . import faultjudge as judge
from .diskserver import served, settle
from .faultrun import Case, uuid
from .faults_io import RATE
from .faultdisks import ext4
from .faults_target import target

CRASH_DIR = "var/crash"
OLD = ("202501010000", "202502010000", "202503010000")
NO_ROOM = "No space left on device"
LEFT_OUT = ("free", "cache", "cache_private", "user", "zero")
# Pages that the level keeps and that do not compress.
FILL = "dd if=/dev/urandom of=/tmp/fill bs=1M count=40\n"


def old_dump(root, name, mib, days=300, part=False):
    """A dump of crashpod's as far as names go, in the tree that becomes a file system."""
    where = root / CRASH_DIR / name
    where.mkdir(parents=True)
    suffix = "-incomplete" if part else ""
    (where / f"dump.{name}{suffix}").write_bytes(random.Random(name).randbytes(mib << 20))
    (where / f"dmesg.{name}").write_text("an old log\n", encoding="ascii")
    (where / "crashpod.json").write_text('{"version": 1}\n', encoding="ascii")
    at = time.time() - days * 86400
    for path in where.iterdir():
        os.utime(path, (at, at))


def free_blocks(disk):
    text = paths.run(["dumpe2fs", "-h", disk])
    return int(re.search(r"^Free blocks:\s+(\d+)", text, re.M)[1])


def fill(where, disk, leave_kib):
    """Files that leave so much of the file system free."""
    leave = leave_kib // 4
    for number in range(20):
        left = free_blocks(disk) - leave
        if left <= 0:
            return
        part = where / "filler"
        # an index block of the file's extents may come to it
        part.write_bytes(random.Random(number).randbytes(max(left - (left > 8), 1) * 4096))
        paths.run(["debugfs", "-w", "-R", f"write {part} filler{number}", disk])
        part.unlink()


def disk(number, mib, olds=(), leave_kib=None, options=()):
    """disks() of a case: one disk, with old dumps (arguments of old_dump), filled up."""
    def make(where):
        made = where / f"disk{number}.img"
        root = where / f"tree-of-{number}"
        (root / CRASH_DIR).mkdir(parents=True)
        for old in olds:
            old_dump(root, *old)
        image.make_ext4(made, mib, root, uuid(number), options)
        if leave_kib is not None:
            fill(where, made, leave_kib)
        return [made]
    return make


def together(*makers):
    """disks() of a case: those of several."""
    return lambda where: [d for make in makers for d in make(where)]


def dirs(run, number=1):
    """Names of the directories of dumps, oldest first, of a sound file system."""
    tree, _ = judge.files(run, number)
    return sorted(p.name for p in tree.iterdir() if p.is_dir()) if tree.exists() else []


def notes(run, found, pattern):
    text = " / ".join(found.get("notes", []))
    run.add("record-notes", None if re.search(pattern, text) else f"{text!r} lacks {pattern!r}")


def check_level(run):
    path, found = judge.captured(run)
    judge.opens(run, path)
    judge.said(run, "says-level", "the dump level was raised from 1 to ")
    notes(run, found, "the dump level was raised from 1 to ")
    used = found.get("dump", {}).get("level_used")
    run.add("level-used", None if used and used > 1 else f"{used}")


def _partial(run):
    """The dump ran full: it says so everywhere, and what there is can be used."""
    path, found = judge.captured(run, complete=False)
    judge.said(run, "says-full", f"dump incomplete: .*dump\\.\\d+-incomplete: {NO_ROOM}")
    run.add("record-reason", None if NO_ROOM in found.get("reason", "") else f"{found}")
    judge.opens(run, path)


def check_partial(run):
    _partial(run)


def check_share(percent):
    """A target that holds no more than that share of the dump: crash has what it asks first."""
    def check(run):
        path, found = judge.captured(run, complete=False)
        judge.opens(run, path)
        pages = found.get("dump", {}).get("pages", {})
        whole = pages.get("ram", 0) - sum(pages.get(name, 0) for name in LEFT_OUT)
        # of those to be stored an eighth repeat others at the most
        part = path.stat().st_size // 4096 * 100 / (whole * 7 // 8) if path and whole else 0
        run.add("share", None if 0 < part <= percent else f"{part:.0f} of 100, {pages}")
    return check


def check_taken(run):
    settle(run)
    _partial(run)
    tree, _ = judge.files(run, 1, "/")
    run.add("taken", None if (tree / "taken").exists() else "nobody took the room")


def check_none(run):
    judge.said(run, "says-why", f"target failed: .*mkdir \\d+: {NO_ROOM}")
    judge.said(run, "says-next", "the next one is tried")
    judge.opens(run, judge.captured(run, 2)[0])


def check_no_log(run):
    judge.said(run, "says-why", f"triage failed: .*: {NO_ROOM}")
    judge.said(run, "says-lost", "no dump was written: ")
    judge.said(run, "log-on-console", judge.PANIC)
    judge.files(run)


def check_inodes(run):
    judge.said(run, "says-inodes", f"no inode is free: {NO_ROOM}")
    directory = judge.newest(run)
    if directory:
        judge.dmesg(run, directory)
        found = judge.record(run, directory)
        run.add("record-reason", None if "no inode" in found.get("reason", "") else f"{found}")
        run.add("record-status", None if found.get("status") == "failed" else f"{found}")


def check_keep(run):
    """The oldest made room, and no other."""
    path, found = judge.captured(run)
    judge.opens(run, path)
    left = dirs(run)
    run.add("oldest-gone", None if OLD[0] not in left else f"{left}")
    run.add("others-stay", None if set(OLD[1:]) < set(left) else f"{left}")
    judge.said(run, "says-removed", f"old dump {OLD[0]} is removed")
    notes(run, found, "older dumps made room")


def check_keep_nothing(run):
    """All that may go would not be enough: nothing goes."""
    judge.captured(run, complete=False)
    left = dirs(run)
    run.add("old-stay", None if set(OLD) < set(left) else f"{left}")


def check_full_keep(run):
    """Not even a directory could be made: the oldest goes for the log, the dump gets its room."""
    path, _ = judge.captured(run)
    judge.opens(run, path)
    left = dirs(run)
    run.add("oldest-gone", None if OLD[0] not in left else f"{left}")
    run.add("newest-old-stays", None if OLD[2] in left else f"{left}")


def check_loop(run):
    """Four crashes, keep 2: the first and the last are there, whole, and the old one is not."""
    left = dirs(run)
    tree, _ = run.tree(1)
    run.add("two-left", None if len(left) == 2 else f"{left}")
    for name in left:
        judge.dump(run, tree / name)
    found = judge.record(run, tree / left[-1])
    run.add("record-series", None if found.get("series_first") == left[0] else f"{found}")
    judge.said(run, "says-series", f"one crash follows another since {left[0]}$")
    removed = re.findall(r"^old dump (\S+) is removed", run.text, re.M)
    run.add("removed", None if len(removed) == 3 and removed[0] == OLD[0] else f"{removed}")


def check_loop_full(run):
    """No dump fits: the largest part stays, the number of directories does not grow for ever."""
    left = dirs(run)
    tree, _ = run.tree(1)
    run.add("bounded", None if len(left) <= 4 else f"{left}")
    first = [p for p in (tree / left[0]).glob("dump.*-incomplete") if p.stat().st_size > 4 << 20]
    run.add("first-stays", None if first else f"{list((tree / left[0]).iterdir())}")
    judge.dmesg(run, tree / left[-1])
    found = judge.record(run, tree / left[-1])
    run.add("record-status", None if found.get("status") in ("failed", "incomplete") else f"{found}")
    run.add("record-series", None if found.get("series_first") == left[0] else f"{found}")


def with_taker(where, initrd):
    archive = cpio.Archive()
    archive.file("init", image.compile_guest("taker", where / "taker"))
    archive.file("init-real", paths.BUILD / "init")
    archive.write(where / "taker.cpio")
    data = initrd.read_bytes()
    initrd.write_bytes(data + bytes(-len(data) % 4) + (where / "taker.cpio").read_bytes())


def slow(run):
    run.disks[1].slow(RATE)


CASES = (
    Case("space-level", "the dump does not fit at its level, but at a higher one",
         target(1, "dump_level 1"), check_level, ext4(1, mib=44), production=FILL, quick=True),
    Case("space-partial", "the dump fits at no level", target(1, "compress none"),
         check_partial, ext4(1, mib=76), memory_mib=1024),
    Case("space-half", "the target has room for a half of the dump", target(1, "compress none"),
         check_share(50), ext4(1, mib=42), memory_mib=1024),
    Case("space-quarter", "the target has room for a quarter of the dump",
         target(1, "compress none"), check_share(25), ext4(1, mib=23), memory_mib=1024),
    Case("space-none", "the first target is full to the last block", target(1, target(2)[0]),
         check_none, together(disk(1, 32, leave_kib=0), ext4(2))),
    Case("space-no-log", "the only target has no room for the log", target(), check_no_log,
         disk(1, 32, leave_kib=664)),
    Case("space-taken", "another process takes the room during the dump", target(1, "dump_level 1"), check_taken,
         served(ext4(1), 1), edit=with_taker, production=FILL, on=(("dump starts", slow),)),
    Case("space-inodes", "the file system has no free inodes", target(), check_inodes,
         disk(1, 64, options=("-N", "16"))),
    Case("keep-room", "the disk is full of old dumps, `keep` lets one go", target(1, "keep 3"),
         check_keep, disk(1, 64, [(name, 18) for name in OLD])),
    Case("keep-nothing", "those that `keep` lets go are not enough", target(1, "keep 3"),
         check_keep_nothing, disk(1, 64, [(OLD[0], 1), (OLD[1], 20), (OLD[2], 20)])),
    Case("keep-full", "the disk is full to the last block, `keep` lets old dumps go",
         target(1, "keep 2"), check_full_keep,
         disk(1, 64, [(name, 18) for name in OLD], leave_kib=0)),
    Case("loop-keep", "a machine crashes at every boot", target(1, "keep 2"), check_loop,
         disk(1, 96, [(OLD[0], 1)]), rounds=4, quick=True),
    Case("loop-full", "a machine crashes at every boot, and no dump fits", target(1, "keep 2"),
         check_loop_full, disk(1, 20), rounds=5),
)
