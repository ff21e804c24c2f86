# SPDX-License-Identifier: GPL-2.0-or-later
"""The newcomer's way on a whole machine: from the package to a backtrace, each step as tried.

A fresh machine of a Debian suite boots from its own disk. The package is installed with apt, the
machine set up and rebooted, and crashed; the dump must be there after it has come back by itself.
It is crashed once more by `crashpod test`, and judged by that (systemtest.py).
Then another kernel is installed, which must be armed after the next reboot, and crash. It stays ready
through what changes, and the package goes without a trace (systems_stay.py).
"""

import json
import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from ground import apt, efidisk, kernels, ovmf, paths, systems
from oracle import crash as oracle

from . import image, inits, systems_stay
from .systemtest import crash_and_judge
from .sysvm import SysVm

MEMORY_BYTES = 2 << 30
REPOSITORY = """mkdir -p /srv/repository
mount -r /dev/disk/by-label/repository /srv/repository
echo 'deb [trusted=yes] file:/srv/repository ./' > /etc/apt/sources.list
"""
INSTALL = "apt-get -q update && apt-get -q -y install crashpod"
CRASH = "echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger"

# How the machine is set up: by hand, as README says, or by the command that does it.
BY_HAND = (
    ("configuration", "echo \"ext4 UUID=$(findmnt -no UUID /)\" > /etc/crashpod.conf\n"
                      "crashpod conf /etc/crashpod.conf"),
    ("initramfs", "crashpod-mkinitrd"),
    ("estimate", "crashpod estimate"),
    ("reservation", """mib=$(crashpod estimate --json | sed -n 's/.*"mib": *\\([0-9]*\\).*/\\1/p' |
    head -n 1)
echo "GRUB_CMDLINE_LINUX_DEFAULT=\\"\\$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=${mib}M\\"" \\
    > /etc/default/grub.d/crashpod.cfg
cat /etc/default/grub.d/crashpod.cfg
update-grub"""),
    ("enable", "systemctl enable crashpod.service"),
)
BY_SETUP = (("setup", "crashpod setup --yes"),)
WAYS = {"hand": BY_HAND, "setup": BY_SETUP}


@dataclass
class Journey:
    """One machine's test."""
    suite: str
    way: str
    where: Path
    system: systems.System = None
    other: str = ""  # the release of the kernel that is installed later
    tests: list = field(default_factory=list)
    seconds: dict = field(default_factory=dict)

    def add(self, name, why):
        """A test and why it failed, or None."""
        self.tests.append((name, why))

    def must(self, vm, name, script, **kwargs):
        """A command that must succeed; gives what it printed."""
        begun = time.monotonic()
        status, text = vm.do(script, **kwargs)
        self.seconds[name] = round(time.monotonic() - begun, 1)
        self.add(name, None if status == 0 else f"exit {status}: {text.strip()[-300:]}")
        return text

    def status(self, vm, name):
        """crashpod status must call the machine ready, when it has booted; whether it does."""
        vm.do(inits.of(self.system).settled)
        self.must(vm, name, "crashpod status")
        return self.tests[-1][1] is None


def settle(system):
    """The machine's first boot: its own tools install the boot loader, as the disk was not made by
    them."""
    where = system.disk.parent
    uefi = systems.KINDS[system.kind].uefi
    with SysVm(where, MEMORY_BYTES, [system.disk],
               firmware=ovmf.arguments(system.variables) if uefi else ()) as vm:
        vm.power_on(efidisk.first_boot(where, systems.ROOT_UUID) if uefi else ())
        vm.wait_up(1)
        init = inits.of(system)
        vm.do(init.settled)
        status, text = vm.do(systems.KINDS[system.kind].settle)
        if status != 0:
            _, failed = vm.do(init.failed)
            raise paths.GroundError(f"the machine of {system.suite}: {text} {failed}")
        vm.power_off()


def other_kernel(suite):
    """The cloud kernel's packages, and its release: GRUB boots it before the one that is there."""
    source = apt.Suite(systems.release(suite))
    source.update()
    kver, parts = kernels.resolve(source, "linux-image-cloud-amd64")
    return kver, parts


def crash(journey, vm, name):
    """Crash the machine; it comes back by itself with a new dump."""
    begun = time.monotonic()
    _, before = vm.do("ls -1 /var/crash 2> /dev/null || true")
    vm.away(CRASH, 2)
    journey.seconds[name] = round(time.monotonic() - begun, 1)
    vm.do(inits.of(journey.system).settled)
    text = journey.must(vm, f"{name}-list", "crashpod list")
    _, after = vm.do("ls -1 /var/crash")
    new = sorted(set(after.split()) - set(before.split()))
    if len(new) != 1:
        journey.add(f"{name}-dump", f"{len(new)} new directories: {after} {text}")
        return None
    dump = f"/var/crash/{new[0]}/dump.{new[0]}"
    journey.must(vm, f"{name}-dump", f"ls -l {dump} && crashpod info {dump}")
    journey.must(vm, f"{name}-verify", f"crashpod verify {dump}")
    return dump


def _arm(journey, vm):
    """From a fresh machine to one that says it is ready."""
    vm.do(REPOSITORY)
    journey.must(vm, "install", INSTALL)
    _, text = vm.do(f"{inits.of(journey.system).enabled}; cat /proc/cmdline")
    journey.add("install-arms-nothing", None if "disabled" in text and "crashkernel" not in text
                else text)
    for name, script in WAYS[journey.way]:
        journey.must(vm, name, script)
    vm.away("reboot", 1)
    journey.seconds["reboot"] = round(vm.steps[-1][2], 1)
    journey.status(vm, "status")


def _next_kernel(journey, vm, parts):
    """Another kernel is installed: its image is made, and after a reboot it is armed, or False."""
    journey.must(vm, "kernel-install", f"apt-get -q -y install {' '.join(parts)}")
    journey.must(vm, "kernel-image", f"ls -l /var/lib/crashpod/initramfs-{journey.other}.*")
    vm.away("reboot", 1)
    journey.seconds["kernel-reboot"] = round(vm.steps[-1][2], 1)
    _, text = vm.do("uname -r")
    journey.add("kernel-boots", None if text.strip() == journey.other else
                f"{text.strip()} runs, not {journey.other}")
    return journey.status(vm, "kernel-status")


def judge_dump(journey, disk, dump):
    """The dump as crash sees it, with the debug vmlinux of the machine's kernel."""
    kernel = kernels.ensure(systems.SUITES[journey.suite])
    if kernel.kver != journey.system.kver:
        raise paths.GroundError(f"the machine runs {journey.system.kver}, the vmlinux is of "
                                f"{kernel.kver}")
    out = journey.where / "var-crash"
    tree = image.extract(f"{disk}?offset={systems.ROOT_SECTOR * systems.SECTOR}", "/var/crash", out)
    path = tree / Path(dump).relative_to("/var/crash")
    answers = oracle.ask(kernel, path, journey.where, 900, ("sys", "bt", "quit"))
    for name, pattern in (("sys", rf"RELEASE: {re.escape(kernel.kver)}$"),
                          ("bt", r"sysrq_handle_crash")):
        text = answers.get(name, "")
        journey.add(f"crash-{name}", None if re.search(pattern, text, re.M) else
                    f"crash {name}: {answers['session'].strip()[-300:]}")
    return answers


def tell(journey, vm, answers):
    """The transcript, and the figures of it."""
    text = vm.transcript()
    if answers:
        text += "\n# crash vmlinux DUMP\ncrash> sys\n" + answers.get("sys", "") + \
                "crash> bt\n" + answers.get("bt", "")
    (journey.where / "transcript.txt").write_text(text, encoding="utf-8")
    (journey.where / "seconds.json").write_text(json.dumps(journey.seconds, indent=1),
                                                encoding="ascii")


def run(suite, way, debs):
    """A Journey, judged. Lost and GroundError pass through."""
    journey = Journey(suite, way, paths.GROUND / "run" / f"system-{suite}-{way}")
    journey.where.mkdir(parents=True, exist_ok=True)
    journey.system = systems.ensure(suite, settle)
    journey.other, parts = other_kernel(suite)
    disk = journey.where / "disk"
    shutil.rmtree(journey.where / "var-crash", ignore_errors=True)
    paths.run(["cp", "--sparse=always", "--reflink=auto", journey.system.disk, disk])
    repository = systems.repository(suite, parts, debs, journey.where)
    dump, answers = None, {}
    with SysVm(journey.where, MEMORY_BYTES, [disk, repository]) as vm:
        try:
            vm.power_on()
            journey.seconds["first-boot"] = round(vm.wait_up(1), 1)
            _arm(journey, vm)
            if all(why is None for _, why in journey.tests):
                dump = crash(journey, vm, "crash")
                crash_and_judge(journey, vm)
                vm.do(REPOSITORY)
                if _next_kernel(journey, vm, parts):
                    crash(journey, vm, "kernel-crash")
                    vm.do(REPOSITORY)
                    systems_stay.stay(journey, vm)
                systems_stay.leave(journey, vm)
            vm.power_off()
            if dump:
                answers = judge_dump(journey, disk, dump)
        finally:
            tell(journey, vm, answers)
    return journey
