# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases of `run.py disks`: controller, file system, partition table. Not the full product."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Controller:
    """What QEMU puts the drive "target" on, the modules that its image must have, and machine."""
    devices: tuple
    modules: tuple
    machine: str = "q35"


def _scsi(adapter, *modules, disk=""):
    return Controller((adapter + ",id=ctl", "scsi-hd,drive=target,bus=ctl.0" + disk),
                      (*modules, "sd_mod"))


CONTROLLERS = {
    "virtio-blk": Controller(("virtio-blk-pci,drive=target",), ("virtio_pci", "virtio_blk")),
    "virtio-blk-iommu": Controller(("virtio-blk-pci,drive=target,disable-legacy=on,"
                                    "iommu_platform=on,ats=on",), ("virtio_pci", "virtio_blk")),
    "virtio-scsi": _scsi("virtio-scsi-pci", "virtio_pci", "virtio_scsi"),
    "nvme": Controller(("nvme,drive=target,serial=target",), ("nvme",)),
    "ahci": Controller(("ahci,id=ctl", "ide-hd,drive=target,bus=ctl.0"), ("ahci", "sd_mod")),
    "ide": Controller(("ide-hd,drive=target,bus=ide.0",), ("ata_piix", "sd_mod"), "pc"),
    # QEMU's megasas takes FUA in a write's CDB for another LUN
    "megasas": _scsi("megasas", "megaraid_sas", disk=",dpofua=off"),
    # its mptsas gives the WWN as SAS address: the driver passes over a disk whose address is 0
    "mptsas": _scsi("mptsas1068", "mptsas", disk=",wwn=0x5000c50015ea71ac"),
    "pvscsi": _scsi("pvscsi", "vmw_pvscsi"),
    "usb-storage": Controller(("qemu-xhci,id=usb", "usb-storage,drive=target,bus=usb.0"),
                              ("xhci_pci", "usb_storage", "sd_mod")),
    # uas asks usb_storage for its quirks
    "uas": Controller(("qemu-xhci,id=usb", "usb-uas,id=ctl,bus=usb.0",
                       "scsi-hd,drive=target,bus=ctl.0"), ("xhci_pci", "usb_storage", "uas", "sd_mod")),
    "sd-card": Controller(("sdhci-pci,id=ctl", "sd-card,drive=target"),
                          ("sdhci_pci", "mmc_block")),
}


@dataclass(frozen=True)
class Case:
    """mount: options of the production system's mount. subvolume: of btrfs, made and mounted by
    the production system. devices: more of QEMU's. modprobe: a file of /etc/modprobe.d.
    prepare: shell commands before mkinitrd. boot: more of the production kernel's command line.
    absent: modules that the image must not have. modules: more that it must have.
    conf: more lines of crashpod.conf. says: what must be on the capture kernel's console. moves:
    the device has another name in the capture kernel. check: mkinitrd --check is run as well, and
    judged. status, record: what crashpod.json says. big: the dump is verified where it lies.
    early: a disk, and the modules that the production system loads by name before all others."""
    controller: str
    fstype: str
    table: str = "gpt"
    mount: str = ""
    subvolume: str = ""
    default: bool = False
    devices: tuple = ()
    modprobe: str = ""
    prepare: str = ""
    boot: str = ""
    absent: tuple = ()
    modules: tuple = ()
    conf: tuple = ()
    moves: bool = False
    early: str = ""
    says: tuple = ()
    more: str = ""
    check: bool = False
    quick: bool = False
    status: str = "complete"
    record: tuple = ()
    big: bool = False
    limit_s: int = 600
    mib: int = 512
    memory_mib: int = 768
    crashkernel: str = "128M"

    @property
    def name(self):
        parts = [self.controller, self.fstype, self.table, *([self.more] if self.more else [])]
        return "-".join(parts)


# A second controller with a disk of its own. The production system loads its driver first, as that
# of a root disk: its disk is sda.
OTHER = ("virtio-scsi-pci,id=other", "scsi-hd,drive=other,bus=other.0")
# What most machines have besides, and no dump needs.
BESIDE = ("e1000e", "virtio-net-pci", "bochs-display", "virtio-rng-pci")

IOMMU = ("intel-iommu,intremap=on,device-iotlb=on",)
TAKEN_OVER = (r"DMAR: Copied translation tables from previous kernel",)

# 4.5 GiB that no compressor makes smaller, in files that a dump level leaves out, and in memory of
# the kernel's own. What repeats is too far apart for one dump to store it once.
SEED = "mount -o remount,size=90% /tmp\nhead -c 640M /dev/urandom > /tmp/seed\n"
FILES = SEED + "for i in 1 2 3 4 5 6 7; do cat /tmp/seed > /tmp/copy.$i || exit 1; done\n"
KERNELS = SEED + ("modprobe brd rd_nr=1 rd_size=4718592\nfor i in 0 1 2 3 4 5 6; do\n"
                  "dd if=/tmp/seed of=/dev/ram0 bs=1M count=640 seek=$((i * 640)) oflag=direct ||"
                  " exit 1\ndone\nrm /tmp/seed\n")
# As much that repeats close by: an ELF dump has it all, one in the kdump format has it once.
REPEATS = ("head -c 64k /dev/urandom > /tmp/seed\nmodprobe brd rd_nr=1 rd_size=4718592\n"
           "i=0; while test $i -lt 1024; do cat /tmp/seed; i=$((i + 1)); done > /tmp/many\n"
           "i=0; while test $i -lt 72; do dd if=/tmp/many of=/dev/ram0 bs=1M seek=$((i * 64)) "
           "oflag=direct || exit 1; i=$((i + 1)); done\nrm /tmp/seed /tmp/many\n")

CASES = [
    Case("nvme", "xfs", quick=True),
    Case("ahci", "btrfs", "mbr", quick=True),
    # each controller with ext4
    Case("virtio-blk", "ext4"),
    Case("virtio-scsi", "ext4", devices=BESIDE, check=True),
    Case("nvme", "ext4", "none"),
    Case("ahci", "ext4", "mbr"),
    Case("ide", "ext4", "mbr"),
    Case("megasas", "ext4"),
    Case("mptsas", "ext4"),
    Case("pvscsi", "ext4"),
    Case("usb-storage", "ext4", "mbr", modprobe="options usb_storage quirks=46f4:0001:m\n",
         says=(r"Quirks match for vid 46f4 pid 0001: 400",)),
    Case("uas", "ext4"),
    Case("sd-card", "ext4", "mbr"),
    # each file system
    Case("virtio-blk", "ext2"),
    Case("virtio-scsi", "ext3"),
    Case("virtio-blk", "xfs", "none"),
    Case("virtio-blk", "btrfs", "none"),
    Case("virtio-scsi", "f2fs"),
    Case("virtio-blk", "vfat", "mbr", modules=("vfat", "nls_cp437", "nls_ascii")),
    Case("virtio-scsi", "exfat", conf=("naming rhel",)),
    # btrfs: the dump's path is from the top, whatever is mounted, or is the default subvolume
    Case("virtio-scsi", "btrfs", more="zstd", mount="compress-force=zstd", subvolume="data"),
    Case("nvme", "btrfs", more="default", mount="compress=lzo", subvolume="data", default=True),
    # a file of vfat ends at 4 GiB: the level is raised; where that is not enough the dump is cut
    Case("virtio-blk", "vfat", "mbr", more="4g-raised", prepare=FILES, conf=("dump_level 1",),
         mib=5632, memory_mib=6400, limit_s=900, record=(("level_asked", 1), ("level_used", 19)),
         says=(r"vfat has files of at most 4 GiB",)),
    Case("virtio-blk", "vfat", "mbr", more="4g-cut", prepare=KERNELS, conf=("compress none",),
         mib=5632, memory_mib=6400, limit_s=900, status="incomplete", big=True,
         record=(("level_asked", 31), ("level_used", 31))),
    # an ELF dump cannot be cut: it is made in the kdump format
    Case("virtio-blk", "vfat", "mbr", more="4g-elf", prepare=REPEATS, conf=("format elf",),
         mib=5632, memory_mib=6400, limit_s=900, record=(("format", "kdump"), ("level_used", 31)),
         says=(r"File too large: the dump is made in the kdump format",)),
    # mixed
    Case("usb-storage", "vfat", "mbr"),
    Case("sd-card", "exfat", "mbr"),
    Case("megasas", "xfs", "mbr"),
    # the production system's sdb is the capture kernel's sda: the first disk's driver is not there
    Case("ahci", "ext4", more="moves", devices=OTHER, moves=True, early="sda virtio_scsi sd_mod"),
    # options of the command line; a blacklist that must not cost the dump
    Case("nvme", "ext4", more="options", boot="nvme.poll_queues=1", early="nvme0n1 nvme",
         modprobe="blacklist nvme\n", says=(r"1/0/1 default/read/poll queues",)),
    # behind an IOMMU whose tables the dead kernel has left in use: the capture kernel takes them over
    Case("nvme", "ext4", more="iommu", devices=IOMMU, boot="intel_iommu=on", says=TAKEN_OVER),
    Case("virtio-blk-iommu", "ext4", devices=IOMMU, boot="intel_iommu=on", says=TAKEN_OVER),
]
BY_NAME = {case.name: case for case in CASES}
