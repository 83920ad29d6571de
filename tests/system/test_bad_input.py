"""What is no good is refused in words at the door it came by, and harms nobody else; tests/hostile has what is meant ill."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from gateway import BUILD, END, Gateway, VT, file_digest
from samples import DOORS, hand_in, mdm_t02, numbered, patient_words_in, read, unique_id

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


@pytest.mark.parametrize("name, content", [
    ("letter.yml", b"type: 11490-0\n"), ("letter.docx", b"PK\x03\x04word"), ("letter", b"word"),
])
def test_another_ending_is_told_which_there_are(gateway, name, content):
    text = refusal_of_file(gateway, name, content)["text"]
    assert "a folder takes (.xml, .hl7, .er7, .zip, or .pdf" in text and "with a .yaml beside it" in text, text


def test_what_ends_as_a_cda_is_not_told_of_endings(gateway):
    assert "a folder takes" not in refusal_of_file(gateway, "letter.XML", b"word")["text"]


def assert_works(gateway: Gateway):
    """A good document still finds its way."""
    assert gateway.wait_final(hand_in(gateway, "mllp", GOOD)) == "delivered"
    assert gateway.get("/healthz")[0] == gateway.get("/readyz")[0] == 200


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


# ---- frames ----

def test_a_message_without_frame_does_not_pass_in_silence(gateway):
    with gateway.connect() as mllp:
        mllp.socket.sendall(mdm_t02(LETTER))
        mllp.socket.shutdown(1)
        assert mllp.read() is None
    assert_works(gateway)
    assert gateway.journal.find(r"^<[34]>mllp_"), "nothing in the journal says why it was not answered"


# ---- patients ----

@pytest.mark.parametrize("old, new", [
    (b'code code="11490-0"', b'code code="%s"'),
    (b'confidentialityCode code="N"', b'confidentialityCode code="%s"'),
    (b'mediaType="application/pdf"', b'mediaType="%s"'),
])
def test_what_stands_where_a_code_should_is_told_to_its_sender_alone(gateway, old, new):
    """It may be anything: a name, an INS."""
    for value in (b"279035121518988", b"ZZDUPONT"):
        assert old in GOOD
        refused = refusal_of_message(gateway, mdm_t02(GOOD.replace(old, new % value, 1)))
        assert refused["ack"] == "AE" and value.decode() in refused["text"]
        gateway.journal.wait(rf"refused .* reason={refused['reason']} where=\S+: \w")
        assert not gateway.journal.find(value.decode())


def test_nothing_that_identifies_a_patient_is_told(start_gateway, simulator):
    gateway = start_gateway(max_document="64 KiB", max_message="128 KiB", first="100 ms")
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryError", "text": "PAT-TROIS DOMINIQUE 279035121518989",
                      "times": 1},
                     {"kind": "failure", "errorCode": "XDSRegistryMetadataError", "times": 1,
                      "text": "le patient PAT-TROIS DOMINIQUE est inconnu"})
    for number, name in enumerate(("discharge-letter.xml", "prescription.xml", "laboratory-report.xml")):
        hand_in(gateway, DOORS[number % 2], read(name), name)
    gateway.settled()
    ctl = [BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock"]
    told = subprocess.run([*ctl, "list"], cwd=gateway.folder, check=True, capture_output=True, text=True).stdout
    told += subprocess.run([*ctl, "status"], cwd=gateway.folder, check=True, capture_output=True, text=True).stdout
    told += gateway.get("/api/v1/status")[1].decode()
    assert patient_words_in(told) == []
    gateway.stop()
    assert patient_words_in("\n".join(gateway.journal.lines)) == []
