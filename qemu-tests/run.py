#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Entry points of the QEMU tests: ground, samples, loop, compare, demo."""

import argparse
import sys

from ground import forky, kernels, paths
from harness import samples, vm


def cmd_ground(args):
    """Make the forky root and the named kernels."""
    forky.ensure()
    for name in args.kernels or [kernels.DEFAULT]:
        kernel = kernels.ensure(name)
        print(f"{name} {kernel.kver} {kernel.vmlinuz} {kernel.vmlinux}")
    return 0


def cmd_samples(args):
    """Make vmcores and makedumpfile's dumps of them under build/ground/samples."""
    for name in args.kernels or [kernels.DEFAULT]:
        for path, what in samples.make(name):
            print(f"{path}   {what}", flush=True)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    sub = parser.add_subparsers(dest="what", required=True)
    p = sub.add_parser("ground", help=cmd_ground.__doc__)
    p.add_argument("kernels", nargs="*", metavar="KERNEL", help=", ".join(kernels.TABLE))
    p.set_defaults(func=cmd_ground)
    p = sub.add_parser("samples", help=cmd_samples.__doc__)
    p.add_argument("kernels", nargs="*", metavar="KERNEL")
    p.set_defaults(func=cmd_samples)
    args = parser.parse_args()
    try:
        return args.func(args)
    except (paths.GroundError, vm.Lost) as e:
        paths.say(f"lost: {e}")
        return 2


if __name__ == "__main__":
    sys.exit(main())
