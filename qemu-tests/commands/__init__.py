# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands of run.py, in one table."""
