# SPDX-License-Identifier: GPL-2.0-or-later
"""The layers that are tried, each a real crash: docs/layers.md has the results."""

import re

from .layers import DISK_MIB, Case

LV = "vgchange -q -ay vg\ndevice=/dev/mapper/vg-crash\nvgck vg\n"
DM = "dm_mod"
MD = "/dev/md127"


def volume(create, disks="/dev/vdb /dev/vdc"):
    """Shell: a volume group on these disks, of which another volume has a part as well."""
    return (f"pvcreate -q -y {disks}\nvgcreate -q vg {disks}\n"
            "lvcreate -q -y -Zn -Wn -L 20M -n other vg\n"
            f"{create}\ndevice=/dev/mapper/vg-crash\n")


def array(level, members="bcd", options="", metadata="1.2"):
    """Shell: an array that has been synced."""
    disks = " ".join(f"/dev/vd{letter}" for letter in members)
    return (f"echo n | mdadm --create {MD} --run --homehost=any --metadata={metadata} "
            f"--level={level} --raid-devices={len(members)} {options} {disks}\n"
            f"mdadm --wait {MD} || true\n"
            f"device={MD}\n")


OPEN = (f"mdadm --assemble --scan --run --homehost=any -v {MD} || "
        f"mdadm --assemble --run -v {MD} /dev/vd[b-z]\n"
        f"mdadm --detail {MD} > $out/detail\n"
        f"mdadm --examine /dev/vd[b-z] > $out/examine || true\n"
        f"device={MD}\n")


def without(*numbers):
    """Takes disks' superblocks away (all four places that mdadm may use) as the capture kernel
    starts: as if the disks were new."""
    def lost(run):
        for number in numbers:
            with open(run.disks[number], "r+b") as f:
                f.write(bytes(1 << 20))
                f.seek(-(1 << 20), 2)
                f.write(bytes(1 << 20))
    return lost


def degraded(have, want):
    """check(): the record says with how many members the array ran, and mdadm that one is gone."""
    def check(run):
        text = f"md127 runs with {have} of {want} members"
        notes = run.record.get("notes", [])
        run.add("record-tells-degraded", None if text in notes else f"{notes}")
        run.add("console-tells-degraded", None if run.said(text) else "it does not")
        state = re.search(r"Active Devices : (\d+)", run.fact("detail"))
        run.add("mdadm-finds-the-rest", None if state and int(state[1]) == have else
                run.fact("detail")[-400:])
    return check


def whole(count):
    """check(): all members are in the array after the crash, none was thrown out."""
    def check(run):
        state = re.search(r"Active Devices : (\d+)", run.fact("detail"))
        run.add("mdadm-finds-all", None if state and int(state[1]) == count else
                run.fact("detail")[-400:])
        notes = run.record.get("notes", [])
        run.add("record-tells-nothing", None if not notes else f"{notes}")
    return check


THREE, FOUR = (DISK_MIB,) * 3, (DISK_MIB,) * 4

CASES = {case.name: case for case in (
    Case("lvm-linear", "LVM: a linear volume on a disk and a partition", volume(
        "lvcreate -q -y -Zn -Wn -l 100%FREE -n crash vg", "/dev/vdb1 /dev/vdc"), LV, DM, parts=(1,),
         quick=True),
    Case("lvm-striped", "LVM: a volume striped over three disks", volume(
        "lvcreate -q -y -Zn -Wn -i 3 -I 64 -L 480M -n crash vg", "/dev/vdb /dev/vdc /dev/vdd"), LV,
         DM, THREE),
    Case("md-raid1", "MD RAID1", array(1, "bc"), OPEN, "md_mod raid1", check=whole(2)),
    Case("md-raid1-degraded", "MD RAID1, a member is gone when the capture kernel starts",
         array(1, "bc"), OPEN, "md_mod raid1", lost=without(2), check=degraded(1, 2), quick=True),
    Case("md-raid1-bitmap", "MD RAID1 with superblocks at the end (1.0) and a write-intent bitmap",
         array(1, "bc", "--bitmap=internal", "1.0"), OPEN, "md_mod raid1", check=whole(2)),
    Case("md-raid0", "MD RAID0", array(0, "bc"), OPEN, "md_mod raid0", check=whole(2)),
    Case("md-raid5", "MD RAID5", array(5), OPEN, "md_mod raid456", THREE, check=whole(3)),
    Case("md-raid5-degraded", "MD RAID5, a member is gone when the capture kernel starts",
         array(5), OPEN, "md_mod raid456", THREE, lost=without(2), check=degraded(2, 3)),
    Case("md-raid10", "MD RAID10", array(10, "bcde"), OPEN, "md_mod raid10", FOUR, check=whole(4)),
    Case("md-raid10-degraded", "MD RAID10, a member is gone when the capture kernel starts",
         array(10, "bcde"), OPEN, "md_mod raid10", FOUR, lost=without(2), check=degraded(3, 4)),
)}
