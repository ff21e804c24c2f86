# SPDX-License-Identifier: GPL-2.0-or-later
"""The end: the final and the failure action, reboot(2) that does not do it, and where the dead
kernel's log goes when no target took the dump."""

from . import faultdisks as disk
from . import faultjudge as judge
from . import faultrd
from .faultrun import Case
from .faults_target import target

BROKEN = "ext4 /dev/vdb"
SHUTDOWN_S = 30


def actions(final, failure):
    return (f"final_action {final}", f"failure_action {failure}")


def done(action):
    def check(run):
        judge.captured(run)
        judge.said(run, "says-done", rf"^done after [0-9.]+ s: {action}$")
    return check


def failed(action):
    def check(run):
        judge.said(run, "says-failed", rf"^failed after [0-9.]+ s: {action}$")
        judge.said(run, "log-on-console", judge.PANIC)
    return check


def refused(action):
    """reboot(2) fails at once, sysrq does it."""
    def check(run):
        done(action)(run)
        judge.said(run, "says-refused", f"^{action}: Operation not permitted")
        judge.said(run, "sysrq", "sysrq: (Resetting|Power Off)")
    return check


def check_hangs(run):
    done("reboot")(run)
    judge.said(run, "sysrq", "sysrq: Resetting")
    at = [at for at, line in run.lines if line.startswith("done after ")]
    took = run.lines[-1][0] - at[0] if at else 0
    run.add("waited", None if SHUTDOWN_S - 2 < took < SHUTDOWN_S + 15 else f"{took:.1f} s")


# --- pstore ---

RAMOOPS_AT = 0x8000000
RAMOOPS = (f"mem_address={RAMOOPS_AT:#x} mem_size=0x100000 record_size=0x10000 console_size=0 "
           "ftrace_size=0 pmsg_size=0")
# The next boot looks with the modules of the capture kernel's image, which is not compressed.
NEXT_BOOT = f"""
cat > /test/after <<'EOF'
set -e
mkdir /tmp/rd
cd /tmp/rd
cpio -id < /boot/crashpod.img
insmod lib/modules/reed_solomon.ko
insmod lib/modules/ramoops.ko {RAMOOPS}
mount -t pstore pstore /sys/fs/pstore
mkdir -p /test/out/pstore
cp /sys/fs/pstore/* /test/out/pstore/
EOF
"""


def check_pstore(run):
    judge.said(run, "says-pstore", r"^\d+ bytes of the log go to pstore \(ramoops\) ")
    tree, names = judge.files(run, 0, "/test/out")
    text = "".join((tree / n).read_text(errors="replace") for n in names if "pstore/dmesg" in n)
    run.add("came-back", None if "came-back" in names else f"{names}")
    run.add("in-pstore", None if judge.PANIC in text else f"{len(text)} bytes of {names}")


def check_pstore_panic_only(run):
    judge.said(run, "says-why", "^log to pstore failed: ramoops takes panics only: .* max_reason=4")


def check_no_pstore(run):
    judge.said(run, "says-why", "^log to pstore failed: this kernel has no pstore")


CASES = (
    Case("final-poweroff", "final_action poweroff", target(1, *actions("poweroff", "halt")),
         done("poweroff"), disk.ext4(1), ends="poweroff"),
    Case("final-halt", "final_action halt", target(1, *actions("halt", "reboot")), done("halt"),
         disk.ext4(1), ends="halted"),
    Case("failure-reboot", "failure_action reboot", (BROKEN, *actions("halt", "reboot")),
         failed("reboot"), disk.disks(disk.noise)),
    Case("failure-poweroff", "failure_action poweroff", (BROKEN, *actions("reboot", "poweroff")),
         failed("poweroff"), disk.disks(disk.noise), ends="poweroff"),
    Case("failure-halt", "failure_action halt", (BROKEN, *actions("reboot", "halt")),
         failed("halt"), disk.disks(disk.noise), ends="halted"),
    Case("reboot-fails", "reboot(2) fails", target(), refused("reboot"), disk.ext4(1),
         edit=faultrd.program("noreboot"), append="rdinit=/noreboot noreboot=fail", quick=True),
    Case("poweroff-fails", "the same for a power-off", target(1, *actions("poweroff", "halt")),
         refused("poweroff"), disk.ext4(1), ends="poweroff",
         edit=faultrd.program("noreboot"), append="rdinit=/noreboot noreboot=fail"),
    Case("reboot-hangs", "reboot(2) never returns", target(), check_hangs, disk.ext4(1),
         edit=faultrd.program("noreboot"), append="rdinit=/noreboot noreboot=hang"),
    Case("pstore", "no target takes the dump, and there is a pstore in RAM", (BROKEN,),
         check_pstore, disk.disks(disk.noise), boot=f"memmap=1M${RAMOOPS_AT:#x}",
         production=NEXT_BOOT, modules="virtio_pci virtio_blk ramoops",
         edit=faultrd.parameters("ramoops", f"{RAMOOPS} max_reason=4"),
         extra=("-action", "reboot=reset"), ends="poweroff"),
    Case("pstore-panic-only", "the pstore in RAM takes panics only", (BROKEN,),
         check_pstore_panic_only, disk.disks(disk.noise), boot=f"memmap=1M${RAMOOPS_AT:#x}",
         modules="virtio_pci virtio_blk ramoops", edit=faultrd.parameters("ramoops", RAMOOPS)),
    Case("pstore-none", "there is no pstore", (BROKEN,), check_no_pstore,
         disk.disks(disk.noise)),
)
