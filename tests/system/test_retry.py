"""What fails for the world's fault goes again under the same ids until it passes; what does not, is told."""

from __future__ import annotations

import datetime
import re

import pytest

from gateway import Gateway, Simulator, free_port, make_pki
from samples import hand_in, mdm_t02, numbered, read, unique_id

LETTER = read("discharge-letter.xml")
UNIQUE_ID = unique_id(LETTER)
SHORT = {"first": "200 ms", "most": "400 ms", "probe": "300 ms", "connect": "2 s", "exchange": "2 s"}


@pytest.fixture
def gateway(start_gateway):
    return start_gateway(**SHORT)


def history(gateway: Gateway, doc: str) -> list[tuple]:
    """State, reason and code after each attempt."""
    events = gateway.ctl("show", doc)["events"]
    return [(each["state"], each["reason"], each["code"]) for each in events if each["what"] == "settled"]


def assert_stored_once(simulator: Simulator):
    """One document, whatever the number of attempts, each under the same ids."""
    exchanges = [each for each in simulator.exchanges() if each["uniqueId"]]
    assert [each["verdict"] for each in exchanges].count("stored") == 1
    assert {each["uniqueId"] for each in exchanges} == {UNIQUE_ID}
    assert len({each["submissionSetUniqueId"] for each in exchanges}) == 1
    assert simulator.document(UNIQUE_ID) == LETTER


# ---- the way is down ----

def test_a_dmp_that_is_down_at_first_gets_the_document_later(simulator, tmp_path):
    address = f"127.0.0.1:{free_port()}"
    url = f"https://{address}/si-dmp-server/v2/services"
    with Gateway(tmp_path / "gateway", url, simulator.pki, **SHORT) as gateway:
        doc = hand_in(gateway, "mllp", LETTER)
        gateway.journal.wait(rf"^<4>doc={doc} outcome=queued .*reason=retrying code=transport")
        gateway.journal.wait(r"^<4>lane=990000987 state=slowed resumes=")
        lane = gateway.status()["lanes"][0]
        assert lane["state"] == "slowed" and lane["why"] and lane["resumes"]
        assert gateway.get("/readyz")[0] == 200, "documents are still taken in"
        with Simulator(simulator.pki, tmp_path / "late", listen=address) as late:
            assert gateway.wait_final(doc) == "delivered"
            gateway.journal.wait(r"^<6>lane=990000987 state=open")
            assert late.document(UNIQUE_ID) == LETTER
            (exchange,) = late.exchanges()
            assert exchange["verdict"] == "stored"
    assert not re.search(r"doubt", "\n".join(gateway.journal.lines)), "nothing had left: there is no doubt"


def test_a_dmp_that_is_stopped_and_started_again_loses_nothing(simulator, tmp_path):
    address = f"127.0.0.1:{free_port()}"
    url = f"https://{address}/si-dmp-server/v2/services"
    with Gateway(tmp_path / "gateway", url, simulator.pki, **SHORT) as gateway:
        for turn in range(3):
            with Simulator(simulator.pki, tmp_path / "store", listen=address) as sim:
                gateway.wait_final(hand_in(gateway, "mllp", numbered(turn)))
                assert len(sim.received()) == turn + 1
    assert gateway.journal.find(r"outcome=delivered")[2]


def test_a_lane_in_trouble_sends_one_document_as_a_probe(gateway, simulator):
    simulator.faults({"kind": "status", "status": 503})
    hand_in(gateway, "mllp", LETTER)
    gateway.journal.wait(r"state=slowed")
    for number in range(5):
        hand_in(gateway, "mllp", numbered(number))
    asked = len(simulator.exchanges())
    simulator.wait_exchanges(asked + 3)
    assert gateway.status()["queue"]["sending"] <= 1
    simulator.faults()
    assert {each["state"] for each in gateway.settled().values()} == {"delivered"}


@pytest.mark.parametrize("doubt", [False, True])
def test_a_document_that_fails_for_too_long_waits_for_a_person(start_gateway, simulator, doubt):
    gateway = start_gateway(**SHORT, extra="queue: { max_age: 1 s }")
    simulator.faults(*([{"kind": "reset_after", "times": 1}] if doubt else []),
                     {"kind": "failure", "errorCode": "XDSRegistryBusy", "text": "occupé"})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "rejected"
    gateway.journal.wait(rf"^<3>doc={doc} outcome=rejected .*reason=too_old code=XDSRegistryBusy")
    shown = gateway.ctl("show", doc)
    assert (shown["reason"], shown["doubtful"]) == ("too_old", doubt)
    assert len(history(gateway, doc)) > 2
    assert {each[0] for each in history(gateway, doc)[:-1]} == {"queued"}
    simulator.faults()
    gateway.ctl("retry", "--reason", "too_old")
    gateway.journal.wait(rf"doc={doc} outcome=delivered")


def test_an_outage_makes_no_document_too_old(start_gateway, simulator):
    gateway = start_gateway(**SHORT, extra="queue: { max_age: 1 s }")
    simulator.faults({"kind": "status", "status": 503})
    doc = hand_in(gateway, "mllp", LETTER)
    simulator.wait_exchanges(5)  # 200 ms, then 400 ms apart
    simulator.faults()
    assert gateway.wait_final(doc) == "delivered"
    assert seconds_between(simulator.exchanges()) > 1


def test_retry_after_is_respected(gateway, simulator):
    simulator.faults({"kind": "status", "status": 503, "retryAfter": 2, "times": 1})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "delivered"
    events = gateway.ctl("show", doc)["events"]
    assert [each["http_status"] for each in events if each["what"] == "settled"] == [503, 200]
    assert seconds_between(simulator.exchanges()) >= 1.9


def seconds_between(exchanges: list[dict]) -> float:
    first, last = (datetime.datetime.fromisoformat(each["time"]) for each in (exchanges[0], exchanges[-1]))
    return (last - first).total_seconds()


def test_a_dmp_that_lacks_resources_is_left_alone_for_the_longest_pause(start_gateway, simulator):
    gateway = start_gateway(**{**SHORT, "most": "3 s"})
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryOutOfResources", "text": "x", "times": 1})
    assert gateway.wait_final(hand_in(gateway, "mllp", LETTER)) == "delivered"
    assert seconds_between(simulator.exchanges()) >= 2.2  # but for a quarter


def test_a_slow_dmp_is_waited_for(gateway, simulator):
    simulator.faults({"kind": "delay", "ms": 700})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "delivered"
    (settled,) = [each for each in gateway.ctl("show", doc)["events"] if each["what"] == "settled"]
    assert settled["duration_ms"] >= 700
    assert len(simulator.exchanges()) == 1


def test_intake_does_not_wait_for_a_slow_dmp(gateway, simulator):
    simulator.faults({"kind": "hold"})
    for number in range(30):
        assert gateway.send(mdm_t02(numbered(number)), timeout=5).code == "AA"
    assert gateway.get("/readyz")[0] == 200
    simulator.faults()
    simulator.release()
    assert len(gateway.settled()) == len(simulator.received()) == 30


# ---- doubt ----

def test_a_reset_before_the_dmp_stored_is_a_doubt_that_ends_in_one_delivery(gateway, simulator):
    simulator.faults({"kind": "reset_before", "times": 2})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "delivered"
    assert_stored_once(simulator)
    assert [state for state, *_ in history(gateway, doc)] == ["queued", "queued", "delivered"]


@pytest.mark.parametrize("kind", ["reset_after", "truncated"])
def test_a_lost_answer_is_confirmed_by_the_duplicate(gateway, simulator, kind):
    simulator.faults({"kind": kind, "times": 1})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "delivered"
    assert_stored_once(simulator)
    shown = gateway.ctl("show", doc)
    first, last = [each for each in shown["events"] if each["what"] == "settled"]
    assert (first["state"], first["reason"]) == ("queued", "doubtful")
    assert (last["state"], last["note"], last["code"]) == \
        ("delivered", "confirmed_by_duplicate", "XDSDuplicateUniqueIdInRegistry")
    assert shown["doubtful"] is False
    gateway.journal.wait(rf"doc={doc} outcome=delivered .*note=confirmed_by_duplicate")


def test_a_lost_answer_is_confirmed_by_words_that_name_the_document(gateway, simulator):
    simulator.faults({"kind": "reset_after", "times": 1},
                     {"kind": "failure", "errorCode": "XDSRegistryError", "text": f"Le document {UNIQUE_ID} existe déjà."})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "delivered"
    assert gateway.ctl("show", doc)["events"][-1]["note"] == "confirmed_by_duplicate"
    assert_stored_once(simulator)


def test_a_dmp_that_does_not_answer_in_time_is_a_doubt(gateway, simulator):
    simulator.faults({"kind": "hold_after", "ms": 4000, "times": 1})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "delivered"
    assert_stored_once(simulator)
    assert history(gateway, doc)[0][:2] == ("queued", "doubtful")


def test_a_duplicate_without_doubt_is_somebody_elses(gateway, simulator):
    simulator.ask("POST", "/known", {"uniqueId": UNIQUE_ID})
    simulator.faults({"kind": "failure", "errorCode": "XDSDuplicateUniqueIdInRegistry", "text": "déjà connu",
                      "times": 1})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "rejected"
    assert gateway.ctl("show", doc)["reason"] == "duplicate_foreign"


# ---- answers that are none ----

@pytest.mark.parametrize("fault", [
    {"kind": "garbage"}, {"kind": "status", "status": 503}, {"kind": "status", "status": 500},
    {"kind": "status", "status": 502}, {"kind": "status", "status": 429},
], ids=lambda fault: fault.get("status", fault["kind"]))
def test_an_answer_that_says_nothing_of_the_document_is_retried(gateway, simulator, fault):
    simulator.faults({**fault, "times": 1})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "delivered"
    assert [state for state, *_ in history(gateway, doc)] == ["queued", "delivered"]
    assert_stored_once(simulator)


# ---- answers of the DMP ----

# The DMP's code, how the document ends, and our reason.
CODES = [
    ("XDSRegistryBusy", "delivered", None),
    ("XDSRepositoryBusy", "delivered", None),
    ("XDSRegistryNotAvailable", "delivered", None),
    ("XDSRegistryOutOfResources", "delivered", None),
    ("XDSRegistryMetadataError", "rejected", "dmp_error"),
    ("XDSPatientIdDoesNotMatch", "rejected", "dmp_error"),
    ("InvalidDocumentContent", "rejected", "dmp_error"),
    ("SomethingNeverHeardOf", "rejected", "dmp_error"),
    ("XDSUnknownPatientId", "refused", "dmp_absent"),
    ("DMPClosed", "refused", "dmp_closed"),
]


@pytest.mark.parametrize("code, state, reason", CODES)
def test_the_dmps_code_decides(gateway, simulator, code, state, reason):
    simulator.faults({"kind": "failure", "errorCode": code, "text": "une phrase du DMP", "times": 1})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == state
    shown = gateway.ctl("show", doc)
    assert (shown["state"], shown["reason"]) == (state, reason)
    assert code in [each["code"] for each in shown["events"]]
    assert any("une phrase du DMP" in (each["text"] or "") for each in shown["events"])
    if state == "delivered":
        assert history(gateway, doc)[0][:2] == ("queued", "retrying")
    else:
        assert shown["sentence"] and shown["todo"]
    assert gateway.status()["lanes"][0]["state"] == "open"


@pytest.mark.parametrize("errors, state", [(4, "delivered"), (5, "rejected")])
def test_an_error_that_says_little_is_the_documents_the_fifth_time(start_gateway, simulator, errors, state):
    """Whatever else came before, and in between."""
    gateway = start_gateway(**{**SHORT, "first": "100 ms", "most": "100 ms"})
    busy, vague = ({"kind": "failure", "errorCode": code, "text": "x"} for code in ("XDSRegistryBusy", "XDSRegistryError"))
    simulator.faults({**busy, "times": 5}, {**vague, "times": 2}, {**busy, "times": 1}, {**vague, "times": errors - 2})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == state
    assert [code for _, _, code in history(gateway, doc)].count("XDSRegistryError") == errors


def test_what_the_dmp_said_is_kept_as_it_said_it(gateway, simulator):
    text = "Erreur <A> & \"B\" é ^ |"
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryMetadataError", "text": text, "times": 1})
    doc = hand_in(gateway, "mllp", LETTER)
    gateway.wait_final(doc)
    settled = [each for each in gateway.ctl("show", doc)["events"] if each["what"] == "settled"]
    assert text in settled[0]["text"]


@pytest.mark.usefixtures("even_books")
def test_a_rejected_document_does_not_hold_the_others_up(gateway, simulator):
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryMetadataError", "uniqueId": UNIQUE_ID})
    hand_in(gateway, "mllp", LETTER)
    for number in range(3):
        hand_in(gateway, "mllp", numbered(number))
    states = {name: each["state"] for name, each in gateway.settled().items()}
    assert states.pop(UNIQUE_ID) == "rejected"
    assert set(states.values()) == {"delivered"}


def test_a_fault_of_the_sender_is_the_documents(gateway, simulator):
    simulator.faults({"kind": "fault", "subcode": "DMPInvalidRequest", "text": "requête invalide", "times": 1})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "rejected"


def test_a_fault_of_the_receiver_passes(gateway, simulator):
    simulator.faults({"kind": "fault", "subcode": "DMPInternal", "text": "erreur interne", "value": "Receiver",
                      "times": 1})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "delivered"
    assert len(history(gateway, doc)) == 2


def test_a_fault_of_the_installation_stops_the_lane_until_it_is_mended(gateway, simulator):
    simulator.faults({"kind": "fault", "subcode": "DMPInvalidCertificate", "text": "certificat invalide"})
    doc = hand_in(gateway, "mllp", LETTER)
    gateway.journal.wait(r"^<3>lane=990000987 state=stopped probes=")
    lane = gateway.status()["lanes"][0]
    assert lane["state"] == "stopped" and lane["why"] and lane["resumes"]
    waiting = gateway.ctl("show", doc)
    assert (waiting["state"], waiting["reason"]) in (("queued", "lane_stopped"), ("sending", None))
    assert gateway.send(mdm_t02(numbered(1))).code == "AA", "documents are still taken in"
    simulator.faults()
    assert {each["state"] for each in gateway.settled().values()} == {"delivered"}
    gateway.journal.wait(r"^<6>lane=990000987 state=open")


def test_the_lanes_fault_does_not_make_a_document_older(gateway, simulator):
    simulator.faults({"kind": "status", "status": 503, "times": 4})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "delivered"
    assert gateway.ctl("show", doc)["attempts"] == 1


# ---- TLS ----

@pytest.fixture
def foreign_pki(tmp_path):
    """Somebody else's certificates."""
    return make_pki(tmp_path / "foreign")


def gateway_with_tls(simulator, tmp_path, **files) -> Gateway:
    """A gateway whose configuration names these files instead of the right ones."""
    gateway = Gateway(tmp_path / "gateway", simulator.url, simulator.pki, **SHORT)
    text = gateway.config.read_text()
    for key, path in files.items():
        text = re.sub(rf"\b{key}: [^,}}]+", f"{key}: {path} ", text, count=1)
    gateway.config.write_text(text)
    return gateway


def assert_stopped(gateway: Gateway, simulator: Simulator):
    with gateway:
        doc = hand_in(gateway, "mllp", LETTER)
        gateway.journal.wait(r"^<3>lane=990000987 state=stopped probes=")
        lane = gateway.status()["lanes"][0]
        assert lane["state"] == "stopped"
        assert re.search(r"certificate|TLS|SSL|handshake|alert", lane["why"], re.IGNORECASE), lane["why"]
        gateway.journal.wait(rf"doc={doc} outcome=queued .*reason=lane_stopped")
        assert gateway.get("/readyz")[0] == 200
        assert simulator.received() == {}


def test_a_dmp_of_another_authority_stops_the_lane(simulator, tmp_path, foreign_pki):
    assert_stopped(gateway_with_tls(simulator, tmp_path, ca=foreign_pki / "ca.pem"), simulator)


def test_a_certificate_the_dmp_does_not_know_stops_the_lane(simulator, tmp_path, foreign_pki):
    assert_stopped(gateway_with_tls(simulator, tmp_path, cert=foreign_pki / "auth.pem",
                                    key=foreign_pki / "auth.key"), simulator)


def test_a_lane_stopped_by_a_certificate_delivers_once_it_is_right(simulator, tmp_path, foreign_pki):
    gateway = gateway_with_tls(simulator, tmp_path, ca=foreign_pki / "ca.pem")
    assert_stopped(gateway, simulator)
    gateway.config.write_text(gateway.config.read_text().replace(f"{foreign_pki}/ca.pem", f"{simulator.pki}/ca.pem"))
    with gateway.start():
        assert {each["state"] for each in gateway.settled().values()} == {"delivered"}
