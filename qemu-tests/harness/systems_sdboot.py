# SPDX-License-Identifier: GPL-2.0-or-later
"""The way of a machine with UEFI firmware and systemd-boot: its entries are edited by `crashpod
setup`, those of later kernels are made by kernel-install, and all of it goes back as it was. With
unified kernel images it is kernel-install that makes them anew.
"""

import shutil

from ground import ovmf, paths, systems as ground

from . import systems, systems_stay
from .sysvm import SysVm

ESP = "/boot/efi"
ENTRIES = f"{ESP}/loader/entries"
IMAGES = f"{ESP}/EFI/Linux"
CMDLINE = "/etc/kernel/cmdline"
# by way: what of a kernel has its command line, as a pattern of the shell; the way is a kind of machine
HOLDS = {"systemd-boot": ENTRIES + "/*-{}.conf", "unified": IMAGES + "/*-{}.efi"}
# the command lines in entries as in images
OPTIONS = "grep -haoE 'root=UUID=[ -~]*'"
# what setup changes, and what --remove brings back
STATE = (f"cat {CMDLINE} {ENTRIES}/*.conf 2> /dev/null; {OPTIONS} {IMAGES}/*.efi 2> /dev/null; "
         f"ls /etc/kernel {ENTRIES} {IMAGES}")
WITHOUT = f"! grep -saE 'crashkernel=[0-9]' {CMDLINE} {ENTRIES}/*.conf {IMAGES}/*.efi"
FIRMWARE = f"""test -d /sys/firmware/efi && bootctl is-installed && findmnt {ESP} || exit 1
ls {ENTRIES} {IMAGES}
bootctl status --no-pager
cat /proc/cmdline"""
LEFT = systems_stay.LEFT.replace("/boot/grub/grub.cfg", f"{CMDLINE} {ENTRIES}/*")


def holder(journey, kver):
    """What holds a kernel's command line, as a pattern of the shell."""
    return HOLDS[journey.way].format(kver)


def words_of(journey, vm, name, kver, wanted=1):
    """How often a kernel's command line reserves memory."""
    status, text = vm.do(f"{OPTIONS} {holder(journey, kver)}")
    found = text.count("crashkernel=")
    journey.add(name, None if status == 0 and found == wanted else f"{found} of {wanted}: {text}")


def _arm(journey, vm):
    """From a fresh machine to one that says it is ready."""
    journey.must(vm, "uefi", FIRMWARE)
    vm.do(systems.REPOSITORY)
    journey.must(vm, "install", systems.INSTALL)
    _, text = vm.do("systemctl is-enabled crashpod.service; cat /proc/cmdline "
                    "/sys/kernel/kexec_crash_loaded /sys/kernel/kexec_crash_size")
    journey.add("install-arms-nothing", None if "disabled" in text and "crashkernel" not in text
                and text.endswith("\n0\n0\n") else text)
    journey.must(vm, "install-reserves-nothing", WITHOUT)
    _, before = vm.do(STATE)
    journey.must(vm, "setup", "crashpod setup --yes")
    words_of(journey, vm, "setup-entry", journey.system.kver)
    journey.must(vm, "setup-cmdline", f"grep crashkernel= {CMDLINE} && ! grep initrd= {CMDLINE}")
    vm.away("systemctl reboot", 1)
    journey.seconds["reboot"] = round(vm.steps[-1][2], 1)
    journey.status(vm, "status")
    return before


def _next_kernel(journey, vm, parts):
    """Another kernel comes by its hooks, with its command line and initramfs."""
    vm.do(systems.REPOSITORY)
    text = journey.must(vm, "kernel-install", f"apt-get -q -y install {' '.join(parts)}")
    made = text.count(f"mkinitrd: /var/lib/crashpod/initramfs-{journey.other}.img")
    journey.add("kernel-image-once", None if made == 1 else f"{made} times: {text[-900:]}")
    words_of(journey, vm, "kernel-entry", journey.other)
    journey.must(vm, "kernel-image", f"ls -l /var/lib/crashpod/initramfs-{journey.other}.*")


def _crash_next(journey, vm):
    """The other kernel runs after a reboot, is ready, and is captured."""
    vm.away("systemctl reboot", 1)
    journey.seconds["kernel-reboot"] = round(vm.steps[-1][2], 1)
    _, text = vm.do("uname -r")
    journey.add("kernel-boots", None if text.strip() == journey.other else
                f"{text.strip()} runs, not {journey.other}")
    if journey.status(vm, "kernel-status"):
        systems.crash(journey, vm, "kernel-crash")
        journey.status(vm, "kernel-crash-status")


def _back(journey, vm, before):
    """Undone, also what came later; then set up again, beside an administrator's command line."""
    journey.must(vm, "remove-setup", "crashpod setup --remove --yes")
    words_of(journey, vm, "remove-later-entry", journey.other, 0)
    _, name = vm.do(f"mkdir -p /root/later && echo {holder(journey, journey.other)}")
    vm.do(f"mv {name.strip()} /root/later")
    _, after = vm.do(STATE)
    vm.do(f"mv /root/later/* {name.strip()} && rmdir /root/later")
    journey.add("remove-restores", None if after == before else f"{after} is not {before}")
    journey.must(vm, "remove-leaves-nothing", WITHOUT)
    # Debian's installer writes this file; without it kernel-install takes the running kernel's
    journey.must(vm, "cmdline", f"{OPTIONS} {holder(journey, '$(uname -r)')} > {CMDLINE} && "
                 f"cat {CMDLINE}")
    journey.must(vm, "setup-again", "crashpod setup --yes")
    for kver in (journey.system.kver, journey.other):
        words_of(journey, vm, f"setup-again-{kver}", kver)
    journey.must(vm, "setup-again-cmdline", f"grep crashkernel= {CMDLINE}")
    journey.status(vm, "setup-again-status")
    # setup has made the running kernel's; the others' are made when they boot, or by this
    images = " ".join(f"/var/lib/crashpod/initramfs-{kver}.img"
                      for kver in (journey.system.kver, journey.other))
    journey.must(vm, "refresh", f"crashpod refresh && ls -l {images}")


def _one_gone(journey, vm, kver, packages):
    """A kernel that does not run is removed: image, entry and what belongs to it go."""
    journey.must(vm, "kernel-remove", f"test -e /var/lib/crashpod/initramfs-{kver}.img || exit 1\n"
                 f"apt-get -q -y purge {' '.join(packages)}")
    _, left = vm.do(f"ls -d /var/lib/crashpod/*-{kver}.* {holder(journey, kver)} {ESP}/*/{kver} "
                    "2> /dev/null")
    journey.add("kernel-remove-leaves-nothing", left.strip() or None)
    journey.status(vm, "kernel-remove-status")


def _leave(journey, vm):
    """The package goes: with the purge nothing is left, and nothing is reserved."""
    journey.must(vm, "remove", "apt-get -q -y remove crashpod")
    journey.must(vm, "removed", systems_stay.REMOVED)
    journey.must(vm, "purge", "apt-get -q -y purge crashpod")
    _, left = vm.do(LEFT)
    journey.add("purge-leaves-nothing", left.strip() or None)
    journey.must(vm, "purge-leaves-no-word", WITHOUT)
    vm.away("systemctl reboot", 1)
    _, line = vm.do("cat /proc/cmdline /sys/kernel/kexec_crash_size")
    journey.add("purge-reserves-nothing", None if "crashkernel" not in line and
                line.endswith("\n0\n") else line)


def _good(journey):
    return all(why is None for _, why in journey.tests)


def _go(journey, vm, parts):
    before = _arm(journey, vm)
    if not _good(journey):
        return
    systems.crash(journey, vm, "crash")
    journey.status(vm, "crash-status")
    _next_kernel(journey, vm, parts)
    if journey.way != "unified":
        _crash_next(journey, vm)
    vm.do(systems.REPOSITORY)
    _back(journey, vm, before)
    if journey.way != "unified":
        kver = journey.system.kver
        _one_gone(journey, vm, kver, ("linux-image-amd64", f"linux-image-{kver}"))
    else:
        _one_gone(journey, vm, journey.other, parts)
    _leave(journey, vm)


def run(suite, way, debs):
    """A Journey, judged. Lost and GroundError pass through."""
    journey = systems.Journey(suite, way, paths.GROUND / "run" / f"system-{suite}-{way}")
    journey.where.mkdir(parents=True, exist_ok=True)
    journey.system = ground.ensure(suite, systems.settle, way)
    journey.other, parts = systems.other_kernel(suite)
    disk, variables = journey.where / "disk", journey.where / "variables.fd"
    paths.run(["cp", "--sparse=always", "--reflink=auto", journey.system.disk, disk])
    shutil.copyfile(journey.system.variables, variables)
    repository = ground.repository(suite, parts, debs, journey.where)
    with SysVm(journey.where, systems.MEMORY_BYTES, [disk, repository],
               firmware=ovmf.arguments(variables)) as vm:
        vm.power_on()
        journey.seconds["first-boot"] = round(vm.wait_up(1), 1)
        _go(journey, vm, parts)
        vm.power_off()
    return journey
