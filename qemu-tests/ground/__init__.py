# SPDX-License-Identifier: GPL-2.0-or-later
"""The test ground: tools and kernels fetched as Debian packages, cached under build/ground."""
