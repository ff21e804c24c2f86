# SPDX-License-Identifier: GPL-2.0-or-later
"""Real vmcores under build/ground/samples, for tools that want input without a guest of their own.

NAME.vmcore is a copy of /proc/vmcore made by a capture kernel; NAME-qemu.elf is QEMU's dump of
a running guest; the rest are makedumpfile's dumps of NAME.vmcore.
"""

import contextlib
import shutil
import subprocess

from ground import forky, kernels, paths

from . import image, scenario
from .vm import Vm

DIR = paths.GROUND / "samples"
VARIANTS = {
    "d31-z.kdump": ("-z", "-d", "31"),
    "d31-c.kdump": ("-c", "-d", "31"),
    "d1-z.kdump": ("-z", "-d", "1"),
    "d0-z.kdump": ("-z", "-d", "0"),
    "d31.elf": ("-E", "-d", "31"),
    "d31-F.flat": ("-F", "-z", "-d", "31"),
}
COPY = "mkdir /copy && mount /dev/vdb /copy && cp /proc/vmcore /copy/vmcore; umount /copy; sync\n"


def qemu_elf(name, memory_mib=2048):
    """Let a guest plant its pages, tell QEMU where vmcoreinfo is, and dump it as it runs."""
    out = DIR / f"{name}-qemu.elf"
    if not out.exists():
        with scenario.workplace(f"sample-qemu-{name}") as where:
            _qemu_elf(kernels.ensure(name), where, out, memory_mib)
            shutil.rmtree(where)
    return out


@contextlib.contextmanager
def live_guest(kernel, where, memory_mib, load=""):
    """A Vm whose guest has planted its pages, run load and told QEMU where vmcoreinfo is."""
    module = kernels.module_path(kernel, "qemu_fw_cfg")
    plan = scenario.Plan(kernel, where, load=load, memory_mib=memory_mib)
    if module is not None:
        plan.files.append(("test/qemu_fw_cfg.ko", image.plain_module(module, where / "fw_cfg.ko")))
        plan.load += "insmod /test/qemu_fw_cfg.ko\n"
    plan.crash = "echo 'test-mark: planted-all' > /dev/console; sleep 600\n"
    disk = scenario.make_root(plan, 1)
    initrd = image.busybox_initramfs(kernel, "boot-init.sh", where / "boot.cpio")
    with Vm(where, memory_mib << 20) as vm:
        vm.start(kernel.vmlinuz, initrd, scenario.APPEND, [disk])
        vm.wait(lambda c: any(n == "planted-all" for n, _ in c.marks), 120, "the planter")
        yield vm


def _qemu_elf(kernel, where, out, memory_mib):
    with live_guest(kernel, where, memory_mib) as vm:
        vm.qmp.call("dump-guest-memory", paging=False, protocol=f"file:{where}/dump")
    shutil.copyfile(where / "console.log", DIR / f"{kernel.name}-qemu.console")
    paths.run(["cp", "--sparse=always", where / "dump", out])


def kexec_vmcore(name, memory_mib=2048, cpus=2):
    """Crash a guest for real and copy /proc/vmcore whole; planted pages are in NAME.manifest."""
    out = DIR / f"{name}.vmcore"
    if not out.exists():
        with scenario.workplace(f"sample-{name}") as where:
            _kexec_vmcore(kernels.ensure(name), where, out, memory_mib, cpus)
            shutil.rmtree(where)
    return out


def _kexec_vmcore(kernel, where, out, memory_mib, cpus):
    big = where / "copy.img"
    image.make_ext4(big, memory_mib + 512)
    capture = image.busybox_initramfs(kernel, "capture-init.sh", where / "capture.cpio",
                                      texts=[("capture", COPY)])
    plan = scenario.Plan(kernel, where, load=scenario.kexec_load(), memory_mib=memory_mib,
                         cpus=cpus, files=[*scenario.kexec_files(), ("boot/capture", capture)],
                         limit_s=600)
    outcome = scenario.run(plan, snapshot=where / "snapshot", extra_disks=[big])
    paths.run(["debugfs", "-R", f"dump /vmcore {where}/vmcore", big])
    beside = {"manifest": outcome.out / "manifest", "manifest.free": outcome.out / "manifest.free",
              "console": where / "console.log", "iomem": outcome.out / "iomem"}
    for suffix, path in beside.items():
        shutil.copyfile(path, DIR / f"{kernel.name}.{suffix}")
    (DIR / f"{kernel.name}.seed").write_text(f"{outcome.seed}\n", encoding="ascii")
    shutil.move(where / "snapshot", DIR / f"{kernel.name}.snapshot")
    paths.run(["cp", "--sparse=always", where / "vmcore", out])


def make(name):
    """All samples of a kernel; yields (path, what it is) as each appears."""
    DIR.mkdir(parents=True, exist_ok=True)
    yield qemu_elf(name), "QEMU's dump-guest-memory of a live guest, ELF with VMCOREINFO"
    vmcore = kexec_vmcore(name)
    yield vmcore, "copy of /proc/vmcore after a real panic"
    for suffix, options in VARIANTS.items():
        path = DIR / f"{name}-{suffix}"
        if not path.exists():
            part = path.with_suffix(".part")
            if "-F" in options:
                with open(part, "wb") as f:
                    forky.run(["makedumpfile", *options, vmcore], stdout=f,
                              stderr=subprocess.PIPE)
            else:
                forky.run(["makedumpfile", *options, vmcore, part])
            part.rename(path)
        yield path, "makedumpfile " + " ".join(options)
