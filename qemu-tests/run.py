#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The QEMU tests: crash real Debian kernels, judge what crashpod saved.

Exit: 0 passed; 1 failed; 2 lost (the test ground or the guest, not crashpod, gave out) or wrong
usage.
"""

import argparse
import sys
import time
from pathlib import Path

from ground import forky, kernels, paths
from harness import (bench, benchguest, compare, crashtest, diskcases, disks, estimate, faultrun, faults,
                     floor, footprint, hostile, hugecore, layers, layers_cases, loop, matrix, rich,
                     rpmsystem, samples, scale, selfbuilt, sources, synth, systems,
                     systems_next, systems_rc, value, vm, vmlinux)
from oracle import census


def cmd_ground(args):
    """make the forky root and the named kernels"""
    forky.ensure()
    for name in args.kernels or [kernels.DEFAULT]:
        kernel = kernels.ensure(name)
        print(f"{name} {kernel.kver} {kernel.vmlinuz} {kernel.vmlinux}")
    return 0


def cmd_samples(args):
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


def cmd_loop(args):
    """load, panic, capture, reboot, judge; one run for each format"""
    failed = False
    for fmt in args.format or ["kdump", "elf"]:
        report = loop.run(_options(args, fmt))
        print("\n".join(loop.tap(report)))
        print(loop.line(report), flush=True)
        failed = failed or not report.passed
    return 1 if failed else 0


def cmd_compare(args):
    """makedumpfile and crashpod on one vmcore in one capture kernel"""
    setup = compare.Setup(args.kernel, args.level, args.mem, args.cpus, args.only, args.runs,
                          args.judge, args.guest_cpu)
    rows = compare.run(setup)
    print(f"{args.kernel}, {args.mem} MiB, -d {args.level}, medians of {args.runs} runs in the "
          "capture kernel under TCG")
    print("\n".join(compare.table(rows)))
    # What is wrong with the others is shown, and is not ours.
    return 1 if any(row.why for row in rows if row.name.startswith("crashpod")) else 0


def cmd_scale(args):
    """makedumpfile and crashpod on idle guests of several sizes, for scripts/plot-scale.py"""
    failed = False
    print(f"{args.kernel}, -d {args.level}, medians of {args.runs} runs in the capture kernel "
          f"under TCG; figures go to {args.out}")
    print(scale.HEAD)
    for mem in args.mem:
        setup = compare.Setup(args.kernel, args.level, mem, args.cpus, args.only, args.runs,
                              "dumps", args.guest_cpu)
        rows = compare.run(setup)
        print("\n".join(scale.lines(mem, rows)), flush=True)
        scale.save(args.out, mem, rows)
        failed = failed or any(row.why for row in rows if row.name.startswith("crashpod"))
    return 1 if failed else 0


def cmd_bench(args):
    """makedumpfile and crashpod on one vmcore in the page cache: a table of ratios"""
    vmcore = args.vmcore or benchguest.vmcore(args.kernel, args.mem)
    print(f"{vmcore}, medians of {args.runs} runs")
    print("\n".join(bench.table(bench.run(vmcore, args.runs, args.only))))
    return 0


def cmd_matrix(args):
    """judge dumps of every level and format of one vmcore beside makedumpfile's"""
    failed = args.vmcore is None and not _guest(args)
    tools = tuple(matrix.difftools.TOOLS) if args.tools == "all" else ()
    report = matrix.run(args.kernel, args.profile, args.levels, args.formats, args.vmcore, tools)
    print("\n".join(loop.lines(report.title, report.tests) + matrix.table(report) + report.notes))
    print(matrix.line(report))
    return 0 if report.passed and not failed else 1


def _guest(args):
    """Make the guest of a matrix and judge what its memory holds; True if all of it."""
    guest = rich.make(args.kernel, args.profile, args.fresh)
    tests = census.judge(guest)
    print("\n".join(loop.lines(f"{args.kernel}-{args.profile}", tests)))
    print("\n".join(census.table([guest])), flush=True)
    return all(why is None for _, why in tests)


def cmd_sources(args):
    """every kind of input, and every way through several dumps, ends in the same pages"""
    found = sources.run(args.kernel)
    print("\n".join(loop.lines(f"sources-{args.kernel}", found)))
    return 0 if found and all(why is None for _, why in found) else 1


def cmd_crashtest(args):
    """`crashpod test` and --result, collecting and the notice at boot, list and show"""
    failed = False
    for target in args.target or crashtest.TARGETS:
        found = crashtest.run_one(target, args.kernel)
        print("\n".join(crashtest.lines(found)), flush=True)
        failed = failed or any(why is not None for _, why in found.tests)
    return 1 if failed else 0


def cmd_value(args):
    """a half and a quarter of a dump still give sys, log, bt and ps in crash"""
    found = value.run(args.kernel, args.levels)
    print("\n".join(loop.lines(f"value-{args.kernel}", found)))
    return 0 if found and all(why is None for _, why in found) else 1


def cmd_vmlinux(args):
    """which vmlinux a dump wants: real dumps, real vmlinux files, crash on the pair"""
    failed = False
    for name in args.kernel or [kernels.DEFAULT]:
        other = next(k for k in ("6.1-cloud", "new-cloud") if k != name)
        found = vmlinux.run(name, other)
        print("\n".join(loop.lines(f"vmlinux-{name}", found)), flush=True)
        failed = failed or any(why is not None for _, why in found)
    return 1 if failed else 0


def cmd_hostile(args):
    """crashes with damaged memory: dumped whole, and the record says what was not understood"""
    failed = False
    for report in hostile.run(args.kernel, args.only):
        print("\n".join(loop.tap(report)))
        print(loop.line(report), flush=True)
        failed = failed or not report.passed
    return 1 if failed else 0


def cmd_synth(args):
    """dumps of made-up machines of up to 64 TiB: memory and time for each TiB do not grow"""
    print(synth.HEAD)
    results = synth.run(args.sizes, lambda result: print(synth.line(result), flush=True))
    print("\n".join(loop.lines("synth", [
        (synth.size(r.ram) + ("" if r.vmemmap else " -e"), "; ".join(r.problems) or None)
        for r in results])))
    return 1 if any(r.problems for r in results) else 0


def _said(console):
    """crashpod's own lines of a console log."""
    text = console.read_text(encoding="utf-8", errors="replace") if console.exists() else ""
    return ["  " + line for line in text.splitlines() if line.startswith("crashpod: ")]


def cmd_demo(args):
    """one loop, told step by step, with crash's backtrace of the dump"""
    start = time.monotonic()
    print(f"Fetching a Debian kernel and a root with QEMU and crash ({args.kernel}; "
          "cached after the first time) ...", flush=True)
    kernels.ensure(args.kernel)
    made = time.monotonic()
    print(f"Booting a {args.mem} MiB guest, loading crashpod, and crashing it with sysrq-c; "
          "then the judges read the dump ...", flush=True)
    report = loop.run(_options(args, args.format[0] if args.format else "kdump"))
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
    print("Where the time went (seconds):")
    times = {"test ground": round(made - start, 1), **report.seconds,
             "all": round(time.monotonic() - start, 1)}
    print("\n".join(f"  {name:12} {value:8.1f}" for name, value in times.items()))
    print(loop.line(report))
    return 0 if report.passed else 1


def size_mib(text):
    """2G, 512M or 24T as MiB."""
    units = {"M": 1, "G": 1024, "T": 1024 * 1024}
    if text[-1:] not in units or not text[:-1].isdigit():
        raise argparse.ArgumentTypeError(f"{text}: wanted a size like 2G or 512M")
    return int(text[:-1]) * units[text[-1]]


def machine_size(text):
    """64G or 24T as bytes, for a machine that can be made up."""
    n = size_mib(text) << 20
    if not hugecore.possible(n):
        raise argparse.ArgumentTypeError(f"{text}: wanted a multiple of 8G, up to 64T")
    return n


def _cases(table, args, title, one):
    """Run the cases that were asked for, each on its own: one(case) prints and gives whether it passed."""
    bad = 0
    for case in [table[name] for name in args.only or table]:
        if args.quick and not case.quick:
            continue
        try:
            bad += not one(case)
        except (paths.GroundError, vm.Lost) as e:
            print(f"fail {title}/{case.name}/lost: {e}", flush=True)
            bad += 1
    return 1 if bad else 0


def _judged(found, lines):
    print("\n".join(lines), flush=True)
    return all(why is None for _, why in found.tests)


def cmd_faults(args):
    """real crashes for which something is wrong; a run for each row of docs/faults.md"""
    def one(case):
        found = faultrun.run(case, args.kernel)
        return _judged(found, faultrun.lines(found, args.kernel))
    return _cases(faults.CASES, args, f"fault-{args.kernel}", one)


def cmd_layers(args):
    """targets on LVM, MD and multipath, made and opened again by the real tools"""
    def one(case):
        found = layers.run(case, args.kernel)
        return _judged(found, layers.lines(found))
    return _cases(layers_cases.CASES, args, "layers", one)


def cmd_disks(args):
    """crashes whose dump goes to each controller, file system and partition table"""
    found = []
    for name in args.only or diskcases.BY_NAME:
        case = diskcases.BY_NAME[name]
        if args.quick and not case.quick:
            continue
        try:
            found.append(disks.run(case, args.kernel))
            print("\n".join(loop.lines(f"disks-{args.kernel}/{name}", found[-1].tests)))
            print(disks.row(found[-1]), flush=True)
        except vm.Lost as e:
            print(f"fail disks-{args.kernel}/{name}/lost: {e}", flush=True)
            found.append(None)
    print("\n".join([disks.HEAD, *(disks.row(run) for run in found if run)]))
    return 0 if found and all(run and run.passed for run in found) else 1


def cmd_floor(args):
    """the smallest crashkernel= with which a crash is captured, three times of three"""
    capture = floor.capture_of(args.capture) if args.capture else None
    setup = floor.Setup(args.kernel, capture, args.mem, args.low, args.high, args.step, args.append,
                        cpus=args.capture_cpus)
    found = floor.find(setup)
    what = args.capture.name if capture else "itself"
    print(f"{'fail' if found is None else 'pass'} floor/{args.kernel}: captured by {what} with "
          f"crashkernel={found}M", flush=True)
    return 1 if found is None else 0


def cmd_footprint(args):
    """where each MiB of a capture kernel goes"""
    capture = floor.capture_of(args.capture) if args.capture else None
    setup = floor.Setup(args.kernel, capture, args.mem, append=args.append)
    found = footprint.run(setup, args.crashkernel)
    print("\n".join(faultrun.lines(found, args.kernel)))
    for what, kib in footprint.table(found):
        print(f"{kib:8d} KiB  {what}")
    return any(why for _, why in found.tests)


def cmd_estimate(args):
    """`crashpod estimate` in a guest that then crashes with the crashkernel= it names"""
    capture = floor.capture_of(args.capture) if args.capture else None
    setup = estimate.Setup(args.kernel, capture, args.mem, tuple(args.levels), args.capture_cpus,
                           args.floor)
    rows = estimate.run(setup)
    bad = 0
    for row in rows:
        print("\n".join(loop.lines(
            f"estimate-{args.kernel}/{row.level}-{row.crashkernel_mib}M", row.tests)))
        bad += any(why is not None for _, why in row.tests)
    print(estimate.HEAD)
    print("\n".join(estimate.line(setup, row) for row in rows), flush=True)
    return 1 if bad else 0


# what is done on a whole machine: run(suite, way, debs) gives a systems.Journey
SYSTEM_WAYS = {
    "hand": systems.run,
    "setup": systems.run,
    "upgrade": systems_next.run,
    "rc": systems_rc.run,
}


def cmd_systems(args):
    """whole Debian machines: the package installed, set up, crashed, another kernel armed"""
    debs = args.deb or sorted((paths.BUILD / "deb").glob("crashpod_*.deb"))
    if not debs:
        raise paths.GroundError(f"no package in {paths.BUILD / 'deb'}: make deb")
    failed = False
    for suite in args.suite or systems.systems.SUITES:
        found = SYSTEM_WAYS[args.way](suite, args.way, debs)
        print("\n".join(loop.lines(f"system-{suite}-{args.way}", found.tests)))
        print("\n".join(f"  {seconds:7.1f} s  {step}" for step, seconds in found.seconds.items()))
        print(f"  transcript: {found.where}/transcript.txt", flush=True)
        failed = failed or any(why is not None for _, why in found.tests)
    return 1 if failed else 0


def cmd_selfbuilt(_args):
    """a kernel compiled from linux-source, crashed; its vmlinux is found in the build tree"""
    report = selfbuilt.run()
    print("\n".join(loop.tap(report)))
    print(loop.line(report), flush=True)
    return 0 if report.passed else 1


def cmd_rpmsystem(args):
    """a whole machine with rpm, laid out as openEuler is: from the package to a backtrace"""
    rpms = [args.rpm] if args.rpm else sorted((paths.BUILD / "rpm").glob("crashpod-*.rpm"))
    if len(rpms) != 1:
        raise paths.GroundError(f"{len(rpms)} packages in {paths.BUILD / 'rpm'}: make rpm")
    found = rpmsystem.run(rpms[0])
    print("\n".join(loop.lines("system-rpm-layout", found.tests)))
    print("\n".join(f"  {seconds:7.1f} s  {step}" for step, seconds in found.seconds.items()))
    print(f"  transcript: {found.where}/transcript.txt", flush=True)
    return 1 if any(why is not None for _, why in found.tests) else 0


def _run_arguments(p, formats=True, sizes=False):
    p.add_argument("--kernel", default=kernels.DEFAULT, choices=kernels.TABLE)
    p.add_argument("--level", type=int, default=31, choices=range(32), metavar="0..31")
    if sizes:
        p.add_argument("--mem", type=size_mib, nargs="+", required=True,
                       help="guest memory: 2G 16G")
    else:
        p.add_argument("--mem", type=size_mib, default="2G", help="guest memory (2G)")
    p.add_argument("--cpus", type=int, default=2)
    if formats:
        p.add_argument("--format", action="append", choices=("kdump", "elf"))
        p.add_argument("--crashkernel", default="", help="(what the kernel needs)")
        p.add_argument("--target", default=loop.Options.target,
                       help="the device as crashpod.conf names it")
        p.add_argument("--loader", default="syscall", choices=("syscall", "kexec-tools"),
                       help="kexec-tools: as on a kernel without kexec_file_load(2)")
        p.add_argument("--capture-cpus", type=int, default=0, metavar="N",
                       help="crashpod load --cpus N (not given)")
        p.add_argument("--conf", action="append", default=[], metavar="LINE",
                       help="more of crashpod.conf; may be given again")
        p.add_argument("--panic-cpu", type=int, metavar="CPU",
                       help="the one that sysrq-c runs on (any)")


def _compare_arguments(p, names=()):
    p.add_argument("--only", nargs="+", choices=compare.COLLECTORS, default=names,
                   metavar="COLLECTOR", help=", ".join(compare.COLLECTORS))
    p.add_argument("--runs", type=int, default=1, help="of each collector, taking turns (1)")
    p.add_argument("--guest-cpu", default="max",
                   help="QEMU's -cpu (max); makedumpfile -e is right with max,la57=off only")


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    sub = parser.add_subparsers(dest="what", required=True)
    for name, func in (("ground", cmd_ground), ("samples", cmd_samples)):
        p = sub.add_parser(name, help=func.__doc__)
        p.add_argument("kernels", nargs="*", metavar="KERNEL",
                       help=f"{', '.join(kernels.TABLE)} (default {kernels.DEFAULT})")
        p.set_defaults(func=func)
    for name, func in (("loop", cmd_loop), ("demo", cmd_demo)):
        p = sub.add_parser(name, help=func.__doc__)
        _run_arguments(p)
        p.set_defaults(func=func)
    p = sub.add_parser("compare", help=cmd_compare.__doc__)
    _run_arguments(p, formats=False)
    _compare_arguments(p)
    p.add_argument("--judge", choices=("memory", "dumps"),
                   help="by a copy of the guest's memory (default up to 4G), or the dumps by each "
                        "other: an idle guest of any size")
    p.set_defaults(func=cmd_compare)
    p = sub.add_parser("scale", help=cmd_scale.__doc__)
    _run_arguments(p, formats=False, sizes=True)
    _compare_arguments(p, scale.NAMES)
    p.add_argument("--out", type=Path, default=paths.GROUND / "scale.tsv",
                   help="figures of other sizes and collectors that are there stay (%(default)s)")
    p.set_defaults(func=cmd_scale)
    p = sub.add_parser("bench", help=cmd_bench.__doc__)
    p.add_argument("--kernel", default=kernels.DEFAULT, choices=kernels.TABLE)
    p.add_argument("--mem", type=size_mib, default="4G", help="of the guest that is made (4G)")
    p.add_argument("--vmcore", help="this vmcore instead of a guest's")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--only", nargs="+", metavar="COMMAND", help="by the names in the table")
    p.set_defaults(func=cmd_bench)
    p = sub.add_parser("matrix", help=cmd_matrix.__doc__)
    p.add_argument("--kernel", default=kernels.DEFAULT, choices=kernels.TABLE)
    p.add_argument("--profile", default="full", help="of the guest (full, plain)")
    p.add_argument("--levels", nargs="+", type=int, default=matrix.LEVELS, choices=range(32),
                   metavar="0..31")
    p.add_argument("--formats", nargs="+", default=matrix.FORMATS, choices=matrix.FORMATS)
    p.add_argument("--vmcore", help="this vmcore instead of a guest's")
    p.add_argument("--tools", default="all", choices=("all", "none"), help="crash and drgn")
    p.add_argument("--fresh", action="store_true", help="crash the guest again")
    p.set_defaults(func=cmd_matrix)
    p = sub.add_parser("sources", help=cmd_sources.__doc__)
    p.add_argument("--kernel", default=kernels.DEFAULT, choices=kernels.TABLE)
    p.set_defaults(func=cmd_sources)
    p = sub.add_parser("value", help=cmd_value.__doc__)
    p.add_argument("--kernel", default=kernels.DEFAULT, choices=kernels.TABLE)
    p.add_argument("--levels", nargs="+", type=int, default=value.LEVELS, choices=value.LEVELS)
    p.set_defaults(func=cmd_value)
    p = sub.add_parser("crashtest", help=cmd_crashtest.__doc__)
    p.add_argument("--kernel", default=crashtest.KERNEL, choices=kernels.TABLE)
    p.add_argument("--target", action="append", choices=crashtest.TARGETS,
                   help="may be given again (all of them)")
    p.set_defaults(func=cmd_crashtest)
    p = sub.add_parser("hostile", help=cmd_hostile.__doc__)
    p.add_argument("--kernel", default=kernels.DEFAULT, choices=kernels.TABLE)
    p.add_argument("--only", nargs="+", choices=hostile.CASES)
    p.set_defaults(func=cmd_hostile)
    p = sub.add_parser("faults", help=cmd_faults.__doc__)
    p.add_argument("--kernel", default=kernels.DEFAULT, choices=kernels.TABLE)
    p.add_argument("--only", nargs="+", choices=faults.CASES, metavar="CASE",
                   help=", ".join(faults.CASES))
    p.add_argument("--quick", action="store_true", help="the cases that `make check` runs")
    p.set_defaults(func=cmd_faults)
    p = sub.add_parser("layers", help=cmd_layers.__doc__)
    p.add_argument("--kernel", choices=kernels.TABLE, help="instead of the cases' own")
    p.add_argument("--only", nargs="+", choices=layers_cases.CASES, metavar="CASE",
                   help=", ".join(layers_cases.CASES))
    p.add_argument("--quick", action="store_true", help="the cases that `make check` runs")
    p.set_defaults(func=cmd_layers)
    p = sub.add_parser("disks", help=cmd_disks.__doc__)
    p.add_argument("--kernel", default=disks.KERNEL, choices=kernels.TABLE)
    p.add_argument("--only", nargs="+", choices=diskcases.BY_NAME, metavar="CASE",
                   help=", ".join(diskcases.BY_NAME))
    p.add_argument("--quick", action="store_true", help="the cases that `make check` runs")
    p.set_defaults(func=cmd_disks)
    p = sub.add_parser("floor", help=cmd_floor.__doc__)
    p.add_argument("--kernel", default=kernels.DEFAULT, choices=kernels.TABLE)
    p.add_argument("--capture", type=Path, help="where `make kernel` left a capture kernel")
    p.add_argument("--mem", type=size_mib, default="4G", help="of the guest (4G)")
    p.add_argument("--low", type=int, default=8, help="MiB that are not enough (8)")
    p.add_argument("--high", type=int, default=128, help="MiB that are (128)")
    p.add_argument("--step", type=int, default=2, help="MiB (2)")
    p.add_argument("--append", default="", help="more for the capture kernel's command line")
    p.add_argument("--capture-cpus", type=int, default=0, metavar="N",
                   help="crashpod load --cpus N (not given)")
    p.set_defaults(func=cmd_floor)
    p = sub.add_parser("footprint", help=cmd_footprint.__doc__)
    p.add_argument("--kernel", default=kernels.DEFAULT, choices=kernels.TABLE)
    p.add_argument("--capture", type=Path, help="where `make kernel` left a capture kernel")
    p.add_argument("--mem", type=size_mib, default="4G", help="of the guest (4G)")
    p.add_argument("--crashkernel", type=int, default=80, help="MiB (80)")
    p.add_argument("--append", default="", help="more for the capture kernel's command line")
    p.set_defaults(func=cmd_footprint)
    p = sub.add_parser("estimate", help=cmd_estimate.__doc__)
    p.add_argument("--kernel", default=kernels.DEFAULT, choices=kernels.TABLE)
    p.add_argument("--capture", type=Path, help="where `make kernel` left a capture kernel")
    p.add_argument("--mem", type=size_mib, default="4G", help="of the guest (4G)")
    p.add_argument("--levels", nargs="+", type=int, default=[31],
                   choices=(0, 1, 2, 4, 8, 16, 31))
    p.add_argument("--capture-cpus", type=int, default=1, metavar="N",
                   help="crashpod load --cpus N (1)")
    p.add_argument("--floor", type=int, default=0, metavar="MIB",
                   help="as `run.py floor` found it: at most 15%% below the estimate")
    p.set_defaults(func=cmd_estimate)
    p = sub.add_parser("systems", help=cmd_systems.__doc__)
    p.add_argument("--suite", action="append", choices=systems.systems.SUITES,
                   help="may be given again (all of them)")
    p.add_argument("--way", choices=SYSTEM_WAYS, default="setup",
                   help="how the machine is set up, or what happens to it then (%(default)s)")
    p.add_argument("--deb", action="append", type=Path, help="the package (BUILD/deb/crashpod_*)")
    p.set_defaults(func=cmd_systems)
    p = sub.add_parser("rpmsystem", help=cmd_rpmsystem.__doc__)
    p.add_argument("--rpm", type=Path, help="the package (BUILD/rpm/crashpod-*.rpm)")
    p.set_defaults(func=cmd_rpmsystem)
    p = sub.add_parser("selfbuilt", help=cmd_selfbuilt.__doc__)
    p.set_defaults(func=cmd_selfbuilt)
    p = sub.add_parser("vmlinux", help=cmd_vmlinux.__doc__)
    p.add_argument("--kernel", action="append", choices=kernels.TABLE,
                   help=f"may be given again ({kernels.DEFAULT})")
    p.set_defaults(func=cmd_vmlinux)
    p = sub.add_parser("synth", help=cmd_synth.__doc__)
    p.add_argument("--sizes", nargs="+", type=machine_size, metavar="SIZE",
                   default=[machine_size(n) for n in ("64G", "1T", "4T", "24T")],
                   help="of RAM (64G 1T 4T 24T)")
    p.set_defaults(func=cmd_synth)
    return parser.parse_args()


def main():
    args = parse()
    try:
        return args.func(args)
    except (paths.GroundError, vm.Lost) as e:
        print(f"lost: {e}", flush=True)
        return 2


if __name__ == "__main__":
    sys.exit(main())
