# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything that crashpod reads: saved vmcores, QEMU's dumps, makedumpfile's, its own, flattened
and cut. Whatever way a vmcore has taken, filtering it must end in the same pages."""

import re
import shutil
import subprocess

from ground import forky, kernels, paths
from oracle import crash, diskdump, pagediff
from oracle.differ import judge_pages
from oracle.pages import DumpError

from . import samples, scenario

LIVE_MIB = 1024
# What QEMU is asked for, and whether crashpod has a decompressor for it.
LIVE = {"elf": True, "kdump-zlib": True, "kdump-raw-zlib": True, "kdump-lzo": False,
        "kdump-raw-lzo": False, "kdump-snappy": False, "kdump-raw-snappy": False}
# One record of two lines and a tab, which the log shows as such.
LOAD = "printf '<5>crashpod-test: line one\\n\\tline two\\n' > /dev/kmsg\n"
LINES = re.compile(r"^(\[ *\d+\.\d{6}\] )crashpod-test: line one\n( +)\tline two$", re.M)
# name: what is made of the vmcore before it is filtered at 31.
STEPS = {
    "kdump-d0": ("-n", "-d", "0"),
    "kdump-d1": ("-d", "1"),
    "zlib-d16": ("-c", "-d", "16"),
    "kdump-d31": ("-d", "31"),
    "flat-d1": ("-F", "-d", "1"),
    "elf-d0": ("-E", "-d", "0"),
    "elf-d1": ("-E", "-d", "1"),
    "flat-elf-d0": ("-F", "-E", "-d", "0"),
}
MAKEDUMPFILE = {"lzo-d31": ("-l", "-d", "31"), "flat-elf-d31": ("-F", "-E", "-d", "31")}


def live_dumps(name):
    """{format: file} of one guest that stands still, in every format its QEMU offers."""
    record = samples.DIR / f"{name}-live.formats"
    if not record.exists():
        samples.DIR.mkdir(parents=True, exist_ok=True)
        with scenario.workplace(f"sources-live-{name}") as where:
            formats = _live_dumps(kernels.ensure(name), where)
            shutil.rmtree(where)
        record.write_text("\n".join(formats) + "\n", encoding="ascii")
    return {f: samples.DIR / f"{name}-live.{f}" for f in
            record.read_text(encoding="ascii").split()}


def _live_dumps(kernel, where):
    with samples.live_guest(kernel, where, LIVE_MIB, LOAD) as vm:
        vm.qmp.call("stop")
        formats = vm.qmp.call("query-dump-guest-memory-capability")["formats"]
        formats = [f for f in LIVE if f in formats]
        for fmt in formats:
            vm.qmp.call("dump-guest-memory", paging=False, protocol=f"file:{where}/{fmt}",
                        format=fmt)
    for fmt in formats:
        paths.run(["cp", "--sparse=always", where / fmt,
                   samples.DIR / f"{kernel.name}-live.{fmt}"])
    return formats


def ask(*argv, stdout=subprocess.PIPE):
    """Run the command: its exit code and what it printed, both outputs together."""
    done = subprocess.run([paths.BUILD / "crashpod", *map(str, argv)], check=False, stdout=stdout,
                          stderr=subprocess.PIPE)
    text = (done.stdout or b"") + done.stderr
    return done.returncode, text.decode(errors="backslashreplace")


def _wants(answer, code, *said):
    """None, or how an answer differs from an exit code and texts that it must have."""
    if answer[0] != code:
        return f"exit {answer[0]}, not {code}: {answer[1].strip()[-200:]}"
    lacks = [s for s in said if s not in answer[1]]
    return f"{lacks[0]!r} is not said: {answer[1].strip()[-200:]}" if lacks else None


class Sources:
    """The tests of one kernel's samples."""

    def __init__(self, kernel, where):
        self.kernel, self.where = kernel, where
        self.found = []

    def add(self, name, why=None):
        self.found.append((name, why))

    def path(self, name):
        return self.where / name

    def dump(self, name, source, *options):
        """Make a dump; None, and a failure is noted, where that does not work."""
        out = self.path(name)
        why = _wants(ask("dump", "-q", *options, source, out), 0)
        if why:
            self.add(f"dump-{name}", why)
        return None if why else out

    def same(self, name, vmcore, want, got, kept=(), zeros=False, untold=()):
        """Two dumps hold the same pages, each as in the vmcore. zeros: got may lack zero pages;
        untold: the mappings (va, text) that are not told by what got was made of."""
        try:
            diff = pagediff.compare(vmcore, want, got, kept)
        except DumpError as e:
            self.add(name, str(e))
            return
        for mapping in untold:
            diff["b"][mapping] = {"count": 0}
        why = [w for _, w in judge_pages(diff) if w]
        lack = diff["only_a"]["count"]
        if zeros and lack == diff["a"]["zero"]["count"] - diff["b"]["zero"]["count"]:
            lack = 0
        if lack or diff["only_b"]["count"]:
            why.append(f"only in the direct dump {pagediff.few(diff['only_a'])}, only in this one "
                       f"{pagediff.few(diff['only_b'])}")
        self.add(name, "; ".join(why) or None)

    def further(self, name, vmcore, source, straight, zeros=False, untold=("text",)):
        """Filter a source at 31, to both formats; straight: the vmcore's own such dumps; untold:
        as of same(), where the source is a kdump file."""
        kdump = self.dump(f"{name}.again", source, "-d", "31")
        elf = self.dump(f"{name}.again-elf", source, "-E", "-d", "31")
        if kdump:
            self.same(f"{name}-to-kdump", vmcore, straight[0], kdump, zeros=zeros)
        if kdump and elf:
            self.same(f"{name}-to-elf", vmcore, straight[1], elf, (straight[0], kdump),
                      untold=() if "elf" in name else untold)
        for path in (kdump, elf):
            if path:
                path.unlink()

    def sound(self, name, source, fmt, *lines):
        """verify and info agree that a file is complete; lines: what info must say besides."""
        self.add(f"{name}-verify", _wants(ask("verify", source), 0, f": sound: {fmt}, "))
        self.add(f"{name}-info", _wants(ask("info", source), 0, f"format: {fmt}\n",
                                        f"kernel: {self.kernel.kver}\n", "build-id: ",
                                        "complete: yes\n", *lines))

    def refused(self, name, source, said, verify, *options):
        """A source that cannot be filtered leaves nothing; what verify says of it, exit 1."""
        out = self.path(f"{name}.refused")
        why = _wants(ask("dump", "-q", *options, source, out), 1, said)
        left = [p.name for p in self.where.glob(f"{out.name}*")]
        self.add(f"{name}-refused", why or (f"left {left}" if left else None))
        self.add(f"{name}-verify", _wants(ask("verify", source), 1, verify))

    def straight(self, name, vmcore):
        """The vmcore's own dumps at 31, which all others are compared with."""
        return (self.dump(f"{name}.straight", vmcore, "-d", "31"),
                self.dump(f"{name}.straight-elf", vmcore, "-E", "-d", "31"))


def _log(tests, name, dump, others):
    """The log is what crash prints, and the same from every source of this memory."""
    _, ours = ask("dmesg", dump)
    theirs = crash.ask(tests.kernel, dump, tests.where)["log"]
    differ = [(a, b) for a, b in zip(ours.splitlines(), theirs.splitlines()) if a != b]
    why = None
    if ours != theirs:
        why = (f"{len(ours)} and {len(theirs)} bytes; the first line that differs: "
               f"{differ[0] if differ else 'none'}")
    tests.add(f"{name}-log-as-crash", why)
    odd = [path.name for path in others if ask("dmesg", path) != (0, ours)]
    tests.add(f"{name}-log-same", f"another log from {odd}" if odd else None)
    return ours


def _live(tests):
    """QEMU's own dumps."""
    dumps = live_dumps(tests.kernel.name)
    vmcore = dumps["elf"]
    straight = tests.straight("live", vmcore)
    readable = [path for fmt, path in dumps.items() if LIVE[fmt]]
    for fmt, path in dumps.items():
        if not LIVE[fmt]:
            kind = fmt.rpartition("-")[2]
            tests.refused(fmt, path, f"unsupported compression: {kind}",
                          " pages not checked: unsupported compression")
        elif all(straight) and fmt != "elf":
            kind = "kdump" if "raw" in fmt else "kdump-flattened"
            tests.sound(fmt, path, kind, "level: 1\n")
            # QEMU's ELF file gives no addresses to compare with
            tests.further(fmt, vmcore, path, straight, untold=("va", "text"))
    tests.sound("live-elf", vmcore, "elf")
    if all(straight):
        text = _log(tests, "live", straight[0], [*readable, *straight])
        match = LINES.search(text)
        tests.add("live-log-lines", None if match and len(match[1]) == len(match[2]) else
                  "the record of two lines is not there as such")


def _chains(tests, vmcore, straight):
    """Filtered once and again, by either program."""
    made = []
    for name, options in STEPS.items():
        path = tests.dump(name, vmcore, *options)
        if path:
            flat = "-flattened" if "-F" in options else ""
            tests.sound(name, path, ("elf" if "-E" in options else "kdump") + flat,
                        "panic: Kernel panic - not syncing: sysrq triggered crash\n")
            tests.further(name, vmcore, path, straight, zeros=name == "elf-d1")
            made.append(path)
    pipe = tests.path("pipe")
    with open(pipe, "wb") as f:
        answer = ask("dump", "-q", "-F", "-d", "1", vmcore, "-", stdout=f)
    tests.add("pipe-made", _wants(answer, 0))
    tests.further("pipe", vmcore, pipe, straight)
    with open(tests.path("twice.flat"), "wb") as f:
        answer = ask("dump", "-q", "-F", "-d", "31", pipe, "-", stdout=f)
    tests.add("twice-made", _wants(answer, 0))
    diskdump.unflatten(f.name, tests.path("twice"))
    tests.same("twice-through-pipes", vmcore, straight[0], tests.path("twice"))
    for suffix in ("d0-z.kdump", "d1-z.kdump"):
        theirs = samples.DIR / f"{tests.kernel.name}-{suffix}"
        tests.sound(f"makedumpfile-{suffix}", theirs, "kdump", f"level: {suffix[1]}\n")
        tests.further(f"makedumpfile-{suffix}", vmcore, theirs, straight)
        made.append(theirs)
    return [*made, pipe, *straight]


def _makedumpfile(tests, vmcore):
    """Formats of makedumpfile's that crashpod reads in part or by another way."""
    for name, options in MAKEDUMPFILE.items():
        with open(tests.path(f"mdf-{name}"), "wb") as f:
            argv = ["makedumpfile", *options, vmcore]
            if "-F" in options:
                forky.run(argv, stdout=f, stderr=subprocess.PIPE)
        if "-F" not in options:
            forky.run([*argv, "-f", f.name])
    tests.refused("makedumpfile-lzo", tests.path("mdf-lzo-d31"), "unsupported compression: lzo",
                  " pages not checked: unsupported compression")
    tests.sound("makedumpfile-flat-elf", tests.path("mdf-flat-elf-d31"), "elf-flattened")
    tests.sound("makedumpfile-flat", samples.DIR / f"{tests.kernel.name}-d31-F.flat",
                "kdump-flattened", "level: 31\n")


def _split(tests, vmcore, straight):
    """The parts of a split dump are not filtered; what they are joined to is."""
    parts = [tests.path(f"part{i}") for i in (1, 2)]
    forky.run(["makedumpfile", "--split", "-z", "-d", "1", vmcore, *parts])
    for part in parts:
        tests.refused(part.name, part, "one part of a split dump", "one part of a split dump: ")
        tests.add(f"{part.name}-info", _wants(ask("info", part), 0, "\npart: pfn ",
                                              "complete: no\n"))
    whole = tests.path("joined")
    forky.run(["makedumpfile", "--reassemble", *parts, whole])
    tests.sound("joined", whole, "kdump", "level: 1\n")
    tests.further("joined", vmcore, whole, straight)


def _false_pages(vmcore, dump):
    """Why the pages that a dump has are not the vmcore's; None where they are."""
    try:
        diff = pagediff.compare(vmcore, dump, dump)["a"]
    except DumpError as e:
        return str(e)
    return "; ".join(f"{kind}: {pagediff.few(diff[kind])}" for kind in ("differ", "broken",
                     "foreign") if diff[kind]["count"]) or None


def _cut(tests, vmcore):
    """What ends early is neither sound nor complete; with --partial the rest becomes a dump that
    says it is incomplete."""
    for name in ("kdump-d1", "flat-d1", "elf-d0", "flat-elf-d0"):
        whole, cut = tests.path(name), tests.path(f"cut-{name}")
        with open(whole, "rb") as f:
            cut.write_bytes(f.read(whole.stat().st_size * 9 // 10))
        tests.refused(cut.name, cut, "truncated" if "flat" not in name else "ends early",
                      "not sound: ")
        tests.add(f"{cut.name}-info", _wants(ask("info", cut), 0, "complete: no\n"))
        out = tests.path(f"{cut.name}.out")
        tests.add(f"{cut.name}-partial",
                  _wants(ask("dump", "-q", "--partial", "-d", "31", cut, out), 3,
                         "is itself incomplete"))
        kept = out.with_name(out.name + "-incomplete")
        tests.add(f"{cut.name}-partial-verify",
                  _wants(ask("verify", kept), 1, "sound as far as it goes, but incomplete"))
        # the memory map may be what is lost; poisoned pages are then taken for the zeros that an
        # ELF file has in their place
        if "elf" not in name:
            tests.add(f"{cut.name}-partial-pages", _false_pages(vmcore, kept))
        for path in (cut, kept):
            path.unlink(missing_ok=True)


def _vmemmap(tests, vmcore):
    """-e says so in the header, and verify reads the file as any other."""
    path = tests.dump("vmemmap", vmcore, "-e", "-d", "31")
    if path:
        tests.sound("vmemmap", path, "kdump", "level: 31\n")
        status = diskdump.Diskdump(path).status
        tests.add("vmemmap-status", None if status & 0x10 else f"status {status:#x}")


def run(kernel_name):
    """[(test, why not or None)] over the samples of a kernel, which are made where missing."""
    kernel = kernels.ensure(kernel_name)
    for _ in samples.make(kernel_name):
        pass
    vmcore = samples.DIR / f"{kernel_name}.vmcore"
    with scenario.workplace(f"sources-{kernel_name}") as where:
        tests = Sources(kernel, where)
        _live(tests)
        tests.sound("vmcore", vmcore, "elf", "level: 0\n")
        straight = tests.straight("vmcore", vmcore)
        if all(straight):
            _log(tests, "vmcore", straight[0], [vmcore, *_chains(tests, vmcore, straight)])
            _split(tests, vmcore, straight)
        _makedumpfile(tests, vmcore)
        _cut(tests, vmcore)
        _vmemmap(tests, vmcore)
        if all(why is None for _, why in tests.found):
            shutil.rmtree(where)
    return tests.found
