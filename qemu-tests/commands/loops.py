# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of one crash: the kernels for it, the loop, its demonstration, and tools that judge dumps."""

import time

from ground import forky, kernels, paths
from harness import crashtest, hostile, loop, matrix, rich, samples, sources, value, vmlinux
from oracle import census

from . import table

NAMED = table.option("kernels", nargs="*", metavar="KERNEL",
                     help=f"{', '.join(kernels.TABLE)} (default {kernels.DEFAULT})")
LOOP = (
    table.kernel(), table.LEVEL, table.memory("2G"), table.CPUS,
    table.option("--format", action="append", choices=("kdump", "elf")),
    table.option("--crashkernel", default="", help="(what the kernel needs)"),
    table.option("--target", default=loop.Options.target,
                 help="the device as crashpod.conf names it"),
    table.option("--loader", default="syscall", choices=("syscall", "kexec-tools"),
                 help="kexec-tools: as on a kernel without kexec_file_load(2)"),
    table.capture_cpus(0),
    table.option("--conf", action="append", default=[], metavar="LINE",
                 help="more of crashpod.conf; may be given again"),
    table.option("--panic-cpu", type=int, metavar="CPU", help="the one that sysrq-c runs on (any)"),
)


@table.command("ground", NAMED)
def ground(args):
    """make the forky root and the named kernels"""
    forky.ensure()
    for name in args.kernels or [kernels.DEFAULT]:
        kernel = kernels.ensure(name)
        print(f"{name} {kernel.kver} {kernel.vmlinuz} {kernel.vmlinux}")
    return 0


@table.command("samples", NAMED)
def make_samples(args):
    """make vmcores and makedumpfile's dumps of them under build/ground/samples"""
    for name in args.kernels or [kernels.DEFAULT]:
        for path, what in samples.make(name):
            print(f"{path}   {what}", flush=True)
    return 0


def _options(args, fmt):
    if args.panic_cpu is not None and not 0 <= args.panic_cpu < args.cpus:
        raise paths.GroundError(f"--panic-cpu {args.panic_cpu}: the guest has {args.cpus} CPUs")
    return loop.Options(kernel=args.kernel, format=fmt, level=args.level, cpus=args.cpus,
                        memory_mib=args.mem, crashkernel=args.crashkernel,
                        loader=args.loader, target=args.target,
                        capture_cpus=args.capture_cpus, panic_cpu=args.panic_cpu,
                        conf=tuple(args.conf))


def _report(report):
    """Print a loop's tests; whether they have passed."""
    print("\n".join(loop.tap(report)))
    print(loop.line(report), flush=True)
    return report.passed


@table.command("loop", *LOOP)
def run_loop(args):
    """load, panic, capture, reboot, judge; one run for each format"""
    failed = False
    for fmt in args.format or ["kdump", "elf"]:
        failed |= not _report(loop.run(_options(args, fmt)))
    return 1 if failed else 0


def _said(console):
    """crashpod's own lines of a console log."""
    text = console.read_text(encoding="utf-8", errors="replace") if console.exists() else ""
    return ["  " + line for line in text.splitlines() if line.startswith("crashpod: ")]


def _tell(report):
    """What the capture said and left, and crash's backtrace."""
    work = paths.GROUND / "run" / f"loop-{report.options.title()}"
    print("\nWhat PID 1 of the capture kernel said on the console:")
    print("\n".join(_said(work / "console.log")))
    if report.dump:
        print("\nWhat it left in /var/crash:")
        print("\n".join(f"  {path.stat().st_size:>10} {path.parent.name}/{path.name}"
                        for path in sorted(report.dump.parent.iterdir())))
    backtrace = work / "backtrace"
    if backtrace.exists():
        print("\ncrash's backtrace of the dump:\n" + backtrace.read_text(encoding="utf-8"))
    print("\n".join(text for text in loop.tap(report) if text.startswith("fail")))


@table.command("demo", *LOOP)
def demo(args):
    """one loop, told step by step, with crash's backtrace of the dump"""
    start = time.monotonic()
    print(f"Fetching a Debian kernel and a root with QEMU and crash ({args.kernel}; "
          "cached after the first time) ...", flush=True)
    kernels.ensure(args.kernel)
    made = time.monotonic()
    print(f"Booting a {args.mem} MiB guest, loading crashpod, and crashing it with sysrq-c; "
          "then the judges read the dump ...", flush=True)
    report = loop.run(_options(args, args.format[0] if args.format else "kdump"))
    _tell(report)
    print("Where the time went (seconds):")
    times = {"test ground": round(made - start, 1), **report.seconds,
             "all": round(time.monotonic() - start, 1)}
    print("\n".join(f"  {name:12} {value:8.1f}" for name, value in times.items()))
    print(loop.line(report))
    return 0 if report.passed else 1


def _guest(args):
    """Make the guest of a matrix and judge what its memory holds; True if all of it."""
    guest = rich.make(args.kernel, args.profile, args.fresh)
    passed = loop.tell(f"{args.kernel}-{args.profile}", census.judge(guest))
    print("\n".join(census.table([guest])), flush=True)
    return passed


@table.command(
    "matrix", table.kernel(),
    table.option("--profile", default="full", help="of the guest (full, plain)"),
    table.option("--levels", nargs="+", type=int, default=matrix.LEVELS, choices=range(32),
                 metavar="0..31"),
    table.option("--formats", nargs="+", default=matrix.FORMATS, choices=matrix.FORMATS),
    table.option("--vmcore", help="this vmcore instead of a guest's"),
    table.option("--tools", default="all", choices=("all", "none"), help="crash and drgn"),
    table.option("--fresh", action="store_true", help="crash the guest again"))
def run_matrix(args):
    """judge dumps of every level and format of one vmcore beside makedumpfile's"""
    failed = args.vmcore is None and not _guest(args)
    tools = tuple(matrix.difftools.TOOLS) if args.tools == "all" else ()
    report = matrix.run(args.kernel, args.profile, args.levels, args.formats, args.vmcore, tools)
    print("\n".join(loop.lines(report.title, report.tests) + matrix.table(report) + report.notes))
    print(matrix.line(report))
    return 0 if report.passed and not failed else 1


@table.command("sources", table.kernel())
def run_sources(args):
    """every kind of input, and every way through several dumps, ends in the same pages"""
    found = sources.run(args.kernel)
    return 0 if loop.tell(f"sources-{args.kernel}", found) else 1


@table.command("value", table.kernel(),
               table.option("--levels", nargs="+", type=int, default=value.LEVELS,
                            choices=value.LEVELS))
def run_value(args):
    """a half and a quarter of a dump still give sys, log, bt and ps in crash"""
    found = value.run(args.kernel, args.levels)
    return 0 if loop.tell(f"value-{args.kernel}", found) else 1


@table.command("crashtest", table.kernel(crashtest.KERNEL),
               table.option("--target", action="append", choices=crashtest.TARGETS,
                            help="may be given again (all of them)"))
def run_crashtest(args):
    """`crashpod test` and --result, collecting and the notice at boot, list and show"""
    failed = False
    for target in args.target or crashtest.TARGETS:
        found = crashtest.run_one(target, args.kernel)
        print("\n".join(crashtest.lines(found)), flush=True)
        failed |= not loop.passed(found.tests)
    return 1 if failed else 0


@table.command("hostile", table.kernel(), table.option("--only", nargs="+", choices=hostile.CASES))
def run_hostile(args):
    """crashes with damaged memory: dumped whole, and the record says what was not understood"""
    failed = False
    for report in hostile.run(args.kernel, args.only):
        failed |= not _report(report)
    return 1 if failed else 0


@table.command("vmlinux", table.option("--kernel", action="append", choices=kernels.TABLE,
                                       help=f"may be given again ({kernels.DEFAULT})"))
def run_vmlinux(args):
    """which vmlinux a dump wants: real dumps, real vmlinux files, crash on the pair"""
    failed = False
    for name in args.kernel or [kernels.DEFAULT]:
        other = next(k for k in ("6.1-cloud", "new-cloud") if k != name)
        failed |= not loop.tell(f"vmlinux-{name}", vmlinux.run(name, other))
    return 1 if failed else 0
