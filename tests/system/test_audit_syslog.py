"""The audit trail, forwarded to a syslog collector: every row, in order, whatever befalls either side."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import subprocess
import time

import metrics
import pytest
from collector import Collector
from gateway import FINESS_EG, FINESS_EJ, free_port, is_sanitized
from samples import hand_in, numbered, patient_words

MANY = 6000
PACE = "settle: 100 ms, timeout: 20 s, retry: { first: 100 ms, most: 200 ms }"

NEVER_SURE = PACE.replace("100 ms", "1 h", 1)  # what was sent has arrived


def keys(pki, address: str, more: str = "", pace: str = PACE, ca: str = "ca") -> str:
    return f'audit: {{ syslog: {{ address: "{address}", tls: {{ ca: {pki}/{ca}.pem{more} }}, {pace} }} }}'


def told(gateway) -> dict:
    return gateway.status()["audit"]


def store(gateway, sql: str, *values) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(gateway.folder / "state" / "queue.db")) as opened, opened:
        return opened.execute(sql, values).fetchall()


def newest(gateway) -> int:
    return store(gateway, "SELECT max(n) FROM (SELECT max(number) AS n FROM ledger UNION SELECT max(number) FROM act)")[0][0]


def have_many(gateway, rows: int = MANY, text_bytes: int = 200):
    """As many rows as a day without a collector leaves, while the daemon is down."""
    gateway.start()
    gateway.stop()
    store(gateway, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO act"
                   " (number, at_ms, what, subject, text, actor, node, digest) SELECT i, 1795262400000 + i, 'tried',"
                   " 'row ' || i, hex(zeroblob(? / 2)), 'nobody', 'gw', zeroblob(32) FROM n",
          rows, text_bytes)


def wait_forwarded(gateway, number: int, timeout: float = 30):
    """The store knows that the collector has them."""
    deadline = time.monotonic() + timeout
    while told(gateway)["forwarded"] < number or told(gateway)["waiting"] > 0:
        assert time.monotonic() < deadline, told(gateway)
        time.sleep(0.02)


def wait_alert(gateway, change: str):
    """A reload has the alerts looked at, and makes none forget since when it is so."""
    deadline = time.monotonic() + 20
    while not gateway.journal.find(rf"alert=audit_not_forwarded subject=127\S+ {change}"):
        assert time.monotonic() < deadline
        gateway.ctl("reload")


def assert_all(collector, last: int, repeats: bool = False):
    """Each row, on each connection without a gap; once, unless a connection broke."""
    assert set(collector.rows) == set(range(1, last + 1))
    assert repeats or collector.rows == list(range(1, last + 1))
    for connection in range(collector.connections):
        rows = [each.row for each in collector.received if each.connection == connection]
        assert rows == list(range(rows[0], rows[0] + len(rows))) if rows else True


def test_every_row_comes_once_and_in_order(make_gateway, pki):
    with Collector(pki, mutual=True) as collector:
        gateway = make_gateway(extra=keys(pki, collector.address, f", cert: {pki}/auth.pem, key: {pki}/auth.key")).start()
        docs = [hand_in(gateway, "mllp", numbered(number)) for number in range(3)]
        docs.append(hand_in(gateway, "drop", numbered(3), "PAT-TROIS DOMINIQUE.xml"))
        for doc in docs:
            gateway.wait_final(doc)
        gateway.ctl("stays", "--without-letter")
        last = newest(gateway)
        collector.wait_row(last)
        wait_forwarded(gateway, last)
        assert_all(collector, last)

        first, act = collector.received[0], collector.received[-1]
        assert (first.priority, first.app, first.what, first.element) == (85, "dmpfeedd", "received", "dmpfeed@32473")
        assert first.text == f"document {docs[0]} received: queued"
        assert {name: first.values[name] for name in ("doc", "entity", "site", "source", "channel", "action", "type")} == {
            "doc": docs[0], "entity": FINESS_EJ, "site": FINESS_EG, "source": "DPI", "channel": "mllp", "action": "submit",
            "type": "11490-0"}
        assert (act.what, act.values["subject"]) == ("read", "stays without a letter")
        assert re.fullmatch(r"\S+ \(\d+\)", act.values["actor"])
        assert act.text.startswith("read stays without a letter: stays=0 ") and act.values["actor"] in act.text
        settled = [each for each in collector.received if each.what == "settled"]
        assert len(settled) == 4 and all(each.values["attempt"] == "1" and "ms" in each.values for each in settled)
        # what the chain was, provably
        assert [each.values["digest"] for each in collector.received] == [
            digest for _, digest in store(gateway, "SELECT number, lower(hex(digest)) FROM ledger UNION SELECT number,"
                                                   " lower(hex(digest)) FROM act ORDER BY 1")]
        assert gateway.ctl("verify")["head"] == act.values["digest"]
        whole = "\n".join(each.line for each in collector.received).lower()
        for word in patient_words():
            assert word.lower() not in whole

        assert (told(gateway)["state"], told(gateway)["connected"], told(gateway)["forwarded"]) == ("open", True, last)
        assert metrics.value(metrics.of(gateway), "dmpfeed_audit_forwarded_row", collector=collector.address) == last
        assert [each["role"] for each in gateway.ctl("certs") if each["owner"] == "audit"] == ["collector"]

        # what it knows lasts
        gateway.kill()
        gateway.start()
        gateway.wait_final(hand_in(gateway, "mllp", numbered(9)))
        collector.wait_row(last + 3)
        assert_all(collector, last + 3)


def test_a_collector_that_was_away_gets_what_it_missed(make_gateway, pki):
    collector = Collector(pki, port=free_port())
    gateway = make_gateway(extra=keys(pki, collector.address) +
                           "\nalerts: { audit_not_forwarded: { warning: 1 s, critical: 1 d } }").start()
    for number in range(3):
        assert gateway.wait_final(hand_in(gateway, "mllp", numbered(number))) == "delivered"
    gateway.journal.wait(rf"^<4>audit_collector address={collector.address} state=slowed after_row=0 resumes=\S+: "
                         "Connection refused")
    wait_alert(gateway, r"raised severity=warning: The collector of the audit trail, \S+, has taken nothing for ")
    assert told(gateway)["state"] == "slowed" and told(gateway)["why"] == "Connection refused"
    with collector:
        gateway.wait_final(hand_in(gateway, "mllp", numbered(5)))  # behind what notes the reload
        last = newest(gateway)
        collector.wait_row(last)
        wait_forwarded(gateway, last)
        assert_all(collector, last)
        gateway.journal.wait("audit_collector address=.* state=open")
        wait_alert(gateway, "cleared")


def test_a_collector_that_dies_gets_again_what_it_may_not_have_had(make_gateway, pki):
    collector = Collector(pki, port=free_port())
    gateway = make_gateway(extra=keys(pki, collector.address, pace=NEVER_SURE))
    have_many(gateway)
    collector.stop_after = MANY // 3
    with collector:
        gateway.start()
        gateway.journal.wait("audit_collector address=.* state=slowed")
        collector.stop_after = None
        collector.start()
        collector.wait_row(MANY)
        assert_all(collector, MANY, repeats=True)
        assert collector.connections == 2


def test_a_gateway_that_is_killed_goes_on_where_it_was(make_gateway, pki):
    with Collector(pki) as collector:
        gateway = make_gateway(extra=keys(pki, collector.address))
        have_many(gateway)
        for share in (3, 2):
            gateway.start()
            collector.wait(lambda it: len(it.received) > MANY // share)
            gateway.kill()
        gateway.start()
        collector.wait_row(MANY)
        wait_forwarded(gateway, MANY)
        assert_all(collector, MANY, repeats=True)


def test_who_cannot_prove_who_it_is_gets_nothing(make_gateway, pki):
    with Collector(pki, name="auth") as impostor, Collector(pki) as collector:
        gateway = make_gateway(extra=keys(pki, impostor.address)).start()
        gateway.wait_final(hand_in(gateway, "mllp", numbered(1)))
        gateway.journal.wait(r"audit_collector address=\S+ state=slowed .*: the peer's certificate is refused")
        # of the right authority, and for another name
        before = gateway.config.read_text()
        gateway.config.write_text(before.replace(impostor.address, collector.address).replace(
            "ca.pem }, settle", "ca.pem, name: elsewhere.example }, settle"))
        gateway.ctl("reload")
        gateway.journal.wait(r"state=slowed .*: the peer's certificate is refused: hostname mismatch")
        assert impostor.received == collector.received == []
        gateway.config.write_text(before.replace(impostor.address, collector.address))
        gateway.ctl("reload")
        gateway.wait_final(hand_in(gateway, "mllp", numbered(2)))  # behind what notes the reload
        last = newest(gateway)
        collector.wait_row(last)
        assert_all(collector, last)
        # and it may end at any time
        gateway.config.write_text(before.replace(keys(pki, impostor.address), ""))
        gateway.ctl("reload")
        assert told(gateway) is None


def test_a_collector_that_does_not_read_costs_nothing(make_gateway, pki):
    with Collector(pki) as collector:
        collector.reading.clear()
        gateway = make_gateway(extra=keys(pki, collector.address))
        have_many(gateway, text_bytes=8000)  # 48 MB, of which the sockets keep some
        gateway.start()
        collector.wait(lambda it: it.connections == 1)
        gateway.wait_final(hand_in(gateway, "mllp", numbered(0)))
        gateway.forget_most_memory()
        before = gateway.memory()["VmHWM"]
        for number in range(1, 20):
            assert gateway.wait_final(hand_in(gateway, "mllp", numbered(number))) == "delivered"
        assert is_sanitized() or gateway.memory()["VmHWM"] < before + (16 << 10)
        assert told(gateway)["waiting"] > 0
        last = newest(gateway)
        collector.reading.set()
        collector.wait_row(last)
        wait_forwarded(gateway, last)
        assert_all(collector, last)


def test_one_that_takes_nothing_for_too_long_is_left(make_gateway, pki):
    with Collector(pki) as collector:
        collector.reading.clear()
        gateway = make_gateway(extra=keys(pki, collector.address, pace=PACE.replace("20 s", "500 ms").replace(
            "settle", "max_line: 64 KiB, settle")))
        have_many(gateway, MANY // 3, text_bytes=8000)  # more than two sockets keep
        gateway.start()
        gateway.journal.wait("state=slowed .*: the collector takes nothing")
        collector.reading.set()
        collector.wait_row(MANY // 3)
        assert_all(collector, MANY // 3, repeats=True)


@pytest.mark.parametrize("changes, wanted", [
    ({"ca: PKI/ca.pem": 'ca: ""'}, r"audit\.syslog\.tls\.ca is missing"),
    ({"ca.pem }": "ca.pem, cert: PKI/auth.pem }"}, r"audit\.syslog\.tls\.cert and audit\.syslog\.tls\.key go together"),
    ({"ca.pem }": "ca.pem, cert: PKI/auth.pem, key: PKI/sign.key }"}, r"audit\.syslog\.tls\.(key|cert): .*auth\.pem"),
    ({"ca.pem }": "missing.pem }"}, r"audit\.syslog\.tls\.ca is .*missing\.pem, which cannot be used"),
    ({"127.0.0.1:6514": "10.1.2.3:6514"}, "a rehearsal sends to this machine only"),
    ({"127.0.0.1:6514": "collector.example:6514"}, "write an IP address and a port"),
    ({"most: 200 ms": "most: 50 s, first: 60 s", "first: 100 ms, ": ""}, r"audit\.syslog\.retry\.most must not be shorter"),
    ({"settle: 100 ms": "settle: 1 ms"}, "settle"),
])
def test_what_is_wrong_is_found_before(make_gateway, pki, changes, wanted):
    extra = keys(pki, "127.0.0.1:6514")
    for old, new in changes.items():
        assert old.replace("PKI", str(pki)) in extra
        extra = extra.replace(old.replace("PKI", str(pki)), new.replace("PKI", str(pki)))
    checked: subprocess.CompletedProcess = make_gateway(extra=extra).run("--check-config")
    assert checked.returncode == 1
    assert re.search(rf"dmpfeed\.yaml:\d+:\d+: .*{wanted}", checked.stderr + checked.stdout), checked.stderr
