# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian kernels with their debug vmlinux, by short names, under build/ground/kernels/NAME."""

import json
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from . import apt, forky, paths

DEFAULT = "6.1-cloud"

# name: suite, metapackage
TABLE = {
    "6.1-cloud": ("bookworm", "linux-image-cloud-amd64"),
    "6.1-amd64": ("bookworm", "linux-image-amd64"),
    "5.10-cloud": ("bullseye", "linux-image-cloud-amd64"),
    "5.10-amd64": ("bullseye", "linux-image-amd64"),
    "6.12-cloud": ("trixie", "linux-image-cloud-amd64"),
    "6.12-amd64": ("trixie", "linux-image-amd64"),
    "new-cloud": ("forky", "linux-image-cloud-amd64"),
    "new-amd64": ("forky", "linux-image-amd64"),
    "5.10-rt": ("bullseye", "linux-image-rt-amd64"),
    "6.1-rt": ("bookworm", "linux-image-rt-amd64"),
    "6.12-rt": ("trixie", "linux-image-rt-amd64"),
    "new-rt": ("forky", "linux-image-rt-amd64"),
}

# What crash 9 needs to be told to open a kernel that it does not know yet, and what it says then.
NO_MODULES = (("--no_modules",), ("SLUB: cannot determine how compound pages are linked",
                                  "no kernel module access"))
CRASH_LIMITS = {name: NO_MODULES for name in ("new-cloud", "new-amd64", "new-rt", "crypt")}

# crashkernel= of the tests that don't ask for another. Of the reservation that is just enough only the
# one kernel is held to: the others at times run out of memory in it before PID 1 starts.
RESERVE = {DEFAULT: "80M"}
RESERVE_CLOUD = "112M"
RESERVE_OTHER = "192M"


def reserve(name):
    """What to reserve for this kernel."""
    return RESERVE.get(name, RESERVE_CLOUD if name.endswith("-cloud") else RESERVE_OTHER)


@dataclass
class Kernel:
    """An unpacked kernel. root holds lib/modules/KVER (with modules.dep) and vmlinuz."""
    name: str
    kver: str
    version: str
    root: str
    vmlinuz: str
    config: str
    vmlinux: str


PATHS = ("root", "vmlinuz", "config", "vmlinux")


def resolve(suite, meta):
    """The image package that a metapackage stands for, and the packages it is split into."""
    image = next((d for d in suite.depends(meta) if re.match(r"linux-image-[0-9]", d)), None)
    if image is None:
        raise paths.GroundError(f"{suite.name}: {meta} names no image")
    kver = image.removeprefix("linux-image-")
    parts = [image]
    for dep in suite.depends(image):
        if dep in (f"linux-binary-{kver}", f"linux-modules-{kver}", f"linux-base-{kver}"):
            parts.append(dep)
    return kver, parts


def _first(root, names):
    for name in names:
        if (root / name).exists():
            return str(root / name)
    raise paths.GroundError(f"{root} has none of {', '.join(names)}")


def _vmlinux(suite, kver, version, where):
    """Only the vmlinux comes out of the debug package, and the package is not kept."""
    package = f"linux-image-{kver}-dbg"
    if suite.show(package)["Version"] != version:
        raise paths.GroundError(f"{package} is not of version {version}")
    paths.say(f"ground: vmlinux of {kver} (some hundred MB to fetch)")
    deb = suite.download(package, where)
    unpack = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE)
    paths.run(["tar", "-x", "-C", where, "--wildcards", "*/vmlinux*"], stdin=unpack.stdout)
    unpack.stdout.close()
    if unpack.wait() != 0:
        raise paths.GroundError(f"{deb}: dpkg-deb failed")
    deb.unlink()
    found = [p for p in (where / "usr").rglob("vmlinux*") if p.is_file() and not p.is_symlink()]
    if len(found) != 1:
        raise paths.GroundError(f"{package}: {len(found)} vmlinux vmlinux files")
    return found[0]


def _make(name, where):
    suite_name, meta = TABLE[name]
    suite = apt.Suite(suite_name)
    suite.update()
    kver, parts = resolve(suite, meta)
    paths.say(f"ground: kernel {name} is {kver}")
    shutil.rmtree(where, ignore_errors=True)
    root = where / "root"
    root.mkdir(parents=True)
    for part in parts:
        deb = suite.download(part, where)
        paths.run(["dpkg-deb", "-x", deb, root])
        deb.unlink()
    if not (root / "lib").exists():
        (root / "lib").symlink_to("usr/lib")
    forky.run(["depmod", "-b", root, kver])
    version = suite.show(parts[0])["Version"]
    vmlinux = where / "vmlinux"
    _vmlinux(suite, kver, version, where / "dbg").rename(vmlinux)
    shutil.rmtree(where / "dbg")
    inside = f"lib/modules/{kver}"
    return Kernel(name, kver, version, str(root),
                  _first(root, (f"boot/vmlinuz-{kver}", f"{inside}/vmlinuz")),
                  _first(root, (f"boot/config-{kver}", f"{inside}/config")), str(vmlinux))


def ensure(name):
    """Fetch and unpack a kernel of the table, unless that is done; give its Kernel. "selfbuilt" is
    the one of selfbuilt.py, which is compiled."""
    if name == "selfbuilt":
        from . import selfbuilt  # pylint: disable=import-outside-toplevel,cyclic-import
        return selfbuilt.ensure()
    if name not in TABLE:
        raise paths.GroundError(f"unknown kernel {name}; there are {', '.join(TABLE)}")
    forky.ensure()
    where = paths.GROUND / "kernels" / name
    with paths.locked(f"kernel-{name}"):
        record = where / "kernel.json"
        if not record.exists():
            kernel = asdict(_make(name, where))
            for key in PATHS:  # the checkout may be moved, or copied
                kernel[key] = str(Path(kernel[key]).relative_to(where))
            record.write_text(json.dumps(kernel, indent=1), encoding="utf-8")
        kernel = json.loads(record.read_text(encoding="utf-8"))
        return Kernel(**kernel | {key: str(where / kernel[key]) for key in PATHS})


def module_path(kernel, name):
    """The file of a module, whatever its compression; None where it is built in or absent."""
    tree = Path(kernel.root) / "lib/modules" / kernel.kver
    for line in (tree / "modules.dep").read_text(encoding="ascii").splitlines():
        path = line.partition(":")[0]
        if re.sub(r"\.ko.*", "", Path(path).name).replace("-", "_") == name.replace("-", "_"):
            return tree / path
    return None


def module_closure(kernel, names):
    """Files of the modules and of what they need, in the order they are to be loaded."""
    tree = Path(kernel.root) / "lib/modules" / kernel.kver
    needs = {}
    for line in (tree / "modules.dep").read_text(encoding="ascii").splitlines():
        path, _, rest = line.partition(":")
        needs[path] = rest.split()
    order = []
    for name in names:
        path = module_path(kernel, name)
        if path is None:
            continue
        rel = str(path.relative_to(tree))
        for each in [*reversed(needs[rel]), rel]:
            if tree / each not in order:
                order.append(tree / each)
    return order
