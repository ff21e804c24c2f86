# SPDX-License-Identifier: GPL-2.0-or-later
"""The crash utility as a judge: it must open the dump and find the panic in it."""

import re

from ground import forky, kernels, paths

COMMANDS = ("sys", "bt", "log", "ps", "quit")
MARKER = "crashpod-test-command: "
# 5.10's real-time kernels log the reason as a line of its own.
PANIC = r"Kernel panic - not syncing:(\n\[[ 0-9.]+\])? sysrq triggered crash"


def ask(kernel, dump, where, limit_s=180, commands=COMMANDS):
    """{command: what crash printed}, and the whole session in where/crash.txt."""
    script = where / "crash.cmd"
    lines = [f"!echo '{MARKER}{c}'\n{c}" for c in commands]
    script.write_text("\n".join(lines) + "\n", encoding="ascii")
    options, _ = kernels.CRASH_LIMITS.get(kernel.name, ((), ()))
    # crash exits with an error where the dump is refused; what it said is the finding.
    try:
        text = forky.run(["timeout", limit_s, "crash", "-s", *options, "-i", script,
                          kernel.vmlinux, dump])
    except paths.GroundError as e:
        text = str(e)
    (where / "crash.txt").write_text(text, encoding="utf-8")
    answers = {}
    for part in text.split(MARKER)[1:]:
        name, _, body = part.partition("\n")
        answers[name.strip()] = body
    answers["session"] = text
    (where / "backtrace").write_text(answers.get("bt", ""), encoding="utf-8")
    return answers


def judge(answers, seed, kernel, tasks=("plant",)):
    """[(name, why not or None)] of what a dump of a sysrq crash must show."""
    bt, log = answers.get("bt", ""), answers.get("log", "")
    head = answers["session"].strip().splitlines()
    refused = None if "quit" in answers else "crash gave up: " + (head[-1] if head else "nothing")

    def wants(text, pattern, what):
        if refused:
            return refused
        return None if re.search(pattern, text, re.M) else f"no {what}"

    found = [
        ("crash-sys", wants(answers.get("sys", ""), rf"RELEASE: {re.escape(kernel.kver)}$",
                            f"release {kernel.kver}")),
        ("crash-bt", wants(bt, r"sysrq_handle_crash", "sysrq_handle_crash in the backtrace")
         or wants(bt, r"COMMAND: \"sh\"", "sh as the panicking task")),
        ("crash-log", wants(log, PANIC, "panic line in the log")
         or wants(log, rf"crashpod-test: planted with seed {seed}$", "line of this run's seed")),
    ]
    missing = [t for t in tasks if not re.search(rf"\s{t}$", answers.get("ps", ""), re.M)]
    found.append(("crash-ps", refused or (f"no task {missing}" if missing else None)))
    _, known = kernels.CRASH_LIMITS.get(kernel.name, ((), ()))
    warned = [w for w in re.findall(r"^(?:WARNING|crash): .*", answers["session"], re.M)
              if not any(k in w for k in known)]
    found.append(("crash-no-warning", f"crash says: {warned[0]}" if warned else None))
    return found
