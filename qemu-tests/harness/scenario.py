# SPDX-License-Identifier: GPL-2.0-or-later
"""A production system that is about to crash: its root, its command line, its run to the end."""

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from ground import forky, kernels, paths

from . import image
from .vm import Lost, Vm

APPEND = "console=ttyS0 panic=5 printk.devkmsg=on"
CAPTURE_APPEND = "console=ttyS0 nr_cpus=1 irqpoll reset_devices panic=5"
CRASH = "echo c > /proc/sysrq-trigger\n"
# The first line that only a capture kernel prints: memory is as the panic left it from here on.
CAPTURE_UP = "capture"


@dataclass
class Plan:
    """What one run is to do; the rest follows from it."""
    kernel: kernels.Kernel
    where: Path
    load: str = ""
    crash: str = CRASH
    memory_mib: int = 2048
    crashkernel: str = "256M"
    disk_mib: int = 3072
    cpus: int = 2
    files: list = field(default_factory=list)
    texts: list = field(default_factory=list)
    limit_s: int = 300
    append: str = ""


@dataclass
class Outcome:
    """What a run left: the files of /test/out and of /var/crash, and times."""
    out: Path
    crash_dir: Path
    marks: dict
    snapshot: Path
    seed: int


def kexec_files():
    """kexec-tools, for capture systems that crashpod does not load."""
    return image.with_libraries("kexec")


def kexec_load(capture_append=CAPTURE_APPEND):
    """The /test/load of a capture system that kexec-tools loads from /boot."""
    return f'kexec -p -s /boot/vmlinuz --initrd=/boot/capture --append="{capture_append}"\n'


def make_root(plan, seed):
    """Build the production root and give its image."""
    root = image.Root(plan.where / "root")
    for name, source in plan.files:
        root.file(name, source)
    for name, text in plan.texts:
        root.text(name, text)
    root.file("boot/vmlinuz", plan.kernel.vmlinuz, 0o644)
    root.file("usr/bin/plant", image.compile_plant(plan.where / "plant"))
    root.text("test/load", plan.load)
    root.text("test/crash", plan.crash)
    root.text("test/seed", f"{seed}\n")
    disk = plan.where / "disk.img"
    root.make(disk, plan.disk_mib)
    return disk


def run(plan, snapshot=None, extra_disks=(), capture_line=None):
    """Boot, crash, capture, come back. Raises Lost where the guest does not get that far.

    snapshot: a file to copy the guest's memory to, once the capture kernel is up.
    capture_line: a pattern of the console that says so; a test-mark by default.
    """
    plan.where.mkdir(parents=True, exist_ok=True)
    seed = random.getrandbits(63)
    disk = make_root(plan, seed)
    initrd = image.busybox_initramfs(plan.kernel, "boot-init.sh", plan.where / "boot.cpio")
    append = f"{APPEND} crashkernel={plan.crashkernel} {plan.append}"

    def capturing(console):
        if capture_line is None:
            return any(name == CAPTURE_UP for name, _ in console.marks)
        return console.find(capture_line) is not None

    def gone(_console):
        return False

    with Vm(plan.where, plan.memory_mib << 20, plan.cpus) as vm:
        vm.start(plan.kernel.vmlinuz, initrd, append, [disk, *extra_disks])
        if vm.wait(capturing, plan.limit_s, "the capture kernel"):
            vm.console.marks.append((CAPTURE_UP, time.monotonic() - vm.console.start))
            if snapshot is not None:
                vm.snapshot(snapshot)
            vm.wait(gone, plan.limit_s, "the machine to come back and power off")
        marks = {}
        for name, at in [*vm.console.marks, ("off", time.monotonic() - vm.console.start)]:
            marks.setdefault(name, round(at, 2))
    return _collect(plan, disk, marks, snapshot, seed)


def _collect(plan, disk, marks, snapshot, seed):
    sound, text = image.check_ext4(disk)
    if not sound:
        raise Lost(f"the root file system is damaged: {text}")
    out = image.extract(disk, "/test/out", plan.where / "out")
    crash_dir = image.extract(disk, "/var/crash", plan.where / "crash")
    if not out.exists():
        raise Lost("the guest wrote nothing")
    return Outcome(out, crash_dir, marks, snapshot, seed)


def makedumpfile(argv, cwd=None):
    """The oracle's makedumpfile, from the forky root."""
    return forky.run(["makedumpfile", *argv], cwd=cwd or paths.GROUND)
