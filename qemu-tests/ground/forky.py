# SPDX-License-Identifier: GPL-2.0-or-later
"""A root of Debian forky that QEMU and the judges of dumps run from.

QEMU 7.2's TCG damages EFLAGS, which 6.12 and later kernels do not survive, and the host's crash and
drgn may be older than the kernels; one root of a known release makes every host alike.
"""

import os
import shutil
import subprocess

from . import apt, paths

SUITE = "forky"
ROOT = paths.GROUND / SUITE
STAMP = ROOT / "crashpod-ground"
PACKAGES = ("qemu-system-x86", "makedumpfile", "kexec-tools", "crash", "python3-drgn",
            "python3-libkdumpfile", "busybox-static", "kmod", "zstd")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

ENTER = paths.TESTS / "enter-root.sh"


def debootstrap_tools(tools, suite):
    """debootstrap itself need not be on the host: the package is unpacked and run in place."""
    host = apt.Suite("bookworm")
    host.update()
    deb = host.download("debootstrap", tools)
    paths.run(["dpkg-deb", "-x", deb, tools])
    scripts = tools / "usr/share/debootstrap/scripts"
    if not (scripts / suite).exists():
        (scripts / suite).symlink_to("sid")
    return tools / "usr/sbin/debootstrap", tools / "usr/share/debootstrap"


def _make():
    tools = paths.GROUND / "debootstrap"
    shutil.rmtree(tools, ignore_errors=True)
    shutil.rmtree(ROOT, ignore_errors=True)
    program, share = debootstrap_tools(tools, SUITE)
    paths.say(f"ground: debootstrap of {SUITE} (a minute or two)")
    env = dict(os.environ, DEBOOTSTRAP_DIR=str(share), DEBIAN_FRONTEND="noninteractive",
               LC_ALL="C")
    log = paths.GROUND / "debootstrap.log"
    with open(log, "w", encoding="utf-8") as out:
        paths.run(["unshare", "-m", "--propagation", "private", "sh", program, "--variant=minbase",
                   f"--arch={apt.ARCH}", f"--keyring={KEYRING}", SUITE, ROOT, paths.MIRROR],
                  env=env, stdout=out)
        argv = command(["apt-get", "-q", "-y", "--no-install-recommends", "install", *PACKAGES])
        paths.run(argv, env=env, stdout=out)
        paths.run(command(["apt-get", "clean"]), env=env, stdout=out)
    STAMP.write_text("\n".join(PACKAGES) + "\n", encoding="ascii")
    shutil.rmtree(tools)


def ensure():
    """Make the root if it is missing or was made for another list of packages; give its path."""
    with paths.locked(SUITE):
        if not STAMP.exists() or STAMP.read_text(encoding="ascii").split() != list(PACKAGES):
            _make()
    return ROOT


def command(argv):
    """argv as run inside the root, where build/ is at the same path as outside."""
    return ["unshare", "-m", "--propagation", "private", "sh", str(ENTER), str(ROOT),
            str(paths.BUILD), *[str(a) for a in argv]]


def run(argv, **kwargs):
    """paths.run inside the root."""
    return paths.run(command(argv), **kwargs)


def popen(argv, **kwargs):
    """A long-running program inside the root; its pid is the program's own (everything execs)."""
    return subprocess.Popen(command(argv), **kwargs)


def tool(name):
    """The path, seen from the host, of a program of the root."""
    for sub in ("usr/bin", "usr/sbin"):
        if (ROOT / sub / name).exists():
            return ROOT / sub / name
    raise paths.GroundError(f"no {name} in {ROOT}")
