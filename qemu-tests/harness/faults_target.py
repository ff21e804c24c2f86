# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of the target: it is not there, comes late, is no file system, cannot be written.

Where the target cannot take the dump there is a second one, which has to; its record tells why.
"""

import re
import subprocess
import time

from . import faultdisks as disk
from . import faultjudge as judge
from . import faultrd
from .faultrun import Case, uuid

WAIT_S = 30
LATE_S = 20


def target(number=1, *more):
    """Lines of crashpod.conf."""
    return (f"ext4 UUID={uuid(number)}", "path /var/crash", *more)


def two(first, second=2):
    """The target that fails, and the one that does not."""
    return (first, *target(second))


def check_plain(run):
    path, _ = judge.captured(run)
    judge.opens(run, path)


def check_lost(run, *patterns):
    """Nothing was written; the log's end is on the console."""
    for pattern in patterns:
        judge.said(run, "says-" + re.sub(r"\W+", "-", pattern)[:24], pattern)
    judge.said(run, "says-lost", "^no dump was written: .*target: ")
    head, _, tail = run.text.partition("the dead kernel's log, its last ")
    log, _, _ = tail.partition("end of the dead kernel's log")
    run.add("log-on-console", None if head and judge.PANIC in log else f"{log[-200:]!r}")


def check_missing(run):
    check_lost(run, f"target failed: UUID={uuid(1)} did not appear within {WAIT_S} s; there are: ")


def check_no_disk(run):
    check_lost(run, f"did not appear within {WAIT_S} s; there is no disk at all")


def second(number, *texts, waits=0):
    """check() of a case: the targets before disk NUMBER are told of with these texts."""
    def check(run):
        _, found = judge.captured(run, number)
        judge.passed_over(run, found, *texts)
        for text in texts:
            judge.said(run, "console-" + re.sub(r"\W+", "-", text)[:24], re.escape(text))
        took = found.get("seconds", 999)
        run.add("in-time", None if took < waits + 25 else f"{took} s")
    return check


def readonly(where):
    """QEMU's arguments for one more disk, whose file system has the number 1."""
    path = where / "readonly.img"
    disk.plain(1)(path)
    return ["-drive", f"file={path},format=raw,if=virtio,readonly=on"]


def check_ext2(run):
    _, found = judge.captured(run)
    judge.step(run, found, "target", "ok", "is /dev/vdb (ext4, not ext2), the dump goes to ")


# --- comes late ---

LATE = ("-device", "pcie-root-port,id=hot,chassis=1,slot=1")


def plug(run):
    """The target's disk is put in while crashpod waits for it."""
    time.sleep(LATE_S)
    path = run.where / "late.img"
    disk.plain(1)(path)
    run.disks.append(path)
    run.vm.qmp.call("blockdev-add", driver="raw", **{"node-name": "late"},
                    file={"driver": "file", "filename": str(path)})
    run.vm.qmp.call("device_add", driver="virtio-blk-pci", id="late", bus="hot", drive="late")


def check_late(run):
    _, found = judge.captured(run)
    judge.said(run, "says-it-waits", f"UUID={uuid(1)} is not there yet, waiting")
    steps = [s for s in found.get("steps", []) if s["name"] == "target"]
    took = steps[0]["seconds"] if steps else 0
    run.add("waited", None if LATE_S - 5 < took < WAIT_S else f"{took} s")


# --- a journal ---

MOUNT = """
mkdir -p /tmp/t
mount -t ext4 /dev/vdb /tmp/t
i=0
while test $i -lt 50; do
	i=$((i + 1))
	mkdir -p /tmp/t/data/$i
	seq 1 2000 > /tmp/t/data/$i/numbers
done
sync
mv /tmp/t/data/1 /tmp/t/data/one
echo unsynced > /tmp/t/data/unsynced
"""


def check_journal(run):
    done = subprocess.run(["e2fsck", "-f", "-n", str(run.disks[1])], check=False,
                          capture_output=True, text=True)
    run.add("fsck-clean", None if done.returncode == 0 else done.stdout.strip()[-200:])
    judge.said(run, "journal-replayed", r"EXT4-fs \(vdb\): recovery complete")
    judge.captured(run)
    tree, _ = run.tree(1, "/data")
    want = "".join(f"{n}\n" for n in range(1, 2001))
    bad = [p.parent.name for p in tree.glob("*/numbers") if p.read_text() != want]
    count = len(list(tree.glob("*/numbers")))
    run.add("other-files-unchanged", f"{bad} of {count}" if bad or count != 50 else None)


# --- the directory ---

def check_made(run):
    judge.captured(run, 1, "/a/new/place")


CASES = (
    Case("none", "nothing is wrong", target(), check_plain, disk.ext4(1), quick=True),
    Case("target-missing", "the target is not there", target(), check_missing),
    Case("target-no-disk", "no disk is there, as its driver is missing", target(), check_no_disk,
         modules="virtio_pci"),
    Case("target-wrong-uuid", "the disk is there, the UUID is another's", two(
        f"ext4 UUID={uuid(9)}"), second(2, f"UUID={uuid(9)} did not appear within 30 s; there are:",
                                        waits=WAIT_S), disk.ext4(1, 2)),
    Case("target-late", "the target appears after 20 s", target(), check_late, extra=LATE,
         on=(("not there yet, waiting", plug),)),
    Case("target-noise", "the device holds no file system", two("ext4 /dev/vdb"), second(
        2, "mount /dev/vdb as ext4: Invalid argument; no file system was found on it; "
           "EXT4-fs (vdb): VFS: Can't find ext4 filesystem"),
         disk.disks(disk.noise, disk.plain(2)), quick=True),
    Case("target-noise-partuuid", "the partition holds no file system", two(
        f"ext4 PARTUUID={disk.PARTUUID}"), second(
            2, "mount /dev/vdb1 as ext4: Invalid argument; no file system was found on it"),
         disk.disks(disk.noise_in_partition, disk.plain(2))),
    Case("target-foreign", "xfs where ext4 is configured", two(f"ext4 UUID={uuid(1)}"), second(
        2, "mount /dev/vdb as ext4: Invalid argument; it holds xfs"),
         disk.disks(disk.xfs_head(1), disk.plain(2))),
    Case("target-foreign-xfs", "ext4 where xfs is configured", two(f"xfs UUID={uuid(1)}"), second(
        2, "mount /dev/vdb as xfs: Invalid argument; it holds ext4; XFS (vdb): "
           "Invalid superblock magic number"), disk.ext4(1, 2), crashkernel="128M"),
    Case("target-ext2", "it holds ext4, ext2 is configured", (f"ext2 UUID={uuid(1)}",),
         check_ext2, disk.ext4(1)),
    Case("target-superblock", "the superblock is overwritten", two("ext4 /dev/vdb"), second(
        2, "mount /dev/vdb as ext4: Invalid argument; no file system was found on it"),
         disk.disks(disk.damaged(1, (disk.SUPERBLOCK, 1024)), disk.plain(2))),
    Case("target-descriptors", "the group descriptors are damaged", two(f"ext4 UUID={uuid(1)}"),
         second(2, "mount /dev/vdb as ext4: Structure needs cleaning; EXT4-fs (vdb): ext4_check_"),
         disk.disks(disk.damaged(1, (4096, 256)), disk.plain(2))),
    Case("target-no-module", "the file system's module is not in the ramdisk", two(
        f"xfs UUID={uuid(1)}"), second(2, "this kernel has no xfs: its module"), disk.ext4(1, 2),
         edit=faultrd.without("lib/modules/xfs.ko")),
    Case("target-feature", "a feature that the kernel does not know", two(f"ext4 UUID={uuid(1)}"),
         second(2, "EXT4-fs (vdb): Couldn't mount because of unsupported optional features"),
         disk.disks(disk.debugfs(1, "set_super_value feature_incompat 0x800002c2"),
                    disk.plain(2))),
    Case("target-journal", "the target was mounted and written when the kernel died", target(),
         check_journal, disk.ext4(1), production=MOUNT, quick=True),
    Case("target-readonly", "the device is read-only", two(f"ext4 UUID={uuid(1)}"), second(
        1, "mount /dev/vdc as ext4: the device is read-only"), disk.disks(disk.plain(2)),
         extra=readonly),
    Case("path-missing", "the directory is not there", (target()[0], "path /a/new/place"),
         check_made, disk.ext4(1)),
    Case("path-symlink", "a part of the path is a symbolic link", two(f"ext4 UUID={uuid(1)}"),
         second(2, "/var/crash: crash: a symbolic link, which is not followed"),
         disk.disks(disk.debugfs(1, "mkdir /var", "symlink /var/crash /lost+found"),
                    disk.plain(2))),
    Case("path-file", "a part of the path is a file", two(f"ext4 UUID={uuid(1)}"),
         second(2, "/var/crash: crash: Not a directory"),
         disk.disks(disk.debugfs(1, "mkdir /var", f"write {__file__} /var/crash"),
                    disk.plain(2))),
    Case("fallback", "of six targets five fail, each in its own way", (
        f"ext4 UUID={uuid(8)}", f"ext4 UUID={uuid(9)}", "ext4 /dev/vdb", f"ext4 UUID={uuid(2)}",
        f"ext4 UUID={uuid(1)}", *target(3)), second(
            3, f"UUID={uuid(8)} did not appear within 30 s",
            f"UUID={uuid(9)} did not appear within 30 s", "no file system was found on it",
            "a symbolic link", "the device is read-only", waits=WAIT_S),
         disk.disks(disk.noise, disk.debugfs(2, "symlink /var /lost+found"), disk.plain(3)),
         extra=readonly),
)
