"""A DMP that answers any bytes at all, and then, asked again, what is right."""

from __future__ import annotations

import collections
import contextlib
import pathlib
import re
import socket
import sys
import threading
from collections.abc import Iterable

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "simulator"))
from dmpsim import answers  # noqa: E402
from dmpsim.server import tls_context  # noqa: E402

SUBMITTED = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse"


def envelope(inside: str, before: str = "") -> bytes:
    return before.encode() + answers.soap(200, SUBMITTED, None, inside).body


def response(body: bytes, *fields: str, content_type: str = "application/soap+xml; charset=UTF-8",
             status: str = "200 OK", length: int | None = None) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}",
            f"Content-Length: {len(body) if length is None else length}", *fields]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


RIGHT = response(envelope(answers.SUCCESS), "Connection: close")


class LyingDmp:
    """One connection, one request, one answer: the next of `answers`, or the right one."""

    def __init__(self, pki: pathlib.Path):
        self.answers: collections.deque[Iterable[bytes]] = collections.deque()
        self.asked: list[bytes] = []  # the request lines
        self.ending = threading.Event()
        self._context = tls_context(pki)
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.url = "https://127.0.0.1:%d/si-dmp-server/v2/services" % self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while not self.ending.is_set():
                sock, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket):
        with contextlib.suppress(OSError), self._context.wrap_socket(sock, server_side=True) as peer:
            if not self._read(peer):
                return
            for piece in self.answers.popleft() if self.answers else [RIGHT]:
                peer.sendall(piece)

    def _read(self, peer: socket.socket) -> bool:
        bytes_ = b""
        while b"\r\n\r\n" not in bytes_:
            more = peer.recv(65536)
            if not more:
                return False
            bytes_ += more
        head, _, body = bytes_.partition(b"\r\n\r\n")
        self.asked.append(head.partition(b"\r\n")[0])
        left = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) - len(body)
        while left > 0 and (more := peer.recv(65536)):
            left -= len(more)
        return left <= 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ending.set()
        self._socket.close()


def failure(code: str, words: str) -> str:
    return answers.registry_failure(None, code, words, "")


__all__ = ["LyingDmp", "RIGHT", "answers", "envelope", "failure", "response"]
