"""TD2.1 over real mutual TLS: what is stored, what was sent before, what options change."""

import json
from pathlib import Path

import pytest

from reference_client import (
    ACTION,
    BOUNDARY,
    CONFIDENTIALITY,
    DOCTOR,
    GATEWAY,
    HAS_MEMBER,
    HIDDEN,
    PATIENT,
    PATIENT_WORDS,
    TO,
    association,
    code,
    fresh_oid,
    include,
    new_message,
    part,
    slot,
)

PROJECT = Path(__file__).resolve().parents[2]
SCHEMAS = PROJECT.parent / "shared" / "schemas"

METADATA = "XDSRegistryMetadataError"
CONTENT = "InvalidDocumentContent"
NOT_PRESENT = "A required header representing a Message Addressing Property is not present"


# ---- what is accepted


@pytest.mark.parametrize("signed", [False, True])
def test_a_correct_submission_is_stored_byte_for_byte(sim, client, signer, signed):
    message = new_message(signer if signed else None)
    sent = message.sealed_envelope()
    message.envelope, message.assertion = sent, ""
    answer = client.send(message)
    assert (answer.status, answer.outcome) == (200, "Success")
    assert answer.headers["Content-Type"] == "application/soap+xml; charset=UTF-8"
    assert answer.header == {"Action": f"{ACTION}Response", "RelatesTo": message.message_id}

    folder = sim.store / "documents" / message.unique_id
    assert (folder / "document.xml").read_bytes() == message.document.encode()
    assert (folder / "request.xml").read_bytes() == sent.encode()
    assert (folder / "signature.xml").exists() == signed
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["submissionSetUniqueId"] == message.set_unique_id
    assert metadata["typeCode"] == "27899-4"
    assert metadata["size"] == len(message.document.encode())
    assert not any(word in (folder / "metadata.json").read_text() for word in PATIENT_WORDS)

    (line,) = sim.journal()
    assert (line["verdict"], line["uniqueId"], line["code"]) == ("stored", message.unique_id, None)


END = f"--{BOUNDARY}--"

ALLOWED = {
    "empty To": ("envelope", TO, "<wsa:To/>"),
    "no CRLF after the closing boundary": ("frame", f"{END}\r\n", END),
    "no serviceStopTime": ("envelope", slot("serviceStopTime", "20261119160000"), ""),
    "the INS as sourcePatientId": ("envelope", "P0042178^^^&amp;1.2.250.1.999.77.9&amp;ISO^PI", PATIENT),
    "a system as author of the document": ("envelope", slot("authorPerson", DOCTOR), slot("authorPerson", GATEWAY)),
}


@pytest.mark.parametrize(("target", "old", "new"), ALLOWED.values(), ids=ALLOWED.keys())
def test_what_the_facts_allow_is_accepted(client, target, old, new):
    assert client.send(new_message().replace(target, old, new)).outcome == "Success"


def test_a_content_id_may_be_percent_encoded_in_its_href(client):
    message = new_message().replace("frame", "<document1@gateway>", "<document+1@gateway>")
    assert (
        client.send(message.replace("envelope", "cid:document1@gateway", "cid:document%2B1@gateway")).outcome
        == "Success"
    )


# ---- what is refused beyond one change (test_sim_mutations.py has those)


def test_every_problem_of_a_message_is_in_the_journal(sim, client):
    message = (
        new_message()
        .replace("envelope", slot("languageCode", "fr-FR"), "")
        .replace("document", 'code="27899-4"', 'code="x"')
    )
    assert client.send(message).code == METADATA
    (line,) = sim.journal()
    assert [(f["code"], f["location"]) for f in line["findings"]] == [
        (METADATA, "Document01/Slot[languageCode]"),
        (CONTENT, "Document01"),
    ]


def test_another_request_is_not_served_here(client):
    message = new_message()
    for _ in range(2):  # the start tag and the end tag
        message.replace("envelope", "xdsb:ProvideAndRegisterDocumentSetRequest", "xdsb:RetrieveDocumentSetRequest")
    answer = client.send(message)
    assert (answer.outcome, answer.text.startswith("soap:Body: it holds xdsb:RetrieveDocumentSetRequest")) == (
        "Fault",
        True,
    )


def test_the_message_id_is_required(client):
    message = new_message()
    answer = client.send(message.replace("envelope", f"<wsa:MessageID>{message.message_id}</wsa:MessageID>", ""))
    assert (answer.code, answer.text) == ("wsa:MessageAddressingHeaderRequired", f"wsa:MessageID: {NOT_PRESENT}")
    assert answer.header == {"Action": "http://www.w3.org/2005/08/addressing/fault"}


def test_a_document_element_without_its_part_is_missing(client, signer):
    message = new_message(signer).replace("envelope", include("Signature01", "signature1@gateway"), "")
    message.signature = None
    answer = client.send(message)
    assert (answer.code, answer.text) == ("XDSMissingDocument", "Signature01: no xdsb:Document has its id")


# ---- what was sent before counts


def test_a_document_is_stored_once(sim, client):
    first = new_message()
    assert client.send(first).outcome == "Success"
    again = client.send(new_message(unique_id=first.unique_id))
    assert (again.outcome, again.code) == ("Failure", "XDSDuplicateUniqueIdInRegistry")
    assert first.unique_id in again.text
    assert sim.journal()[-1]["verdict"] == "duplicate"
    assert sim.received() == [first.unique_id]


def test_a_submission_set_is_stored_once(client):
    first = new_message()
    assert client.send(first).outcome == "Success"
    again = client.send(new_message(set_unique_id=first.set_unique_id))
    assert (again.code, first.set_unique_id in again.text) == ("XDSDuplicateUniqueIdInRegistry", True)


def test_a_message_id_is_used_once_even_after_a_refusal(client):
    refused = new_message().replace("envelope", slot("languageCode", "fr-FR"), "")
    assert client.send(refused).code == METADATA
    again = new_message()
    answer = client.send(again.replace("envelope", again.message_id, refused.message_id))
    assert (answer.code, answer.text.startswith("wsa:MessageID")) == ("wsa:DuplicateMessageID", True)


# ---- options


def test_the_vihf_can_be_required(start_sim, tmp_path):
    sim = start_sim(tmp_path / "store", "--require-vihf")
    assert sim.client().send(new_message()).text == "wsse:Security: the VIHF is missing"


def test_masked_and_invisible_can_be_allowed(start_sim, tmp_path):
    masks = "".join(
        code(id_, CONFIDENTIALITY, "Document01", value, HIDDEN, value)
        for id_, value in (("c1", "MASQUE_PS"), ("c2", "INVISIBLE_PATIENT"))
    )
    message = new_message().replace("envelope", '<Classification id="cla8"', masks + '<Classification id="cla8"')
    sim = start_sim(tmp_path / "store", "--allow-masked-and-invisible")
    assert sim.client().send(message).outcome == "Success"


@pytest.mark.skipif(
    not SCHEMAS.is_dir(), reason="the public schemas are not beside the project: ../shared/schemas is absent"
)
def test_the_body_can_be_held_against_the_public_schemas(start_sim, signer, tmp_path):
    client = start_sim(tmp_path / "store", "--schemas", str(SCHEMAS)).client()
    assert client.send(new_message(signer)).outcome == "Success"
    answer = client.send(
        new_message().replace("envelope", '<Association id="as1"', '<Association id="as1" colour="red"')
    )
    assert (answer.code, "XSD, line 1, rim:Association" in answer.text) == (METADATA, True)


def test_several_documents_make_one_submission(sim, client):
    """Rare, but the profile allows it: a second entry, its association, its part."""
    message, second = new_message(), fresh_oid(5)
    rest = message.envelope.partition("<ExtrinsicObject")[2]
    entry = "<ExtrinsicObject" + rest.partition("</ExtrinsicObject>")[0] + "</ExtrinsicObject>"
    for old, new in (
        ("Document01", "Document02"),
        ('id="cla', 'id="b'),
        ('id="ei', 'id="c'),
        (message.unique_id, second),
    ):
        entry = entry.replace(old, new)
    link = association("as2", HAS_MEMBER, "SubmissionSet01", "Document02")
    copy = message.document.replace(message.unique_id, second)
    message.replace("envelope", "<Association", f"{entry}{link}<Association")
    message.replace("envelope", "</xdsb:Prov", include("Document02", "document2@gateway") + "</xdsb:Prov")
    message.replace("frame", END, part("text/xml; charset=UTF-8", "document2@gateway", copy).decode() + END)
    assert client.send(message).outcome == "Success"
    assert sorted(sim.received()) == sorted([message.unique_id, second])
