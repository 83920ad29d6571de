"""The status port: requests that two readers may read in two ways, requests without end, and clients that dawdle.

tests/test_connection.c holds libevent's own readings; here is what the daemon as it runs answers to a socket.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket

import pytest

from harm import assert_unharmed
from samples import numbered

SETTINGS = {"status": ", timeout: 1 s, max_connections: 16"}
SECOND = b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"  # what must never be taken for a request of its own


def get(path: str = "/healthz", *headers: str, version: str = "HTTP/1.1", body: bytes = b"") -> bytes:
    lines = [f"GET {path} {version}", "Host: a", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunks(*sizes: str) -> bytes:
    return b"".join(f"{size}\r\n".encode() for size in sizes) + b"\r\n"


REFUSED = {400, 413}  # by libevent itself, or by us: its releases differ on which

# Each is followed by a second request on the same connection, which a reader that is misled would answer.
SMUGGLED = {
    "CL.TE": (get("/healthz", "Content-Length: 6", "Transfer-Encoding: chunked", body=b"0\r\n\r\nG"), REFUSED),
    "TE.CL": (get("/healthz", "Transfer-Encoding: chunked", "Content-Length: 4", body=b"5c\r\n"), REFUSED),
    "TE.TE": (get("/healthz", "Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=chunks("0")), REFUSED),
    "TE with a blank": (get("/healthz", "Transfer-Encoding : chunked", body=chunks("0")), 200),
    "TE in capitals": (get("/healthz", "TRANSFER-ENCODING: CHUNKED", body=chunks("0")), 413),
    "TE in another case": (get("/healthz", "Transfer-Encoding: xchunked"), 413),
    "TE folded": (get("/healthz", "Transfer-Encoding:\r\n chunked", body=chunks("0")), 413),
    "two CL": (get("/healthz", "Content-Length: 0", f"Content-Length: {len(SECOND)}"), 413),
    "two CL, the other way round": (get("/healthz", f"Content-Length: {len(SECOND)}", "Content-Length: 0"), 413),
    "CL as a list": (get("/healthz", f"Content-Length: 0, {len(SECOND)}"), 400),
    "CL with a sign": (get("/healthz", "Content-Length: +0"), 413),
    "CL below zero": (get("/healthz", "Content-Length: -1"), 400),
    "CL in hex": (get("/healthz", "Content-Length: 0x0"), 400),
    "CL beyond 64 bits": (get("/healthz", "Content-Length: 99999999999999999999"), 413),
    "CL with a blank": (get("/healthz", f"Content-Length : {len(SECOND)}"), 200),
    "an odd size of a chunk": (get("/healthz", "Transfer-Encoding: chunked", body=b"0x0\r\n\r\n"), 413),
    "a size below zero": (get("/healthz", "Transfer-Encoding: chunked", body=b"-1\r\n\r\n"), 413),
    "a trailer": (get("/healthz", "Transfer-Encoding: chunked", body=b"0\r\nContent-Length: 34\r\n\r\n"), 413),
    "a folded header": (get("/healthz", "X: y\r\n Content-Length: 34"), 200),
    "a bare LF": (b"GET /healthz HTTP/1.1\nHost: a\n\n", 200),
    "a bare CR": (b"GET /healthz HTTP/1.1\r\nX: a\rContent-Length: 34\r\n\r\n", 400),
    "a NUL in a header": (b"GET /healthz HTTP/1.1\r\nX: a\0Content-Length: 34\r\n\r\n", 200),
    "an empty line first": (b"\r\n" + get(), 400),
    "a header without a name": (get("/healthz", ": x"), 200),
    "no Host": (b"GET /healthz HTTP/1.1\r\n\r\n", 200),
    "two Hosts": (get("/healthz", "Host: b"), 200),
    "Connection: Content-Length": (get("/healthz", "Connection: Content-Length", "Content-Length: 34"), 413),
    "keep-alive": (get("/healthz", "Connection: keep-alive"), 200),
    "an upgrade": (get("/healthz", "Upgrade: h2c", "Connection: Upgrade", "HTTP2-Settings: AAA"), 200),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /healthz\r\n", 400),
    "HTTP/1.0": (get(version="HTTP/1.0"), 200),
    "HTTP/1.2": (get(version="HTTP/1.2"), 200),
    "HTTP/9.9": (get(version="HTTP/9.9"), 400),
    "an absolute URI": (get("http://evil.example/healthz"), 400),
    "a URI with a user": (get("http://a@b/healthz"), 400),
    "a tunnel": (b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: a\r\n\r\n", None),
    "a method of one's own": (b"FORGED /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    "a method with a NUL": (b"GE\0T /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "Expect": (get("/healthz", "Expect: 100-continue"), 200),
    "two requests at once": (get(), 200),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n", 400),
    "HL7": (b"\x0bMSH|^~\\&|A\r\x1c\r\r\n\r\n", 400),
}

# Paths and queries: nothing of the machine is behind them.
PATHS = {
    "/../../../../etc/passwd": 404, "/..%2f..%2fetc/passwd": 404, "/%2e%2e/%2e%2e/etc/passwd": 404, "//etc/passwd": 404,
    "/healthz%00.html": 404, "/healthz/../metrics": 404, "/healthz;x=1": 404, "/HEALTHZ": 404, "/api/v1/documents/": 404,
    "/%": 404, "/%zz": 404, "/healthz?%": 400, "/healthz?a=%00": 400, "/\u00ff\u00fe": 400,
    "/<script>forged</script>": 404, "/'%20OR%201=1--": 404, "/$(id)": 404, "/%0d%0aSet-Cookie:%20forged=1": 404,
    "/?lang=%0d%0aSet-Cookie:%20forged=1": 400, "/?lang=<script>forged</script>": 400, "/?lang=fr&lang=en&x=1": 400,
    "/api/v1/documents?state=%27%20OR%201=1--": 400, "/api/v1/documents?reason=%27;DROP%20TABLE%20document;--": 400,
    "/api/v1/documents?site=%27%20OR%20%271%27=%271": 200, "/api/v1/documents?after=%27--": 400,
    "/api/v1/documents?limit=99999999999999999999": 400, "/api/v1/documents?limit=1e9": 400,
    "/api/v1/documents?limit=%n": 400, "/api/v1/documents?site=%25n%25n%25s": 200,
    "/api/v1/counters?from=0000-00-00": 400, "/api/v1/counters?from=2026-01-01%00": 400,
    "/api/v1/counters?from=9999-12-31&to=0001-01-01": 400, "/api/v1/counters?site=../../etc/passwd": 400,
    "/api/v1/targets?forged=1": 400, "/metrics?forged=1": 400,
}

# Heads without end.
LONG = {
    "a path": b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "a query": b"GET /api/v1/documents?state=" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "a header": get("/healthz", "X: " + "x" * 100_000),
    "a name of a header": get("/healthz", "X" * 100_000 + ": y"),
    "headers": get("/healthz", *(f"X{n}: y" for n in range(10_000))),
    "a folded header": get("/healthz", "X: y" + "\r\n y" * 50_000),
    "a method": b"G" * 100_000 + b" / HTTP/1.1\r\n\r\n",
    "an Authorization": get("/healthz", "Authorization: Bearer " + "x" * 100_000),
    "no line at all": b"x" * 1_000_000,
}

# What begins and does not go on: each is closed at status.timeout.
SLOW = {
    "nothing": b"",
    "half a line": b"GET /heal",
    "a head without its end": b"GET /healthz HTTP/1.1\r\nHost: a\r\n",
    "a body that is announced": b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n",
    "an empty line": b"\r\n",
}


def address(gateway) -> tuple[str, int]:
    host, _, port = gateway.status_url.removeprefix("http://").rpartition(":")
    return host, int(port)


def ask(gateway, request: bytes) -> bytes:
    """All that is answered until the port closes the connection."""
    answer = b""
    with socket.create_connection(address(gateway), 20) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
            while more := connection.recv(65536):
                answer += more
    return answer


def status_of(answer: bytes) -> int | None:
    found = re.match(rb"HTTP/1\.[012] (\d{3}) ", answer)
    return int(found[1]) if found else None


@pytest.mark.parametrize("case", SMUGGLED)
def test_one_request_has_one_answer(gateway, case):
    request, status = SMUGGLED[case]
    answer = ask(gateway, request + SECOND)
    assert status_of(answer) == status or (status is REFUSED and status_of(answer) in REFUSED)
    assert answer.count(b"HTTP/1.") == (status is not None), "a second request was answered"
    assert b"second" not in answer


@pytest.mark.parametrize("path", PATHS)
def test_a_path_leads_nowhere_else(gateway, path):
    answer = ask(gateway, get(path))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status_of(answer) == PATHS[path]
    assert b"root:" not in answer and b"Set-Cookie" not in head and b"<script>forged" not in body
    assert b"Content-Type: text/html" not in head or status_of(answer) == 400
    if head.count(b"application/json"):
        assert list(json.loads(body)) == ["error"] or json.loads(body) == {"documents": [], "next": None}


@pytest.mark.parametrize("case", LONG)
def test_a_head_without_end_is_refused(gateway, case):
    assert status_of(ask(gateway, LONG[case])) in (400, 405, None)


@pytest.mark.parametrize("case", SLOW)
def test_who_does_not_go_on_is_closed(gateway, case):
    assert status_of(ask(gateway, SLOW[case])) in (None, 400, 413)


def test_who_dribbles_keeps_nobody_out(gateway):
    """As many as there may be, each with half a request: a good one is answered among them, and all are closed."""
    with contextlib.ExitStack() as ends:
        slow = [ends.enter_context(socket.create_connection(address(gateway), 20)) for _ in range(16)]
        for each in slow:
            each.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        assert gateway.get("/healthz") == (200, b"ok\n")
        for each in slow:
            with contextlib.suppress(ConnectionResetError):
                assert each.recv(1) == b""


def test_who_reads_nothing_keeps_nobody_out(gateway):
    """The page is larger than what the sockets hold."""
    with contextlib.ExitStack() as ends:
        for _ in range(15):
            deaf = ends.enter_context(socket.socket())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            deaf.connect(address(gateway))
            deaf.sendall(get("/"))
        assert gateway.get("/healthz") == (200, b"ok\n")


def test_the_daemon_is_unharmed(before):
    assert_unharmed(before, lambda: numbered(1))
