# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole machine in QEMU that boots from its own disk, and a transcript of what is done on it."""

import subprocess
import time

from ground import forky

from .agent import Agent
from .qmp import Qmp
from .vm import Console, Vm

BOOT_LIMIT_S = 1200
RUN_LIMIT_S = 2400
# what a whole machine has no need of, and takes QEMU's emulation long
CPU = "max,la57=off,avx=off,avx2=off"


class SysVm(Vm):
    """disks: raw images, the first one boots. firmware: QEMU's arguments for another one than its
    BIOS. Boots are counted by the console, as ever."""

    max_boots = 12

    def __init__(self, where, memory_bytes, disks, cpus=2, firmware=()):
        super().__init__(where, memory_bytes, cpus, CPU)
        self.disks = disks
        self.firmware = firmware
        self.agent = None
        self.steps = []

    def power_on(self, extra=()):
        """Start the machine as it is; extra: more of QEMU's arguments."""
        sock, port = self.where / "qmp", self.where / "agent"
        for old in (sock, port, self.ram):
            old.unlink(missing_ok=True)
        log = self.where / "console.log"
        log.write_bytes(b"")
        argv = ["qemu-system-x86_64", "-nodefaults", "-display", "none",
                "-M", "q35", "-m", f"{self.memory.size >> 20}M",
                "-accel", "tcg,thread=multi", "-cpu", self.cpu, "-smp", str(self.cpus),
                "-chardev", f"file,id=console,path={log}", "-serial", "chardev:console",
                "-chardev", f"socket,id=agent,path={port},server=on,wait=off",
                "-device", "virtio-serial",
                "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
                "-qmp", f"unix:{sock},server=on,wait=off"]
        for disk in self.disks:
            argv += ["-drive", f"file={disk},format=raw,if=virtio,cache=unsafe"]
        with open(self.where / "qemu.log", "wb") as out:
            self.process = forky.popen([*argv, *self.firmware, *extra],
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       start_new_session=True)
        self.console = Console(log, time.monotonic())
        self.qmp = Qmp(sock)
        self.agent = Agent(port)

    def wait_up(self, after_boot):
        """Wait for the agent of boot number after_boot or a later one; seconds it took."""
        begun = time.monotonic()
        self.wait(lambda c: c.boots >= after_boot and self.agent.up(), BOOT_LIMIT_S,
                  f"the agent of boot {after_boot}")
        return time.monotonic() - begun

    def do(self, script, limit_s=RUN_LIMIT_S):
        """Run a script and note it, what it printed and its seconds; (status, text)."""
        begun = time.monotonic()
        status, text = self.agent.run(script, limit_s)
        self.note(script, text, time.monotonic() - begun, status)
        return status, text

    def note(self, what, text, seconds, status=0):
        """A step for the transcript, which can be read while it grows."""
        self.steps.append((what, text, seconds, status))
        (self.where / "transcript.txt").write_text(self.transcript(), encoding="utf-8")

    def away(self, script, more_boots):
        """Start what ends this boot, and wait for the agent that comes that many boots later."""
        self.console.poll()
        before = self.console.boots
        self.agent.start(script)
        begun = time.monotonic()
        self.wait_up(before + more_boots)
        self.note(script, "", time.monotonic() - begun)

    def power_off(self):
        """Shut the machine down in order and wait for its end."""
        self.agent.start("poweroff")
        self.wait(lambda c: False, 180, "the end of the machine")
        self.agent.close()

    def transcript(self):
        """All steps as text."""
        out = []
        for what, text, seconds, status in self.steps:
            said = f"   # exit {status}" if status else ""
            out.append("".join(f"# {line}\n" for line in what.strip().splitlines()) +
                       text.rstrip("\n") + f"\n[{seconds:.1f} s]{said}\n")
        return "\n".join(out)

    def __exit__(self, *exc):
        if self.agent is not None:
            self.agent.close()
        super().__exit__(*exc)
