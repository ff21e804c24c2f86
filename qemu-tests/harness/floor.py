# SPDX-License-Identifier: GPL-2.0-or-later
"""The smallest crashkernel= with which a crash is captured: a dump -d 31 with zstd of a guest.

Found by halving; then the smallest value must do it three times of three, else the next is tried.
"""

import re
from dataclasses import dataclass

from ground import kernels, paths

from . import faultdisks, faultjudge, faultrun, faults_target
from .vm import Lost

TIMES = 3


@dataclass
class Setup:
    """What is measured. step: of crashkernel=, in MiB."""
    kernel: str = kernels.DEFAULT
    capture: object = None
    memory_mib: int = 4096
    low: int = 8
    high: int = 128
    step: int = 2
    append: str = ""
    target: str = "ext4"
    cpus: int = 0  # of the capture kernel; 0: as `crashpod load` has it by itself


def _check(run):
    path, _ = faultjudge.captured(run)
    run.dump_bytes = path.stat().st_size if path else 0


def _gave_up(run):
    run.ended = "panic"
    run.quit()
    run.ended = "panic"


def attempt(setup, mib):
    """One crash: None where its dump is whole, else what went wrong."""
    case = faultrun.Case(
        f"floor-{mib}M", "", faults_target.target(), _check, faultdisks.ext4(1, mib=512),
        append=setup.append, memory_mib=setup.memory_mib, crashkernel=f"{mib}M", limit_s=90,
        cpus=max(setup.cpus, 1), capture_cpus=setup.cpus,
        on=((r"^\[[ 0-9.]+\] Kernel panic", _gave_up),), capture=setup.capture)
    try:
        run = faultrun.run(case, setup.kernel)
    except Lost as e:
        return f"not loaded: {e}"
    bad = [f"{name}: {why}" for name, why in run.tests if why is not None]
    said = re.findall(r"^\[[ 0-9.]+\] Kernel panic.*|Out of memory.*|.*failed: .*", run.text, re.M)
    return "; ".join([*said[:2], *bad[:1]]) if bad else None


def find(setup, say=print):
    """The floor in MiB, or None where not even setup.high is enough."""
    low, high = setup.low // setup.step, setup.high // setup.step
    if attempt(setup, high * setup.step) is not None:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        why = attempt(setup, middle * setup.step)
        say(f"  {middle * setup.step}M: {why or 'captured'}", flush=True)
        if why is None:
            high = middle
        else:
            low = middle
    while high * setup.step <= setup.high:
        bad = [why for why in (attempt(setup, high * setup.step) for _ in range(TIMES)) if why]
        say(f"  {high * setup.step}M: {TIMES - len(bad)} of {TIMES} {'; '.join(bad)}", flush=True)
        if not bad:
            return high * setup.step
        high += 1
    return None


def capture_of(path):
    """A capture kernel of scripts/kernel.sh."""
    if not (path / "bzImage").exists():
        raise paths.GroundError(f"{path}/bzImage is not there; `make kernel` builds it")
    return path
