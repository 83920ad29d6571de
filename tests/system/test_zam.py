"""The business acknowledgement: what a source hears of its message after the end, and until when it is kept."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time

import pytest

from gateway import free_port
from samples import AGAIN, hand_in, mdm_t02, numbered, patient_words_in, read, repeated, unique_id
from source import Source
from test_hl7_messages import oru

LETTER, PRESCRIPTION = read("discharge-letter.xml"), read("prescription.xml")  # of the same patient
SOON = {"first": "100 ms", "most": "300 ms"}  # the pauses of the lanes


def ways(*entries: tuple[str, int, str]) -> dict:
    """The setting that gives sources, each at a port, a way back; with more keys of ack."""
    return {"extra": "sources: [" + ", ".join(
        f'{{ name: {name}, ack: {{ address: "127.0.0.1:{port}", timeout: 5 s, '
        f'retry: {{ first: 100 ms, most: 300 ms }}{more} }} }}' for name, port, more in entries) + "]"}


@pytest.fixture
def source():
    with Source() as source:
        yield source


@pytest.fixture
def told(start_gateway, source):
    """A gateway that tells the source of its listener."""
    return start_gateway(**SOON, **ways(("DPI", source.port, "")))


def accepted(gateway, message: bytes):
    ack = gateway.send(message)
    assert ack.code == "AA", ack.errors


# ---- what it says ----

def test_a_delivery_is_told(told, source):
    accepted(told, mdm_t02(LETTER, control_id="A0001", application="DPI-A", facility="CH-A"))
    message = source.wait(1)[0]
    stamp = message.field("MSH", 7)
    assert re.fullmatch(r"\d{14}[+-]\d{4}", stamp)
    assert 0 < len(message.control_id) <= 20
    assert message.bytes.decode() == (
        f"MSH|^~\\&|PFI|CH-A|DPI-A|CH-A|{stamp}||ZAM^Z01^ZAM_Z01|{message.control_id}|P|2.6|||||FRA|UNICODE UTF-8"
        f"|||2.1^CISIS_CDA_HL7_V2\rEVN||{stamp}\r"
        "OBX|1|CWE|ACK_RECEPTION_DMP^Accusé de réception DMP^AckMetierZAM|A0001|Y^^expandedYes-NoIndicator||||||F\r")
    told.journal.wait(rf"doc=\S+ told source=DPI zam={message.control_id} positive=Y attempt=1")
    history = told.ctl("show", told.documents()[0]["doc"])["events"]
    assert (history[-1]["what"], history[-1]["origin"], history[-1]["note"]) == ("source_told", message.control_id, "Y")


def test_a_refusal_is_told_with_the_words_of_the_dmp(told, source, simulator):
    simulator.faults({"kind": "failure", "errorCode": "DMPClosed", "text": "DMP fermé", "times": 1})
    accepted(told, mdm_t02(LETTER))
    message = source.wait(1)[0]
    assert message.about == ("A0001", "N")
    assert message.segments[-1] == [
        "ERR", "", "", "207^Application error^messageErrorCondition", "E", "DMPClosed^DMP fermé^DMP_ERROR_CODE"]


def test_a_failure_of_our_own_is_told_as_such(told, source):
    accepted(told, mdm_t02(LETTER, trigger="T04"))  # the DMP holds no such document
    message = source.wait(1)[0]
    assert message.about == ("A0001", "N")
    code, text, table = message.field("ERR", 5).split("^")
    assert (code, table) == ("predecessor_unknown", "local")
    assert text.startswith("Le document à remplacer")


def test_what_need_not_be_sent_is_well(told, source, simulator):
    accepted(told, mdm_t02(LETTER))
    assert source.wait(1)[0].about == ("A0001", "Y")
    accepted(told, mdm_t02(repeated(), trigger="T10", control_id="A0002"))
    assert source.wait(2)[1].about == ("A0002", "Y")
    assert list(simulator.received()) == [unique_id(LETTER)]
    accepted(told, mdm_t02(repeated(AGAIN, AGAIN + ".1", "Nouveau : "), trigger="T10", control_id="A0003"))
    assert source.wait(3)[2].about == ("A0003", "Y"), "A0002 is sent after all, and its source knows already"
    assert list(simulator.received()) == [unique_id(LETTER), AGAIN, AGAIN + ".1"]
    assert len(source.wait(3)) == 3


def test_an_outcome_that_cannot_be_written_for_good_is_said_once(told, source, simulator):
    source.plan = ["wait"]
    accepted(told, mdm_t02(LETTER, control_id="A0001"))
    source.wait(1)
    with contextlib.closing(sqlite3.connect(told.folder / "state" / "queue.db")) as store, store:
        store.execute("UPDATE acknowledgement SET state = 'sent'")  # as no gateway would
    source.go.set()
    told.journal.wait(r"<3>ack_queue source=DPI zam=\S+ what became of it cannot be written down: .*every 15 minutes")
    told.wait_final(hand_in(told, "mllp", numbered(1)))
    assert told.journal.find("store unavailable") == [], "the store is well"
    assert len(told.journal.find("cannot be written down")) == 1
    assert told.stop(timeout=5) == 0


def test_two_documents_of_an_oru_are_one_message(told, source):
    accepted(told, oru(LETTER, PRESCRIPTION, control_id="PAIR"))
    accepted(told, mdm_t02(numbered(1), control_id="AFTER"))
    assert sorted(each.about for each in source.wait(2)) == [("AFTER", "Y"), ("PAIR", "Y")]


def test_a_message_of_a_file_is_told_too(start_gateway, source, simulator):
    gateway = start_gateway(**SOON, **ways(("LABO", source.port, "")))
    gateway.drop("letter.hl7", mdm_t02(LETTER, control_id="F0001"))
    assert source.wait(1)[0].about == ("F0001", "Y")


def test_nobody_hears_who_did_not_ask(told, source):
    accepted(told, mdm_t02(numbered(1), control_id="NOT-ASKED", flags={"ACK_RECEPTION": "N"}))
    accepted(told, mdm_t02(numbered(2), control_id="NOT-FOR-DMP", flags={"DESTDMP": "N"}))
    accepted(told, mdm_t02(numbered(3), control_id="HELD", identity_status="PROV"))
    assert told.send(mdm_t02(b"no CDA", control_id="REFUSED")).code == "AE"
    hand_in(told, "drop", numbered(4))
    told.settled()
    accepted(told, mdm_t02(numbered(5), control_id="ASKED"))
    assert [each.about for each in source.wait(1)] == [("ASKED", "Y")]


def test_the_same_message_again_is_told_once_and_another_one_at_once(told, source):
    message = mdm_t02(LETTER, control_id="A0001")
    accepted(told, message)
    source.wait(1)
    accepted(told, message)
    accepted(told, mdm_t02(LETTER, control_id="A0002"))
    assert [each.about for each in source.wait(2)] == [("A0001", "Y"), ("A0002", "Y")]


# ---- a source in trouble ----

def test_a_source_that_refuses_is_asked_again_with_the_same_message(told, source):
    source.plan = ["AE", "AR", "nothing", "leave"]
    accepted(told, mdm_t02(LETTER))
    messages = source.wait(5)
    assert len({each.bytes for each in messages}) == 1
    told.journal.wait(r"told source=DPI .*attempt=5")
    assert [found[1] for found in told.journal.find(r"untold source=DPI .*attempt=\d .*: (.*)")] == [
        "the source answered AE (MSA-1)", "the source answered AR (MSA-1)",
        "the source did not acknowledge in time", "the source closed the connection without an answer"]


def wait_status(gateway, wanted, timeout: float = 20) -> dict:
    """The status of the first source, once `wanted` is true of it: figures of the queue are read now and then."""
    deadline = time.monotonic() + timeout
    while not wanted(found := gateway.status()["sources"][0]):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


def test_a_source_that_is_away_slows_nobody_and_is_visible(start_gateway, source, simulator):
    away = free_port()
    gateway = start_gateway(**SOON, **ways(("DPI", away, ""), ("LABO", source.port, "")))
    for number in range(5):
        accepted(gateway, mdm_t02(numbered(number), control_id=f"D{number}"))
        gateway.drop(f"{number}.hl7", mdm_t02(numbered(10 + number), control_id=f"L{number}"))
    assert sorted(each.about for each in source.wait(5)) == [(f"L{number}", "Y") for number in range(5)]
    assert {each["state"] for each in gateway.settled().values()} == {"delivered"}
    status = wait_status(gateway, lambda found: found["waiting"] == 5)
    assert (status["name"], status["state"], status["why"]) == ("DPI", "slowed", "Connection refused")
    assert status["failed"] > 0 and status["oldest"] and status["resumes"]
    with Source(away) as late:
        assert sorted(each.about for each in late.wait(5)) == [(f"D{number}", "Y") for number in range(5)]
        status = wait_status(gateway, lambda found: found["told"] == 5 and found["waiting"] == 0)
        assert (status["state"], status["why"], status["oldest"]) == ("open", None, None)


def test_nothing_of_the_patient_is_told_in_the_journal(told, source, simulator):
    simulator.faults({"kind": "failure", "errorCode": "DMPClosed", "text": "le DMP de PAT-TROIS est fermé",
                      "times": 1})
    source.plan = ["AE"]
    accepted(told, mdm_t02(LETTER))
    source.wait(2)
    told.journal.wait(r"told source=DPI zam=\S+ positive=N attempt=2")
    assert patient_words_in("\n".join(told.journal.lines)) == []


# ---- TLS ----

@pytest.mark.parametrize("mutual", [False, True], ids=["tls", "mutual"])
def test_the_way_back_may_be_tls(start_gateway, simulator, mutual):
    pki = simulator.pki
    shown = f", cert: {pki}/auth.pem, key: {pki}/auth.key" if mutual else ""
    with Source(pki=pki, mutual=mutual) as source:
        gateway = start_gateway(**SOON, **ways(("DPI", source.port, f", tls: {{ ca: {pki}/ca.pem{shown} }}")))
        accepted(gateway, mdm_t02(LETTER))
        assert source.wait(1)[0].about == ("A0001", "Y")


def test_a_source_that_is_not_who_it_should_be_hears_nothing(start_gateway, simulator):
    pki = simulator.pki
    with Source(pki=pki) as source:
        gateway = start_gateway(**SOON, **ways(
            ("DPI", source.port, f", tls: {{ ca: {pki}/ca.pem, name: other.example }}")))
        accepted(gateway, mdm_t02(LETTER))
        gateway.journal.wait(r"ack_link source=DPI .*state=slowed .*certificate is refused")
        assert source.received == []


# ---- dying ----

def after_the_commit(gateway, simulator, source, message):
    gateway.connect().write(message)
    gateway.journal.wait(r"received channel=mllp")


def while_the_dmp_holds_its_answer(gateway, simulator, source, message):
    simulator.faults({"kind": "hold_after"})
    accepted(gateway, message)
    simulator.wait_held(1)


def when_the_outcome_is_committed(gateway, simulator, source, message):
    accepted(gateway, message)
    gateway.journal.wait(r"outcome=delivered")


def while_the_source_has_it_and_says_nothing(gateway, simulator, source, message):
    source.plan = ["nothing"]
    source.start()
    accepted(gateway, message)
    source.wait(1)


def when_the_source_has_answered(gateway, simulator, source, message):
    """The answer may be unread, read, or written down."""
    source.start()
    accepted(gateway, message)
    source.wait(1)


def when_it_is_written_down(gateway, simulator, source, message):
    source.start()
    accepted(gateway, message)
    gateway.journal.wait(r"told source=DPI")


STEPS = [after_the_commit, while_the_dmp_holds_its_answer, when_the_outcome_is_committed,
         while_the_source_has_it_and_says_nothing, when_the_source_has_answered, when_it_is_written_down]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_a_kill_loses_none_and_makes_none_twice(start_gateway, simulator, step):
    source = Source(free_port())
    gateway = start_gateway(**SOON, **ways(("DPI", source.port, "")))
    names = [f"K{number}" for number in range(3)]
    for number, name in enumerate(names):
        message = mdm_t02(numbered(number), control_id=name)
        before = len(source.received)
        step(gateway, simulator, Later(source, before), message)
        gateway.kill()
        source.stop()
        simulator.faults()
        simulator.release()
        gateway.start()
        accepted(gateway, message)  # its sender may not have heard the answer
    gateway.settled()
    source.start()
    deadline = time.monotonic() + 20
    while {each.about for each in source.received} != {(name, "Y") for name in names}:
        assert time.monotonic() < deadline, [each.about for each in source.received]
        time.sleep(0.05)
    wait_status(gateway, lambda found: found["waiting"] == 0 and found["state"] == "open")
    source.stop()
    told = source.by_id
    assert len(told) == len(names), "as many acknowledgements as messages"
    assert all(len(each) == 1 for each in told.values()), "one MSH-10, one message"
    assert all(each["state"] == "delivered" for each in gateway.documents())


class Later:
    """The source, counting from now on."""

    def __init__(self, source: Source, before: int):
        self._source, self._before = source, before

    def __setattr__(self, name, value):
        super().__setattr__(name, value) if name.startswith("_") else setattr(self._source, name, value)

    def start(self):
        self._source.start()

    def wait(self, count: int):
        return self._source.wait(self._before + count)


# ---- a link that changes while the gateway works ----

def move(gateway, source: Source, other: Source):
    gateway.config.write_text(gateway.config.read_text().replace(f":{source.port}", f":{other.port}"))
    gateway.ctl("reload")


def test_what_is_under_way_goes_again_on_the_link_that_takes_its_place(told, source):
    source.plan = ["nothing"] * 100
    accepted(told, mdm_t02(LETTER, control_id="A0001"))
    before = source.wait(1)[0]
    with Source() as other:
        move(told, source, other)
        assert other.wait(1)[0].bytes == before.bytes
        accepted(told, mdm_t02(numbered(1), control_id="A0002"))
        assert other.wait(2)[1].about == ("A0002", "Y")


def test_a_link_that_stays_is_not_cut(told, source):
    accepted(told, mdm_t02(LETTER, control_id="A0001"))
    source.wait(1)
    told.config.write_text(told.config.read_text().replace("workers: 2", "workers: 2 # as before"))
    told.ctl("reload")
    accepted(told, mdm_t02(numbered(1), control_id="A0002"))
    assert source.wait(2)[1].about == ("A0002", "Y")
    assert source.connections == 1
