# SPDX-License-Identifier: GPL-2.0-or-later
"""A quota that holds for root too: a qgroup of btrfs. Those of ext4 and f2fs root passes by, those
of xfs hold only where the mount asks for them."""

import re

from ground import kernels, paths

from . import faultjudge as judge
from . import image
from .faultdisks import disks
from .faultrun import Case, uuid

DISK_MIB = 256
LIMIT_MIB = 40
REASON = "(Quota exceeded|No space left on device)"  # btrfs says both
MODULES = "virtio_pci virtio_blk btrfs"


def btrfs(number):
    """An empty btrfs."""
    def make(path):
        with open(path, "wb") as f:
            f.truncate(DISK_MIB << 20)
        paths.run(["mkfs.btrfs", "-q", "-U", uuid(number), path])
    return make


def with_btrfs(where):
    """The production root's: btrfs with all that it needs, in order, and what sets the quota."""
    found = kernels.module_closure(kernels.ensure(kernels.DEFAULT), ("btrfs",))
    files = [(f"boot/btrfs/{index:02}.ko", image.plain_module(path, where / f"quota-{index}.ko"))
             for index, path in enumerate(found)]
    return [*files, ("usr/bin/qgroup", image.compile_guest("qgroup", where / "qgroup"))]


PRODUCTION = ("for m in /boot/btrfs/*.ko; do insmod $m || true; done\n"
              "mkdir -p /tmp/quota\n"
              "mount -t btrfs /dev/vdb /tmp/quota\n"
              f"qgroup /tmp/quota {LIMIT_MIB << 20}\n"
              "umount /tmp/quota\n")


def check_quota(run):
    """The quota is met in the middle; what there was room for stays, and says so."""
    path, found = judge.captured(run, complete=False)
    judge.said(run, "says-quota", f"dump incomplete: .*-incomplete: .*{REASON}")
    run.add("record-reason", None if re.search(REASON, found.get("reason", "")) else f"{found}")
    size = path.stat().st_size >> 20 if path else 0
    run.add("up-to-the-quota", None if LIMIT_MIB // 2 < size <= LIMIT_MIB else f"{size} MiB")
    judge.opens(run, path, ("sys", "log"))


CASES = (
    Case("space-quota", "a quota lets less be written than the file system has room for",
         (f"btrfs UUID={uuid(1)}", "path /var/crash", "compress none"), check_quota,
         disks(btrfs(1)), production=PRODUCTION, files=with_btrfs, modules=MODULES,
         crashkernel="128M"),
)
