# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel that somebody compiled: Debian's linux-source-6.1, a small configuration
(guest/selfbuilt.config), make bzImage modules, make modules_install; under build/selfbuilt.

KERNEL_SOURCE: an unpacked tree to compile instead of fetching one; it is not written to.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

from . import apt, kernels, paths

NAME = "selfbuilt"
SUITE, PACKAGE = "bookworm", "linux-source-6.1"
WHERE = paths.BUILD / "selfbuilt"
CONFIGS = [*(paths.TOP / f"configs/kernel/{name}.config" for name in ("base", "serial", "smp")),
           paths.TESTS / "guest/selfbuilt.config"]
# as scripts/kernel.sh leaves it
SOURCES = paths.BUILD / "kernel-source"


def _source():
    """An unpacked tree."""
    if os.environ.get("KERNEL_SOURCE"):
        return Path(os.environ["KERNEL_SOURCE"]).resolve()
    tree, where = SOURCES / f"{PACKAGE}.tree", SOURCES / PACKAGE
    if (tree / ".unpacked").exists():
        return tree
    tarball = where / f"{PACKAGE}.tar.xz"
    if not tarball.exists():
        paths.say(f"ground: {PACKAGE} (some hundred MB to fetch)")
        suite = apt.Suite(SUITE)
        suite.update()
        deb = suite.download(PACKAGE, where)
        unpack = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE)
        paths.run(["tar", "-x", "-C", where, "--strip-components=3", f"./usr/src/{PACKAGE}.tar.xz"],
                  stdin=unpack.stdout)
        unpack.stdout.close()
        if unpack.wait() != 0:
            raise paths.GroundError(f"{deb}: dpkg-deb failed")
        deb.unlink()
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    paths.run(["tar", "-x", "-C", tree, "--strip-components=1", "-f", tarball])
    (tree / ".unpacked").touch()
    return tree


def _make(tree, *targets):
    return paths.run(["make", "-s", "-C", tree, f"O={WHERE / 'obj'}", "ARCH=x86_64",
                      f"-j{os.cpu_count()}", *targets], stderr=subprocess.STDOUT)


def _configure(tree):
    """tinyconfig with the fragments over it; all that ours asks for must be there."""
    (WHERE / "obj").mkdir(parents=True, exist_ok=True)
    _make(tree, "tinyconfig")
    config = WHERE / "obj/.config"
    with open(config, "a", encoding="ascii") as out:
        for fragment in CONFIGS:
            out.write(fragment.read_text(encoding="ascii"))
    _make(tree, "olddefconfig")
    has = config.read_text(encoding="ascii").splitlines()
    wants = re.findall(r"^CONFIG_\w+=.*", CONFIGS[-1].read_text(encoding="ascii"), re.M)
    lacks = [line for line in wants if line not in has]
    if lacks:
        raise paths.GroundError(f"{tree} does not have {lacks}")


def _build():
    """Compile and install; gives the Kernel, whose root is what modules_install has made."""
    tree = _source()
    paths.say(f"ground: compiling a kernel from {tree} (ten minutes or more)")
    _configure(tree)
    _make(tree, "bzImage", "modules")
    root = WHERE / "root"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    _make(tree, "modules_install", f"INSTALL_MOD_PATH={root}")
    kver = (WHERE / "obj/include/config/kernel.release").read_text(encoding="ascii").strip()
    (root / "boot").mkdir()
    image, config = root / f"boot/vmlinuz-{kver}", root / f"boot/config-{kver}"
    shutil.copyfile(WHERE / "obj/arch/x86/boot/bzImage", image)
    shutil.copyfile(WHERE / "obj/.config", config)
    return kernels.Kernel(NAME, kver, "", str(root), str(image), str(config),
                          str(WHERE / "obj/vmlinux"))


def ensure():
    """The Kernel, compiled unless that is done for this configuration."""
    recipe = hashlib.sha256(b"".join(path.read_bytes() for path in CONFIGS)).hexdigest()
    with paths.locked("selfbuilt"):
        record = WHERE / "kernel.json"
        found = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
        if found.pop("recipe", None) != recipe:
            kernel = _build()
            record.write_text(json.dumps({**asdict(kernel), "recipe": recipe}, indent=1),
                              encoding="utf-8")
            return kernel
        return kernels.Kernel(**found)


def build_link(kernel):
    """Where modules_install says that the kernel was built."""
    return os.readlink(Path(kernel.root) / "lib/modules" / kernel.kver / "build")
