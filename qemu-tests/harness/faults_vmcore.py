# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of /proc/vmcore: parts of it cannot be read, are missing, or it is not there.

Where its contents matter a copy of the real one takes its place, on a disk that QEMU lets fail.
"""

import random
import struct

from . import faultjudge as judge
from . import image
from .faultrun import Case, uuid
from .faults_memory import AGAIN, KILL, notes
from .faults_target import target
from .sabotage import edit, order

COPY = "/dev/vdc"
MEMORY_MIB = 320
PT_LOAD = 1
# Pages of the copy, by their offset in MiB, and one page behind the first.
BAD = (100 << 20, (100 << 20) + 4096, 170 << 20)


def disks(mib=MEMORY_MIB, bad=()):
    """The target, and a blank disk for the copy on which reads of the pages at bad fail."""
    def make(where):
        first, second = where / "disk1.img", where / "vmcore.img"
        image.make_ext4(first, 256, fs_uuid=uuid(1))
        second.touch()
        with open(second, "r+b") as f:
            f.truncate(mib << 20)
        if not bad:
            return [first, second]
        rules = where / "blkdebug.conf"
        rules.write_text("".join(
            '[inject-error]\nevent = "read_aio"\niotype = "read"\nerrno = "5"\n'
            f'sector = "{at // 512}"\n\n' for at in bad), encoding="ascii")
        return [first, f"blkdebug:{rules}:{second}"]
    return make


def bad_pages(path):
    """How many of the pages at BAD are read. The kernel's image is in the file twice, and wherever
    it was put: a page of it is read where it comes first."""
    data = path.open("rb").read(4096)
    start, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    loads = []
    for i in range(count):
        kind, _, at, _, pa, length = struct.unpack_from("<IIQQQQ", data, start + i * size)
        if kind == PT_LOAD:
            loads.append((at, pa, length))

    def first(at):
        number, pa = next((i, p + at - o) for i, (o, p, n) in enumerate(loads) if o <= at < o + n)
        return not any(p <= pa < p + n for _, p, n in loads[:number])

    return sum(first(at) for at in BAD)


def check_bad(again=False):
    """The pages that cannot be read are counted, and nothing else is missing."""
    def check(run):
        path, record = judge.captured(run)
        found = record.get("dump", {}).get("pages", {}).get("unreadable")
        wanted = bad_pages(run.where / "vmcore.img")
        run.add("unreadable", None if found == wanted else f"{found} pages, not {wanted}")
        run.add("some-bad", None if wanted else "all of these pages are the kernel's image")
        notes(run, record, "unreadable", f"dump: {wanted} pages could not be read")
        if again:
            notes(run, record, "again", AGAIN)
        judge.step(run, record, "dump", "ok", "dump complete")
        judge.opens(run, path)
    return check


def check_truncated(run):
    _, record = judge.captured(run, complete=False)
    judge.said(run, "says-why", "dump incomplete: /proc/vmcore is itself incomplete")
    pages = record.get("dump", {}).get("pages", {})
    run.add("some-dumped", None if pages.get("dumped", 0) > 1000 else f"{pages}")
    run.add("rest-counted", None if pages.get("unreadable", 0) > 1000 else f"{pages}")
    judge.said(run, "says-end", "failed after .* s: reboot")


def check_no_info(run):
    """Everything is dumped, the log cannot be found; crash needs what is missing."""
    directory = judge.newest(run)
    if directory is None:
        return
    record = judge.record(run, directory)
    run.add("record-status", None if record.get("status") == "complete" else
            f"{record.get('status')}")
    judge.step(run, record, "dmesg", "failed", "no VMCOREINFO note")
    notes(run, record, "why",
          "dump: everything is dumped: pages cannot be classified: no VMCOREINFO note")
    judge.dump(run, directory)


def check_no_prstatus(run):
    path, record = judge.captured(run)
    judge.step(run, record, "dump", "ok", "dump complete")
    judge.opens(run, path, ("sys", "log", "ps"))


def check_unusable(why):
    """There is nothing to dump; a record is all that is left."""
    def check(run):
        directory = judge.newest(run)
        if directory is None:
            return
        record = judge.record(run, directory)
        judge.said(run, "says-dmesg", f"dmesg failed: /proc/vmcore: {why}")
        judge.said(run, "says-dump", f"dump failed: /proc/vmcore: {why}")
        run.add("record-status", None if record.get("status") == "failed" else
                f"{record.get('status')}")
        run.add("record-reason", None if why in record.get("reason", "") else
                f"{record.get('reason')}")
        judge.said(run, "says-lost", f"no dump was written: .*{why}")
        names = sorted(p.name for p in directory.iterdir())
        run.add("record-only", None if names == ["crashpod.json"] else f"{names}")
    return check


def check_absent(run):
    judge.said(run, "says-why", "vmcore failed: /proc/vmcore: this kernel was not started by the "
               "crash of another: No such file or directory")
    judge.said(run, "says-end", "failed after .* s: reboot")
    _, names = judge.files(run)
    run.add("nothing-left", f"{names}" if names else None)


def copied(name, fault, check, disk=disks(), when="", what="", level=31, **more):
    """A case in which a copy takes the place of /proc/vmcore."""
    conf = target(1, f"dump_level {level}")
    return Case(name, fault, conf, check, disk, edit=edit, memory_mib=MEMORY_MIB,
                append=order(when, what, vmcore=COPY, **more))


def replaced(name, fault, data, why):
    """A case in which a file takes its place."""
    def put(where, initrd):
        edit(where, initrd, [("vmcore", data)])

    return Case(name, fault, target(), check_unusable(why), disks(1), edit=put,
                append=order(vmcore="/vmcore"))


CASES = (
    copied("vmcore-eio", "pages of /proc/vmcore cannot be read (SIGBUS where they are mapped)",
           check_bad(), disks(bad=BAD), level=0),
    copied("vmcore-eio-read", "the same where /proc/vmcore is not mapped (EIO)",
           check_bad(again=True), disks(bad=BAD), "size:8000", KILL, level=0),
    copied("vmcore-truncated", "/proc/vmcore ends early", check_truncated, disks(96)),
    copied("vmcore-no-info", "/proc/vmcore has no VMCOREINFO", check_no_info,
           rename="VMCOREINFO:XMCOREINFO"),
    copied("vmcore-no-prstatus", "/proc/vmcore has no registers (PRSTATUS)", check_no_prstatus,
           rename="CORE:XORE"),
    replaced("vmcore-empty", "/proc/vmcore is empty", b"", "only 0 bytes: too short for a vmcore"),
    replaced("vmcore-garbage", "/proc/vmcore is random bytes",
             random.Random("vmcore").randbytes(65536),
             "neither an ELF vmcore nor a kdump file: unknown first bytes"),
    Case("vmcore-absent", "no kernel has crashed: the ramdisk was booted by mistake", target(),
         check_absent, disks(1), append="elfcorehdr=0xffffffffffffffff", quick=True),
)
