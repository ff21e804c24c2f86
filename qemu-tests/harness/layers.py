# SPDX-License-Identifier: GPL-2.0-or-later
"""Targets on arrays and volumes: the production guest makes them with the real tools, builds its own
image with mkinitrd, crashes, comes back and has the real tools open them again."""

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from ground import forky, kernels, layertools, paths, selfbuilt

from . import faultjudge as judge
from . import image, loop, scenario
from .vm import Lost, Vm

KERNEL = "6.1-amd64"
UUID = "1a9e2000-0000-4000-8000-000000000001"
DISK_MIB = 224
PROGRAMS = ("dash", "lvm", "mdadm", "dmsetup", "mke2fs", "e2fsck", "cpio", "zstd", "kmod", "blkid",
            "thin_check", "cryptsetup")
LINKS = {"kmod": ("modprobe", "depmod", "modinfo", "insmod"),
         "lvm": ("pvcreate", "vgcreate", "lvcreate", "vgchange", "lvs", "vgck", "lvextend",
                 "pvs", "vgextend")}
BOOT_MODULES = (*image.BOOT_MODULES, "virtio_scsi", "sd_mod")
MODULES = (*BOOT_MODULES, "ext4", "dm_mod", "md_mod", "raid0", "raid1", "raid10", "raid456",
           "dm_thin_pool", "dm_multipath", "dm_round_robin", "dm_raid", "dm_crypt", "algif_skcipher",
           "crc32c_generic", "crc32c_intel", "efi_pstore")
OUT = "/test/out/layers"


@dataclass
class Case:
    """A row of docs/layers.md.

    make: shell that builds the layers and sets $device; opened: that has the real tools open them
    again. disks: MiB of vdb, vdc, ...; parts: those with one partition, by number from 1.
    lost(Run): called when the capture kernel starts, to take a member away. check(Run): what else
    must hold. late: shell, after the image was made; loaded: after that was loaded, which
    `load` does again. lost_why: no dump is written, and this is said.
    refused: what mkinitrd has to say, and then there is no crash. capture: where scripts/kernel.sh
    left a capture kernel; None: the crashed one.
    """
    name: str
    what: str
    make: str
    opened: str = ""
    modules: str = ""
    disks: tuple = (DISK_MIB, DISK_MIB)
    parts: tuple = ()
    lost: object = None
    check: object = None
    extra: object = ()
    refused: str = ""
    lost_why: str = ""
    late: str = ""
    loaded: str = ""
    kernel: str = KERNEL
    conf: tuple = ()
    quick: bool = False
    limit_s: int = 400
    capture: Path = None


@dataclass
class Run:
    """What became of a case; what faultjudge.py asks for."""
    case: Case
    where: Path
    kernel: object
    disks: list = field(default_factory=list)
    tests: list = field(default_factory=list)
    out: Path = None
    console: str = ""
    marks: dict = field(default_factory=dict)
    record: dict = field(default_factory=dict)
    vm: Vm = None

    def add(self, name, why=None):
        self.tests.append((name, why))

    def fact(self, name):
        path = self.out / "layers" / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def said(self, pattern):
        return re.search(pattern, self.console, re.M)

    def tree(self, number=0, inside=""):
        """The dumps, as the production system found them on its target."""
        del number, inside
        return self.out / "layers/crash", None


def _disk(path, mib, partition):
    with open(path, "wb") as f:
        f.truncate(mib << 20)
        if partition:
            sectors = (mib << 11) - 2048
            f.seek(446)
            f.write(bytes([0, 0, 0, 0, 0x83, 0, 0, 0]) + (2048).to_bytes(4, "little")
                    + sectors.to_bytes(4, "little"))
            f.seek(510)
            f.write(b"\x55\xaa")
    return path


def _modules(kernel, where):
    """A part of the kernel's modules, with an index of its own, as files of the root."""
    tree = Path(kernel.root) / "lib/modules" / kernel.kver
    to = where / "modules/lib/modules" / kernel.kver
    inside = [*kernels.module_closure(kernel, MODULES),
              *(p for part in ("kernel/crypto", "kernel/arch/x86/crypto", "kernel/lib")
                for p in (tree / part).rglob("*.ko*"))]
    for path in inside:
        copy = to / path.relative_to(tree)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        if (tree / name).exists():
            shutil.copyfile(tree / name, to / name)
    forky.run(["depmod", "-b", where / "modules", kernel.kver])
    return [(str(p.relative_to(where / "modules")), p) for p in to.rglob("*") if p.is_file()]


def _plan(case, kernel, where):
    conf = where / "crashpod.conf"
    conf.write_text("".join(f"{line}\n" for line in case.conf or
                            (f"ext4 UUID={UUID}", "path /var/crash")), encoding="utf-8")
    files = [("etc/crashpod.conf", conf), ("usr/bin/crashpod", paths.BUILD / "crashpod"),
             ("usr/lib/crashpod/init", paths.BUILD / "init"),
             (f"boot/config-{kernel.kver}", kernel.config),
             ("test/prepare.sh", image.GUEST / "layers-prepare.sh")]
    files += [(f"usr/lib/crashpod/mkinitrd/{p.name}", p)
              for p in (paths.TOP / "mkinitrd").iterdir() if p.is_file()]
    found = dict(layertools.programs(PROGRAMS))
    files += list(found.items())
    files += [(f"usr/sbin/{link}", found[f"usr/sbin/{program}"])
              for program, links in LINKS.items() for link in links]
    files += _modules(kernel, where)
    opened = case.opened or ":"  # a function must have something in it
    layer = (f"make_layers()\n{{\n{case.make}\n}}\nopen_layers()\n{{\n{opened}\n}}\n" +
             (f"last_layers()\n{{\n{case.late}\n}}\n" if case.late else ""))
    own = ""
    if case.capture:
        own = (case.capture / "release").read_text(encoding="ascii")
        tree = case.capture / "lib/modules"
        files += [(f"own/lib/modules/{p.relative_to(tree)}", p)
                  for p in tree.rglob("*") if p.is_file()]
        files.append(("boot/capture", case.capture / "bzImage"))
    load = (f"set -e\nload()\n{{\ncrashpod load --kernel /boot/{'capture' if own else 'vmlinuz'} "
            "--initrd /boot/crashpod.img --append 'console=ttyS0 loglevel=7 printk.time=1'\n"
            f"}}\nload\n{case.loaded}\n")
    texts = [("test/layer", layer), ("test/uuid", f"{UUID}\n"), ("test/modules", case.modules),
             ("test/own", own),
             # busybox's own shell would take its own programs for those of the same name
             ("test/prepare", "exec dash /test/prepare.sh\n"),
             ("test/after", "exec dash /test/prepare.sh after\n")]
    return scenario.Plan(kernel, where, load=load, memory_mib=768, crashkernel="192M", disk_mib=640,
                         cpus=1, idle=True, files=files, texts=texts, limit_s=case.limit_s)


def _boot(run, plan):
    """From the first boot to the end of the second one."""
    initrd = image.busybox_initramfs(run.kernel, "boot-init.sh", run.where / "boot.cpio",
                                     BOOT_MODULES)
    append = f"{scenario.APPEND} crashkernel={plan.crashkernel}"
    extra = run.case.extra(run.where) if callable(run.case.extra) else run.case.extra
    with Vm(run.where, plan.memory_mib << 20, plan.cpus, plan.cpu, reserve=False) as vm:
        run.vm = vm
        vm.start(run.kernel.vmlinuz, initrd, append, run.disks, extra)
        if vm.wait(lambda c: c.boots > 1, plan.limit_s, "the capture kernel"):
            if run.case.lost:
                run.case.lost(run)
            vm.wait(lambda c: False, plan.limit_s, "the machine to come back and power off")
        run.marks = vm.console.times()
        run.console = "\n".join(line.removeprefix("crashpod: ") for _, line in vm.console.lines)
        run.vm = None


def _judge_refused(run):
    said = (run.out / "prepare.log").read_text(errors="replace") if \
        (run.out / "prepare.log").exists() else ""
    said += run.fact("report")
    run.add("refused", None if re.search(run.case.refused, said) else said.strip()[-300:])
    run.add("no-image", None if not run.fact("image-bytes") else "an image was made")


def _judge(run):
    for step in ("prepare", "load", "after"):
        rc = run.out / f"{step}.rc"
        got = rc.read_text(encoding="ascii").strip() if rc.exists() else "none"
        log = run.out / f"{step}.log"
        tail = log.read_text(errors="replace").strip()[-300:] if log.exists() else ""
        run.add(f"guest-{step}", None if got == "0" else
                f"exit {got}: {tail} {run.fact('report')[-200:]} {run.fact('open')[-300:]}")
    run.add("came-back", None if (run.out / "came-back").exists() else "it did not")
    if run.case.lost_why:
        run.add("says-why", None if run.said("target failed: .*" + run.case.lost_why) else "no")
        run.add("nothing-written", None if not list(run.tree()[0].rglob("*")) else "there is")
    else:
        path, run.record = judge.captured(run, 0)
        judge.opens(run, path, ("sys", "bt"))
    run.add("fsck-clean", None if run.fact("fsck.rc").strip() == "0" else
            run.fact("fsck").strip()[-300:])
    run.add("other-files-unchanged", run.fact("numbers").strip() or None
            if (run.out / "layers/numbers").exists() else "not looked at")
    if run.case.check:
        run.case.check(run)


def run(case, kernel_name=None):
    """Run a case and judge it. Lost and GroundError pass through."""
    if case.kernel in selfbuilt.RECIPES:  # others cannot do what is asked for
        kernel = selfbuilt.ensure(case.kernel)
    else:
        kernel = kernels.ensure(kernel_name or case.kernel)
    layertools.ensure()
    with scenario.workplace(f"layers-{kernel.name}-{case.name}") as where:
        found = Run(case, where, kernel)
        plan = _plan(case, kernel, where)
        found.disks = [scenario.make_root(plan, 1)]
        for number, mib in enumerate(case.disks, start=1):
            found.disks.append(_disk(where / f"disk{number}.img", mib, number in case.parts))
        _boot(found, plan)
        sound, text = image.check_ext4(found.disks[0])
        found.add("root-sound", None if sound else text.strip())
        found.out = image.extract(found.disks[0], "/test/out", where / "test")
        if not found.out.exists():
            raise Lost("the guest wrote nothing")
        try:
            (_judge_refused if case.refused else _judge)(found)
        except (OSError, KeyError, IndexError, ValueError) as e:
            found.add("judged", f"{type(e).__name__}: {e}")
        shutil.rmtree(where / "root", ignore_errors=True)
        shutil.rmtree(where / "modules", ignore_errors=True)
        for path in where.glob("disk*.img"):
            if all(why is None for _, why in found.tests):
                path.unlink()
    return found


def lines(found):
    """A line for each test, and one with the figures."""
    name = f"layers-{found.kernel.name}/{found.case.name}"
    made = loop.lines(name, found.tests)
    if not found.case.refused:
        up = [float(t.split()[0]) for t in found.fact("uptime").splitlines()]
        took = found.record.get("seconds", 0)
        steps = {s["name"]: s["seconds"] for s in found.record.get("steps", [])}
        made.append(f"{name}: image {found.fact('image-bytes').strip()} bytes, mkinitrd "
                    f"{(up[-1] - up[0]) / 2 if len(up) == 2 else 0:.0f} s in the guest, target "
                    f"{steps.get('target', 0):.1f} s, capture {took:.1f} s")
    return made
