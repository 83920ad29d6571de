"""One wrong thing at a time in a correct TD2.1: each is refused, with the code and the place told.

A row says: in this text of the message `old` becomes `new`; the answer then has this code, and these words.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from reference_client import (
    ACTION,
    ADDRESS,
    AUTHOR_OF_ENTRY,
    BOUNDARY,
    CONFIDENTIALITY,
    GATEWAY,
    HAS_MEMBER,
    HIDDEN,
    INS,
    PATIENT_WORDS,
    PRACTICE,
    REPLY_TO,
    TO,
    Client,
    association,
    author,
    code,
    name,
    new_message,
    security,
    slot,
)

METADATA = "XDSRegistryMetadataError"
CONTENT = "InvalidDocumentContent"
WSA_REQUIRED = "wsa:MessageAddressingHeaderRequired"
WSA_INVALID = "wsa:InvalidAddressingHeader"
NOT_PRESENT = "A required header representing a Message Addressing Property is not present"


@dataclass(frozen=True)
class Mutation:
    id: str
    target: str
    old: str
    new: str
    code: str
    words: str
    signed: bool = False


def http(id: str, old: str, new: str, words: str) -> Mutation:
    """Of the request's Content-Type."""
    return Mutation(id, "content_type", old, new, "Sender", f"HTTP Content-Type: {words}")


def mime(id: str, old: str, new: str, words: str) -> Mutation:
    """Of the bytes of the frame."""
    return Mutation(id, "frame", old, new, "Sender", words)


def soap(id: str, old: str, new: str, words: str, subcode: str = "Sender") -> Mutation:
    return Mutation(id, "envelope", old, new, subcode, words)


def rim(id: str, old: str, new: str, words: str, error: str = METADATA) -> Mutation:
    return Mutation(id, "envelope", old, new, error, words)


def sign(id: str, old: str, new: str, words: str) -> Mutation:
    """Of the signature's entry, in a message that has one."""
    return Mutation(id, "envelope", old, new, METADATA, words, signed=True)


def cda(id: str, old: str, new: str, words: str) -> Mutation:
    return Mutation(id, "document", old, new, CONTENT, f"Document01: {words}")


# RFC 2387 and RFC 2045: the Content-Type of the request.
HTTP = [
    http("not related", "multipart/related", "multipart/mixed", "the media type"),
    http("boundary bare", f'boundary="{BOUNDARY}"', f"boundary={BOUNDARY}", "boundary is not quoted"),
    http("type bare", 'type="application/xop+xml"', "type=application/xop+xml", "a parameter is not name=value"),
    http("type of SOAP", 'type="application/xop+xml"', 'type="text/xml"', "type is"),
    http("start without brackets", "<root@gateway>", "root@gateway", "start is not a Content-ID"),
    http("no start-info", '; start-info="application/soap+xml"', "", "the parameter start-info is missing"),
    http("no action", f'; action="{ACTION}"', "", "the parameter action is missing"),
    http("another action", ACTION, "urn:ihe:iti:2010:UpdateDocumentSet", "action is 'urn:ihe:iti:2010:Upd"),
    http("parameter twice", "; type=", '; action="x"; type=', "the parameter action is there twice"),
    http("parameter unknown", "; type=", '; charset="UTF-8"; type=', "the parameter 'charset' is not"),
]

# RFC 2046 and RFC 2392: the parts.
LINE = f"--{BOUNDARY}"
MIME = [
    mime("preamble", LINE, f"preamble\r\n{LINE}", "MIME frame: it does not begin with the boundary line"),
    mime("epilogue", f"{LINE}--\r\n", f"{LINE}--\r\nend", "there is an epilogue"),
    mime("no end", f"{LINE}--", "", "the closing boundary line is missing"),
    mime("LF before boundary", f"Envelope>\r\n{LINE}", f"Envelope>\n{LINE}", "root part: the boundary line after"),
    mime("LF after boundary", f">\r\n{LINE}\r\n", f">\r\n{LINE}\n", "part 2: its boundary line does not end"),
    mime("LF after header", "charset=UTF-8\r\nContent", "charset=UTF-8\nContent", "part 2: a header line"),
    mime("no empty line", "<document1@gateway>\r\n\r\n", "<document1@gateway>\r\n", "part 2: no empty line"),
    mime("boundary inside", "<title>", f"<!-- {LINE} --><title>", "part 2: the boundary occurs inside it"),
    mime("not binary", "binary", "8bit", "root part, Content-Transfer-Encoding: binary is expected"),
    mime("no encoding", "Content-Transfer-Encoding: binary\r\n", "", "root part: the header Content-Tra"),
    mime("unknown header", "Content-ID", "Content-Disposition: inline\r\nContent-ID", "'Content-Disposition'"),
    mime("id without brackets", "<document1@gateway>", "document1@gateway", "part 2, Content-ID: it is not <"),
    mime("id of no Document", "<document1@gateway>", "<x@gateway>", "xop:Include/@href: it names no part"),
    mime("id twice", "<document1@gateway>", "<root@gateway>", "part 2, Content-ID: another part has the same"),
    mime("root not first", "<root@gateway>", "<x@gateway>", "root part, Content-ID: the first part is not"),
    mime("root not XOP", "Content-Type: application/xop", "Content-Type: text/x", "root part, Content-Type: the"),
    mime("root without action", f'; action="{ACTION}"', "", "Content-Type: the parameter action is missing"),
    mime("document a PDF", "Content-Type: text/xml", "Content-Type: application/pdf", "part 2, Content-Type: the"),
    mime("document Latin-1", "text/xml; charset=UTF-8", "text/xml; charset=ISO-8859-1", "Content-Type: charset"),
]

# XOP 1.0, SOAP 1.2, WS-Addressing 1.0: the envelope.
SOAP = [
    soap("white space in Document", "<xop:Include", " <xop:Include", "xdsb:Document[1]: xop:Include must be its"),
    soap("comment in Document", "<xop:Include", "<!-- --><xop:Include", "xdsb:Document[1]: xop:Include must be"),
    soap("href not cid", "cid:document1@gateway", "document1@gateway", "xop:Include/@href: a cid: URL is"),
    soap("not XML", "</soap:Envelope>", "", "soap:Envelope: the root part is not well-formed"),
    soap("DTD", "<soap:Envelope", "<!DOCTYPE x><soap:Envelope", "the root part has a document type"),
    soap("SOAP 1.1", "www.w3.org/2003/05/soap-envelope", "schemas.xmlsoap.org/soap/envelope/", "SOAP 1.2 is exp"),
    soap("two bodies", "</soap:Body>", "</soap:Body><soap:Body/>", "one soap:Header, then one soap:Body"),
    soap("two requests", "<soap:Body>", "<soap:Body><x/>", "soap:Body: it must hold exactly one element"),
    soap("no To", TO, "", f"wsa:To: {NOT_PRESENT}", WSA_REQUIRED),
    soap("To elsewhere", "/repository</wsa:To>", "/registry</wsa:To>", "wsa:To: it must be empty", WSA_INVALID),
    soap("To after ReplyTo", TO + REPLY_TO, REPLY_TO + TO, "soap:Header: the order of the blocks"),
    soap("MessageID no UUID", ">urn:uuid:", ">uuid:", "wsa:MessageID: urn:uuid: and a", WSA_INVALID),
    soap("no ReplyTo", REPLY_TO, "", f"wsa:ReplyTo: {NOT_PRESENT}", WSA_REQUIRED),
    soap("ReplyTo none", "addressing/anonymous", "addressing/none", "wsa:ReplyTo: it must hold", WSA_INVALID),
    soap("ReplyTo empty", ADDRESS, "", "wsa:ReplyTo: it must hold", WSA_INVALID),
    soap("mustUnderstand bare", "ReplyTo soap:must", "ReplyTo must", "wsa:ReplyTo: soap:mustUnderstand"),
    soap("no mustUnderstand", 'Action soap:mustUnderstand="1"', "Action", "wsa:Action: soap:mustUnderstand"),
    soap("another Action", f">{ACTION}<", ">urn:ihe:x<", "wsa:Action: it is 'urn:ihe:x'", "wsa:ActionMismatch"),
    soap("To twice", TO, TO + TO, "wsa:To: this header block is there more than once", WSA_INVALID),
    soap("unknown block", "</soap:Header>", "<wsa:From/></soap:Header>", "soap:Header/wsa:From: this header"),
    soap("Timestamp", "</soap:Header>", security("<wsse:Timestamp/>") + "</soap:Header>", "wsse:Security: it must"),
]

SET_AUTHOR = "SubmissionSet01/Classification[author]"
CONTENT_TYPE = code(
    "cla2",
    "aa543740-bdda-424e-8c96-df4873be8500",
    "SubmissionSet01",
    "04",
    "1.2.250.1.213.2.2",
    "Hospitalisation de jour",
)

# ITI TF-3 4.2.3.3: the submission set.
SET = [
    rim("set unknown slot", "<Slot", f'{slot("x", "1")}<Slot', "SubmissionSet01/Slot[1]: this slot is not one of"),
    rim("set time with zone", "</Value></ValueList></Slot><N", "Z</Value></ValueList></Slot><N", "[submissionTime]"),
    rim("set in the future", 'submissionTime"><ValueList><Value>2', 'submissionTime"><ValueList><Value>3', "in the f"),
    rim("set FINESS bare", "^1990012345", "^990012345", f"{SET_AUTHOR}/Slot[authorInstitution]: a structure"),
    rim("set author no system", "^U^^^RI", "^U^^^XX", f"{SET_AUTHOR}/Slot[authorPerson]: a person"),
    rim("set no contentTypeCode", CONTENT_TYPE, "", "SubmissionSet01/Classification[contentTypeCode]: it is there 0"),
    rim("set no node", "urn:uuid:a54d6aa5", "urn:uuid:00000000", "SubmissionSet01/Classification[3]"),
    rim("sourceId leading zero", '"1.2.250.1.999.77"', '"1.2.250.1.999.077"', "XDSSubmissionSet.sourceId]/@value"),
    rim("sourceId too long", '"1.2.250.1.999.77"', f'"1.2.250.{"9" * 57}"', "XDSSubmissionSet.sourceId]/@value"),
    rim("sourceId unnamed", "XDSSubmissionSet.sourceId", "sourceId", "[XDSSubmissionSet.sourceId]/Name: XDSSub"),
]

CREATED = slot("creationTime", "20261119163000")
LANGUAGE = slot("languageCode", "fr-FR")
AUTHOR = 'nodeRepresentation=""><Slot name="authorPerson"><ValueList><Value>8'
NORMAL = 'nodeRepresentation="N"><Slot name="codingScheme"><ValueList><Value>'
FACILITY = "Document01/Classification[healthcareFacilityTypeCode]"
FORMAT = '<Classification id="cla8"'
BOTH_MASKS = code("c1", CONFIDENTIALITY, "Document01", "MASQUE_PS", HIDDEN, "Masqué") + code(
    "c2", CONFIDENTIALITY, "Document01", "INVISIBLE_PATIENT", HIDDEN, "Non visible"
)

# ITI TF-3 4.2.3.2 with the CI-SIS: the document entry.
ENTRY = [
    rim("objectType", "7edca82f", "34268e47", "Document01/@objectType: urn:uuid:7edca82f"),
    rim("mimeType", 'mimeType="text/xml"', 'mimeType="application/pdf"', "Document01/@mimeType: text/xml or"),
    rim("lid", "<ExtrinsicObject", '<ExtrinsicObject lid="x"', "Document01/@lid: the registry sets it"),
    rim("hash", LANGUAGE, slot("hash", "da39a3ee") + LANGUAGE, "Document01/Slot[hash]: the repository computes it"),
    rim("size", LANGUAGE, slot("size", "12") + LANGUAGE, "Document01/Slot[size]: the repository computes it"),
    rim("slot missing", LANGUAGE, "", "Document01/Slot[languageCode]: this slot is missing"),
    rim("slot twice", LANGUAGE, LANGUAGE * 2, "Document01/Slot[languageCode]: this slot is there twice"),
    rim("slot of two values", LANGUAGE, slot("languageCode", "fr-FR", "fr-FR"), "it has 2 values, 1 is expected"),
    rim("slot of no value", LANGUAGE, slot("languageCode"), "Document01/Slot[languageCode]: it has 0 values"),
    rim("slot too long", "PID-5|", "PID-5|" + "A" * 256, "[sourcePatientInfo]: a value is longer than 256"),
    rim("slot after Name", CREATED, "<Name/>" + CREATED, "Document01: its children must be Slots, Name"),
    rim("time of 12 digits", "20261119163000", "202611191630", "Document01/Slot[creationTime]: a UTC time"),
    rim("31 November", "20261119163000", "20261131163000", "Document01/Slot[creationTime]: a UTC time"),
    rim("created too late", "20261119163000", "20991119163000", "'20991119163000' is after submissionTime"),
    rim("start as a date", "20261119070000", "20261119", "Document01/Slot[serviceStartTime]: a UTC time"),
    rim("stop with zone", "20261119160000", "20261119160000+0100", "Document01/Slot[serviceStopTime]: a UTC time"),
    rim("XCN without type", "^D^^^IDNPS", "^^^^IDNPS", "Document01/Slot[legalAuthenticator]: a person"),
    rim("IPP without OID", "&amp;1.2.250.1.999.77.9&amp;ISO^PI", "^PI", "Document01/Slot[sourcePatientId]: a local"),
    rim("no sex", "<Value>PID-8|F</Value>", "", "Document01/Slot[sourcePatientInfo]: it has 2 values"),
    rim("birth with dashes", "PID-7|19790328", "PID-7|1979-03-28", "Document01/Slot[sourcePatientInfo]: PID-<n>"),
    rim("name for sex", "PID-8|F", "PID-5|X^Y", "Document01/Slot[sourcePatientInfo]: one PID-8 is expected"),
    rim("no title", name("Compte rendu de fibroscopie"), "", "Document01/Name: the title is missing"),
    rim("title in English", 'lang="FR" value="Compte', 'lang="EN" value="Compte', "Document01/Name/LocalizedString"),
    rim("no author", "93606bcf", "00000000", "Document01/Classification[1]: its classificationScheme"),
    rim("author as a code", AUTHOR, AUTHOR.replace('""', '"x"'), "Document01/Classification[author]: nodeRep"),
    rim("formatCode scheme", "9c3699a4309d", "9fdf87b75cc4", "Document01/Classification[5]: its classificationS"),
    rim("no codingScheme", slot("codingScheme", "1.2.250.1.213.1.1.4.1"), "", "[classCode]/Slot[codingScheme]: thi"),
    rim("another codingScheme", "1.2.250.1.71.4.2.4", "1.2.250.1.71.4.2.5", f"{FACILITY}/Slot[codingScheme]: 1.2"),
    rim("code empty", 'nodeRepresentation="SA01"', 'nodeRepresentation=""', f"{FACILITY}/@nodeRepresentation: the"),
    rim("no display", name("Normal"), "", "Document01/Classification[confidentialityCode]/Name: the display is"),
    rim("classifiedObject", '"Document01" nodeRepresentation="10"', '"x" nodeRepresentation="10"', "[classCode]: cl"),
    rim("registryObject", 'a8ffeff98427" registryObject="D', 'a8ffeff98427" registryObject="d', "registryObject is"),
    rim("id twice", 'id="cla6"', 'id="cla5"', "Document01/Classification[3]/@id: the id is not unique"),
    rim("masked and invisible", FORMAT, BOTH_MASKS + FORMAT, "may not be both MASQUE_PS and INVISIBLE_PATIENT"),
    rim("mask first", NORMAL + "2.16.840.1.113883.5.25", NORMAL + HIDDEN, "the first value, and only it, comes from"),
]

TO_DOCUMENT = association("as1", HAS_MEMBER, "SubmissionSet01", "Document01")
OTHER_INS = INS[:-1] + "0"

# ITI TF-3 4.2.1 and ITI TF-2 3.41: what holds the objects together.
TOGETHER = [
    rim("INS-C", "1.2.250.1.213.1.4.10&amp;ISO^NH", "1.2.250.1.213.1.4.2&amp;ISO^NH", "patientId]/@value: an INS"),
    rim("another patient", f'"{INS}', f'"{OTHER_INS}', "[XDSDocumentEntry.patientId]", "XDSPatientIdDoesNotMatch"),
    rim("no HasMember", TO_DOCUMENT, "", "Document01: 0 HasMember associations name it, 1 is expected"),
    rim("HasMember to nothing", 'targetObject="Document01"', 'targetObject="x"', "Association[1]/@targetObject"),
    rim("HasMember from nothing", 'Object="SubmissionSet01" t', 'Object="x" t', "Association[1]/@sourceObject"),
    rim("by reference", "<Value>Original<", "<Value>Reference<", "Association[1]/Slot[SubmissionSetStatus]: the"),
    rim("unknown association", ":HasMember", ":Contains", "Association[1]/@associationType: HasMember"),
    rim("case of the id", 'Document id="D', 'Document id="d', "xdsb:Document[1]: no Ext", "XDSMissingDocumentMetadata"),
    rim("entry first", "<RegistryPackage", '<ExtrinsicObject id="x"/><RegistryPackage', "one RegistryPackage, then"),
]

INVISIBLE = code("cla16", CONFIDENTIALITY, "Signature01", "INVISIBLE_PATIENT", HIDDEN, "Non visible par le patient")
SETTING = code("cla19", PRACTICE, "Signature01", "ETABLISSEMENT", "1.2.250.1.213.1.1.4.9", "Etablissement de santé")
SIGNER = author("cla11", AUTHOR_OF_ENTRY, "Signature01", GATEWAY)
FROM_SIGNATURE = 'sourceObject="Signature01" targetObject='

# IHE DSG with the constants of the DMP: the signature's entry.
SIGNATURE = [
    sign("language", slot("languageCode", "art"), LANGUAGE, "Signature01/Slot[languageCode]: art is expected"),
    sign("title", 'value="Source"', 'value="Signature"', "Signature01/Name: the title Source is expected"),
    sign("typeCode", "E1762", "E1763", "Signature01/Classification[typeCode]: E1762 of ASTM is expected"),
    sign("visible", INVISIBLE, "", "Signature01/Classification[confidentialityCode]: INVISIBLE_PATIENT of"),
    sign("another setting", SETTING, SETTING.replace("ETABLISSEMENT", "HAD"), "Signature01/Classification[practice"),
    sign("another author", SIGNER, SIGNER.replace("GW1", "GW2"), "Signature01/Classification[author]: it must be"),
    sign("signs nothing", ":signs", ":RPLC", "Association[3]/@sourceObject: a document of this submission"),
    sign("signs the document", FROM_SIGNATURE + '"Sub', FROM_SIGNATURE + '"Doc', "Association[3]/@targetObject"),
    sign("not a member", 'targetObject="Signature01"', 'targetObject="Document01"', "Document01: 2 HasMember"),
]

# The CDA against its metadata.
DOCUMENT = [
    cda("not XML", "</ClinicalDocument>", "", "the document is not well-formed"),
    cda("DTD", "<ClinicalDocument", "<!DOCTYPE ClinicalDocument><ClinicalDocument", "the document has a document type"),
    cda("namespace", "urn:hl7-org:v3", "urn:hl7-org:v2", "the document's root is other:ClinicalDocument"),
    cda("another id", '<id root="', '<id root="1.', "XDSDocumentEntry.uniqueId is not ClinicalDocument/id/@root"),
    cda("id with extension", "<id root=", '<id extension="1" root=', "ClinicalDocument/id has an extension"),
    cda("another patient", INS, OTHER_INS, "XDSDocumentEntry.patientId is not among"),
    cda("another type", 'code="27899-4"', 'code="11488-4"', "typeCode and its codingScheme are not"),
    cda("another code system", "113883.6.1", "113883.6.2", "typeCode and its codingScheme are not"),
]


@pytest.fixture(scope="module")
def one_client(running_sim) -> Iterator[Client]:
    """One connection for every row: nothing but the message changes from one to the next."""
    running_sim.admin("POST", "/reset", {})
    client = running_sim.client()
    yield client
    client.close()


@pytest.mark.parametrize(
    "mutation", [*HTTP, *MIME, *SOAP, *SET, *ENTRY, *TOGETHER, *SIGNATURE, *DOCUMENT], ids=lambda row: row.id
)
def test_one_wrong_thing_is_refused(running_sim, one_client, signer, mutation):
    message = new_message(signer if mutation.signed else None).replace(mutation.target, mutation.old, mutation.new)
    answer = one_client.send(message)
    assert (answer.code, mutation.words in answer.text) == (mutation.code, True), (answer.code, answer.text)
    assert answer.status == (500 if answer.outcome == "Fault" else 200)
    assert not (running_sim.store / "documents" / message.unique_id).exists()

    line = running_sim.journal()[-1]
    assert line["verdict"] == ("fault" if answer.outcome == "Fault" else "refused")
    assert (line["code"], line["sentence"]) == (mutation.code, answer.text)
    assert not any(word in json.dumps(line, ensure_ascii=False) for word in PATIENT_WORDS)
