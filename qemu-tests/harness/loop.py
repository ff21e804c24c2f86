# SPDX-License-Identifier: GPL-2.0-or-later
"""One whole loop with crashpod: load, status, panic, capture, reboot; then every judge."""

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from ground import kernels, paths
from oracle import compare, crash, drgnread, planted, ram, record, reference
from oracle.pages import PAGE, DumpError

from . import image, scenario
from .vm import Memory

# drgn starts a read for each address: a sample of the planted pages is enough beside the
# comparison of every page.
DRGN_EVERY = 16


@dataclass
class Options:
    """What `run.py loop` was asked."""
    kernel: str = kernels.DEFAULT
    format: str = "kdump"
    level: int = 31
    memory_mib: int = 2048
    crashkernel: str = ""  # what the kernel needs
    cpus: int = 2
    conf: tuple = ()
    name: str = ""
    target: str = f"UUID={image.ROOT_UUID}"
    loader: str = "syscall"  # or "kexec-tools": kexec_file_load(2) answers ENOSYS
    capture_cpus: int = 0  # --cpus of `crashpod load`; 0: not given
    panic_cpu: int = None  # None: wherever the shell happens to run

    def title(self):
        tail = "" if self.loader == "syscall" else f"-{self.loader}"
        if self.capture_cpus:
            tail += f"-cpus{self.capture_cpus}"
        if self.panic_cpu is not None:
            tail += f"-panic{self.panic_cpu}"
        return self.name or f"{self.kernel}-{self.format}-d{self.level}-{self.memory_mib}M{tail}"


@dataclass
class Report:
    """Everything found; tests are (name, why not or None)."""
    options: Options
    outcome: scenario.Outcome = None
    tests: list = field(default_factory=list)
    dump: Path = None
    record: dict = field(default_factory=dict)
    seconds: dict = field(default_factory=dict)

    def add(self, name, why=None):
        self.tests.append((name, why))

    @property
    def passed(self):
        return bool(self.tests) and all(why is None for _, why in self.tests)


def configuration(options):
    """The crashpod.conf of the guest: its own root is the target."""
    lines = [f"ext4 {options.target}", "path /var/crash", f"format {options.format}",
             f"dump_level {options.level}", "naming debian", *options.conf]
    return "\n".join(lines) + "\n"


def _needed(path):
    if not path.exists():
        raise paths.GroundError(f"{path} is not there; `make` builds it")
    return path


def make_initrd(kernel, conf, out):
    """The crashpod initramfs, by the builder a user runs."""
    paths.run([paths.TOP / "mkinitrd/mkinitrd", "-k", kernel.kver, "-c", conf, "-o", out,
               "--modules-root", kernel.root, "--init", _needed(paths.BUILD / "init"),
               "--add-modules", "virtio_pci virtio_blk"])
    return out


def loader(options, where):
    """How /test/load calls crashpod, and the files that takes."""
    if options.loader == "syscall":
        return "", []
    nosys = image.compile_guest("nosys", where / "nosys")
    return "nosys ", [("usr/bin/nosys", nosys), *scenario.kexec_files()]


def crash_script(options):
    """/test/crash: the CPU that runs it is the one that panics, and boots the capture kernel."""
    if options.panic_cpu is None:
        return scenario.CRASH
    return f"taskset {1 << options.panic_cpu:x} sh -c '{scenario.CRASH.strip()}'\n"


def make_plan(options, where):
    """The production system that crashpod is installed on."""
    kernel = kernels.ensure(options.kernel)
    conf = where / "crashpod.conf"
    conf.write_text(configuration(options), encoding="ascii")
    initrd = make_initrd(kernel, conf, where / "crashpod.img")
    prefix, loader_files = loader(options, where)
    cpus = f" --cpus {options.capture_cpus}" if options.capture_cpus else ""
    load = ("set -e\n"
            f"{prefix}crashpod load\n"
            f"{prefix}crashpod unload\n"
            "test \"$(cat /sys/kernel/kexec_crash_loaded)\" = 0\n"
            "if crashpod status > /test/out/status.unloaded; then exit 3; fi\n"
            f"{prefix}crashpod load{cpus} --append 'console=ttyS0 loglevel=7'\n"
            "crashpod status\n"
            "crashpod status --json > /test/out/status.json\n")
    after = "crashpod list > /test/out/list\n"
    size = options.memory_mib + 1024 if options.level < 8 else options.memory_mib // 2 + 512
    return scenario.Plan(
        kernel, where, load=load, crash=crash_script(options), memory_mib=options.memory_mib,
        crashkernel=options.crashkernel or kernels.reserve(options.kernel), cpus=options.cpus, disk_mib=size,
        files=[("usr/bin/crashpod", _needed(paths.BUILD / "crashpod")),
               (f"boot/vmlinuz-{kernel.kver}", kernel.vmlinuz),
               (f"var/lib/crashpod/initramfs-{kernel.kver}.img", initrd),
               ("etc/crashpod.conf", conf), *loader_files],
        texts=[("test/after", after)])


def _read(path):
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def judge_guest(report):
    """What the production system itself wrote, before the crash and after."""
    outcome = report.outcome
    for step in ("plant", "load", "plant-free"):
        rc = _read(outcome.out / f"{step}.rc").strip()
        log = _read(outcome.out / f"{step}.log").strip().splitlines()
        report.add(f"guest-{step}", None if rc == "0" else f"exit {rc}: {' / '.join(log[-3:])}")
    loaded = _read(outcome.out / "kexec_crash_loaded").strip()
    report.add("kexec-crash-loaded", None if loaded == "1" else f"it reads {loaded!r}")
    report.add("came-back", outcome.stuck or (
        None if (outcome.out / "came-back").exists() else "no second boot wrote came-back"))
    report.add("root-sound", outcome.damage)
    boots = _read(outcome.out / "boots").split()
    report.add("boots-twice", None if len(set(boots)) == 2 else f"{len(boots)} boots")


def judge_files(report):
    """The dump and what is to lie beside it, under their conventional names."""
    tree = report.outcome.crash_dir
    dumps = sorted(tree.glob("*/dump.*"))
    names = sorted(str(p.relative_to(tree)) for p in tree.rglob("*") if p.is_file())
    if len(dumps) != 1 or dumps[0].name.endswith("-incomplete"):
        report.add("dump-there", f"/var/crash holds {', '.join(names) or 'nothing'}")
        return
    report.dump = dumps[0]
    stamp = report.dump.name.removeprefix("dump.")
    report.add("dump-there", None if report.dump.parent.name == stamp else
               f"{names[0]} is not STAMP/dump.STAMP")
    modes = [oct(p.stat().st_mode & 0o777) for p in (report.dump, report.dump.parent)]
    report.add("dump-modes", None if modes == ["0o600", "0o700"] else f"modes {modes}")
    text = _read(report.dump.parent / f"dmesg.{stamp}")
    good = f"planted with seed {report.outcome.seed}\n" in text and \
        re.search(crash.PANIC, text)
    report.add("dmesg-file", None if good else f"{len(text)} bytes lack the seed or the panic")
    listed = _read(report.outcome.out / "list")
    report.add("list", None if report.dump.name in listed or stamp in listed else
               f"crashpod list says {listed.strip()!r}")
    try:
        report.record = json.loads(_read(report.dump.parent / "crashpod.json"))
        report.add("record")
        report.add("record-schema", record.judge(report.dump.parent / "crashpod.json"))
    except ValueError as e:
        report.add("record", f"crashpod.json: {e}")


def cpus_wanted(options):
    """How many CPUs the capture kernel has: the boot CPU stays down unless it panicked.

    QEMU's boot CPU would survive the INIT that resets a machine: asking for all CPUs and missing
    one is how a run shows that it was left alone.
    """
    if options.capture_cpus < 2:
        return 1
    usable = options.cpus if options.panic_cpu == 0 else options.cpus - 1
    return min(options.capture_cpus, usable)


def judge_console(report, console):
    """Every step of the record has its outcome and time on the console too, and so have those that
    cannot be in it."""
    # The kernel may print in the middle of a line.
    text = re.sub(r"\[ *\d+\.\d{6}\] .*\n", "", _read(console))
    said = [line for line in text.splitlines() if line.startswith("crashpod: seconds")]
    told = re.findall(r"(\w+) \d+\.\d\d( failed| incomplete)?(?:,|$)",
                      "\n".join(said), re.M)
    ends = {"ok": "", "failed": " failed", "incomplete": " incomplete"}
    want = [(step["name"], ends[step["result"]]) for step in report.record.get("steps", [])]
    want += [(name, "") for name in ("commit", "release", "sync")]
    report.add("console-steps", None if told == want else f"{told}, not {want}")


def judge_cpus(report):
    """What `crashpod load` asked for, and what the capture kernel and the dump made of it."""
    options, want = report.options, cpus_wanted(report.options)
    line = re.findall(r"^command line: (.*)$", _read(report.outcome.out / "load.log"), re.M)[-1:]
    words = [w for w in " ".join(line).split() if re.match("nr_cpus|disable_cpu_apicid", w)]
    # QEMU numbers APICs from 0, which the boot CPU has.
    asked = [f"nr_cpus={options.capture_cpus or 1}"]
    asked += ["disable_cpu_apicid=0"] if options.capture_cpus > 1 else []
    report.add("cpus-asked", None if words == asked else f"{words}, not {asked}")
    if options.panic_cpu is not None and report.dump is not None:
        text = _read(report.dump.parent / report.dump.name.replace("dump.", "dmesg."))
        on = re.findall(r"\bCPU: (\d+) ", text.partition("Kernel panic")[2])
        report.add("panic-cpu", None if on[:1] == [str(options.panic_cpu)] else
                   f"the log says that CPU {on[:1]} panicked")
    online = report.record.get("cpus_online")
    report.add("cpus-online", None if online == ("0" if want == 1 else f"0-{want - 1}") else
               f"the capture kernel had CPUs {online}, not {want}")
    threads = report.record.get("dump", {}).get("threads")
    report.add("dump-threads", None if threads == want else f"{threads}, not {want}")


def judge_command(report):
    """crashpod's own opinion of its dump, on the host."""
    for verb in ("verify", "info"):
        done = subprocess.run([paths.BUILD / "crashpod", verb, report.dump], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace")
        said = " / ".join(done.stdout.strip().splitlines()[-3:])
        report.add(f"crashpod-{verb}", None if done.returncode == 0 else
                   f"exit {done.returncode}: {said}")


def judge_pages(report, plan):
    """Every page of the dump against QEMU's own memory. No page that it keeps is excepted."""
    outcome, level = report.outcome, report.options.level
    iomem = _read(outcome.out / "iomem")
    manifest = planted.read_manifest(outcome.out)
    addresses = {pa for _, _, pa in manifest if pa is not None}
    frames = ram.dumpable(iomem, 0 if report.options.loader == "kexec-tools" else ram.LOW)
    wanted = set(frames)
    try:
        dump = compare.open_dump(report.dump)
        result = compare.compare(dump, outcome.snapshot, Memory(plan.memory_mib << 20), frames,
                                 addresses)
    except DumpError as e:
        report.add("dump-format", str(e))
        return manifest, set()
    is_elf = not hasattr(dump, "dumped")
    if is_elf:
        lost = reference.settle(result, dump, outcome.snapshot, Memory(plan.memory_mib << 20),
                                iomem, level)
        report.add("level-loses-nothing", f"{len(lost)} frames that makedumpfile keeps are left "
                   f"out, first {min(lost):#x}" if lost else None)
    report.add("dump-format", None if is_elf == (report.options.format == "elf") else "the other")
    report.add("dump-complete", None if dump.complete else "the dump is marked incomplete")
    report.add("pages-readable", f"{result.missing} pages are missing" if result.missing else None)
    report.add("pages-equal", None if result.same and not result.differing else
               f"{len(result.differing)} of {result.same + len(result.differing)} differ, first "
               + ", ".join(f"{pa:#x} ({ram.region(iomem, pa)})" for pa in result.differing[:3]))
    ram_frames = {pfn for pfn in range(max(wanted) + 1) if dump.is_ram(pfn)}
    extra = len(result.outside) + len(ram_frames - wanted)
    report.add("ram-complete", None if ram_frames == wanted and not extra else
               f"{len(wanted - ram_frames)} frames of RAM unknown to the dump, {extra} too many")
    if level == 0 or level == 1 and not is_elf:
        poisoned = {pa // PAGE for name, _, pa in manifest if name == "poison"}
        absent = wanted - result.frames - poisoned
        report.add("level-keeps-all", f"{len(absent)} frames are left out" if absent else None)
    why = planted.judge(manifest, outcome.seed, level, result.pages.get, merged=is_elf)
    # Not every kernel can poison a frame: what was not planted is not judged.
    for name in sorted({name for name, _, pa in manifest if pa is not None}):
        report.add(f"planted-{name}", why.get(name))
    return manifest, set(result.pages)


def judge_tools(report, plan, manifest, kept):
    """crash and drgn, as a person would use them."""
    seed, kernel = report.outcome.seed, plan.kernel
    answers = crash.ask(kernel, report.dump, plan.where)
    for name, why in crash.judge(answers, seed, kernel):
        report.add(name, why)
    some = [pa for name, index, pa in manifest
            if pa is not None and name != "free" and index % DRGN_EVERY == 0]
    got = drgnread.ask(kernel.vmlinux, report.dump, some, plan.where)
    for name, why in drgnread.judge(got, seed, kernel.kver, manifest, kept & set(some)):
        report.add(name, why)


def stages(outcome):
    """Seconds of each stage, from the console's times and the guest's own."""
    marks = outcome.marks
    order = [("boot", "kernel-1", "booted"), ("plant", "booted", "planted"),
             ("load", "planted", "loaded"), ("kexec", "crash", "kernel-2"),
             ("capture", "kernel-2", "kernel-3"), ("return", "kernel-3", "end")]
    return {name: round(marks[b] - marks[a], 2) for name, a, b in order
            if a in marks and b in marks}


def run(options, planner=None, judge_more=None):
    """Run one loop and judge it. Lost and GroundError pass through.

    planner(where) gives another plan than make_plan; judge_more(report, where) is called after the
    other judges.
    """
    report = Report(options)
    with scenario.workplace(f"loop-{options.title()}") as where:
        plan = planner(where) if planner else make_plan(options, where)
        report.outcome = scenario.run(plan, snapshot=where / "snapshot")
        report.seconds = stages(report.outcome)
        judge_guest(report)
        judge_files(report)
        judge_console(report, where / "console.log")
        judge_cpus(report)
        if report.dump is not None:
            judge_command(report)
            manifest, kept = judge_pages(report, plan)
            judge_tools(report, plan, manifest, kept)
        if judge_more is not None:
            judge_more(report, where)
        (where / "result.json").write_text(json.dumps(summary(report), indent=1),
                                           encoding="utf-8")
        # Big and of no use once it was compared.
        (where / "snapshot").unlink(missing_ok=True)
    return report


def summary(report):
    """The result as JSON takes it."""
    size = report.dump.stat().st_size if report.dump else 0
    return {"verdict": "pass" if report.passed else "fail", "run": report.options.title(),
            "seed": report.outcome.seed, "seconds": report.seconds, "dump_bytes": size,
            "dump": str(report.dump), "record": report.record,
            "tests": [{"name": n, "why": w} for n, w in report.tests]}


def line(report):
    """The run in one line."""
    found = summary(report)
    times = " ".join(f"{k} {v}" for k, v in found["seconds"].items())
    failed = sum(t["why"] is not None for t in found["tests"])
    return (f"{found['verdict']}: {found['run']}: {len(found['tests']) - failed} passed, "
            f"{failed} failed; {found['dump_bytes'] / 1e6:.1f} MB; seconds: {times}")


def lines(prefix, tests):
    """A line for each test of a list of (name, why not or None)."""
    return [f"pass {prefix}/{name}" if why is None else f"fail {prefix}/{name}: {why}"
            for name, why in tests]


def passed(tests):
    """Whether there are tests, and all have passed."""
    return bool(tests) and all(why is None for _, why in tests)


def tell(prefix, tests):
    """Print a line for each test; whether they have passed."""
    print("\n".join(lines(prefix, tests)), flush=True)
    return passed(tests)


def tap(report):
    """A line for each test."""
    return lines(report.options.title(), report.tests)
