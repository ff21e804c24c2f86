# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests whose memory holds every class of pages, crashed for real, under build/ground/rich.

KERNEL-PROFILE/ has vmcore (a whole copy of /proc/vmcore), live.kdump and live.stats (crashpod's
dump of the same /proc/vmcore, made in the capture kernel), facts/ (the census and /proc as they
were before the crash), the manifests of planted pages, and logs. oracle/census.py counts.
"""

import json
import os
import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from ground import kernels, paths

from . import image, scenario
from .vm import Lost, Vm

DIR = paths.GROUND / "rich"
MODULES = ("virtio_balloon", "hwpoison_inject")
PROGRAMS = ("classes", "poison", "census")
MANIFESTS = ("manifest", "manifest.classes", "manifest.poison", "manifest.late")
# Memory that is plugged in is no memory of the capture kernel, which finds it by ACPI.
CAPTURE_APPEND = scenario.CAPTURE_APPEND + " acpi_no_memhotplug"
LIMIT_S = 600


@dataclass(frozen=True)
class Profile:
    """A set-up of a guest. Sizes are MiB."""
    name: str
    cpu: str
    cpus: int
    memory: int
    append: str
    classes: tuple
    poison: tuple
    nodes: tuple = ()
    dimm: int = 0
    balloon: int = 0
    crashkernel: str = "256M"
    swap: int = 512
    busy: int = 256
    root: int = 1024


COMMON = ("zero", "same", "thp", "mlocked", "swapped", "shmswap", "huge", "readin", "pipes", "ksm",
          "sockets", "slab", "tables")
POISON = ("psoft", "panon", "pcache", "ptail", "phuge", "pfree")

PROFILES = {p.name: p for p in (
    # The nodes' border is where q35 continues above 4 GiB, so that node 1 has whole aligned GiB.
    Profile("full", cpu="max", cpus=2, memory=4608, nodes=(2048, 2560), dimm=512, balloon=96,
            append="memmap=16M$0x30000000 memmap=12K$0x32003000 memmap=24M$0x188000000 "
                   "hugetlb_free_vmemmap=on hugepagesz=1G hugepages=1 hugepagesz=2M hugepages=24",
            classes=(*COMMON, "gigantic"), poison=POISON),
    Profile("plain", cpu="max,la57=off", cpus=1, memory=1280,
            append="nokaslr hugepagesz=2M hugepages=24", classes=COMMON, poison=POISON),
    # as plain, with all that a machine does by itself
    Profile("random", cpu="max", cpus=2, memory=1280, append="hugepagesz=2M hugepages=24",
            classes=COMMON, poison=POISON),
)}


@dataclass(frozen=True)
class Rich:
    """What is there of one guest. live and stats are None where build/crashpod was not."""
    kernel: kernels.Kernel
    profile: Profile
    dir: Path

    @property
    def vmcore(self):
        return self.dir / "vmcore"

    @property
    def live(self):
        path = self.dir / "live.kdump"
        return path if path.exists() else None

    @property
    def stats(self):
        path = self.dir / "live.stats"
        return path if path.exists() else None

    @property
    def facts(self):
        return self.dir / "facts"

    @property
    def census(self):
        return self.facts / "census"

    @property
    def console(self):
        return self.dir / "console"

    @property
    def seed(self):
        return int((self.dir / "seed").read_text(encoding="ascii"))

    @property
    def seconds(self):
        return json.loads((self.dir / "seconds.json").read_text(encoding="ascii"))


def _modules(kernel, where):
    """The modules beyond those of the root's boot, and the order to load them in."""
    booted = {p.name for p in kernels.module_closure(kernel, image.BOOT_MODULES)}
    files, order = [], []
    for path in kernels.module_closure(kernel, MODULES):
        if path.name not in booted:
            name = path.name.partition(".ko")[0] + ".ko"
            files.append((f"test/modules/{name}", image.plain_module(path, where / name)))
            order.append(name)
    return files, "".join(name + "\n" for name in order)


def _blank(path, size_mib):
    with open(path, "wb") as f:
        f.truncate(size_mib << 20)
    return path


def _capture(kernel, where):
    """The capture system: a shell, crashpod as it is built now, and the copier."""
    files = [("bin/copy", image.compile_guest("copy", where / "copy"))]
    if (paths.BUILD / "crashpod").exists():
        files.append(("bin/crashpod", paths.BUILD / "crashpod"))
    text = (image.GUEST / "rich-capture.sh").read_text(encoding="ascii")
    return image.busybox_initramfs(kernel, "capture-init.sh", where / "capture.cpio",
                                   files=files, texts=[("capture", text)])


def _plan(kernel, profile, where):
    modules, order = _modules(kernel, where)
    conf = (f"DIMM_MIB={profile.dimm}\nBALLOON_MIB={profile.balloon}\n"
            f"CLASSES='{' '.join(profile.classes)}'\nPOISON='{' '.join(profile.poison)}'\n")
    programs = [(f"usr/bin/{name}", image.compile_guest(name, where / name)) for name in PROGRAMS]
    return scenario.Plan(
        kernel, where, load=scenario.kexec_load(CAPTURE_APPEND),
        crash=(image.GUEST / "rich-crash.sh").read_text(encoding="ascii"),
        memory_mib=profile.memory, crashkernel=profile.crashkernel, disk_mib=profile.root,
        cpus=profile.cpus, append=profile.append, limit_s=LIMIT_S,
        files=[*scenario.kexec_files(), *programs, *modules,
               ("test/prepare", image.GUEST / "rich-prepare.sh"),
               ("boot/capture", _capture(kernel, where))],
        texts=[("test/modules/order", order), ("test/rich.conf", conf)])


def _marked(name):
    return lambda console: any(mark in (name, "failed-prepare") for mark, _ in console.marks)


def _serve(vm, profile):
    """Plug memory in and inflate the balloon when the guest asks for it."""
    if profile.dimm:
        vm.wait(_marked("want-dimm"), LIMIT_S, "the guest to ask for a dimm")
        vm.qmp.call("object-add", **{"qom-type": "memory-backend-ram", "id": "spare",
                                     "size": profile.dimm << 20})
        vm.qmp.call("device_add", driver="pc-dimm", id="dimm0", memdev="spare",
                    **({"node": 1} if profile.nodes else {}))
    if profile.balloon:
        vm.wait(_marked("want-balloon"), LIMIT_S, "the guest to ask for the balloon")
        vm.qmp.call("balloon", value=profile.memory + profile.dimm - profile.balloon << 20)


def _crash(plan, profile, seed):
    """Boot the guest, let it crash and be captured; times of its console's marks."""
    where = plan.where
    disk = scenario.make_root(plan, seed)
    initrd = image.busybox_initramfs(plan.kernel, "boot-init.sh", where / "boot.cpio")
    image.make_ext4(where / "busy.img", profile.busy)
    disks = [disk, _blank(where / "vmcore", profile.memory + profile.dimm + 64),
             _blank(where / "swap.img", profile.swap), where / "busy.img"]
    extra = ["-no-reboot"]
    if profile.balloon:
        extra += ["-device", "virtio-balloon-pci"]
    append = f"{scenario.APPEND} crashkernel={plan.crashkernel} {plan.append}"
    with Vm(where, plan.memory_mib << 20, plan.cpus, profile.cpu, profile.nodes,
            profile.dimm) as vm:
        vm.start(plan.kernel.vmlinuz, initrd, append, disks, extra)
        _serve(vm, profile)
        vm.wait(lambda c: False, LIMIT_S, "the guest to crash and to be captured")
        return vm.console.times()


def _ended(out, times):
    """Raises Lost with what the guest said, unless it got to the end."""
    if "captured" in times:
        return
    for log in sorted(out.glob("*.rc")):
        if log.read_text(encoding="ascii").strip() != "0":
            said = log.with_suffix(".log").read_text(encoding="utf-8", errors="replace")
            raise Lost(f"the guest's step {log.stem} failed: {said.strip()[-400:]}")
    raise Lost(f"the guest ended before its capture; its marks: {', '.join(times)}")


def _merge(out, names):
    """One manifest out of several, each of which must be whole."""
    lines = []
    for name in names:
        part = (out / name).read_text(encoding="ascii").splitlines()
        if not part or part[-1] != "end":
            raise Lost(f"{name} is cut short")
        lines += part[:-1]
    return "\n".join([*lines, "end", ""])


def _spans(out, times):
    """Seconds of each part, from the console's marks and the capture's own clock."""
    unseen = [m for m in ("booted", "planted", "loaded", "crash", "counted", "capture")
              if m not in times]
    if unseen:
        raise Lost(f"the console shows no mark {', '.join(unseen)}")
    spans = {"boot": times["booted"], "prepare and plant": times["planted"] - times["booted"],
             "load": times["loaded"] - times["planted"],
             "dirty and census": times["counted"] - times["crash"],
             "kexec": times["capture"] - times["counted"]}
    for line in (out / "capture.times").read_text(encoding="ascii").splitlines():
        name, rc, start, end = line.split()
        if rc != "0":
            raise Lost(f"the capture's part {name} ended with {rc}")
        spans[name] = float(end) - float(start)
    spans["guest"] = times["end"]
    return {name: round(value, 1) for name, value in spans.items()}


def _collect(plan, seed, times, part):
    """Gather everything in the directory part."""
    where = plan.where
    shutil.copyfile(where / "console.log", part / "console")
    out = image.extract(where / "disk.img", "/test/out", where / "test")
    _ended(out, times)
    spans = _spans(out, times)
    (part / "seed").write_text(f"{seed}\n", encoding="ascii")
    (part / "manifest").write_text(_merge(out, MANIFESTS), encoding="ascii")
    for name in ("manifest.free", "prepare.log", "plant.log", "late.log", "cmdline", "iomem",
                 "live.kdump", "live.stats"):
        if (out / name).exists():
            shutil.move(out / name, part / name)
    shutil.move(out / "facts", part / "facts")
    os.truncate(where / "vmcore", int((out / "vmcore.bytes").read_text(encoding="ascii")))
    shutil.move(where / "vmcore", part / "vmcore")
    return spans


def make(kernel_name, profile_name, fresh=False):
    """The guest of a kernel and a profile, made unless it is there; fresh: made in any case."""
    kernel, profile = kernels.ensure(kernel_name), PROFILES[profile_name]
    done = DIR / f"{kernel_name}-{profile_name}"
    with scenario.workplace(f"rich-{done.name}") as where:
        if fresh or not done.exists():
            start = time.monotonic()
            part = DIR / f"{done.name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            plan = _plan(kernel, profile, where)
            seed = random.getrandbits(63)
            spans = _collect(plan, seed, _crash(plan, profile, seed), part)
            spans["all"] = round(time.monotonic() - start, 1)
            (part / "seconds.json").write_text(json.dumps(spans, indent=1), encoding="ascii")
            shutil.rmtree(done, ignore_errors=True)
            part.rename(done)
        shutil.rmtree(where)
    return Rich(kernel, profile, done)
