# SPDX-License-Identifier: GPL-2.0-or-later
"""A step for whole machines (systems.py): `crashpod test`, the boot after it, `--result`, the notice at
a real login, and what ends it."""

import re

TEST = "crashpod test --yes"
LOGIN = "(sleep 5; echo exit) | script -qc 'login -f root' /dev/null"
# The unit may still be at work when the agent answers.
SETTLED = "systemctl is-system-running --wait > /dev/null; systemctl is-failed crashpod-collect.service"
NOTICE = r"crashpod: this machine crashed on \d{4}-\d\d-\d\d .*See `crashpod show`"


def _has(journey, name, text, pattern):
    journey.add(name, None if re.search(pattern, text, re.M) else
                f"no {pattern!r} in {text.strip()[-300:]!r}")


def run(journey, vm, name="test"):
    """Crash the machine by crashpod's own command and judge all that follows.

    The machine is armed (crashpod status is ok) and its crashpod-collect.service enabled.
    """
    vm.away(TEST, 2)
    _, text = vm.do(SETTLED)
    journey.add(f"{name}-service", None if "failed" not in text.split() else text)
    text = journey.must(vm, f"{name}-result", "crashpod test --result")
    _has(journey, f"{name}-sure", text, r"^ok: /var/crash/\S+, \d+ bytes$")
    text = journey.must(vm, f"{name}-show", "crashpod show")
    _has(journey, f"{name}-backtrace", text, r"^  sysrq_handle_crash\+0x")
    journey.must(vm, f"{name}-list", "crashpod list")
    text = journey.must(vm, f"{name}-journal", "journalctl -b -u crashpod-collect.service")
    _has(journey, f"{name}-journal-notice", text, NOTICE)
    _, text = vm.do(LOGIN)
    _has(journey, f"{name}-login-notice", text, NOTICE)
    journey.must(vm, f"{name}-seen", "crashpod list --seen")
    _, text = vm.do(LOGIN)
    journey.add(f"{name}-login-quiet", None if not re.search(NOTICE, text) else text[-300:])
