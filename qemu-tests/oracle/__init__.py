# SPDX-License-Identifier: GPL-2.0-or-later
"""Judges of a dump: crash, drgn, and page readers written apart from the dumper."""
