# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk that fails on demand: a raw image that QEMU gets from a server in this process (NBD).

The server has a volatile write cache as disks have: what was not flushed may be lost with the power.
"""

import errno
import random
import socket
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path

BLOCK = 4096
READ, WRITE, END, FLUSH = 0, 1, 2, 3
KINDS = {READ: "read", WRITE: "write", FLUSH: "flush"}
REQUEST, SIMPLE_REPLY = 0x25609513, 0x67446698
OPTION_REPLY, OPTION_GO = 0x3e889045565a9, 7
REP_ACK, REP_INFO, REP_UNSUPPORTED = 1, 3, (1 << 31) | 1
HAS_FLAGS, SEND_FLUSH = 1, 4


@dataclass
class Rule:
    """What becomes of requests: an errno, or other data. once: of the first that it fits."""
    kinds: tuple
    error: int = 0
    once: bool = False
    min_bytes: int = 0
    damage: object = None

    def fits(self, kind, length):
        return kind in self.kinds and length >= self.min_bytes


class ServedDisk:
    """str() is what QEMU opens. Actions of a case call fail(), damage(), slow(), hang()."""

    def __init__(self, image):
        self.image = Path(image)
        self.socket = self.image.with_suffix(".nbd")
        self.file = open(image, "r+b", buffering=0)  # pylint: disable=consider-using-with
        self.size = self.image.stat().st_size
        self.rules = []
        self.rate = 0
        self.going = threading.Event()
        self.going.set()
        self.lock = threading.Lock()
        self.volatile = {}
        self.hits = 0
        self.settled = False
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.socket))
        listener.listen(1)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def __str__(self):
        # the harness's own disks ignore flushes
        return f"nbd+unix:///?socket={self.socket},cache.no-flush=off"

    def fail(self, *kinds, error=errno.EIO, once=False):
        """Requests of these kinds fail from now on."""
        self.rules.append(Rule(kinds, error, once))

    def damage(self, min_bytes, change):
        """The next write of so many bytes stores change(data), and reports success."""
        self.rules.append(Rule(("write",), 0, True, min_bytes, change))

    def slow(self, bytes_per_s):
        """Reads and writes take their time; 0: none."""
        self.rate = bytes_per_s

    def hang(self):
        """No request is answered any more, until release()."""
        self.going.clear()

    def release(self):
        """What hangs is answered."""
        self.going.set()

    def settle(self, lost=False):
        """After QEMU's end: the image. lost: half of what was not flushed is not on it."""
        self.release()
        with self.lock:
            self.settled = True
            chance = random.Random(len(self.volatile))
            for at, old in sorted(self.volatile.items()):
                if lost and chance.random() < 0.5:
                    self._put(old, at)
            self.file.close()
        return self.image

    def _put(self, data, at):
        self.file.seek(at)
        self.file.write(data)

    def _get(self, length, at):
        self.file.seek(at)
        return self.file.read(length)

    def _accept(self, listener):
        while not self.settled:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as stream:
                try:
                    if _handshake(connection, stream, self.size):
                        self._serve(connection, stream)
                except (OSError, struct.error):
                    pass  # QEMU is gone

    def _serve(self, connection, stream):
        while True:
            magic, _, kind, handle, at, length = struct.unpack(">IHHQQI", stream.read(28))
            if magic != REQUEST or kind == END:
                return
            data = stream.read(length) if kind == WRITE else b""
            if self.rate and length:
                time.sleep(length / self.rate)
            self.hits += not self.going.is_set()
            self.going.wait()
            error, answer = self._request(KINDS.get(kind), at, length, data)
            connection.sendall(struct.pack(">IIQ", SIMPLE_REPLY, error, handle) + answer)

    def _request(self, kind, at, length, data):
        with self.lock:
            if self.settled or kind is None:
                return errno.EINVAL, b""
            rule = next((r for r in self.rules if r.fits(kind, length)), None)
            if rule:
                self.hits += 1
                if rule.once:
                    self.rules.remove(rule)
                if rule.error:
                    return rule.error, b""
                data = rule.damage(data)
            if kind == "read":
                return 0, self._get(length, at)
            if kind == "flush":
                self.volatile.clear()
                return 0, b""
            for block in range(at // BLOCK * BLOCK, at + length, BLOCK):
                if block not in self.volatile:
                    self.volatile[block] = self._get(BLOCK, block)
            self._put(data, at)
            return 0, b""


def _handshake(connection, stream, size):
    """Agree on the one export, whatever its name; True when requests follow."""
    connection.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3))
    stream.read(4)
    while True:
        _, option, length = struct.unpack(">8sII", stream.read(16))
        stream.read(length)

        def reply(kind, data=b"", option=option):
            connection.sendall(struct.pack(">QIII", OPTION_REPLY, option, kind, len(data)) + data)

        if option == OPTION_GO:
            reply(REP_INFO, struct.pack(">HQH", 0, size, HAS_FLAGS | SEND_FLUSH))
            reply(REP_ACK)
            return True
        reply(REP_UNSUPPORTED)


def served(make, *numbers):
    """disks() of a case: those of make(where), of which these, counted from 1, are served."""
    def disks(where):
        return [ServedDisk(d) if n in numbers else d for n, d in enumerate(make(where), 1)]
    return disks


def settle(run, lost=False):
    """A check's first step: images in place of served disks. Gives how many requests met a rule."""
    hits = 0
    for index, disk in enumerate(run.disks):
        if isinstance(disk, ServedDisk):
            hits += disk.hits
            run.disks[index] = disk.settle(lost)
    return hits
