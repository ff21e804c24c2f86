#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Draw the figures of `qemu-tests/run.py scale`, a TSV file, as an SVG: the seconds of a dump and
the peak of its memory over the size of the guest, both axes logarithmic.

usage: plot-scale.py FIGURES.tsv OUT.svg
"""

import csv
import math
import sys
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, MARGIN, GAP = 440, 320, 60, 40
TOP, BOTTOM = 60, 50
FONT = "font-family='sans-serif' font-size='12'"
# Of makedumpfile's collectors and crashpod's, in the order of the file.
COLOURS = {"makedumpfile": ("#9a3412", "#ea580c", "#fdba74"),
           "crashpod": ("#1e3a8a", "#2563eb", "#93c5fd")}
OTHER = ("#444444",)
PANELS = (("seconds", "seconds"), ("peak_mib", "peak memory, MiB"))


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis from low to high, drawn from one coordinate to another."""
    low: float
    high: float
    start: float
    end: float

    def at(self, value):
        part = (math.log10(value) - math.log10(self.low)) / (
            math.log10(self.high) - math.log10(self.low))
        return self.start + part * (self.end - self.start)


def read(path):
    """{collector: [row]} in the order of the file."""
    with open(path, encoding="ascii", newline="") as f:
        found = {}
        for row in csv.DictReader(f, delimiter="\t"):
            found.setdefault(row["collector"], []).append(row)
    return found


def colours(names):
    """{collector: colour}."""
    found, used = {}, {}
    for name in names:
        maker = name.split("-")[0]
        choice = COLOURS.get(maker, OTHER)
        found[name] = choice[used.get(maker, 0) % len(choice)]
        used[maker] = used.get(maker, 0) + 1
    return found


def ticks(low, high):
    """1, 2 and 5 times the powers of ten between low and high, the powers alone where many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if math.log10(high / low) < 2.5 else (1,)
    values = [step * 10.0 ** power for power in powers for step in steps]
    return [v for v in values if low * 0.999 <= v <= high * 1.001]


def text(x, y, what, anchor="middle", extra=""):
    return (f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' {FONT} {extra}>"
            f"{escape(what)}</text>")


def line(x1, y1, x2, y2, colour):
    return f"<path d='M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}' stroke='{colour}'/>"


def frame(x, y, sizes, label):
    """The grid of a panel, its numbers and its name."""
    drawn = [text(x.start, y.end - 14, label, "start", "font-weight='bold'"),
             text((x.start + x.end) / 2, y.start + 38, "memory of the guest, GiB")]
    for value in ticks(y.low, y.high):
        drawn += [line(x.start, y.at(value), x.end, y.at(value), "#dddddd"),
                  text(x.start - 8, y.at(value) + 4, f"{value:g}", "end")]
    for value in sizes:
        drawn += [line(x.at(value), y.start, x.at(value), y.end, "#dddddd"),
                  text(x.at(value), y.start + 18, f"{value:g}")]
    return drawn


def curve(points, colour):
    """A collector's line and its dots."""
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5' fill='{colour}'/>" for x, y in points]
    return [f"<path d='M{path}' fill='none' stroke='{colour}' stroke-width='2'/>", *dots]


def panel(table, column, label, left):
    """One chart, with its left side at a coordinate."""
    sizes = sorted({float(row["mem_gib"]) for rows in table.values() for row in rows})
    values = [float(row[column]) for rows in table.values() for row in rows]
    low = min(values) / 1.5
    high = max(max(values) * 1.5, low * 10)
    x = Axis(sizes[0] / 1.2, sizes[-1] * 1.2, left, left + WIDTH)
    y = Axis(low, high, TOP + HEIGHT, TOP)
    drawn = frame(x, y, sizes, label)
    for name, colour in colours(table).items():
        rows = sorted(table[name], key=lambda row: float(row["mem_gib"]))
        drawn += curve([(x.at(float(r["mem_gib"])), y.at(float(r[column]))) for r in rows], colour)
    return drawn


def legend(names):
    drawn, x = [], MARGIN
    for name, colour in colours(names).items():
        drawn += [f"<circle cx='{x:.1f}' cy='18' r='5' fill='{colour}'/>",
                  text(x + 10, 22, name, "start")]
        x += 26 + 7.2 * len(name)
    return drawn


def svg(table):
    """The whole picture."""
    width = 2 * (MARGIN + WIDTH) + GAP
    drawn = legend(table)
    for i, (column, label) in enumerate(PANELS):
        drawn += panel(table, column, label, MARGIN + i * (MARGIN + WIDTH))
    return "\n".join([f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} "
                      f"{TOP + HEIGHT + BOTTOM}'>",
                      "<rect width='100%' height='100%' fill='#ffffff'/>", *drawn, "</svg>", ""])


def main():
    if len(sys.argv) != 3:
        print(__doc__.strip().splitlines()[-1], file=sys.stderr)
        return 2
    table = read(sys.argv[1])
    if not table:
        print(f"plot-scale: {sys.argv[1]}: no figures", file=sys.stderr)
        return 1
    with open(sys.argv[2], "w", encoding="ascii") as f:
        f.write(svg(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
