# SPDX-License-Identifier: GPL-2.0-or-later
"""A step for whole machines (systems.py): `crashpod test`, the boot after it, `--result`, the notice at
a real login, and what ends it."""

import re

from . import inits

TEST = "crashpod test --yes"
NOTICE = r"crashpod: this machine crashed on \d{4}-\d\d-\d\d .*See `crashpod show`"


def _has(journey, name, text, pattern):
    journey.add(name, None if re.search(pattern, text, re.M) else
                f"no {pattern!r} in {text.strip()[-300:]!r}")


def _login(vm, init):
    """What a login on the console shows."""
    log = vm.where / "console.log"
    before = log.stat().st_size
    vm.do(init.login)
    return log.read_bytes()[before:].decode(errors="replace")


def crash_and_judge(journey, vm, name="test"):
    """Crash the machine by crashpod's own command and judge all that follows.

    The machine is armed (crashpod status is ok), and dumps are fetched when it boots.
    """
    init = inits.of(journey.system)
    vm.away(TEST, 2)
    vm.do(init.settled)
    journey.must(vm, f"{name}-service", init.collected)
    text = journey.must(vm, f"{name}-result", "crashpod test --result")
    _has(journey, f"{name}-sure", text, r"^ok: /var/crash/\S+, \d+ bytes$")
    text = journey.must(vm, f"{name}-show", "crashpod show")
    _has(journey, f"{name}-backtrace", text, r"^  sysrq_handle_crash\+0x")
    journey.must(vm, f"{name}-list", "crashpod list")
    text = journey.must(vm, f"{name}-journal", init.log)
    _has(journey, f"{name}-journal-notice", text, NOTICE)
    text = _login(vm, init)
    _has(journey, f"{name}-login", text, r"ABSOLUTELY NO WARRANTY")
    _has(journey, f"{name}-login-notice", text, NOTICE)
    journey.must(vm, f"{name}-seen", "crashpod list --seen")
    text = _login(vm, init)
    _has(journey, f"{name}-login-again", text, r"ABSOLUTELY NO WARRANTY")
    journey.add(f"{name}-login-quiet", None if not re.search(NOTICE, text) else text[-300:])
