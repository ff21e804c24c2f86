# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs under the forky root's drgn: argv is VMLINUX DUMP ANSWER.

Walks the dead kernel as far as a dump of any level must allow; ANSWER is JSON.
"""

import json
import sys

import drgn
from drgn.helpers.linux.pid import for_each_task
from drgn.helpers.linux.printk import get_dmesg


def frames(trace):
    """A line for each frame."""
    return [f"{frame.name} {frame.pc:#x}" if frame.pc else str(frame.name) for frame in trace]


def stack(prog, task):
    """The frames of a task, or what drgn says."""
    try:
        return frames(prog.stack_trace(task))
    except (drgn.FaultError, ValueError, LookupError) as e:
        return [f"{type(e).__name__}: {e}"]


def main():
    vmlinux, dump, answer = sys.argv[1:]
    prog = drgn.Program()
    prog.set_core_dump(dump)
    prog.load_debug_info([vmlinux], main=True)
    thread = prog.crashed_thread()
    got = {
        "release": prog["init_uts_ns"].name.release.string_().decode(),
        "crashed": [thread.tid, thread.object.comm.string_().decode(),
                    *frames(thread.stack_trace())],
        "tasks": [[task.pid.value_(), task.comm.string_().decode(errors="replace"),
                   stack(prog, task)] for task in for_each_task(prog)],
        "log": get_dmesg(prog).decode(errors="replace"),
    }
    with open(answer, "w", encoding="ascii") as f:
        json.dump(got, f)


main()
