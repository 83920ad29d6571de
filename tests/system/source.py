"""An application that sends: the listener where it takes business acknowledgements, well or badly."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import ssl
import threading
import time

from gateway import END, VT, TimedOut


class Message:
    """What came, segment by segment."""

    def __init__(self, payload: bytes):
        self.bytes = payload
        self.segments = [line.split("|") for line in payload.decode("utf-8").split("\r") if line]

    def field(self, segment: str, number: int) -> str:
        """As HL7 counts; "" when it is not there."""
        found = next((each for each in self.segments if each[0] == segment), [])
        return (found + [""] * 30)[number - (segment == "MSH")]

    @property
    def control_id(self) -> str:
        return self.field("MSH", 10)

    @property
    def about(self) -> tuple[str, str]:
        """The MSH-10 that it is about, and Y or N."""
        return self.field("OBX", 4), self.field("OBX", 5).split("^")[0]


class Source:
    """Listens while it is up. `plan`: what it answers, one a message, then "AA": a code of MSA-1, "nothing" (and it
    holds the connection), "leave", "wait" (for `go`, then "AA")."""

    def __init__(self, port: int = 0, pki: pathlib.Path | None = None, mutual: bool = False):
        self.received: list[Message] = []
        self.plan: list[str] = []
        self.go = threading.Event()
        self.port = port
        self._context = self._tls(pki, mutual) if pki else None
        self._changed = threading.Condition()
        self._connections: list[socket.socket] = []
        self._listener: socket.socket | None = None

    @staticmethod
    def _tls(pki: pathlib.Path, mutual: bool) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pki / "server.pem", pki / "server.key")
        if mutual:
            context.load_verify_locations(pki / "ca.pem")
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()
        return self

    def stop(self):
        if self._listener is None:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = None
        for each in self._connections:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._connections.append(connection)
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket):
        with contextlib.suppress(OSError), connection:
            stream = self._context.wrap_socket(connection, server_side=True) if self._context else connection
            rest = b""
            with stream:
                while more := stream.recv(65536):
                    rest += more
                    while END in rest:
                        frame, _, rest = rest.partition(END)
                        if not self._answer(stream, Message(frame.lstrip(VT))):
                            return

    def _answer(self, stream: socket.socket, message: Message) -> bool:
        with self._changed:
            act = self.plan.pop(0) if self.plan else "AA"
            self.received.append(message)
            self._changed.notify_all()
        if act == "leave":
            return False
        if act == "wait":
            self.go.wait(60)
            act = "AA"
        if act != "nothing":
            stream.sendall(VT + f"MSH|^~\\&|DPI-A|CH-A|PFI|CH-A|20261120101731||ACK^Z01^ACK|A7|P|2.6\r"
                                f"MSA|{act}|{message.control_id}\r".encode() + END)
        return True

    def wait(self, count: int, timeout: float = 20) -> list[Message]:
        """The messages received, once there are so many."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while len(self.received) < count:
                if not self._changed.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    raise TimedOut(f"{len(self.received)} of {count} messages came to the source in {timeout} s: "
                                   f"{[each.about for each in self.received]}")
            return list(self.received)

    @property
    def connections(self) -> int:
        """How many there were."""
        return len(self._connections)

    @property
    def by_id(self) -> dict[str, set[bytes]]:
        """What came under each MSH-10: one thing, or the gateway is wrong."""
        found: dict[str, set[bytes]] = {}
        for each in self.received:
            found.setdefault(each.control_id, set()).add(each.bytes)
        return found
