"""A document comes in by either door and reaches the simulated DMP byte for byte; people can see its way."""

from __future__ import annotations

import datetime
import json
import subprocess

import pytest

from gateway import BUILD
from samples import DOORS, INITIAL, hand_in, mdm_t02, numbered, read, unique_id

LETTER = read("discharge-letter.xml")


def ctl_text(gateway, *arguments: str) -> str:
    """What dmpfeedctl prints for people."""
    return subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", *arguments], cwd=gateway.folder,
                          env={"LC_ALL": "C.UTF-8"}, check=True, capture_output=True, text=True, timeout=30).stdout


# ---- the main job ----

@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", INITIAL)
def test_every_sample_reaches_the_dmp_byte_for_byte(gateway, simulator, name, door):
    cda = read(name)
    doc = hand_in(gateway, door, cda, name)
    assert gateway.wait_final(doc) == "delivered"
    assert list(simulator.received()) == [unique_id(cda)]
    assert simulator.document(unique_id(cda)) == cda


def test_the_answer_is_aa_and_names_the_message(gateway):
    ack = gateway.send(mdm_t02(LETTER, control_id="ADM-20261120-4711"))
    assert (ack.code, ack.control_id, ack.errors) == ("AA", "ADM-20261120-4711", [])


def test_a_taken_file_moves_to_the_folder_of_the_day(gateway):
    before = datetime.date.today()
    hand_in(gateway, "drop", LETTER, "letter.xml")
    days = {before.isoformat(), datetime.date.today().isoformat()}
    moved = list(gateway.inbox.glob("done/*/*"))
    assert [path.name for path in moved] == ["letter.xml"]
    assert moved[0].parent.name in days
    assert moved[0].read_bytes() == LETTER
    assert not list(gateway.inbox.glob("*.xml"))


@pytest.mark.parametrize("ending", [".hl7", ".er7", ".HL7"])
def test_a_message_may_come_as_a_file(gateway, simulator, ending):
    gateway.drop("message" + ending, mdm_t02(LETTER))
    assert gateway.wait_moved("message" + ending) == "done"
    gateway.settled()
    assert simulator.document(unique_id(LETTER)) == LETTER


def test_a_file_written_in_place_is_taken_once_it_has_settled(gateway, simulator):
    (gateway.inbox / "letter.xml").write_bytes(LETTER)
    assert gateway.wait_moved("letter.xml") == "done"
    gateway.settled()
    assert simulator.document(unique_id(LETTER)) == LETTER


@pytest.mark.parametrize("name", [".letter.xml", "letter.xml.part", "letter.tmp"])
def test_a_file_that_is_not_finished_is_not_looked_at(gateway, name):
    (gateway.inbox / name).write_bytes(LETTER)
    hand_in(gateway, "drop", numbered(1), "finished.xml")
    assert (gateway.inbox / name).read_bytes() == LETTER
    assert len(gateway.documents()) == 1


def test_the_same_document_by_both_doors_goes_once(gateway, simulator):
    doc = hand_in(gateway, "mllp", LETTER)
    gateway.drop("letter.xml", LETTER)
    assert gateway.wait_moved("letter.xml") == "done"
    gateway.journal.wait(rf"doc={doc} received again channel=drop")
    assert list(gateway.settled()) == [unique_id(LETTER)]
    assert len(simulator.exchanges()) == 1


# ---- what is decided from the message ----

def test_a_message_not_for_the_dmp_is_acknowledged_and_cancelled(gateway, simulator):
    assert gateway.send(mdm_t02(LETTER, flags={"DESTDMP": "N"})).code == "AA"
    assert gateway.wait_final(hand_in(gateway, "mllp", numbered(1))) == "delivered"
    cancelled = gateway.settled()[unique_id(LETTER)]
    assert (cancelled["state"], cancelled["reason"]) == ("cancelled", "not_for_dmp")
    assert list(simulator.received()) == [unique_id(numbered(1))]


@pytest.mark.parametrize("status", ["PROV", "DOUB", "VIDE"])
def test_a_document_whose_identity_is_not_qualified_is_held(gateway, simulator, status):
    assert gateway.send(mdm_t02(LETTER, identity_status=status)).code == "AA"
    assert gateway.wait_final(hand_in(gateway, "mllp", numbered(1))) == "delivered"
    held = gateway.settled()[unique_id(LETTER)]
    assert (held["state"], held["reason"]) == ("held", "ins_not_qualified")
    assert held["sentence"] and held["todo"]
    assert list(simulator.received()) == [unique_id(numbered(1))]


# ---- sent again ----

def test_what_was_not_wanted_at_first_goes_when_its_source_wants_it(gateway, simulator):
    """The same bytes again, with other words around them."""
    provisional, elsewhere, withdrawn = numbered(1), numbered(2), numbered(3)
    assert gateway.send(mdm_t02(provisional, identity_status="PROV")).code == "AA"
    assert gateway.send(mdm_t02(elsewhere, flags={"DESTDMP": "N"})).code == "AA"
    assert gateway.send(mdm_t02(withdrawn, identity_status="PROV")).code == "AA"
    assert gateway.send(mdm_t02(withdrawn, trigger="T04")).code == "AA"
    for cda in (provisional, elsewhere, withdrawn):
        assert gateway.send(mdm_t02(cda)).code == "AA"
    gateway.settled()
    assert len(simulator.received()) == 3
    for cda in (provisional, elsewhere, withdrawn):
        assert gateway.send(mdm_t02(cda, trigger="T04", flags={"DESTDMP": "N"})).code == "AA"
        assert gateway.send(mdm_t02(cda, trigger="T04")).code == "AA"
    gateway.settled()
    assert {each["state"] for each in gateway.documents()} == {"delivered"} and len(gateway.documents()) == 6
    assert {each["status"] for each in simulator.received().values()} == {"deleted"}


def test_who_sees_a_document_is_changed_by_a_replacement_alone(gateway):
    assert gateway.send(mdm_t02(LETTER)).code == "AA"
    answer = gateway.send(mdm_t02(LETTER, flags={"INVISIBLE_PATIENT": "Y"}))
    assert (answer.code, answer.errors[0]["code"]) == ("AE", "207") and "replacement" in answer.errors[0]["text"]
    assert gateway.send(mdm_t02(LETTER)).code == "AA"


def test_the_same_control_id_does_not_make_another_document_a_repetition(gateway, simulator):
    for number in (1, 2):
        assert gateway.send(mdm_t02(numbered(number), control_id="SAME")).code == "AA"
    assert set(gateway.settled()) == set(simulator.received()) == {unique_id(numbered(1)), unique_id(numbered(2))}


def test_the_same_id_with_other_bytes_is_refused(gateway, simulator):
    hand_in(gateway, "mllp", LETTER)
    ack = gateway.send(mdm_t02(LETTER.replace(b"</title>", b" (bis)</title>")))
    assert ack.code == "AE"
    assert [(each["location"], each["code"], each["reason"]) for each in ack.errors] == \
        [("TXA-12", "207", "duplicate_foreign")]
    gateway.settled()
    assert simulator.document(unique_id(LETTER)) == LETTER


# ---- how bytes may arrive: test_mllp.py has the rest ----

def test_one_connection_carries_many_messages(gateway):
    with gateway.connect() as mllp:
        for number in range(20):
            assert mllp.send(mdm_t02(numbered(number), control_id=str(number))).control_id == str(number)
    assert len(gateway.settled()) == 20


def test_a_message_of_the_edition_before_is_taken(gateway):
    assert gateway.send(mdm_t02(LETTER, profile="2.0^CISIS_CDA_HL7_V2")).code == "AA"


# ---- what people see ----

def test_a_gateway_at_rest_is_healthy_and_ready(gateway):
    assert gateway.get("/healthz") == (200, b"ok\n")
    assert gateway.get("/readyz") == (200, b"ready\n")
    assert gateway.get("/no-such-page")[0] == 404


def test_the_status_counts_what_was_done(gateway):
    gateway.wait_final(hand_in(gateway, "mllp", numbered(1)))
    gateway.wait_final(hand_in(gateway, "drop", numbered(2)))
    gateway.send(mdm_t02(numbered(3), identity_status="PROV"))
    status = gateway.status()
    assert (status["ready"], status["not_ready"]) == (True, None)
    assert (status["queue"]["delivered"], status["queue"]["held"], status["queue"]["queued"]) == (2, 1, 0)
    lane, listener, folder = status["lanes"][0], status["listeners"][0], status["folders"][0]
    assert (lane["state"], lane["delivered"], lane["in_flight"], lane["why"]) == ("open", 2, 0, None)
    assert (listener["messages"], listener["broken_frames"]) == (2, 0)
    assert (folder["taken"], folder["rejected"], folder["trouble"]) == (1, 0, None)
    assert status["last_delivered"] and lane["last_delivered"]


def test_the_tool_and_the_page_tell_the_same(gateway):
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    by_tool, by_page = gateway.ctl("status"), gateway.status()
    for changing in ("now", "uptime_s"):
        by_tool.pop(changing), by_page.pop(changing)
    assert by_tool == by_page


def test_list_shows_a_document_without_its_patient(gateway):
    doc = hand_in(gateway, "drop", LETTER, "letter.xml")
    gateway.wait_final(doc)
    (row,) = gateway.documents()
    expected = {
        "doc": doc, "unique_id": unique_id(LETTER), "action": "submit", "type_code": "11490-0", "state": "delivered",
        "reason": None, "sentence": None, "attempts": 1, "doubtful": False, "channel": "drop", "source": "LABO",
        "site": "990012345", "lane": "990000987", "origin": "letter.xml", "bytes": len(LETTER), "next_attempt": None,
    }
    assert {name: row[name] for name in expected} == expected


def test_list_may_be_narrowed_to_a_state(gateway):
    gateway.wait_final(hand_in(gateway, "mllp", numbered(1)))
    gateway.send(mdm_t02(numbered(2), identity_status="PROV"))
    assert [each["unique_id"] for each in gateway.ctl("list", "--state", "held")] == [unique_id(numbered(2))]
    assert [each["unique_id"] for each in gateway.ctl("list", "--reason", "ins_not_qualified")] == \
        [unique_id(numbered(2))]


def test_show_tells_the_whole_history(gateway, simulator):
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryBusy", "text": "occupé", "times": 1})
    doc = hand_in(gateway, "mllp", LETTER)
    gateway.wait_final(doc)
    assert gateway.send(mdm_t02(LETTER)).code == "AA"
    shown = gateway.ctl("show", doc)
    told = [(each["what"], each["state"], each["attempt"], each["code"], each["http_status"])
            for each in shown["events"]]
    assert told == [
        ("received", "queued", 0, None, 0),
        ("claimed", "sending", 1, None, 0),
        ("settled", "queued", 1, "XDSRegistryBusy", 200),
        ("claimed", "sending", 2, None, 0),
        ("settled", "delivered", 2, None, 200),
        ("received_again", "delivered", 2, None, 0),
    ]
    assert "occupé" in shown["events"][2]["text"]
    assert [each["number"] for each in shown["events"]] == sorted(each["number"] for each in shown["events"])


def test_show_says_where_each_value_came_from_and_nothing_of_the_patient(gateway):
    doc = hand_in(gateway, "drop", LETTER, "letter.xml")
    gateway.wait_final(doc)
    shown = gateway.ctl("show", doc)
    told = {each["name"]: (each["from"], each["value"]) for each in shown["metadata"]}
    assert told["type"] == ("document", "11490-0 Lettre de liaison à la sortie d'un établissement de soins")
    assert told["class"] == ("rule", "10 Compte rendu")
    assert told["content_type"][0] == told["sender"][0] == "site"
    assert told["patient_ins"] == told["patient_traits"] == ("document", "(of the patient: not shown)")
    assert "279035121518989" not in json.dumps(shown["metadata"]) and "PAT-TROIS" not in json.dumps(shown["metadata"])


def test_show_speaks_to_people_too(gateway):
    doc = hand_in(gateway, "mllp", LETTER)
    gateway.wait_final(doc)
    text = ctl_text(gateway, "show", doc)
    assert all(word in text for word in (doc, "delivered", unique_id(LETTER), "received", "claimed", "settled"))


def test_a_document_keeps_its_id_from_the_door_to_the_last_line(gateway):
    doc = hand_in(gateway, "mllp", LETTER)
    gateway.wait_final(doc)
    lines = [line for line in gateway.journal.lines if doc in line]
    assert len(lines) == 2
    assert f"<6>doc={doc} received" in lines[0] and f"<6>doc={doc} outcome=delivered attempt=1" in lines[1]
    assert json.dumps(gateway.ctl("show", doc)).count(doc) == 1


def test_an_ampersand_in_the_document_reaches_the_dmp_as_one(gateway, simulator):
    cda = LETTER.replace(b'displayName="M\xc3\xa9decin', b'displayName="R&amp;D M\xc3\xa9decin')
    assert cda != LETTER
    gateway.wait_final(hand_in(gateway, "mllp", cda))
    request = simulator.store / "documents" / unique_id(LETTER) / "request.xml"
    assert "#38;" not in request.read_text(encoding="utf-8")
