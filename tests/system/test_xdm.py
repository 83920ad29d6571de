"""Exchange media in the drop folder: taken whole or not at all, and never trusted."""

from __future__ import annotations

import pytest
import yaml

from samples import DATA, REPLACEMENT, numbered, read, unique_id
from xdm import FOLDER, entry, medium, replaces

ONE, TWO, THREE = numbered(1), numbered(2, "prescription.xml"), numbered(3, "imaging-report.xml")


def drop(gateway, content: bytes, name: str = "medium.zip") -> str:
    start = len(gateway.journal.lines)
    gateway.drop(name, content)
    return gateway.wait_moved(name, start=start)


def why(gateway, name: str = "medium") -> list[dict]:
    (note,) = gateway.inbox.glob(f"rejected/*/{name}.error.yaml")
    return yaml.safe_load(note.read_text(encoding="utf-8"))["errors"]


def test_the_documents_of_a_medium_are_delivered_byte_for_byte(gateway, simulator):
    assert drop(gateway, medium(ONE, TWO, THREE)) == "done"
    documents = gateway.settled()
    assert {each["unique_id"]: each["state"] for each in documents.values()} == {
        unique_id(cda): "delivered" for cda in (ONE, TWO, THREE)}
    assert {each["origin"] for each in documents.values()} == {"medium.zip"}
    for cda in (ONE, TWO, THREE):
        assert simulator.document(unique_id(cda)) == cda


def test_its_result_says_what_became_of_each_file(gateway):
    assert drop(gateway, medium(ONE, TWO)) == "done"
    (note,) = gateway.inbox.glob("done/*/medium.result.yaml")
    told = yaml.safe_load(note.read_text(encoding="utf-8"))
    assert [each["file"] for each in told["files"]] == [FOLDER + "DOC00001.XML", FOLDER + "DOC00002.XML"]
    assert [each["documents"][0]["unique_id"] for each in told["files"]] == [unique_id(ONE), unique_id(TWO)]


def test_the_same_medium_again_brings_nothing_new(gateway):
    assert drop(gateway, medium(ONE, TWO)) == "done"
    gateway.settled()
    assert drop(gateway, medium(ONE, TWO), "again.zip") == "done"
    assert len(gateway.documents()) == 2


def test_what_metadata_says_beyond_the_document_is_the_message(gateway):
    assert drop(gateway, medium(ONE, objects=[entry(1, ONE, masks="INVISIBLE_PATIENT")])) == "done"
    (document,) = gateway.settled().values()
    told = {each["name"]: each for each in gateway.ctl("show", document["doc"])["metadata"]}
    assert "INVISIBLE_PATIENT" in told["confidentialities"]["value"]
    assert told["visibility"]["from"] == told["sender"]["from"] == "message"
    assert told["sender"]["value"].startswith("801234567866 MARTIN Claire")
    assert told["title"]["from"] == "document"


@pytest.mark.parametrize("masks", ["R", "V", "MASQUE_PS R"])
def test_what_metadata_calls_restricted_waits_for_a_person_too(gateway, masks):
    assert drop(gateway, medium(ONE, TWO, objects=[entry(1, ONE, masks=masks), entry(2, TWO)])) == "done"
    documents = gateway.settled()
    assert {each["unique_id"]: (each["state"], each["reason"]) for each in documents.values()} == {
        unique_id(ONE): ("held", "restricted"), unique_id(TWO): ("delivered", None)}


def test_a_replacement_is_one_in_both_words(gateway):
    """What it replaces may be elsewhere, or on the medium itself."""
    first, second = read("discharge-letter.xml"), read(REPLACEMENT)
    assert drop(gateway, medium(first)) == "done"
    gateway.settled()
    assert drop(gateway, medium(second, more=replaces(1, "urn:uuid:0c9f3a52-4bd1-4f5a-8a43-000000000001")),
                "second.zip") == "done"
    states = {each["unique_id"]: (each["action"], each["state"]) for each in gateway.settled().values()}
    assert states[unique_id(second)] == ("replace", "delivered")


REFUSED = {
    "size": ([entry(1, ONE, size="1")], "document_invalid", "size is not"),
    "hash": ([entry(1, ONE, hash="0" * 40)], "document_invalid", "SHA-1"),
    "another id": ([entry(1, ONE, unique_id="1.2.3")], "document_invalid", "another uniqueId"),
    "a PDF": ([entry(1, ONE, mime="application/pdf")], "document_invalid", "a PDF of an exchange medium"),
    "no such file": ([entry(1, ONE, uri="DOC9.XML")], "document_invalid", "not in its folder"),
    "a file outside": ([entry(1, ONE, uri="../../../etc/passwd")], "document_invalid", "not in its folder"),
    "another patient": ([entry(1, ONE, patient="255069999999934^^^&1.2.250.1.213.1.4.10&ISO^NH")], "ins_mismatch",
                        "INS of the message and of the document differ"),
    "both hidden": ([entry(1, ONE, masks="MASQUE_PS INVISIBLE_PATIENT")], "masks_conflict", "hidden"),
    "a replacement of nothing": ([entry(1, ONE), replaces(1, "urn:uuid:1")], "predecessor_unknown",
                                 "no relatedDocument RPLC"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_medium_that_contradicts_its_documents_is_refused(gateway, case):
    objects, reason, said = REFUSED[case]
    assert drop(gateway, medium(ONE, objects=objects)) == "rejected"
    (error,) = why(gateway)
    assert error["reason"] == reason and said in error["text"], error
    assert gateway.documents() == []


def test_one_bad_document_keeps_all_of_them_out_and_every_bad_one_is_told(gateway):
    bad = [(DATA / "hostile" / f"{name}.xml").read_bytes() for name in ("no-ins", "not-xml")]
    objects = [entry(1, ONE), entry(2, bad[0]), entry(3, bad[1], unique_id="1.2.3"), entry(4, TWO)]
    assert drop(gateway, medium(ONE, *bad, TWO, objects=objects)) == "rejected"
    errors = why(gateway)
    assert [each["reason"] for each in errors] == ["ins_missing", "document_invalid"]
    assert [each["text"].split(":")[0] for each in errors] == ["document 2 of 4", "document 3 of 4"]
    assert gateway.documents() == []
