# SPDX-License-Identifier: GPL-2.0-or-later
"""Crashing a guest and collecting what it left: images, QEMU, stages, the loop."""
