# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels that somebody compiled: Debian's source package, a small configuration (guest/*.config),
make bzImage modules, make modules_install; under build/NAME.

KERNEL_SOURCE: an unpacked tree to compile "selfbuilt" from instead of fetching one; it is not written
to.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from . import apt, kernels, paths

NAME = "selfbuilt"
# as scripts/kernel.sh leaves it
SOURCES = paths.BUILD / "kernel-source"


@dataclass(frozen=True)
class Recipe:
    """package: with the source, or one that depends on it; configs: of guest/, the last one counts."""
    name: str
    suite: str
    package: str
    configs: tuple

    @property
    def where(self):
        return paths.BUILD / self.name

    def text(self):
        return "".join((paths.TESTS / "guest" / name).read_text(encoding="ascii")
                       for name in self.configs)


RECIPES = {recipe.name: recipe for recipe in (
    Recipe(NAME, "bookworm", "linux-source-6.1", ("selfbuilt.config",)),
    # with CONFIG_CRASH_DM_CRYPT, which no kernel of Debian's has
    Recipe("crypt", "forky", "linux-source", ("selfbuilt.config", "crypt.config")),
)}


def _unpack(deb, package, where):
    unpack = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE)
    paths.run(["tar", "-x", "-C", where, "--strip-components=3", f"./usr/src/{package}.tar.xz"],
              stdin=unpack.stdout)
    unpack.stdout.close()
    if unpack.wait() != 0:
        raise paths.GroundError(f"{deb}: dpkg-deb failed")
    deb.unlink()


def _source(recipe):
    """An unpacked tree."""
    if recipe.name == NAME and os.environ.get("KERNEL_SOURCE"):
        return Path(os.environ["KERNEL_SOURCE"]).resolve()
    suite, package = apt.Suite(recipe.suite), recipe.package
    if not re.search("[0-9]$", package):
        suite.update()
        package = suite.depends(package)[0]
    tree, where = SOURCES / f"{package}.tree", SOURCES / package
    if (tree / ".unpacked").exists():
        return tree
    tarball = where / f"{package}.tar.xz"
    if not tarball.exists():
        paths.say(f"ground: {package} (some hundred MB to fetch)")
        suite.update()
        _unpack(suite.download(package, where), package, where)
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    paths.run(["tar", "-x", "-C", tree, "--strip-components=1", "-f", tarball])
    (tree / ".unpacked").touch()
    return tree


def _make(recipe, tree, *targets):
    return paths.run(["make", "-s", "-C", tree, f"O={recipe.where / 'obj'}", "ARCH=x86_64",
                      f"-j{os.cpu_count()}", *targets], stderr=subprocess.STDOUT)


def _configure(recipe, tree):
    """tinyconfig with the fragments over it; all that they ask for must be there."""
    (recipe.where / "obj").mkdir(parents=True, exist_ok=True)
    _make(recipe, tree, "tinyconfig")
    config = recipe.where / "obj/.config"
    with open(config, "a", encoding="ascii") as out:
        out.write(recipe.text())
    _make(recipe, tree, "olddefconfig")
    has = dict(re.findall(r"^(CONFIG_\w+)=(.*)", config.read_text(encoding="ascii"), re.M))
    wants = dict(re.findall(r"^(CONFIG_\w+)=(.*)", recipe.text(), re.M))
    lacks = [f"{name}={value}" for name, value in wants.items() if has.get(name, "n") != value]
    if lacks:
        raise paths.GroundError(f"{tree} does not have {lacks}")


def _build(recipe):
    """Compile and install; gives the Kernel, whose root is what modules_install has made."""
    tree = _source(recipe)
    paths.say(f"ground: compiling a kernel from {tree} (ten minutes or more)")
    _configure(recipe, tree)
    _make(recipe, tree, "bzImage", "modules")
    obj, root = recipe.where / "obj", recipe.where / "root"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    _make(recipe, tree, "modules_install", f"INSTALL_MOD_PATH={root}")
    kver = (obj / "include/config/kernel.release").read_text(encoding="ascii").strip()
    (root / "boot").mkdir()
    vmlinuz, config = root / f"boot/vmlinuz-{kver}", root / f"boot/config-{kver}"
    shutil.copyfile(obj / "arch/x86/boot/bzImage", vmlinuz)
    shutil.copyfile(obj / ".config", config)
    return kernels.Kernel(recipe.name, kver, "", str(root), str(vmlinuz), str(config),
                          str(obj / "vmlinux"))


def ensure(name=NAME):
    """The Kernel, compiled unless that is done for this configuration."""
    recipe = RECIPES[name]
    digest = hashlib.sha256(recipe.text().encode("ascii")).hexdigest()
    with paths.locked(name):
        record = recipe.where / "kernel.json"
        found = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
        if found.pop("recipe", None) != digest:
            kernel = _build(recipe)
            record.write_text(json.dumps({**asdict(kernel), "recipe": digest}, indent=1),
                              encoding="utf-8")
            return kernel
        return kernels.Kernel(**found)


def build_link(kernel):
    """Where modules_install says that the kernel was built."""
    return os.readlink(Path(kernel.root) / "lib/modules" / kernel.kver / "build")
