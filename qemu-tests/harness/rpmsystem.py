# SPDX-License-Identifier: GPL-2.0-or-later
"""The newcomer's way on a machine that is laid out as openEuler is: from the RPM package to a
backtrace, to another kernel, and back. ground/rpmsystem.py says in what it is like one.
"""

import os
import re
import shutil
import time

from ground import kernels, paths, rpmsystem

from . import systems
from .sysvm import SysVm

PACKAGES = """mkdir -p /srv/packages
mount -r /dev/disk/by-label/packages /srv/packages
"""
INSTALL = "rpm -i /srv/packages/crashpod-*.rpm && rpm -V crashpod && rpm -q crashpod"
LAYOUT = """rpm -qa; cat /etc/os-release /proc/cmdline; ls /boot /boot/loader/entries
find /lib/modules/$(uname -r)/kernel/fs/btrfs -name '*.ko*'
! command -v dpkg grubby update-grub grub-mkconfig grub2-mkconfig
"""
ENTRY = "/boot/loader/entries/*.conf"
# what setup has to change, and what --remove has to bring back
STATE = (f"cat {ENTRY} /etc/default/grub; ls /etc/kernel /etc/crashpod.conf 2>&1; "
         "find /var/lib/crashpod -type f 2> /dev/null; "
         "systemctl is-enabled kdump.service crashpod.service")
DEBUG = """mkdir -p /usr/lib/debug
mount -r /dev/disk/by-label/debuginfo /usr/lib/debug
ls -l /usr/lib/debug/lib/modules/$(uname -r)
"""
IMAGE = "/var/lib/crashpod/initramfs-$(uname -r).img"
# what an upgrade keeps, and what it makes anew
KEPT = f"sha256sum /etc/crashpod.conf {ENTRY}; systemctl is-enabled crashpod.service kdump.service"
BUILT = f"crashpod --version; sha256sum {IMAGE}; grep ^initrd /run/crashpod/loaded"
UPGRADE = "rpm -U /srv/packages/next/crashpod-*.rpm && rpm -V crashpod && rpm -q crashpod"
FILES = ["600 crashpod.json", "600 vmcore", "600 vmcore-dmesg.txt", ""]
BACKTRACE = """printf 'sys\\nbt\\nquit\\n' > /tmp/commands
crashpod vmlinux --run {dump} -- -s -i /tmp/commands
"""


def _debug_disk(kernel, where):
    """The kernel's debug package as openEuler's is laid out, on a disk."""
    tree = where / "debug-tree"
    shutil.rmtree(tree, ignore_errors=True)
    to = tree / "lib/modules" / kernel.kver / "vmlinux"
    to.parent.mkdir(parents=True)
    shutil.copyfile(kernel.vmlinux, to)
    size = to.stat().st_size >> 20
    disk = rpmsystem.image(where, "debuginfo", tree, size + size // 8 + 32)
    shutil.rmtree(tree)
    return disk


def _version():
    """The next version after the tree's."""
    text = (paths.TOP / "Makefile").read_text(encoding="utf-8")
    return re.search(r"^VERSION := (\S+)$", text, re.M)[1] + "+next"


def _next_rpm(where):
    """The package of this tree with the next version's number, which PID 1 and the command tell."""
    built = where / "next"
    paths.say("ground: the next version's package")
    env = {name: text for name, text in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS")}
    paths.run(["make", "-j2", "-C", paths.TOP, f"BUILD={built}", f"VERSION={_version()}",
               f"SYSROOT={paths.BUILD / 'sysroot'}", "all", "rpm"], env=env)
    rpm, = (built / "rpm").glob("crashpod-*.rpm")
    return rpm


def _package_disk(rpms, following, where):
    tree = where / "package-tree"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "next").mkdir(parents=True)
    for rpm in rpms:
        shutil.copy(rpm, tree)
    shutil.copy(following, tree / "next")
    return rpmsystem.image(where, "packages", tree, 128)


def _install(journey, vm):
    vm.do(PACKAGES)
    text = journey.must(vm, "layout", LAYOUT)
    journey.add("layout-rpm", None if 'ID="openEuler"' in text and ".ko.xz" in text else text[:300])
    journey.must(vm, "install", INSTALL)
    _, text = vm.do("systemctl is-enabled crashpod.service; cat /proc/cmdline")
    journey.add("install-arms-nothing", None if "disabled" in text and "crashkernel" not in text
                else text)


def _setup(journey, vm):
    """One command takes over from kdump; a reboot arms."""
    status, text = vm.do("crashpod setup --yes")
    journey.add("setup-beside-kdump", None if status and "--from-kdump" in text else
                f"exit {status}: {text[-300:]}")
    journey.must(vm, "setup", "crashpod setup --yes --from-kdump")
    text = journey.must(vm, "setup-made", f"cat /etc/crashpod.conf; grep ^options {ENTRY}; "
                        "grep ^GRUB_CMDLINE_LINUX= /etc/default/grub; cat /etc/kernel/cmdline; "
                        "systemctl is-enabled kdump.service || true")
    for name, wanted in (("naming", "naming rhel"), ("disabled", "\ndisabled")):
        journey.add(f"setup-{name}", None if wanted in text else text[-400:])
    lines = [line for line in text.splitlines() if "crashkernel=" in line]
    journey.add("setup-entry", None if len(lines) == 3 else f"{len(lines)} lines: {lines}")
    vm.away("systemctl reboot", 1)
    journey.seconds["reboot"] = round(vm.steps[-1][2], 1)
    _status(journey, vm, "setup", journey.system.kver)


def _crash(journey, vm, name):
    """The dump under the names that these systems have."""
    begun = time.monotonic()
    _, before = vm.do("ls -1 /var/crash 2> /dev/null || true")
    vm.away(systems.CRASH, 2)
    journey.seconds[name] = round(time.monotonic() - begun, 1)
    journey.must(vm, f"{name}-list", "crashpod list")
    _, after = vm.do("ls -1 /var/crash")
    new = sorted(set(after.split()) - set(before.split()))
    if len(new) != 1 or not new[0].startswith("127.0.0.1-"):
        journey.add(f"{name}-dump", f"{len(new)} new directories: {after}")
        return None
    folder = f"/var/crash/{new[0]}"
    _, text = vm.do(f"find {folder} -type f -printf '%m %f\\n' | sort")
    journey.add(f"{name}-dump", None if text.split("\n") == FILES else text)
    journey.must(vm, f"{name}-verify", f"crashpod verify {folder}/vmcore && "
                 f"crashpod info {folder}/vmcore")
    journey.must(vm, f"{name}-dmesg", f"grep 'sysrq triggered crash' {folder}/vmcore-dmesg.txt")
    return f"{folder}/vmcore"


def _backtrace(journey, vm, dump):
    """To the backtrace, on the machine itself."""
    status, text = vm.do(f"crashpod vmlinux {dump}")
    journey.add("vmlinux-missing", None if status == 4 and "\ninstall: " in text else
                f"exit {status}: {text[-300:]}")
    journey.must(vm, "debuginfo", DEBUG)
    text = journey.must(vm, "vmlinux-match", f"crashpod vmlinux {dump}")
    journey.add("vmlinux-place", None if "match: /usr/lib/debug/lib/modules/" in text else text)
    text = journey.must(vm, "backtrace", BACKTRACE.format(dump=dump))
    journey.add("backtrace-sysrq", None if "sysrq_handle_crash" in text else text[-300:])


def _status(journey, vm, name, kver):
    """After a reboot: the kernel that is to run, and it is ready."""
    _, text = vm.do("uname -r")
    journey.add(f"{name}-boots", None if text.strip() == kver else f"{text} runs, not {kver}")
    # the units of the boot may still be at work
    journey.must(vm, f"{name}-settled", "systemctl is-system-running --wait || systemctl --failed")
    journey.must(vm, f"{name}-status", "crashpod status")


def _upgrade(journey, vm):
    """The next version of the package, by its scriptlets: what is loaded is the next one's."""
    _, kept = vm.do(KEPT)
    _, built = vm.do(BUILT)
    vm.do(PACKAGES)
    journey.must(vm, "upgrade", UPGRADE)
    _, text = vm.do(KEPT)
    journey.add("upgrade-keeps", None if text == kept else f"{text} is not {kept}")
    _, text = vm.do(BUILT)
    same = set(built.splitlines()) & set(text.splitlines())
    journey.add("upgrade-rebuilds", f"the same: {same}" if same else None)
    journey.add("upgrade-version", None if f"crashpod {_version()}\n" in text else text)
    journey.must(vm, "upgrade-status", "crashpod status")


def _later_kernel(journey, vm, kver):
    """A kernel's rpm comes, is armed and captured, and goes."""
    vm.do(PACKAGES)
    journey.must(vm, "kernel-install", "rpm -i /srv/packages/kernel-*.rpm && rpm -q kernel")
    text = journey.must(vm, "kernel-made", f"ls /var/lib/crashpod/initramfs-{kver}.img "
                        f"/boot/vmlinuz-{kver} && cat /boot/loader/entries/*-{kver}.conf")
    journey.add("kernel-entry", None if "crashkernel=" in text else text)
    vm.away("systemctl reboot", 1)
    _status(journey, vm, "kernel", kver)
    if _good(journey):
        dump = _crash(journey, vm, "kernel-crash")
        text = journey.must(vm, "kernel-record",
                            f"grep '\"program\"' {os.path.dirname(dump or '')}/crashpod.json")
        journey.add("kernel-record-version", None if f'"crashpod {_version()}"' in text else text)
    journey.must(vm, "kernel-remove", "rpm -e kernel && ! rpm -q kernel")
    _, left = vm.do(f"ls -d /var/lib/crashpod/*{kver}* /boot/*{kver}* "
                    f"/boot/loader/entries/*{kver}* /lib/modules/{kver} 2> /dev/null")
    journey.add("kernel-leaves-nothing", left.strip() or None)
    # as for a kernel whose package calls no hook: the boot makes the image
    journey.must(vm, "image-lost", f"rm /var/lib/crashpod/initramfs-{journey.system.kver}.*")
    vm.away("systemctl reboot", 1)
    _status(journey, vm, "again", journey.system.kver)


def _undo(journey, vm, before):
    """All as it was; then the package goes, by its scriptlets."""
    journey.must(vm, "remove", "crashpod setup --remove --yes")
    _, after = vm.do(STATE)
    journey.add("remove-restores", None if after == before else f"{after} is not {before}")
    journey.must(vm, "enable-again", "systemctl enable --now crashpod.service || true; "
                 "systemctl is-enabled crashpod.service")
    journey.must(vm, "rpm-erase", "rpm -e crashpod && ! rpm -q crashpod")
    _, left = vm.do("ls -d /usr/lib/crashpod /usr/sbin/crashpod* /usr/share/*/crashpod* "
                    "/etc/systemd/system/*/crashpod* /run/crashpod 2> /dev/null")
    journey.add("rpm-leaves-nothing", left.strip() or None)


def _good(journey):
    return all(why is None for _, why in journey.tests)


def run(rpm):
    """A Journey, judged. Lost and GroundError pass through."""
    journey = systems.Journey(rpmsystem.NAME, "setup", paths.GROUND / "run/system-rpm-layout")
    journey.where.mkdir(parents=True, exist_ok=True)
    journey.system = rpmsystem.ensure()
    kernel = kernels.ensure(rpmsystem.KERNEL)
    if kernel.kver != journey.system.kver:
        raise paths.GroundError(f"the machine has {journey.system.kver}, the vmlinux is of "
                                f"{kernel.kver}")
    disk = journey.where / "disk"
    paths.run(["cp", "--sparse=always", "--reflink=auto", journey.system.disk, disk])
    later, kernel_rpm = rpmsystem.kernel_rpm(journey.where)
    disks = [disk, _package_disk([rpm, kernel_rpm], _next_rpm(journey.where), journey.where),
             _debug_disk(kernel, journey.where)]
    with SysVm(journey.where, systems.MEMORY_BYTES, disks) as vm:
        vm.power_on()
        journey.seconds["first-boot"] = round(vm.wait_up(1), 1)
        _install(journey, vm)
        _, before = vm.do(STATE)
        if _good(journey):
            _setup(journey, vm)
        if _good(journey):
            dump = _crash(journey, vm, "crash")
            if dump:
                _backtrace(journey, vm, dump)
            _upgrade(journey, vm)
            _later_kernel(journey, vm, later)
            _undo(journey, vm, before)
        vm.power_off()
    return journey
