# SPDX-License-Identifier: GPL-2.0-or-later
"""Real vmcores under build/ground/samples, for tools that want input without a guest of their own.

NAME.vmcore is a copy of /proc/vmcore made by a capture kernel; NAME-qemu.elf is QEMU's dump of
a running guest; the rest are makedumpfile's dumps of NAME.vmcore.
"""

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
    if out.exists():
        return out
    kernel = kernels.ensure(name)
    where = paths.GROUND / "run" / f"sample-qemu-{name}"
    load = "insmod /test/qemu_fw_cfg.ko\n"
    module = kernels.module_path(kernel, "qemu_fw_cfg")
    files = [("test/qemu_fw_cfg.ko", module)] if module else []
    plan = scenario.Plan(kernel, where, load=load, memory_mib=memory_mib, files=files)
    plan.crash = "echo 'test-mark: planted-all' > /dev/console; sleep 600\n"
    where.mkdir(parents=True, exist_ok=True)
    disk = scenario.make_root(plan, 1)
    initrd = image.busybox_initramfs(kernel, "boot-init.sh", where / "boot.cpio")
    with Vm(where, memory_mib << 20) as vm:
        vm.start(kernel.vmlinuz, initrd, scenario.APPEND, [disk])
        vm.wait(lambda c: any(n == "planted-all" for n, _ in c.marks), 120, "the planter")
        part = where / "dump"
        vm.qmp.call("dump-guest-memory", paging=False, protocol=f"file:{part}")
    shutil.copyfile(where / "console.log", DIR / f"{name}-qemu.console")
    paths.run(["cp", "--sparse=always", part, out])
    shutil.rmtree(where)
    return out


def kexec_vmcore(name, memory_mib=2048, cpus=2):
    """Crash a guest for real and copy /proc/vmcore whole; planted pages are in NAME.manifest."""
    out = DIR / f"{name}.vmcore"
    if out.exists():
        return out
    kernel = kernels.ensure(name)
    where = paths.GROUND / "run" / f"sample-{name}"
    where.mkdir(parents=True, exist_ok=True)
    big = where / "copy.img"
    image.make_ext4(big, memory_mib + 512)
    capture = image.busybox_initramfs(kernel, "capture-init.sh", where / "capture.cpio",
                                      texts=[("capture", COPY)])
    plan = scenario.Plan(kernel, where, load=scenario.kexec_load(), memory_mib=memory_mib,
                         cpus=cpus, files=[*scenario.kexec_files(), ("boot/capture", capture)],
                         limit_s=600)
    outcome = scenario.run(plan, snapshot=where / "snapshot", extra_disks=[big])
    tree = where / "copy"
    tree.mkdir(exist_ok=True)
    paths.run(["debugfs", "-R", f"dump /vmcore {tree}/vmcore", big])
    text = "".join((outcome.out / m).read_text() for m in ("manifest", "manifest.free"))
    (DIR / f"{name}.manifest").write_text(text, encoding="ascii")
    (DIR / f"{name}.seed").write_text(f"{outcome.seed}\n", encoding="ascii")
    shutil.copyfile(where / "console.log", DIR / f"{name}.console")
    shutil.copyfile(outcome.out / "iomem", DIR / f"{name}.iomem")
    shutil.move(where / "snapshot", DIR / f"{name}.snapshot")
    paths.run(["cp", "--sparse=always", tree / "vmcore", out])
    shutil.rmtree(where)
    return out


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
