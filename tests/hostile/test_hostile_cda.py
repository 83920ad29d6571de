"""Every value of a document's header, with everything that may be written into it.

As with the fields of a message: what becomes of a text there, and what an attack makes of the whole document.
"""

from __future__ import annotations

import base64
import re
from xml.sax.saxutils import escape

import pytest

from attacks import MIB, TEXTS, marked
from cda_edit import spots
from harm import assert_unharmed
from hl7_edit import answered
from samples import mdm_t02, numbered, read, unique_id

LETTER = read("discharge-letter.xml").decode()
ID = unique_id(LETTER.encode())
SPOTS = {spot.place: spot for spot in spots(LETTER, "<component>")}
TAKEN = ("AA",)


def refused(code: str, reason: str, words: str) -> tuple:
    return ("AE", "", code, reason, words)


NO_TIME = "is not a time"
NOT_WELL_FORMED = r"([\w/]+: )?not well-formed at line \d+: |the document is not well-formed XML"

# What becomes of a text at a place (a pattern of its path): the code of ERR-3, our reason, a pattern of the sentence.
# Everywhere else it is taken.
FATES = {
    r"/@xmlns": refused("199", "document_invalid", "the root is not ClinicalDocument in urn:hl7-org:v3"),
    r"id/@root": refused("207", "identifier_invalid", "id/@root: the document's id is not an OID"),
    r"code/@code": refused("103", "type_not_accepted", "code/@code: .* is not in the DMP's list; nearest: 11490-0"),
    r"code/@codeSystem": refused("103", "type_not_accepted", "code/@code: 11490-0 is known, but not of the code system"),
    r"effectiveTime/@value": refused("102", "data_type", "effectiveTime: .*" + NO_TIME),
    r"confidentialityCode/@code": refused("103", "metadata_invalid", "confidentialityCode/@code: .* is not in the DMP's list"),
    r"languageCode/@code": refused("103", "metadata_invalid", "languageCode/@code: it is not a language like fr-FR"),
    r"recordTarget/patientRole/id/@root": refused("207", "ins_missing", "recordTarget/patientRole/id: the document carries no INS"),
    r"recordTarget/patientRole/id/@extension": refused("207", "ins_invalid", "recordTarget/patientRole/id: the INS h"),
    r".*/patient/birthTime/@value": refused("102", "data_type", "patient/birthTime: the birth date is not of the form"),
    r"(author/assignedAuthor|legalAuthenticator/assignedEntity)/code/@code":
        refused("103", "metadata_invalid", r"(author|legalAuthenticator)/assigned\w+: .* is not in the DMP's list"),
    r"documentationOf/serviceEvent/effectiveTime/(low|high)/@value":
        refused("102", "data_type", "serviceEvent/effectiveTime/.*" + NO_TIME),
    r".*/standardIndustryClassCode/@code": refused("103", "metadata_invalid", "standardIndustryClassCode/@code: .* list"),
    r".*/standardIndustryClassCode/@codeSystem": refused("103", "metadata_invalid", "standardIndustryClassCode/@code: .* code system"),
    r".*/healthCareFacility/code/@code": refused("103", "metadata_invalid", "healthCareFacility/code/@code: .* list"),
    r".*/healthCareFacility/code/@codeSystem": refused("103", "metadata_invalid", "healthCareFacility/code/@code: .* code system"),
}

# The person's ids would be cut at these.
SEPARATORS = {
    r"(author/assignedAuthor|legalAuthenticator/assignedEntity)/id/@(root|extension)":
        refused("102", "data_type", r"\w+/assigned\w+: the id holds one of"),
}

# Attributes of which nothing is read; the texts of elements are cut instead.
UNREAD = re.compile(r"/@.*|(realmCode|typeId)/.*|.*/@nullFlavor|confidentialityCode/@(codeSystem|displayName)"
                    r"|.*administrativeGenderCode/@(codeSystem|displayName)|author/time/@value|.*/signatureCode/.*"
                    r"|legalAuthenticator/time/@value|custodian/.*/id/@(root|extension)|.*/performer/@typeCode"
                    r"|.*/performer/assignedEntity/(representedOrganization/)?id/@(root|extension)"
                    r"|.*/encompassingEncounter/effectiveTime/low/@value")

WRITTEN = {name: escape(text, {'"': "&quot;"}) for name, text in TEXTS.items()} | {
    "HTML": "&quot;&gt;&lt;script&gt;forged&lt;/script&gt;",
    "XML": "]]&gt;&lt;/Value&gt;&lt;Slot name='forged'/&gt;",
    "a line": "x&#13;&#10;&lt;3&gt;forged a line",
    "separators": "forged^b|c~d&amp;e",
    "1 MiB": "A" * MIB,
    "NUL": "forged\0b",
    "NUL by reference": "forged&#0;b",
    "the terminal": "forged\x1b[2J",
    "the terminal by reference": "forged&#27;[2J",
    "no character": "forged&#xffff;",
    "no UTF-8": "forged\udcff\udcfe(",
    "an entity": "&forged;",
}
NOT_XML = ("NUL", "NUL by reference", "the terminal", "the terminal by reference", "no character", "no UTF-8", "an entity")
CASES = [(place, attack) for place in SPOTS for attack in WRITTEN]

# What is only found when the request is built or by the DMP; its reason says so.
LATER = {
    r"/@xmlns:xsi": "document_invalid",  # a namespace by a relative URI: no canonical form, no signature
}


def fate_of(table: dict, place: str):
    place = place.partition("#")[0] if not place.startswith("recordTarget/patientRole/id/@") else place
    return next((fate for pattern, fate in table.items() if re.fullmatch(pattern, place)), None)


def expected(place: str, attack: str) -> tuple:
    if attack in NOT_XML:
        return refused("199", "document_invalid", NOT_WELL_FORMED)
    if place.startswith("/@xmlns") and attack not in ("path", "1 MiB"):
        return refused("199", "document_invalid", NOT_WELL_FORMED)  # no URI
    if attack == "1 MiB" and "/@" in place and not UNREAD.fullmatch(place.partition("#")[0]):
        return refused("199", "document_invalid", r".*: an attribute is longer than 4096 bytes")
    return (attack == "separators" and fate_of(SEPARATORS, place)) or fate_of(FATES, place) or TAKEN


def document_id(number: int) -> str:
    return f"1.2.250.1.999.1.9.{number}"


def document(number: int, place: str, attack: str) -> bytes:
    written = SPOTS[place].write(LETTER, marked(WRITTEN[attack], re.sub(r"\W", "-", place)))
    return written.replace(ID, document_id(number)).encode("utf-8", "surrogateescape")


def message(number: int, cda: bytes) -> bytes:
    """As the sender of the good letter would send it, with another document in it."""
    good = numbered(number)
    carried = base64.b64encode(good)
    whole = mdm_t02(good, control_id=f"D{number}")
    assert whole.count(carried) == 1
    return whole.replace(carried, base64.b64encode(cda))


@pytest.mark.parametrize("place", SPOTS)
def test_a_value_is_kept_or_refused_by_its_place(gateway, place):
    with gateway.connect() as mllp:
        for attack in WRITTEN:
            number = CASES.index((place, attack))
            ack = mllp.send(message(number, document(number, place, attack)))
            assert ack is not None, f"{attack}: the message was not answered"
            got, wanted = answered(ack), expected(place, attack)
            assert got[:4] == wanted[:4], (attack, got)
            assert len(got) == len(wanted) and re.match("".join(wanted[4:]), "".join(got[4:])), (attack, got)


def test_what_was_taken_ended_as_it_should(gateway, simulator):
    documents = gateway.settled(60)
    for number, (place, attack) in enumerate(CASES):
        about = documents.get(document_id(number))
        if expected(place, attack) != TAKEN:
            assert about is None, (place, attack)
            continue
        later = fate_of(LATER, place)
        assert about is not None and about["reason"] == later, (place, attack)
        if later is None:
            assert simulator.document(document_id(number)) == document(number, place, attack)


def test_the_daemon_is_unharmed(before):
    assert_unharmed(before, lambda: numbered(len(CASES)))
