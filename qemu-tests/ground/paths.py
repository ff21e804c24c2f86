# SPDX-License-Identifier: GPL-2.0-or-later
"""Where things are, and the one way to run a program."""

import contextlib
import fcntl
import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
TOP = TESTS.parent
BUILD = Path(os.environ.get("CRASHPOD_BUILD", TOP / "build")).resolve()
GROUND = Path(os.environ.get("CRASHPOD_GROUND", BUILD / "ground")).resolve()
MIRROR = os.environ.get("CRASHPOD_MIRROR", "http://deb.debian.org/debian")


class GroundError(Exception):
    """The test ground could not be made or used: nothing is said about crashpod."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(argv, **kwargs):
    """Run argv; its output is returned as text. A failure carries the end of what it printed."""
    argv = [str(a) for a in argv]
    kwargs.setdefault("stdout", subprocess.PIPE)
    kwargs.setdefault("stderr", subprocess.STDOUT)
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    try:
        done = subprocess.run(argv, check=False, text=True, errors="replace", **kwargs)
    except OSError as e:
        raise GroundError(f"{argv[0]}: {e.strerror}") from e
    if done.returncode != 0:
        text = done.stdout or _written(kwargs["stdout"])
        tail = "\n".join(text.splitlines()[-15:])
        raise GroundError(f"{' '.join(argv)}: exit {done.returncode}\n{tail}")
    return done.stdout or ""


def _written(out):
    """What a program has written to a log file, or nothing."""
    if isinstance(out, int):
        return ""
    return Path(out.name).read_text(encoding="utf-8", errors="replace")


@contextlib.contextmanager
def locked(name):
    """Two runs at once must not make the same thing twice: the second waits for the first."""
    GROUND.mkdir(parents=True, exist_ok=True)
    with open(GROUND / f".{name}.lock", "w", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield
