"""The VIHF: the SAML assertion that says for whom, for which patient and by which software a request comes.

It is judged alone here, then against the rest of the request: the certificate that signed it, the structure
that TLS named, the patient and the submission set.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from . import formats, names, registry, xmldsig
from .agreement import CLOCK_TOLERANCE
from .certificates import Certificate, Trust
from .findings import Finding, Refused, failure, fault
from .formats import Format
from .names import tag
from .rim import RegistryObject
from .safe_xml import Element, XmlProblem, children, text
from .xmldsig import ENVELOPED, EXCLUSIVE, Malformed, Signature, held, read_reference, read_signature

# WS-Security 1.0, 12, and 1.1 for the last: the DMP's own codes for these are not public.
TOKEN = "wsse:InvalidSecurityToken"
CHECK = "wsse:FailedCheck"
EXPIRED = "wsse:MessageExpired"

ASSERTION = "saml2:Assertion"
ROLE = "urn:oasis:names:tc:xacml:2.0:subject:role"
RESOURCE = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
PURPOSE = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
SECRET = "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"
MODES = ("Authentification_Mode", "Authentification_mode")  # sources differ, both are right
GUARDIANS = "INVISIBLE_REPRESENTANTS_LEGAUX"

_SUBJECT_NAME = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
_PROFESSION, _SPECIALTY, _AUTOMATE = "1.2.250.1.71.1.2.7", "1.2.250.1.71.4.2.5", "1.2.250.1.213.1.1.4.6"
_DOCTOR = "10"

# SAML 2.0 Authentication Context, section 3.4.
_CLASS_PREFIX = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
_AUTHENTICATION_CLASSES = {
    _CLASS_PREFIX + name
    for name in (
        "InternetProtocol InternetProtocolPassword Kerberos MobileOneFactorUnregistered MobileTwoFactorUnregistered "
        "MobileOneFactorContract MobileTwoFactorContract Password PasswordProtectedTransport PreviousSession X509 PGP "
        "SPKI XMLDSig Smartcard SmartcardPKI SoftwarePKI Telephony NomadTelephony PersonalTelephony "
        "AuthenticatedTelephony SecureRemotePassword TLSClient TimeSyncToken unspecified"
    ).split()
}


@dataclass(frozen=True)
class Settings:
    trust: Trust
    structures: Mapping[str, frozenset[str]] | None = None  # FINESS EJ: its FINESS EG; None accepts any
    max_age: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class Vihf:
    """What the rest of the request must agree with. A value that could not be read is empty."""

    id: str
    issued: datetime | None
    certificate: Certificate | None
    structure: str
    patient: str
    secret: bool


def judge_vihf(assertion: Element, settings: Settings, now: datetime) -> tuple[Vihf, list[Finding]]:
    """Raises Refused when there is no assertion to read."""
    if assertion.find(tag(names.DS, "Signature")) is None:
        raise Refused(_wrong("ds:Signature", "the signature is missing"))
    try:
        parts = _read(assertion)
        signature = read_signature(parts.signature, f"{ASSERTION}/ds:Signature", EXCLUSIVE, settings.trust)
    except Malformed as malformed:
        raise Refused(fault(malformed.where, malformed.sentence, TOKEN)) from None
    findings = list(_certificate(parts, signature))
    try:
        findings += _seal(assertion, signature)
    except XmlProblem as problem:
        raise Refused(fault(ASSERTION, f"it {problem}", CHECK)) from None
    findings += _assertion(assertion, parts, settings, now)
    findings += _attributes(parts)
    findings += _roles(parts)
    vihf = Vihf(
        assertion.get("ID", ""),
        formats.instant(assertion.get("IssueInstant", "")),
        signature.certificate,
        _text_of(parts, "Identifiant_Structure"),
        _text_of(parts, RESOURCE),
        SECRET in parts.attributes,
    )
    findings += _structure(vihf, settings)
    return vihf, findings


def _wrong(place: str, sentence: str, code: str = TOKEN) -> Finding:
    return fault(f"{ASSERTION}/{place}", sentence, code)


def quotable_id(vihf: Vihf) -> str | None:
    """Only when it has the form of an id: it is written in the journal."""
    return vihf.id if re.fullmatch(r"[A-Za-z_][\w.-]{0,79}", vihf.id, re.ASCII) else None


# ---- the assertion


@dataclass(frozen=True)
class Parts:
    issuer: Element
    signature: Element
    subject: Element
    conditions: Element | None
    authentication: Element
    attributes: dict[str, list[Element]]  # by name, the AttributeValues of each
    repeated: tuple[str, ...]


def _saml(name: str) -> str:
    return tag(names.SAML, name)


def _read(assertion: Element) -> Parts:
    conditions = assertion.find(_saml("Conditions"))
    order = [_saml("Issuer"), tag(names.DS, "Signature"), _saml("Subject")]
    order += [] if conditions is None else [_saml("Conditions")]
    order += [_saml("AuthnStatement"), _saml("AttributeStatement")]
    parts = {child.tag: child for child in held(assertion, ASSERTION, *order)}
    attributes: dict[str, list[Element]] = {}
    repeated = []
    statement = parts[_saml("AttributeStatement")]
    where = f"{ASSERTION}/AttributeStatement"
    for number, attribute in enumerate(children(statement), start=1):
        if attribute.tag != _saml("Attribute"):
            raise Malformed(where, "it must hold saml2:Attribute elements only")
        name = attribute.get("Name", "")
        values = children(attribute)
        held(attribute, f"{where}/Attribute[{number}]", *[_saml("AttributeValue")] * max(1, len(values)))
        if name in attributes:
            repeated.append(name)
        attributes[name] = values
    return Parts(
        parts[_saml("Issuer")],
        parts[tag(names.DS, "Signature")],
        parts[_saml("Subject")],
        conditions,
        parts[_saml("AuthnStatement")],
        attributes,
        tuple(repeated),
    )


def _assertion(assertion: Element, parts: Parts, settings: Settings, now: datetime) -> Iterator[Finding]:
    if assertion.get("Version") != "2.0":
        yield _wrong("@Version", "2.0 is expected")
    issued = formats.instant(assertion.get("IssueInstant", ""))
    if issued is None:
        yield _wrong("@IssueInstant", f"{formats.INSTANT.words} is expected")
    elif issued > now + CLOCK_TOLERANCE:
        yield _wrong("@IssueInstant", "it is in the future", EXPIRED)
    elif issued < now - settings.max_age:
        seconds = int(settings.max_age.total_seconds())
        yield _wrong("@IssueInstant", f"it is more than {seconds} seconds old", EXPIRED)
    yield from _subject(parts)
    yield from _authentication(parts, issued)
    yield from _conditions(parts, now)


def _subject(parts: Parts) -> Iterator[Finding]:
    found = children(parts.subject)
    if [child.tag for child in found] != [_saml("NameID")] or not text(found[0]).strip():
        yield _wrong("Subject", "one NameID, who is responsible, is expected and nothing else")
    elif found[0].attrib:
        yield _wrong("Subject/NameID", "it has no attribute")


def _authentication(parts: Parts, issued: datetime | None) -> Iterator[Finding]:
    instant = formats.instant(parts.authentication.get("AuthnInstant", ""))
    if instant is None:
        yield _wrong("AuthnStatement/@AuthnInstant", f"{formats.INSTANT.words} is expected")
    elif issued is not None and instant > issued:
        yield _wrong("AuthnStatement/@AuthnInstant", "it is after IssueInstant")
    found = list(parts.authentication.iterfind(f"{_saml('AuthnContext')}/{_saml('AuthnContextClassRef')}"))
    if len(found) != 1 or text(found[0]) not in _AUTHENTICATION_CLASSES:
        place = "AuthnStatement/AuthnContext/AuthnContextClassRef"
        yield _wrong(place, f"one class, {_CLASS_PREFIX}…, is expected")


def _conditions(parts: Parts, now: datetime) -> Iterator[Finding]:
    if parts.conditions is None:
        return
    if children(parts.conditions):
        yield _wrong("Conditions", "it holds nothing: no AudienceRestriction")
    for name, passed in (
        ("NotBefore", lambda at: at <= now + CLOCK_TOLERANCE),
        ("NotOnOrAfter", lambda at: now < at),
    ):
        value = parts.conditions.get(name)
        at = None if value is None else formats.instant(value)
        if value is not None and (at is None or not passed(at)):
            yield _wrong(f"Conditions/@{name}", "the assertion is not valid now", EXPIRED)


# ---- its signature


def _certificate(parts: Parts, signature: Signature) -> Iterator[Finding]:
    unfit = signature.certificate.unfit
    if unfit:
        sentence = f"Le certificat ayant signé le VIHF est invalide: {unfit}"
        yield _wrong("ds:Signature/KeyInfo", sentence, "DMPInvalidCertificate")
    if parts.issuer.get("Format") != _SUBJECT_NAME:
        yield _wrong("Issuer/@Format", f"{_SUBJECT_NAME} is expected")
    if text(parts.issuer) not in signature.certificate.subjects:
        yield _wrong("Issuer", "it is not the subject of the signing certificate in the form of RFC 2253")


def _seal(assertion: Element, signature: Signature) -> Iterator[Finding]:
    where = f"{ASSERTION}/ds:Signature/SignedInfo/Reference"
    if len(signature.references) != 1:
        yield fault(where, f"it is there {len(signature.references)} times, 1 is expected", TOKEN)
        return
    (reference,) = signature.references
    if not assertion.get("ID") or reference.get("URI") != f"#{assertion.get('ID')}":
        yield fault(f"{where}/@URI", "# and the ID of the assertion is expected", TOKEN)
    try:
        digest = read_reference(reference, where, signature.family, ENVELOPED, EXCLUSIVE)
    except Malformed as malformed:
        yield fault(malformed.where, malformed.sentence, TOKEN)
        return
    if digest != signature.family.hash(_without_signature(assertion)):
        yield fault(f"{where}/DigestValue", "it is not the digest of the assertion, which was changed", CHECK)
    if not xmldsig.value_is_right(signature, exclusive=True):
        place = f"{ASSERTION}/ds:Signature/SignatureValue"
        yield fault(place, "the certificate in KeyInfo did not sign this SignedInfo", CHECK)


def _without_signature(assertion: Element) -> bytes:
    """The enveloped-signature transform, then exclusive C14N. Text after the signature is the assertion's."""
    whole = xmldsig.reparsed(assertion)
    signature = whole.find(tag(names.DS, "Signature"))
    assert signature is not None
    before = signature.getprevious()
    assert before is not None  # the Issuer, or a comment
    before.tail = (before.tail or "") + (signature.tail or "")
    whole.remove(signature)
    return xmldsig.canonical(whole, exclusive=True)


# ---- its attributes


@dataclass(frozen=True)
class Rule:
    name: str
    format: Format | None  # None: judged by a function of its own
    required: bool = True


def _one_of(*values: str) -> Format:
    return Format(" or ".join(values), lambda value: value in values)


RULES = (
    Rule("VIHF_Version", _one_of("3.0", "4.0")),  # sources contradict each other
    Rule("Identifiant_Structure", formats.STRUCTURE_ID),
    Rule("Secteur_Activite", formats.SECTOR),
    Rule("urn:oasis:names:tc:xspa:1.0:subject:subject-id", formats.TEXT),
    Rule(ROLE, None),
    Rule(RESOURCE, formats.INS_CX),
    Rule("Ressource_URN", _one_of("urn:dmp")),
    Rule(PURPOSE, None),
    Rule(SECRET, _one_of(f"{GUARDIANS}^{registry.CONFIDENTIALITY_FRENCH}"), required=False),
    Rule("LPS_ID", formats.TEXT, required=False),
    Rule("LPS_Nom", formats.TEXT),
    Rule("LPS_Version", formats.TEXT),
    Rule("LPS_ID_HOMOLOGATION_DMP", formats.TEXT),
)
_KNOWN = {*MODES, *(rule.name for rule in RULES)}


def _of(name: str) -> str:
    return f"Attribute[{name}]"


def _attributes(parts: Parts) -> Iterator[Finding]:
    for name in parts.repeated:
        place = _of(name) if name in _KNOWN else "AttributeStatement"
        yield _wrong(place, "this attribute is there twice")
    for number, name in enumerate(parts.attributes, start=1):
        if name not in _KNOWN:
            place = f"AttributeStatement/Attribute[{number}]"
            yield _wrong(place, "its name is not one of a VIHF in this mode")
    yield from _mode(parts)
    for rule in RULES:
        values = parts.attributes.get(rule.name)
        if values is None:
            if rule.required:
                yield _wrong(_of(rule.name), "this attribute is missing")
        elif rule.format is not None:
            yield from _text(rule.name, values, rule.format)
    yield from _purpose(parts)


def _text(name: str, values: list[Element], format_: Format) -> Iterator[Finding]:
    if len(values) != 1 or children(values[0]):
        yield _wrong(_of(name), "one AttributeValue holding text is expected")
        return
    (value,) = values
    declared = value.get(tag(names.XSI, "type"))
    if declared is not None and not _is_type(value, declared, names.XSD, "string"):
        yield _wrong(_of(name), "its xsi:type is not xs:string, or its prefix is not declared")
    if not format_.matches(text(value)):
        yield _wrong(_of(name), f"{format_.words} is expected")


def _is_type(element: Element, declared: str, namespace: str, name: str) -> bool:
    prefix, _, local = declared.rpartition(":")
    return local == name and element.nsmap.get(prefix or None) == namespace


def _mode(parts: Parts) -> Iterator[Finding]:
    found = [name for name in MODES if name in parts.attributes]
    if len(found) != 1:
        yield _wrong(_of(MODES[0]), f"it is there {len(found)} times, 1 is expected")
        return
    (name,) = found
    value = _text_of(parts, name)
    if value in ("DIRECTE", "INDIRECTE_RENFORCEE"):
        sentence = f"{value} has no right to this transaction here, only INDIRECTE is served"
        yield _wrong(_of(name), sentence, "DMPAccessDeniedByRightsService")
    else:
        yield from _text(name, parts.attributes[name], _one_of("INDIRECTE"))


def _coded(parts: Parts, name: str, element: str) -> tuple[list[Element], Finding | None]:
    """The HL7 elements of type CE in the values of an attribute."""
    found = []
    for value in parts.attributes.get(name, []):
        inside = children(value)
        if [child.tag for child in inside] != [tag(names.HL7, element)]:
            sentence = f"each AttributeValue must hold one {element} of urn:hl7-org:v3"
            return [], _wrong(_of(name), sentence)
        (coded,) = inside
        if not _is_type(coded, coded.get(tag(names.XSI, "type"), ""), names.HL7, "CE"):
            return [], _wrong(f"{_of(name)}/{element}", 'xsi:type="CE" is expected')
        for attribute in ("code", "codeSystem", "displayName"):
            if not coded.get(attribute):
                return [], _wrong(f"{_of(name)}/{element}/@{attribute}", "it is missing")
        found.append(coded)
    return found, None


def _purpose(parts: Parts) -> Iterator[Finding]:
    found, problem = _coded(parts, PURPOSE, "PurposeOfUse")
    if problem:
        yield problem
    elif PURPOSE in parts.attributes:
        said = [(purpose.get("code"), purpose.get("codeSystem")) for purpose in found]
        if said != [("normal", "1.2.250.1.213.1.1.4.248")]:
            yield _wrong(f"{_of(PURPOSE)}/PurposeOfUse", "code normal of 1.2.250.1.213.1.1.4.248 is expected")


def _roles(parts: Parts) -> Iterator[Finding]:
    """First what the author of the request is, then the specialty, which a doctor must have."""
    found, problem = _coded(parts, ROLE, "Role")
    if problem:
        yield problem
        return
    roles = [(role.get("code"), role.get("codeSystem")) for role in found]
    if not roles:
        return
    systems = [system for _, system in roles]
    first_code, first_system = roles[0]
    if first_system == _AUTOMATE:
        if first_code != "AUTOMATE":
            yield _wrong(f"{_of(ROLE)}/Role[1]", f"AUTOMATE is the one code of {_AUTOMATE}")
        if len(roles) > 1:
            yield _wrong(_of(ROLE), "a machine has no second role")
    elif first_system != _PROFESSION:
        yield _wrong(f"{_of(ROLE)}/Role[1]/@codeSystem", f"{_PROFESSION} or {_AUTOMATE} is expected")
    elif first_code == _DOCTOR and _SPECIALTY not in systems[1:]:
        sentence = "Aucune spécialité dans le vihf. Spécialité obligatoire pour les Médecins"
        yield _wrong(_of(ROLE), sentence, "Sender")
    if systems.count(_PROFESSION) > 1 or len(roles) > 2:
        yield _wrong(_of(ROLE), "one profession, then one specialty at most, is expected")


def _text_of(parts: Parts, name: str) -> str:
    values = parts.attributes.get(name, [])
    return text(values[0]) if len(values) == 1 else ""


# ---- against the rest of the request

_NOT_AUTHENTICATED = "Erreur d'authentification de la personne morale"


def _structure(vihf: Vihf, settings: Settings) -> Iterator[Finding]:
    """The structure is the legal entity of the certificate, or a site of it."""
    assert vihf.certificate is not None
    entity = vihf.certificate.structure
    if settings.structures is None or vihf.structure == entity or not vihf.structure:
        return
    sites = settings.structures.get(entity.removeprefix("1"), frozenset())
    if vihf.structure.removeprefix("1") not in sites or not vihf.structure.startswith("1"):
        sentence = f"{_NOT_AUTHENTICATED}: it is neither the OU of the signing certificate nor a site of it"
        yield _wrong(_of("Identifiant_Structure"), sentence, "Sender")


def check_peer(vihf: Vihf, peer: str) -> Iterator[Finding]:
    """Both certificates of an organisation name the same structure; `peer` is that of TLS, if known."""
    if peer and vihf.certificate is not None and vihf.certificate.structure != peer:
        sentence = f"{_NOT_AUTHENTICATED}: the OU of its certificate is not that of the one used for TLS"
        yield _wrong("ds:Signature/KeyInfo", sentence, "Sender")


def check_patient(vihf: Vihf, patient: str, where: str) -> Iterator[Finding]:
    if vihf.patient != patient:
        yield _wrong(_of(RESOURCE), f"it is not the patient of the request, {where}")


def check_set(vihf: Vihf, package: RegistryObject) -> Iterator[Finding]:
    """What the submission set says of its author and of its patient."""
    institutions = {
        institution.rpartition("^")[2]
        for author in package.classified(registry.AUTHOR_OF_SET)
        for institution in author.values("authorInstitution")
    }
    if institutions and institutions != {vihf.structure}:
        place = f"{package.location}/Classification[author]/Slot[authorInstitution]"
        sentence = "Aucun AuthorInstitution ne correspond à l'utilisateur du VIHF"
        yield failure("XDSRegistryError", place, sentence)
    yield from check_patient(vihf, package.identifier(registry.PATIENT_OF_SET), "XDSSubmissionSet.patientId")
    submitted = package.value("submissionTime")
    if vihf.issued is not None and formats.UTC_TIME.matches(submitted):
        if submitted > vihf.issued.astimezone(timezone.utc).strftime("%Y%m%d%H%M%S"):
            yield _wrong("@IssueInstant", "it is before submissionTime")


def check_secret(vihf: Vihf, documents: list[RegistryObject]) -> Iterator[Finding]:
    """In a minor's secret connection no document may be seen by the legal representatives."""
    for entry in documents if vihf.secret else ():
        if (GUARDIANS, registry.CONFIDENTIALITY_FRENCH) not in entry.codes(registry.CONFIDENTIALITY):
            place = f"{entry.location}/Classification[confidentialityCode]"
            yield failure("XDSRegistryMetadataError", place, f"{GUARDIANS} is expected, as in the VIHF")
