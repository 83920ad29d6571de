"""Each thing that can go wrong on the way to the DMP, with the real daemon: what is said of the document after that
attempt, whether there is doubt, what the lane does, and how the document ends once the fault has passed.
"""

from __future__ import annotations

import csv
import datetime
from dataclasses import dataclass

import pytest

from certificates import revocation_list
from gateway import SOURCE, Gateway
from samples import hand_in, mdm_t02, numbered, read, unique_id

LETTER = read("discharge-letter.xml")
SHORT = {"first": "200 ms", "most": "400 ms", "probe": "300 ms", "connect": "2 s", "exchange": "2 s"}

DOUBT, RETRY, HALT = ("queued", "doubtful"), ("queued", "retrying"), ("queued", "lane_stopped")
CONFIRMED = "confirmed_by_duplicate"


@dataclass(frozen=True)
class Row:
    fault: dict
    first: tuple  # state and reason after the attempt that met it
    code: str | None = None  # what is written as its code; None: anything
    end: str = "delivered"
    note: str | None = None  # of the last attempt
    lane: str | None = None  # the state that the lane moved to; None: it stayed open

    @property
    def id(self) -> str:
        return "-".join(str(value) for value in self.fault.values())


def status(number: int, first: tuple, lane: str | None = None, end: str = "delivered") -> Row:
    return Row({"kind": "status", "status": number}, first, "http", end, lane=lane)


FAULTS = [
    # nothing wrong but slow, or in another form
    Row({"kind": "delay", "ms": 300}, ("delivered", None)),
    Row({"kind": "multipart"}, ("delivered", None)),
    Row({"kind": "content_type", "contentType": "text/plain"}, ("delivered", None)),
    Row({"kind": "slow_answer", "ms": 1, "bytes": 64}, ("delivered", None)),
    Row({"kind": "slow_reading", "ms": 5, "bytes": 1024}, ("delivered", None)),

    # it relates to another message: told, and not believed less for it
    Row({"kind": "other_message"}, ("delivered", None)),

    # no answer to a request that had left: it may be stored
    Row({"kind": "hold", "ms": 60000}, DOUBT, "transport", lane="slowed"),
    Row({"kind": "hold_after", "ms": 60000}, DOUBT, "transport", note=CONFIRMED, lane="slowed"),
    Row({"kind": "reset_before"}, DOUBT, "transport", lane="slowed"),
    Row({"kind": "reset_after"}, DOUBT, "transport", note=CONFIRMED, lane="slowed"),
    Row({"kind": "truncated"}, DOUBT, "transport", note=CONFIRMED, lane="slowed"),
    Row({"kind": "half"}, DOUBT, "http", note=CONFIRMED, lane="slowed"),
    Row({"kind": "slow_answer", "ms": 1000, "bytes": 16}, DOUBT, "transport", note=CONFIRMED, lane="slowed"),
    Row({"kind": "slow_reading", "ms": 1000, "bytes": 64}, DOUBT, "transport", lane="slowed"),

    # an answer that says nothing of the document
    status(500, DOUBT, "slowed"),
    status(502, DOUBT, "slowed"),
    status(503, DOUBT, "slowed"),
    status(504, DOUBT, "slowed"),
    status(408, RETRY, "slowed"),
    status(429, RETRY, "slowed"),
    Row({"kind": "garbage"}, DOUBT, "http", lane="slowed"),

    # the installation is at fault: one probe after the other until it is mended
    status(301, HALT, "stopped"),
    status(302, HALT, "stopped"),
    status(401, HALT, "stopped"),
    status(403, HALT, "stopped"),
    status(404, HALT, "stopped"),
    status(405, HALT, "stopped"),
    status(415, HALT, "stopped"),
    Row({"kind": "tls_alert", "alert": "handshake_failure"}, HALT, "transport", lane="stopped"),
    Row({"kind": "tls_alert", "alert": "unknown_ca"}, HALT, "transport", lane="stopped"),
    Row({"kind": "expired_certificate"}, HALT, "transport", lane="stopped"),
    Row({"kind": "fault", "subcode": "DMPInvalidCertificate", "text": "certificat invalide"}, HALT,
        "DMPInvalidCertificate", lane="stopped"),
    Row({"kind": "failure", "errorCode": "", "text": "Structure introuvable ou Inactive"}, HALT, "http", lane="stopped"),

    # the document is at fault
    status(400, ("rejected", "dmp_error"), end="rejected"),
    status(413, ("rejected", "too_large"), end="rejected"),
    Row({"kind": "failure", "errorCode": "NeverHeardOf", "text": "x"}, ("rejected", "dmp_error"), "NeverHeardOf",
        "rejected"),
    Row({"kind": "fault", "subcode": "NeverHeardOf", "text": "x"}, ("rejected", "dmp_error"), "NeverHeardOf", "rejected"),

    # the DMP is
    Row({"kind": "fault", "subcode": "NeverHeardOf", "text": "x", "value": "Receiver"}, RETRY, "NeverHeardOf"),
]


def attempts(gateway: Gateway, doc: str) -> list[dict]:
    """What was written down after each."""
    return [each for each in gateway.ctl("show", doc)["events"] if each["what"] == "settled"]


COUNTS_RIGHT = pytest.mark.usefixtures("even_books")
LIES = ("garbage", "half", "other_message", "truncated")


def marked(row: Row):
    """What was counted is counted anew after each answer that lies, or points elsewhere."""
    is_lie = row.fault["kind"] in LIES or row.fault.get("status") in (301, 302)
    return pytest.param(row, marks=COUNTS_RIGHT if is_lie else ())


@pytest.mark.parametrize("row", map(marked, FAULTS), ids=lambda row: row.id)
def test_what_goes_wrong_is_understood_and_passes(start_gateway, simulator, row):
    simulator.faults({**row.fault, "times": 1})
    gateway = start_gateway(**SHORT)
    letter = numbered(FAULTS.index(row))  # its own: what was held for another test may still end
    doc = hand_in(gateway, "mllp", letter)
    assert gateway.wait_final(doc) == row.end

    first, last = attempts(gateway, doc)[0], attempts(gateway, doc)[-1]
    assert (first["state"], first["reason"]) == row.first, first
    assert row.code in (None, first["code"])
    assert last["state"] == row.end and last["note"] == row.note, last
    assert gateway.ctl("show", doc)["doubtful"] is False or row.end == "rejected"
    assert [found[1] for found in gateway.journal.find(r"lane=990000987 state=(\w+)")] == (
        [row.lane, "open"] if row.lane else [])

    stored = [each for each in simulator.exchanges()
              if (each["verdict"], each["uniqueId"]) == ("stored", unique_id(letter))]
    assert len(stored) == (row.end == "delivered")
    sets = {each["submissionSetUniqueId"] for each in simulator.exchanges() if each["uniqueId"] == unique_id(letter)}
    assert len(sets) <= 1, "the same ids at each attempt"


# ---- every code of the table ----

# Our table's class: what is said after the answer, and how the document ends when it comes once.
CLASSES = {
    "transient": (RETRY, "delivered"), "slow": (RETRY, "delivered"), "vague": (RETRY, "delivered"),
    "document": (("rejected", "dmp_error"), "rejected"), "stale": (("rejected", "dmp_error"), "rejected"),
    "missing": (("rejected", "dmp_error"), "rejected"),
    "absent": (("refused", "dmp_absent"), "refused"), "closed": (("refused", "dmp_closed"), "refused"),
    "duplicate": (("rejected", "duplicate_foreign"), "rejected"), "configuration": (HALT, "delivered"),
}


def known_codes() -> list[dict]:
    lines = (SOURCE / "conf" / "dmp-errors.csv").read_text(encoding="utf-8").splitlines()
    return [row for row in csv.DictReader(line for line in lines if not line.startswith("#")) if row["code"]]


@pytest.mark.parametrize("shape", ["failure", "fault"])
def test_every_code_of_the_table_is_acted_on_in_either_shape(start_gateway, simulator, shape):
    codes = known_codes()
    name = {"failure": "errorCode", "fault": "subcode"}[shape]
    letters = {row["code"]: numbered(number) for number, row in enumerate(codes)}
    simulator.faults(*({"kind": shape, name: row["code"], "text": "une phrase", "times": 1,
                        "uniqueId": unique_id(letters[row["code"]])} for row in codes))
    gateway = start_gateway(**{**SHORT, "probe": "100 ms", "first": "100 ms", "most": "100 ms"})
    docs = {code: hand_in(gateway, "mllp", letter) for code, letter in letters.items()}
    found = {}
    for row in codes:
        end = gateway.wait_final(docs[row["code"]])
        first = attempts(gateway, docs[row["code"]])[0]
        found[row["code"]] = ((first["state"], first["reason"]), end, first["code"])
    assert found == {row["code"]: (*CLASSES[row["class"]], row["code"]) for row in codes}


# ---- what the table cannot hold ----

def test_a_page_instead_of_the_dmps_answer_stops_the_lane_the_fifth_time(start_gateway, simulator):
    simulator.faults({"kind": "garbage"})
    gateway = start_gateway(**SHORT)
    doc = hand_in(gateway, "mllp", numbered(1))
    gateway.journal.wait(r"^<3>lane=990000987 state=stopped")
    events = [(each["state"], each["reason"]) for each in attempts(gateway, doc)]
    assert events[:5] == [DOUBT] * 4 + [HALT]
    assert gateway.ctl("show", doc)["doubtful"] is True
    simulator.faults()
    assert gateway.wait_final(doc) == "delivered"


@COUNTS_RIGHT
def test_a_partial_success_is_no_success_and_waits_for_a_person(start_gateway, simulator):
    """There is one document in a submission: no rule says which part of it was stored."""
    simulator.faults({"kind": "partial", "times": 1})
    gateway = start_gateway(**SHORT)
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "rejected"
    (only,) = attempts(gateway, doc)
    assert only["reason"] == "dmp_error"
    simulator.faults()
    assert gateway.wait_final(hand_in(gateway, "mllp", numbered(1))) == "delivered", "the others go"


def test_retry_after_is_waited_for(start_gateway, simulator):
    simulator.faults({"kind": "status", "status": 429, "retryAfter": 2, "times": 1})
    gateway = start_gateway(**SHORT)
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "delivered"
    first, last = (each["at"] for each in attempts(gateway, doc))
    assert seconds(last) - seconds(first) >= 1.9, "twice as long as we would have waited by ourselves"


def seconds(time: str) -> float:
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def test_the_third_document_in_a_row_with_an_unknown_code_stops_the_lane(start_gateway, simulator):
    simulator.faults({"kind": "failure", "errorCode": "NeverHeardOf", "text": "x"})
    gateway = start_gateway(**SHORT)
    for number in (1, 2):
        assert gateway.wait_final(hand_in(gateway, "mllp", numbered(number))) == "rejected"
    assert gateway.status()["lanes"][0]["state"] == "open"
    third = hand_in(gateway, "mllp", numbered(3))
    gateway.journal.wait(rf"doc={third} outcome=queued .*reason=lane_stopped code=NeverHeardOf")
    assert gateway.status()["lanes"][0]["state"] == "stopped"
    simulator.faults()
    assert gateway.wait_final(third) == "delivered"


def test_a_known_code_between_two_unknown_ones_ends_the_suspicion(start_gateway, simulator):
    unknown = {"kind": "failure", "errorCode": "NeverHeardOf", "text": "x", "times": 1}
    known = {"kind": "failure", "errorCode": "XDSRegistryMetadataError", "text": "x", "times": 1}
    simulator.faults(unknown, unknown, known, unknown, unknown)
    gateway = start_gateway(**SHORT)
    for number in range(5):
        assert gateway.wait_final(hand_in(gateway, "mllp", numbered(number))) == "rejected"
    assert gateway.status()["lanes"][0]["state"] == "open"


def test_a_revoked_server_certificate_stops_the_lane(start_gateway, simulator, tmp_path):
    pki = simulator.pki
    crl = tmp_path / "revoked.crl"
    revocation_list(tmp_path / "ca", pki / "intermediate.pem", pki / "intermediate.key", pki / "server.pem", crl)
    gateway = start_gateway(**SHORT)
    gateway.stop()
    gateway.config.write_text(gateway.config.read_text().replace("tls: {", f"tls: {{ crl: {crl},"))
    gateway.start()
    doc = hand_in(gateway, "mllp", LETTER)
    gateway.journal.wait(rf"doc={doc} outcome=queued .*reason=lane_stopped code=transport.*certificate revoked")
    assert gateway.status()["lanes"][0]["state"] == "stopped"
    assert simulator.exchanges() == []
    good = tmp_path / "good.crl"
    revocation_list(tmp_path / "ca2", pki / "intermediate.pem", pki / "intermediate.key", None, good)
    good.rename(crl)
    assert gateway.wait_final(doc) == "delivered", "the list was read again"


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "garbage"}, {"kind": "reset_after"},
                                   {"kind": "failure", "errorCode": "XDSRegistryBusy", "text": "occupé"}],
                         ids=lambda fault: fault["kind"])
@pytest.mark.parametrize("transaction", ["TD0.2", "TD3.1b", "TD3.3c"])
def test_the_other_requests_meet_the_same_and_pass(simulator, tmp_path, transaction, fault):
    with Gateway(tmp_path / "gateway", simulator.url, simulator.pki, **SHORT) as gateway:
        gateway.stop()
        gateway.config.write_text(gateway.config.read_text().replace("    dmp:\n", "    dmp:\n      check_existence: true\n"))
        gateway.start()
        gateway.wait_final(hand_in(gateway, "mllp", LETTER))
        gateway.stop()
        gateway.start()  # with an empty cache
        simulator.faults({**fault, "transaction": transaction, "times": 1})
        assert gateway.send(mdm_t02(LETTER, trigger="T04")).code == "AA"
        newest = max(gateway.documents(), key=lambda each: each["last_arrival"])
        assert gateway.wait_final(newest["doc"]) == "delivered"
        first, last = attempts(gateway, newest["doc"])
        doubtful = transaction == "TD3.3c" and fault["kind"] != "failure"
        assert (first["state"], first["reason"]) == (DOUBT if doubtful else RETRY)
        assert [each["transaction"] for each in simulator.exchanges()].count("TD3.3c") >= 1
