"""The HL7 v2 door under what real senders do to it, with the real daemon: the inputs that engines get wrong, limits,
TLS, the list of peers, and many connections for a while.
"""

from __future__ import annotations

import contextlib
import random
import select
import socket
import ssl
import statistics
import time

import pytest

from gateway import END, VT, Gateway, Mllp, is_sanitized
from samples import hand_in, large_document, mdm_t02, numbered, read, unique_id
from soak import Soak

LETTER = read("discharge-letter.xml")
MIB_KIB = 1024


def listener(gateway: Gateway) -> dict:
    return gateway.status()["listeners"][0]


def wait_listener(gateway: Gateway, **expected) -> dict:
    """Its figures, once these are as expected."""
    deadline = time.monotonic() + 20
    while True:
        figures = listener(gateway)
        if all(figures[name] == value for name, value in expected.items()):
            return figures
        assert time.monotonic() < deadline, figures


def codes(mllp: Mllp, count: int) -> list[tuple[str, str]]:
    return [(ack.code, ack.control_id) for ack in (mllp.read() for _ in range(count))]


# ---- the nine inputs, and a full disk (which test_disk.py has) ----

def test_three_frames_in_one_write_are_answered_in_order(gateway, simulator):
    documents = [numbered(number) for number in range(3)]
    with gateway.connect() as mllp:
        mllp.socket.sendall(b"".join(VT + mdm_t02(cda, control_id=f"N{n}") + END for n, cda in enumerate(documents)))
        assert codes(mllp, 3) == [("AA", "N0"), ("AA", "N1"), ("AA", "N2")]
    gateway.settled()
    assert set(simulator.received()) == {unique_id(cda) for cda in documents}


def test_a_frame_may_arrive_one_byte_at_a_time(gateway):
    with gateway.connect() as mllp:
        for byte in VT + mdm_t02(LETTER, control_id="SLOW") + END:
            mllp.socket.sendall(bytes([byte]))
        assert codes(mllp, 1) == [("AA", "SLOW")]


def test_junk_before_a_frame_is_skipped_and_counted(gateway):
    with gateway.connect() as mllp:
        mllp.socket.sendall(b"junk\r\n" + VT + mdm_t02(LETTER, control_id="N1") + END + b"\n\n")
        assert codes(mllp, 1) == [("AA", "N1")]
        assert mllp.send(mdm_t02(numbered(1))).code == "AA"
        assert listener(gateway)["stray_bytes"] == 8
    gateway.journal.wait(r"^<4>mllp_stray listener=mllp .* bytes=8\b")


@pytest.mark.parametrize("payload", [b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n", b"PID|1||123\r", b"msh|^~\\&|A\r"],
                         ids=["http", "no header", "small letters"])
def test_a_frame_without_msh_is_rejected_never_accepted(gateway, payload):
    with gateway.connect() as mllp:
        mllp.socket.sendall(VT + payload + END)
        ack = mllp.read()
        assert (ack.code, [(each["code"], each["reason"]) for each in ack.errors]) == ("AR", [("100", "no_header")])
        assert mllp.send(mdm_t02(LETTER)).code == "AA", "the connection goes on"
    assert len(gateway.documents()) == 1


def test_the_same_message_again_gives_aa_and_nothing_new(gateway, simulator):
    doc = hand_in(gateway, "mllp", LETTER)
    for _ in range(3):
        assert gateway.send(mdm_t02(LETTER)).code == "AA"
    assert gateway.wait_final(doc) == "delivered"
    assert gateway.send(mdm_t02(LETTER, control_id="ANOTHER")).code == "AA"
    assert list(gateway.settled()) == [unique_id(LETTER)]
    assert [each["verdict"] for each in simulator.exchanges()] == ["stored"]


def test_latin_1_bytes_under_a_latin_1_declaration_are_read(gateway, simulator):
    message = mdm_t02(LETTER, control_id="LATIN").decode()
    head, rest = message.split("\r", 1)
    assert head.count("|UNICODE UTF-8|") == 1 and "é" in rest
    latin = (head.replace("|UNICODE UTF-8|", "|8859/1|") + "\r" + rest).encode("latin-1")
    with pytest.raises(UnicodeDecodeError):
        latin.decode("utf-8")
    ack = gateway.send(latin)
    assert (ack.code, ack.control_id, ack.errors) == ("AA", "LATIN", [])
    gateway.settled()
    assert simulator.document(unique_id(LETTER)) == LETTER


def test_no_end_block_then_fin_is_closed_and_nothing_is_stored(gateway):
    with gateway.connect() as mllp:
        mllp.socket.sendall(VT + mdm_t02(LETTER))
        mllp.socket.shutdown(socket.SHUT_WR)
        assert mllp.read() is None
    gateway.journal.wait(r"^<4>mllp_frame_cut listener=mllp ")
    assert wait_listener(gateway, broken_frames=1, connections=0)["messages"] == 0
    assert gateway.documents() == []


def median_answer_ms(gateway: Gateway, numbers: range) -> float:
    """Of a good message over a connection of its own; held, so that no delivery is in its way."""
    times = []
    for number in numbers:
        since = time.monotonic()
        assert gateway.send(mdm_t02(numbered(number), identity_status="PROV")).code == "AA"
        times.append((time.monotonic() - since) * 1000)
    return statistics.median(times)


def test_300_half_open_senders_do_not_delay_a_good_one(start_gateway):
    """50 ms; on a machine that is too busy for that without them, twice what it needs."""
    gateway = start_gateway(listener=", max_connections: 400", log="info")
    alone = median_answer_ms(gateway, range(1, 16))
    with contextlib.ExitStack() as ends:
        for _ in range(300):
            half = ends.enter_context(gateway.connect())
            half.socket.sendall(VT + mdm_t02(LETTER)[:1000])
        wait_listener(gateway, connections=300)
        among = median_answer_ms(gateway, range(16, 31))
    print(f"answered in {alone:.1f} ms alone, in {among:.1f} ms among 300")
    assert among < max(50, 2 * alone)


# ---- limits ----

def test_a_connection_too_many_is_closed_and_counted(start_gateway):
    gateway = start_gateway(listener=", max_connections: 2")
    with gateway.connect() as first, gateway.connect() as second:
        wait_listener(gateway, connections=2)
        with gateway.connect() as third:
            assert third.read() is None
        assert first.send(mdm_t02(LETTER)).code == second.send(mdm_t02(LETTER)).code == "AA"
    assert listener(gateway)["refused_connections"] == 1
    gateway.journal.wait(r"^<4>mllp_connection_refused listener=mllp .*there are 2 already")


def test_a_frame_that_never_ends_is_closed_at_the_idle_limit(start_gateway):
    gateway = start_gateway(listener=", idle: 300 ms")
    with gateway.connect() as mllp:
        mllp.socket.sendall(VT + b"MSH|")
        assert mllp.read() is None
    wait_listener(gateway, broken_frames=1, connections=0)


def push(frame: bytes, senders: list[Mllp]):
    """That frame on all of them, without its last byte, as far as their peer reads."""
    left = {sender.socket: memoryview(frame)[:-1] for sender in senders}
    for each in left:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        each.setblocking(False)
    while writable := select.select([], [each for each in left if left[each]], [], 0.5)[1]:
        for each in writable:
            left[each] = left[each][each.send(left[each]):]


def test_at_the_limit_of_bytes_in_flight_the_daemon_stops_reading_and_does_not_grow(start_gateway):
    """Twenty senders begin a message of 1 MiB each and do not end it: the daemon reads until it holds 2 MiB, what was
    read at once beyond it, and the rest of the eldest message. Then it reads the others no more.
    """
    gateway = start_gateway(max_message="2 MiB", listener=", max_in_flight: 2 MiB", log="info")
    gateway.send(mdm_t02(numbered(1)))
    before = gateway.memory()["VmRSS"]
    frame = VT + mdm_t02(large_document(2, 780_000), identity_status="PROV") + END
    with contextlib.ExitStack() as ends:
        senders = [ends.enter_context(gateway.connect()) for _ in range(20)]
        push(frame, senders)
        most = listener(gateway)["in_flight_bytes"]
        grown = gateway.memory()["VmRSS"] - before
        print(f"{most} bytes in flight of {20 * len(frame)}, {grown} KiB more")
        assert 2 << 20 <= most < (2 << 20) + 20 * (128 << 10) + len(frame)
        assert grown < 10 * MIB_KIB or is_sanitized()
    wait_listener(gateway, connections=0, in_flight_bytes=0)
    assert gateway.send(mdm_t02(numbered(3))).code == "AA"


# ---- who may come in ----

def test_a_peer_that_is_not_in_the_list_is_closed_unread(start_gateway):
    gateway = start_gateway(listener=', allow: ["10.0.0.0/8", "127.0.0.2"]')
    with gateway.connect() as mllp:
        assert mllp.send(mdm_t02(LETTER)) is None
    assert wait_listener(gateway, refused_peers=1)["messages"] == 0
    gateway.journal.wait(r"^<4>mllp_peer_refused listener=mllp peer=127\.0\.0\.1:")
    with socket.create_connection(gateway.mllp_address, 20, source_address=("127.0.0.2", 0)) as allowed:
        allowed.sendall(VT + mdm_t02(LETTER) + END)
        assert b"\rMSA|AA|" in allowed.recv(4096)


# ---- TLS ----

def tls_settings(pki, more: str = "") -> str:
    return f", tls: {{ cert: {pki}/server.pem, key: {pki}/server.key{more} }}"


class TlsMllp(Mllp):
    def __init__(self, address, pki, certificate: str | None = None):
        super().__init__(address)
        context = ssl.create_default_context(cafile=pki / "ca.pem")
        context.check_hostname = False
        if certificate:
            context.load_cert_chain(pki / f"{certificate}.pem", pki / f"{certificate}.key")
        self.socket = context.wrap_socket(self.socket)


def test_messages_come_through_tls(start_gateway, simulator, pki):
    gateway = start_gateway(listener=tls_settings(pki))
    with TlsMllp(gateway.mllp_address, pki) as mllp:
        assert mllp.socket.version() == "TLSv1.3"
        mllp.socket.sendall(b"".join(VT + mdm_t02(numbered(n), control_id=f"N{n}") + END for n in range(20)))
        assert codes(mllp, 20) == [("AA", f"N{n}") for n in range(20)]
        assert mllp.send(mdm_t02(large_document(99, 5_000_000), identity_status="PROV")).code == "AA"
    assert (listener(gateway)["tls"], listener(gateway)["failed_handshakes"]) == (True, 0)
    gateway.settled()
    assert len(simulator.received()) == 20


def test_mutual_tls_wants_a_certificate_and_tells_whose(start_gateway, pki):
    gateway = start_gateway(listener=tls_settings(pki, f", client_ca: {pki}/ca.pem"))
    with TlsMllp(gateway.mllp_address, pki, "auth") as mllp:
        assert mllp.send(mdm_t02(LETTER)).code == "AA"
    gateway.journal.wait(r'mllp_connection listener=mllp .* phase=reading: TLSv1\.3 certificate=".+"')
    with contextlib.suppress(OSError), TlsMllp(gateway.mllp_address, pki) as mllp:
        assert mllp.send(mdm_t02(LETTER)) is None
    wait_listener(gateway, failed_handshakes=1, connections=0)
    gateway.journal.wait(r"^<4>mllp_handshake_failed listener=mllp .*did not return a certificate")


def test_a_sender_without_tls_is_told_apart(start_gateway, pki):
    gateway = start_gateway(listener=tls_settings(pki))
    with gateway.connect() as mllp:
        assert mllp.send(mdm_t02(LETTER)) is None
    gateway.journal.wait(r"^<4>mllp_handshake_failed listener=mllp .*the peer does not speak TLS: .* 0x0B")
    assert wait_listener(gateway, failed_handshakes=1)["messages"] == 0


def test_what_is_wrong_with_the_tls_of_a_listener_is_told_at_start(tmp_path, simulator, pki):
    other = Gateway(tmp_path / "other", simulator.url, pki, listener=tls_settings(pki).replace("server.key", "auth.key"))
    done = other.run("--check-config")
    assert done.returncode != 0
    assert "dmpfeed.yaml:" in done.stderr and "tls.key: " in done.stderr and "is not the key of" in done.stderr


# ---- several at once, and for a while ----

def test_listeners_are_as_many_as_wanted(start_gateway, pki):
    """Each with its own name, source, and limits."""
    second = ('\n    - { name: ris, listen: "127.0.0.1:0", site: "990012345", source: RIS, max_message: 64 KiB }'
              f'\n    - {{ name: sil, listen: "127.0.0.1:0", site: "990012345", source: SIL{tls_settings(pki)} }}')
    gateway = start_gateway(listener=" }" + second[:-2])
    addresses = {each["name"]: each["address"].rpartition(":") for each in gateway.status()["listeners"]}
    assert sorted(addresses) == ["mllp", "ris", "sil"]
    host, _, port = addresses["ris"]
    with Mllp((host, int(port))) as mllp:
        assert mllp.send(mdm_t02(LETTER)).code == "AA"
        assert mllp.send(mdm_t02(large_document(1, 100_000))).code == "AE"
    host, _, port = addresses["sil"]
    with TlsMllp((host, int(port)), pki) as mllp:
        assert mllp.send(mdm_t02(numbered(2))).code == "AA"
    assert {each["source"] for each in gateway.documents()} == {"RIS", "SIL"}


def test_two_hundred_connections_for_ten_seconds_get_every_answer(start_gateway):
    """scripts/torture --soak 600 is the long form."""
    seed = random.randrange(10**6)
    gateway = start_gateway(listener=", max_connections: 300", log="info")
    report = Soak(gateway, 200, 10, seed).run()
    print(f"seed {seed}:", report.text())
    assert report.troubles == []
    assert report.sent == report.answered > 500
    assert report.most_memory < 80 * MIB_KIB or is_sanitized()
    assert wait_listener(gateway, in_flight_bytes=0, connections=0)
