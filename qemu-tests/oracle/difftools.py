# SPDX-License-Identifier: GPL-2.0-or-later
"""crash, drgn and crashpod's own commands on dumps, to be the same as on the vmcore itself.

An answer is a dict of texts; "why" says why there is none. All judge functions give
[(test, why not or None)].
"""

import json
import re
import shutil
from difflib import unified_diff
from pathlib import Path

from ground import forky, kernels, paths

from . import crash

COMMANDS = ("sys", "bt", "ps", "log", "kmem -i", "foreach bt", "quit")
# What each must show to count as an answer at all.
SHOWS = {
    "sys": r"^ +RELEASE: ",
    "bt": r"^PID: \d+ .*COMMAND: \"[^\"]+\"\n(?:.*\n)*? *#\d+ .* sysrq_handle_crash at",
    "ps": r"(?:^[> ] +\d+ .*\n){20}(?:.*\n)*?> .* sh$|^> .* sh\n(?:^[> ] +\d+ .*\n){20}",
    "log": r"Kernel panic - not syncing:",
    "kmem -i": r"^ +TOTAL MEM +[1-9]\d+ ",
    "foreach bt": r"(?:^PID: \d+ (?:.*\n)+\n){20}",
}
COMPLAINT = re.compile(r"^(?:WARNING|crash|sys|bt|ps|log|kmem|foreach|[a-z]+ error)\b *:.*"
                       r"|^(?:seek|read) error.*|^.*invalid kernel virtual address.*", re.M)


def crash_answer(kernel, dump, where):
    """What crash shows of a dump; its name and its being partial are left out of it."""
    where.mkdir(parents=True, exist_ok=True)
    got = crash.ask(kernel, dump, where, 300, COMMANDS)
    if "quit" not in got:
        said = [l for l in got["session"].splitlines() if l.strip()]
        return {"why": "crash gave up: " + " / ".join(said[-2:])}
    for name, text in got.items():
        got[name] = re.sub(rf"{re.escape(str(dump))}(  \[PARTIAL DUMP\])?", "DUMP", text)
    return got


def _complaints(kernel, text):
    _, known = kernels.CRASH_LIMITS.get(kernel.name, ((), ()))
    return [line for line in COMPLAINT.findall(text) if not any(k in line for k in known)]


def crash_sound(kernel, answer):
    """Why an answer of crash is none, or None."""
    if "why" in answer:
        return answer["why"]
    for name, pattern in SHOWS.items():
        if not re.search(pattern, answer[name], re.M):
            return f"{name} does not show what it must: {answer[name].strip()[-200:]!r}"
    said = [line for name in COMMANDS for line in _complaints(
        kernel, "" if name == "log" else answer[name])]
    said += _complaints(kernel, answer["session"].partition(crash.MARKER)[0])
    return f"crash says: {said[0]}" if said else None


def drgn_answer(kernel, dump, where):
    """What drgn finds in a dump."""
    where.mkdir(parents=True, exist_ok=True)
    script, answer = where / "drgn_tasks.py", where / "drgn.answer"
    shutil.copyfile(Path(__file__).with_name(script.name), script)
    answer.unlink(missing_ok=True)
    try:
        forky.run(["timeout", "180", "python3", script, kernel.vmlinux, dump, answer])
    except paths.GroundError as e:
        return {"why": "drgn gave up: " + str(e).splitlines()[-1]}
    got = json.loads(answer.read_text(encoding="ascii"))
    return {name: value if isinstance(value, str) else
            "\n".join(json.dumps(v) for v in value) + "\n" for name, value in got.items()}


def drgn_sound(kernel, answer):
    """Why an answer of drgn is none, or None."""
    if "why" in answer:
        return answer["why"]
    tasks = [json.loads(line) for line in answer["tasks"].splitlines()]
    deep = [t for t in tasks if len(t[2]) >= 4 and "Error" not in t[2][-1]]
    if answer["release"] != kernel.kver:
        return f"release {answer['release']}"
    if "sysrq_handle_crash" not in answer["crashed"]:
        return f"the crashed thread: {answer['crashed'][:200]!r}"
    if len(tasks) < 30 or len(deep) < len(tasks) * 3 // 4:
        return f"{len(tasks)} tasks, {len(deep)} of them with a stack"
    return None if "Kernel panic" in answer["log"] else "no panic in the log"


def first_difference(names, a, b):
    """The first lines that differ, or None."""
    for name in names:
        if a[name] != b[name]:
            lines = list(unified_diff(b[name].splitlines(), a[name].splitlines(), n=0,
                                      lineterm=""))[3:7]
            return f"{name} differs: " + " / ".join(line.strip() for line in lines)
    return None


TOOLS = {
    "crash": (crash_answer, crash_sound, COMMANDS),
    "drgn": (drgn_answer, drgn_sound, ("release", "crashed", "tasks", "log")),
}


def judge(tool, kernel, whole, ours, theirs, excused):
    """whole, ours, theirs: what the tool shows of the vmcore and of the two dumps. excused: why
    makedumpfile's dump may be of no use to the tool, or None; ours is judged all the same."""
    _, sound, names = TOOLS[tool]
    found = [(f"{tool}-ours", sound(kernel, ours))]
    broken = sound(kernel, theirs)
    if "why" not in whole and "why" not in ours:
        found.append((f"{tool}-as-vmcore", first_difference(names, ours, whole)))
        if "why" not in theirs:
            broken = broken or first_difference(names, ours, theirs)
    if broken is None or not excused:
        found.append((f"{tool}-as-makedumpfile", broken))
    return found, broken if excused else None


def command_answer(dump, format_name, level):
    """Why crashpod verify or info does not take a dump, or None."""
    try:
        paths.run([paths.BUILD / "crashpod", "verify", dump])
        said = paths.run([paths.BUILD / "crashpod", "info", dump])
    except paths.GroundError as e:
        return " / ".join(str(e).splitlines()[:4])
    fields = dict(line.partition(": ")[::2] for line in said.splitlines())
    wanted = {"format": format_name, "complete": "yes"}
    if format_name == "kdump":
        wanted["level"] = str(level)
    wrong = {k: fields.get(k) for k, v in wanted.items() if fields.get(k) != v}
    return f"info says {wrong}" if wrong else None
