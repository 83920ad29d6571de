"""Documents, frames and messages that are no good, by either door: refused in words, and told in the journal.

What is meant ill in a single value is in test_hostile_message.py and test_hostile_cda.py.
"""

from __future__ import annotations

import re

import pytest
import yaml

from gateway import END, VT, Gateway, file_digest
from harm import assert_unharmed
from samples import DATA, HOSTILE, hl7, mdm_t02, numbered, patient_words_in, read, unique_id

LETTER = read("discharge-letter.xml")
GOOD = numbered(1)


def refusal_of_message(gateway: Gateway, message: bytes) -> dict:
    ack = gateway.send(message)
    assert ack is not None, "the message was not answered"
    assert patient_words_in(ack.bytes.decode()) == []
    (error,) = ack.errors
    return {"ack": ack.code, **error}


def refusal_of_file(gateway: Gateway, name: str, content: bytes) -> dict:
    gateway.drop(name, content)
    assert gateway.wait_moved(name) == "rejected"
    (moved,) = gateway.inbox.glob(f"rejected/*/{name}")
    assert moved.read_bytes() == content
    note = moved.with_name(f"{moved.stem}.error.yaml")
    assert patient_words_in(note) == []
    (error,) = yaml.safe_load(note.read_text(encoding="utf-8"))["errors"]
    assert all(error[key] for key in ("meaning", "signification", "todo", "action", "text"))
    return error


# ---- documents ----

# What is wrong with each document of tests/data/hostile: the code of ERR-3 and our reason.
WRONG = {
    "deep-nesting.xml": ("199", "too_large"),
    "dtd.xml": ("199", "document_invalid"),
    "entity-bomb.xml": ("199", "document_invalid"),
    "extension-in-id.xml": ("207", "identifier_has_extension"),
    "external-entity.xml": ("199", "document_invalid"),
    "id-not-oid.xml": ("207", "identifier_invalid"),
    "ins-bad-key.xml": ("207", "ins_invalid"),
    "no-ins.xml": ("207", "ins_missing"),
    "not-cda.xml": ("199", "document_invalid"),
    "not-utf-8.xml": ("199", "document_invalid"),
    "not-xml.xml": ("199", "document_invalid"),
    "parent-not-oid.xml": ("207", "identifier_invalid"),
    "truncated.xml": ("199", "document_invalid"),
    "two-patients.xml": ("199", "document_invalid"),
    "unknown-type.xml": ("103", "type_not_accepted"),
}


# A file says nothing of the identity's status: without an INS it waits for one (test_identity.py).
WRONG_FILES = {name: why for name, why in WRONG.items() if name != "no-ins.xml"}


def content_of(name: str) -> bytes:
    return (DATA / "hostile" / name).read_bytes()


def test_the_table_names_every_hostile_document():
    assert sorted(WRONG) == HOSTILE


@pytest.mark.parametrize("name", WRONG)
def test_a_hostile_document_in_a_message_is_refused(gateway, name):
    start = len(gateway.journal.lines)
    refusal = refusal_of_message(gateway, mdm_t02(content_of(name)))
    assert (refusal["ack"], refusal["code"], refusal["reason"]) == ("AE", *WRONG[name])
    gateway.journal.wait(rf"^<4>refused channel=mllp .*reason={WRONG[name][1]}\b", start=start)


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_hostile_file_is_rejected_with_an_explanation(gateway, name):
    error = refusal_of_file(gateway, name, content_of(name))
    assert (error["code"], error["reason"]) == WRONG_FILES[name]
    gateway.journal.wait(rf"^<4>refused channel=drop .*origin={file_digest(name)} .*reason={WRONG_FILES[name][1]}\b")
    assert "root:" not in str(error), "an external entity was read"
    words = error["location"] + ": " if error["location"] else "\0"
    assert not error["text"].startswith(words), "the text repeats its location"


# ---- frames ----

# Bytes on the socket, and what the answer says.
FRAMES = {
    "an empty frame": (VT + END, "AR", "100", "no_header"),
    "FS without CR": (VT + mdm_t02(LETTER) + b"\x1cX", "AE", "199", "message_invalid"),
    "a frame inside a frame": (VT + b"MSH|^~\\&|A" + VT + mdm_t02(LETTER) + END, "AE", "199", "message_invalid"),
    "nothing but zeros": (VT + bytes(4096) + END, "AR", "100", "no_header"),
    "one very long segment": (VT + b"MSH|^~\\&|" + b"|" * 50000 + END, "AE", "101", "field_missing"),
    "UTF-16": (VT + "MSH|^~\\&|A|B".encode("utf-16-le") + END, "AR", "100", "no_header"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_broken_frame_or_message_is_answered(gateway, name):
    start = len(gateway.journal.lines)
    sent, ack_code, code, reason = FRAMES[name]
    with gateway.connect() as mllp:
        mllp.socket.sendall(sent)
        ack = mllp.read()
    assert ack is not None, "no answer"
    assert (ack.code, [(each["code"], each["reason"]) for each in ack.errors]) == (ack_code, [(code, reason)])
    line = gateway.journal.wait(rf"^<4>refused channel=mllp .*reason={reason}\b.*", start=start)
    assert "(null)" not in line.group(), "an origin was made up"


# ---- messages ----

# What is wrong with a message, and what the answer says: MSA-1, ERR-2, ERR-3, our reason.
MESSAGES = {
    "a business acknowledgement": (hl7("zam_refused.hl7"), "AR", "MSH-9", "201", "event"),
    "a message of a gateway": (hl7("mdm_lps.hl7"), "AE", "MSH-21", "203", "version"),
    "an unknown type": (mdm_t02(LETTER).replace(b"MDM^T02^MDM_T02", b"SIU^S12^SIU_S12"),
                        "AR", "MSH-9", "200", "message_type"),
    "no type": (mdm_t02(LETTER).replace(b"MDM^T02^MDM_T02", b""), "AE", "MSH-9", "101", "field_missing"),
    "no control id": (mdm_t02(LETTER, control_id=""), "AE", "MSH-10", "101", "field_missing"),
    "a wrong processing id": (mdm_t02(LETTER, processing_id="X"), "AE", "MSH-11", "202", "processing_id"),
    "a wrong version": (mdm_t02(LETTER).replace(b"|P|2.6|", b"|P|2.3|"), "AE", "MSH-12", "203", "version"),
    "an unknown profile": (mdm_t02(LETTER, profile="9.9^OTHER"), "AE", "MSH-21", "203", "version"),
    "no patient": (re.sub(rb"\rPID[^\r]*", b"", mdm_t02(LETTER)), "AE", "PID", "100", "segment_sequence"),
    "no document": (re.sub(rb"\rOBX\|1[^\r]*", b"", mdm_t02(LETTER)), "AE", "OBX", "198", "cardinality"),
    "a status of identity outside its table": (mdm_t02(LETTER, identity_status="NOPE"),
                                               "AE", "PID-32", "103", "table_value"),
    "a class of visit outside its table": (mdm_t02(LETTER, visit_class="Z"), "AE", "PV1-2", "103", "table_value"),
    "a flag that is neither yes nor no": (mdm_t02(LETTER, flags={"DESTDMP": "MAYBE"}),
                                          "AE", "OBX-5", "103", "table_value"),
    "a flag that is empty": (mdm_t02(LETTER, flags={"DESTDMP": ""}), "AE", "OBX-5", "101", "field_missing"),
    "a flag that is missing": (mdm_t02(LETTER, flags={"MASQUE_PS": None}), "AE", "OBX", "101", "field_missing"),
    "no Base64": (re.sub(rb"Base64\^....", b"Base64^*?*?", mdm_t02(LETTER)), "AE", "OBX-5.5", "102", "data_type"),
    "other delimiters": (mdm_t02(LETTER).replace(b"MSH|^~\\&|", b"MSH|$~\\&|"), "AE", "MSH-2", "102", "data_type"),
    "another patient": (mdm_t02(LETTER, changes={"ins": "279035121518888"}), "AE", "PID-3", "207", "ins_mismatch"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_at_fault_is_answered_by_the_field(gateway, name):
    start = len(gateway.journal.lines)
    message, *expected = MESSAGES[name]
    refusal = refusal_of_message(gateway, message)
    assert [refusal[key] for key in ("ack", "location", "code", "reason")] == expected
    assert refusal["text"]
    control_id = message.split(b"|")[9].decode()
    gateway.journal.wait(rf"^<4>refused channel=mllp .* origin={control_id} ack={expected[0]} reason={expected[3]}\b",
                         start=start)


def test_the_daemon_is_unharmed(before, simulator):
    assert before.gateway.documents() == []
    assert_unharmed(before, lambda: GOOD)
    assert list(simulator.received()) == [unique_id(GOOD)]
