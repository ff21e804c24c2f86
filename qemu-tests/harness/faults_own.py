# SPDX-License-Identifier: GPL-2.0-or-later
"""crashpod's own capture kernel with every fragment of configs/kernel
(`KERNEL_OUT=build/kernel-all make kernel FRAGMENTS=all`): each driver takes a dump, two CPUs, a
console on a framebuffer."""

from ground import paths

from . import faultjudge as judge
from . import image
from .faultrun import Case, uuid
from .faults_boot import efi
from .faultdisks import MIB, ext4
from .faults_target import target

ALL = paths.BUILD / "kernel-all"
BTRFS_MIB = 160


def beside(*devices):
    """extra() of a case: the target is a drive "target" that these devices carry."""
    def extra(where):
        image.make_ext4(where / "target.img", MIB, fs_uuid=uuid(1))
        argv = ["-drive", f"file={where}/target.img,format=raw,if=none,id=target,cache=unsafe"]
        return argv + [word for device in devices for word in ("-device", device)]
    return extra


def check(run):
    if len(run.disks) == 1:  # beside()
        run.disks.append(run.where / "target.img")
    _, found = judge.captured(run)
    run.add("by-the-own-kernel", None if "-crashpod" in str(found) else "not in the record")


def check_cpus(run):
    check(run)
    judge.said(run, "two-cpus", r"the capture kernel is up: .* CPUs 0-1")


def check_framebuffer(run):
    check(run)
    judge.said(run, "framebuffer", r"Console: switching to colour frame buffer device")


def make_btrfs(path):
    with open(path, "wb") as f:
        f.truncate(BTRFS_MIB << 20)
    paths.run(["mkfs.btrfs", "-q", "-f", "-U", uuid(1), path])


def btrfs(where):
    path = where / "disk1.img"
    make_btrfs(path)
    return [path]


def check_btrfs(run):
    """Sound, and the dump in it, as btrfs's own tools see them."""
    disk = run.disks[1]
    paths.run(["btrfs", "check", "--readonly", disk])
    to = run.where / "restored"
    to.mkdir(exist_ok=True)
    paths.run(["btrfs", "restore", disk, to])
    run.trees[(1, "/var/crash")] = (to / "var/crash", None)
    check(run)


def case(name, fault, extra=(), **more):
    more = {"check": check, "conf": target(), "memory_mib": 1024, "crashkernel": "48M", **more}
    return Case(name, fault, extra=extra, capture=ALL, **more)


CASES = (
    case("own-btrfs", "own kernel, btrfs", conf=(f"btrfs UUID={uuid(1)}", "path /var/crash"),
         disks=btrfs, check=check_btrfs),
    case("own-usb", "own kernel, a USB disk",
         beside("qemu-xhci,id=usb", "usb-storage,drive=target,bus=usb.0")),
    case("own-scsi", "own kernel, VMware's SCSI controller",
         beside("pvscsi,id=ctl", "scsi-hd,drive=target,bus=ctl.0")),
    case("own-nvme", "own kernel, NVMe", beside("nvme,drive=target,serial=target")),
    case("own-sata", "own kernel, SATA",
         beside("ahci,id=ctl", "ide-hd,drive=target,bus=ctl.0")),
    case("own-cpus", "own kernel, two CPUs", disks=ext4(1), cpus=3, capture_cpus=2,
         check=check_cpus),
    case("own-framebuffer", "own kernel, a console on the screen of UEFI firmware",
         lambda where: [*efi(where), "-device", "VGA"], disks=ext4(1), limit_s=240,
         check=check_framebuffer),
)
