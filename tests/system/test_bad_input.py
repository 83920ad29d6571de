"""What is no good is refused in words at the door it came by, is told in the journal, and harms nobody else."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from gateway import BUILD, END, Gateway, VT, file_digest
from samples import (DATA, DOORS, HOSTILE, hand_in, hl7, mdm_t02, numbered, patient_words_in, read, unique_id)

LETTER = read("discharge-letter.xml")
GOOD = numbered(1)
KIB = 1024


def refusal_of_message(gateway: Gateway, message: bytes) -> dict:
    ack = gateway.send(message)
    assert ack is not None, "the message was not answered"
    (error,) = ack.errors
    return {"ack": ack.code, "code": error["code"], "reason": error["reason"], "text": error["text"],
            "location": error["location"]}


def refusal_of_file(gateway: Gateway, name: str, content: bytes) -> dict:
    gateway.drop(name, content)
    assert gateway.wait_moved(name) == "rejected"
    (moved,) = gateway.inbox.glob(f"rejected/*/{name}")
    assert moved.read_bytes() == content
    explanation = yaml.safe_load(moved.with_name(f"{moved.stem}.error.yaml").read_text(encoding="utf-8"))
    assert explanation["file"] == name
    (error,) = explanation["errors"]
    assert all(error[key] for key in ("meaning", "signification", "todo", "action", "text"))
    return error


def assert_works(gateway: Gateway):
    """A good document still finds its way."""
    assert gateway.wait_final(hand_in(gateway, "mllp", GOOD)) == "delivered"
    assert gateway.get("/healthz")[0] == gateway.get("/readyz")[0] == 200


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


def test_the_table_names_every_hostile_document():
    assert sorted(WRONG) == HOSTILE


@pytest.mark.parametrize("name", WRONG)
def test_a_hostile_document_in_a_message_is_refused(gateway, simulator, name):
    refusal = refusal_of_message(gateway, mdm_t02((DATA / "hostile" / name).read_bytes()))
    assert (refusal["ack"], refusal["code"], refusal["reason"]) == ("AE", *WRONG[name])
    gateway.journal.wait(rf"^<4>refused channel=mllp .*reason={WRONG[name][1]}\b")
    assert_works(gateway)
    assert list(simulator.received()) == [unique_id(GOOD)]


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_hostile_file_is_rejected_with_an_explanation(gateway, simulator, name):
    error = refusal_of_file(gateway, name, (DATA / "hostile" / name).read_bytes())
    assert (error["code"], error["reason"]) == WRONG_FILES[name]
    gateway.journal.wait(rf"^<4>refused channel=drop .*origin={file_digest(name)} .*reason={WRONG_FILES[name][1]}\b")
    assert_works(gateway)
    assert list(simulator.received()) == [unique_id(GOOD)]


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_refusal_says_where_once(gateway, name):
    error = refusal_of_file(gateway, name, (DATA / "hostile" / name).read_bytes())
    words = error["location"] + ": " if error["location"] else "\0"
    assert not error["text"].startswith(words), "the text repeats its location"


def test_an_external_entity_is_never_read(gateway):
    error = refusal_of_file(gateway, "passwd.xml", (DATA / "hostile" / "external-entity.xml").read_bytes())
    assert "root:" not in str(error)


@pytest.mark.parametrize("name", ["scan.png", "archive.zip", "noname", "letter.XML"])
def test_a_file_of_another_kind_is_rejected(gateway, name):
    assert refusal_of_file(gateway, name, b"%PDF-1.4 no CDA at all")["reason"] == "document_invalid"


def test_an_empty_file_is_rejected(gateway):
    assert refusal_of_file(gateway, "empty.xml", b"")["reason"] == "document_invalid"


def test_what_is_no_regular_file_stays_where_it_is(gateway):
    link = gateway.inbox / "link.xml"
    link.symlink_to("/etc/hostname")
    gateway.journal.wait(rf"^<4>.*file={file_digest('link.xml')}: not a regular file")
    assert_works(gateway)
    assert link.is_symlink()


def test_two_bad_files_of_one_name_are_kept_apart(gateway):
    for content in (b"first", b"second"):
        start = len(gateway.journal.lines)
        gateway.drop("letter.xml", content)
        gateway.wait_moved("letter.xml", start=start)
    found = {path.name: path.read_bytes() for path in gateway.inbox.glob("rejected/*/*.xml")}
    assert found == {"letter.xml": b"first", "letter-2.xml": b"second"}
    notes = {path.name for path in gateway.inbox.glob("rejected/*/*.error.yaml")}
    assert notes == {"letter.error.yaml", "letter-2.error.yaml"}


def test_an_explanation_of_a_strange_name_is_still_yaml(gateway):
    name = 'a "letter": #1\\ {é}.xml'
    assert refusal_of_file(gateway, name, b"no XML")["reason"] == "document_invalid"


def test_a_message_that_is_a_file_is_explained_by_its_fields(gateway):
    message = mdm_t02(LETTER).replace(b"|VALI", b"|NOPE")
    error = refusal_of_file(gateway, "message.hl7", message)
    assert (error["location"], error["code"], error["reason"]) == ("PID-32", "103", "table_value")


# ---- sizes ----

@pytest.fixture
def small_gateway(start_gateway):
    return start_gateway(max_document="64 KiB", max_message="128 KiB")


def padded(size: int) -> bytes:
    return LETTER + b" " * (size - len(LETTER))


@pytest.mark.parametrize("door", DOORS)
def test_a_document_at_the_limit_is_taken(small_gateway, simulator, door):
    small_gateway.wait_final(hand_in(small_gateway, door, padded(64 * KIB)))
    assert len(simulator.document(unique_id(LETTER))) == 64 * KIB


def test_a_document_over_the_limit_is_refused_in_a_message(small_gateway):
    refusal = refusal_of_message(small_gateway, mdm_t02(padded(64 * KIB + 1)))
    assert (refusal["ack"], refusal["code"], refusal["reason"]) == ("AE", "199", "too_large")
    assert_works(small_gateway)


def test_a_file_over_the_limit_is_rejected(small_gateway):
    error = refusal_of_file(small_gateway, "large.xml", padded(64 * KIB + 1))
    assert (error["code"], error["reason"]) == ("199", "too_large")
    assert_works(small_gateway)


def test_a_message_over_the_limit_is_refused_by_its_own_id(small_gateway):
    ack = small_gateway.send(mdm_t02(padded(200 * KIB), control_id="LARGE"))
    assert (ack.code, ack.control_id) == ("AE", "LARGE")
    assert [(each["code"], each["reason"]) for each in ack.errors] == [("199", "too_large")]
    assert_works(small_gateway)


def test_a_frame_without_end_is_refused_at_the_limit(small_gateway):
    with small_gateway.connect() as mllp:
        mllp.socket.sendall(VT + b"A" * (129 * KIB))
        ack = mllp.read()
        assert (ack.code, ack.errors[0]["reason"]) == ("AE", "too_large")
        assert mllp.read() is None, "the connection is to be closed"
    small_gateway.journal.wait(r"^<4>mllp_frame_broken ")
    assert_works(small_gateway)


def test_a_good_message_before_a_bad_frame_is_answered_first(small_gateway):
    with small_gateway.connect() as mllp:
        mllp.socket.sendall(VT + mdm_t02(numbered(2), control_id="GOOD") + END + VT + b"A" * (129 * KIB))
        first, second = mllp.read(), mllp.read()
    assert (first.code, first.control_id, second.code) == ("AA", "GOOD", "AE")


# ---- frames and messages ----

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
    sent, ack_code, code, reason = FRAMES[name]
    with gateway.connect() as mllp:
        mllp.socket.sendall(sent)
        ack = mllp.read()
    assert ack is not None, "no answer"
    assert (ack.code, [(each["code"], each["reason"]) for each in ack.errors]) == (ack_code, [(code, reason)])
    gateway.journal.wait(rf"^<4>refused channel=mllp .*reason={reason}\b")
    assert_works(gateway)


def test_a_message_without_frame_does_not_pass_in_silence(gateway):
    with gateway.connect() as mllp:
        mllp.socket.sendall(mdm_t02(LETTER))
        mllp.socket.shutdown(1)
        assert mllp.read() is None
    assert_works(gateway)
    assert gateway.journal.find(r"^<[34]>mllp_"), "nothing in the journal says why it was not answered"


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
    "no Base64": (re.sub(rb"Base64\^....", b"Base64^*?*?", mdm_t02(LETTER)), "AE", "OBX-5.5", "102", "data_type"),
    "other delimiters": (mdm_t02(LETTER).replace(b"MSH|^~\\&|", b"MSH|$~\\&|"), "AE", "MSH-2", "102", "data_type"),
    "another patient": (mdm_t02(LETTER, changes={"ins": "279035121518888"}), "AE", "PID-3", "207", "ins_mismatch"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_at_fault_is_answered_by_the_field(gateway, simulator, name):
    message, *expected = MESSAGES[name]
    refusal = refusal_of_message(gateway, message)
    assert [refusal[key] for key in ("ack", "location", "code", "reason")] == expected
    assert refusal["text"]
    gateway.journal.wait(rf"^<4>refused channel=mllp .*ack={expected[0]} reason={expected[3]}\b")
    assert_works(gateway)
    assert list(simulator.received()) == [unique_id(GOOD)]


@pytest.mark.parametrize("name", ["an unknown type", "an unknown profile", "no Base64"])
def test_the_journal_names_the_message_that_was_refused(gateway, name):
    message, *_ = MESSAGES[name]
    control_id = message.split(b"|")[9].decode()
    assert gateway.send(message).control_id == control_id
    gateway.journal.wait(rf"^<4>refused channel=mllp .* origin={control_id} ", timeout=5)


def test_a_broken_frame_has_no_made_up_origin(gateway):
    with gateway.connect() as mllp:
        mllp.socket.sendall(FRAMES["FS without CR"][0])
        mllp.read()
    assert "(null)" not in gateway.journal.wait(r"refused channel=mllp.*").group()


# ---- patients ----

def test_nothing_that_identifies_a_patient_is_told(start_gateway, simulator):
    gateway = start_gateway(max_document="64 KiB", max_message="128 KiB", first="100 ms")
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryError", "text": "PAT-TROIS DOMINIQUE 279035121518989",
                      "times": 1},
                     {"kind": "failure", "errorCode": "XDSRegistryMetadataError", "times": 1,
                      "text": "le patient PAT-TROIS DOMINIQUE est inconnu"})
    for number, name in enumerate(("discharge-letter.xml", "prescription.xml", "laboratory-report.xml")):
        hand_in(gateway, DOORS[number % 2], read(name), name)
    gateway.settled()
    for name in HOSTILE:
        hostile = (DATA / "hostile" / name).read_bytes()
        gateway.send(mdm_t02(hostile))
        gateway.drop(name, hostile)
        gateway.wait_moved(name)
        for path in gateway.inbox.glob(f"rejected/*/{name[:-4]}.error.yaml"):
            assert patient_words_in(path) == [], path.name
    for message, *_ in MESSAGES.values():
        ack = gateway.send(message)
        assert patient_words_in("\r".join("|".join(each) for each in ack.segments)) == []
    for sent, *_ in FRAMES.values():
        with gateway.connect() as mllp:
            mllp.socket.sendall(sent)
            mllp.read()
    ctl = [BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock"]
    told = subprocess.run([*ctl, "list"], cwd=gateway.folder, check=True, capture_output=True, text=True).stdout
    told += subprocess.run([*ctl, "status"], cwd=gateway.folder, check=True, capture_output=True, text=True).stdout
    told += gateway.get("/api/v1/status")[1].decode()
    assert patient_words_in(told) == []
    gateway.stop()
    assert patient_words_in("\n".join(gateway.journal.lines)) == []
