# SPDX-License-Identifier: GPL-2.0-or-later
"""Fills anonymous memory of a guest with what programs have there, says so, and stays."""

import os
import random
import sys
import time

random.seed(4)
mib = int(sys.argv[1])
kept = []


def resident_mib():
    with open("/proc/self/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * 4096 >> 20


words = [f"{random.choice('abcdefgh')}{n:x}-{'value' * (n % 4)}" for n in range(4000)]
while resident_mib() < mib:
    kept.append({f"key-{len(kept)}-{i}": random.choice(words) for i in range(2000)})
    kept.append([i * 7 for i in range(20000)])
    kept.append([(random.random(), i) for i in range(4000)])
    kept.append(" ".join(random.choice(words) for _ in range(20000)))
    kept.append(os.urandom(1 << 18))
    kept.append(bytearray(1 << 18))
print("filled", resident_mib(), flush=True)
time.sleep(3600)
