# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of run.py's commands, which the modules beside it fill, and options that several have.

A command is a function of the parsed arguments that gives the exit status; its docstring is the help.
"""

import argparse

from ground import kernels
from harness import hugecore

COMMANDS = {}  # name: (function, its options)


def option(*names, **settings):
    """One option, as argparse's add_argument() takes it."""
    return names, settings


def command(name, *options):
    """The function is run.py NAME, with these options."""
    def enter(func):
        COMMANDS[name] = (func, options)
        return func
    return enter


def parse(description):
    """The arguments of the command line; func is the command's function."""
    parser = argparse.ArgumentParser(description=description)
    sub = parser.add_subparsers(dest="what", required=True)
    for name, (func, options) in COMMANDS.items():
        p = sub.add_parser(name, help=func.__doc__)
        for names, settings in options:
            p.add_argument(*names, **settings)
        p.set_defaults(func=func)
    return parser.parse_args()


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


# --- options of several commands ---


def kernel(default=kernels.DEFAULT, **settings):
    """--kernel, of the table of kernels."""
    return option("--kernel", default=default, choices=kernels.TABLE, **settings)


def memory(default):
    """--mem, of one guest."""
    return option("--mem", type=size_mib, default=default, help="of the guest (%(default)s)")


def only(choices):
    """--only, the cases that run."""
    return option("--only", nargs="+", choices=choices, metavar="CASE", help=", ".join(choices))


def capture_cpus(default):
    """--capture-cpus, as crashpod load takes it."""
    return option("--capture-cpus", type=int, default=default, metavar="N",
                  help="crashpod load --cpus N" + (f" ({default})" if default else " (not given)"))


QUICK = option("--quick", action="store_true", help="the cases that `make check` runs")
LEVEL = option("--level", type=int, default=31, choices=range(32), metavar="0..31")
CPUS = option("--cpus", type=int, default=2)
