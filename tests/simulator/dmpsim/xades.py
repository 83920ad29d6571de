"""The signature of a submission: XAdES 1.1.1 in the style of IHE DSG, every digest recomputed.

`signature` judges its entry in the metadata; here is the document itself, against the set, the documents, the
certificates and the clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from . import formats, names, registry, xmldsig
from .agreement import CLOCK_TOLERANCE
from .certificates import Certificate, Trust
from .findings import Finding, failure
from .names import tag
from .rim import RegistryObject, Submission
from .safe_xml import Element, XmlProblem, children, parse, text
from .signature import signature_of
from .vihf import Vihf
from .xmldsig import (
    INCLUSIVE_WITH_COMMENTS,
    Family,
    Malformed,
    Signature,
    canonical,
    canonical_document,
    held,
    read_reference,
    read_signature,
)

MANIFEST_ID = "IHEManifest"
PROPERTIES_ID = "S0-SignedProperties"
PURPOSE = "1.2.840.10065.1.12.1.14"
PLACEHOLDER = "AA=="  # the digest of the set, which cannot be hashed

_SIGNATURE = tag(names.DS, "Signature")
_REFERENCE = tag(names.DS, "Reference")


@dataclass(frozen=True)
class Context:
    submission: Submission
    entry: RegistryObject  # of the signature
    trust: Trust
    vihf: Vihf | None
    now: datetime


def check_xades(submission: Submission, trust: Trust, vihf: Vihf | None, now: datetime) -> list[Finding]:
    """Nothing is said of a submission without signature."""
    entry = signature_of(submission)
    part = submission.part_of(entry) if entry else None
    if entry is None or part is None:
        return []
    try:
        root = parse(part.body, huge=True)
    except XmlProblem as problem:
        return [_wrong(entry, "ds:Signature", f"the document {problem}")]
    try:
        return list(_judge(root, Context(submission, entry, trust, vihf, now)))
    except XmlProblem as problem:
        return [_wrong(entry, "ds:Signature", f"the document {problem}")]
    except Malformed as malformed:
        return [_wrong(entry, malformed.where, malformed.sentence)]


def _wrong(entry: RegistryObject, place: str, sentence: str) -> Finding:
    return failure("InvalidDocumentContent", f"{entry.location}, {place}", sentence)


@dataclass(frozen=True)
class Parts:
    id: str
    signature: Signature
    manifest: Element
    purpose: Element
    qualifying: Element
    signed: Element  # SignedProperties
    time: Element
    certificates: Element


def _judge(root: Element, context: Context) -> Iterator[Finding]:
    if root.tag != _SIGNATURE:
        raise Malformed("ds:Signature", "it is not the root of the document")
    parts = _read(root, context)
    for check in CHECKS:
        for place, sentence in check(parts, context):
            yield _wrong(context.entry, place, sentence)


# ---- its form


def _read(root: Element, context: Context) -> Parts:
    signature = read_signature(root, "ds:Signature", INCLUSIVE_WITH_COMMENTS, context.trust)
    if len(signature.objects) != 3:
        raise Malformed("ds:Signature", f"{len(signature.objects)} ds:Object are there, 3 are expected")
    first, second, third = signature.objects
    (manifest,) = held(first, "ds:Object[1]", tag(names.DS, "Manifest"))
    (qualifying,) = held(third, "ds:Object[3]", _xades("QualifyingProperties"))
    (signed,) = held(qualifying, "QualifyingProperties", _xades("SignedProperties"))
    about_signature, about_data = held(
        signed, "SignedProperties", _xades("SignedSignatureProperties"), _xades("SignedDataObjectProperties")
    )
    time, certificates, policy = held(
        about_signature,
        "SignedSignatureProperties",
        *(_xades(name) for name in ("SigningTime", "SigningCertificate", "SignaturePolicyIdentifier")),
    )
    held(about_data, "SignedDataObjectProperties")
    held(policy, "SignaturePolicyIdentifier", _xades("SignaturePolicyImplied"))
    return Parts(
        root.get("Id", ""), signature, manifest, _read_purpose(second), qualifying, signed, time, certificates
    )


def _read_purpose(element: Element) -> Element:
    """In the namespace of XML signatures; the official sample has it in none."""
    where = "ds:Object[2]"
    found = children(element)
    namespace = f"{{{names.DS}}}" if [child.tag.startswith("{") for child in found] != [False] else ""
    (properties,) = held(element, where, f"{namespace}SignatureProperties")
    (purpose,) = held(properties, f"{where}/SignatureProperties", f"{namespace}SignatureProperty")
    return purpose


def _xades(name: str) -> str:
    return tag(names.XADES, name)


Told = Iterator[tuple[str, str]]  # places and sentences


# ---- what is signed


def _ids(parts: Parts, context: Context) -> Told:
    """The targets of the references, and what points back at the signature."""
    if not parts.id:
        yield "ds:Signature/@Id", "it is missing"
    for element, place, expected in (
        (parts.manifest, "ds:Manifest", MANIFEST_ID),
        (parts.signed, "SignedProperties", PROPERTIES_ID),
        (parts.purpose, "ds:SignatureProperty", "purposeOfSignature"),
    ):
        if element.get("Id") != expected:
            yield f"{place}/@Id", f"{expected} is expected"
    for element, place in (
        (parts.purpose, "ds:SignatureProperty"),
        (parts.qualifying, "QualifyingProperties"),
    ):
        if element.get("Target") != f"#{parts.id}":
            yield f"{place}/@Target", "# and the Id of ds:Signature is expected"
    ids = [element.get("Id") for element in parts.manifest.getroottree().getroot().iter() if _has_id(element)]
    if len(set(ids)) != len(ids):
        yield "ds:Signature", "an Id is there twice"


def _has_id(element: Element) -> bool:
    return isinstance(element.tag, str) and element.get("Id") is not None


def _references(parts: Parts, context: Context) -> Told:
    where = "ds:SignedInfo/ds:Reference"
    expected = (
        (f"{names.DS}Manifest", MANIFEST_ID, parts.manifest),
        (f"{names.XADES}SignedProperties", PROPERTIES_ID, parts.signed),
    )
    if len(parts.signature.references) != len(expected):
        yield where, f"it is there {len(parts.signature.references)} times, {len(expected)} are expected"
        return
    for number, (reference, (kind, id_, target)) in enumerate(
        zip(parts.signature.references, expected, strict=True), start=1
    ):
        place = f"{where}[{number}]"
        if (reference.get("Type"), reference.get("URI")) != (kind, f"#{id_}"):
            yield place, f'Type="{kind}" URI="#{id_}" is expected'
        digest = read_reference(reference, place, parts.signature.family)
        if digest != parts.signature.family.hash(canonical(target)):
            yield f"{place}/ds:DigestValue", f"it is not the digest of #{id_}, which was changed"


def _value(parts: Parts, context: Context) -> Told:
    if not xmldsig.value_is_right(parts.signature, exclusive=False):
        yield "ds:SignatureValue", "the certificate in KeyInfo did not sign this SignedInfo"


def _manifest(parts: Parts, context: Context) -> Told:
    """First the set under a placeholder, then each document, each once."""
    references = held(parts.manifest, "ds:Manifest", *[_REFERENCE] * len(children(parts.manifest)))
    unique_id = context.submission.package.identifier(registry.UNIQUE_ID_OF_SET)
    where = "ds:Manifest/ds:Reference"
    if not references or references[0].get("URI") != f"urn:oid:{unique_id}":
        yield f"{where}[1]/@URI", "urn:oid: and the uniqueId of the submission set is expected"
        return
    if read_reference(references[0], f"{where}[1]", parts.signature.family) != PLACEHOLDER:
        yield f"{where}[1]/ds:DigestValue", f"the placeholder {PLACEHOLDER} is expected"
    yield from _documents(references[1:], parts.signature.family, context)


def _documents(references: list[Element], family: Family, context: Context) -> Told:
    left = {
        f"urn:oid:{entry.identifier(registry.UNIQUE_ID_OF_ENTRY)}": entry
        for entry in context.submission.entries
        if entry is not context.entry
    }
    for number, reference in enumerate(references, start=2):
        where = f"ds:Manifest/ds:Reference[{number}]"
        entry = left.pop(reference.get("URI", ""), None)
        if entry is None:
            yield f"{where}/@URI", "urn:oid: and the uniqueId of a document is expected, each once"
            continue
        digest = read_reference(reference, where, family, INCLUSIVE_WITH_COMMENTS)
        part = context.submission.part_of(entry)
        if part is not None and digest != _digest_of(part.body, family):
            sentence = f"it is not the digest of {entry.location} in canonical form, with comments"
            yield f"{where}/ds:DigestValue", sentence
    for entry in left.values():
        yield "ds:Manifest", f"{entry.location} has no reference"


def _digest_of(body: bytes, family: Family) -> str:
    try:
        return family.hash(canonical_document(body))
    except XmlProblem:
        return ""  # told where the document itself is judged


# ---- what is said about the signature


def _purpose(parts: Parts, context: Context) -> Told:
    if children(parts.purpose) or text(parts.purpose) != PURPOSE:
        yield "ds:SignatureProperty", f"the purpose {PURPOSE} is expected"


def _signing_time(parts: Parts, context: Context) -> Told:
    """Creation, submission, signing, VIHF, now: in this order."""
    at = formats.instant(text(parts.time), zone=r"Z|[+-]\d\d:\d\d", fraction=r"(?:\.\d{1,6})?")
    if at is None:
        yield "SigningTime", "an instant of ISO 8601 with its zone is expected"
        return
    second = at.astimezone(timezone.utc).strftime("%Y%m%d%H%M%S")
    submitted = context.submission.package.value("submissionTime")
    if formats.UTC_TIME.matches(submitted) and second < submitted:
        yield "SigningTime", "it is before submissionTime"
    if at > context.now + CLOCK_TOLERANCE:
        yield "SigningTime", "it is in the future"
    if context.vihf is not None and context.vihf.issued is not None and at > context.vihf.issued:
        yield "SigningTime", "it is after the IssueInstant of the VIHF"
    if context.entry.value("creationTime") != second:
        yield "SigningTime", "it is not the creationTime of the signature's entry"


def _signer(parts: Parts, context: Context) -> Told:
    certificate = parts.signature.certificate
    if certificate.unfit:
        yield "ds:KeyInfo", certificate.unfit
    vihf = context.vihf.certificate if context.vihf else None
    if vihf is not None and vihf.structure != certificate.structure:
        yield "ds:KeyInfo", "the OU of its certificate is not that of the certificate that signed the VIHF"


def _certificates(parts: Parts, context: Context) -> Told:
    """The leaf that signed, then its authorities upwards, as many as are told."""
    count = len(children(parts.certificates))
    described = held(parts.certificates, "SigningCertificate", *[_xades("Cert")] * count)
    chain = (parts.signature.certificate, *context.trust.authorities)
    if not 1 <= len(described) <= len(chain):
        yield "SigningCertificate", "the leaf is expected, then its intermediate, then the root"
        return
    for number, (element, certificate) in enumerate(zip(described, chain, strict=False), start=1):
        where = f"SigningCertificate/Cert[{number}]"
        yield from _certificate(element, certificate, parts.signature.family, where)


def _certificate(element: Element, certificate: Certificate, family: Family, where: str) -> Told:
    digest, issuer_serial = held(element, where, _xades("CertDigest"), _xades("IssuerSerial"))
    method, value = held(digest, f"{where}/CertDigest", _xades("DigestMethod"), _xades("DigestValue"))
    xmldsig.algorithm(method, f"{where}/CertDigest/DigestMethod", family.digest)
    if "".join(text(value).split()) != family.hash(certificate.der):
        yield f"{where}/CertDigest/DigestValue", "it is not the digest of this certificate of the chain"
    expected = (tag(names.DS, "X509IssuerName"), tag(names.DS, "X509SerialNumber"))
    issuer, serial = held(issuer_serial, f"{where}/IssuerSerial", *expected)
    if text(issuer) not in certificate.issuers:
        yield f"{where}/IssuerSerial/ds:X509IssuerName", "it is not the issuer in the form of RFC 2253"
    if text(serial) != str(certificate.serial):
        yield f"{where}/IssuerSerial/ds:X509SerialNumber", "it is not the serial number in decimal"


CHECKS = (_ids, _manifest, _references, _value, _purpose, _signing_time, _signer, _certificates)
