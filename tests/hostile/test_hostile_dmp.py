"""What answers at the DMP's address may be anything: it is read to a limit, is never believed, and the document waits."""

from __future__ import annotations

import gzip
import itertools
import re
from dataclasses import dataclass, field

import pytest

from gateway import Gateway
from harm import Before, assert_unharmed
from lying_dmp import LyingDmp, RIGHT, answers, envelope, failure, response
from samples import hand_in, numbered

SHORT = {"first": "100 ms", "most": "100 ms", "probe": "100 ms", "connect": "5 s", "exchange": "1500 ms",
         "most_reply": "256 KiB", "log": "info"}
LIMIT = "the reply is larger than 262144 bytes"
KIB = 1024

DOUBT, HALT, BUSY = ("queued", "doubtful"), ("queued", "lane_stopped"), ("queued", "retrying")
REJECTED, DELIVERED = ("rejected", "dmp_error"), ("delivered", None)


@dataclass(frozen=True)
class Lie:
    answer: object  # bytes, or how to make pieces of them
    first: tuple  # what is said of the document after it
    code: str
    words: str  # a pattern of what is written down of it
    end: str = field(default="")

    def pieces(self):
        return [self.answer] if isinstance(self.answer, bytes) else self.answer()


def unread(body: bytes, words: str, **about) -> Lie:
    return Lie(response(body, **about), DOUBT, "http", words)


def cut(answer, words: str = ".") -> Lie:
    return Lie(answer, DOUBT, "transport", words)


def multipart(body: bytes, words: str, parameters: str) -> Lie:
    return unread(body, words, content_type=f'multipart/related; type="application/xop+xml"; {parameters}')


def dtd(declarations: str, inside: str) -> bytes:
    return envelope(answers.SUCCESS.replace("/>", f">{inside}</rs:RegistryResponse>"),
                    before=f"<!DOCTYPE a [{declarations}]>")


BOMB = '<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in itertools.pairwise("abcdefghij"))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n"
DOCTYPE, NEITHER = "the answer has a DOCTYPE, which is refused", "the SOAP answer holds neither a result nor a fault"
NOT_XML = "the answer is not XML"
PART = b"--b\r\nContent-Type: application/xop+xml\r\nContent-ID: <r>\r\n\r\n"


def forever(start: bytes, piece: bytes):
    return lambda: itertools.chain([start], itertools.repeat(piece))


LIES = {
    # XML
    "an entity bomb": unread(dtd(BOMB, "&j;"), DOCTYPE),
    "an external entity": unread(dtd('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"), DOCTYPE),
    "an external DTD": unread(envelope(answers.SUCCESS, '<!DOCTYPE a SYSTEM "https://127.0.0.1:1/a.dtd">'), DOCTYPE),
    "a parameter entity": unread(dtd('<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;', ""), DOCTYPE),
    "nested elements": unread(envelope("<a>" * 500 + "</a>" * 500), "the answer is nested too deep"),
    "attributes without end": unread(b"<a " + b" ".join(b"a%d=''" % n for n in range(20_000)) + b"/>", "too many attributes"),
    "namespaces without end": unread(b"<a " + b" ".join(b"xmlns:a%d='u'" % n for n in range(10_000)) + b"/>",
                                     NOT_XML),
    "an undeclared entity": unread(envelope(answers.SUCCESS.replace("/>", ">&x;</rs:RegistryResponse>")), NOT_XML),
    "no end": unread(envelope(answers.SUCCESS)[:-20], NOT_XML),
    "two roots": unread(envelope(answers.SUCCESS) * 2, NOT_XML),
    "NUL": unread(envelope(answers.SUCCESS).replace(b"<soap:Body>", b"<soap:Body>\0"), NOT_XML),
    "no UTF-8": unread(envelope(answers.SUCCESS).replace(b"<soap:Body>", b"<soap:Body>\xff\xfe\xc3("), NOT_XML),
    "nothing": unread(b"", "the answer is empty"),
    "blanks": unread(b" " * 100 * KIB, "the answer is empty"),
    "a page": unread(b"<html><body><script>forged</script></body></html>", "the answer is XML but not SOAP"),
    "a success in a comment": unread(envelope(f"<!-- {answers.SUCCESS} -->"), NEITHER),
    "a success in CDATA": unread(envelope(f"<![CDATA[{answers.SUCCESS}]]>"), NEITHER),
    "a success in the header": unread(envelope("").replace(b"</soap:Header>", answers.SUCCESS.encode() + b"</soap:Header>"),
                                      NEITHER),
    "a success that is not SOAP's": unread(answers.SUCCESS.encode(), "the answer is XML but not SOAP"),
    "a success of another namespace": unread(envelope(answers.SUCCESS.replace("rs:3.0", "rs:forged")), NEITHER),

    # MIME
    "another boundary": multipart(PART + envelope(answers.SUCCESS) + b"\r\n--b--\r\n", "holds no whole part", "boundary=c"),
    "no boundary": multipart(PART + envelope(answers.SUCCESS) + b"\r\n--b--\r\n", "gives no boundary", "x=y"),
    "an empty boundary": multipart(b"--\r\n\r\n\r\n----", "gives no boundary", 'boundary=""'),
    "a boundary of 200 characters": multipart(b"--b", "gives no boundary|holds no whole part", "boundary=" + "b" * 200),
    "a boundary that is not closed": multipart(b"--b", "boundary|no whole part", 'boundary="b'),
    "parts without end": multipart(b"--b\r\n" * 50_000, "holds no whole part", "boundary=b"),
    "headers of a part without end": multipart(b"--b\r\n" + b"X: y\r\n" * 40_000, "holds no whole part", "boundary=b"),
    "a part that is not closed": multipart(PART + envelope(answers.SUCCESS), "holds no whole part", "boundary=b"),
    "a part in gzip": multipart(PART + gzip.compress(envelope(answers.SUCCESS)) + b"\r\n--b--\r\n", NOT_XML, "boundary=b"),

    # HTTP
    "a gzip bomb": unread(gzip.compress(b"a" * (100 << 20)), NOT_XML, status="200 OK\r\nContent-Encoding: gzip"),
    "a body without end": cut(forever(HEAD + b"\r\n", b"a" * 65536), LIMIT),
    "chunks without end": cut(forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"a" * 4096 + b"\r\n"), LIMIT),
    "a trailer without end": cut(forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 1000)),
    "a body that is announced too large": cut(response(b"", length=1 << 40), LIMIT + "|timed out|transfer closed"),
    "a length of 30 digits": unread(b"", "the answer is empty", length=10**29),
    "a length below zero": cut(response(b"", length=-1)),
    "a body that is shorter than announced": cut(response(b"<a/>", length=100)),
    "a size of a chunk beyond 64 bits": cut(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\na"),
    "a size of a chunk that is none": cut(HEAD + b"Transfer-Encoding: chunked\r\n\r\nforged\r\n"),
    "a header of 1 MiB": cut(HEAD + b"X: " + b"y" * (1 << 20)),
    "headers without end": cut(forever(HEAD, b"X: y\r\n" * 1000)),
    "100 Continue without end": cut(forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500)),
    "no HTTP": cut(b"forged\r\n\r\n"),
    "HTTP/0.9": cut(envelope(answers.SUCCESS)),
    "a status of six digits": cut(b"HTTP/1.1 200000 OK\r\n\r\n"),
    "HTTP/2": cut(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "no byte at all": cut(b""),
    "half a head": Lie(HEAD, DOUBT, "http", "the answer is empty"),
    "a redirect to a file": Lie(response(b"", "Location: file:///etc/passwd", status="302 Found"), HALT, "http", ".*"),
    "a redirect elsewhere": Lie(response(b"", "Location: https://127.0.0.1:1/", status="307 Moved"), HALT, "http", ".*"),
    "a password is asked for": Lie(response(b"", 'WWW-Authenticate: Basic realm="forged"', status="401 No"), HALT, "http", ".*"),

    # words that are written down
    "an endless word": Lie(response(envelope(failure("XDSRegistryBusy", "x" * 200 * KIB))), BUSY, "XDSRegistryBusy", "x{100}"),
    "a line in a word": Lie(response(envelope(failure("XDSRegistryBusy", "x\n<3>forged\r\n\x85\u2028y"))), BUSY,
                            "XDSRegistryBusy", "x"),
    "a bidi override in a word": Lie(response(envelope(failure("XDSRegistryBusy", "x\u202egnp.\u009b2J"))), BUSY, "XDSRegistryBusy", "x"),
    "SQL in a word": Lie(response(envelope(failure("XDSRegistryBusy", "'; DROP TABLE document; --"))), BUSY,
                         "XDSRegistryBusy", "'; DROP"),
    "formats in a word": Lie(response(envelope(failure("XDSRegistryBusy", "%n%n%s%999999d"))), BUSY, "XDSRegistryBusy", "%n%n"),
    "blanks in a code": Lie(response(envelope(failure("forged outcome=delivered reason=none", "x"))), REJECTED,
                            "forged outcome=delivered", "x", end="rejected"),
    "a known code after it": Lie(response(envelope(failure("XDSRegistryBusy", "x"))), BUSY, "XDSRegistryBusy", "x"),
    "a line in a code": Lie(response(envelope(failure("forged&#10;&#13;<3>forged".replace("&#10;&#13;", "\n"), "x"))), REJECTED,
                            "forged", "x", end="rejected"),
    "an endless code": Lie(response(envelope(failure("X" * 100 * KIB, "x"))), REJECTED, "X{20}", "x", end="rejected"),
}


@pytest.fixture(scope="module")
def dmp(pki):
    with LyingDmp(pki) as dmp:
        yield dmp


@pytest.fixture(scope="module")
def before(dmp, pki, tmp_path_factory):
    with Gateway(tmp_path_factory.mktemp("door") / "gateway", dmp.url, pki, **SHORT) as gateway:
        yield Before.of(gateway)


def settled(gateway: Gateway, doc: str) -> list[dict]:
    return [each for each in gateway.ctl("show", doc)["events"] if each["what"] == "settled"]


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_understood_as_one(gateway, dmp, name):
    lie = LIES[name]
    dmp.answers.append(lie.pieces())
    doc = hand_in(gateway, "mllp", numbered(list(LIES).index(name)))
    assert gateway.wait_final(doc) == (lie.end or "delivered")
    first, *_ = events = settled(gateway, doc)
    assert (first["state"], first["reason"]) == lie.first, first
    assert re.match(lie.code, first["code"] or ""), first
    assert re.search(lie.words, first["text"] or ""), first
    assert len(first["text"] or "") <= 4096 and len(first["code"] or "") <= 256
    assert len(events) == (1 if lie.end else 2)
    assert gateway.status()["lanes"][0]["state"] == "open"


def test_it_asked_for_nothing_but_what_it_had_to(gateway, dmp):
    assert {line.split()[0] for line in dmp.asked} == {b"POST"}
    assert {line.split()[1] for line in dmp.asked} == {b"/si-dmp-server/v2/services/repository"}


def test_who_answers_byte_by_byte_is_left_at_the_timeout(gateway, dmp):
    def drip():
        for byte in RIGHT:
            yield bytes([byte])
            dmp.ending.wait(0.05)

    dmp.answers.append(drip())
    doc = hand_in(gateway, "mllp", numbered(len(LIES)))
    assert gateway.wait_final(doc) == "delivered"
    first, _ = settled(gateway, doc)
    assert (first["state"], first["reason"], first["code"]) == (*DOUBT, "transport")


def test_the_daemon_is_unharmed(before):
    assert_unharmed(before, lambda: numbered(len(LIES) + 1))
