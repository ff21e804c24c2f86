# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU guest: its memory is a file, its console a log with times, its life limited."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

from ground import forky, paths

from .qmp import Qmp

# A realtime kernel's own lines may begin right behind a mark.
MARK = re.compile(r"test-mark: ([a-z0-9-]+)")


class Lost(Exception):
    """The guest died, hung or looped: the run says nothing about the dump."""


class Memory:
    """Where QEMU's q35 machine puts guest memory: physical address to offset in the file."""

    LOW_MAX = 0xb0000000
    LOW_SPLIT = 0x80000000
    HIGH = 1 << 32

    def __init__(self, size):
        self.size = size
        self.low = self.LOW_SPLIT if size >= self.LOW_MAX else size

    def offset(self, pa):
        """Offset of a physical address, or None where there is no memory."""
        if pa < self.low:
            return pa
        if self.HIGH <= pa < self.HIGH + self.size - self.low:
            return pa - self.HIGH + self.low
        return None


class Console:
    """Lines of the serial log as they come, each with the seconds since the start."""

    def __init__(self, path, start):
        self.file = open(path, "rb")  # pylint: disable=consider-using-with
        self.start = start
        self.partial = b""
        self.lines = []
        self.marks = []
        self.boot_times = []

    def poll(self):
        """Take in what is new."""
        data = self.partial + self.file.read()
        *whole, self.partial = data.split(b"\n")
        now = time.monotonic() - self.start
        for raw in whole:
            line = raw.decode(errors="replace").rstrip("\r")
            self.lines.append((now, line))
            if "] Linux version " in line:
                self.boot_times.append(now)
            match = MARK.search(line)
            if match:
                self.marks.append((match[1], now))

    @property
    def boots(self):
        """How many kernels have started."""
        return len(self.boot_times)

    def times(self):
        """Seconds from the start to each mark's first line, each kernel's, and now."""
        found = {}
        for name, at in self.marks:
            found.setdefault(name, round(at, 2))
        for index, at in enumerate(self.boot_times):
            found[f"kernel-{index + 1}"] = round(at, 2)
        found["end"] = round(time.monotonic() - self.start, 2)
        return found


class Vm:
    """One run of QEMU. Use as a context manager: the process is gone at its end.

    nodes_mib: sizes of NUMA nodes, which make up the memory; then it is no file, and there are no
    snapshots. spare_mib: room for memory to be added to the running guest. reserve: False for
    memory that may be more than the host has, as long as the guest touches little of it; no file
    either.
    """

    # boots, crashes into its capture kernel and boots again: more than that is a loop
    max_boots = 4

    def __init__(self, where, memory_bytes, cpus=2, cpu="max", nodes_mib=(), spare_mib=0,
                 reserve=True):
        self.where = Path(where)
        self.memory = Memory(memory_bytes)
        self.cpus = cpus
        self.cpu = cpu
        self.nodes_mib = nodes_mib
        self.spare_mib = spare_mib
        self.reserve = reserve
        self.process = None
        self.qmp = None
        self.console = None
        self.ram = self.where / "ram"

    def _memory_argv(self):
        size = f"{self.memory.size >> 20}M"
        if self.spare_mib:
            size += f",slots=2,maxmem={(self.memory.size >> 20) + self.spare_mib}M"
        if not self.reserve:
            return ["-M", "q35,memory-backend=ram", "-m", size,
                    "-object", f"memory-backend-ram,id=ram,reserve=off,size={self.memory.size}"]
        if not self.nodes_mib:
            return ["-M", "q35,memory-backend=ram", "-m", size,
                    "-object", f"memory-backend-file,id=ram,share=on,mem-path={self.ram},"
                               f"size={self.memory.size}"]
        argv = ["-M", "q35", "-m", size]
        for node, mib in enumerate(self.nodes_mib):
            argv += ["-object", f"memory-backend-ram,id=node{node},size={mib}M",
                     "-numa", f"node,nodeid={node},memdev=node{node},cpus={node % self.cpus}"]
        return argv

    def start(self, vmlinuz, initrd, append, disks, extra=()):
        """Start the guest; disks are raw images, vda first."""
        sock = self.where / "qmp"
        sock.unlink(missing_ok=True)
        self.ram.unlink(missing_ok=True)
        log = self.where / "console.log"
        log.touch()
        argv = ["qemu-system-x86_64", "-nodefaults", "-display", "none", *self._memory_argv(),
                "-accel", "tcg", "-cpu", self.cpu, "-smp", self.cpus,
                "-kernel", vmlinuz, "-initrd", initrd, "-append", append,
                "-chardev", f"file,id=console,path={log}", "-serial", "chardev:console",
                "-qmp", f"unix:{sock},server=on,wait=off", "-device", "vmcoreinfo"]
        for disk in disks:
            argv += ["-drive", f"file={disk},format=raw,if=virtio,cache=unsafe"]
        with open(self.where / "qemu.log", "wb") as out:
            self.process = forky.popen([*argv, *extra], stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=out, start_new_session=True)
        self.console = Console(log, time.monotonic())
        try:
            self.qmp = Qmp(sock)
        except paths.GroundError as e:
            said = (self.where / "qemu.log").read_text(errors="replace").strip()
            raise Lost(f"{e}; QEMU: {said[-300:]}") from e

    def wait(self, until, limit_s, what):
        """Poll until until(console) is true; False if the guest powered off first."""
        end = time.monotonic() + limit_s
        while True:
            ended = self.process.poll() is not None
            self.console.poll()
            if until(self.console):
                return True
            if ended and self.process.returncode == 0:
                return False
            if ended:
                text = (self.where / "qemu.log").read_text(errors="replace")
                raise Lost(f"QEMU exit {self.process.returncode}: {text.strip()[-300:]}")
            if self.console.boots > self.max_boots:
                raise Lost(f"the guest boots over and over, waiting for {what}")
            if time.monotonic() > end:
                last = self.console.lines[-1][1] if self.console.lines else "nothing"
                raise Lost(f"{limit_s} s passed waiting for {what}; the last line was: {last}")
            time.sleep(0.05)

    def snapshot(self, to):
        """Copy the guest's memory, holes kept, while the guest stands still."""
        self.qmp.call("stop")
        paths.run(["cp", "--sparse=always", self.ram, to])
        self.qmp.call("cont")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.qmp is not None:
            self.qmp.close()
        self.ram.unlink(missing_ok=True)
