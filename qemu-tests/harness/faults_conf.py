# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of the configuration: damaged, empty, not there, and wrong words of the command line."""

import random

from . import faultdisks as disk
from . import faultjudge as judge
from . import faultrd
from .faultrun import Case, uuid
from .faults_target import target

# A bad value for every directive, one that does not exist, one that is kdump.conf's.
WRONG = ("ext4=vdb", "raw=LABEL=", "path=var", "dump_level=32", "format=core",
         "compress=lz4", "threads=0", "verify=yes", "naming=fedora", "keep=-1", "timeout=9",
         "failure_action=shell", "final_action=explode", "core_collector=cp", "dump_levle=1",
         "ssh=host", "path=")
# What the file says; none of it is a default.
ASKED = ("dump_level 17", "format elf", "naming rhel", "keep 3", "timeout 600", "verify full")


def garbage(lines, seed):
    """The lines among bytes of every value, their newlines kept apart."""
    noise = random.Random(seed)
    parts = [noise.randbytes(300).replace(b"\n", b"?") for _ in range(len(lines) + 1)]
    text = parts[0]
    for line, part in zip(lines, parts[1:]):
        text += b"\n" + line.encode() + b"\n" + part
    return text


def notes(run, found, *texts):
    """A note of the record for each text."""
    told = found.get("notes", [])
    for text in texts:
        run.add("note-" + text.split(":")[-1].strip()[:20].replace(" ", "-"),
                None if any(text in note for note in told) else f"{text!r} is not in {told}")


def asked(run, found, *lines):
    """The configuration in force, as the record has it."""
    missing = [line for line in lines if line not in found.get("asked", [])]
    run.add("in-force", f"{missing} are not among {found.get('asked')}" if missing else None)


def check_damaged(run):
    _, found = judge.captured(run)
    asked(run, found, *target(), "dump_level 31", "final_action reboot")
    notes(run, found, "crashpod.conf:1: the line has bytes that are not printable ASCII",
          "crashpod.conf:5: the line has bytes", "crashpod.conf:6: dump_level: '3l' is not")


def check_no_target(pattern):
    def check(run):
        judge.said(run, "says-why", pattern)
        judge.said(run, "says-no-target", "^no dump was written: no target is configured")
        judge.said(run, "log-on-console", judge.PANIC)
    return check


def check_noise(run):
    check_no_target("^/etc/crashpod.conf:1: the line ")(run)
    judge.said(run, "counts", r"^/etc/crashpod.conf: \d+ more problems")
    told = len([line for _, line in run.lines if line.startswith("/etc/crashpod.conf:")])
    run.add("told-briefly", None if told == 25 else f"{told} lines")


def check_cmdline(run):
    directory = judge.newest(run)
    if directory is None:
        return
    found = judge.record(run, directory)
    run.add("record-status", None if found.get("status") == "complete" else found.get("status"))
    dumps = sorted(p.name for p in directory.iterdir())
    run.add("elf-and-rhel", None if dumps == ["crashpod.json", "vmcore", "vmcore-dmesg.txt"]
            else f"{dumps}")
    asked(run, found, *target(), *ASKED)
    told = [n for n in found.get("notes", []) if n.startswith("command line: ")]
    for word in WRONG:
        name = word.split("=", maxsplit=1)[0]
        run.add(f"note-{word}", None if any(name in note for note in told) else f"{told}")
    run.add("notes", None if len(told) == len(WRONG) else f"{len(told)}: {told}")


def check_rescued(run):
    _, found = judge.captured(run)
    asked(run, found, f"ext4 UUID={uuid(1)}")
    notes(run, found, "/etc/crashpod.conf: No such file or directory; the defaults stand")


CASES = (
    Case("conf-damaged", "lines of the configuration are garbage", target(), check_damaged,
         disk.ext4(1), edit=faultrd.conf(garbage(target(), 1) + b"\ndump_level 3l\n")),
    Case("conf-noise", "the configuration is 64 KiB of noise", target(), check_noise,
         disk.ext4(1), edit=faultrd.conf(random.Random(3).randbytes(65536))),
    Case("conf-empty", "the configuration is empty", target(),
         check_no_target("^no target is configured: no dump can be written"), disk.ext4(1),
         edit=faultrd.conf(b"")),
    Case("conf-missing", "the configuration is not there", target(),
         check_no_target("^/etc/crashpod.conf: No such file or directory; the defaults stand"),
         disk.ext4(1), edit=faultrd.conf(None)),
    Case("conf-rescued", "it is not there, and the command line names the target", target(),
         check_rescued, disk.ext4(1), edit=faultrd.conf(None),
         append=f"crashpod.ext4=UUID={uuid(1)}"),
    Case("cmdline-wrong", "every override of the command line is wrong", target(1, *ASKED),
         check_cmdline, disk.ext4(1), quick=True,
         append=" ".join(f"crashpod.{word}" for word in WRONG)),
)
