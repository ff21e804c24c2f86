# SPDX-License-Identifier: GPL-2.0-or-later
"""UEFI firmware for guests: Debian 12's OVMF, unpacked."""

import shutil

from . import apt, paths

WHERE = paths.GROUND / "ovmf"
CODE = WHERE / "usr/share/OVMF/OVMF_CODE_4M.fd"
VARS = WHERE / "usr/share/OVMF/OVMF_VARS_4M.fd"


def ensure():
    """(firmware, a template of its variables)."""
    with paths.locked("ovmf"):
        if not CODE.exists():
            shutil.rmtree(WHERE, ignore_errors=True)
            WHERE.mkdir(parents=True)
            suite = apt.Suite("bookworm")
            suite.update()
            deb = suite.download("ovmf", WHERE)
            paths.run(["dpkg-deb", "-x", deb, WHERE])
            deb.unlink()
    return CODE, VARS


def arguments(variables):
    """QEMU's arguments for a machine with UEFI firmware; its variables are kept in that file."""
    code, template = ensure()
    if not variables.exists():
        shutil.copyfile(template, variables)
    return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}",
            "-drive", f"if=pflash,format=raw,unit=1,file={variables}"]
