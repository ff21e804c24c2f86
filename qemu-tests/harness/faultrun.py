# SPDX-License-Identifier: GPL-2.0-or-later
"""One fault: a production system that crashes into a capture kernel for which something is wrong.

The production root is a disk of its own (vda). The target is another one, so that a case may
damage, fill, hide or withdraw it. QEMU ends at the first reset or power-off after the crash.
"""

import os
import re
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from ground import kernels, paths

from . import image, loop, scenario
from .vm import Lost, Vm

TARGET_UUID = "7a26e700-0000-4000-8000-00000000000"
# The harness tells kernels apart by their time stamps; a small one may have them off.
APPEND = "console=ttyS0 loglevel=7 printk.time=1"
PREFIX = "crashpod: "
HALTED = "reboot: System halted"
HALTED_S = 5


def uuid(number):
    """The UUID of the file system on a case's disk, counted from 1 (vdb)."""
    return f"{TARGET_UUID}{number:x}"


@dataclass
class Case:
    """A row of the matrix.

    conf: lines of crashpod.conf. disks(where): images of vdb, vdc, ...
    production: shell commands on the production system, before it loads the capture kernel;
    loaded: after that.
    edit(where, initrd): changes the initramfs after mkinitrd. append: the capture kernel's.
    on: (pattern, action) pairs: the first time that a line of the capture kernel's console
    matches, action(Run) is called. files: more for the production root, or files(where) that gives
    them. kernel: this one, whatever run.py was asked for. ends: how the machine has to end by
    itself, see Run.ended. boot: more of the production kernel's command line. crashkernel:
    the kernel's own where it is empty.
    rounds: how often the machine boots and crashes; the target's disks stay as they are.
    check(Run): calls Run.add() for everything else that must hold.
    """
    name: str
    fault: str
    conf: tuple
    check: object
    disks: object = None
    production: str = ""
    loaded: str = ""
    crash: str = scenario.CRASH
    edit: object = None
    append: str = ""
    boot: str = ""
    extra: object = ()
    on: tuple = ()
    ends: str = "reboot"
    memory_mib: int = 512
    crashkernel: str = ""
    cpus: int = 1
    capture_cpus: int = 0  # crashpod load --cpus; 0: not given
    modules: str = "virtio_pci virtio_blk"
    files: tuple = ()
    kernel: str = ""
    limit_s: int = 150
    quick: bool = False
    capture: Path = None  # where scripts/kernel.sh left a capture kernel; None: the crashed one
    rounds: int = 1


@dataclass
class Run:
    """What became of a case. ended: reboot, poweroff, halted (and still there some seconds later),
    watchdog (reset by it), quit (by the case), stuck (nothing of that in limit_s)."""
    case: Case
    where: Path
    kernel: object = None
    vm: Vm = None
    disks: list = field(default_factory=list)
    lines: list = field(default_factory=list)
    ended: str = ""
    tests: list = field(default_factory=list)
    trees: dict = field(default_factory=dict)

    def add(self, name, why=None):
        self.tests.append((name, why))

    def quit(self):
        """For a case's action: the machine loses power."""
        os.kill(self.vm.process.pid, signal.SIGKILL)
        self.vm.process.wait()
        self.ended = "quit"

    @property
    def text(self):
        """What the capture kernel's console said, crashpod's lines without their prefix."""
        return "\n".join(line for _, line in self.lines)

    def said(self, pattern):
        return re.search(pattern, self.text, re.M)

    def tree(self, number=1, inside="/var/crash"):
        """(files of a disk's directory, what e2fsck said or None); 0 is the production root."""
        key = (number, inside)
        if key not in self.trees:
            disk = self.disks[number]
            sound, text = image.check(disk)
            to = image.copy_out(disk, inside, self.where / f"tree{number}{inside.replace('/', '_')}")
            self.trees[key] = (to, None if sound else text.strip())
        return self.trees[key]


def _initrd(case, kernel, where):
    conf = where / "crashpod.conf"
    conf.write_text("".join(f"{line}\n" for line in case.conf), encoding="utf-8")
    initrd = where / "crashpod.img"
    kver, root = kernel.kver, kernel.root
    if case.capture:
        kver, root = (case.capture / "release").read_text(encoding="ascii").strip(), case.capture
    paths.run([paths.TOP / "mkinitrd/mkinitrd", "-k", kver, "-c", conf, "-o", initrd,
               "--modules-root", root, "--init", paths.BUILD / "init",
               "--add-modules", case.modules])
    if case.edit:
        case.edit(where, initrd)
    return initrd


def _plan(case, kernel, where):
    initrd = _initrd(case, kernel, where)
    cpus = f"--cpus {case.capture_cpus} " if case.capture_cpus else ""
    load = ("set -e\n" + case.production +
            f"crashpod load --kernel /boot/{'capture' if case.capture else 'vmlinuz'} "
            f"--initrd /boot/crashpod.img {cpus}--append '{APPEND} {case.append}'\n" + case.loaded)
    return scenario.Plan(
        kernel, where, load=load, crash=case.crash, memory_mib=case.memory_mib, disk_mib=192,
        crashkernel=case.crashkernel or kernels.reserve(kernel.name),
        cpus=case.cpus, idle=True,
        files=[("usr/bin/crashpod", paths.BUILD / "crashpod"),
               ("boot/crashpod.img", initrd),
               *(case.files(where) if callable(case.files) else case.files),
               *([("boot/capture", case.capture / "bzImage")] if case.capture else [])])


def _watch(run):
    """Follow the capture kernel until it ends; gives how."""
    waiting = list(run.case.on)
    seen = 0
    halted = None

    def step(console):
        nonlocal seen, halted
        first = console.boot_times[1] if console.boots > 1 else None
        new, seen = console.lines[seen:], len(console.lines)
        for at, line in new:
            if first is None or at < first:
                continue
            line = line.removeprefix(PREFIX)
            run.lines.append((at, line))
            for pair in [p for p in waiting if re.search(p[0], line)]:
                waiting.remove(pair)
                pair[1](run)
                if run.ended:
                    return True
            if line.endswith(HALTED):
                halted = time.monotonic()
        if halted is not None and time.monotonic() - halted > HALTED_S:
            run.ended = "halted"
        return bool(run.ended)

    try:
        if run.vm.wait(step, run.case.limit_s, "the capture kernel to end"):
            return run.ended
    except Lost as e:
        if run.vm.process.poll() is None:
            run.lines.append((0, f"(test: {e})"))
            return "stuck"
        raise
    events = run.vm.qmp.rest()
    if any(e.get("event") == "WATCHDOG" for e in events):
        return "watchdog"
    reasons = [e["data"].get("reason") for e in events if e.get("event") == "SHUTDOWN"]
    return {"guest-reset": "reboot", "guest-shutdown": "poweroff"}.get(
        reasons[-1] if reasons else None, f"QEMU ended: {reasons}")


def _crash(found, plan):
    """One production system, from its boot to the end of its capture kernel."""
    case, where = found.case, found.where
    found.ended = ""
    (where / "console.log").unlink(missing_ok=True)
    found.disks[0] = scenario.make_root(plan, 1)
    initrd = image.busybox_initramfs(found.kernel, "boot-init.sh", where / "boot.cpio")
    extra = case.extra(where) if callable(case.extra) else case.extra
    append = f"{scenario.APPEND} crashkernel={plan.crashkernel} {case.boot}"
    with Vm(where, plan.memory_mib << 20, plan.cpus, plan.cpu, reserve=False) as vm:
        found.vm = vm
        vm.start(found.kernel.vmlinuz, initrd, append,
                 [d for d in found.disks if d is not None],
                 ["-action", "reboot=shutdown", *extra])
        if not vm.wait(lambda c: c.boots > 1, plan.limit_s, "the capture kernel"):
            raise Lost("the production system ended without a crash")
        found.ended = _watch(found)
        found.vm = None


def run(case, kernel_name=kernels.DEFAULT):
    """Run a case and judge it. Lost and GroundError pass through."""
    kernel_name = case.kernel or kernel_name
    kernel = kernels.ensure(kernel_name)
    with scenario.workplace(f"fault-{kernel_name}-{case.name}") as where:
        found = Run(case, where, kernel)
        plan = _plan(case, kernel, where)
        found.disks = [None, *(case.disks(where) if case.disks else [])]
        for _ in range(case.rounds):
            _crash(found, plan)
        (where / "capture.txt").write_text(found.text, encoding="utf-8")
        found.add("ends", None if found.ended == case.ends else
                  f"{found.ended}, not {case.ends}")
        try:
            case.check(found)
        except (OSError, KeyError, IndexError, ValueError) as e:
            found.add("judged", f"{type(e).__name__}: {e}")
        for path in where.glob("disk*.img"):
            if all(why is None for _, why in found.tests):
                path.unlink()
    return found


def lines(found, kernel_name):
    return loop.lines(f"fault-{kernel_name}/{found.case.name}", found.tests)
