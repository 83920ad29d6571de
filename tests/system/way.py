"""The way to the DMP, record by record of TLS, to be cut at any of them."""

from __future__ import annotations

import dataclasses
import queue
import selectors
import socket
import struct
import threading
import urllib.parse

COUNTED, DATA = (20, 22, 23), 23  # types of a TLS record
RESET, CLOSED, SILENT = "reset", "closed", "silent"  # how a connection is cut


@dataclasses.dataclass(frozen=True)
class Place:
    """What a record belongs to: the handshake (0), or that of the connection's requests and its answer."""
    request: int
    from_gateway: bool


class Line:
    """One connection: the gateway's end and the DMP's."""

    def __init__(self, gateway: socket.socket, dmp: socket.socket):
        self.gateway, self.dmp = gateway, dmp
        self.read = {gateway: b"", dmp: b""}
        self.passed: list[Place] = []
        self.requests, self.answered = 0, True

    def other(self, end: socket.socket) -> socket.socket:
        return self.dmp if end is self.gateway else self.gateway

    def take_record(self, end: socket.socket) -> bytes:
        """The next whole one of what was read; b"": there is none."""
        read = self.read[end]
        length = 5 + int.from_bytes(read[3:5], "big") if len(read) >= 5 else len(read) + 1
        if len(read) < length:
            return b""
        self.read[end] = read[length:]
        return read[:length]

    def count(self, end: socket.socket, record: bytes) -> bool:
        """An alert is not."""
        if record[0] not in COUNTED:
            return False
        from_gateway = end is self.gateway
        if record[0] == DATA:
            self.requests += from_gateway and self.answered
            self.answered = not from_gateway
        self.passed.append(Place(self.requests, from_gateway))
        return True


class Way(threading.Thread):
    """Stands where the DMP should be. One thread does everything, so that what is cut is cut at that record."""

    def __init__(self, url: str):
        super().__init__(daemon=True)
        there = urllib.parse.urlsplit(url)
        self.target = there.hostname, there.port
        self.door = socket.create_server(("127.0.0.1", 0))
        self.url = there._replace(netloc="127.0.0.1:%d" % self.door.getsockname()[1]).geturl()
        self.orders: queue.Queue = queue.Queue()
        self.bell, self.rung = socket.socketpair()
        self.selector = selectors.DefaultSelector()
        self.lines: set[Line] = set()
        self.at, self.manner, self.half = -1, "", False
        self.struck: Place | None = None
        self.last: Line | None = None
        self.start()

    # -- what a test says --

    def cut(self, at: int, manner: str, half: bool = False):
        """The next connection that comes so far is cut before that record, or in its middle; those of now are ended."""
        self._order(lambda: self._set(at, manner, half))

    def hang_up(self):
        """Connections that are kept are closed."""
        self.cut(-1, CLOSED)

    def fall_silent(self):
        """On connections that are kept nothing arrives any more, and nobody tells."""
        self._order(lambda: [self._cut(line, SILENT) for line in self.lines])

    def passed(self) -> list[Place]:
        """Each record of the last connection."""
        return self.last.passed

    def close(self):
        self._order(self._end)
        self.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _order(self, order):
        done = threading.Event()
        self.orders.put((order, done))
        self.bell.send(b"!")
        assert done.wait(20)

    # -- on its thread --

    def _set(self, at: int, manner: str, half: bool):
        for line in list(self.lines):
            self._cut(line, CLOSED)
        self.at, self.manner, self.half, self.struck = at, manner, half, None

    def _end(self):
        self._set(-1, "", False)
        self.door.close()
        self.door = None

    def run(self):
        self.selector.register(self.door, selectors.EVENT_READ)
        self.selector.register(self.rung, selectors.EVENT_READ)
        while self.door:
            for key, _ in self.selector.select():
                if key.fileobj is self.door:
                    self._accept()
                elif key.fileobj is self.rung:
                    self._obey()
                elif key.data in self.lines:
                    self._pass_on(key.data, key.fileobj)
        self.selector.close()
        self.bell.close()
        self.rung.close()

    def _obey(self):
        self.rung.recv(1)
        order, done = self.orders.get()
        order()
        done.set()

    def _accept(self):
        gateway, _ = self.door.accept()
        line = Line(gateway, socket.create_connection(self.target))
        self.lines.add(line)
        self.last = line
        for end in line.read:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(end, selectors.EVENT_READ, line)

    def _pass_on(self, line: Line, end: socket.socket):
        try:
            more = end.recv(1 << 16)
            line.read[end] += more
            while record := line.take_record(end):
                if line.count(end, record) and len(line.passed) == self.at + 1:
                    if self.half:
                        line.other(end).sendall(record[:len(record) // 2])
                    self._cut(line, self.manner)
                    self.at, self.struck = -1, line.passed[-1]
                    return
                line.other(end).sendall(record)
        except OSError:
            more = b""
        if not more:
            self._cut(line, CLOSED)

    def _cut(self, line: Line, manner: str):
        for end in line.read:
            if end in self.selector.get_map():
                self.selector.unregister(end)
        if manner == SILENT:  # both ends wait, until the next order
            return
        for end in line.read:
            if manner == RESET:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()
        self.lines.discard(line)
