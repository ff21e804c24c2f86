# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures of compare at several sizes of an idle guest, as lines and as a TSV file."""

NAMES = ("makedumpfile-z", "crashpod-z")
COLUMNS = ("mem_gib", "collector", "seconds", "seconds_per_gib", "cpu_s", "peak_mib", "size_mb")
HEAD = (f"{'GiB':>6} {'collector':16}{'seconds':>9}{'s per GiB':>11}{'cpu s':>9}{'peak MiB':>10}"
        f"{'size MB':>10}  judged")


def _figures(mem_mib, row):
    """The columns of a collector."""
    gib = mem_mib / 1024
    return (f"{gib:g}", row.name, f"{row.seconds:.2f}", f"{row.seconds / gib:.4f}",
            f"{row.cpu_s:.2f}", f"{row.peak_kib / 1024:.2f}", f"{row.size / 1e6:.2f}")


def lines(mem_mib, rows):
    """Lines to print of one size."""
    found = []
    for row in rows:
        gib, name, seconds, per_gib, cpu, peak, size = _figures(mem_mib, row)
        found.append(f"{gib:>6} {name:16}{seconds:>9}{per_gib:>11}{cpu:>9}{peak:>10}{size:>10}"
                     f"  {'; '.join(row.why) or row.good}")
    return found


def _load(path):
    """{(mem_gib, collector): columns} of a file, which need not be there."""
    if not path.exists():
        return {}
    table = [line.split("\t") for line in path.read_text(encoding="ascii").splitlines()[1:]]
    return {tuple(columns[:2]): columns for columns in table}


def save(path, mem_mib, rows):
    """Put one size's figures into a file, in the place of older ones."""
    table = _load(path)
    for row in rows:
        columns = _figures(mem_mib, row)
        table[columns[:2]] = columns
    ordered = sorted(table.values(), key=lambda columns: (columns[1], float(columns[0])))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join("\t".join(columns) + "\n" for columns in (COLUMNS, *ordered)),
                    encoding="ascii")
