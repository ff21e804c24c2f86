# SPDX-License-Identifier: GPL-2.0-or-later
"""The layers that are tried, each a real crash: docs/layers.md has the results."""

import re

from .faults_own import ALL
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
            f"mdadm --detail --export {MD} | sed -n 's/^MD_UUID=//p' > $out/md-uuid\n"
            f"device={MD}\n")


OPEN = (f"mdadm --assemble --run -v --uuid=$(cat $out/md-uuid) {MD}\n"
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


def thin_sound(run):
    """check(): the pool's metadata need no repair."""
    text = run.fact("pool")
    run.add("pool-sound", None if " rw " in text and "needs_check" not in text else text)


SIZE = DISK_MIB << 11
PATHS = f"""
dmsetup create mpatha -u mpath-crashpod1 --table "0 {SIZE} multipath 0 0 1 1 round-robin 0 2 1 8:0 1000 8:16 1000"
device=/dev/mapper/mpatha
"""
# a raw area, and a file system beside it for what has to stay as it is
RAW_LV = "mkdir -p /dev/vg\nln -sf ../mapper/vg-crash /dev/vg/crash\n"
COLLECT = ("mkdir -p $out/crash\ncrashpod raw collect {0} $out/crash\n"
           "device=/dev/vdd\n")
KEY = "00112233445566778899aabbccddeeff" * 2
CRYPT = f"""
dmsetup create vg-secret --table "0 {SIZE} crypt aes-xts-plain64 {KEY} 0 /dev/vdb 0"
device=/dev/mapper/vg-secret
"""

LUKS_UUID = "1a9e2000-0000-4000-8000-00000000000c"
LUKS_KEY = f"cryptsetup:{LUKS_UUID}"
LUKS_MODULES = "dm_mod dm_crypt aes ecb xts algif_skcipher"
LUKS_OPEN = "cryptsetup open -q --key-file /test/pass {} /dev/vdb secret\n"
LUKS_LINK = f"--link-vk-to-keyring '@u::%logon:{LUKS_KEY}'"


LUKS_FORMAT = ("cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "
               "--key-file /test/pass")


def luks(link, more="device=/dev/mapper/secret\n"):
    """Shell: LUKS2 on a disk, opened with these options."""
    return ("mkdir -p /run/cryptsetup\nprintf passphrase > /test/pass\n"
            f"{LUKS_FORMAT} --uuid {LUKS_UUID} /dev/vdb\n{LUKS_OPEN.format(link)}{more}")


# no name is left when nothing is loaded; what is asked when it is again
LUKS_LOADED = ("crashpod unload\n"
               "cat /sys/kernel/config/crash_dm_crypt_keys/count > /test/out/layers/count\n"
               "load\ncrashpod load --again\n"
               "crashpod status > /test/out/layers/status 2>&1 || true\n"
               "cp /sys/kernel/config/crash_dm_crypt_keys/*/description "
               "/test/out/layers/description || true\n")
LUKS_AFTER = ("mkdir -p /run/cryptsetup\n" + LUKS_OPEN.format("") +
              "cryptsetup luksDump -q --dump-volume-key --key-file /test/pass /dev/vdb"
              " > $out/volume-key\n")


def key_kept(run):
    """check(): the kernel was told of the key by its name, and nothing of ours has it."""
    run.add("key-is-named", None if run.fact("description").strip() == LUKS_KEY else
            f"{run.fact('description')!r}")
    run.add("unload-takes-back", None if run.fact("count").strip() == "0" else run.fact("count"))
    run.add("status-tells-key", None if re.search("capture kernel has the key of secret$",
                                                  run.fact("status"), re.M) else
            run.fact("status")[-400:])
    match = re.search(r"MK dump:((?:\s+[0-9a-f]{2})+)|Volume Key:((?:\s+[0-9a-f]{2})+)",
                      run.fact("volume-key"))
    key = "".join((match[1] or match[2]).split()) if match else ""
    told = [name for name in ("report", "status", "dm.before", "table")
            if key and key in run.fact(name).replace(" ", "")]
    run.add("key-is-told-nowhere", None if len(key) == 128 and not told and key not in run.console
            and bytes.fromhex(key) not in (run.out / "layers/image").read_bytes() else
            f"{len(key)} digits, in {told}")
    table = run.fact("table")
    run.add("table-names-key", None if f"leaf crypto_LUKS {LUKS_UUID}\n" in table and
            re.search(rf" crypt aes-xts-plain64 :64:user:{LUKS_KEY} 0 @\d ", table) else table)


def no_key(run):
    """check(): it was loaded all the same, and said what is missing."""
    log = (run.out / "load.log").read_text(errors="replace")
    wanted = f"secret: no key {LUKS_KEY} in root's keyring"
    run.add("load-warns", None if f"takes no dump: {wanted}" in log else log[-300:])
    run.add("status-tells-why", None if wanted in run.fact("status") else
            run.fact("status")[-400:])


# the text that goes into the image, and all of the image as it was before it was packed
LUKS_LATE = ("crashpod layers $(dmsetup info -c --noheadings -o blkdevname ${top:-$device}) > $out/table\n"
             "dash /usr/lib/crashpod/mkinitrd/mkinitrd -c /etc/crashpod.conf --compress none "
             "--init /usr/lib/crashpod/init -o $out/image\n")


def two_paths(where):
    """QEMU's arguments: one disk, twice, at a controller of its own each."""
    path = where / "paths.img"
    with open(path, "wb") as f:
        f.truncate(DISK_MIB << 20)
    argv = []
    for n in range(2):
        argv += ["-blockdev", f"driver=raw,node-name=path{n},file.driver=file,file.locking=off,"
                              f"file.filename={path}",
                 "-device", f"virtio-scsi-pci,id=hba{n}",
                 "-device", f"scsi-hd,id=sd{n},bus=hba{n}.0,drive=path{n},serial=crashpod1,"
                            "share-rw=on"]
    return argv


def path_down(run):
    run.vm.qmp.call("device_del", id="sd0")


def by_path(run):
    message = [s.get("message", "") for s in run.record.get("steps", []) if s["name"] == "target"]
    run.add("a-path-was-taken", None if message and re.search("is /dev/sd[ab],", message[-1]) else
            f"{message}")
    _, _, after = run.console.partition("the capture kernel is up")
    seen = len(re.findall(r"Attached SCSI disk", after.partition("dump starts")[0]))
    run.add("one-path-was-gone", None if seen == 1 else f"{seen} disks were attached")


THREE, FOUR = (DISK_MIB,) * 3, (DISK_MIB,) * 4

CASES = {case.name: case for case in (
    Case("lvm-linear", "LVM: a linear volume on a disk and a partition", volume(
        "lvcreate -q -y -Zn -Wn -l 100%FREE -n crash vg", "/dev/vdb1 /dev/vdc"), LV, DM, parts=(1,),
         quick=True),
    Case("lvm-striped", "LVM: a volume striped over three disks", volume(
        "lvcreate -q -y -Zn -Wn -i 3 -I 64 -L 480M -n crash vg", "/dev/vdb /dev/vdc /dev/vdd"), LV,
         DM, THREE),
    Case("lvm-changed", "LVM: the volume is extended after the image was made", volume(
        "lvcreate -q -y -Zn -Wn -L 100M -n crash vg"), LV, DM, late="lvextend -q -L +40M vg/crash",
         lost_why="dm vg-crash: LVM has changed it since the image was made"),
    Case("lvm-neighbour", "LVM: another volume is made after the image, and the group grows", volume(
        "lvcreate -q -y -Zn -Wn -L 150M -n crash vg"), LV, DM, (DISK_MIB,) * 3,
         late="lvcreate -q -y -Zn -Wn -L 40M -n late vg\nvgextend -q vg /dev/vdd"),
    Case("lvm-thin", "LVM: a thin volume", volume(
        "lvcreate -q -y -Zn -Wn -l 90%FREE -T vg/pool\n"
        "lvcreate -q -y -V 1G -T vg/pool -n crash\nlvcreate -q -y -V 1G -T vg/pool -n more"),
         LV + "dmsetup status vg-pool-tpool > $out/pool\n", "dm_mod dm_thin_pool",
         check=thin_sound),
    Case("lvm-on-raid1", "LVM on MD RAID1, a member is gone", array(1, "bc") + volume(
        "lvcreate -q -y -Zn -Wn -l 100%FREE -n crash vg", MD), OPEN + LV, "dm_mod md_mod raid1",
         lost=without(1), check=degraded(1, 2)),
    Case("lvm-raw", "LVM: a raw area on a linear volume", volume(
        "lvcreate -q -y -Zn -Wn -L 300M -n crash vg") + RAW_LV +
         "crashpod raw format /dev/vg/crash\ndevice=/dev/vdd\n",
         LV + RAW_LV + COLLECT.format("/dev/vg/crash"), DM, THREE, conf=("raw /dev/vg/crash",)),
    Case("md-raid1-raw", "a raw area on MD RAID1",
         array(1, "bc") + f"crashpod raw format {MD}\ndevice=/dev/vdd\n",
         OPEN + COLLECT.format(MD), "md_mod raid1", THREE, conf=(f"raw {MD}",), check=whole(2)),
    Case("multipath", "one of two paths of a multipath device is gone, the other is taken",
         PATHS, "device=/dev/sda\n", "dm_multipath dm_round_robin", (), extra=two_paths,
         lost=path_down, check=by_path),
    Case("crypt", "dm-crypt is refused, and its key is told nowhere", CRYPT, "", "dm_crypt xts ecb aes_generic",
         refused="vg-secret: it is encrypted, this kernel cannot hand its key to the capture kernel"),
    Case("luks", "LUKS2, by a kernel that hands its key over", luks(LUKS_LINK),
         LUKS_AFTER + "device=/dev/mapper/secret\n", LUKS_MODULES, check=key_kept, kernel="crypt",
         late=LUKS_LATE, loaded=LUKS_LOADED),
    Case("luks-lvm", "LVM on LUKS2", luks(LUKS_LINK, volume(
        "lvcreate -q -y -Zn -Wn -l 100%FREE -n crash vg", "/dev/mapper/secret /dev/vdc")),
         LUKS_AFTER + LV, LUKS_MODULES, check=key_kept, kernel="crypt", late=LUKS_LATE,
         loaded=LUKS_LOADED),
    Case("luks-raw", "LVM on LUKS2: a raw area", luks(LUKS_LINK, volume(
        "lvcreate -q -y -Zn -Wn -L 160M -n crash vg", "/dev/mapper/secret") + RAW_LV +
         "crashpod raw format --force /dev/vg/crash\ntop=$device\ndevice=/dev/vdd\n"),
         LUKS_AFTER + LV + RAW_LV + COLLECT.format("/dev/vg/crash"), LUKS_MODULES, (DISK_MIB,) * 3,
         check=key_kept, kernel="crypt", late=LUKS_LATE, loaded=LUKS_LOADED,
         conf=("raw /dev/vg/crash",)),
    Case("luks-other-key", "LUKS2, the key of that name is another disk's", luks("", (
        f"{LUKS_FORMAT} /dev/vdc\n"
        f"cryptsetup open -q --key-file /test/pass {LUKS_LINK} /dev/vdc other\n"
        "device=/dev/mapper/secret\n")),
         LUKS_AFTER + "device=/dev/mapper/secret\n", LUKS_MODULES, kernel="crypt",
         lost_why="did not appear within 30 s; there are: "),
    Case("luks-no-key", "LUKS2, its key is not in a keyring", luks(""),
         LUKS_AFTER + "device=/dev/mapper/secret\n", LUKS_MODULES, check=no_key, kernel="crypt",
         loaded=LUKS_LOADED, lost_why="dm secret: this kernel was loaded without the disk's key"),
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
    # crashpod's own kernel, as faults_own.py has it
    Case("own-lvm", "own kernel, LVM", volume(
        "lvcreate -q -y -Zn -Wn -l 100%FREE -n crash vg"), LV, DM, capture=ALL),
    Case("own-raid5", "own kernel, MD RAID5", array(5), OPEN, "md_mod raid456", THREE,
         check=whole(3), capture=ALL),
)}
