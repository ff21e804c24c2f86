# SPDX-License-Identifier: GPL-2.0-or-later
"""`crashpod test` in a guest: refused while nothing is loaded, crashed, and judged after the reboot by
`crashpod test --result`; what crashpod-collect.service does at that boot; the notice at login.

The target is the guest's root file system, or a raw area whose dump is collected at boot.
"""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from ground import forky, kernels, paths

from . import image, loop, scenario
from .vm import Lost

KERNEL = "6.1-cloud"
TARGETS = ("ext4", "raw")
OLDER = ("202001010000", "202001020000")
RAW_MIB = 256

PREPARE = """set -e
for stamp in 202001010000 202001020000; do
    mkdir -p -m 0700 /var/crash/$stamp
    echo 'KDUMP   an old one' > /var/crash/$stamp/dump.$stamp
    echo '{"program": "crashpod 0", "status": "complete", "crash_time": 1577836800}' \\
        > /var/crash/$stamp/crashpod.json
done
"""
LOAD = """set -e
if crashpod test --yes > /test/out/refused 2>&1; then exit 3; fi
crashpod load --append 'console=ttyS0 loglevel=7'
if echo yes | crashpod test > /test/out/unconfirmed 2>&1; then exit 4; fi
test ! -e /var/lib/crashpod/test.json
# two at once, and somebody who asks meanwhile: each waits for its turn
load()
{
    crashpod load --append 'console=ttyS0 loglevel=7' > /test/out/$1 2>&1 && exit 0
    touch /test/out/$1.failed
}
load first & first=$!
load second & second=$!
while kill -0 $first 2> /dev/null || kill -0 $second 2> /dev/null; do
    crashpod status >> /test/out/meanwhile || true
done
wait
"""
CRASH = "crashpod test --yes > /test/out/test.log 2>&1\n"
# As at boot: the service's command, then what a person asks.
AFTER = """mkdir -p /run
mount -t tmpfs run /run
try()
{
    name=$1
    shift
    "$@" > /test/out/$name 2>&1
    echo $? > /test/out/$name.rc
}
try early crashpod test --result
try collect crashpod raw collect
cp /run/motd.d/crashpod /test/out/motd
try result crashpod test --result
try json crashpod test --result --json
try list crashpod list
try list-json crashpod list --json
try show crashpod show
try html crashpod show --html -o /test/out/show.html
try seen crashpod list --seen
try motd-gone test ! -e /run/motd.d/crashpod
try again crashpod raw collect
try motd-still-gone test ! -e /run/motd.d/crashpod
exit 0
"""


@dataclass
class Run:
    """One guest and its tests."""
    target: str
    kernel: kernels.Kernel
    where: Path
    out: Path = None
    crash_dir: Path = None
    state: Path = None
    tests: list = field(default_factory=list)

    def add(self, name, why=None):
        self.tests.append((name, why))

    def said(self, name):
        path = self.out / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def has(self, test, name, pattern):
        """The file's text must have the pattern."""
        text = self.said(name)
        self.add(test, None if re.search(pattern, text, re.M) else
                 f"no {pattern!r} in {text.strip()[-300:]!r}")

    def ended(self, name, status=0):
        """The command must have ended so."""
        got = self.said(f"{name}.rc").strip()
        self.add(f"{name}-exit", None if got == str(status) else
                 f"exit {got or 'none'}: {self.said(name).strip()[-300:]}")


def _plan(run):
    conf = run.where / "crashpod.conf"
    line = loop.Options.target if run.target == "ext4" else "/dev/vdb"
    conf.write_text(f"{run.target} {line}\npath /var/crash\nkeep 2\n", encoding="ascii")
    initrd = loop.make_initrd(run.kernel, conf, run.where / "crashpod.img")
    kver = run.kernel.kver
    return scenario.Plan(
        run.kernel, run.where, load=LOAD, crash=CRASH, memory_mib=1024, crashkernel="96M",
        disk_mib=768, idle=True,
        files=[("usr/bin/crashpod", paths.BUILD / "crashpod"),
               (f"boot/vmlinuz-{kver}", run.kernel.vmlinuz),
               (f"var/lib/crashpod/initramfs-{kver}.img", initrd), ("etc/crashpod.conf", conf)],
        texts=[("test/prepare", PREPARE), ("test/after", AFTER)])


def _judge_before(run):
    for step in ("prepare", "load", "after"):
        run.ended(step)
    _judge_at_once(run)
    run.has("refused", "refused", "^wrong: no capture kernel is loaded -> crashpod load$")
    run.has("refused-says", "refused", "no capture kernel is loaded: a crash now would leave noth")
    run.has("asks", "unconfirmed", "Type 'crash' to crash the machine now: ")
    run.has("not-confirmed", "unconfirmed", "not confirmed: nothing was done$")
    run.has("shows-reserved", "test.log", "^ok: 96 MiB reserved for the capture kernel$")
    run.has("shows-loaded", "test.log", "^ok: the capture kernel is loaded: ")


def _judge_at_once(run):
    """Two loads have gone on at once, and status has been asked while they did."""
    for name in ("first", "second"):
        run.has(f"at-once-{name}", name, "^loaded ")
        run.add(f"at-once-{name}-exit", run.said(name)[-300:] or "failed"
                if (run.out / f"{name}.failed").exists() else None)
    run.has("meanwhile-loaded", "meanwhile", "^ok: the capture kernel is loaded: ")
    lacks = re.search("no capture kernel is loaded|busy", run.said("meanwhile"))
    run.add("meanwhile-never-without", lacks and lacks[0])


def _judge_boot(run):
    """What is left when the service has done its part."""
    run.ended("collect")
    dumps = sorted(p.name for p in run.crash_dir.iterdir() if p.is_dir())
    new = [d for d in dumps if d not in OLDER]
    # `keep 2`: the new one and the newer of the old ones, whoever has pruned them
    run.add("kept", None if len(new) == 1 and set(dumps) == {OLDER[1], *new} else f"{dumps}")
    if run.target == "raw":
        run.ended("early", 1)
        run.has("early-says", "early", "raw /dev/vdb holds one -> crashpod raw collect")
        run.has("collected", "collect", "^/dev/vdb: slot . is collected: .*, complete, ")
        run.has("pruned", "collect", f"^{OLDER[0]} is removed: more than `keep` allows$")
    run.has("journal", "collect", f"^crashpod: this machine crashed on .*/var/crash/{new[:1]}"
            .replace("['", "").replace("']", ""))
    run.has("motd", "motd", r"^crashpod: this machine crashed on .* See `crashpod show`")
    for step in ("motd-gone", "again", "motd-still-gone", "seen"):
        run.ended(step)
    return run.crash_dir / new[0] if new else None


def _judge_result(run):
    run.ended("result")
    for name in ("the machine was crashed on purpose", "/var/crash/", "the dump is complete",
                 "every page: ", "Kernel panic - not syncing: sysrq triggered crash"):
        run.has("result-" + re.sub(r"\W+", "-", name).strip("-"), "result", f"^ok: .*{name}|^ok: {name}")
    run.has("result-sure", "result", r"^ok: /var/crash/\d+/dump\.\d+, \d+ bytes$")
    run.ended("json")
    try:
        told = json.loads(run.said("json"))
        states = {c["name"]: c["state"] for c in told["checks"]}
        run.add("json-good", None if told["good"] and "wrong" not in states.values() else f"{told}")
    except (ValueError, KeyError) as e:
        run.add("json-good", f"{e}")


def _judge_views(run):
    for step in ("list", "list-json", "show", "html"):
        run.ended(step)
    run.has("list-table", "list", rf"^\S+ \S+ +{re.escape(run.kernel.kver)} +sysrq triggered crash "
            r".* complete +structure +/var/crash/\d+/dump\.\d+$")
    first = json.loads(run.said("list-json") or '{"dumps": [{}]}')["dumps"][0]
    run.add("list-json-newest", None if first.get("state") == "complete" and
            first.get("kernel") == run.kernel.kver and not first.get("seen") else f"{first}")
    run.has("show-panic", "show", r"\AKernel panic - not syncing: sysrq triggered crash$")
    run.has("show-backtrace", "show", r"^  sysrq_handle_crash\+0x")
    run.has("show-memory", "show", r"^    free +[#.]+ +\d+\.\d% ")
    run.has("show-timeline", "show", r"^  dump +[#.]+ +\d+\.\d+ s  ok$")
    run.has("show-next", "show", r"^  crashpod vmlinux /var/crash/\d+/dump\.\d+$")
    page = run.said("show.html")
    run.add("page", None if page.startswith("<!doctype html>") and page.endswith("</html>\n") and
            "<script" not in page else f"{len(page)} bytes")


def _judge_crash(run, dump_dir):
    """The same judgement with the real crash and vmlinux, on a copy; then of a dump that is cut."""
    host = run.where / "host"
    shutil.copytree(run.crash_dir, host / "var/crash")
    for name, text in (("proc/sys/kernel/random/boot_id", "another\n"),
                       ("etc/crashpod.conf", "path /var/crash\n")):
        (host / name).parent.mkdir(parents=True, exist_ok=True)
        (host / name).write_text(text, encoding="ascii")
    shutil.copytree(run.state, host / "var/lib/crashpod")
    link = host / f"usr/lib/debug/boot/vmlinux-{run.kernel.kver}"
    link.parent.mkdir(parents=True)
    link.symlink_to(run.kernel.vmlinux)
    argv = [paths.BUILD / "crashpod", "test", "--result", "--root", host]
    try:
        said = forky.run(argv)
    except paths.GroundError as e:
        said = str(e)
    run.add("crash-opens", None if "ok: its backtrace leads to sysrq_handle_crash" in said else
            said.strip()[-400:])
    dump = host / "var/crash" / dump_dir.name / f"dump.{dump_dir.name}"
    with open(dump, "r+b") as f:
        f.truncate(dump.stat().st_size // 2)
    try:
        said = "exit 0: " + forky.run(argv)
    except paths.GroundError as e:
        said = str(e)
    run.add("cut-is-wrong", None if "wrong: the dump is not whole (cut)" in said else
            said.strip()[-400:])


def run_one(target, kernel_name=KERNEL):
    """A Run, judged. Lost and GroundError pass through."""
    kernel = kernels.ensure(kernel_name)
    forky.ensure()
    with scenario.workplace(f"crashtest-{kernel.name}-{target}") as where:
        run = Run(target, kernel, where)
        extra = []
        if target == "raw":
            extra = [where / "raw.img"]
            with open(extra[0], "wb") as f:
                f.truncate(RAW_MIB << 20)
            paths.run([paths.BUILD / "crashpod", "raw", "format", extra[0]])
        outcome = scenario.run(_plan(run), extra_disks=extra)
        run.add("came-back", outcome.stuck)
        run.add("root-sound", outcome.damage)
        run.out, run.crash_dir = outcome.out, outcome.crash_dir
        run.state = image.extract(where / "disk.img", "/var/lib/crashpod", where / "lib")
        if not run.crash_dir.exists():
            raise Lost("there is no /var/crash")
        _judge_before(run)
        new = _judge_boot(run)
        _judge_result(run)
        _judge_views(run)
        if new is not None:
            _judge_crash(run, new)
        shutil.rmtree(where / "root", ignore_errors=True)
    return run


def lines(run):
    """A line for each test."""
    return loop.lines(f"crashtest-{run.kernel.name}/{run.target}", run.tests)
