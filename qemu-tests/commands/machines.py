# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of tables of crashes (what goes wrong, disks, layers), and of whole machines."""

from pathlib import Path

from ground import kernels, paths
from harness import (diskcases, disks, faultrun, faults, layers, layers_cases, loop, rpmsystem,
                     selfbuilt, systems, systems_kdump, systems_next, systems_rc, systems_sdboot, vm)

from . import table


def _cases(cases, args, title, one):
    """Run the cases that were asked for, each on its own: one(case) prints and gives whether it passed."""
    bad = 0
    for case in [cases[name] for name in args.only or cases]:
        if args.quick and not case.quick:
            continue
        try:
            bad += not one(case)
        except (paths.GroundError, vm.Lost) as e:
            print(f"fail {title}/{case.name}/lost: {e}", flush=True)
            bad += 1
    return 1 if bad else 0


@table.command("faults", table.kernel(), table.only(faults.CASES), table.QUICK)
def run_faults(args):
    """real crashes for which something is wrong; a run for each row of docs/faults.md"""
    def one(case):
        found = faultrun.run(case, args.kernel)
        print("\n".join(faultrun.lines(found, args.kernel)), flush=True)
        return loop.passed(found.tests)
    return _cases(faults.CASES, args, f"fault-{args.kernel}", one)


@table.command("layers", table.kernel(None, help="instead of the cases' own"),
               table.only(layers_cases.CASES), table.QUICK)
def run_layers(args):
    """targets on LVM, MD and multipath, made and opened again by the real tools"""
    def one(case):
        found = layers.run(case, args.kernel)
        print("\n".join(layers.lines(found)), flush=True)
        return loop.passed(found.tests)
    return _cases(layers_cases.CASES, args, "layers", one)


@table.command("disks", table.kernel(disks.KERNEL), table.only(diskcases.BY_NAME), table.QUICK)
def run_disks(args):
    """crashes whose dump goes to each controller, file system and partition table"""
    rows = [disks.HEAD]

    def one(case):
        found = disks.run(case, args.kernel)
        passed = loop.tell(f"disks-{args.kernel}/{case.name}", found.tests)
        rows.append(disks.row(found))
        print(rows[-1], flush=True)
        return passed
    status = _cases(diskcases.BY_NAME, args, f"disks-{args.kernel}", one)
    print("\n".join(rows))
    return status


def _journey(title, found):
    """Print a machine's tests and times; whether they have passed."""
    passed = loop.tell(title, found.tests)
    print("\n".join(f"  {seconds:7.1f} s  {step}" for step, seconds in found.seconds.items()))
    print(f"  transcript: {found.where}/transcript.txt", flush=True)
    return passed


# what is done on a whole machine: run(suite, way, debs) gives a systems.Journey
WAYS = {
    "hand": systems.run,
    "setup": systems.run,
    "upgrade": systems_next.run,
    "kdump": systems_kdump.run,
    "rc": systems_rc.run,
    "systemd-boot": systems_sdboot.run,
    "unified": systems_sdboot.run,
}


@table.command(
    "systems",
    table.option("--suite", action="append", choices=systems.systems.SUITES,
                 help="may be given again (all of them)"),
    table.option("--way", choices=WAYS, default="setup",
                 help="how the machine is set up, or what happens to it then (%(default)s)"),
    table.option("--deb", action="append", type=Path, help="the package (BUILD/deb/crashpod_*)"))
def run_systems(args):
    """whole Debian machines: the package installed, set up, crashed, another kernel armed"""
    debs = args.deb or sorted((paths.BUILD / "deb").glob("crashpod_*.deb"))
    if not debs:
        raise paths.GroundError(f"no package in {paths.BUILD / 'deb'}: make deb")
    failed = False
    for suite in args.suite or systems.systems.SUITES:
        failed |= not _journey(f"system-{suite}-{args.way}", WAYS[args.way](suite, args.way, debs))
    return 1 if failed else 0


@table.command("rpmsystem", table.option("--rpm", type=Path,
                                         help="the package (BUILD/rpm/crashpod-*.rpm)"))
def run_rpmsystem(args):
    """a whole machine with rpm, laid out as openEuler is: from the package to a backtrace"""
    rpms = [args.rpm] if args.rpm else sorted((paths.BUILD / "rpm").glob("crashpod-*.rpm"))
    if len(rpms) != 1:
        raise paths.GroundError(f"{len(rpms)} packages in {paths.BUILD / 'rpm'}: make rpm")
    return 0 if _journey("system-rpm-layout", rpmsystem.run(rpms[0])) else 1


@table.command("selfbuilt")
def run_selfbuilt(_args):
    """a kernel compiled from linux-source, crashed; its vmlinux is found in the build tree"""
    report = selfbuilt.run()
    print("\n".join(loop.tap(report)))
    print(loop.line(report), flush=True)
    return 0 if report.passed else 1
