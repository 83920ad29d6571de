"""Every message of the ANS profile: what is taken, what is refused, what is answered, and what lies in the store then."""

from __future__ import annotations

import socket

import pytest
import yaml

from gateway import Gateway
from samples import REPLACEMENT, hl7, mdm_t02, numbered, read, unique_id

LETTER, PRESCRIPTION = read("discharge-letter.xml"), read("prescription.xml")  # of the same patient

# What a right replacement or deletion is answered until the DMP's transactions can do it; then ("AA",).


def oru(*documents: bytes, trigger: str = "T02", **settings) -> bytes:
    """The documents in one ORU^R01."""
    segments = mdm_t02(documents[0], trigger=trigger, **settings).split(b"\r")
    segments = [each for each in segments if each[:3] not in (b"EVN", b"TXA")]
    segments[0] = segments[0].replace(f"MDM^{trigger}^MDM_T02".encode(), b"ORU^R01^ORU_R01").replace(b"|2.6|", b"|2.5|")
    at = next(i for i, each in enumerate(segments) if each.startswith(b"OBX|2|"))  # the first flag
    others = [mdm_t02(each, trigger=trigger).split(b"\r") for each in documents[1:]]
    segments[at:at] = [next(each for each in other if each.startswith(b"OBX|1|")) for other in others]
    return b"\r".join(segments)


def batch(*messages: bytes, counted: int | None = None) -> bytes:
    count = len(messages) if counted is None else counted
    return b"".join([b"FHS|^~\\&|DPI-A\rBHS|^~\\&|DPI-A\r", *(each.rstrip(b"\r") + b"\r" for each in messages),
                     b"BTS|%d\rFTS|1\r" % count])


def answer(gateway: Gateway, message: bytes) -> tuple:
    """MSA-1, then ERR-3 and our reason of each error."""
    ack = gateway.send(message)
    return (ack.code, *(part for error in ack.errors for part in (error["code"], error["reason"])))


# ---- one or two documents ----

@pytest.mark.parametrize("profile", ["2.1^CISIS_CDA_HL7_V2", "2.0^CISIS_CDA_HL7_V2"])
def test_an_oru_brings_a_document(gateway, simulator, profile):
    assert answer(gateway, oru(LETTER, profile=profile)) == ("AA",)
    assert gateway.settled()[unique_id(LETTER)]["state"] == "delivered"
    assert simulator.document(unique_id(LETTER)) == LETTER


def test_two_forms_are_two_documents_of_one_message(gateway, simulator):
    assert answer(gateway, oru(LETTER, PRESCRIPTION, control_id="PAIR-1")) == ("AA",)
    settled = gateway.settled()
    assert {each["state"] for each in settled.values()} == {"delivered"}
    assert {each["origin"] for each in settled.values()} == {"PAIR-1"}
    for cda in (LETTER, PRESCRIPTION):
        assert simulator.document(unique_id(cda)) == cda


def test_two_forms_again_are_nothing_new(gateway, simulator):
    for _ in range(2):
        assert answer(gateway, oru(LETTER, PRESCRIPTION)) == ("AA",)
    assert len(gateway.settled()) == 2
    gateway.journal.wait(r"received again .*type=11490-0")
    assert len(simulator.received()) == 2


@pytest.mark.parametrize("flag, said", [
    ("MASQUE_PS", "professionals see"),
    ("INVISIBLE_PATIENT", "the patient sees"),
    ("INVISIBLE_REP_LEGAUX", "the guardians see"),
    ("CONNEXION_SECRETE", "the guardians see"),
])
def test_the_same_again_hides_from_nobody_and_says_so(gateway, simulator, flag, said):
    """Its sender must not believe that it is hidden now: that takes a replacement."""
    assert answer(gateway, mdm_t02(LETTER)) == ("AA",)
    assert gateway.settled()[unique_id(LETTER)]["state"] == "delivered"
    ack = gateway.send(mdm_t02(LETTER, flags={flag: "Y"}))
    (error,) = ack.errors
    assert (ack.code, error["code"], error["reason"]) == ("AE", "207", "duplicate_foreign")
    assert error["text"].startswith(f"it was accepted as one that {said}: that is changed by a replacement")
    assert answer(gateway, mdm_t02(LETTER)) == ("AA",)
    assert list(simulator.received()) == [unique_id(LETTER)]


def test_of_two_forms_one_may_be_known(gateway, simulator):
    assert answer(gateway, mdm_t02(LETTER)) == ("AA",)
    assert answer(gateway, oru(LETTER, PRESCRIPTION)) == ("AA",)
    assert set(gateway.settled()) == {unique_id(LETTER), unique_id(PRESCRIPTION)}


def test_one_foreign_form_takes_neither(gateway, simulator):
    other = PRESCRIPTION.replace(b"</title>", b" (bis)</title>")
    assert answer(gateway, mdm_t02(PRESCRIPTION)) == ("AA",)
    assert answer(gateway, oru(LETTER, other)) == ("AE", "207", "duplicate_foreign")
    assert set(gateway.settled()) == {unique_id(PRESCRIPTION)}
    assert list(simulator.received()) == [unique_id(PRESCRIPTION)]
    assert not gateway.journal.find("store unavailable")


def test_one_bad_form_takes_neither(gateway):
    assert answer(gateway, oru(LETTER, b"no CDA")) == ("AE", "199", "document_invalid")
    assert gateway.documents() == []


def test_two_forms_share_what_the_flags_say(gateway):
    assert answer(gateway, oru(LETTER, PRESCRIPTION, flags={"DESTDMP": "N"})) == ("AA",)
    assert [each["reason"] for each in gateway.documents()] == ["not_for_dmp"] * 2


# ---- what is wanted ----

@pytest.mark.parametrize("message, wanted", {
    "a document that says it replaces": (mdm_t02(read(REPLACEMENT)), ("AE", "199", "message_invalid")),
    "a replacement that names none": (mdm_t02(LETTER, trigger="T10"), ("AE", "199", "predecessor_unknown")),
    "a replacement of another": (mdm_t02(read(REPLACEMENT), trigger="T10", changes={"parent_id": "1.2.250.1.999.4"}),
                                 ("AE", "199", "message_invalid")),
    "two forms that replace one": (oru(read(REPLACEMENT), PRESCRIPTION, trigger="T10"),
                                   ("AE", "199", "predecessor_unknown")),
    "an order that says otherwise": (mdm_t02(LETTER).replace(b"\rORC|NW", b"\rORC|CA"),
                                     ("AE", "199", "message_invalid")),
}.values(), ids=lambda value: value[2] if isinstance(value, tuple) else "")
def test_what_is_wanted_is_said_once(gateway, message, wanted):
    assert answer(gateway, message) == wanted
    assert [each["unique_id"] for each in gateway.documents()] == []


def test_edition_1_2_is_taken_where_it_is_wanted(start_gateway, simulator):
    message = oru(LETTER, profile="1.2^CISIS_CDA_HL7_V1", sender=False).replace(b"\rORC|NW", b"\rORC|SC")
    closed = start_gateway("closed")
    assert answer(closed, message) == ("AE", "203", "version")
    with Gateway(closed.folder.parent / "open", simulator.url, simulator.pki,
                 config=closed.config.read_text().replace("intake:\n", "intake:\n  profile_1_2: true\n")) as taking:
        assert answer(taking, message) == ("AA",)
        assert taking.settled()[unique_id(LETTER)]["state"] == "delivered"


# ---- what brings no document ----

@pytest.mark.parametrize("name, event", [("adt_admission.hl7", "A01"), ("adt_identity.hl7", "A28")])
def test_an_adt_is_acknowledged_and_told_without_its_patient(gateway, name, event):
    assert answer(gateway, hl7(name)) == ("AA",)
    gateway.journal.wait(rf"^<6>adt event={event} channel=mllp source=DPI ")
    assert gateway.documents() == []
    assert not gateway.journal.find("PAT-TROIS|DOMINIQUE|279035121518989")


def test_an_acknowledgement_is_not_answered(gateway):
    with gateway.connect() as mllp:
        mllp.write(hl7("ack_business.hl7"))
        ack = mllp.send(mdm_t02(LETTER, control_id="AFTER"))
        assert ack.control_id == "AFTER", "the first answer is to the second message"
        mllp.write(hl7("ack_business.hl7"))
        mllp.socket.shutdown(socket.SHUT_WR)
        assert mllp.read() is None
    gateway.journal.wait(r"refused channel=mllp .*ack=none reason=message_type")


def test_a_business_acknowledgement_does_not_come_to_a_gateway(gateway):
    assert answer(gateway, hl7("zam_refused.hl7")) == ("AR", "201", "event")


# ---- files ----

def result(gateway: Gateway, fate: str, name: str) -> dict:
    (found,) = gateway.inbox.glob(f"{fate}/*/{name}")
    return yaml.safe_load(found.read_text(encoding="utf-8"))


def test_a_batch_is_taken_message_by_message(gateway, simulator):
    gateway.drop("night.hl7", batch(mdm_t02(LETTER, control_id="N1"), hl7("adt_identity.hl7"),
                                    oru(numbered(1), PRESCRIPTION, control_id="N3")))
    assert gateway.wait_moved("night.hl7") == "done"
    settled = gateway.settled()
    assert {each["state"] for each in settled.values()} == {"delivered"}
    told = result(gateway, "done", "night.result.yaml")
    assert told["file"] == "night.hl7"
    assert [each["control_id"] for each in told["messages"]] == ["N1", "77002", "N3"]
    assert told["messages"][1]["event"] == "A28"
    documents = [document for each in told["messages"] for document in each.get("documents", [])]
    assert {each["unique_id"]: each["doc"] for each in documents} == \
        {unique_id: each["doc"] for unique_id, each in settled.items()}
    assert all(each["state"] == "queued" and not each["known"] for each in documents)


def test_a_batch_again_is_known(gateway):
    for name in ("one.er7", "two.er7"):
        gateway.drop(name, batch(mdm_t02(LETTER)).replace(b"\r", b"\r\n"))
        assert gateway.wait_moved(name) == "done"
        gateway.settled()
    (message,) = result(gateway, "done", "two.result.yaml")["messages"]
    assert [(each["known"], each["state"]) for each in message["documents"]] == [(True, "delivered")]
    assert len(gateway.documents()) == 1


@pytest.mark.parametrize("bad, code", {
    "a message at fault": (mdm_t02(PRESCRIPTION, visit_class="Z", control_id="BAD"), "103"),
    "no CDA": (mdm_t02(b"no CDA", control_id="BAD"), "199"),
    "no message": (b"MSH|^~\\&", "101"),
    "a foreign document": (mdm_t02(LETTER.replace(b"</title>", b" (bis)</title>"), control_id="BAD"), "207"),
}.values(), ids=lambda value: value if isinstance(value, str) else "")
def test_one_bad_message_refuses_the_batch(gateway, simulator, bad, code):
    gateway.drop("night.hl7", batch(mdm_t02(LETTER), bad, mdm_t02(numbered(1))))
    assert gateway.wait_moved("night.hl7") == "rejected"
    (error,) = result(gateway, "rejected", "night.error.yaml")["errors"]
    assert error["code"] == code
    assert error["text"].startswith("message 2 of 3 ")
    assert gateway.documents() == []
    assert not simulator.received()


def test_every_bad_message_of_a_batch_is_told(gateway):
    gateway.drop("night.hl7", batch(mdm_t02(b"", control_id="X1"), mdm_t02(LETTER), mdm_t02(b"x", control_id="X3")))
    assert gateway.wait_moved("night.hl7") == "rejected"
    errors = result(gateway, "rejected", "night.error.yaml")["errors"]
    for error, told in zip(errors, ("message 1 of 3 (MSH-10: X1): ", "message 3 of 3 (MSH-10: X3): "), strict=True):
        assert error["text"].startswith(told)


@pytest.mark.parametrize("content", [
    batch(mdm_t02(LETTER), counted=2), batch(mdm_t02(LETTER)).replace(b"FTS|1\r", b""),
    mdm_t02(LETTER) + mdm_t02(PRESCRIPTION), b"Exemple :\r\r" + mdm_t02(LETTER),
], ids=["a count that is wrong", "no end", "two messages without a batch", "prose before the message"])
def test_a_file_that_is_no_batch_is_refused_whole(gateway, content):
    gateway.drop("night.hl7", content)
    assert gateway.wait_moved("night.hl7") == "rejected"
    assert len(result(gateway, "rejected", "night.error.yaml")["errors"]) == 1
    assert gateway.documents() == []


def test_a_message_in_a_file_has_no_result_beside_it(gateway):
    gateway.drop("one.hl7", mdm_t02(LETTER))
    assert gateway.wait_moved("one.hl7") == "done"
    assert [path.name for path in gateway.inbox.glob("done/*/*")] == ["one.hl7"]
