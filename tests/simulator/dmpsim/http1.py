"""HTTP/1.1 (RFC 9112), read and written by hand: a library would forgive what the DMP may not.

No thread of its own: a connection is served by whoever reads it.
"""

import re
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import formatdate
from enum import Enum
from http import HTTPStatus

from .findings import Finding, Refused, status

MAX_HEAD = 64 * 1024
MAX_BODY = 50 * 1024 * 1024


class Ending(Enum):
    """What becomes of the connection after a reply."""

    KEEP = "kept open"
    CLOSE = "closed once the reply is read"
    CUT = "closed in the middle of the reply"
    RESET = "reset without a reply"


@dataclass(frozen=True)
class Head:
    method: str
    path: str
    version: str
    fields: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name.lower()]

    def get(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    @property
    def content_length(self) -> int:
        """0 when it is not told. Raises Refused when it is no number."""
        value = self.get("Content-Length") or "0"
        if not re.fullmatch("[0-9]{1,18}", value):
            raise _bad("Content-Length", "a decimal number is expected")
        return int(value)


@dataclass(frozen=True)
class Request:
    head: Head
    body: bytes
    peer: str = ""  # the structure that the client's certificate names in its OU


@dataclass(frozen=True)
class Pace:
    """So many bytes at a time, a pause after each."""

    size: int
    pause: Callable[[], None]

    def pieces(self, length: int) -> Iterator[slice]:
        for start in range(0, length, self.size):
            yield slice(start, min(start + self.size, length))
            self.pause()


@dataclass(frozen=True)
class Reply:
    status: int = 200
    content_type: str = "text/plain; charset=UTF-8"
    body: bytes = b""
    fields: tuple[tuple[str, str], ...] = ()
    ending: Ending = Ending.KEEP
    pace: Pace | None = None

    def ending_as(self, ending: Ending) -> "Reply":
        return replace(self, ending=ending)


def plain(number: int, sentence: str) -> Reply:
    return Reply(number, body=f"{sentence}\n".encode())


# ---- what the DMP wants of a request's head


def _method(head: Head) -> Iterator[Finding]:
    if head.method != "POST":
        yield status(405, "HTTP method", "only POST is served here")


def _version(head: Head) -> Iterator[Finding]:
    if head.version != "HTTP/1.1":
        yield status(505, "HTTP version", "the request is not HTTP/1.1")


def _once(head: Head) -> Iterator[Finding]:
    if head.get("Host") is None:
        yield status(400, "Host", "the header is missing")
    for name in ("Host", "Content-Type", "Content-Length"):
        if len(head.all(name)) > 1:
            yield status(400, name, "the header is there twice")


def _expect(head: Head) -> Iterator[Finding]:
    if head.get("Expect") is not None:
        yield status(417, "Expect", "the request must not wait for 100 Continue")


def _length(head: Head) -> Iterator[Finding]:
    if head.get("Transfer-Encoding") is not None or head.get("Content-Length") is None:
        yield status(411, "Content-Length", "the request must say its length, and not be sent in chunks")
    elif head.content_length > MAX_BODY:
        yield status(413, "Content-Length", f"more than {MAX_BODY} bytes")


HEAD_CHECKS = (_method, _version, _once, _expect, _length)


def check_head(head: Head) -> list[Finding]:
    return [finding for check in HEAD_CHECKS for finding in check(head)]


# ---- bytes


def _bad(location: str, sentence: str) -> Refused:
    return Refused(status(400, location, sentence))


def _parse_request_line(line: str) -> tuple[str, str, str]:
    words = line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        raise _bad("HTTP request line", "method, path and version are expected, one space between them")
    return words[0], words[1], words[2]


def _parse_field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name or name != name.strip():
        raise _bad("HTTP header", "each header is one line, name: value")  # a folded line falls here too
    return name.lower(), value.strip(" \t")


class Connection:
    """One accepted socket, with or without TLS around it."""

    def __init__(self, sock: socket.socket):
        self._sock = sock
        self._stream = sock.makefile("rb")

    @property
    def peer(self) -> str:
        """OU of the client's certificate; empty without one."""
        certificate = self._sock.getpeercert() if isinstance(self._sock, ssl.SSLSocket) else None
        subject = dict(pair for part in (certificate or {}).get("subject", ()) for pair in part)
        return subject.get("organizationalUnitName", "")

    def read_head(self) -> Head | None:
        """None when the peer is done. Raises Refused when what came is not HTTP."""
        lines: list[str] = []
        left = MAX_HEAD
        while True:
            line = self._stream.readline(left)
            left -= len(line)
            if not line.endswith(b"\n"):
                if left <= 0:
                    raise _bad("HTTP header", f"more than {MAX_HEAD} bytes")
                return None  # the peer left, between two requests or inside one
            if not line.endswith(b"\r\n"):
                raise _bad("HTTP header", "a line does not end with CRLF")
            if line == b"\r\n":
                break
            lines.append(line[:-2].decode("latin-1"))
        if not lines:
            raise _bad("HTTP request line", "it is empty")
        return Head(*_parse_request_line(lines[0]), tuple(_parse_field(line) for line in lines[1:]))

    def read_body(self, length: int, pace: Pace | None = None) -> bytes | None:
        """None when the peer left before the end."""
        if pace is None:
            body = self._stream.read(length)
        else:
            body = b"".join(self._stream.read(part.stop - part.start) for part in pace.pieces(length))
        return body if len(body) == length else None

    def send(self, reply: Reply) -> bool:
        """False once the connection is not to be used any more."""
        if reply.ending is Ending.RESET:
            self._reset()
            return False
        head = self._head_of(reply)
        if reply.ending is Ending.CUT:
            self._sock.sendall(head + reply.body[: len(reply.body) // 2])
            self.close()
            return False
        self._send_whole(head + reply.body, reply.pace)
        if reply.ending is Ending.CLOSE:
            self._drain()
            self.close()
            return False
        return True

    def _send_whole(self, data: bytes, pace: Pace | None) -> None:
        for part in pace.pieces(len(data)) if pace else (slice(None),):
            self._sock.sendall(data[part])

    def close(self) -> None:
        self._stream.close()
        self._sock.close()

    @staticmethod
    def _head_of(reply: Reply) -> bytes:
        lines = [
            f"HTTP/1.1 {reply.status} {_reason(reply.status)}",
            f"Date: {formatdate(usegmt=True)}",  # RFC 9110, 6.6.1: who has a clock says so
            f"Content-Type: {reply.content_type}",
            f"Content-Length: {len(reply.body)}",
            *(f"{name}: {value}" for name, value in reply.fields),
        ]
        if reply.ending is Ending.CLOSE:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _reset(self) -> None:
        """A zero linger makes close() send RST, and without TLS's goodbye."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def _drain(self) -> None:
        """Read what the peer still sends: closing on unread bytes would lose the reply (RFC 9112, 9.6)."""
        try:
            self._sock.settimeout(2)
            self._sock.shutdown(socket.SHUT_WR)
            while self._sock.recv(1 << 16):
                pass
        except OSError:
            pass


def _reason(number: int) -> str:
    try:
        return HTTPStatus(number).phrase
    except ValueError:
        return "Status"
