# SPDX-License-Identifier: GPL-2.0-or-later
"""The vmcores that are measured, under build/ground/bench: guests at work, crashed for real."""

import os
import shutil

from ground import forky, kernels, paths

from . import image, scenario

DIR = paths.GROUND / "bench"
COPY = "copy /proc/vmcore /dev/vdb > /target/test/out/vmcore.bytes\n"


def _plan(kernel, where, memory_mib):
    capture = image.busybox_initramfs(
        kernel, "capture-init.sh", where / "capture.cpio",
        files=[("bin/copy", image.compile_guest("copy", where / "copy"))],
        texts=[("capture", COPY)])
    return scenario.Plan(kernel, where, load=scenario.kexec_load(), memory_mib=memory_mib,
                         crash=(image.GUEST / "bench-crash.sh").read_text(encoding="ascii"),
                         files=[*scenario.kexec_files(), ("boot/capture", capture),
                                ("test/fill.py", image.GUEST / "bench-fill.py")], limit_s=900)


def vmcore(kernel_name, memory_mib=4096):
    """A whole copy of /proc/vmcore of a guest with slab, anonymous memory, page cache, tmpfs and
    free memory, made unless it is there."""
    out = DIR / f"{kernel_name}-{memory_mib}M.vmcore"
    with scenario.workplace(f"bench-{kernel_name}-{memory_mib}M") as where:
        if not out.exists():
            DIR.mkdir(parents=True, exist_ok=True)
            kernel = kernels.ensure(kernel_name)
            tree, copy = where / "tree.img", where / "vmcore"
            image.make_ext4(tree, 2048, forky.ROOT)
            with open(copy, "wb") as f:
                f.truncate(memory_mib + 64 << 20)
            outcome = scenario.run(_plan(kernel, where, memory_mib), extra_disks=[copy, tree])
            os.truncate(copy, int((outcome.out / "vmcore.bytes").read_text(encoding="ascii")))
            shutil.move(copy, out)
        shutil.rmtree(where)
    return out
