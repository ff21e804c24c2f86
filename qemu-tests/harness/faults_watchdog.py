# SPDX-License-Identifier: GPL-2.0-or-later
"""The capture kernel itself dies or hangs; a hardware watchdog that runs since before the crash.

The watchdog is QEMU's i6300esb, whose driver Debian's plain kernel has and the cloud one has not.
"""

from ground import kernels

from . import faultjudge as judge
from . import image
from .faultrun import Case
from .faultdisks import ext4
from .faults_target import target
from .sabotage import HALFWAY, LARGE, ON_HALFWAY, edit, order, throttle

KERNEL = "6.1-amd64"
# As the production system has it, and as PID 1 sets it: a capture kernel may take long to boot.
TIMEOUT_S, PID1_TIMEOUT_S = 40, 60
MODULES = "virtio_pci virtio_blk i6300esb"
QEMU = ("-device", "i6300esb")
# The production system's own: petted to the end, which is the crash.
PRODUCTION = ("insmod /boot/watchdog.ko\ninsmod /boot/i6300esb.ko\n"
              f"/bin/watchdog -T {TIMEOUT_S} -t 3 /dev/watchdog\n"
              "sleep 1\n")


SLOWER = (("^dump starts", throttle(250)),)


def driver(where):
    """The production root gets the watchdog's driver, and the one that it needs."""
    found = kernels.module_closure(kernels.ensure(KERNEL), ("i6300esb",))
    names = [path.name.split(".")[0] for path in found]
    return [(f"boot/{name}.ko", image.plain_module(path, where / f"{name}.ko"))
            for name, path in zip(names, found)]


def check_panic(run):
    """What was on the disk stays: log, record, and a dump that says that it is not whole."""
    judge.said(run, "says-panic", "Kernel panic - not syncing: sysrq triggered crash")
    run.add("no-end", "PID 1 came to its end" if run.said("^(failed|done) after") else None)
    path, _ = judge.captured(run, complete=False, status="writing")
    judge.opens(run, path, ("sys", "log"))


def check_petted(run):
    path, record = judge.captured(run)
    judge.said(run, "says-open", "the watchdog is open")
    took = record.get("seconds", 0)
    run.add("longer-than-watchdog", None if took > PID1_TIMEOUT_S else f"{took} s")
    judge.opens(run, path)


def check_reset(pattern, complete=False):
    """The watchdog ends what would stand for ever, and what was on the disk stays."""
    def check(run):
        judge.said(run, "says-open", "the watchdog is open")
        judge.said(run, "says-harm", pattern)
        judge.captured(run, complete=complete, status="writing")
    return check


def check_no_driver(run):
    run.add("not-open", "a watchdog was opened" if run.said("the watchdog is open") else None)
    directory = judge.newest(run)
    if directory is not None:
        judge.dmesg(run, directory)


def watched(name, fault, check, conf=(), **more):
    """A case with a watchdog that the production system has started."""
    return Case(name, fault, target(1, *conf), check, ext4(1, mib=192), kernel=KERNEL,
                production=PRODUCTION, files=driver, extra=QEMU, memory_mib=768, crashkernel="192M", limit_s=300,
                **{"modules": MODULES, **more})


CASES = (
    Case("capture-panic", "the capture kernel panics in the middle of the dump", target(1, LARGE),
         check_panic, ext4(1), edit=edit, append=order(HALFWAY, "panic"), on=ON_HALFWAY),
    Case("capture-panic-0", "the same with panic=0 on its command line", target(1, LARGE),
         check_panic, ext4(1), edit=edit, append=f"panic=0 {order(HALFWAY, 'panic')}",
         on=ON_HALFWAY),
    watched("watchdog-petted", "a watchdog runs, the dump takes longer than it waits", check_petted,
            on=SLOWER),
    watched("watchdog-panic", "the capture kernel panics, stands still, and a watchdog runs",
            check_reset("Kernel panic - not syncing"), edit=edit,
            append=order(HALFWAY, "panic:0"), on=ON_HALFWAY, conf=(LARGE,), ends="watchdog"),
    watched("watchdog-freeze", "PID 1 hangs, and a watchdog runs",
            check_reset("saboteur: freeze", complete=True), edit=edit,
            append=order(HALFWAY, "freeze"), on=ON_HALFWAY, conf=(LARGE,), ends="watchdog"),
    watched("watchdog-no-driver", "a watchdog runs whose driver is not in the ramdisk",
            check_no_driver, on=SLOWER, modules="virtio_pci virtio_blk",
            ends="watchdog"),
)
