# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs that make and mend arrays and volumes, unpacked beside the forky root.

They run in guests only, so that they are not installed: with their libraries they are found by ldd.
"""

import re
import shutil

from . import apt, forky, paths

ROOT = paths.GROUND / "layer-tools"
STAMP = ROOT / "crashpod-ground"
PACKAGES = ("lvm2", "libdevmapper-event1.02.1", "libdevmapper1.02.1", "libedit2", "libbsd0",
            "libmd0", "dmsetup", "mdadm", "thin-provisioning-tools", "cpio", "e2fsprogs",
            "libext2fs2t64", "libss2", "libcom-err2", "cryptsetup-bin", "libcryptsetup12",
            "libjson-c5", "libpopt0")
LIBRARIES = "usr/lib/x86_64-linux-gnu"


def ensure():
    """Fetch and unpack what is missing; give the root."""
    with paths.locked("layer-tools"):
        if STAMP.exists() and STAMP.read_text(encoding="ascii").split() == list(PACKAGES):
            return ROOT
        shutil.rmtree(ROOT, ignore_errors=True)
        suite = apt.Suite(forky.SUITE)
        suite.update()
        paths.say("ground: lvm2, mdadm, cryptsetup and their like")
        for package in PACKAGES:
            deb = suite.download(package, ROOT / "debs")
            paths.run(["dpkg-deb", "-x", deb, ROOT])
        shutil.rmtree(ROOT / "debs")
        STAMP.write_text("\n".join(PACKAGES) + "\n", encoding="ascii")
    return ROOT


def _find(program):
    for root in (ROOT, forky.ROOT):
        for sub in ("usr/sbin", "usr/bin", "sbin", "bin"):
            if (root / sub / program).exists():
                return root / sub / program
    raise paths.GroundError(f"no {program} in {ROOT} and {forky.ROOT}")


def programs(names):
    """(name in the guest, file) of programs and of all libraries that they need."""
    found = {}
    for name in names:
        path = _find(name)
        found[f"usr/sbin/{name}"] = path.resolve() if ROOT in path.parents else path
        inside = path if ROOT in path.parents else "/" + str(path.relative_to(forky.ROOT))
        text = forky.run(["env", f"LD_LIBRARY_PATH={ROOT / LIBRARIES}", "ldd", inside])
        if "not found" in text:
            raise paths.GroundError(f"{name}: {text.strip()}")
        for line in text.splitlines():
            match = re.search(r"(/\S+) \(0x", line)
            if match and match[1].startswith(str(ROOT)):
                found[match[1].removeprefix(f"{ROOT}/")] = match[1]
            elif match:
                found[match[1][1:]] = forky.ROOT / match[1][1:]
    return list(found.items())
