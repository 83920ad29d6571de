"""What is judged before any SOAP: TLS, and the head of the HTTP request."""

import socket
import ssl
from urllib.parse import urlsplit

import pytest

from reference_client import PATH, new_message, tls_context

HEAD = f"POST {PATH} HTTP/1.1\r\nHost: dmp.example\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"

BAD_HEADS = [
    pytest.param("POST", "GET", 405, "HTTP method", id="not POST"),
    pytest.param("HTTP/1.1", "HTTP/1.0", 505, "HTTP version", id="HTTP/1.0"),
    pytest.param("Host: dmp.example\r\n", "", 400, "Host", id="no Host"),
    pytest.param(
        "Content-Type: text/plain",
        "Content-Type: a/b\r\nContent-Type: a/b",
        400,
        "Content-Type",
        id="two Content-Types",
    ),
    pytest.param("Content-Length: 0\r\n", "", 411, "Content-Length", id="no length"),
    pytest.param("Content-Length: 0", "Transfer-Encoding: chunked", 411, "Content-Length", id="chunked"),
    pytest.param("Content-Length: 0", "Content-Length: ten", 400, "Content-Length", id="length in letters"),
    pytest.param("Content-Length: 0", "Content-Length: 60000000", 413, "Content-Length", id="too large"),
    pytest.param("Content-Length: 0", "Content-Length: 9\r\nExpect: 100-continue", 417, "Expect", id="expects 100"),
    pytest.param("/repository", "/habilitations", 404, "HTTP path", id="another service"),
    pytest.param("/repository", "/repository?x=1", 404, "HTTP path", id="a query"),
    pytest.param("Host: dmp.example\r\n", "Host: dmp.example\n", 400, "HTTP header", id="bare LF"),
    pytest.param("Host: dmp.example", "Host:\r\n dmp.example", 400, "HTTP header", id="folded header"),
    pytest.param(" HTTP/1.1", "", 400, "HTTP request line", id="no version"),
]


@pytest.mark.parametrize(("old", "new", "status", "place"), BAD_HEADS)
def test_a_wrong_head_is_refused_without_soap(sim, old, new, status, place):
    assert old in HEAD
    address = urlsplit(sim.addresses["listening"])
    with socket.create_connection((address.hostname, address.port), timeout=10) as raw, tls_context(
        sim.pki
    ).wrap_socket(raw, server_hostname=address.hostname) as tls:
        tls.sendall(HEAD.replace(old, new, 1).encode())
        reply = tls.makefile("rb").read().decode()
    assert reply.startswith(f"HTTP/1.1 {status} ")
    assert reply.partition("\r\n\r\n")[2].startswith(f"{place}: ")
    (line,) = sim.journal()
    assert (line["verdict"], line["code"]) == ("refused", f"HTTP{status}")


def test_one_connection_serves_many_requests(sim, client):
    for _ in range(3):
        assert client.send(new_message()).outcome == "Success"
    assert len(sim.received()) == 3


def shakes_hands(sim, context: ssl.SSLContext) -> bool:
    """In TLS 1.2 the server judges the client's certificate before the handshake ends."""
    address = urlsplit(sim.addresses["listening"])
    with socket.create_connection((address.hostname, address.port), timeout=10) as raw:
        try:
            context.wrap_socket(raw, server_hostname=address.hostname).close()
        except (ssl.SSLError, ConnectionError):
            return False
        return True


@pytest.mark.parametrize(("identity", "accepted"), [("auth", True), ("sign", False), (None, False)])
def test_only_an_organisation_certificate_for_tls_enters(sim, identity, accepted):
    assert shakes_hands(sim, tls_context(sim.pki, identity)) == accepted


def test_a_client_sends_its_intermediate(sim, pki, tmp_path):
    end = "-----END CERTIFICATE-----\n"
    (tmp_path / "leaf.pem").write_text((pki / "auth.pem").read_text().partition(end)[0] + end)
    context = tls_context(pki, identity=None)
    context.load_cert_chain(tmp_path / "leaf.pem", pki / "auth.key")
    assert not shakes_hands(sim, context)


def test_tls_1_3_is_not_spoken(sim):
    context = tls_context(sim.pki)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    assert not shakes_hands(sim, context)


@pytest.mark.parametrize(
    ("suite", "accepted"),
    [
        ("ECDHE-RSA-AES256-GCM-SHA384", True),
        ("ECDHE-RSA-AES128-GCM-SHA256", True),
        ("ECDHE-RSA-CHACHA20-POLY1305", True),
        ("ECDHE-RSA-AES256-SHA384", True),
        ("ECDHE-RSA-AES128-SHA256", False),
        ("DHE-RSA-AES256-GCM-SHA384", False),
        ("AES256-GCM-SHA384", False),
    ],
)
def test_only_the_four_suites_are_accepted(sim, suite, accepted):
    context = tls_context(sim.pki)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)
    assert shakes_hands(sim, context) == accepted


def test_a_slow_handshake_keeps_nobody_waiting(sim, client):
    address = urlsplit(sim.addresses["listening"])
    with socket.create_connection((address.hostname, address.port)):
        assert client.send(new_message()).outcome == "Success"
