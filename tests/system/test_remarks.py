"""What goes to the DMP although it is not as the profile wants it: the journal warns, and tells nothing of the patient."""

from __future__ import annotations

import re

from samples import hand_in, mdm_t02, numbered, patient_words, read, unique_id

LETTER = read("discharge-letter.xml")


def remarks(gateway, doc: str) -> list[str]:
    return [found[1] for found in gateway.journal.find(rf"^<4>doc={doc} goes all the same: (.*)")]


def test_a_good_letter_is_not_remarked_on(gateway):
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "delivered"
    assert remarks(gateway, doc) == []


def test_another_local_identifier_in_the_message_is_told(gateway):
    message = mdm_t02(LETTER)
    assert message.count(b"4711^^^") == 1
    assert gateway.send(message.replace(b"4711^^^", b"4712^^^")).code == "AA"
    doc = next(each["doc"] for each in gateway.documents() if each["unique_id"] == unique_id(LETTER))
    assert gateway.wait_final(doc) == "delivered"
    assert remarks(gateway, doc) == ["PID-3 and the document's recordTarget name other local identifiers of the patient"]
    assert [word for word in patient_words() if word in "\n".join(gateway.journal.lines)] == []


def test_a_sender_by_a_number_of_another_authority_does_not_ask_in_person(gateway, simulator):
    """Nationally, the number is somebody else's: the software of the site asks, and the source is told of."""
    letter = numbered(7)
    message = mdm_t02(letter)
    assert message.count(b"&1.2.250.1.71.4.2.1&ISO^D") == 1
    assert gateway.send(message.replace(b"&1.2.250.1.71.4.2.1&ISO^D", b"&1.2.250.1.999.4&ISO^D")).code == "AA"
    doc = next(each["doc"] for each in gateway.documents() if each["unique_id"] == unique_id(letter))
    assert gateway.wait_final(doc) == "delivered"
    assert remarks(gateway, doc) == ["PRT-5.9 of who sends is not 1.2.250.1.71.4.2.1, nor PRT-5.13 EI: "
                                     "the software of the site sends"]


def test_a_flag_about_mail_that_is_missing_is_told(gateway):
    """One about the DMP is refused: test_hostile_input.py. Edition 2.0 is as it was."""
    doc = hand_in(gateway, "mllp", numbered(8), flags={"DESTMSSANTEPAT": None})
    old = hand_in(gateway, "mllp", numbered(9), flags={"MASQUE_PS": None}, profile="2.0^CISIS_CDA_HL7_V2")
    assert gateway.wait_final(doc) == gateway.wait_final(old) == "delivered"
    assert remarks(gateway, doc) == ["a flag of edition 2.1 about mail or acknowledgements is missing: it is taken as N"]
    assert remarks(gateway, old) == []


def test_what_the_document_lacks_is_told_through_both_doors(gateway):
    cda = re.sub(rb"  <setId [^>]*/>\n", b"", LETTER, count=1)
    cda = cda.replace(b'<effectiveTime value="20261120094500+0100"/>', b'<effectiveTime value="20261120094500"/>', 1)
    assert cda != LETTER
    doc = hand_in(gateway, "drop", cda)
    assert gateway.wait_final(doc) == "delivered"
    assert remarks(gateway, doc) == ["it has no setId",
                                     "its effectiveTime has no zone: it is taken for the time of this machine"]
