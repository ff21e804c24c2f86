#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The QEMU tests: crash real Debian kernels, judge what crashpod saved.

Exit: 0 passed; 1 failed; 2 lost (the test ground or the guest, not crashpod, gave out) or wrong
usage.
"""

import sys

from commands import loops, machines, measures, table  # noqa: F401: they fill the table
from ground import paths
from harness import vm


def main():
    args = table.parse(__doc__)
    try:
        return args.func(args)
    except (paths.GroundError, vm.Lost) as e:
        print(f"lost: {e}", flush=True)
        return 2


if __name__ == "__main__":
    sys.exit(main())
