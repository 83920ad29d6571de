"""Sockets, TLS and threads: accept, shake hands, then hand each request to whoever answers it.

One thread accepts, one serves each connection. `stop` shuts every socket, which ends every read.
"""

import contextlib
import errno
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .faults import Faults, Moment
from .findings import Refused, status
from .http1 import Connection, Ending, Head, Reply, Request, check_head
from .pki import PkiProblem, issue_expired
from .services import service_at
from .simulator import Simulator

# The suites of the DMP's software entry, TLS 1.2 only.
SUITES = (
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-SHA384"
)
HANDSHAKE_SECONDS = 10


def tls_context(pki: Path) -> ssl.SSLContext:
    """Mutual TLS. Only the root is trusted, so a client that does not send its intermediate is refused; so is
    one whose certificate is not for client authentication."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES)
    context.load_cert_chain(pki / "server.pem", pki / "server.key")
    context.load_verify_locations(pki / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


class TlsContexts:
    """The one of the DMP, and those of the faults that strike a connection, made when they are wanted."""

    def __init__(self, pki: Path, faults: Faults):
        self._pki, self._faults = pki, faults
        self._made = {"": tls_context(pki)}

    def choose(self) -> ssl.SSLContext:
        """For one connection. Raises OSError."""
        for one in self._faults.draw("-", (), Moment.CONNECTION):
            name = one.parameters.get("alert", one.kind)
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]
        return self._made[""]

    def _make(self, name: str) -> ssl.SSLContext:
        try:
            return _WRONG[name](self._pki)
        except PkiProblem as problem:
            raise OSError(errno.EIO, str(problem)) from None


def _expired(pki: Path) -> ssl.SSLContext:
    context = tls_context(pki)
    with tempfile.TemporaryDirectory(prefix="dmpfeed-sim-") as folder:
        context.load_cert_chain(issue_expired(pki, Path(folder)), pki / "server.key")
    return context


def _without_common_suite(pki: Path) -> ssl.SSLContext:
    """A suite that this certificate, which is RSA, cannot serve: the alert is handshake_failure."""
    context = tls_context(pki)
    context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    return context


def _trusting_nobody(pki: Path) -> ssl.SSLContext:
    """The client's certificate is asked for, and no authority is known: the alert is unknown_ca."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(pki / "server.pem", pki / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


_WRONG: dict[str, Callable[[Path], ssl.SSLContext]] = {
    "expired_certificate": _expired,
    "handshake_failure": _without_common_suite,
    "unknown_ca": _trusting_nobody,
}


class Listener:
    """One listening address. `serve` is called on the connection's own thread and may block."""

    def __init__(
        self,
        address: tuple[str, int],
        serve: Callable[[Connection], None],
        failed: Callable[[str], None],
        tls: Callable[[], ssl.SSLContext] | None = None,
    ):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._socket = socket.create_server(address, family=family, backlog=128)
        self._serve = serve
        self._failed = failed
        self._tls = tls
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._stopping = False

    @property
    def url(self) -> str:
        host, port = self._socket.getsockname()[:2]
        return f"{'https' if self._tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    def start(self) -> None:
        threading.Thread(target=self._accept, name=self.url, daemon=True).start()

    def stop(self, seconds: float) -> None:
        """No new connection; those open are shut, and their threads given some time to leave."""
        self._stopping = True
        _shut(self._socket)
        with self._lock:
            running = dict(self._open)
        for sock in running:
            _shut(sock)
        deadline = time.monotonic() + seconds
        for thread in running.values():
            thread.join(max(0.0, deadline - time.monotonic()))

    def _accept(self) -> None:
        while not self._stopping:
            try:
                sock, _ = self._socket.accept()
                self._start_thread(self._prepare(sock))
            except OSError as problem:  # the peer was gone already, or stop() shut the listening socket
                if not self._stopping:
                    self._failed(_reason(problem))

    def _prepare(self, sock: socket.socket) -> socket.socket:
        """The handshake waits for the connection's own thread: here it would keep the next peer waiting."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            return sock
        return self._tls().wrap_socket(sock, server_side=True, do_handshake_on_connect=False)

    def _start_thread(self, sock: socket.socket) -> None:
        thread = threading.Thread(target=self._run, args=(sock,), daemon=True)
        with self._lock:
            self._open[sock] = thread
        thread.start()

    def _run(self, sock: socket.socket) -> None:
        connection = Connection(sock)
        try:
            if isinstance(sock, ssl.SSLSocket):
                sock.settimeout(HANDSHAKE_SECONDS)
                sock.do_handshake()
                sock.settimeout(None)
            self._serve(connection)
        except OSError as problem:  # ssl.SSLError is one
            if not self._stopping:
                self._failed(_reason(problem))
        finally:
            connection.close()
            with self._lock:
                self._open.pop(sock, None)


def serve_dmp(connection: Connection, simulator: Simulator) -> None:
    """Requests of one keep-alive connection, until either side ends it."""
    try:
        while (head := connection.read_head()) is not None:
            reply = _answer(head, connection, simulator)
            if reply is None or not connection.send(reply):
                return
    except Refused as refused:  # what came is not HTTP
        connection.send(simulator.refuse("-", refused.finding))


def _answer(head: Head, connection: Connection, simulator: Simulator) -> Reply | None:
    """None when the peer left in the middle of its request."""
    service = service_at(head.path, head.get("Content-Type"))
    if service is None:
        return simulator.refuse("-", status(404, "HTTP path", "no service is simulated there"))
    for finding in check_head(head):
        return simulator.refuse(service.transaction, finding)
    body = connection.read_body(head.content_length, simulator.pace_of_reading(service))
    if body is None:
        simulator.log(
            transaction=service.transaction,
            connection="cut",
            why="the peer left before the end of its request",
        )
        return None
    reply = simulator.exchange(service, Request(head, body, connection.peer))
    if (head.get("Connection") or "").lower() == "close" and reply.ending is Ending.KEEP:
        return reply.ending_as(Ending.CLOSE)
    return reply


def _reason(problem: OSError) -> str:
    return getattr(problem, "reason", None) or problem.strerror or type(problem).__name__


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it may be gone already
        sock.shutdown(socket.SHUT_RDWR)
