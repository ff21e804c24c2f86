# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that measure: time beside makedumpfile's, and memory."""

from pathlib import Path

from ground import kernels, paths
from harness import (bench, benchguest, compare, estimate, faultrun, floor, footprint, loop, scale,
                     synth)

from . import table

CAPTURE = table.option("--capture", type=Path, help="where `make kernel` left a capture kernel")
APPEND = table.option("--append", default="", help="more for the capture kernel's command line")
GUEST_CPU = table.option("--guest-cpu", default="max", help="QEMU's -cpu (max); makedumpfile -e is "
                         "right with max,la57=off only")


def _runs(default, more=""):
    return table.option("--runs", type=int, default=default, help=f"of each{more} (%(default)s)")


def _collectors(default):
    return table.option("--only", nargs="+", choices=compare.COLLECTORS, default=default,
                        metavar="COLLECTOR", help=", ".join(compare.COLLECTORS))


@table.command(
    "compare", table.kernel(), table.LEVEL, table.memory("2G"), table.CPUS, _collectors(()),
    _runs(1, " collector, taking turns"), GUEST_CPU,
    table.option("--judge", choices=("memory", "dumps"),
                 help="by a copy of the guest's memory (default up to 4G), or the dumps by each "
                      "other: an idle guest of any size"))
def run_compare(args):
    """makedumpfile and crashpod on one vmcore in one capture kernel"""
    setup = compare.Setup(args.kernel, args.level, args.mem, args.cpus, args.only, args.runs,
                          args.judge, args.guest_cpu)
    rows = compare.run(setup)
    print(f"{args.kernel}, {args.mem} MiB, -d {args.level}, medians of {args.runs} runs in the "
          "capture kernel under TCG")
    print("\n".join(compare.table(rows)))
    # What is wrong with the others is shown, and is not ours.
    return 1 if any(row.why for row in rows if row.name.startswith("crashpod")) else 0


@table.command(
    "scale", table.kernel(), table.LEVEL, table.CPUS,
    table.option("--mem", type=table.size_mib, nargs="+", required=True,
                 help="guest memory: 2G 16G"),
    _collectors(scale.NAMES), _runs(1, " collector, taking turns"), GUEST_CPU,
    table.option("--out", type=Path, default=paths.GROUND / "scale.tsv",
                 help="figures of other sizes and collectors that are there stay (%(default)s)"))
def run_scale(args):
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


@table.command(
    "bench", table.kernel(), table.memory("4G"),
    table.option("--vmcore", help="this vmcore instead of a guest's"), _runs(5, " command"),
    table.option("--only", nargs="+", metavar="COMMAND", help="by the names in the table"))
def run_bench(args):
    """makedumpfile and crashpod on one vmcore in the page cache: a table of ratios"""
    vmcore = args.vmcore or benchguest.vmcore(args.kernel, args.mem)
    print(f"{vmcore}, medians of {args.runs} runs")
    print("\n".join(bench.table(bench.run(vmcore, args.runs, args.only))))
    return 0


@table.command("synth",
               table.option("--sizes", nargs="+", type=table.machine_size, metavar="SIZE",
                            default=[table.machine_size(n) for n in ("64G", "1T", "4T", "24T")],
                            help="of RAM (64G 1T 4T 24T)"))
def run_synth(args):
    """dumps of made-up machines of up to 64 TiB: memory and time for each TiB do not grow"""
    print(synth.HEAD)
    results = synth.run(args.sizes, lambda result: print(synth.line(result), flush=True))
    tests = [(synth.size(r.ram) + ("" if r.vmemmap else " -e"), "; ".join(r.problems) or None)
             for r in results]
    return 0 if loop.tell("synth", tests) else 1


@table.command("floor", table.kernel(), CAPTURE, table.memory("4G"),
               table.option("--low", type=int, default=8, help="MiB that are not enough (8)"),
               table.option("--high", type=int, default=128, help="MiB that are (128)"),
               table.option("--step", type=int, default=2, help="MiB (2)"), APPEND,
               table.capture_cpus(0))
def run_floor(args):
    """the smallest crashkernel= with which a crash is captured, three times of three"""
    capture = floor.capture_of(args.capture) if args.capture else None
    setup = floor.Setup(args.kernel, capture, args.mem, args.low, args.high, args.step, args.append,
                        cpus=args.capture_cpus)
    found = floor.find(setup)
    what = args.capture.name if capture else "itself"
    print(f"{'fail' if found is None else 'pass'} floor/{args.kernel}: captured by {what} with "
          f"crashkernel={found}M", flush=True)
    return 1 if found is None else 0


@table.command("footprint", table.kernel(), CAPTURE, table.memory("4G"),
               table.option("--crashkernel", type=int, default=80, help="MiB (80)"), APPEND)
def run_footprint(args):
    """where each MiB of a capture kernel goes"""
    capture = floor.capture_of(args.capture) if args.capture else None
    setup = floor.Setup(args.kernel, capture, args.mem, append=args.append)
    found = footprint.run(setup, args.crashkernel)
    print("\n".join(faultrun.lines(found, args.kernel)))
    for what, kib in footprint.table(found):
        print(f"{kib:8d} KiB  {what}")
    return 0 if loop.passed(found.tests) else 1


@table.command("estimate", table.kernel(), CAPTURE, table.memory("4G"),
               table.option("--levels", nargs="+", type=int, default=[31],
                            choices=(0, 1, 2, 4, 8, 16, 31)), table.capture_cpus(1),
               table.option("--floor", type=int, default=0, metavar="MIB",
                            help="as `run.py floor` found it: at most 15%% below the estimate"))
def run_estimate(args):
    """`crashpod estimate` in a guest that then crashes with the crashkernel= it names"""
    capture = floor.capture_of(args.capture) if args.capture else None
    setup = estimate.Setup(args.kernel, capture, args.mem, tuple(args.levels), args.capture_cpus,
                           args.floor)
    rows = estimate.run(setup)
    failed = False
    for row in rows:
        failed |= not loop.tell(f"estimate-{args.kernel}/{row.level}-{row.crashkernel_mib}M",
                                row.tests)
    print(estimate.HEAD)
    print("\n".join(estimate.line(setup, row) for row in rows), flush=True)
    return 1 if failed else 0
