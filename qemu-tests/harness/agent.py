# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands in a guest by its qemu-guest-agent, over a virtio port: no network, no console.

What is run gives its exit status and output. The agent is gone while the guest reboots.
"""

import base64
import json
import secrets
import socket
import time

from ground import paths

from .vm import Lost

POLL_S = 0.3


class Agent:
    """The agent behind QEMU's end of the port, a Unix socket that QEMU has made."""

    def __init__(self, path):
        self.path = str(path)
        self.sock = None
        self.left = b""

    def _open(self):
        self.close()
        self.sock = socket.socket(socket.AF_UNIX)
        try:
            self.sock.connect(self.path)
        except OSError as e:
            raise paths.GroundError(f"agent's socket: {e.strerror}") from e

    def close(self):
        """Let go of the socket."""
        if self.sock is not None:
            self.sock.close()
        self.sock, self.left = None, b""

    def _line(self, limit_s):
        """The next answer, or None where none comes in time."""
        end = time.monotonic() + limit_s
        while b"\n" not in self.left:
            self.sock.settimeout(max(end - time.monotonic(), 0.01))
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                return None
            except OSError:
                data = b""
            if not data:
                raise Lost("QEMU closed the agent's socket")
            self.left += data
        line, _, self.left = self.left.partition(b"\n")
        return line

    def _send(self, command, arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self.sock.sendall(json.dumps(request).encode() + b"\n")

    def _call(self, command, limit_s=60, **arguments):
        self.sock.settimeout(limit_s)
        self._send(command, arguments)
        line = self._line(limit_s)
        if line is None:
            raise Lost(f"the guest's agent does not answer {command}")
        answer = json.loads(line)
        if "error" in answer:
            raise Lost(f"agent: {command}: {answer['error']['desc']}")
        return answer["return"]

    def up(self):
        """True if an agent answers; what an earlier one left unread is passed over."""
        if self.sock is None:
            self._open()
        token = secrets.randbelow(1 << 31)
        try:
            # to the agent, this byte ends whatever was begun
            self.sock.settimeout(2)
            self.sock.sendall(b"\xff")
            self._send("guest-sync-delimited", {"id": token})
        except TimeoutError:
            # nobody has read for so long that there is no room
            self.close()
            return False
        end = time.monotonic() + 2
        while time.monotonic() < end:
            line = self._line(max(end - time.monotonic(), 0.01))
            if line is None:
                return False
            try:
                if json.loads(line.rpartition(b"\xff")[2]).get("return") == token:
                    return True
            except ValueError:
                pass
        return False

    def start(self, script):
        """Begin a shell script; gives its pid."""
        return self._call("guest-exec", path="/bin/sh", arg=["-c", script],
                          **{"capture-output": True})["pid"]

    def run(self, script, limit_s):
        """(exit status, what it printed) of a shell script; both its outputs are one."""
        pid = self.start(f"exec 2>&1\n{script}")
        end = time.monotonic() + limit_s
        while True:
            state = self._call("guest-exec-status", pid=pid)
            if state["exited"]:
                text = base64.b64decode(state.get("out-data", "")).decode(errors="replace")
                return state.get("exitcode", -state.get("signal", 1)), text
            if time.monotonic() > end:
                raise Lost(f"{limit_s} s passed, and this still runs: {script}")
            time.sleep(POLL_S)
