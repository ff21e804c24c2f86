# SPDX-License-Identifier: GPL-2.0-or-later
"""Raw targets: a partition without a file system, its dump collected afterwards, and what must
never be written over."""

import hashlib
import random
import shutil
import struct
import zlib

from ground import paths

from . import faultjudge as judge
from . import image
from .faultrun import Case, uuid

SECTOR = 512
FIRST = 1 << 20  # where the partition begins
DISK_ID = 0x7a26e700
KEPT = b"a dump that nobody has collected yet"


def partuuid(number=1):
    """The PARTUUID of the partition on disk number, from 1 (vdb)."""
    return f"{DISK_ID + number:08x}-01"


def conf(*targets):
    """Lines of crashpod.conf."""
    return (*targets, "path /var/crash")


def _partitioned(path, number, size):
    """A disk with a DOS partition table that has one partition of size bytes."""
    table = bytearray(SECTOR)
    table[440:444] = (DISK_ID + number).to_bytes(4, "little")
    entry = bytes([0, 0, 2, 0, 0x83, 0xff, 0xff, 0xff])
    table[446:462] = (entry + (FIRST // SECTOR).to_bytes(4, "little") +
                      (size // SECTOR).to_bytes(4, "little"))
    table[510:512] = b"\x55\xaa"
    with open(path, "wb") as disk:
        disk.write(table)
        disk.truncate(FIRST + size)


def _put(disk, part):
    """The partition's contents into the disk, holes kept."""
    paths.run(["dd", f"if={part}", f"of={disk}", "bs=1M", f"seek={FIRST >> 20}",
               "conv=notrunc,sparse", "status=none"])


def _get(run, number=1):
    """The partition as a file of its own."""
    part = run.where / f"part{number}"
    paths.run(["dd", f"if={run.disks[number]}", f"of={part}", "bs=1M", f"skip={FIRST >> 20}",
               "conv=sparse", "status=none"])
    return part


def area(number=1, mib=96, change=None):
    """disks() of a case: a raw area in a partition; change(part) before the crash."""
    def make(where):
        part = where / f"part{number}"
        part.unlink(missing_ok=True)
        with open(part, "wb") as f:
            f.truncate(mib << 20)
        paths.run([paths.BUILD / "crashpod", "raw", "format", part])
        if change:
            change(part)
        disk = where / f"disk{number}.img"
        _partitioned(disk, number, mib << 20)
        _put(disk, part)
        return [disk]
    return make


def and_ext4(first, number, mib=96):
    """disks() of a case: those of first, then an ext4 on a disk."""
    def make(where):
        disks = first(where)
        disks.append(where / f"disk{number}.img")
        image.make_ext4(disks[-1], mib, fs_uuid=uuid(number))
        return disks
    return make


def collect(run, number=1):
    """`crashpod raw collect` of the disk's partition: (status, what it said, directories)."""
    part, to = _get(run, number), run.where / f"collected{number}"
    shutil.rmtree(to, ignore_errors=True)
    status, text = judge.command("raw", "collect", part, to)
    return status, text, sorted(p for p in to.iterdir()) if to.exists() else []


def collected(run, number=1, complete=True):
    """One dump is collected: log, record and dump. Gives (dump or None, record)."""
    status, text, dirs = collect(run, number)
    run.add("collect", None if status == 0 else f"exit {status}: {text}")
    run.add("one-directory", None if len(dirs) == 1 else f"{[d.name for d in dirs]}")
    if not dirs:
        return None, {}
    judge.dmesg(run, dirs[-1])
    found = judge.record(run, dirs[-1])
    want = "complete" if complete else "incomplete"
    run.add("record-status", None if found.get("status") == want else
            f"{found.get('status')}, not {want}")
    path = judge.dump(run, dirs[-1], complete)
    _, text = judge.command("raw", "info", run.where / f"part{number}")
    run.add("marked", None if "collected" in text and "complete\t" not in text else text)
    return path, found


def check_plain(run):
    judge.said(run, "says-slot", r"target PARTUUID=\S+ is /dev/vdb1, the dump goes to slot 0$")
    path, found = collected(run)
    judge.step(run, found, "dump", "ok", "dump complete")
    judge.opens(run, path)


def check_elf(run):
    path, _ = collected(run)
    judge.opens(run, path)


def check_elf_small(run):
    """No ELF dump of this machine fits; a kdump-compressed one does."""
    path, found = collected(run)
    judge.said(run, "says-instead", "the dump is made in the kdump format$")
    notes = " / ".join(found.get("notes", []))
    run.add("record-note", None if "in the kdump format" in notes else f"{notes!r}")
    judge.opens(run, path)


# --- what is there already ---

def _digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def foreign(fill):
    """disks() of a case: a partition with something else in it, filled by fill(part); an ext4."""
    def make(where):
        part, disk = where / "part1", where / "disk1.img"
        fill(part)
        _partitioned(disk, 1, part.stat().st_size)
        _put(disk, part)
        (where / "digest").write_text(_digest(disk), encoding="utf-8")
        return [disk]
    return and_ext4(make, 2)


def fill_ext4(part):
    image.make_ext4(part, 64, fs_uuid=uuid(9))


def fill_random(part):
    part.write_bytes(random.Random(1).randbytes(32 << 20))


def check_foreign(run):
    judge.said(run, "says-no-area", "target failed: /dev/vdb1: no crashpod raw area on it")
    same = _digest(run.disks[1]) == (run.where / "digest").read_text(encoding="utf-8")
    run.add("not-one-byte-changed", None if same else "the foreign disk is not what it was")
    path, _ = judge.captured(run, 2)
    judge.opens(run, path, ("sys", "bt"))


def both_full(part):
    """Marks both slots as complete dumps of 2020 and 2021, by hand: the format is written down."""
    with open(part, "r+b") as f:
        f.seek(0)
        head = f.read(128)
        for slot in (0, 1):
            off, _ = struct.unpack_from("<QQ", head, 56 + 16 * slot)
            f.seek(off + (2 << 20))
            f.write(KEPT)
            text = b'{"version": 1, "slot": %d}' % slot
            f.seek(off + (64 << 10))
            f.write(text)
            stamp = 1577836800 + slot * 366 * 86400
            h = struct.pack("<16s16sQIIqIIIIIIQ", b"crashpod slot", head[32:48], 9, slot, 2, stamp,
                            0, 0, len(text), zlib.crc32(text), 0, 0, len(KEPT)).ljust(252, b"\0")
            f.seek(off)
            f.write(h + struct.pack("<I", zlib.crc32(h)))


def check_full_next(run):
    judge.said(run, "says-full", "both slots hold dumps that were not collected")
    part = _get(run)
    _, text = judge.command("raw", "info", part)
    run.add("both-stay", None if "202001010000" in text and "202101010000" in text else text)
    path, _ = judge.captured(run, 2)
    judge.opens(run, path, ("sys", "bt"))


def check_full_last(run):
    judge.said(run, "says-victim",
               r"slot 0 in place of 202001010000 \(complete\), which was not collected")
    status, text, dirs = collect(run)
    # the one that stays is no real dump: its copy is kept, and said not to be sound
    run.add("collect-says-unsound", None if status == 1 and "not sound" in text else
            f"exit {status}: {text}")
    names = [d.name for d in dirs]
    kept = run.where / "collected1/202101010000/dump.202101010000-incomplete"
    run.add("newer-stays", None if kept.exists() and kept.read_bytes() == KEPT else f"{names}")
    run.add("two-directories", None if len(names) == 2 else f"{names}")
    path = judge.dump(run, dirs[-1]) if dirs else None
    judge.opens(run, path, ("sys", "bt"))


# --- room ---

def check_small(run):
    judge.said(run, "says-level-or-room", "slot [01] has [0-9]+ bytes for a dump: No space left|"
                                          "the dump level was raised")
    path, found = collected(run, complete=False)
    why = found.get("reason", "")
    run.add("says-why", None if "No space left" in why else why)
    if path is not None:
        status, text = judge.command("info", path)
        run.add("info", None if status == 0 else f"exit {status}: {text}")


def check_raised(run):
    judge.said(run, "says-raised", "the dump level was raised from 0 to ")
    path, _ = collected(run)
    judge.opens(run, path, ("sys", "bt"))


def check_fallback(run):
    judge.said(run, "says-missing", f"target failed: UUID={uuid(5)} did not appear within 30 s")
    path, found = collected(run)
    run.add("record-target", None if found.get("target", {}).get("fstype") == "raw" else
            f"{found.get('target')}")
    judge.opens(run, path, ("sys", "bt"))


def lose_power(run):
    """The machine goes off while the dump is written."""
    run.quit()


def check_power(run):
    status, text, dirs = collect(run)
    run.add("collect", None if status == 0 else f"exit {status}: {text}")
    run.add("one-directory", None if len(dirs) == 1 else f"{[d.name for d in dirs]}")
    if not dirs:
        return
    judge.dmesg(run, dirs[0])
    found = judge.record(run, dirs[0])
    run.add("record-status", None if found.get("status") == "writing" else f"{found.get('status')}")
    path = judge.dump(run, dirs[0], complete=False)
    if path is not None:
        status, text = judge.command("info", path)
        run.add("opens", None if status == 0 and "complete: no" in text else text)


RAW = f"raw PARTUUID={partuuid()}"
EXT4 = f"ext4 UUID={uuid(2)}"

CASES = (
    Case("raw-plain", "the target is a raw area", conf(RAW), check_plain, area(), quick=True),
    Case("raw-elf", "the same, an ELF dump", conf(RAW, "format elf"), check_elf, area(mib=512)),
    Case("raw-elf-small", "an ELF dump is larger than the slot", conf(RAW, "format elf"),
         check_elf_small, area()),
    Case("raw-ext4-there", "the partition holds an ext4", conf(RAW, EXT4), check_foreign,
         foreign(fill_ext4), quick=True),
    Case("raw-data-there", "the partition holds random bytes", conf(RAW, EXT4), check_foreign,
         foreign(fill_random)),
    Case("raw-full-next", "two dumps wait in it, and there is another target", conf(RAW, EXT4),
         check_full_next, and_ext4(area(change=both_full), 2)),
    Case("raw-full-last", "two dumps wait in it, and it is the last target", conf(RAW),
         check_full_last, area(change=both_full)),
    Case("raw-raised", "a slot too small for the level", conf(RAW, "dump_level 0"), check_raised,
         area(mib=129)),
    Case("raw-too-small", "a slot too small for any level", conf(RAW), check_small, area(mib=32)),
    Case("raw-fallback", "the first target is not there, then a raw area",
         conf(f"ext4 UUID={uuid(5)}", RAW), check_fallback, area()),
    Case("raw-power", "power is lost while the dump is written", conf(RAW), check_power, area(),
         on=((r"writing [1-9]", lose_power),), ends="quit"),
)
