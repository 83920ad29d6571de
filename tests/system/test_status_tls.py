"""The status port beyond this machine: over TLS, for a token or a certificate, and for nobody else."""

from __future__ import annotations

import base64
import contextlib
import pathlib
import re
import socket
import ssl

import pytest

from certificates import openssl
from samples import patient_words_in

TOKEN, WRONG = "s3cret-of-the-status-port", "s3cret-of-another-machine"
BEARER = f"Authorization: Bearer {TOKEN}\r\n"
HERE = 'status: { listen: "127.0.0.1:0" }'


def beyond(gateway, *settings: str):
    """The same, on every address of this machine."""
    text = gateway.config.read_text()
    assert HERE in text
    gateway.config.write_text(text.replace(HERE, "status: { " + ", ".join(['listen: "0.0.0.0:0"', *settings]) + " }"))
    return gateway


def with_tls(pki: pathlib.Path, more: str = "") -> str:
    return f"tls: {{ cert: {pki}/server.pem, key: {pki}/server.key{more} }}"


def with_token(folder: pathlib.Path) -> str:
    file = folder / "token"
    file.touch(0o600)
    file.write_text(TOKEN + "\n")
    return f"token_file: {file}"


def client(pki: pathlib.Path, certificate: pathlib.Path | None = None) -> ssl.SSLContext:
    """One that trusts our authority alone, and looks at names; who shows a certificate has its key beside it."""
    context = ssl.create_default_context(cafile=pki / "ca.pem")
    if certificate is not None:
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context


def connect(gateway) -> socket.socket:
    url = re.fullmatch(r"https://0\.0\.0\.0:(\d+)", gateway.status_url)
    return socket.create_connection(("127.0.0.1", int(url[1])), 20)


def asked(gateway, context: ssl.SSLContext, path: str = "/healthz", headers: str = "") -> str:
    """The whole answer, whose end must be said: nobody may cut it short."""
    with connect(gateway) as door, context.wrap_socket(door, server_hostname="127.0.0.1",
                                                       suppress_ragged_eofs=False) as tls:
        tls.sendall(f"GET {path} HTTP/1.1\r\nHost: gateway\r\n{headers}\r\n".encode())
        answer = b""
        while more := tls.recv(65536):
            answer += more
    return answer.decode()


def assert_tells_no_secret(gateway):
    told = "\n".join(gateway.journal.lines)
    assert TOKEN not in told and WRONG not in told and base64.b64encode(f":{WRONG}".encode()).decode() not in told
    assert patient_words_in(told) == []


def test_a_token_opens_and_nothing_else_does(make_gateway, pki, tmp_path):
    gateway = beyond(make_gateway(), with_tls(pki), with_token(tmp_path)).start()
    anybody = client(pki)
    for path, has in (("/healthz", "\r\n\r\nok\n"), ("/metrics", "\ndmpfeed_ready 1\n"), ("/", "</html>")):
        answer = asked(gateway, anybody, path, BEARER)
        assert answer.startswith("HTTP/1.1 200 ") and has in answer
    login = base64.b64encode(f"ops:{TOKEN}".encode()).decode()
    assert asked(gateway, anybody, headers=f"Authorization: Basic {login}\r\n").startswith("HTTP/1.1 200 ")

    for path in ("/healthz", "/metrics", "/nothing"):
        answer = asked(gateway, anybody, path)
        assert answer.startswith("HTTP/1.1 401 ") and "\r\nWWW-Authenticate: Basic " in answer
        assert "dmpfeed_ready" not in answer
    assert asked(gateway, anybody, headers=f"Authorization: Bearer {WRONG}\r\n").startswith("HTTP/1.1 401 ")
    gateway.journal.wait("^<4>status address=.* refused: the token shown is not that of status.token_file")

    with connect(gateway) as door, contextlib.suppress(ConnectionResetError):
        door.sendall(f"GET /healthz HTTP/1.1\r\nHost: gateway\r\n{BEARER}\r\n".encode())
        assert b"HTTP" not in door.recv(4096), "in clear"
    gateway.journal.wait(r"^<4>status_handshake_failed peer=127\.0\.0\.1:\d+: TLS failed: http request")
    assert gateway.stop() == 0
    assert_tells_no_secret(gateway)


def test_a_certificate_opens_and_nothing_else_does(make_gateway, pki, tmp_path):
    gateway = beyond(make_gateway(), with_tls(pki, f", client_ca: {pki}/ca.pem")).start()
    assert asked(gateway, client(pki, pki / "auth.pem")).endswith("\r\n\r\nok\n"), "without a token"

    openssl(tmp_path, "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config /dev/null -subj /CN=stranger"
                      " -days 1 -keyout stranger.key -out stranger.pem")
    for nobody in (client(pki), client(pki, tmp_path / "stranger.pem")):
        with pytest.raises(OSError):
            asked(gateway, nobody)
    gateway.journal.wait(r"^<4>status_handshake_failed peer=127\.0\.0\.1:\d+: .*did not return a certificate")
    assert asked(gateway, client(pki, pki / "auth.pem")).endswith("\r\n\r\nok\n"), "still"
    assert gateway.stop() == 0
    assert_tells_no_secret(gateway)


@pytest.mark.parametrize("settings, asks_for", [
    ([], "status.tls.cert and status.tls.key"),
    ([with_token], "status.tls.cert and status.tls.key"),
    ([with_tls], "status.token_file or status.tls.client_ca"),
])
def test_half_a_lock_is_none(make_gateway, pki, tmp_path, settings, asks_for):
    given = [setting(tmp_path if setting is with_token else pki) for setting in settings]
    ended = beyond(make_gateway(), *given).run()
    assert ended.returncode == 1
    assert re.search(r"dmpfeed\.yaml:\d+:\d+: ", ended.stderr) and asks_for in ended.stderr
    assert TOKEN not in ended.stderr + ended.stdout
