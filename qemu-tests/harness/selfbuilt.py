# SPDX-License-Identifier: GPL-2.0-or-later
"""A self-compiled kernel, crashed and captured; its vmlinux is that of the build tree.

The loop of harness/loop.py with all of its judges. The guest has the build tree's vmlinux where
modules_install's link leads, and asks `crashpod vmlinux` after it has come back.
"""

import json
import re
import subprocess
from pathlib import Path

from ground import forky, paths, selfbuilt

from . import loop
from .vmlinux import build_id

ASK = """for dump in /var/crash/*/dump.*; do
	crashpod vmlinux --json "$dump" > /test/out/vmlinux.json
	crashpod vmlinux "$dump" > /test/out/vmlinux.txt
done
"""
DISK_MIB = 4096


def make_plan(kernel, options, where):
    """The loop's, with the build tree beside it."""
    link = selfbuilt.build_link(kernel)
    plan = loop.make_plan(options, where)
    plan.disk_mib = DISK_MIB
    plan.files.append((f"{link[1:]}/vmlinux", kernel.vmlinux))
    plan.texts = [(name, text + ASK if name == "test/after" else text)
                  for name, text in plan.texts]
    plan.texts.append(("test/prepare", f"mkdir -p /lib/modules/{kernel.kver}\n"
                       f"ln -s {link} /lib/modules/{kernel.kver}/build\n"))
    return plan


def _judge_guest_answer(report, kernel):
    """What `crashpod vmlinux` said in the guest."""
    own = build_id(kernel.vmlinux)
    answer = json.loads((report.outcome.out / "vmlinux.json").read_text(encoding="utf-8"))
    at = f"/lib/modules/{kernel.kver}/build/vmlinux"
    found = [(f["path"], f["state"], f["build_id"]) for f in answer["found"]]
    report.add("vmlinux-build-tree", None if found == [(at, "match", own)] and
               answer["vmlinux"] == at and answer["build_id"] == own else json.dumps(answer)[:400])
    text = (report.outcome.out / "vmlinux.txt").read_text(encoding="utf-8")
    report.add("vmlinux-no-distribution", None if re.search("^distribution: unknown$", text, re.M)
               else text)


def _judge_run(report, where):
    """On the host, where the link of modules_install leads to the tree itself."""
    kernel = selfbuilt.ensure()
    script = where / "commands"
    script.write_text("sys\nbt\nquit\n", encoding="ascii")
    tree = Path(kernel.root) / "lib/modules" / kernel.kver / "build"
    program = paths.BUILD / "crashpod"
    # from the build tree: its vmlinux is in the current directory
    done = subprocess.run([program, "vmlinux", report.dump], check=False, text=True, cwd=tree,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    report.add("vmlinux-here", None if done.returncode == 0 and "match: ./vmlinux" in done.stdout
               else done.stdout.strip()[-300:])
    text = forky.run(["sh", "-c", 'cd "$0" && exec "$@"', tree.resolve(), program, "vmlinux",
                      "--run", report.dump, "--", "-s", "-i", script])
    report.add("vmlinux-run", None if "sysrq_handle_crash" in text else text.strip()[-300:])


def run():
    """A loop's Report. Lost and GroundError pass through."""
    kernel = selfbuilt.ensure()
    options = loop.Options(kernel=selfbuilt.NAME, name=selfbuilt.NAME)

    def more(report, where):
        _judge_guest_answer(report, kernel)
        if report.dump is not None:
            _judge_run(report, where)

    return loop.run(options, lambda where: make_plan(kernel, options, where), more)
