# SPDX-License-Identifier: GPL-2.0-or-later
"""A production system that is about to crash: its root, its command line, its run to the end."""

import contextlib
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from ground import kernels, paths

from . import image
from .vm import Lost, Vm

# no_timer_check: on a busy host TCG's timer fails the check now and then, which is a panic.
APPEND = "console=ttyS0 panic=5 printk.devkmsg=on no_timer_check"
CAPTURE_APPEND = "console=ttyS0 nr_cpus=1 irqpoll reset_devices panic=5"
CRASH = "echo c > /proc/sysrq-trigger\n"


@dataclass
class Plan:
    """What one run is to do; the rest follows from it.

    idle: the guest plants nothing and touches little of its memory, which may be more than the
    host has; there are no snapshots of it.
    """
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
    idle: bool = False
    cpu: str = "max"


@dataclass
class Outcome:
    """What a run left: the files of /test/out and of /var/crash, and times.

    stuck says why the machine did not come back by itself, damage what e2fsck could not mend
    in the root file system; None where all is well.
    """
    out: Path
    crash_dir: Path
    marks: dict
    snapshot: Path
    seed: int
    stuck: str = None
    damage: str = None


@contextlib.contextmanager
def workplace(name):
    """An empty directory for a run, so that nothing of an older run is taken for this one's.

    A second run of the same name waits until the first has ended.
    """
    with paths.locked(f"run-{name}"):
        where = paths.GROUND / "run" / name
        shutil.rmtree(where, ignore_errors=True)
        where.mkdir(parents=True)
        yield where


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
    root.file("usr/bin/plant", image.compile_guest("plant", plan.where / "plant"))
    root.text("test/load", plan.load)
    root.text("test/crash", plan.crash)
    root.text("test/seed", f"{seed}\n")
    if plan.idle:
        root.text("test/idle", "")
    disk = plan.where / "disk.img"
    root.make(disk, plan.disk_mib)
    return disk


def run(plan, snapshot=None, extra_disks=(), on_capture=None):
    """Boot, crash, capture, come back. Raises Lost where the guest does not get to its crash.

    snapshot: a file to copy the guest's memory to, once the capture kernel is up.
    on_capture: called with the Vm before that, at the capture kernel's first line.
    """
    seed = random.getrandbits(63)
    disk = make_root(plan, seed)
    initrd = image.busybox_initramfs(plan.kernel, "boot-init.sh", plan.where / "boot.cpio")
    append = f"{APPEND} crashkernel={plan.crashkernel} {plan.append}"
    stuck = None
    with Vm(plan.where, plan.memory_mib << 20, plan.cpus, plan.cpu, reserve=not plan.idle) as vm:
        vm.start(plan.kernel.vmlinuz, initrd, append, [disk, *extra_disks])
        # A second kernel's first line: memory is as the panic left it, but for what is reserved.
        if vm.wait(lambda c: c.boots > 1, plan.limit_s, "the capture kernel"):
            if on_capture is not None:
                on_capture(vm)
            if snapshot is not None:
                vm.snapshot(snapshot)
            try:
                vm.wait(lambda c: False, plan.limit_s, "the machine to come back and power off")
            except Lost as e:
                if vm.process.poll() is not None:
                    raise
                # From here on it is the capture system that must come to an end by itself.
                stuck = str(e)
        marks = vm.console.times()
    return _collect(plan, disk, Outcome(None, None, marks, snapshot, seed, stuck))


def _collect(plan, disk, outcome):
    sound, text = image.check_ext4(disk)
    outcome.damage = None if sound else text.strip()
    outcome.out = image.extract(disk, "/test/out", plan.where / "test")
    outcome.crash_dir = image.extract(disk, "/var/crash", plan.where / "var")
    if not outcome.out.exists():
        raise Lost("the guest wrote nothing")
    return outcome
