"""A correct TD2.1, built by hand without anything of the simulator, for the tests to change one thing in."""

import http.client
import ssl
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlsplit

from lxml import etree

PATH = "/si-dmp-server/v2/services/repository"
BOUNDARY = "gw-5f1c77a90b3e4d12"
ACTION = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"

# The fictitious identity of the French test kits. Nothing of it may ever be logged.
INS, FAMILY, GIVEN = "279035121518989", "PAT-TROIS", "DOMINIQUE"
PATIENT_WORDS = (INS, FAMILY, GIVEN, "P0042178")

GATEWAY = "3990012345/GW1^Passerelle libre^1.0^^^^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^U^^^RI"
DOCTOR = "899900012345^LHERMITE^Odile^^^^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^D^^^IDNPS"
HOSPITAL = "CH DE VALBRUME^^^^^&amp;1.2.250.1.71.4.2.2&amp;ISO^IDNST^^^1990012345"
PATIENT = f"{INS}^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH"


def fresh_oid(arc: int) -> str:
    return f"1.2.250.1.999.77.{arc}.{uuid.uuid4().int >> 80}"


def utc_now() -> str:
    return datetime.now(timezone.utc).strftime("%Y%m%d%H%M%S")


# ---- pieces of ebRIM


def slot(name: str, *values: str) -> str:
    inner = "".join(f"<Value>{value}</Value>" for value in values)
    return f'<Slot name="{name}"><ValueList>{inner}</ValueList></Slot>'


def name(value: str) -> str:
    return f'<Name><LocalizedString charset="UTF8" xml:lang="FR" value="{value}"/></Name>'


def author(id_: str, scheme: str, owner: str, person: str) -> str:
    return (
        f'<Classification id="{id_}" classificationScheme="urn:uuid:{scheme}" classifiedObject="{owner}" '
        'nodeRepresentation="">'
        f'{slot("authorPerson", person)}{slot("authorInstitution", HOSPITAL)}</Classification>'
    )


def code(id_: str, scheme: str, owner: str, value: str, system: str, display: str) -> str:
    return (
        f'<Classification id="{id_}" classificationScheme="urn:uuid:{scheme}" classifiedObject="{owner}" '
        f'nodeRepresentation="{value}">{slot("codingScheme", system)}{name(display)}</Classification>'
    )


def identifier(id_: str, scheme: str, owner: str, value: str, label: str) -> str:
    return (
        f'<ExternalIdentifier id="{id_}" identificationScheme="urn:uuid:{scheme}" registryObject="{owner}" '
        f'value="{value}">{name(label)}</ExternalIdentifier>'
    )


def association(id_: str, kind: str, source: str, target: str) -> str:
    return (
        f'<Association id="{id_}" associationType="{kind}" sourceObject="{source}" targetObject="{target}">'
        f'{slot("SubmissionSetStatus", "Original")}</Association>'
    )


HAS_MEMBER = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
SIGNS = "urn:ihe:iti:2007:AssociationType:signs"


SET_NODE = "a54d6aa5-d40d-43f9-88c5-b4633d873bdd"


def submission_set(unique_id: str) -> str:
    own = "SubmissionSet01"
    return "".join(
        (
            f'<RegistryPackage id="{own}">',
            slot("submissionTime", utc_now()),
            name("Sortie du 19/11/2026"),
            author("cla1", "a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d", own, GATEWAY),
            code(
                "cla2",
                "aa543740-bdda-424e-8c96-df4873be8500",
                own,
                "04",
                "1.2.250.1.213.2.2",
                "Hospitalisation de jour",
            ),
            f'<Classification id="cla3" classificationNode="urn:uuid:{SET_NODE}" classifiedObject="{own}"/>',
            identifier("ei1", "6b5aea1a-874d-4603-a4bc-96a0a7b38446", own, PATIENT, "XDSSubmissionSet.patientId"),
            identifier(
                "ei2", "554ac39e-e3fe-47fe-b233-965d2a147832", own, "1.2.250.1.999.77", "XDSSubmissionSet.sourceId"
            ),
            identifier("ei3", "96fdda7c-d067-4183-912e-bf5ee74998a8", own, unique_id, "XDSSubmissionSet.uniqueId"),
            "</RegistryPackage>",
        )
    )


STABLE = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
CLASS_CODE = "41a5887f-8865-4c09-adf7-e362475b143a"
TYPE_CODE = "f0306f51-975f-434e-a61c-c59651d33983"
CONFIDENTIALITY = "f4f85eac-e6cb-4883-b524-f2705394840f"
FORMAT_CODE = "a09d5840-386c-46f2-b5ad-9c3699a4309d"
FACILITY = "f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1"
PRACTICE = "cccf5598-8b07-4b77-a05e-ae952c785ead"
EVENT = "2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"
AUTHOR_OF_ENTRY = "93606bcf-9494-43ec-9b4e-a7748d1a838d"
PATIENT_OF_ENTRY = "58a6f841-87b3-4a3e-92fd-a8ffeff98427"
UNIQUE_ID_OF_ENTRY = "2e82c1f6-a085-4c72-9da3-8640a32e42ab"
HIDDEN = "1.2.250.1.213.1.1.4.13"  # the coding scheme of the French visibility codes


def document_entry(unique_id: str) -> str:
    own = "Document01"
    return "".join(
        (
            f'<ExtrinsicObject id="{own}" mimeType="text/xml" objectType="{STABLE}">',
            slot("creationTime", "20261119163000"),
            slot("languageCode", "fr-FR"),
            slot("legalAuthenticator", DOCTOR),
            slot("serviceStartTime", "20261119070000"),
            slot("serviceStopTime", "20261119160000"),
            slot("sourcePatientId", "P0042178^^^&amp;1.2.250.1.999.77.9&amp;ISO^PI"),
            slot("sourcePatientInfo", f"PID-5|{FAMILY}^{GIVEN}^^^^^L", "PID-7|19790328", "PID-8|F"),
            name("Compte rendu de fibroscopie"),
            author("cla4", AUTHOR_OF_ENTRY, own, DOCTOR),
            code("cla5", CLASS_CODE, own, "10", "1.2.250.1.213.1.1.4.1", "Compte rendu"),
            code("cla6", TYPE_CODE, own, "27899-4", "2.16.840.1.113883.6.1", "CR d'acte diagnostique (autre)"),
            code("cla7", CONFIDENTIALITY, own, "N", "2.16.840.1.113883.5.25", "Normal"),
            code(
                "cla8",
                FORMAT_CODE,
                own,
                "urn:ihe:iti:xds-sd:pdf:2008",
                "1.3.6.1.4.1.19376.1.2.3",
                "Corps non structuré en Pdf/A-1",
            ),
            code("cla9", FACILITY, own, "SA01", "1.2.250.1.71.4.2.4", "Etablissement public de santé"),
            code("cla10", PRACTICE, own, "ETABLISSEMENT", "1.2.250.1.213.1.1.4.9", "Etablissement de santé"),
            identifier("ei4", PATIENT_OF_ENTRY, own, PATIENT, "XDSDocumentEntry.patientId"),
            identifier("ei5", UNIQUE_ID_OF_ENTRY, own, unique_id, "XDSDocumentEntry.uniqueId"),
            "</ExtrinsicObject>",
        )
    )


def signature_entry(unique_id: str) -> str:
    own, now = "Signature01", utc_now()
    return "".join(
        (
            f'<ExtrinsicObject id="{own}" mimeType="text/xml" objectType="{STABLE}">',
            slot("creationTime", now),
            slot("languageCode", "art"),
            slot("legalAuthenticator", GATEWAY),
            slot("serviceStartTime", now),
            slot("serviceStopTime", now),
            slot("sourcePatientId", PATIENT),
            name("Source"),
            author("cla11", AUTHOR_OF_ENTRY, own, GATEWAY),
            code("cla12", CLASS_CODE, own, "urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1", "URN", "Digital Signature"),
            code("cla13", TYPE_CODE, own, "E1762", "ASTM", "Full Document"),
            code("cla14", CONFIDENTIALITY, own, "N", "2.16.840.1.113883.5.25", "Normal"),
            code("cla15", CONFIDENTIALITY, own, "MASQUE_PS", HIDDEN, "Masqué aux professionnels de santé"),
            code("cla16", CONFIDENTIALITY, own, "INVISIBLE_PATIENT", HIDDEN, "Non visible par le patient"),
            code("cla17", FORMAT_CODE, own, "http://www.w3.org/2000/09/xmldsig#", "URN", "Default Signature Style"),
            code("cla18", FACILITY, own, "SA01", "1.2.250.1.71.4.2.4", "Etablissement public de santé"),
            code("cla19", PRACTICE, own, "ETABLISSEMENT", "1.2.250.1.213.1.1.4.9", "Etablissement de santé"),
            code("cla20", EVENT, own, "1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12", "Source"),
            identifier("ei6", PATIENT_OF_ENTRY, own, PATIENT, "XDSDocumentEntry.patientId"),
            identifier("ei7", UNIQUE_ID_OF_ENTRY, own, unique_id, "XDSDocumentEntry.uniqueId"),
            "</ExtrinsicObject>",
        )
    )


def cda(unique_id: str) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="CDA-FO.xsl"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
 <id root="{unique_id}"/>
 <code code="27899-4" codeSystem="2.16.840.1.113883.6.1"/>
 <title>Compte rendu de fibroscopie</title>
 <recordTarget><patientRole>
  <id extension="{INS}" root="1.2.250.1.213.1.4.10"/>
  <id extension="P0042178" root="1.2.250.1.999.77.9"/>
  <patient><name><family>{FAMILY}</family><given>{GIVEN}</given></name></patient>
 </patientRole></recordTarget>
</ClinicalDocument>
"""


def include(id_: str, content_id: str) -> str:
    return (
        f'<xdsb:Document id="{id_}"><xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" '
        f'href="cid:{content_id}"/></xdsb:Document>'
    )


TO = f"<wsa:To>https://127.0.0.1{PATH}</wsa:To>"
ADDRESS = "<wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address>"
REPLY_TO = f'<wsa:ReplyTo soap:mustUnderstand="1">{ADDRESS}</wsa:ReplyTo>'
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"


def security(content: str) -> str:
    return f'<wsse:Security xmlns:wsse="{WSSE}">{content}</wsse:Security>'


def envelope(message_id: str, content: str) -> str:
    return "".join(
        (
            '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" ',
            'xmlns:wsa="http://www.w3.org/2005/08/addressing"><soap:Header>',
            f"<wsa:MessageID>{message_id}</wsa:MessageID>{TO}{REPLY_TO}",
            f'<wsa:Action soap:mustUnderstand="1">{ACTION}</wsa:Action></soap:Header>',
            f"<soap:Body>{content}</soap:Body></soap:Envelope>",
        )
    )


def content_type(boundary: str) -> str:
    return (
        f'multipart/related; boundary="{boundary}"; type="application/xop+xml"; start="<root@gateway>"; '
        f'start-info="application/soap+xml"; action="{ACTION}"'
    )


def part(kind: str, content_id: str, content: str) -> bytes:
    headers = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{content_id}>\r\n"
    return f"--{BOUNDARY}\r\n{headers}\r\n{content}\r\n".encode()


# ---- a whole message


@dataclass
class Message:
    """Ready to send; its texts and, last of all, its framed bytes may be changed before."""

    unique_id: str
    set_unique_id: str
    message_id: str
    content_type: str
    envelope: str
    document: str
    signature: str | None = None
    frame_changes: list[tuple[bytes, bytes]] = field(default_factory=list)

    def replace(self, target: str, old: str, new: str) -> "Message":
        """Change the first occurrence of `old`, which must be there, in one of the texts or in the frame."""
        if target == "frame":
            self.frame_changes.append((old.encode(), new.encode()))
        else:
            before = getattr(self, target)
            assert old in before, f"{old!r} is not in the {target}"
            setattr(self, target, before.replace(old, new, 1))
        return self

    def body(self) -> bytes:
        root = f'application/xop+xml; charset=UTF-8; type="application/soap+xml"; action="{ACTION}"'
        framed = part(root, "root@gateway", self.envelope)
        framed += part("text/xml; charset=UTF-8", "document1@gateway", self.document)
        if self.signature is not None:
            framed += part("text/xml; charset=UTF-8", "signature1@gateway", self.signature)
        framed += f"--{BOUNDARY}--\r\n".encode()
        for old, new in self.frame_changes:
            assert old in framed, f"{old!r} is not in the frame"
            framed = framed.replace(old, new, 1)
        return framed


def new_message(signed: bool = False, unique_id: str | None = None, set_unique_id: str | None = None) -> Message:
    unique_id = unique_id or fresh_oid(5)
    set_unique_id = set_unique_id or fresh_oid(1)
    message_id = f"urn:uuid:{uuid.uuid4()}"
    objects = [submission_set(set_unique_id), document_entry(unique_id)]
    links = [association("as1", HAS_MEMBER, "SubmissionSet01", "Document01")]
    documents = [include("Document01", "document1@gateway")]
    if signed:
        objects.append(signature_entry(fresh_oid(2)))
        links += [
            association("as2", HAS_MEMBER, "SubmissionSet01", "Signature01"),
            association("as3", SIGNS, "Signature01", "SubmissionSet01"),
        ]
        documents.append(include("Signature01", "signature1@gateway"))
    content = "".join(
        (
            '<xdsb:ProvideAndRegisterDocumentSetRequest xmlns:xdsb="urn:ihe:iti:xds-b:2007" ',
            'xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" ',
            'xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">',
            "<lcm:SubmitObjectsRequest><RegistryObjectList>",
            *objects,
            *links,
            "</RegistryObjectList></lcm:SubmitObjectsRequest>",
            *documents,
            "</xdsb:ProvideAndRegisterDocumentSetRequest>",
        )
    )
    return Message(
        unique_id,
        set_unique_id,
        message_id,
        content_type(BOUNDARY),
        envelope(message_id, content),
        cda(unique_id),
        '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>' if signed else None,
    )


# ---- the wire

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://www.w3.org/2005/08/addressing",
    "rs": "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0",
}


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def tree(self) -> etree._Element:
        return etree.fromstring(self.body)

    @property
    def outcome(self) -> str:
        """Success, Failure or Fault."""
        if self.tree.find(".//s:Fault", NS) is not None:
            return "Fault"
        return self.tree.find(".//rs:RegistryResponse", NS).get("status").rpartition(":")[2]

    @property
    def code(self) -> str:
        error = self.tree.find(".//rs:RegistryError", NS)
        if error is not None:
            return error.get("errorCode")
        subcode = self.tree.find(".//s:Subcode/s:Value", NS)
        value = subcode if subcode is not None else self.tree.find(".//s:Code/s:Value", NS)
        return value.text.removeprefix("soap:")

    @property
    def text(self) -> str:
        error = self.tree.find(".//rs:RegistryError", NS)
        return error.get("codeContext") if error is not None else self.tree.find(".//s:Text", NS).text

    @property
    def header(self) -> dict[str, str]:
        return {block.tag.rpartition("}")[2]: block.text for block in self.tree.find("s:Header", NS)}


def tls_context(pki: Path, identity: str | None = "auth") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=pki / "ca.pem")
    if identity is not None:
        context.load_cert_chain(pki / f"{identity}.pem", pki / f"{identity}.key")
    return context


class Client:
    """One keep-alive connection to the DMP; http.client opens it again when it was closed."""

    def __init__(self, url: str, context: ssl.SSLContext):
        address = urlsplit(url)
        self._connection = http.client.HTTPSConnection(address.hostname, address.port, context=context, timeout=10)

    def send(self, message: Message, path: str = PATH) -> Answer:
        self.start(message, path)
        return self.answer()

    def start(self, message: Message, path: str = PATH) -> None:
        self._connection.request("POST", path, message.body(), {"Content-Type": message.content_type})

    def answer(self) -> Answer:
        response = self._connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def close(self) -> None:
        self._connection.close()
