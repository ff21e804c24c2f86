# SPDX-License-Identifier: GPL-2.0-or-later
"""The disk of a machine with UEFI firmware: GPT, an empty EFI system partition, an ext4 root.

The boot loader is not put there: the first boot goes by QEMU's own way (first_boot()), and the
machine's tools install it.
"""

import shutil
import subprocess

from . import ovmf, paths

SECTOR = 512
ESP_SECTOR = 2048
ESP_MIB = 512
ESP_ID = "5C0FFEE5"
ESP_UUID = f"{ESP_ID[:4]}-{ESP_ID[4:]}"
ROOT_SECTOR = ESP_SECTOR + (ESP_MIB << 20) // SECTOR


def write(root, disk, root_uuid, disk_mib):
    """Partitions and file systems, without mounting anything."""
    with open(disk, "wb") as f:
        f.truncate(disk_mib << 20)
    table = (f"label: gpt\nstart={ESP_SECTOR}, size={ROOT_SECTOR - ESP_SECTOR}, type=uefi, name=EFI\n"
             f"start={ROOT_SECTOR}, name=root\n")
    subprocess.run(["sfdisk", "-q", str(disk)], input=table, text=True, check=True)
    paths.run(["mkfs.vfat", "-F", "32", "-n", "EFI", "-i", ESP_ID, "--offset", str(ESP_SECTOR), disk,
               str(ESP_MIB << 10)])
    # the last MiB holds the second copy of the table
    paths.run(["mke2fs", "-q", "-t", "ext4", "-U", root_uuid, "-d", root,
               "-E", f"offset={ROOT_SECTOR * SECTOR},root_owner=0:0", disk,
               f"{disk_mib - ESP_MIB - 2}M"])


def take_kernel(root, kver, where):
    """The kernel and initramfs of the first boot, and the firmware's variables as they are new."""
    shutil.copyfile(root / f"boot/vmlinuz-{kver}", where / "vmlinuz")
    shutil.copyfile(root / f"boot/initrd.img-{kver}", where / "initrd")
    shutil.copyfile(ovmf.ensure()[1], where / "variables.fd")


def first_boot(where, root_uuid):
    """QEMU's arguments for it: the firmware starts this kernel."""
    return ["-kernel", where / "vmlinuz", "-initrd", where / "initrd",
            "-append", f"root=UUID={root_uuid} ro console=ttyS0"]
