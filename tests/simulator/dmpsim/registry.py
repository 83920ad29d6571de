"""What a submission set, a document entry and a signature entry must hold, each looked at alone.

The tables are those of ITI TF-3 4.2.3.2 and 4.2.3.3 with the cardinalities of the CI-SIS for the DMP. They
are whole: a slot, a classification or an identifier that stands in no table is refused, so are `hash` and
`size`, which the DMP computes, unless it was told to take them. Here only the coding scheme of a code is judged,
`value_sets` knows the codes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from . import formats, names
from .findings import Finding, metadata
from .formats import Format
from .names import tag
from .rim import Classification, LocalizedString, RegistryObject, Slot
from .safe_xml import children

MANY = 1_000_000

AUTHOR_OF_SET = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
AUTHOR_OF_ENTRY = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"
CLASS_CODE = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a"
TYPE_CODE = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"
CONFIDENTIALITY = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
FORMAT_CODE = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d"
FACILITY_TYPE = "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1"
PRACTICE_SETTING = "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead"
EVENT_CODE = "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"
CONTENT_TYPE = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"
PATIENT_OF_SET = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"
SOURCE_ID = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"
UNIQUE_ID_OF_SET = "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8"
PATIENT_OF_ENTRY = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
UNIQUE_ID_OF_ENTRY = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"

SUBMISSION_SET_NODE = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
STABLE_DOCUMENT = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"

HAS_MEMBER = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
SIGNS = "urn:ihe:iti:2007:AssociationType:signs"
REPLACES = "urn:ihe:iti:2007:AssociationType:RPLC"

LOINC = "2.16.840.1.113883.6.1"
CONFIDENTIALITY_HL7 = "2.16.840.1.113883.5.25"
CONFIDENTIALITY_FRENCH = "1.2.250.1.213.1.1.4.13"
_AUTHOR_NOT_PS = "1.2.250.1.213.1.1.4.6"


@dataclass(frozen=True)
class SlotRule:
    """One metadata attribute in a slot; the counts are those of its values."""

    name: str
    format: Format
    least: int = 1
    most: int = 1


@dataclass(frozen=True)
class CodeRule:
    """One coded attribute. `systems` are the coding schemes it may come from; none named means any."""

    name: str
    scheme: str
    least: int = 1
    most: int = 1
    systems: tuple[str, ...] = ()


@dataclass(frozen=True)
class IdentifierRule:
    name: str
    scheme: str
    format: Format


@dataclass(frozen=True)
class Rules:
    slots: tuple[SlotRule, ...]
    author_scheme: str
    authors: int
    author_slots: tuple[SlotRule, ...]
    codes: tuple[CodeRule, ...]
    identifiers: tuple[IdentifierRule, ...]
    title_required: bool
    attributes: dict[str, tuple[str, ...]]  # attribute of the element: the values it may have
    node: str | None = None  # the classificationNode that says what the object is


def _author_slots(person: Format, structure: Format, institutions: int) -> tuple[SlotRule, ...]:
    return (
        SlotRule("authorPerson", person),
        SlotRule("authorInstitution", structure, least=institutions),
        SlotRule("authorSpecialty", formats.SPECIALTY, least=0, most=MANY),
        SlotRule("authorRole", formats.TEXT, least=0, most=MANY),
    )


_GATEWAY_AUTHOR = _author_slots(formats.either(formats.PERSON, formats.SYSTEM), formats.STRUCTURE, 1)
# Who wrote a document need not belong to a structure (CI-SIS: "if known").
_COPIED_AUTHOR = _author_slots(
    formats.either(formats.COPIED_PERSON, formats.SYSTEM), formats.COPIED_STRUCTURE, 0
)

SET = Rules(
    slots=(SlotRule("submissionTime", formats.UTC_TIME),),
    author_scheme=AUTHOR_OF_SET,
    authors=1,
    author_slots=_GATEWAY_AUTHOR,
    codes=(CodeRule("contentTypeCode", CONTENT_TYPE),),
    identifiers=(
        IdentifierRule("XDSSubmissionSet.patientId", PATIENT_OF_SET, formats.INS_CX),
        IdentifierRule("XDSSubmissionSet.sourceId", SOURCE_ID, formats.OID),
        IdentifierRule("XDSSubmissionSet.uniqueId", UNIQUE_ID_OF_SET, formats.OID),
    ),
    title_required=False,
    attributes={},
    node=SUBMISSION_SET_NODE,
)

_ENTRY_CODES = (
    CodeRule("classCode", CLASS_CODE, systems=("1.2.250.1.213.1.1.4.1",)),
    CodeRule("typeCode", TYPE_CODE, systems=(LOINC, "1.2.250.1.213.1.1.4.12")),
    CodeRule(
        "confidentialityCode", CONFIDENTIALITY, most=4, systems=(CONFIDENTIALITY_HL7, CONFIDENTIALITY_FRENCH)
    ),
    CodeRule("formatCode", FORMAT_CODE),
    CodeRule("healthcareFacilityTypeCode", FACILITY_TYPE, systems=("1.2.250.1.71.4.2.4", _AUTHOR_NOT_PS)),
    CodeRule("practiceSettingCode", PRACTICE_SETTING, systems=("1.2.250.1.213.1.1.4.9", _AUTHOR_NOT_PS)),
    CodeRule("eventCodeList", EVENT_CODE, least=0, most=MANY),
)
_ENTRY_IDENTIFIERS = (
    IdentifierRule("XDSDocumentEntry.patientId", PATIENT_OF_ENTRY, formats.INS_CX),
    IdentifierRule("XDSDocumentEntry.uniqueId", UNIQUE_ID_OF_ENTRY, formats.OID),
)

DOCUMENT = Rules(
    slots=(
        SlotRule("creationTime", formats.UTC_TIME),
        SlotRule("languageCode", formats.LANGUAGE),
        SlotRule("legalAuthenticator", formats.COPIED_PERSON),
        SlotRule("serviceStartTime", formats.UTC_TIME),
        SlotRule("serviceStopTime", formats.UTC_TIME, least=0),
        SlotRule("sourcePatientId", formats.either(formats.IPP_CX, formats.INS_CX)),
        SlotRule("sourcePatientInfo", formats.PATIENT_INFO, least=3, most=MANY),
        SlotRule("urn:ihe:iti:xds:2013:referenceIdList", formats.REFERENCE_CX, least=0, most=MANY),
    ),
    author_scheme=AUTHOR_OF_ENTRY,
    authors=MANY,
    author_slots=_COPIED_AUTHOR,
    codes=_ENTRY_CODES,
    identifiers=_ENTRY_IDENTIFIERS,
    title_required=True,
    attributes={"objectType": (STABLE_DOCUMENT,), "mimeType": ("text/xml", "application/xslt+xml")},
)

DOCUMENT_WITH_HASH = replace(
    DOCUMENT,
    slots=(*DOCUMENT.slots, SlotRule("hash", formats.SHA1, least=0), SlotRule("size", formats.SIZE, least=0)),
)

SIGNATURE = Rules(
    slots=(
        SlotRule("creationTime", formats.UTC_TIME),
        SlotRule("languageCode", formats.LANGUAGE),
        SlotRule("legalAuthenticator", formats.either(formats.PERSON, formats.SYSTEM)),
        SlotRule("serviceStartTime", formats.UTC_TIME),
        SlotRule("serviceStopTime", formats.UTC_TIME),
        SlotRule("sourcePatientId", formats.INS_CX),
        SlotRule("sourcePatientInfo", formats.PATIENT_INFO, least=0, most=MANY),
    ),
    author_scheme=AUTHOR_OF_ENTRY,
    authors=1,
    author_slots=_GATEWAY_AUTHOR,
    # Their coding schemes are constants of the profile, judged with their codes in signature.py.
    codes=tuple(CodeRule(rule.name, rule.scheme, rule.least, rule.most) for rule in _ENTRY_CODES),
    identifiers=_ENTRY_IDENTIFIERS,
    title_required=True,
    attributes={"objectType": (STABLE_DOCUMENT,), "mimeType": ("text/xml",)},
)


def check_object(thing: RegistryObject, rules: Rules) -> list[Finding]:
    return [finding for check in CHECKS for finding in check(thing, rules)]


# ---- the element itself

# Set by the registry, never by the sender: ITI TF-3 4.2.3.2.
_NEVER_SENT = ("lid", "status", "home")
_ORDER = tuple(
    tag(names.RIM, name) for name in ("Slot", "Name", "Description", "Classification", "ExternalIdentifier")
)


def _attributes(thing: RegistryObject, rules: Rules) -> Iterator[Finding]:
    for name in _NEVER_SENT:
        if thing.element.get(name) is not None:
            yield metadata(f"{thing.location}/@{name}", "the registry sets it, it must not be sent")
    for name, allowed in rules.attributes.items():
        if thing.element.get(name) not in allowed:
            yield metadata(f"{thing.location}/@{name}", f"{' or '.join(allowed)} is expected")


def _order_of_children(thing: RegistryObject, rules: Rules) -> Iterator[Finding]:
    """The sequence of RegistryObjectType in the ebRIM schema."""
    tags = [child.tag for child in children(thing.element)]
    ranks = [_ORDER.index(name) for name in tags if name in _ORDER]
    if len(ranks) != len(tags) or ranks != sorted(ranks):
        yield metadata(
            thing.location,
            "its children must be Slots, Name, Description, Classifications, ExternalIdentifiers, in order",
        )


def _names(thing: RegistryObject, rules: Rules) -> Iterator[Finding]:
    if rules.title_required and not thing.name:
        yield metadata(f"{thing.location}/Name", "the title is missing")
    yield from _strings(thing.name, f"{thing.location}/Name")
    yield from _strings(thing.description, f"{thing.location}/Description")


def _strings(strings: tuple[LocalizedString, ...], where: str) -> Iterator[Finding]:
    if len(strings) > 1:
        yield metadata(where, "one LocalizedString is expected")
    for string in strings:
        if not string.value.strip() or len(string.value) > 1024:
            yield metadata(f"{where}/LocalizedString/@value", "a text of 1 to 1024 characters is expected")
        if (string.charset, string.lang) != ("UTF8", "FR"):
            yield metadata(f"{where}/LocalizedString", 'charset="UTF8" and xml:lang="FR" are expected')


# ---- slots


def _slots(thing: RegistryObject, rules: Rules) -> Iterator[Finding]:
    yield from _judge_slots(thing.slots, rules.slots, thing.location)


def _judge_slots(slots: tuple[Slot, ...], rules: tuple[SlotRule, ...], where: str) -> Iterator[Finding]:
    known = {rule.name: rule for rule in rules}
    for number, slot in enumerate(slots, start=1):
        if slot.name not in known:
            yield _unknown_slot(slot.name, where, number)
        elif slot.name in [earlier.name for earlier in slots[: number - 1]]:
            yield metadata(f"{where}/Slot[{slot.name}]", "this slot is there twice")
    for rule in rules:
        yield from _judge_slot(rule, next((slot for slot in slots if slot.name == rule.name), None), where)


def _unknown_slot(name: str, where: str, number: int) -> Finding:
    if name in ("hash", "size", "repositoryUniqueId"):
        return metadata(f"{where}/Slot[{name}]", "the repository computes it, it must not be sent")
    return metadata(f"{where}/Slot[{number}]", "this slot is not one of those the profile knows here")


def _judge_slot(rule: SlotRule, slot: Slot | None, where: str) -> Iterator[Finding]:
    where = f"{where}/Slot[{rule.name}]"
    if slot is None:
        if rule.least > 0:
            yield metadata(where, "this slot is missing")
        return
    if not max(rule.least, 1) <= len(slot.values) <= rule.most:
        yield metadata(
            where, f"it has {len(slot.values)} values, {_count(max(rule.least, 1), rule.most)} expected"
        )
    for value in slot.values:
        if len(value) > 256:
            yield metadata(where, "a value is longer than 256 characters")
        elif not rule.format.matches(value):
            yield metadata(where, f"{rule.format.words} is expected")


def _count(least: int, most: int) -> str:
    if least == most:
        return f"{least} {'is' if least == 1 else 'are'}"
    return f"{least} or more are" if most == MANY else f"{least} to {most} are"


# ---- classifications


def _classifications(thing: RegistryObject, rules: Rules) -> Iterator[Finding]:
    known = {rule.scheme: rule.name for rule in rules.codes} | {rules.author_scheme: "author"}
    for number, classification in enumerate(thing.classifications, start=1):
        where = f"{thing.location}/Classification[{known.get(classification.scheme or '', number)}]"
        if classification.classified_object != thing.id:
            yield metadata(where, "classifiedObject is not the id of the object it stands in")
        if classification.scheme not in known and (
            classification.scheme or classification.node != rules.node
        ):
            yield metadata(where, "its classificationScheme is not one of those the profile knows here")


def _codes(thing: RegistryObject, rules: Rules) -> Iterator[Finding]:
    for rule in rules.codes:
        where = f"{thing.location}/Classification[{rule.name}]"
        found = thing.classified(rule.scheme)
        if not rule.least <= len(found) <= rule.most:
            yield metadata(
                where,
                f"it is there {len(found)} times, {_count(rule.least, rule.most)} expected ({rule.scheme})",
            )
        for classification in found:
            yield from _judge_code(classification, rule, where)


def _judge_code(classification: Classification, rule: CodeRule, where: str) -> Iterator[Finding]:
    if not classification.code:
        yield metadata(f"{where}/@nodeRepresentation", "the code is missing")
    yield from _judge_slots(classification.slots, (SlotRule("codingScheme", formats.CODING_SCHEME),), where)
    system = next(iter(classification.values("codingScheme")), None)
    if system and rule.systems and system not in rule.systems:
        yield metadata(f"{where}/Slot[codingScheme]", f"{' or '.join(rule.systems)} is expected")
    if not classification.name:
        yield metadata(f"{where}/Name", "the display is missing")
    yield from _strings(classification.name, f"{where}/Name")


def _authors(thing: RegistryObject, rules: Rules) -> Iterator[Finding]:
    where = f"{thing.location}/Classification[author]"
    found = thing.classified(rules.author_scheme)
    if not 1 <= len(found) <= rules.authors:
        yield metadata(
            where,
            f"it is there {len(found)} times, {_count(1, rules.authors)} expected ({rules.author_scheme})",
        )
    for classification in found:
        if classification.code != "":
            yield metadata(where, 'nodeRepresentation="" is expected')
        yield from _judge_slots(classification.slots, rules.author_slots, where)


def _node(thing: RegistryObject, rules: Rules) -> Iterator[Finding]:
    """What makes a RegistryPackage a submission set: ITI TF-3 4.2.1.2."""
    if rules.node is None:
        return
    found = [c for c in thing.classifications if c.node == rules.node and c.scheme is None]
    if len(found) != 1:
        yield metadata(
            f"{thing.location}/Classification", f'one with classificationNode="{rules.node}" is expected'
        )


# ---- identifiers


def _identifiers(thing: RegistryObject, rules: Rules) -> Iterator[Finding]:
    known = {rule.scheme: rule.name for rule in rules.identifiers}
    for number, identifier in enumerate(thing.identifiers, start=1):
        where = f"{thing.location}/ExternalIdentifier[{known.get(identifier.scheme or '', number)}]"
        if identifier.scheme not in known:
            yield metadata(where, "its identificationScheme is not one of those the profile knows here")
        if identifier.registry_object != thing.id:
            yield metadata(where, "registryObject is not the id of the object it stands in")
    for rule in rules.identifiers:
        yield from _judge_identifier(thing, rule)


def _judge_identifier(thing: RegistryObject, rule: IdentifierRule) -> Iterator[Finding]:
    where = f"{thing.location}/ExternalIdentifier[{rule.name}]"
    found = [identifier for identifier in thing.identifiers if identifier.scheme == rule.scheme]
    if len(found) != 1:
        yield metadata(where, f"it is there {len(found)} times, 1 is expected ({rule.scheme})")
    for identifier in found:
        if not rule.format.matches(identifier.value):
            yield metadata(f"{where}/@value", f"{rule.format.words} is expected")
        if [string.value for string in identifier.name] != [rule.name]:
            yield metadata(f"{where}/Name", f"{rule.name} is expected")
        yield from _strings(identifier.name, f"{where}/Name")


CHECKS = (
    _attributes,
    _order_of_children,
    _names,
    _slots,
    _classifications,
    _authors,
    _codes,
    _node,
    _identifiers,
)
