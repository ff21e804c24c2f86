# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps that were cut short: what a debugger asks first is in a half and in a quarter of one."""

import re
import resource
import shutil
import subprocess

from ground import kernels, paths
from oracle import crash, difftools

from . import rich, scenario

LEVELS = (31, 1)
PARTS = {"half": 2, "quarter": 4}
COMMANDS = ("sys", "log", "bt", "ps", "foreach bt", "quit")
SEED = "crashpod-test: planted with seed "


def _dump(vmcore, out, level, limit=None):
    """The dump, -incomplete where it is that; exit and what was said."""
    def limited():
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    done = subprocess.run([paths.BUILD / "crashpod", "dump", "-q", "-d", str(level), vmcore, out],
                          check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, preexec_fn=limited)
    return done.returncode, done.stdout.strip()


def _dump_into(vmcore, out, room):
    """A dump of level 31 into a file system with so much room, then copied to out."""
    mount = out.with_suffix(".mnt")
    mount.mkdir()
    paths.run(["mount", "-t", "tmpfs", "-o", f"size={room // 4096 * 4096}", "tmpfs", mount])
    try:
        answer = _dump(vmcore, mount / out.name, 31)
        for path in mount.iterdir():
            paths.run(["cp", "--sparse=always", path, out.with_name(path.name)])
    finally:
        paths.run(["umount", mount])
    mount.rmdir()
    return answer


def _verify(path):
    """Why `crashpod verify` does not call the dump sound and incomplete."""
    done = subprocess.run([paths.BUILD / "crashpod", "verify", path], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wanted = "sound as far as it goes, but incomplete"
    return None if done.returncode == 1 and wanted in done.stdout else done.stdout.strip()


def _tasks(text):
    """PID, address and name of each task of `ps`."""
    return re.findall(r"^[> ] +(\d+) +\d+ +\d+ +(\w+) .* (\S+)$", text, re.M)


def _same(name, whole, part):
    """Why a command's answer is not that of the whole dump."""
    if whole == part:
        return None
    lost = [line for line in part.splitlines() if line not in set(whole.splitlines())]
    return f"{name} differs: {lost[0] if lost else 'lines are missing'}"


def _judge(whole, part):
    """[(test, why not)] of what crash says of a part of a dump."""
    if "quit" not in part:
        said = part["session"].strip().splitlines()
        return [("crash", "crash gave up: " + " / ".join(said[-2:]))]
    shows = {
        "sys": None if re.search(difftools.SHOWS["sys"], part["sys"], re.M) else "no release",
        "log": None if re.search(crash.PANIC, part["log"]) and SEED in part["log"]
        else "not the line that was planted, or no panic",
        "bt": None if "sysrq_handle_crash" in part["bt"] else "not the function that panicked",
        "ps": None if len(_tasks(part["ps"])) > 20 else "no tasks",
    }
    found = [(name, why or (None if name in ("sys", "ps") else _same(name, whole[name],
                                                                     part[name])))
             for name, why in shows.items()]
    lost = set(_tasks(whole["ps"])) ^ set(_tasks(part["ps"]))
    found.append(("ps-tasks", f"not in both: {sorted(lost)[:3]}" if lost else None))
    found.append(("foreach-bt", _same("foreach bt", whole["foreach bt"], part["foreach bt"])))
    return found


def _level(kernel, vmcore, where, level):
    """Tests of one level."""
    full = where / f"d{level}"
    code, said = _dump(vmcore, full, level)
    if code:
        return [(f"d{level}-dump", said)]
    size = full.stat().st_size
    whole = crash.ask(kernel, full, where, 300, COMMANDS)
    full.unlink()
    found = []
    for name, divisor in PARTS.items():
        out = where / f"d{level}-{name}"
        # at other levels the command would raise the level for a file system that is too small
        if level == 31:
            code, said = _dump_into(vmcore, out, size // divisor)
        else:
            code, said = _dump(vmcore, out, level, size // divisor)
        cut = out.with_name(out.name + "-incomplete")
        tests = [("cut", None if code == 3 else f"exit {code}: {said}")]
        if code == 3:
            tests.append(("verify", _verify(cut)))
            tests += _judge(whole, crash.ask(kernel, cut, where, 300, COMMANDS))
            cut.unlink()
        found += [(f"d{level}-{name}-{test}", why) for test, why in tests]
    return found


def run(kernel_name, levels=LEVELS):
    """[(test, why not or None)] of parts of dumps of a guest, which is made where missing."""
    kernel = kernels.ensure(kernel_name)
    vmcore = rich.make(kernel_name, "random").vmcore
    with scenario.workplace(f"value-{kernel_name}") as where:
        found = [test for level in levels for test in _level(kernel, vmcore, where, level)]
        if all(why is None for _, why in found):
            shutil.rmtree(where)
    return found
