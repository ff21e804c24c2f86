# SPDX-License-Identifier: GPL-2.0-or-later
"""drgn, with libkdumpfile under it, as a judge: it walks the dead kernel and reads planted pages."""

import hashlib
import json
import shutil
from pathlib import Path

from ground import forky, paths

from . import planted


def ask(vmlinux, dump, addresses, where):
    """drgn's answers, or a text that says why there are none."""
    # The root sees build/ only, so the script goes there.
    script = where / "drgn_script.py"
    shutil.copyfile(Path(__file__).with_name("drgn_script.py"), script)
    request, answer = where / "drgn.request", where / "drgn.answer"
    request.write_text(json.dumps({"pages": addresses}), encoding="ascii")
    answer.unlink(missing_ok=True)
    try:
        forky.run(["timeout", "180", "python3", script, vmlinux, dump, request, answer])
    except paths.GroundError as e:
        return str(e).splitlines()[-1]
    return json.loads(answer.read_text(encoding="ascii"))


def _digest(page):
    return hashlib.sha256(page).hexdigest()


def _pipe(got, seed, manifest):
    want = [_digest(planted.expected(seed, "pipe", i)) for n, i, _ in manifest if n == "pipe"]
    have = [digest for _, digest in got["pipe"]]
    if have == want:
        return None
    return f"{sum(a == b for a, b in zip(want, have))} of {len(want)} pages of the pipe are right"


def _pages(got, seed, manifest, kept):
    """A page that the dump has must read as planted. (One it has not need not fault: in an ELF
    dump, left out ranges read as zeros.)"""
    answers = dict(got["pages"])
    for name, index, pa in manifest:
        if pa in answers and pa in kept:
            if answers[pa] != _digest(planted.expected(seed, name, index)):
                return f"{name} page {index} at {pa:#x} is not as planted"
    return None


def judge(got, seed, release, manifest, kept):
    """[(name, why not or None)]. kept: the planted addresses that the dump has."""
    names = ("drgn-release", "drgn-crashed-thread", "drgn-pipe", "drgn-pages")
    if isinstance(got, str):
        return [(name, f"drgn gave up: {got}") for name in names]
    thread = None
    if "sysrq_handle_crash" not in got["frames"]:
        thread = f"frames are {' '.join(map(str, got['frames'][:6]))}"
    return [
        (names[0], None if got["release"] == release else f"release {got['release']}"),
        (names[1], thread),
        (names[2], _pipe(got, seed, manifest)),
        (names[3], _pages(got, seed, manifest, kept)),
    ]
