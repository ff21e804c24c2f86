# SPDX-License-Identifier: GPL-2.0-or-later
"""Two dumps and their vmcore compared page for page by pagediff.c."""

import json
import subprocess
from pathlib import Path

from ground import paths

from .pages import DumpError

HERE = Path(__file__).resolve().parent
SOURCES = ("pagediff.c", "pagefile.c")
FLAGS = ("-std=gnu11", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror")
LIBS = ("-lzstd", "-lz", "-lpthread")


def program():
    """pagediff, compiled when its sources are newer."""
    out = paths.BUILD / "oracle" / "pagediff"
    sources = [HERE / name for name in SOURCES]
    newest = max(p.stat().st_mtime for p in (*sources, HERE / "pagefile.h"))
    with paths.locked("pagediff"):
        if not out.exists() or out.stat().st_mtime < newest:
            out.parent.mkdir(parents=True, exist_ok=True)
            paths.run(["gcc", *FLAGS, "-o", out, *sources, *LIBS])
    return out


def compare(vmcore, ours, theirs, kept=()):
    """What pagediff says, as its JSON. kept: for ELF dumps, the kdump-compressed ones of the same
    level. DumpError where one of the files cannot be read."""
    argv = [str(a) for a in (program(), vmcore, ours, theirs, *kept)]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise DumpError(done.stderr.strip() or f"pagediff: exit {done.returncode}")
    return json.loads(done.stdout)


def pfns(found):
    """The frames of one of pagediff's sets."""
    if found["truncated"]:
        raise DumpError(f"{found['count']} frames are too many ranges to list")
    return [pfn for first, count in found["ranges"] for pfn in range(first, first + count)]


def few(found, n=3):
    """A set of frames in a few words."""
    some = ", ".join(f"{first:#x}" + (f"+{count}" if count > 1 else "")
                     for first, count in found["ranges"][:n])
    return f"{found['count']} frames ({some}{', ...' if len(found['ranges']) > n else ''})"
