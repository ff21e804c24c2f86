# SPDX-License-Identifier: GPL-2.0-or-later
"""`crashpod vmlinux` on dumps of real crashes, with the kernels' real vmlinux files.

Matching ones in each place, another kernel's, none, without debug information, of debug
information alone, and by the banner for a dump without build-id.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from ground import apt, forky, kernels, paths

from . import loop, scenario

PROGRAM = paths.BUILD / "crashpod"
# {k}: release, {a} and {b}: build-id
PLACES = ("usr/lib/debug/boot/vmlinux-{k}", "usr/lib/debug/lib/modules/{k}/vmlinux",
          "usr/lib/debug/.build-id/{a}/{b}.debug", "lib/modules/{k}/vmlinux", "boot/vmlinux-{k}")
MATCH, MISMATCH, MISSING = 0, 3, 4


class Case:
    """A kernel, a dump of it, and what was found."""

    def __init__(self, kernel, dump, where):
        self.kernel, self.dump, self.where = kernel, dump, where
        self.tests = []

    def add(self, name, why):
        """A test and why it failed, or None."""
        self.tests.append((name, why))

    def root(self, files):
        """An empty root with links to files at these places."""
        root = self.where / "root"
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        for place, source in files.items():
            to = root / place
            to.parent.mkdir(parents=True, exist_ok=True)
            os.link(source, to)
        return root

    def ask(self, name, want, files, patterns=(), dump=None, env=None):
        """The answer for a root with these files must have that exit status, and the patterns."""
        root = self.root(files)
        argv = [PROGRAM, "vmlinux", *([] if env else ["--root", root]), dump or self.dump]
        done = subprocess.run(argv, check=False, stdout=subprocess.PIPE, text=True, cwd=root,
                              stderr=subprocess.STDOUT, env=dict(os.environ, **(env or {})))
        lacks = [p for p in patterns if not re.search(p, done.stdout, re.M)]
        if done.returncode != want:
            self.add(name, f"exit {done.returncode}, not {want}: {done.stdout.strip()[-300:]}")
        else:
            self.add(name, f"lacks {lacks}: {done.stdout.strip()[-400:]}" if lacks else None)
        return done.stdout


def build_id(vmlinux):
    """As readelf has it."""
    text = paths.run(["readelf", "-n", vmlinux])
    return re.search(r"Build ID: ([0-9a-f]+)", text)[1]


def crash_of(kernel, where):
    """A dump of a real crash."""
    # how little is enough is not the question here
    plan = loop.make_plan(loop.Options(kernel=kernel.name, crashkernel="160M"), where)
    outcome = scenario.run(plan)
    dumps = sorted(outcome.crash_dir.glob("*/dump.*"))
    if len(dumps) != 1:
        raise paths.GroundError(f"the crash of {kernel.name} left {len(dumps)} dumps")
    return dumps[0]


def patched(source, to, old, new):
    """A copy in which bytes were replaced by as many others."""
    data = source.read_bytes()
    if len(old) != len(new) or old not in data:
        raise paths.GroundError(f"{source} has no {old}")
    to.write_bytes(data.replace(old, new))
    return to


def _places(case, own):
    names = {"k": case.kernel.kver, "a": own[:2], "b": own[2:]}
    for place in PLACES:
        at = place.format(**names)
        case.ask(f"match-{place.partition('{')[0].strip('/-').replace('/', '-')}", MATCH,
                 {at: case.kernel.vmlinux}, [rf"^match: .*/{re.escape(at)}$"])
    # the build tree, by the link that modules_install makes
    root = case.root({"usr/src/linux/vmlinux": case.kernel.vmlinux})
    tree = root / "lib/modules" / case.kernel.kver
    tree.mkdir(parents=True)
    (tree / "build").symlink_to("/usr/src/linux")
    done = subprocess.run([PROGRAM, "vmlinux", "--root", root, case.dump], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    case.add("match-build-tree", None if done.returncode == MATCH else done.stdout.strip()[-300:])


def _own_directories(case, own):
    """What is this user's: debuginfod's caches and the current directory."""
    home = {"HOME": str(case.where / "root"), "XDG_CACHE_HOME": "", "DEBUGINFOD_CACHE_PATH": ""}
    for name, place, env in (
            ("home", f".cache/debuginfod_client/{own}/debuginfo", {"HOME": home["HOME"]}),
            ("xdg", f"x/debuginfod_client/{own}/debuginfo",
             {"HOME": "/", "XDG_CACHE_HOME": f"{home['HOME']}/x"}),
            ("path", f"d/{own}/debuginfo",
             {"HOME": "/", "DEBUGINFOD_CACHE_PATH": f"{home['HOME']}/d"}),
            ("here", "vmlinux", {"HOME": "/"})):
        case.ask(f"match-own-{name}", MATCH, {place: case.kernel.vmlinux}, [r"^match: "], env=env)


def _archive(case):
    """The package that is named is in the archive, with that version."""
    text = case.ask("missing", MISSING, {}, [
        rf"^kernel: {re.escape(case.kernel.kver)}$", r"^distribution: Debian$",
        rf"^install: apt-get install linux-image-{re.escape(case.kernel.kver)}-dbg="
        rf"{re.escape(case.kernel.version)}$", "^missing: ", "snapshot.debian.org"])
    package = re.search(r"^package: (\S+) (\S+)$", text, re.M)
    suite = apt.Suite(kernels.TABLE[case.kernel.name][0])
    suite.update()
    has = suite.show(package[1])["Version"] if package else None
    case.add("package-in-archive", None if package and has == package[2] else
             f"the archive has {has}: {text[:300]}")
    case.add("suite", None if f" {suite.name} main" in text else f"no {suite.name} in: {text}")


def _objcopy(case, option, name):
    out = case.where / name
    paths.run(["objcopy", *option, case.kernel.vmlinux, out])
    return out


def _parts(case, own):
    """Files that are a part of a vmlinux."""
    at = f"usr/lib/debug/.build-id/{own[:2]}/{own[2:]}.debug"
    part = _objcopy(case, ["--only-keep-debug", "--compress-debug-sections"], "debug")
    case.ask("match-debug-only-compressed", MATCH, {at: part}, [r"^match: "])
    part.unlink()
    part = _objcopy(case, ["--strip-debug"], "stripped")
    case.ask("stripped", MISSING, {f"boot/vmlinux-{case.kernel.kver}": part},
             [r"^stripped: .*without debug information$", r"^missing: "])
    return part


def _other(case, own, other):
    """Another kernel's, where this one's would be."""
    at = f"usr/lib/debug/boot/vmlinux-{case.kernel.kver}"
    case.ask("mismatch", MISMATCH, {at: other.vmlinux},
             [rf"^mismatch: .*build-id {build_id(other.vmlinux)}, the dump's is {own}$",
              r"^install: "])
    case.ask("match-beside-mismatch", MATCH,
             {at: other.vmlinux, f"boot/vmlinux-{case.kernel.kver}": case.kernel.vmlinux},
             [r"^mismatch: ", r"^match: "])


def _formats(case, own, other, stripped):
    """An ELF dump tells the same; one without build-id is judged by the banner."""
    at = f"usr/lib/debug/boot/vmlinux-{case.kernel.kver}"
    elf = case.where / "dump.elf"
    paths.run([PROGRAM, "dump", "-q", "-E", "-d", "31", case.dump, elf])
    wants = [rf"^build-id: {own}$", rf"^version: #.* Debian {re.escape(case.kernel.version)} "]
    case.ask("elf", MATCH, {at: case.kernel.vmlinux}, wants, dump=elf)
    old = patched(elf, case.where / "old.elf", b"\nBUILD-ID=", b"\nBUILD-XX=")
    case.ask("banner-match", MATCH, {at: case.kernel.vmlinux}, ["^build-id: none"], dump=old)
    case.ask("banner-mismatch", MISMATCH, {at: other.vmlinux}, ["not a kernel"], dump=old)
    again = patched(stripped, case.where / "again", b") #1 SMP", b") #2 SMP")
    case.ask("banner-of-another-build", MISMATCH, {at: again}, ["another build of"], dump=old)
    release = case.kernel.kver.encode()
    evil = (b"../" * 4 + b"\x1b[2J;x").ljust(len(release), b"y")
    hostile = patched(elf, case.where / "hostile.elf", b"OSRELEASE=" + release,
                      b"OSRELEASE=" + evil)
    text = case.ask("hostile", MISSING, {at: case.kernel.vmlinux}, [r"^kernel: \.\./"],
                    dump=hostile)
    case.add("hostile-text", "it steers the terminal" if "\x1b" in text or "apt-get" in text
             else None)


def _run(case):
    """--run: crash on the pair; it is not started without a match."""
    options, _ = kernels.CRASH_LIMITS.get(case.kernel.name, ((), ()))
    script = case.where / "commands"
    script.write_text("sys\nbt\nquit\n", encoding="ascii")
    root = case.root({f"usr/lib/debug/boot/vmlinux-{case.kernel.kver}": case.kernel.vmlinux})
    argv = [PROGRAM, "vmlinux", "--run", "--root", root, case.dump, "--", "-s", *options, "-i",
            script]
    try:
        text = forky.run(argv)
    except paths.GroundError as e:
        text = str(e)
    (case.where / "crash.txt").write_text(text, encoding="utf-8")
    good = re.search(rf"RELEASE: {re.escape(case.kernel.kver)}$", text, re.M) and \
        "sysrq_handle_crash" in text
    case.add("run", None if good else text.strip()[-300:])
    case.root({})
    done = subprocess.run(forky.command(argv), check=False, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT)
    case.add("run-missing", None if done.returncode == MISSING and "install: " in done.stdout else
             f"exit {done.returncode}: {done.stdout.strip()[-300:]}")


def _json(case, own):
    root = case.root({f"boot/vmlinux-{case.kernel.kver}": case.kernel.vmlinux})
    answer = json.loads(paths.run([PROGRAM, "vmlinux", "--json", "--root", root, case.dump]))
    found = [(f["state"], f["build_id"]) for f in answer["found"]]
    case.add("json", None if answer["result"] == "match" and answer["build_id"] == own and
             found == [("match", own)] and answer["package_version"] == case.kernel.version and
             Path(answer["vmlinux"]).is_file() else json.dumps(answer)[:300])


def run(name, other_name):
    """[(test, why not or None)] of one kernel, with the vmlinux of another one beside it."""
    kernel, other = kernels.ensure(name), kernels.ensure(other_name)
    with scenario.workplace(f"vmlinux-{name}") as where:
        case = Case(kernel, crash_of(kernel, where), where)
        own = build_id(kernel.vmlinux)
        _archive(case)
        _places(case, own)
        _own_directories(case, own)
        _other(case, own, other)
        stripped = _parts(case, own)
        _formats(case, own, other, stripped)
        _json(case, own)
        _run(case)
        for big in ("stripped", "again", "dump.elf", "old.elf", "hostile.elf"):
            (where / big).unlink(missing_ok=True)
        shutil.rmtree(where / "root", ignore_errors=True)
    return case.tests
