# SPDX-License-Identifier: GPL-2.0-or-later
"""`run.py disks`: real crashes whose dump goes to the storage that servers have.

The production system builds its own image, by what it sees in sysfs, and is crashed while it writes
to the file system that takes the dump. Judged: the image's modules, the capture, fsck, the second
boot with its files as they were, crashpod verify, crash.
"""

import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from ground import kernels, paths

from . import diskguest, diskmake, faultjudge, image, scenario
from .diskcases import CONTROLLERS
from .faultrun import PREFIX
from .vm import Lost

KERNEL = "6.1-amd64"
# Of no use to any target: what a machine has besides is not in its image.
NEVER = ("e1000e", "virtio_net", "bochs", "drm", "cfg80211", "snd", "kvm", "psmouse")
HEAD = "| case | result | image KiB | modules | mkinitrd s | dump MB | capture s | run s |"


@dataclass
class Run:
    """What became of a case; its shape is what faultjudge looks at."""
    case: object
    where: Path
    kernel: object
    uuid: str = ""
    tests: list = field(default_factory=list)
    text: str = ""
    out: Path = None
    modules: list = field(default_factory=list)
    figures: dict = field(default_factory=dict)

    def add(self, name, why=None):
        self.tests.append((name, why))

    @property
    def passed(self):
        return bool(self.tests) and all(why is None for _, why in self.tests)


def _case_text(case, uuid):
    options = case.mount or "defaults"
    if case.subvolume:
        options += f",subvol={case.subvolume}"
    # where PID 1 writes: the file system's own root
    where = "subvolid=5" if case.fstype == "btrfs" else "defaults"
    words = {"spec": f"UUID={uuid}", "fstype": case.fstype, "options": options, "where": where,
             "subvolume": case.subvolume, "default": "yes" if case.default else "no",
             "check": "yes" if case.check else "no", "early": case.early,
             "big": "yes" if case.big else "no",
             "beside": "yes" if case.devices and not case.moves else "no",
             "drivers": " ".join(CONTROLLERS[case.controller].modules),
             # the first: what a kernel says that dies before it has a console
             "append": "earlycon=uart8250,io,0x3f8 console=ttyS0 loglevel=7 printk.time=1"}
    return "".join(f"{name}='{value}'\n" for name, value in words.items())


def _start(run, disk, test, extra=()):
    case = run.case
    controller = CONTROLLERS[case.controller]
    vm = diskguest.Machine(run.where, case.memory_mib << 20, controller.machine)
    devices = [w for d in (*case.devices, *controller.devices) for w in ("-device", d)]
    drives = ["-drive", f"file={diskguest.base(run.kernel)},format=raw,if=virtio,readonly=on",
              "-drive", f"file={disk},format=raw,if=none,id=target,cache=unsafe"]
    if case.moves:
        other = run.where / "other.img"
        image.make_ext4(other, 64)
        drives += ["-drive", f"file={other},format=raw,if=none,id=other"]
    initrd = image.busybox_initramfs(run.kernel, "disks-boot.sh", run.where / "boot.cpio")
    append = f"{scenario.APPEND} crashkernel={case.crashkernel} {case.boot}"
    return vm, lambda: vm.start(run.kernel.vmlinuz, initrd, append, [test],
                                [*drives, *devices, *extra])


def _crash(run, disk, test):
    """The production system from its boot to the reset at the end of the capture."""
    # a reset without a word on the console has its reason there
    log = ["-d", "cpu_reset,guest_errors", "-D", f"{run.where}/resets.log"]
    vm, start = _start(run, disk, test, ["-action", "reboot=shutdown", *log])
    with vm:
        start()
        ended = "reboot"
        if not vm.wait(lambda c: c.boots > 1, run.case.limit_s, "the capture kernel"):
            return "the production system ended without a crash", vm.console
        try:
            vm.wait(lambda c: False, run.case.limit_s, "the capture kernel to end")
        except Lost as e:
            if vm.process.poll() is not None:
                raise
            ended = f"stuck: {e}"
        times = vm.console.times()
        first = vm.console.boot_times[1]
        run.text = "\n".join(line.removeprefix(PREFIX) for at, line in vm.console.lines
                             if at >= first)
        run.figures["mkinitrd"] = times.get("built", 0) - times.get("prepared", 0)
        run.figures["capture"] = times["end"] - times["kernel-2"]
        reasons = [e["data"].get("reason") for e in vm.qmp.rest() if e.get("event") == "SHUTDOWN"]
        if ended == "reboot" and reasons[-1:] != ["guest-reset"]:
            ended = f"QEMU ended: {reasons}"
    return (None if ended == "reboot" else ended), vm.console


def _again(run, disk, test):
    """The second boot, which powers the machine off."""
    (run.where / "console.log").rename(run.where / "console-1.log")
    vm, start = _start(run, disk, test)
    with vm:
        start()
        if vm.wait(lambda c: c.boots > 1, run.case.limit_s, "the second boot to end"):
            raise Lost("the second boot crashed")


def _collect(run, test):
    """What the guest wrote."""
    run.out = image.extract(test, "/out", run.where / "found")
    failed = _read(run, "failed")
    if failed:
        run.add("guest", " / ".join(failed.splitlines()))
    return not failed


def _read(run, name):
    path = run.out / name
    return path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""


def _judge_image(run):
    """Modules that are there and must be; others that must not."""
    found = run.out / "image"
    if not found.exists():
        run.add("image", "there is none")
        return
    run.figures["image"] = found.stat().st_size
    script = f"zstd -dcq {found} | cpio -i --quiet --to-stdout etc/crashpod.modules"
    text = paths.run(["sh", "-c", script])
    run.modules = [Path(line.split()[0]).name.partition(".ko")[0].replace("-", "_")
                   for line in text.splitlines()]
    want = (*CONTROLLERS[run.case.controller].modules, *run.case.modules)
    missing = [m for m in want if m not in run.modules]
    run.add("modules-there", f"{missing} not in {run.modules}" if missing else None)
    others = {m for name, c in CONTROLLERS.items() for m in c.modules} - set(want)
    over = [m for m in (*NEVER, *others, *run.case.absent) if m in run.modules]
    run.add("modules-needed", f"{over} in the image" if over else None)


def _judge_console(run):
    """What the case wants said; and that the device was found under whatever name it has now."""
    for pattern in run.case.says:
        run.add(f"says-{pattern.split()[0]}", None if re.search(pattern, run.text) else
                f"no {pattern!r} on the capture kernel's console")
    if run.case.moves:
        before = _read(run, "device.1")
        now = re.search(r"^target \S+ is (\S+),", run.text, re.M)
        good = now and before and now[1] != before
        run.add("device-moved", None if good else f"{before}, then {now and now[1]}")


def _judge_check(run):
    """mkinitrd --check says the chain: the file system, the controller and the disk."""
    text = _read(run, "check.log")
    for module in (run.case.fstype, *CONTROLLERS[run.case.controller].modules):
        pattern = rf"^ok .* of UUID={run.uuid}.*: module {module} is in the image$"
        run.add(f"check-{module}", None if re.search(pattern, text, re.M) else f"no {pattern!r}")
    bad = re.findall(r"^(?!ok ).*$", text, re.M)
    run.add("check-good", " / ".join(bad) or None)


def _judge_files(run):
    """The production system's own files, at its second boot."""
    rc = _read(run, "compared.rc")
    run.add("files-unchanged", None if rc == "0" else f"exit {rc}: {_read(run, 'compared')[-300:]}")
    run.add("growing-readable", _read(run, "growing") or None)


def _judge_dump(run):
    """crashpod.json, dmesg, the dump by `crashpod verify` and by crash."""
    tree = run.out / "crash"
    dirs = sorted(p for p in tree.iterdir() if p.is_dir()) if tree.exists() else []
    run.add("directory", None if len(dirs) == 1 else f"{[p.name for p in dirs]}")
    if not dirs:
        return
    faultjudge.dmesg(run, dirs[-1])
    record = faultjudge.record(run, dirs[-1])
    run.add("record-status", None if record.get("status") == run.case.status else
            f"{record.get('status')}: {record.get('reason')}")
    for key, value in run.case.record:
        got = record.get("dump", {}).get(key)
        run.add(f"record-{key}", None if got == value else f"{got}, not {value}")
    if run.case.big:
        _judge_cut(run, record)
        return
    path = faultjudge.dump(run, dirs[-1])
    if path is not None:
        run.figures["dump"] = path.stat().st_size
        faultjudge.opens(run, path, ("sys", "bt"))


def _judge_cut(run, record):
    """A dump that ended at the largest size of a file: it says so, and opens where it is."""
    run.figures["dump"] = record.get("bytes_written", 0)
    size = run.figures["dump"]
    run.add("cut-size", None if 0 < 0xffffffff - size < 64 << 20 else f"{size} bytes")
    reason = record.get("reason", "")
    run.add("cut-reason", None if "File too large" in reason else f"{reason!r}")
    text = _read(run, "verify.log")
    run.add("cut-verify", None if "but incomplete" in text else text)
    run.add("cut-info", None if faultjudge.PANIC in _read(run, "info.log") else
            _read(run, "info.log"))


def _judge_fsck(run, disk):
    """Right after the capture. Without a journal the crash itself may have left damage."""
    case = run.case
    why, text = diskmake.check(disk, case.table, case.fstype)
    (run.where / "fsck.txt").write_text(text, encoding="utf-8")
    if why and not diskmake.FILE_SYSTEMS[case.fstype].journal:
        run.figures["fsck"] = "mended"
        why, text = diskmake.check(disk, case.table, case.fstype, mend=True)
        (run.where / "fsck-mend.txt").write_text(text, encoding="utf-8")
    run.add("fsck", why)


def run(case, kernel_name=KERNEL):
    """Run a case and judge it. Lost and GroundError pass through."""
    kernel = kernels.ensure(kernel_name)
    begin = time.monotonic()
    with scenario.workplace(f"disks-{kernel_name}-{case.name}") as where:
        found = Run(case, where, kernel)
        disk = where / "disk.img"
        found.uuid = diskmake.make(disk, case.table, case.fstype, case.mib)
        conf = [f"{case.fstype} UUID={found.uuid}", "path /crash", *case.conf]
        test = diskguest.test_disk(where, _case_text(case, found.uuid),
                                   "".join(f"{line}\n" for line in conf), case.modprobe,
                                   case.prepare)
        why, _ = _crash(found, disk, test)
        found.add("ends", why)
        (where / "capture.txt").write_text(found.text, encoding="utf-8")
        if _collect(found, test) and found.text:
            _judge_image(found)
            _judge_console(found)
            if case.check:
                _judge_check(found)
            _judge_fsck(found, disk)
            _again(found, disk, test)
            if _collect(found, test):
                _judge_files(found)
                _judge_dump(found)
                why, _ = diskmake.check(disk, case.table, case.fstype)
                found.add("fsck-at-the-end", why)
        found.figures["run"] = time.monotonic() - begin
        if found.passed:
            for path in (disk, test):
                path.unlink()
            shutil.rmtree(where / "found")
    return found


def row(found):
    """The line of the table."""
    f = found.figures
    bad = [name for name, why in found.tests if why is not None]
    result = ("pass" if found.passed else "FAIL " + " ".join(bad)) + \
        (f" (fsck: {f['fsck']})" if "fsck" in f else "")
    return (f"| {found.case.name} | {result} | {f.get('image', 0) / 1024:.0f} | "
            f"{len(found.modules)} | {f.get('mkinitrd', 0):.1f} | {f.get('dump', 0) / 1e6:.1f} | "
            f"{f.get('capture', 0):.1f} | {f.get('run', 0):.0f} |")


def said(found):
    """What PID 1 said, for a row that failed."""
    return re.findall(r"^(?!\[).*$", found.text, re.M)
