# SPDX-License-Identifier: GPL-2.0-or-later
"""Not faults, but what real machines are booted with: each must be captured all the same."""

from ground import ovmf, paths

from . import faultjudge as judge
from .faultrun import Case
from .faultdisks import ext4
from .faults_target import target

OWN = paths.BUILD / "kernel"


def efi(where):
    """QEMU's arguments for a machine with UEFI firmware."""
    variables = where / "variables.fd"
    variables.unlink(missing_ok=True)
    return ovmf.arguments(variables)


def check(run):
    path, _ = judge.captured(run)
    judge.opens(run, path)


def case(name, fault, crashkernel, **more):
    return Case(name, fault, target(), check, ext4(1), crashkernel=crashkernel, **more)


def check_efi(run):
    run.add("efi-firmware", None if run.said("efi: ") else "no line of the kernel's efi code")
    check(run)


CASES = (
    case("boot-ranges", "crashkernel= by ranges of RAM", "0-1G:80M,1G-:96M"),
    case("boot-high", "crashkernel=,high: above 4 GiB, and its default low part", "80M,high",
         memory_mib=4096),
    case("boot-high-low", "crashkernel=,high and ,low", "96M,high crashkernel=32M,low",
         memory_mib=4096),
    case("boot-at", "crashkernel=SIZE@OFFSET", "96M@128M", boot="nokaslr"),
    Case("boot-efi", "a machine with UEFI firmware", target(), check_efi, ext4(1), extra=efi,
         crashkernel="96M", limit_s=240),
    case("boot-noacpi", "acpi=off", "80M", boot="acpi=off"),
    case("own-kernel", "crashpod's own capture kernel in 20M", "20M", capture=OWN,
         memory_mib=4096),
    case("own-kernel-high", "the same above 4 GiB", "32M,high crashkernel=16M,low", capture=OWN,
         memory_mib=4096),
    Case("own-kernel-efi", "the same on a machine with UEFI firmware", target(), check_efi, ext4(1),
         extra=efi, crashkernel="32M", capture=OWN, memory_mib=4096, limit_s=240),
    case("own-kernel-noacpi", "the same with acpi=off", "20M", capture=OWN, boot="acpi=off",
         memory_mib=4096),
)
