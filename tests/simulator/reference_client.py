"""Correct requests, built and signed by hand without anything of the simulator, for tests to change one thing in.

TD2.1 with or without VIHF and XAdES, TD3.1b, TD3.3c, TD0.2.
"""

import base64
import hashlib
import http.client
import re
import ssl
import subprocess
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from lxml import etree  # isort: skip  (before xmlsec, which would keep it from opening files)
import xmlsec

SERVICES = "/si-dmp-server/v2/services"
PATH = f"{SERVICES}/repository"
REGISTRY = f"{SERVICES}/registry"
PATIENTS = f"{SERVICES}/patients"
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
    return utc_time(datetime.now(timezone.utc))


def utc_time(at: datetime) -> str:
    return at.strftime("%Y%m%d%H%M%S")


def iso_time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


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


def submission_set(unique_id: str, submitted: str = "") -> str:
    own = "SubmissionSet01"
    return "".join(
        (
            f'<RegistryPackage id="{own}">',
            slot("submissionTime", submitted or utc_now()),
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


def signature_entry(unique_id: str, signed: str = "") -> str:
    own, now = "Signature01", signed or utc_now()
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


def cda(unique_id: str, replaced: str | None = None) -> str:
    parent = f'<parentDocument><id root="{replaced}"/></parentDocument>'
    related = f'<relatedDocument typeCode="RPLC">{parent}</relatedDocument>' if replaced else ""
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
 {related}<!-- the body would follow -->
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


SEALED_HERE = "<!-- the sealed assertion -->"


def envelope(message_id: str, content: str, path: str = PATH, action: str = ACTION, header: str = "") -> str:
    return "".join(
        (
            '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" ',
            'xmlns:wsa="http://www.w3.org/2005/08/addressing"><soap:Header>',
            f"<wsa:MessageID>{message_id}</wsa:MessageID>{TO.replace(PATH, path)}{REPLY_TO}",
            f'<wsa:Action soap:mustUnderstand="1">{action}</wsa:Action>{header}</soap:Header>',
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


# ---- VIHF and XAdES

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.1.1#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
SUBJECT = "CN=passerelle-dmp,OU=1990000987,O=CH DE VALBRUME,ST=Vosges (88),C=FR"

ROLE = "urn:oasis:names:tc:xacml:2.0:subject:role"
RESOURCE = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
PURPOSE = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
SUBJECT_ID = "urn:oasis:names:tc:xspa:1.0:subject:subject-id"

TYPED = 'xmlns:xs="http://www.w3.org/2001/XMLSchema" xsi:type="xs:string"'


def attribute(name: str, *values: str) -> str:
    """Values that begin with < are elements."""
    told = "".join(
        f"<saml2:AttributeValue{'' if v.startswith('<') else ' ' + TYPED}>{v}</saml2:AttributeValue>" for v in values
    )
    return f'<saml2:Attribute Name="{name}">{told}</saml2:Attribute>'


def role(code: str, system: str, display: str) -> str:
    return f'<Role xmlns="urn:hl7-org:v3" xsi:type="CE" code="{code}" codeSystem="{system}" displayName="{display}"/>'


AUTOMATE = role("AUTOMATE", "1.2.250.1.213.1.1.4.6", "AUTOMATE")
PHYSICIAN = role("10", "1.2.250.1.71.1.2.7", "Médecin")
GENERALIST = role("SM26", "1.2.250.1.71.4.2.5", "Qualifié en médecine générale (SM)")
NORMAL_ACCESS = (
    '<PurposeOfUse xmlns="urn:hl7-org:v3" xsi:type="CE" code="normal" codeSystem="1.2.250.1.213.1.1.4.248" '
    'codeSystemName="mode acces VIHF 2.0" displayName="Accès normal"/>'
)


def assertion(certificate: str, at: datetime, patient: str = PATIENT) -> str:
    """Not sealed yet: the digest and the signature value are empty."""
    id_, now = f"_{uuid.uuid4()}", iso_time(at)
    rsa = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    return "".join(
        (
            '<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" ',
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ',
            f'ID="{id_}" IssueInstant="{now}" Version="2.0">',
            '<saml2:Issuer Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">',
            f'{SUBJECT}</saml2:Issuer><ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>',
            f'<ds:CanonicalizationMethod Algorithm="{EXC_C14N}"/><ds:SignatureMethod Algorithm="{rsa}"/>',
            f'<ds:Reference URI="#{id_}"><ds:Transforms><ds:Transform Algorithm="{DS}enveloped-signature"/>',
            f'<ds:Transform Algorithm="{EXC_C14N}"/></ds:Transforms>',
            '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>',
            "</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data>",
            f"<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
            "<saml2:Subject><saml2:NameID>899900012345</saml2:NameID></saml2:Subject>",
            f'<saml2:AuthnStatement AuthnInstant="{now}"><saml2:AuthnContext><saml2:AuthnContextClassRef>',
            "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified</saml2:AuthnContextClassRef></saml2:AuthnContext>",
            "</saml2:AuthnStatement><saml2:AttributeStatement>",
            attribute("VIHF_Version", "3.0"),
            attribute("Authentification_Mode", "INDIRECTE"),
            attribute("Identifiant_Structure", "1990012345"),
            attribute("Secteur_Activite", "SA01^1.2.250.1.71.4.2.4"),
            attribute(SUBJECT_ID, "Passerelle libre, modele 1, DSI"),
            attribute(ROLE, AUTOMATE),
            attribute(RESOURCE, patient),
            attribute("Ressource_URN", "urn:dmp"),
            attribute(PURPOSE, NORMAL_ACCESS),
            attribute("LPS_Nom", "Passerelle libre"),
            attribute("LPS_Version", "1.0"),
            attribute("LPS_ID_HOMOLOGATION_DMP", "NUMERO-CNDA"),
            "</saml2:AttributeStatement></saml2:Assertion>",
        )
    )


def xades(signer: "Signer", set_unique_id: str, documents: dict[str, str], at: datetime) -> str:
    """Not sealed yet. `documents` are the digests by uniqueId."""
    id_ = "S-1795167666-17"
    sha1 = f'<DigestMethod Algorithm="{DS}sha1"/>'
    transform = f'<Transforms><Transform Algorithm="{C14N}"/></Transforms>'
    references = "".join(
        f'<Reference URI="urn:oid:{unique_id}">{transform}{sha1}<DigestValue>{digest}</DigestValue></Reference>'
        for unique_id, digest in documents.items()
    )
    return "".join(
        (
            f'<Signature xmlns="{DS}" Id="{id_}"><SignedInfo><CanonicalizationMethod Algorithm="{C14N}"/>',
            f'<SignatureMethod Algorithm="{DS}rsa-sha1"/><Reference Type="{DS}Manifest" URI="#IHEManifest">',
            f'{sha1}<DigestValue/></Reference><Reference Type="{XADES}SignedProperties" URI="#S0-SignedProperties">',
            f"{sha1}<DigestValue/></Reference></SignedInfo><SignatureValue/><KeyInfo><X509Data><X509Certificate>",
            f"{signer.certificate}</X509Certificate></X509Data></KeyInfo>",
            f'<Object><Manifest Id="IHEManifest"><Reference URI="urn:oid:{set_unique_id}">{sha1}',
            f"<DigestValue>AA==</DigestValue></Reference>{references}</Manifest></Object>",
            f'<Object><SignatureProperties><SignatureProperty Id="purposeOfSignature" Target="#{id_}">',
            "1.2.840.10065.1.12.1.14</SignatureProperty></SignatureProperties></Object>",
            f'<Object><QualifyingProperties xmlns="{XADES}" Target="#{id_}">',
            '<SignedProperties Id="S0-SignedProperties"><SignedSignatureProperties>',
            f"<SigningTime>{iso_time(at)}</SigningTime><SigningCertificate>{signer.chain}</SigningCertificate>",
            "<SignaturePolicyIdentifier><SignaturePolicyImplied/></SignaturePolicyIdentifier>",
            "</SignedSignatureProperties><SignedDataObjectProperties/></SignedProperties>",
            "</QualifyingProperties></Object></Signature>",
        )
    )


def sha1_of(data: bytes) -> str:
    return base64.b64encode(hashlib.sha1(data).digest()).decode()


def inclusive(element: etree._Element, comments: bool = False) -> bytes:
    """Where it stands: lxml writes the namespaces in scope when it serialises, not when it canonicalises."""
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(alone, method="c14n", with_comments=comments)


class Signer:
    """The ORG SIGN key and certificate of a test PKI, or another pair of it."""

    def __init__(self, pki: Path, identity: str = "sign"):
        self._pki, self._identity = pki, identity

    @cached_property
    def certificate(self) -> str:
        return _base64_of(self._pki / f"{self._identity}.pem")

    @cached_property
    def key(self) -> xmlsec.Key:
        return xmlsec.Key.from_file(str(self._pki / f"{self._identity}.key"), xmlsec.constants.KeyDataFormatPem)

    @cached_property
    def chain(self) -> str:
        """The Cert elements of SigningCertificate: leaf, intermediate, root."""
        return "".join(map(_cert, (self._pki / f"{name}.pem" for name in (self._identity, "intermediate", "ca"))))

    def seal_assertion(self, text: str) -> str:
        """By the signature machinery of xmlsec, reference and all."""
        root = etree.fromstring(text)
        context = xmlsec.SignatureContext()
        context.key = self.key
        context.register_id(root, "ID")
        context.sign(root.find(f"{{{DS}}}Signature"))
        return etree.tostring(root, encoding="unicode")

    def seal_xades(self, text: str) -> str:
        """By hand: xmlsec would want to fetch what the Manifest refers to."""
        root = etree.fromstring(text)
        for reference in root.iterfind(f"{{{DS}}}SignedInfo/{{{DS}}}Reference"):
            target = root.xpath("//*[@Id=$id]", id=reference.get("URI")[1:])
            value = reference.find(f"{{{DS}}}DigestValue")
            if target and not value.text:
                value.text = sha1_of(inclusive(target[0]))
        info = root.find(f"{{{DS}}}SignedInfo")
        context = xmlsec.SignatureContext()
        context.key = self.key
        signed = context.sign_binary(inclusive(info, comments=True), xmlsec.constants.TransformRsaSha1)
        root.find(f"{{{DS}}}SignatureValue").text = base64.b64encode(signed).decode()
        return etree.tostring(root, encoding="unicode")


def _base64_of(pem: Path) -> str:
    return "".join(pem.read_text().partition("-----END")[0].partition("BEGIN CERTIFICATE-----")[2].split())


def _cert(pem: Path) -> str:
    told = subprocess.run(
        ["openssl", "x509", "-in", pem, "-noout", "-issuer", "-serial", "-nameopt", "RFC2253,utf8,-esc_msb"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    issuer, serial = re.fullmatch(r"issuer=(.*)\nserial=([0-9A-F]+)\n", told).groups()
    digest = sha1_of(base64.b64decode(_base64_of(pem)))
    return (
        f'<Cert><CertDigest><DigestMethod Algorithm="{DS}sha1"/><DigestValue>{digest}</DigestValue></CertDigest>'
        f'<IssuerSerial><X509IssuerName xmlns="{DS}">{issuer}</X509IssuerName>'
        f'<X509SerialNumber xmlns="{DS}">{int(serial, 16)}</X509SerialNumber></IssuerSerial></Cert>'
    )


# ---- a whole message


@dataclass
class Message:
    """Ready to send; its texts may be changed before, and what seals and frames them after."""

    message_id: str
    content_type: str
    envelope: str
    unique_id: str = ""
    set_unique_id: str = ""
    document: str | None = None
    signer: Signer | None = None
    assertion: str = ""  # before it is sealed
    signature: str | None = None  # the same for the XAdES; made from the document when it is empty
    at: datetime | None = None
    path: str = PATH
    late_changes: list[tuple[str, str | re.Pattern, str]] = field(default_factory=list)

    def replace(self, target: str, old: str | re.Pattern, new: str) -> "Message":
        """Change the first occurrence of `old`, which must be there, in one of the texts.

        Or later: in `xades` when it is made, in `sealed_assertion` and `sealed_xades` when they are signed, in
        `frame` last of all.
        """
        if target in ("frame", "xades", "sealed_assertion", "sealed_xades"):
            self.late_changes.append((target, old, new))
        else:
            setattr(self, target, _changed(getattr(self, target), old, new, target))
        return self

    def _late(self, target: str, text: str) -> str:
        for where, old, new in self.late_changes:
            text = _changed(text, old, new, target) if where == target else text
        return text

    def sealed_envelope(self) -> str:
        if not self.assertion:
            return self.envelope
        sealed = self._late("sealed_assertion", self.signer.seal_assertion(self.assertion))
        return self.envelope.replace(SEALED_HERE, sealed)

    def sealed_signature(self) -> str:
        digest = sha1_of(
            etree.tostring(etree.fromstring(self.document.encode()).getroottree(), method="c14n", with_comments=True)
        )
        text = self._late("xades", xades(self.signer, self.set_unique_id, {self.unique_id: digest}, self.at))
        return self._late("sealed_xades", self.signer.seal_xades(text))

    def body(self) -> bytes:
        if self.document is None:
            return self._late("frame", self.sealed_envelope()).encode()
        root = f'application/xop+xml; charset=UTF-8; type="application/soap+xml"; action="{ACTION}"'
        framed = part(root, "root@gateway", self.sealed_envelope())
        framed += part("text/xml; charset=UTF-8", "document1@gateway", self.document)
        if self.signature is not None:
            framed += part("text/xml; charset=UTF-8", "signature1@gateway", self.signature or self.sealed_signature())
        framed += f"--{BOUNDARY}--\r\n".encode()
        return self._late("frame", framed.decode()).encode()


def _changed(text: str, old: str | re.Pattern, new: str, target: str) -> str:
    if isinstance(old, str):
        assert old in text, f"{old!r} is not in the {target}"
        return text.replace(old, new, 1)
    changed, times = old.subn(new, text, count=1)
    assert times, f"{old.pattern!r} is not in the {target}"
    return changed


def new_message(
    signer: Signer | None = None,
    unique_id: str | None = None,
    set_unique_id: str | None = None,
    replaces: tuple[str, str] | None = None,
) -> Message:
    """A TD2.1: with a signer, with VIHF and XAdES. `replaces` is the uniqueId and the entryUUID of a document."""
    unique_id = unique_id or fresh_oid(5)
    set_unique_id = set_unique_id or fresh_oid(1)
    message_id = f"urn:uuid:{uuid.uuid4()}"
    at = datetime.now(timezone.utc)
    objects = [submission_set(set_unique_id, utc_time(at)), document_entry(unique_id)]
    links = [association("as1", HAS_MEMBER, "SubmissionSet01", "Document01")]
    documents = [include("Document01", "document1@gateway")]
    if signer:
        objects.append(signature_entry(fresh_oid(2), utc_time(at)))
        links += [
            association("as2", HAS_MEMBER, "SubmissionSet01", "Signature01"),
            association("as3", SIGNS, "Signature01", "SubmissionSet01"),
        ]
        documents.append(include("Signature01", "signature1@gateway"))
    if replaces:
        links.append(replacement(replaces[1]))
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
        message_id,
        content_type(BOUNDARY),
        envelope(message_id, content, header=security(SEALED_HERE) if signer else ""),
        unique_id,
        set_unique_id,
        cda(unique_id, replaces[0] if replaces else None),
        signer,
        assertion(signer.certificate, at) if signer else "",
        "" if signer else None,
        at,
    )


def replacement(entry_uuid: str) -> str:
    return (
        '<Association id="as9" associationType="urn:ihe:iti:2007:AssociationType:RPLC" '
        f'sourceObject="Document01" targetObject="{entry_uuid}"/>'
    )


# ---- the other transactions

GET_DOCUMENTS = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
QUERY_ACTION = "urn:ihe:iti:2007:RegistryStoredQuery"
UPDATE_ACTION = "urn:ihe:iti:2010:UpdateDocumentSet"
EXISTENCE_ACTION = "urn:hl7-org:v3:PRPA_IN201307UV02"
APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
ARCHIVED = "urn:asip:ci-sis:2010:StatusType:Archived"
DELETED = "urn:asip:ci-sis:2010:StatusType:Deleted"


def _plain(path: str, action: str, content: str, signer: Signer | None) -> Message:
    message_id, at = f"urn:uuid:{uuid.uuid4()}", datetime.now(timezone.utc)
    header = security(SEALED_HERE) if signer else ""
    return Message(
        message_id,
        f'application/soap+xml; charset=UTF-8; action="{action}"',
        envelope(message_id, content, path, action, header),
        signer=signer,
        assertion=assertion(signer.certificate, at) if signer else "",
        at=at,
        path=path,
    )


def new_query(unique_id: str, signer: Signer | None = None) -> Message:
    """TD3.1b."""
    content = (
        '<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" '
        'xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">'
        '<query:ResponseOption returnComposedObjects="true" returnType="ObjectRef"/>'
        f'<AdhocQuery id="{GET_DOCUMENTS}">{slot("$XDSDocumentEntryUniqueId", f"({chr(39)}{unique_id}{chr(39)})")}'
        "</AdhocQuery></query:AdhocQueryRequest>"
    )
    return _plain(REGISTRY, QUERY_ACTION, content, signer)


def new_deletion(
    entry_uuid: str, signer: Signer | None = None, original: str = APPROVED, set_unique_id: str | None = None
) -> Message:
    """TD3.3c."""
    content = (
        '<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" '
        'xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><RegistryObjectList>'
        f"{submission_set(set_unique_id or fresh_oid(1))}"
        '<Association id="as1" associationType="urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus" '
        'objectType="urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association" '
        f'sourceObject="SubmissionSet01" targetObject="{entry_uuid}">'
        f'{slot("OriginalStatus", original)}{slot("NewStatus", DELETED)}</Association>'
        "</RegistryObjectList></lcm:SubmitObjectsRequest>"
    )
    return _plain(REGISTRY, UPDATE_ACTION, content, signer)


def new_existence(signer: Signer | None = None, ins: str = INS) -> Message:
    """TD0.2."""
    content = (
        '<PRPA_IN201307UV02 xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'ITSVersion="XML_1.0"><id root="1.2.250.1.999.77.3.1" extension="{uuid.uuid4()}"/>'
        f'<creationTime value="{utc_now()}"/>'
        '<interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201307UV02"/><processingCode code="D"/>'
        '<processingModeCode code="T"/><acceptAckCode code="AL"/><receiver typeCode="RCV">'
        '<device classCode="DEV" determinerCode="INSTANCE"><id root="1.2.250.1.213.4.1.1.1"/>'
        '<softwareName>DMP</softwareName></device></receiver><sender typeCode="SND">'
        '<device classCode="DEV" determinerCode="INSTANCE"><id root="1.2.250.1.999.77"/>'
        '<softwareName>Passerelle libre</softwareName></device></sender><attentionLine xsi:nil="true"/>'
        '<controlActProcess classCode="CACT" moodCode="EVN"><reasonCode code="TEST_EXST" '
        'codeSystem="1.2.250.1.213.1.1.4.11" displayName="Test d\'existence de dossier"/><queryByParameter>'
        f'<queryId root="1.2.250.1.999.77.3.2" extension="{uuid.uuid4()}"/><statusCode code="new"/><parameterList>'
        f'<dataSource xsi:nil="true"/><patientIdentifier><value root="1.2.250.1.213.1.4.10" extension="{ins}"/>'
        "<semanticsText>Patient.id</semanticsText></patientIdentifier></parameterList></queryByParameter>"
        "</controlActProcess></PRPA_IN201307UV02>"
    )
    return _plain(PATIENTS, EXISTENCE_ACTION, content, signer)


# ---- the wire

NS = {
    "h": "urn:hl7-org:v3",
    "rim": "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0",
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
        acknowledgement = self.tree.find(".//h:acknowledgement", NS)
        if acknowledgement is not None:
            return "Success" if acknowledgement.get("typeCode") == "AA" else "Failure"
        return self.tree.find("s:Body", NS)[0].get("status").rpartition(":")[2]

    @property
    def code(self) -> str:
        error = self.tree.find(".//rs:RegistryError", NS)
        if error is not None:
            return error.get("errorCode")
        detail = self.tree.find(".//h:acknowledgementDetail/h:code", NS)
        if detail is not None:
            return detail.get("code")
        subcode = self.tree.find(".//s:Subcode/s:Value", NS)
        value = subcode if subcode is not None else self.tree.find(".//s:Code/s:Value", NS)
        return value.text.removeprefix("soap:")

    @property
    def text(self) -> str:
        error = self.tree.find(".//rs:RegistryError", NS)
        if error is not None:
            return error.get("codeContext")
        found = self.tree.find(".//h:acknowledgementDetail/h:text", NS)
        return (found if found is not None else self.tree.find(".//s:Text", NS)).text

    @property
    def references(self) -> list[str]:
        """The entryUUIDs in an answer to TD3.1b."""
        return [reference.get("id") for reference in self.tree.iterfind(".//rim:ObjectRef", NS)]

    @property
    def existence(self) -> tuple[str, str | None]:
        """queryResponseCode and the state of the DMP in an answer to TD0.2."""
        patient = self.tree.find(".//h:subject1/h:patient/h:statusCode", NS)
        code = self.tree.find(".//h:queryAck/h:queryResponseCode", NS).get("code")
        return code, None if patient is None else patient.get("code")

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

    def send(self, message: Message, path: str = "") -> Answer:
        self.start(message, path)
        return self.answer()

    def start(self, message: Message, path: str = "") -> None:
        self._connection.request("POST", path or message.path, message.body(), {"Content-Type": message.content_type})

    def answer(self) -> Answer:
        response = self._connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def close(self) -> None:
        self._connection.close()
