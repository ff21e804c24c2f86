# SPDX-License-Identifier: GPL-2.0-or-later
"""Harm from within a capture kernel: guest/saboteur.c starts before PID 1's program does."""

from . import cpio, image


def edit(where, initrd, files=()):
    """edit() of a case: the saboteur, and more files, into an archive behind mkinitrd's."""
    archive = cpio.Archive()
    archive.file("saboteur", image.compile_guest("saboteur", where / "saboteur"))
    for name, data in files:
        archive.add(name, data, 0o100644)
    archive.write(where / "saboteur.cpio")
    whole = initrd.read_bytes()
    initrd.write_bytes(whole + bytes(-len(whole) % 4) + (where / "saboteur.cpio").read_bytes())


# When a dump has all that crash needs to open it, but is not whole: it is one with many pages more,
# on a target so slow that the console says in time how far it is. Those come first, and are a
# sixth of all.
HALFWAY = "nmi"
LARGE = "dump_level 1"


def throttle(kib):
    """on of a case: the target takes so much a second."""
    def act(run):
        run.vm.qmp.call("block_set_io_throttle", device="virtio1", bps=0, bps_rd=0,
                        bps_wr=kib << 10, iops=0, iops_rd=0, iops_wr=0)
    return act


def nmi(run):
    """on of a case: tells the saboteur."""
    run.vm.qmp.call("inject-nmi")


SLOW = ("^dump starts", throttle(2000))
ON_HALFWAY = (SLOW, (r"^writing [2-8]\d%", nmi))


def order(when="", what="", times=1, **more):
    """append of a case: what is to be done, and when; the words are the program's own."""
    words = ["rdinit=/saboteur"]
    if what:
        words += [f"sab_when={when}", f"sab_what={what}", f"sab_times={times}"]
    return " ".join(words + [f"sab_{name}={value}" for name, value in more.items()])
