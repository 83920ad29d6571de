"""A syslog collector: takes the audit trail over TLS (RFC 5425) and reads each message strictly as RFC 5424 has it."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import re
import socket
import ssl
import struct
import threading
import time

from gateway import TimedOut

BOM = "\ufeff"
NAME = r'[!#-<>-\\^-~]{1,32}'  # printable ASCII, but = SP ] "
PARAM = re.compile(rf' ({NAME})="((?:[^"\\\]]|\\["\\\]])*)"')
LINE = re.compile(
    r"<(?P<pri>\d{1,3})>1 (?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48})"
    rf' - (?P<id>[!-~]{{1,32}}) \[(?P<element>{NAME})(?P<params>(?: {NAME}="(?:[^"\\\]]|\\["\\\]])*")*)\]'
    rf"(?: {BOM}(?P<text>[^\x00-\x1f\x7f]*))?", re.DOTALL)


@dataclasses.dataclass
class Received:
    """One message."""
    priority: int
    host: str
    app: str
    what: str
    element: str
    values: dict[str, str]
    text: str
    line: str
    connection: int  # on which it came

    @property
    def row(self) -> int:
        return int(self.values["row"])


def read(line: bytes, connection: int) -> Received:
    found = LINE.fullmatch(line.decode("utf-8"))
    assert found, line
    values = {name: re.sub(r'\\(["\\\]])', r"\1", value) for name, value in PARAM.findall(found["params"])}
    return Received(int(found["pri"]), found["host"], found["app"], found["id"], found["element"], values,
                    found["text"] or "", found[0], connection)


class Collector:
    """Listens while it is up. It reads while `reading` is set; stop() leaves as a program that was killed does."""

    def __init__(self, pki: pathlib.Path, name: str = "server", mutual: bool = False, port: int = 0):
        self.received: list[Received] = []
        self.connections = 0
        self.port = port
        self.reading = threading.Event()
        self.reading.set()
        self.stop_after: int | None = None  # so many messages
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(pki / f"{name}.pem", pki / f"{name}.key")
        if mutual:
            self._context.load_verify_locations(pki / "ca.pem")
            self._context.verify_mode = ssl.CERT_REQUIRED
        self._changed = threading.Condition()
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def rows(self) -> list[int]:
        return [each.row for each in list(self.received)]

    def start(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)  # what is not read does not wait here
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()
        return self

    def stop(self):
        if self._listener is None:
            return
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = None
        for connection in self._open:
            with contextlib.suppress(OSError):  # a reset: whatever was not read is gone
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def wait(self, done, timeout: float = 30):
        """Until `done(collector)`, looked at whenever a message came."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not done(self):
                if not self._changed.wait(deadline - time.monotonic()):
                    raise TimedOut(f"{len(self.received)} messages, rows to {max(self.rows, default=0)}")

    def wait_row(self, number: int, timeout: float = 30):
        self.wait(lambda it: number in it.rows[-500:], timeout)

    def _accept(self, listener: socket.socket):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, raw: socket.socket):
        with contextlib.suppress(OSError), self._context.wrap_socket(raw, server_side=True) as connection:
            self._open.append(connection)
            with self._changed:
                self.connections += 1
                number = self.connections - 1
                self._changed.notify_all()
            self._take_all(connection, number)

    def _take_all(self, connection: ssl.SSLSocket, number: int):
        kept = b""
        while self.reading.wait() and (got := connection.recv(65536)):
            kept += got
            while (framed := re.match(rb"([1-9]\d*) ", kept)) and len(kept) >= framed.end() + int(framed[1]):
                end = framed.end() + int(framed[1])
                message, kept = read(kept[framed.end():end], number), kept[end:]
                with self._changed:
                    self.received.append(message)
                    self._changed.notify_all()
                if self.stop_after is not None and len(self.received) >= self.stop_after:
                    self.stop()
                    return
