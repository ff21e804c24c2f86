# SPDX-License-Identifier: GPL-2.0-or-later
"""What every reader of a dump gives: pages by physical address, read apart from the dumper's code."""

PAGE = 4096


class DumpError(Exception):
    """The dump breaks its format's rules: says which and where."""


class Bits:
    """A bitmap of page frame numbers, lowest bit first in each byte."""

    def __init__(self, data):
        self.data = data

    def __contains__(self, pfn):
        byte = pfn >> 3
        return byte < len(self.data) and bool(self.data[byte] >> (pfn & 7) & 1)

    def count(self):
        return int.from_bytes(self.data, "little").bit_count()

    def __iter__(self):
        for byte, value in enumerate(self.data):
            if value:
                for bit in range(8):
                    if value >> bit & 1:
                        yield byte * 8 + bit
