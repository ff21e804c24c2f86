# SPDX-License-Identifier: GPL-2.0-or-later
"""What a fault must leave: judgements that the cases share. Each adds its tests to the Run."""

import json
import subprocess

from ground import paths
from oracle import crash
from oracle import record as schema

PANIC = "sysrq triggered crash"


def said(run, name, pattern):
    """A line on the capture kernel's console."""
    run.add(name, None if run.said(pattern) else f"no line {pattern!r} on the console")


def files(run, number=1, inside="/var/crash"):
    """Names below the directory of dumps, sorted; the file system must be sound."""
    tree, damage = run.tree(number, inside)
    run.add(f"disk{number}-sound", damage)
    return tree, sorted(str(p.relative_to(tree)) for p in tree.rglob("*") if p.is_file())


def record(run, directory):
    """crashpod.json of a dump's directory, {} where it is not there or not JSON."""
    path = directory / "crashpod.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        run.add("record", str(e))
        return {}
    run.add("record-schema", schema.judge(path))
    return found


def command(verb, *args):
    """(exit status, last lines) of build/crashpod VERB."""
    done = subprocess.run([paths.BUILD / "crashpod", verb, *args], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
    return done.returncode, " / ".join(done.stdout.strip().splitlines()[-3:])


def newest(run, number=1, inside="/var/crash"):
    """The directory of the newest dump, or None."""
    tree, names = files(run, number, inside)
    dirs = sorted(p for p in tree.iterdir() if p.is_dir()) if tree.exists() else []
    run.add(f"disk{number}-directory", None if dirs else f"it holds {names or 'nothing'}")
    return dirs[-1] if dirs else None


def dmesg(run, directory):
    """The dead kernel's log beside the dump."""
    text = "".join(p.read_text(errors="replace") for p in directory.glob("dmesg.*"))
    run.add("dmesg", None if PANIC in text else f"{len(text)} bytes lack the panic")


def dump(run, directory, complete=True, flaw="but incomplete"):
    """The dump in its directory: its name, what `crashpod verify` says of it; of one that is not
    complete it says flaw. Gives its path."""
    found = sorted(directory.glob("dump.*"))
    run.add("one-dump", None if len(found) == 1 else f"{[p.name for p in found]}")
    if not found:
        return None
    named = not found[-1].name.endswith("-incomplete")
    run.add("dump-name", None if named == complete else found[-1].name)
    status, text = command("verify", found[-1])
    good = status == 0 if complete else status == 1 and flaw in text
    run.add("verify", None if good else f"exit {status}: {text}")
    return found[-1]


def captured(run, number=1, inside="/var/crash", complete=True, status=None):
    """Dump, log and record on a disk. Gives (dump or None, record)."""
    directory = newest(run, number, inside)
    if directory is None:
        return None, {}
    dmesg(run, directory)
    found = record(run, directory)
    want = status or ("complete" if complete else "incomplete")
    run.add("record-status", None if found.get("status") == want else
            f"{found.get('status')}, not {want}")
    return dump(run, directory, complete), found


def step(run, found, name, result, text=""):
    """A step of the record, the last of that name: its result, and a part of what it says."""
    steps = [s for s in found.get("steps", []) if s["name"] == name]
    why = f"no step {name}" if not steps else None
    if steps and (steps[-1]["result"] != result or text not in steps[-1].get("message", "")):
        why = f"{steps[-1]}"
    run.add(f"step-{name}-{result}", why)


def passed_over(run, found, *texts):
    """The record tells of targets before this one, in their order: a step that failed and a note
    that goes on, each with its text."""
    steps = [s.get("message", "") for s in found.get("steps", [])
             if s["name"] == "target" and s["result"] == "failed"]
    notes = [n for n in found.get("notes", []) if "the next one is tried" in n]
    for what, told in (("steps", steps), ("notes", notes)):
        good = len(told) == len(texts) and all(t in m for t, m in zip(texts, told))
        run.add(f"record-{what}-tell-why", None if good else f"{told}, not {texts}")


def opens(run, path, commands=("sys", "bt", "log", "ps")):
    """crash opens it and finds the panic."""
    if path is None:
        run.add("crash-opens", "there is no dump")
        return
    answers = crash.ask(run.kernel, path, run.where, commands=(*commands, "quit"))
    wanted = {f"crash-{c}" for c in commands}
    for name, why in crash.judge(answers, 1, run.kernel, tasks=("sh",)):
        if name in wanted:
            run.add(name, why)
