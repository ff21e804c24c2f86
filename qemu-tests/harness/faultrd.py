# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes to the capture kernel's initramfs, for Case.edit."""

import re
import subprocess

from ground import paths

from . import cpio, image

CONF = "etc/crashpod.conf"
MODULES = "etc/crashpod.modules"


def edit(change):
    """Case.edit: change(archive, where) on what mkinitrd has made."""
    def run(where, initrd):
        done = subprocess.run(["zstd", "-dc", initrd], check=False, capture_output=True)
        if done.returncode:
            raise paths.GroundError(f"zstd: {done.stderr.decode()}")
        archive = cpio.Archive.read(done.stdout)
        change(archive, where)
        archive.write(initrd)
    return run


def conf(data):
    """Other bytes for crashpod.conf; None: the file is not there."""
    def change(archive, _):
        if data is None:
            del archive.entries[CONF]
        else:
            archive.add(CONF, data, archive.entries[CONF][0])
    return edit(change)


def without(name):
    """A file is not there; a module may be compressed."""
    def change(archive, _):
        for found in [n for n in archive.entries if n == name or n.startswith(name + ".")]:
            archive.entries.pop(found)
    return edit(change)


def parameters(module, text):
    """Parameters for one of the modules."""
    def change(archive, _):
        mode, data = archive.entries[MODULES]
        lines = re.sub(rf"(?m)^(/lib/modules/{module}\.ko\S*)", rf"\1 {text}", data.decode())
        archive.add(MODULES, lines.encode(), mode)
    return edit(change)


def program(name):
    """A program of guest/, as /NAME."""
    return edit(lambda archive, where: archive.file(
        name, image.compile_guest(name, where / name)))
