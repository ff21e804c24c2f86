# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages of any Debian suite, by name, with an apt state of their own.

Nothing of the system's apt is read or changed but its keyrings; the state is in build/ground/apt/SUITE.
"""

import os
import re
from pathlib import Path

from . import paths

ARCH = "amd64"
KEYRINGS = "/usr/share/keyrings"


class Suite:
    """One suite's package lists and a way to download from it."""

    def __init__(self, name):
        self.name = name
        self.dir = paths.GROUND / "apt" / name
        self.env = dict(os.environ, APT_CONFIG=str(self.dir / "apt.conf"), LC_ALL="C")

    def _write_config(self):
        for sub in ("lists/partial", "cache/archives/partial", "etc"):
            (self.dir / sub).mkdir(parents=True, exist_ok=True)
        (self.dir / "status").touch()
        (self.dir / "etc/sources.list").write_text(
            f"deb [arch={ARCH}] {paths.MIRROR} {self.name} main\n", encoding="ascii")
        settings = {
            "Dir::Etc": self.dir / "etc",
            "Dir::Etc::sourcelist": self.dir / "etc/sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::trustedparts": KEYRINGS,
            "Dir::State": self.dir,
            "Dir::State::lists": self.dir / "lists",
            "Dir::State::status": self.dir / "status",
            "Dir::Cache": self.dir / "cache",
            "APT::Architecture": ARCH,
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            # A mirror may stand still (a snapshot): old test kernels are as good, and signed.
            "Acquire::Check-Valid-Until": "false",
            "Acquire::Retries": "3",
        }
        text = "".join(f'{key} "{value}";\n' for key, value in settings.items())
        (self.dir / "apt.conf").write_text(f'{text}#clear APT::Architectures;\n'
                                           f'APT::Architectures {{ "{ARCH}"; }};\n',
                                           encoding="utf-8")

    def update(self):
        """Fetch the lists, once for each build/ground."""
        self._write_config()
        if not list((self.dir / "lists").glob("*_Packages*")):
            paths.say(f"ground: package lists of {self.name}")
            paths.run(["apt-get", "-q", "update"], env=self.env)

    def refresh(self):
        """Forget the lists: the mirror has moved on and a package they name is gone."""
        for old in (self.dir / "lists").glob("*_*"):
            old.unlink()
        self.update()

    def show(self, package):
        """The control fields of the newest version of a package."""
        text = paths.run(["apt-cache", "--no-all-versions", "show", package], env=self.env)
        fields = {}
        for line in text.split("\n\n", maxsplit=1)[0].splitlines():
            name, sep, value = line.partition(": ")
            if sep and not line.startswith(" "):
                fields[name] = value
        if "Package" not in fields:
            raise paths.GroundError(f"{self.name} has no package {package}")
        return fields

    def depends(self, package):
        """Names (the first of alternatives) that a package depends on."""
        fields = self.show(package)
        both = ", ".join(filter(None, (fields.get("Pre-Depends"), fields.get("Depends"))))
        return [re.split(r"[ (:|]", d.strip())[0] for d in both.split(",") if d.strip()]

    def download(self, package, where):
        """The .deb of a package, downloaded to a directory; apt checks its digest."""
        where = Path(where)
        where.mkdir(parents=True, exist_ok=True)
        before = set(where.glob("*.deb"))
        try:
            paths.run(["apt-get", "-q", "download", package], env=self.env, cwd=where)
        except paths.GroundError:
            self.refresh()
            paths.run(["apt-get", "-q", "download", package], env=self.env, cwd=where)
        new = [p for p in set(where.glob("*.deb")) - before if p.name.startswith(package + "_")]
        if len(new) != 1:
            raise paths.GroundError(f"{package}: apt-get download made {len(new)} files")
        return new[0]
