"""What the DMP holds: found by TD3.1b, replaced by TD2.1, deleted by TD3.3c, looked up by TD0.2."""

import re
from typing import NamedTuple

import pytest
from lxml import etree

from reference_client import (
    APPROVED,
    ARCHIVED,
    DELETED,
    DOCTOR,
    EXISTENCE_ACTION,
    GATEWAY,
    GET_DOCUMENTS,
    INS,
    NS,
    PATH,
    PATIENT,
    PATIENT_WORDS,
    PATIENTS,
    QUERY_ACTION,
    REGISTRY,
    UPDATE_ACTION,
    association,
    document_entry,
    fresh_oid,
    new_deletion,
    new_existence,
    new_message,
    new_query,
    replacement,
    slot,
)
from test_sim_submission import SCHEMAS

DENIED = "DMPAccessDeniedByRightsService"
METADATA = "XDSRegistryMetadataError"
NOWHERE = "urn:uuid:3f6e0a54-52d1-11f1-9c1b-0242ac120002"
OTHER_INS = INS[:-1] + "0"
OTHER_STRUCTURE = "1880000019"


def known(sim, **told: str) -> tuple[str, str]:
    """A document that the DMP holds already: its uniqueId and its entryUUID."""
    status, answer = sim.admin("POST", "/known", {"uniqueId": fresh_oid(5), **told})
    assert status == 200, answer
    return answer["uniqueId"], answer["entryUUID"]


def statuses(sim) -> dict[str, str]:
    return {each["uniqueId"]: each["status"] for each in sim.admin("GET", "/received")[1]["documents"]}


@pytest.fixture(params=[False, True], ids=["alone", "with VIHF"])
def by(request, signer):
    """Each transaction is right with a VIHF and without."""
    return signer if request.param else None


# ---- the life of a document


def test_a_document_is_found_replaced_and_deleted(sim, client, by):
    first = new_message(by)
    assert client.send(first).outcome == "Success"
    found = client.send(new_query(first.unique_id, by))
    assert (found.outcome, len(found.references)) == ("Success", 1)
    assert found.header["Action"] == f"{QUERY_ACTION}Response"

    second = new_message(by, replaces=(first.unique_id, found.references[0]))
    assert client.send(second).outcome == "Success"
    assert statuses(sim) == {first.unique_id: "deprecated", second.unique_id: "approved"}

    (entry_uuid,) = client.send(new_query(second.unique_id, by)).references
    deleted = client.send(new_deletion(entry_uuid, by))
    assert (deleted.outcome, deleted.header["Action"]) == ("Success", f"{UPDATE_ACTION}-Response")
    assert statuses(sim) == {first.unique_id: "deprecated", second.unique_id: "deleted"}
    assert client.send(new_query(second.unique_id, by)).references == []

    journal = [(line["transaction"], line["verdict"], line["uniqueId"]) for line in sim.journal()]
    assert journal == [
        ("TD2.1", "stored", first.unique_id),
        ("TD3.1b", "answered", first.unique_id),
        ("TD2.1", "stored", second.unique_id),
        ("TD3.1b", "answered", second.unique_id),
        ("TD3.3c", "deleted", second.unique_id),
        ("TD3.1b", "answered", second.unique_id),
    ]


def test_what_the_dmp_holds_outlives_a_restart(start_sim, tmp_path):
    before = start_sim(tmp_path / "store")
    client, first = before.client(), new_message()
    client.send(first)
    (entry_uuid,) = client.send(new_query(first.unique_id)).references
    unique_id, known_uuid = known(before, structure="1990012345")
    second, deletion = new_message(replaces=(first.unique_id, entry_uuid)), new_deletion(known_uuid)
    assert [client.send(message).outcome for message in (second, deletion)] == ["Success", "Success"]
    before.admin("PUT", "/patients", {OTHER_INS: "closed"})
    assert before.stop() == 0

    after = start_sim(tmp_path / "store")
    client = after.client()
    assert statuses(after) == {first.unique_id: "deprecated", second.unique_id: "approved"}
    assert client.send(new_query(first.unique_id)).references == [entry_uuid]
    assert client.send(new_query(unique_id)).references == []
    assert after.admin("GET", "/patients")[1] == {OTHER_INS: "closed"}
    again = new_deletion(NOWHERE, set_unique_id=deletion_set(deletion))
    assert client.send(again).code == "XDSDuplicateUniqueIdInRegistry"


def deletion_set(message) -> str:
    return re.search(r'value="([\d.]+)"><Name><LocalizedString[^>]*XDSSubmissionSet.uniqueId', message.envelope)[1]


# ---- TD3.1b


def test_a_document_that_is_not_there_is_an_empty_list(client, by):
    answer = client.send(new_query(fresh_oid(5), by))
    assert (answer.outcome, answer.references) == ("Success", [])


def test_or_a_fault_when_told_so(start_sim, by, tmp_path):
    sim = start_sim(tmp_path / "store", "--fault-when-absent")
    unique_id, entry_uuid = known(sim)
    assert sim.client().send(new_query(unique_id, by)).references == [entry_uuid]
    answer = sim.client().send(new_query(fresh_oid(5), by))
    assert (answer.outcome, answer.code) == ("Fault", "XDSDocumentUniqueIdError")


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({}, True),
        ({"structure": "1990012345", "ins": INS}, True),
        ({"status": "deprecated"}, True),
        ({"status": "archived"}, True),
        ({"status": "deleted"}, False),
        ({"structure": OTHER_STRUCTURE}, False),
        ({"ins": OTHER_INS}, False),
    ],
    ids=repr,
)
def test_only_ones_own_document_is_found(sim, client, signer, told, found):
    unique_id, entry_uuid = known(sim, **told)
    assert client.send(new_query(unique_id, signer)).references == ([entry_uuid] if found else [])


# ---- replacement


class Refusal(NamedTuple):
    id: str
    told: dict[str, str]
    code: str
    words: str


@pytest.mark.parametrize(
    "row",
    [
        Refusal("deprecated", {"status": "deprecated"}, "XDSRegistryDeprecatedDocumentError", "replaced already"),
        Refusal("deleted", {"status": "deleted"}, "XDSReplaceFailed", "this document was deleted"),
        Refusal("other structure", {"structure": OTHER_STRUCTURE}, DENIED, "only a document of one's own structure"),
        Refusal("other patient", {"ins": OTHER_INS}, "XDSPatientIdDoesNotMatch", "of another patient"),
    ],
    ids=lambda row: row.id,
)
def test_what_may_not_be_replaced(sim, client, by, row):
    message = new_message(by, replaces=known(sim, **row.told))
    answer = client.send(message)
    assert (answer.code, row.words in answer.text) == (row.code, True), answer.text
    assert sim.received() == []


def test_what_replaces_must_name_something_that_is_there(client):
    answer = client.send(new_message(replaces=(fresh_oid(5), NOWHERE)))
    assert (answer.code, answer.text) == (
        "UnresolvedReferenceException",
        "Association[RPLC]/@targetObject: no document has this entryUUID",
    )


def test_the_new_document_names_the_one_it_replaces(sim, client):
    _, entry_uuid = known(sim)
    answer = client.send(new_message(replaces=(fresh_oid(5), entry_uuid)))
    assert answer.code == "InvalidDocumentContent"
    assert "no relatedDocument RPLC of the new document has the uniqueId of this one" in answer.text


def test_or_any_when_told_so(start_sim, by, tmp_path):
    sim = start_sim(tmp_path / "store", "--any-related-document")
    _, entry_uuid = known(sim)
    assert sim.client().send(new_message(by, replaces=(fresh_oid(5), entry_uuid))).outcome == "Success"


@pytest.mark.parametrize(
    ("options", "code"),
    [((), "XDSDuplicateUniqueIdInRegistry"), (("--replaced-first",), "XDSRegistryDeprecatedDocumentError")],
    ids=repr,
)
def test_a_replacement_sent_again(start_sim, tmp_path, options, code):
    sim = start_sim(tmp_path / "store", *options)
    client, replaced, unique_id = sim.client(), known(sim), fresh_oid(5)
    assert client.send(new_message(unique_id=unique_id, replaces=replaced)).outcome == "Success"
    assert client.send(new_message(unique_id=unique_id, replaces=replaced)).code == code


def test_a_replacement_may_carry_the_slot_of_the_other_associations(sim, client):
    unique_id, entry_uuid = known(sim)
    with_slot = association("as9", "urn:ihe:iti:2007:AssociationType:RPLC", "Document01", entry_uuid)
    message = new_message(replaces=(unique_id, entry_uuid)).replace("envelope", replacement(entry_uuid), with_slot)
    assert client.send(message).outcome == "Success"


def test_a_document_known_with_its_id_can_be_replaced(sim, client):
    unique_id = fresh_oid(5)
    assert known(sim, uniqueId=unique_id, entryUUID=NOWHERE) == (unique_id, NOWHERE)
    assert client.send(new_message(replaces=(unique_id, NOWHERE))).outcome == "Success"
    assert client.send(new_message(replaces=(unique_id, NOWHERE))).code == "XDSRegistryDeprecatedDocumentError"


# ---- deletion


@pytest.mark.parametrize(
    "row",
    [
        Refusal("deleted", {"status": "deleted"}, "XDSMetadataUpdateError", "or not any more"),
        Refusal("archived", {"status": "archived"}, "XDSMetadataVersionError", "OriginalStatus]: the document is arch"),
        Refusal("deprecated", {"status": "deprecated"}, "XDSMetadataVersionError", "the document is deprecated"),
        Refusal("other structure", {"structure": OTHER_STRUCTURE}, DENIED, "only a document of one's own structure"),
        Refusal("other patient", {"ins": OTHER_INS}, "XDSPatientIDReconciliationError", "of another patient"),
    ],
    ids=lambda row: row.id,
)
def test_what_may_not_be_deleted(sim, client, by, row):
    _, entry_uuid = known(sim, **row.told)
    answer = client.send(new_deletion(entry_uuid, by))
    assert (answer.code, row.words in answer.text) == (row.code, True), answer.text


def test_what_is_not_there_is_not_deleted(client):
    assert client.send(new_deletion(NOWHERE)).code == "XDSMetadataUpdateError"


def test_an_archived_document_is_deleted_as_such(sim, client):
    _, entry_uuid = known(sim, status="archived")
    assert client.send(new_deletion(entry_uuid, original=ARCHIVED)).outcome == "Success"


def test_the_set_of_a_deletion_is_used_once(sim, client):
    (_, first), (_, second), one_set = known(sim), known(sim), fresh_oid(1)
    assert client.send(new_deletion(first, set_unique_id=one_set)).outcome == "Success"
    assert client.send(new_deletion(second, set_unique_id=one_set)).code == "XDSDuplicateUniqueIdInRegistry"


# ---- DMPs


@pytest.mark.parametrize(
    ("state", "told"), [("active", ("OK", "active")), ("closed", ("OK", "terminated")), ("absent", ("NF", None))]
)
def test_the_state_of_a_dmp_is_told(sim, client, by, state, told):
    assert sim.admin("PUT", "/patients", {INS: state}) == (200, {INS: state})
    message = new_existence(by)
    answer = client.send(message)
    assert (answer.outcome, answer.existence) == ("Success", told)
    asked = re.findall(r'(?:<id|queryId) root="(\S+)" extension="(\S+)"/>', message.envelope)
    repeated = [
        (element.get("root"), element.get("extension"))
        for path in (".//h:targetMessage/h:id", ".//h:queryAck/h:queryId")
        for element in answer.tree.iterfind(path, NS)
    ]
    assert repeated == asked
    assert not any(word in answer.body.decode() for word in PATIENT_WORDS if word != INS)
    assert [(line["transaction"], line["verdict"]) for line in sim.journal()] == [("TD0.2", "answered")]


def test_a_patient_nobody_spoke_of_has_a_dmp(client):
    assert client.send(new_existence(ins=OTHER_INS)).existence == ("OK", "active")


@pytest.mark.parametrize(("state", "code"), [("closed", "DMPClosed"), ("absent", "XDSUnknownPatientId")])
def test_without_an_active_dmp_nothing_is_fed_found_or_deleted(sim, client, signer, state, code):
    unique_id, entry_uuid = known(sim)
    sim.admin("PUT", "/patients", {INS: state})
    messages = (new_message(signer), new_query(unique_id, signer), new_deletion(entry_uuid, signer))
    answers = [client.send(message) for message in messages]
    assert [(answer.outcome, answer.code) for answer in answers] == [("Failure", code)] * 3
    sim.admin("PUT", "/patients", {})
    assert client.send(new_message(signer)).outcome == "Success"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/patients", ["absent"]),
        ("/patients", {"x": "absent"}),
        ("/patients", {INS: "asleep"}),
        ("/patients", {INS: ["closed"]}),
        ("/known", {"uniqueId": "1.2.3", "entryUUID": "3"}),
        ("/known", {"uniqueId": "1.2.3", "structure": "x"}),
        ("/known", {"uniqueId": "1.2.3", "status": "new"}),
        ("/known", {"uniqueId": "1.2.3", "colour": "red"}),
        ("/known", {"entryUUID": NOWHERE}),
    ],
    ids=repr,
)
def test_what_is_told_wrongly_is_said_in_words(sim, path, body):
    status, answer = sim.admin("PUT" if path == "/patients" else "POST", path, body)
    assert (status, "error" in answer) == (400, True)


def test_a_failure_is_told_in_the_shape_of_the_transaction(sim, client):
    sim.faults({"kind": "failure", "errorCode": "DMPxxx", "text": "refusé"})
    for message in (new_message(), new_query("1.2.3"), new_deletion(NOWHERE), new_existence()):
        answer = client.send(message)
        assert (answer.outcome, answer.code, answer.text) == ("Failure", "DMPxxx", "refusé")


# ---- one wrong thing at a time


class Row(NamedTuple):
    id: str
    make: object
    target: str
    old: str | re.Pattern
    new: str
    code: str
    words: str


def asks(id: str, old: str | re.Pattern, new: str, words: str, code: str = "XDSRegistryError") -> Row:
    return Row(id, lambda signer: new_query("1.2.250.1.999.77.5.1", signer), "envelope", old, new, code, words)


def deletes(id: str, old: str | re.Pattern, new: str, words: str, code: str = METADATA) -> Row:
    return Row(id, lambda signer: new_deletion(NOWHERE, signer), "envelope", old, new, code, words)


def looks(id: str, old: str | re.Pattern, new: str, words: str, code: str = "Sender") -> Row:
    return Row(id, new_existence, "envelope", old, new, code, words)


FIND_DOCUMENTS = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
PARAMETER = slot("$XDSDocumentEntryUniqueId", "('1.2.250.1.999.77.5.1')")

QUERY = [
    asks("content", 'returnType="ObjectRef"', 'returnType="LeafClass"', "returnType: all but ObjectRef", DENIED),
    asks("not composed", 'Objects="true"', 'Objects="false"', "/@returnComposedObjects: true is expected"),
    asks("FindDocuments", GET_DOCUMENTS, FIND_DOCUMENTS, "AdhocQuery/@id: a query other than GetDocuments", DENIED),
    asks("another query", GET_DOCUMENTS, "urn:x", "rim:AdhocQuery/@id: urn:uuid:5c4f", "XDSUnknownStoredQuery"),
    asks("no parameter", PARAMETER, "", "this parameter is missing", "XDSStoredQueryMissingParam"),
    asks("parameter twice", PARAMETER, PARAMETER * 2, "it must be the only parameter", "XDSStoredQueryParamNumber"),
    asks("no parentheses", re.compile(r"\('(.*)'\)"), r"'\1'", "one Value is expected", "XDSStoredQueryParamNumber"),
    asks("two ids", re.compile(r"'\)"), "','1.2.3')", "one Value is expected", "XDSStoredQueryParamNumber"),
    asks("entryUUID", re.compile(r"\('.*'\)"), f"('{NOWHERE}')", "and not an entryUUID", "XDSDocumentUniqueIdError"),
    asks("no option", re.compile("<query:ResponseOption.*?/>"), "", "it must hold one query:ResponseOption, then"),
    asks("another body", re.compile("query:AdhocQueryRequest"), "query:Other", "is not well-formed", "Sender"),
    asks("no To", re.compile("<wsa:To>.*</wsa:To>"), "", "wsa:To: A required", "wsa:MessageAddressingHeaderRequired"),
]

STATUS = "Association[1]/Slot[OriginalStatus]"
ENTRY = document_entry("1.2.3")
DELETION = [
    deletes("an entry", "<Association", f"{ENTRY}<Association", "rim:ExtrinsicObject: changing the metadata", DENIED),
    deletes("archive", DELETED, ARCHIVED, "Slot[NewStatus]: archiving a document", DENIED),
    deletes("status unknown", DELETED, "urn:x", f"Slot[NewStatus]: {DELETED} is expected"),
    deletes("of what status", APPROVED, "urn:x", f"{STATUS}: {APPROVED}", "XDSMetadataUpdateError"),
    deletes("no OriginalStatus", slot("OriginalStatus", APPROVED), "", "Association[1]: the slots OriginalStatus and"),
    deletes("by uniqueId", NOWHERE, "1.2.3", "Association[1]/@targetObject: the entryUUID of the document"),
    deletes("source", 'sourceObject="SubmissionSet01"', 'sourceObject="x"', "@sourceObject: the submission set is"),
    deletes("type", "UpdateAvailabilityStatus", "x", "@associationType", "XDSMetadataUpdateOperationError"),
    deletes("objectType", "RegistryObject:Association", "RegistryObject:x", "Association[1]/@objectType: urn:oasis"),
    deletes("two at a time", "</RegistryObjectList>", '<Association id="a"/></RegistryObjectList>', "one Association"),
    deletes("no association", re.compile("<Association.*</Association>"), "", "one RegistryPackage, then Extrinsic"),
    deletes("set without type", "urn:uuid:a54d6aa5", "urn:uuid:00000000", "SubmissionSet01/Classification[3]"),
    deletes("author of another form", GATEWAY, DOCTOR.replace("^D^", "^X^"), "[authorPerson]: a person"),
    deletes("an id twice", 'id="as1"', 'id="cla1"', "Association[1]/@id: the id is not unique"),
    deletes("in the future", 'submissionTime"><ValueList><Value>2', 'submissionTime"><ValueList><Value>3', "in the fu"),
    deletes("structure", "^^^1990012345", f"^^^{OTHER_STRUCTURE}", "Aucun AuthorInstitution", "XDSRegistryError"),
    deletes("patient", f'"{PATIENT}"', f'"{PATIENT.replace(INS, OTHER_INS)}"', "patient", "wsse:InvalidSecurityToken"),
]

MESSAGE = "PRPA_IN201307UV02"
PROCESS = f"{MESSAGE}/controlActProcess"
EXISTENCE = [
    looks("no ITSVersion", ' ITSVersion="XML_1.0"', "", f"{MESSAGE}/@ITSVersion: this attribute is missing"),
    looks("id no OID", 'root="1.2.250.1.999.77.3.1"', 'root="x"', f"{MESSAGE}/id/@root: an OID"),
    looks("id no UUID", re.compile('(?<=77.3.1" extension=")'), "x", f"{MESSAGE}/id/@extension: a UUID"),
    looks("time with zone", re.compile(r'(?<=<creationTime value="\d{14})'), "Z", f"{MESSAGE}/creationTime/@value: a"),
    looks("in the future", '<creationTime value="2', '<creationTime value="3', "creationTime/@value: it is in the fut"),
    looks("another interaction", 'extension="PRPA_IN201307UV02"', 'extension="x"', "interactionId/@extension: 'PRPA"),
    looks("processing", 'processingCode code="D"', 'processingCode code="X"', "processingCode/@code: P in production"),
    looks("mode", 'processingModeCode code="T"', 'processingModeCode code="A"', "processingModeCode/@code: 'T' is"),
    looks("receiver", "1.2.250.1.213.4.1.1.1", "1.2.250.1.213.4.1.1.2", f"{MESSAGE}/receiver/device/id/@root: '1.2"),
    looks("receiver's name", ">DMP<", ">DMF<", f"{MESSAGE}/receiver/device/softwareName: 'DMP' is expected"),
    looks("nobody sends", "<softwareName>Passerelle libre<", "<softwareName> <", "sender/device/softwareName: a text"),
    looks("not nil", '<attentionLine xsi:nil="true"/>', "<attentionLine/>", f"{MESSAGE}/attentionLine/@nil: this attr"),
    looks("no attentionLine", '<attentionLine xsi:nil="true"/>', "", f"{MESSAGE}: it must hold id, creationTime"),
    looks("reason", "TEST_EXST", "TEST", f"{PROCESS}/reasonCode/@code: 'TEST_EXST' is expected"),
    looks("not new", 'statusCode code="new"', 'statusCode code="old"', "queryByParameter/statusCode/@code: 'new' is"),
    looks("INS-C", '"1.2.250.1.213.1.4.10"', '"1.2.250.1.213.1.4.2"', "patientIdentifier/value/@root: the OID of the"),
    looks("INS short", f'"{INS}"', f'"{INS[:-1]}"', "patientIdentifier/value/@extension: an INS of 15 characters"),
    looks("semantics", "Patient.id", "Patient.Id", "patientIdentifier/semanticsText: 'Patient.id' is expected"),
    looks("one more attribute", "<dataSource", '<dataSource x="1"', "dataSource/@x: this attribute is not expected"),
    looks("another patient", f'"{INS}"', f'"{OTHER_INS}"', "is not the patient of", "wsse:InvalidSecurityToken"),
]


@pytest.mark.parametrize("row", [*QUERY, *DELETION, *EXISTENCE], ids=lambda row: row.id)
def test_one_wrong_thing_in_another_transaction_is_refused(sim, client, signer, row):
    answer = client.send(row.make(signer).replace(row.target, row.old, row.new))
    assert (answer.code, row.words in answer.text) == (row.code, True), (answer.code, answer.text)
    (line,) = sim.journal()
    assert (line["code"], line["sentence"]) == (row.code, answer.text)
    assert not any(word in str(line) for word in PATIENT_WORDS)


@pytest.mark.parametrize(
    ("path", "action", "code", "words"),
    [
        (PATH, "urn:ihe:iti:2007:RetrieveDocumentSet", DENIED, "reading a document (TD3.2) is refused to indirect"),
        (PATIENTS, "urn:hl7-org:v3:PRPA_IN201305UV02", DENIED, "finding a patient without INS (TD0.5) is refused"),
        (REGISTRY, EXISTENCE_ACTION, "Sender", f"{QUERY_ACTION} or {UPDATE_ACTION} is expected"),
        (PATIENTS, QUERY_ACTION, "Sender", f"'{EXISTENCE_ACTION}' is expected"),
    ],
)
def test_another_action_is_not_served_there(client, path, action, code, words):
    message = new_existence()
    message.content_type = message.content_type.replace(EXISTENCE_ACTION, action)
    answer = client.send(message, path)
    assert (answer.outcome, answer.code, words in answer.text) == ("Fault", code, True), answer.text


def test_a_transaction_without_documents_is_plain_soap(client):
    message = new_query("1.2.3")
    message.content_type = message.content_type.replace("application/soap+xml", "text/xml")
    told = "HTTP Content-Type: the media type is 'text/xml', application/soap+xml is expected"
    assert client.send(message).text == told


@pytest.mark.skipif(
    not SCHEMAS.is_dir(), reason="the public schemas are not beside the project: ../shared/schemas is absent"
)
def test_requests_and_answers_are_valid_by_the_public_schemas(start_sim, tmp_path):
    sim = start_sim(tmp_path / "store", "--schemas", str(SCHEMAS))
    client, (unique_id, entry_uuid) = sim.client(), known(sim)
    sim.admin("PUT", "/patients", {OTHER_INS: "absent"})
    schema = SCHEMAS / "schema"
    existence = schema / "HL7V3" / "NE2009" / "multicacheschemas" / "PRPA_IN201308UV02.xsd"
    for message, file in (
        (new_query(unique_id), schema / "ebRS" / "query.xsd"),
        (new_deletion(entry_uuid), schema / "ebRS" / "rs.xsd"),
        (new_existence(), existence),
        (new_existence(ins=OTHER_INS), existence),
    ):
        answers = [client.send(message)]
        assert answers[0].outcome == "Success", answers[0].text
        sim.faults({"kind": "failure", "errorCode": "XDSRegistryBusy", "text": "occupé", "times": 1})
        message.envelope = message.envelope.replace(message.message_id[-4:], "0000")
        answers.append(client.send(message))
        validator = etree.XMLSchema(etree.parse(str(file)))
        for answer in answers:
            validator.assertValid(etree.ElementTree(answer.tree.find("s:Body", NS)[0]))
    wrong = new_deletion(entry_uuid).replace("envelope", '<Association id="as1"', '<Association colour="red" id="as1"')
    assert "XSD, line 1, rim:Association" in client.send(wrong).text
