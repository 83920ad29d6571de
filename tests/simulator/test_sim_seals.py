"""VIHF and XAdES: what is right is accepted, one wrong thing at a time is refused and named.

A row says: in this text of a signed message `old` becomes `new`; the answer then has this code, and these words.
Texts are changed before they are sealed (`assertion`, `xades`) or after (`sealed_assertion`, `sealed_xades`).
"""

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import pytest

from reference_client import (
    AUTOMATE,
    C14N,
    CONFIDENTIALITY,
    EXC_C14N,
    GENERALIST,
    HIDDEN,
    HOSPITAL,
    INS,
    NORMAL_ACCESS,
    PATIENT,
    PATIENT_WORDS,
    PHYSICIAN,
    PURPOSE,
    RESOURCE,
    ROLE,
    SEALED_HERE,
    SUBJECT,
    SUBJECT_ID,
    TYPED,
    XADES,
    Client,
    Signer,
    attribute,
    code,
    iso_time,
    new_message,
    role,
    utc_time,
)

TOKEN, CHECK, EXPIRED = "wsse:InvalidSecurityToken", "wsse:FailedCheck", "wsse:MessageExpired"
DENIED = "DMPAccessDeniedByRightsService"
CONTENT, METADATA = "InvalidDocumentContent", "XDSRegistryMetadataError"


class Row(NamedTuple):
    id: str
    target: str
    old: str | re.Pattern
    new: str
    code: str
    words: str


def vihf(id: str, old: str | re.Pattern, new: str, words: str, code: str = TOKEN) -> Row:
    return Row(id, "assertion", old, new, code, words)


def tampered(id: str, old: str | re.Pattern, new: str, words: str, code: str = CHECK) -> Row:
    return Row(id, "sealed_assertion", old, new, code, words)


def xades(id: str, old: str | re.Pattern, new: str, words: str) -> Row:
    return Row(id, "xades", old, new, CONTENT, f"Signature01, {words}")


def resealed(id: str, old: str | re.Pattern, new: str, words: str) -> Row:
    return Row(id, "sealed_xades", old, new, CONTENT, f"Signature01, {words}")


def missing(name: str, *values: str) -> Row:
    return vihf(f"no {name}", attribute(name, *values), "", f"Attribute[{name}]: this attribute is missing")


RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
DS = "http://www.w3.org/2000/09/xmldsig#"
A_DIGEST = re.compile("(?<=<ds:DigestValue>)..")
A_VALUE = re.compile("(?<=SignatureValue>)..")
INSTANT = re.compile('IssueInstant="[^"]*"')
AUTHENTICATED = re.compile('AuthnInstant="[^"]*"')
LONG_AGO = iso_time(datetime.now(timezone.utc) - timedelta(minutes=10))
MUCH_LATER = iso_time(datetime.now(timezone.utc) + timedelta(days=1))
JUST_BEFORE = iso_time(datetime.now(timezone.utc) - timedelta(minutes=2))
OTHER_INS = PATIENT.replace(INS, INS[:-1] + "0")
MODE = attribute("Authentification_Mode", "INDIRECTE")
CONDITIONS = "<saml2:Conditions {}>{}</saml2:Conditions><saml2:AuthnStatement"
CLASS = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
STRUCTURE = "Attribute[Identifiant_Structure]"
PURPOSE_TOLD = f"Attribute[{PURPOSE}]"
ROLE_TOLD = f"Attribute[{ROLE}]"
SECRET = attribute(
    "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code", f"INVISIBLE_REPRESENTANTS_LEGAUX^{HIDDEN}"
)

# SAML 2.0 with the rules of the VIHF: the assertion and its attributes.
ASSERTION = [
    vihf("version 1.1", 'Version="2.0"', 'Version="1.1"', "saml2:Assertion/@Version: 2.0 is expected"),
    vihf("without milliseconds", INSTANT, 'IssueInstant="2026-11-20T09:41:07Z"', "@IssueInstant: an instant in UTC"),
    vihf("too old", INSTANT, f'IssueInstant="{LONG_AGO}"', "@IssueInstant: it is more than 300", EXPIRED),
    vihf("in the future", INSTANT, f'IssueInstant="{MUCH_LATER}"', "@IssueInstant: it is in the future", EXPIRED),
    vihf("before submissionTime", INSTANT, f'IssueInstant="{JUST_BEFORE}"', "@AuthnInstant: it is after IssueInstant"),
    vihf("authenticated later", AUTHENTICATED, f'AuthnInstant="{MUCH_LATER}"', "AuthnInstant: it is after"),
    vihf("authenticated when", AUTHENTICATED, "", "AuthnStatement/@AuthnInstant: an instant in UTC"),
    vihf("class", CLASS, "urn:x:", "AuthnContextClassRef: one class, urn:oasis"),
    vihf("issuer format", "X509SubjectName", "unspecified", "Issuer/@Format: urn:oasis"),
    vihf("issuer reversed", SUBJECT, ",".join(SUBJECT.split(",")[::-1]), "Issuer: it is not the subject of"),
    vihf("issuer with spaces", SUBJECT, SUBJECT.replace(",", ", "), "Issuer: it is not the subject of"),
    vihf("NameID with Format", "<saml2:NameID>", '<saml2:NameID Format="x">', "Subject/NameID: it has no attribute"),
    vihf("nobody", re.compile("<saml2:NameID>.*</saml2:NameID>"), "", "Subject: one NameID"),
    vihf("audience", "<saml2:AuthnStatement", CONDITIONS.format("", "<saml2:AudienceRestriction/>"), "Conditions: it"),
    vihf("expired", "<saml2:AuthnStatement", CONDITIONS.format(f'NotOnOrAfter="{LONG_AGO}"', ""), "NotOnOr", EXPIRED),
    vihf("not yet", "<saml2:AuthnStatement", CONDITIONS.format(f'NotBefore="{MUCH_LATER}"', ""), "NotBefore", EXPIRED),
    vihf("order", "<saml2:Subject>", "<saml2:Advice/><saml2:Subject>", "saml2:Assertion: it must hold saml2:Issuer"),
    vihf("attribute unknown", MODE, MODE + attribute("Mode_Acces_Raison", "x"), "Attribute[3]: its name is not one"),
    vihf("attribute twice", attribute("LPS_Nom", "Passerelle libre"), attribute("LPS_Nom", "x") * 2, "is there twice"),
    vihf("version of the VIHF", attribute("VIHF_Version", "3.0"), attribute("VIHF_Version", "2.0"), "3.0 or 4.0 is"),
    missing("VIHF_Version", "3.0"),
    missing("Identifiant_Structure", "1990012345"),
    missing("Secteur_Activite", "SA01^1.2.250.1.71.4.2.4"),
    missing(SUBJECT_ID, "Passerelle libre, modele 1, DSI"),
    missing(ROLE, AUTOMATE),
    missing(RESOURCE, PATIENT),
    missing("Ressource_URN", "urn:dmp"),
    missing(PURPOSE, NORMAL_ACCESS),
    missing("LPS_Nom", "Passerelle libre"),
    missing("LPS_Version", "1.0"),
    missing("LPS_ID_HOMOLOGATION_DMP", "NUMERO-CNDA"),
    vihf("no mode", MODE, "", "Attribute[Authentification_Mode]: it is there 0 times"),
    vihf("both spellings", MODE, MODE + MODE.replace("_Mode", "_mode"), "it is there 2 times"),
    vihf("direct", ">INDIRECTE<", ">DIRECTE<", "only INDIRECTE is served", DENIED),
    vihf("reinforced", ">INDIRECTE<", ">INDIRECTE_RENFORCEE<", "only INDIRECTE is served", DENIED),
    vihf("another mode", ">INDIRECTE<", ">CARTE<", "Attribute[Authentification_Mode]: INDIRECTE is expected"),
    vihf("FINESS bare", ">1990012345<", ">990012345<", f"{STRUCTURE}: a Struct_IdNat"),
    vihf("sector bare", "SA01^1.2.250.1.71.4.2.4", "SA01", "Attribute[Secteur_Activite]: a sector"),
    vihf("INS bare", f">{PATIENT}<", f">{INS}<", f"Attribute[{RESOURCE}]: an INS"),
    vihf("another patient", f">{PATIENT}<", f">{OTHER_INS}<", f"Attribute[{RESOURCE}]: it is not the patient"),
    vihf("another resource", "urn:dmp", "urn:mes", "Attribute[Ressource_URN]: urn:dmp is expected"),
    vihf("subject-id empty", "Passerelle libre, modele 1, DSI", " ", f"Attribute[{SUBJECT_ID}]: a text that is not"),
    vihf("text of another type", "xs:string", "xs:anyURI", "its xsi:type is not xs:string"),
    vihf("text without its prefix", f"{TYPED}>3.0", 'xsi:type="xs:string">3.0', "its xsi:type is not xs:string"),
    vihf("break-glass", 'code="normal"', 'code="bris_de_glace"', f"{PURPOSE_TOLD}/PurposeOfUse: code normal"),
    vihf("purpose of no type", f'{NORMAL_ACCESS.partition("code=")[0]}', '<PurposeOfUse xmlns="urn:hl7-org:v3" ', "CE"),
    vihf("purpose in no namespace", '<PurposeOfUse xmlns="urn:hl7-org:v3"', "<PurposeOfUse", f"{PURPOSE_TOLD}: each"),
    vihf("role of another system", "1.2.250.1.213.1.1.4.6", "1.2.250.1.213.1.1.4.9", f"{ROLE_TOLD}/Role[1]/@codeS"),
    vihf("role without display", ' displayName="AUTOMATE"', "", f"{ROLE_TOLD}/Role/@displayName: it is missing"),
    vihf("machine and doctor", attribute(ROLE, AUTOMATE), attribute(ROLE, AUTOMATE, PHYSICIAN), "no second role"),
    vihf("doctor", attribute(ROLE, AUTOMATE), attribute(ROLE, PHYSICIAN), "Aucune spécialité dans le vihf", "Sender"),
    vihf("two doctors", attribute(ROLE, AUTOMATE), attribute(ROLE, PHYSICIAN, PHYSICIAN, GENERALIST), "one profess"),
    Row("another structure", "envelope", HOSPITAL, HOSPITAL[:-1] + "6", "XDSRegistryError", "Aucun AuthorInstitution"),
    Row("secret", "assertion", MODE, MODE + SECRET, METADATA, "INVISIBLE_REPRESENTANTS_LEGAUX is expected, as in"),
]

EXCLUSIVE = f'<ds:Transform Algorithm="{EXC_C14N}"/>'
PREFIXES = f'<e:InclusiveNamespaces xmlns:e="{EXC_C14N}" PrefixList="xs"/>'
WITH_PREFIXES = EXCLUSIVE.replace("/>", f">{PREFIXES}</ds:Transform>")

SEAL = re.compile("<ds:Signature .*</ds:Signature>", re.DOTALL)

# XML Signature: the seal of the assertion.
SEALED_ASSERTION = [
    tampered("one attribute changed", ">SA01^", ">SA02^", "Reference/DigestValue: it is not the digest of the assert"),
    tampered("white space added", "<saml2:AttributeStatement>", "<saml2:AttributeStatement> ", "DigestValue: it is"),
    tampered("digest", A_DIGEST, "//", "Reference/DigestValue: it is not the digest of the assertion"),
    tampered("signature value", A_VALUE, "//", "SignatureValue: the certificate in KeyInfo did not sign this"),
    tampered("value no base64", A_VALUE, "?", "SignatureValue: this is not base64", TOKEN),
    tampered("no seal", SEAL, "", "ds:Signature: the signature is missing", TOKEN),
    tampered("reference elsewhere", 'URI="#_', 'URI="#x', "Reference/@URI: # and the ID of the assertion", TOKEN),
    vihf("SHA-1 digest", SHA256, f"{DS}sha1", "Reference/DigestMethod/@Algorithm: http"),
    vihf("inclusive", f'Method Algorithm="{EXC_C14N}"', f'Method Algorithm="{C14N}"', "CanonicalizationMethod/@Algo"),
    vihf("one transform", EXCLUSIVE, "", "Reference/Transforms: it must hold"),
    vihf("PrefixList", EXCLUSIVE, WITH_PREFIXES, "Reference/Transforms/Transform: it must hold nothing"),
    tampered("no certificate", re.compile("<ds:X509Certificate>..."), "<ds:X509Certificate>AAAA", "no X.509", TOKEN),
    tampered("two certificates", "<ds:X509Data>", "<ds:X509Data/><ds:X509Data>", "KeyInfo: it must hold", TOKEN),
]

MANIFEST, REFERENCE, CERT = "ds:Manifest/ds:Reference", "ds:SignedInfo/ds:Reference", "SigningCertificate/Cert"
DOCUMENT_DIGEST = re.compile("(?<=/></Transforms>)(.*?<DigestValue>)..")
DOCUMENT_REFERENCE = re.compile('<Reference URI="[^"]*"><Transforms>.*?</Reference>')
LEAF = re.compile("<Cert>.*?</Cert>")
SIGNING = re.compile("<SigningTime>[^<]*")
TRANSFORMS = f'<Transforms><Transform Algorithm="{C14N}"/></Transforms>'
PROPERTY_TARGET = '"purposeOfSignature" Target="#S'

# XAdES 1.1.1 with the recipe of the DMP: what is signed, and what is said about it.
SIGNATURE = [
    xades("no Id", ' Id="S-1795167666-17"', "", "ds:Signature/@Id: it is missing"),
    xades("two Manifests", "<Object><Manifest", "<Object/><Object><Manifest", "ds:Signature: 4 ds:Object are there"),
    xades("exclusive", C14N, EXC_C14N, "ds:Signature/SignedInfo/CanonicalizationMethod/@Algorithm: http"),
    xades("SHA-256 value", f"{DS}rsa-sha1", RSA_SHA256, f"{MANIFEST}[1]/DigestMethod/@Algorithm: http"),
    xades("placeholder", "AA==", "AQ==", f"{MANIFEST}[1]/ds:DigestValue: the placeholder AA== is expected"),
    xades("another set", re.compile('(?<=URI="urn:oid:)'), "9", f"{MANIFEST}[1]/@URI: urn:oid: and the uniqueId of"),
    xades("bare OID", re.compile('urn:oid:(?=[^"]*"><Tr)'), "", f"{MANIFEST}[2]/@URI: urn:oid: and the uniqueId of a"),
    xades("another document", re.compile('urn:oid:(?=[^"]*"><Tr)'), "urn:oid:9", f"{MANIFEST}[2]/@URI: urn:oid:"),
    xades("no document", DOCUMENT_REFERENCE, "", "ds:Manifest: Document01 has no reference"),
    xades("digest of the document", DOCUMENT_DIGEST, r"\1//", f"{MANIFEST}[2]/ds:DigestValue: it is not the digest"),
    xades("no transform", TRANSFORMS, "", f"{MANIFEST}[2]: it must hold ds:Transforms"),
    xades("another transform", f"{C14N}\"/></T", f"{EXC_C14N}\"/></T", f"{MANIFEST}[2]/Transforms/Transform/@Alg"),
    xades("Id of the Manifest", 'Id="IHEManifest"', 'Id="Manifest"', "ds:Manifest/@Id: IHEManifest is expected"),
    xades("Id of the properties", 'Id="S0-Sig', 'Id="S1-Sig', "SignedProperties/@Id: S0-SignedProperties is expected"),
    xades("target of the purpose", PROPERTY_TARGET, PROPERTY_TARGET + "x", "ds:SignatureProperty/@Target: # and the"),
    xades("target of the rest", f'{XADES}" Target="#', f'{XADES}" Target="', "QualifyingProperties/@Target: # and"),
    xades("reference type", 'v1.1.1#SignedProperties"', 'v1.3.2#SignedProperties"', f"{REFERENCE}[2]: Type="),
    xades("references reversed", "#IHEManifest", "#S0-SignedProperties", f"{REFERENCE}[1]: Type="),
    xades("purpose", "1.2.840.10065.1.12.1.14<", "1.2.840.10065.1.12.1.1<", "ds:SignatureProperty: the purpose 1.2"),
    xades("XAdES 1.3.2", "v1.1.1#\" Target", "v1.3.2#\" Target", "ds:Object[3]: it must hold xades:QualifyingPropert"),
    xades("policy told", "<SignaturePolicyImplied/>", "<SignaturePolicyId/>", "SignaturePolicyIdentifier: it must"),
    xades("no SigningTime", re.compile("<SigningTime>.*</SigningTime>"), "", "SignedSignatureProperties: it must hold"),
    xades("time without zone", SIGNING, "<SigningTime>2026-11-20T09:41:06", "SigningTime: an instant of ISO 8601"),
    xades("before the submission", SIGNING, f"<SigningTime>{JUST_BEFORE}", "SigningTime: it is before submissionTime"),
    xades("after the VIHF", SIGNING, f"<SigningTime>{MUCH_LATER}", "SigningTime: it is in the future"),
    xades("certificate digest", re.compile("(?<=<CertDigest>)(.*?<DigestValue>).."), r"\1//", f"{CERT}[1]/CertDigest/"),
    xades("issuer", "CN=TEST AC ELEM", "CN=AC ELEM", f"{CERT}[1]/IssuerSerial/ds:X509IssuerName: it is not the"),
    xades("serial", re.compile("(?<=X509SerialNumber xmlns=)(.*?>)."), r"\g<1>0x", f"{CERT}[1]/IssuerSerial/ds:X509S"),
    xades("serial in etsi", re.compile('(?<=<X509SerialNumber) xmlns="[^"]*"'), "", f"{CERT}[1]/IssuerSerial: it must"),
    xades("leaf not first", LEAF, "", f"{CERT}[1]/CertDigest/DigestValue: it is not the digest of this certificate"),
    xades("no certificates", re.compile("<Cert>.*</Cert>"), "", "SigningCertificate: the leaf is expected, then"),
    resealed("purpose changed later", "Target=\"#S", "Target=\"#S ", "ds:SignatureProperty/@Target: # and the Id"),
    resealed("time changed later", SIGNING, "<SigningTime>2026", f"{REFERENCE}[2]/ds:DigestValue: it is"),
    resealed("manifest changed later", "<Manifest ", "<Manifest  x='' ", f"{REFERENCE}[1]/ds:DigestValue: it is"),
    resealed("signature value", A_VALUE, "//", "ds:SignatureValue: the certificate in KeyInfo did not sign this"),
    resealed("not XML", "</Signature>", "", "ds:Signature: the document is not well-formed XML"),
    Row("document changed later", "frame", "DOMINIQUE</", "DOMINIQUE </", CONTENT, f"Signature01, {MANIFEST}[2]/ds:Di"),
    Row("comment changed later", "frame", "would follow", "will follow", CONTENT, f"Signature01, {MANIFEST}[2]/ds:"),
    Row("stylesheet changed later", "frame", "CDA-FO.xsl", "CDA-F0.xsl", CONTENT, f"Signature01, {MANIFEST}[2]/ds:Di"),
]


@pytest.fixture(scope="module")
def one_client(running_sim) -> Iterator[Client]:
    running_sim.admin("POST", "/reset", {})
    client = running_sim.client()
    yield client
    client.close()


@pytest.mark.parametrize("row", [*ASSERTION, *SEALED_ASSERTION, *SIGNATURE], ids=lambda row: row.id)
def test_one_wrong_thing_in_a_seal_is_refused(running_sim, one_client, signer, row):
    message = new_message(signer).replace(row.target, row.old, row.new)
    answer = one_client.send(message)
    assert (answer.code, row.words in answer.text) == (row.code, True), (answer.code, answer.text)
    assert not (running_sim.store / "documents" / message.unique_id).exists()
    line = running_sim.journal()[-1]
    assert (line["code"], line["sentence"]) == (row.code, answer.text)
    assert not any(word in json.dumps(line, ensure_ascii=False) for word in PATIENT_WORDS)


# ---- certificates


@pytest.fixture(scope="module")
def other_pki(tmp_path_factory):
    """Another authority, that nobody trusts."""
    folder = tmp_path_factory.mktemp("other") / "pki"
    program = re.sub("test_sim_seals.py$", "dmpfeed-sim", __file__)
    subprocess.run([program, "--make-pki", folder], check=True, stdout=subprocess.DEVNULL)
    return folder


INVALID = "Le certificat ayant signé le VIHF est invalide"


def test_the_vihf_is_not_signed_by_the_certificate_of_tls(client, pki, signer):
    message = new_message(signer)
    message.assertion = message.assertion.replace(signer.certificate, Signer(pki, "auth").certificate)
    message.signer = Signer(pki, "auth")
    answer = client.send(message)
    assert (answer.outcome, answer.code) == ("Fault", "DMPInvalidCertificate")
    assert f"{INVALID}: its certificate is for TLS (ORG AUTH_CLI)" in answer.text


def test_the_vihf_is_signed_under_the_authority(client, other_pki):
    answer = client.send(new_message(Signer(other_pki)))
    assert answer.code == "DMPInvalidCertificate"
    assert f"{INVALID}: its certificate is not trusted: " in answer.text


def test_an_expired_certificate_signs_nothing(client, pki, tmp_path):
    answer = client.send(new_message(Signer(issue(pki, tmp_path, "expired"))))
    assert answer.code == "DMPInvalidCertificate"
    assert answer.text.endswith("its certificate is not trusted: certificate has expired")


def test_a_certificate_that_is_not_for_signatures_signs_nothing(client, pki, tmp_path):
    answer = client.send(new_message(Signer(issue(pki, tmp_path, "no repudiation"))))
    assert (answer.code, "the keyUsage of its certificate lacks nonRepudiation" in answer.text) == (
        "DMPInvalidCertificate",
        True,
    )


def test_another_organisation_may_not_sign_for_the_one_of_tls(client, pki, tmp_path):
    other = Signer(issue(pki, tmp_path, "other", structure="1880000001"))
    message = new_message(other).replace("assertion", "OU=1990000987", "OU=1880000001")
    answer = client.send(message)
    assert (answer.outcome, answer.code) == ("Fault", "Sender")
    assert "Erreur d'authentification de la personne morale: the OU of its certificate is not" in answer.text


def test_the_xades_is_signed_for_the_same_organisation(client, pki, tmp_path, signer):
    message = new_message(signer)
    sealed, message.signer = message.sealed_envelope(), Signer(issue(pki, tmp_path, "other", structure="1880000001"))
    message.envelope, message.assertion = sealed, ""
    answer = client.send(message)
    assert (answer.code, answer.text) == (
        CONTENT,
        "Signature01, ds:KeyInfo: the OU of its certificate is not that of the certificate that signed the VIHF",
    )


def test_the_xades_is_not_signed_by_the_certificate_of_tls(client, pki, signer):
    message = new_message(signer)
    sealed, message.signer = message.sealed_envelope(), Signer(pki, "auth")
    message.envelope, message.assertion = sealed, ""
    answer = client.send(message)
    assert (answer.code, "ds:KeyInfo: its certificate is for TLS (ORG AUTH_CLI)" in answer.text) == (CONTENT, True)


def issue(pki, folder, kind, structure="1990000987"):
    """One more ORG SIGN of the PKI, beside its authorities: for another organisation, or unfit."""
    usage = "digitalSignature" + ("" if kind == "no repudiation" else ",nonRepudiation")
    (folder / "extensions").write_text(f"keyUsage=critical,{usage}\nextendedKeyUsage=emailProtection\n")
    subject = f"/C=FR/ST=Vosges (88)/O=CH DE VALBRUME/OU={structure}/CN=passerelle-dmp"
    for arguments in (
        ("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "sign.key", "-out", "request", "-subj", subject),
        (
            *("x509", "-req", "-in", "request", "-CA", pki / "intermediate.pem", "-CAkey", pki / "intermediate.key"),
            *("-days", "-1" if kind == "expired" else "30", "-extfile", "extensions", "-out", "sign.pem"),
        ),
    ):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    for name in ("ca.pem", "intermediate.pem"):
        (folder / name).write_bytes((pki / name).read_bytes())
    return folder


# ---- what is allowed

UNTYPED = attribute("VIHF_Version", "3.0").replace(f" {TYPED}", "")
EVERYBODY = code("c9", CONFIDENTIALITY, "Document01", "INVISIBLE_REPRESENTANTS_LEGAUX", HIDDEN, "Non visible")
FORMAT = '<Classification id="cla8"'
PROPERTIES_IN_NONE = re.compile("<(SignatureProperties)>(.*)</SignatureProperties>")
SOON = iso_time(datetime.now(timezone.utc) + timedelta(hours=1))

ALLOWED = {
    "the other spelling of the mode": [("assertion", "Authentification_Mode", "Authentification_mode")],
    "version 4.0": [("assertion", ">3.0<", ">4.0<")],
    "text without a type": [("assertion", attribute("VIHF_Version", "3.0"), UNTYPED)],
    "a doctor and a specialty": [("assertion", attribute(ROLE, AUTOMATE), attribute(ROLE, PHYSICIAN, GENERALIST))],
    "a nurse": [("assertion", AUTOMATE, role("60", "1.2.250.1.71.1.2.7", "Infirmier"))],
    "an id of the installation": [("assertion", MODE, MODE + attribute("LPS_ID", "site 1"))],
    "conditions": [("assertion", "<saml2:AuthnStatement", CONDITIONS.format(f'NotOnOrAfter="{SOON}"', ""))],
    "a secret connection": [("assertion", MODE, MODE + SECRET), ("envelope", FORMAT, EVERYBODY + FORMAT)],
    "another order": [("assertion", MODE, ""), ("assertion", "</saml2:AttributeS", MODE + "</saml2:AttributeS")],
    "the leaf alone": [("xades", re.compile("(<Cert>.*?</Cert>).*</Cert>"), r"\1")],
    "properties in no namespace": [("xades", PROPERTIES_IN_NONE, r'<\1 xmlns="">\2</\1>')],
    "a time with an offset": [("xades", re.compile("(?<=<SigningTime>)(.*)Z<"), r"\1+00:00<")],
}


@pytest.mark.parametrize("changes", ALLOWED.values(), ids=ALLOWED.keys())
def test_what_the_facts_allow_in_a_seal_is_accepted(client, signer, changes):
    message = new_message(signer)
    for change in changes:
        message.replace(*change)
    answer = client.send(message)
    assert answer.outcome == "Success", answer.text


def test_sha_1_is_accepted_in_the_vihf_when_all_of_it_is_sha_1(client, signer):
    message = new_message(signer).replace("assertion", SHA256, f"{DS}sha1")
    message.replace("assertion", RSA_SHA256, f"{DS}rsa-sha1")
    assert client.send(message).outcome == "Success"


def test_an_assertion_is_used_once(client, signer):
    first = new_message(signer)
    sealed = first.sealed_envelope()
    first.envelope, first.assertion = sealed, ""
    assert client.send(first).outcome == "Success"
    again = new_message(signer)
    used = re.search("<saml2:.*:Assertion>", sealed, re.DOTALL)[0]
    again.envelope = again.envelope.replace(SEALED_HERE, used)
    again.assertion = ""
    answer = client.send(again)
    assert (answer.code, "saml2:Assertion/@ID: it was used before" in answer.text) == (TOKEN, True)


def test_the_seals_of_the_reference_client_verify_with_the_command_line_tool(pki, signer, tmp_path):
    """So this judge, that client and xmlsec1 agree on what is right."""
    message = new_message(signer)
    (tmp_path / "vihf.xml").write_text(signer.seal_assertion(message.assertion))
    (tmp_path / "xades.xml").write_text(message.sealed_signature())
    trusted = ("--trusted-pem", pki / "ca.pem", "--untrusted-pem", pki / "intermediate.pem")
    ids = ("--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion")
    xmlsec1("--verify", *trusted, *ids, tmp_path / "vihf.xml")
    ids = ("--id-attr:Id", "Manifest", "--id-attr:Id", "http://uri.etsi.org/01903/v1.1.1#:SignedProperties")
    xmlsec1("--verify", "--ignore-manifests", *trusted, *ids, tmp_path / "xades.xml")


def xmlsec1(*arguments: object) -> None:
    done = subprocess.run(["xmlsec1", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# ---- options


def test_the_signature_can_be_required(start_sim, tmp_path):
    client = start_sim(tmp_path / "store", "--require-signature").client()
    answer = client.send(new_message())
    assert (answer.code, answer.text) == (METADATA, "Signature01: the signature of the submission is missing")


@pytest.mark.parametrize(
    ("structures", "accepted"),
    [("990000987=990012345,990012346", True), ("990000987=990012346", False), ("880000001=990012345", False)],
)
def test_the_sites_of_a_legal_entity_can_be_told(start_sim, signer, tmp_path, structures, accepted):
    client = start_sim(tmp_path / "store", "--require-vihf", "--structures", structures).client()
    answer = client.send(new_message(signer))
    assert (answer.outcome == "Success") == accepted
    if not accepted:
        assert (answer.code, "Erreur d'authentification de la personne morale" in answer.text) == ("Sender", True)
    # The legal entity itself is always right.
    entity = new_message(signer).replace("assertion", ">1990012345<", ">1990000987<")
    for _ in range(2):
        entity.replace("envelope", "^^^1990012345", "^^^1990000987")
    entity.replace("envelope", "^^^1990012345", "^^^1990000987")
    assert client.send(entity).outcome == "Success"


def test_the_age_of_an_assertion_is_an_option(start_sim, signer, tmp_path):
    client = start_sim(tmp_path / "store", "--vihf-max-age", "900").client()
    message, then = new_message(signer), datetime.now(timezone.utc) - timedelta(minutes=10)
    message.assertion = message.assertion.replace(iso_time(message.at), iso_time(then))
    message.envelope = message.envelope.replace(utc_time(message.at), utc_time(then))
    message.at = then
    assert client.send(message).outcome == "Success"
