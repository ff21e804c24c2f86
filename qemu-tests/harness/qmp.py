# SPDX-License-Identifier: GPL-2.0-or-later
"""The QEMU machine protocol, as much of it as stopping, dumping and asking needs."""

import json
import socket
import time

from ground import paths


class Qmp:
    """A connection to a QMP socket that QEMU is about to make."""

    def __init__(self, path, limit_s=20):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(120)
        end = time.monotonic() + limit_s
        while True:
            try:
                self.sock.connect(str(path))
                break
            except OSError as e:
                if time.monotonic() > end:
                    raise paths.GroundError(f"QMP socket: {e.strerror}") from e
                time.sleep(0.05)
        self.file = self.sock.makefile("rw", encoding="utf-8")
        self._read()
        self.call("qmp_capabilities")

    def _read(self):
        try:
            line = self.file.readline()
        except OSError as e:
            raise paths.GroundError(f"QMP socket: {e.strerror}") from e
        if not line:
            raise paths.GroundError("QEMU closed its QMP socket")
        return json.loads(line)

    def call(self, command, **arguments):
        """Run a command and give its return value; events on the way are dropped."""
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self.file.write(json.dumps(request) + "\n")
        self.file.flush()
        while True:
            answer = self._read()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise paths.GroundError(f"QMP {command}: {answer['error']['desc']}")

    def rest(self):
        """The events that QEMU sent since the last call, until it ended."""
        lines = []
        try:
            lines = self.file.readlines()
        except OSError:
            pass
        return [json.loads(line) for line in lines]

    def close(self):
        self.sock.close()
