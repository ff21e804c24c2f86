# SPDX-License-Identifier: GPL-2.0-or-later
"""The fault matrix (docs/faults.md): every case of the faults_*.py modules by its name."""

from . import (faults_boot, faults_conf, faults_end, faults_io, faults_memory, faults_own,
               faults_power, faults_quota, faults_raw, faults_space, faults_target,
               faults_vmcore, faults_watchdog)

MODULES = (faults_target, faults_space, faults_quota, faults_io, faults_power, faults_raw,
           faults_memory, faults_vmcore, faults_watchdog, faults_conf, faults_end, faults_boot,
           faults_own)
CASES = {case.name: case for module in MODULES for case in module.CASES}
