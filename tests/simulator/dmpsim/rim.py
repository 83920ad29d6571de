"""ebRIM 3.0 objects of a TD2.1, read as they are: what is missing stays empty, the checks say so later.

Reading itself refuses only what leaves nothing to judge: another body, another order of objects (ITI TF-2
3.41.4.1.2).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import names
from .findings import Refused, fault, metadata
from .frame import Frame, Part, content_id_of
from .names import spoken, tag
from .safe_xml import Element, children, text

_SYMBOLIC = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")

REQUEST = tag(names.XDSB, "ProvideAndRegisterDocumentSetRequest")
SUBMIT = tag(names.LCM, "SubmitObjectsRequest")
DOCUMENT = tag(names.XDSB, "Document")
OBJECT_LIST = tag(names.RIM, "RegistryObjectList")
PACKAGE = tag(names.RIM, "RegistryPackage")
EXTRINSIC = tag(names.RIM, "ExtrinsicObject")
ASSOCIATION = tag(names.RIM, "Association")
CLASSIFICATION = tag(names.RIM, "Classification")
IDENTIFIER = tag(names.RIM, "ExternalIdentifier")
_LETTERS = {PACKAGE: "P", EXTRINSIC: "E", ASSOCIATION: "A"}


@dataclass(frozen=True)
class Slot:
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class LocalizedString:
    value: str
    charset: str | None
    lang: str | None


@dataclass(frozen=True)
class Classification:
    id: str
    scheme: str | None
    node: str | None
    classified_object: str | None
    code: str | None
    slots: tuple[Slot, ...]
    name: tuple[LocalizedString, ...]

    def values(self, slot: str) -> tuple[str, ...]:
        return _values(self.slots, slot)


@dataclass(frozen=True)
class ExternalIdentifier:
    id: str
    scheme: str | None
    registry_object: str | None
    value: str
    name: tuple[LocalizedString, ...]


@dataclass(frozen=True)
class Association:
    id: str
    type: str
    source: str
    target: str
    object_type: str | None
    slots: tuple[Slot, ...]
    location: str


@dataclass(frozen=True)
class RegistryObject:
    """A submission set or an entry."""

    element: Element
    id: str
    location: str  # what sentences call it
    slots: tuple[Slot, ...]
    name: tuple[LocalizedString, ...]
    description: tuple[LocalizedString, ...]
    classifications: tuple[Classification, ...]
    identifiers: tuple[ExternalIdentifier, ...]

    def values(self, slot: str) -> tuple[str, ...]:
        return _values(self.slots, slot)

    def value(self, slot: str) -> str:
        return next(iter(self.values(slot)), "")

    def classified(self, scheme: str) -> list[Classification]:
        return [c for c in self.classifications if c.scheme == scheme]

    def codes(self, scheme: str) -> list[tuple[str, str]]:
        """Pairs of code and coding scheme."""
        return [(c.code or "", next(iter(c.values("codingScheme")), "")) for c in self.classified(scheme)]

    def identifier(self, scheme: str) -> str:
        return next((i.value for i in self.identifiers if i.scheme == scheme), "")


@dataclass(frozen=True)
class Submission:
    content: Element
    package: RegistryObject
    entries: tuple[RegistryObject, ...]
    associations: tuple[Association, ...]
    documents: tuple[tuple[str, Part], ...]  # xdsb:Document/@id and the part it includes, in order

    def part_of(self, entry: RegistryObject) -> Part | None:
        return next((part for id_, part in self.documents if id_ == entry.id), None)

    def all_ids(self) -> Iterator[tuple[str, str]]:
        """Every id of the message, with the place it stands in."""
        for thing in (self.package, *self.entries):
            yield thing.id, thing.location
            for number, classification in enumerate(thing.classifications, start=1):
                yield classification.id, f"{thing.location}/Classification[{number}]"
            for number, identifier in enumerate(thing.identifiers, start=1):
                yield identifier.id, f"{thing.location}/ExternalIdentifier[{number}]"
        for association in self.associations:
            yield association.id, association.location


def read_submission(content: Element, frame: Frame) -> Submission:
    if content.tag != REQUEST:
        raise Refused(fault("soap:Body", f"it holds {spoken(content.tag)}, {spoken(REQUEST)} is expected"))
    submit, *documents = _read_request(content)
    package, entries, associations = _read_objects(submit, "PE+A*", "ExtrinsicObjects, then Associations")
    return Submission(content, package, entries, associations, _read_documents(documents, frame))


def read_update(content: Element) -> Submission:
    """The body of an ITI-57, which has no documents."""
    if content.tag != SUBMIT:
        raise Refused(fault("soap:Body", f"it holds {spoken(content.tag)}, {spoken(SUBMIT)} is expected"))
    words = "ExtrinsicObjects if any, then Associations"
    package, entries, associations = _read_objects(content, "PE*A+", words)
    return Submission(content, package, entries, associations, ())


Objects = tuple[RegistryObject, tuple[RegistryObject, ...], tuple[Association, ...]]


def _read_request(content: Element) -> list[Element]:
    parts = children(content)
    tags = [part.tag for part in parts]
    if tags[:1] != [SUBMIT] or any(name != DOCUMENT for name in tags[1:]):
        sentence = f"it must hold one {spoken(SUBMIT)}, then {spoken(DOCUMENT)} elements"
        raise Refused(metadata(spoken(REQUEST), sentence))
    return parts


def _read_objects(submit: Element, order: str, words: str) -> Objects:
    """`order` is a pattern of the letters of _LETTERS."""
    lists = children(submit)
    if [part.tag for part in lists] != [OBJECT_LIST]:
        raise Refused(metadata(spoken(SUBMIT), f"it must hold one {spoken(OBJECT_LIST)} and nothing else"))
    objects = children(lists[0])
    kinds = "".join(_LETTERS.get(o.tag, "?") for o in objects)
    if not re.fullmatch(order, kinds):
        sentence = f"one RegistryPackage, then {words} are expected"
        raise Refused(metadata(spoken(OBJECT_LIST), sentence))
    package, *rest = objects
    return (
        _read_object(package, 1),
        tuple(_read_object(o, n) for n, o in enumerate(_of(EXTRINSIC, rest), start=1)),
        tuple(_read_association(o, n) for n, o in enumerate(_of(ASSOCIATION, rest), start=1)),
    )


def _of(name: str, elements: list[Element]) -> list[Element]:
    return [element for element in elements if element.tag == name]


def _read_documents(elements: list[Element], frame: Frame) -> tuple[tuple[str, Part], ...]:
    """Each xdsb:Document stands for one part, in the order of the parts, none left over (XOP 1.0, 4.1)."""
    found = tuple(
        (element.get("id", ""), _included(element, number, frame))
        for number, element in enumerate(elements, start=1)
    )
    parts = [part for _, part in found]
    for number, part in enumerate(frame.attachments, start=2):
        if part not in parts:
            raise Refused(fault(f"part {number}", "no xdsb:Document includes it"))
    if parts != list(frame.attachments):
        raise Refused(
            fault("MIME frame", "the parts must be those of the xdsb:Document elements, in their order")
        )
    return found


def _included(document: Element, number: int, frame: Frame) -> Part:
    where = f"xdsb:Document[{number}]"
    if [child.tag for child in document] != [tag(names.XOP, "Include")] or text(document):
        raise Refused(fault(where, "xop:Include must be its only child, without any white space"))
    content_id = content_id_of(document[0].get("href", ""))
    if content_id is None:
        raise Refused(fault(f"{where}/xop:Include/@href", "a cid: URL is expected"))
    for part in frame.attachments:
        if part.content_id == content_id:
            return part
    raise Refused(fault(f"{where}/xop:Include/@href", "it names no part"))


# ---- one object


def _read_object(element: Element, number: int) -> RegistryObject:
    id_ = element.get("id", "")
    location = id_ if _SYMBOLIC.fullmatch(id_) else f"{spoken(element.tag)}[{number}]"
    return RegistryObject(
        element,
        id_,
        location,
        _read_slots(element),
        _read_strings(element, "Name"),
        _read_strings(element, "Description"),
        tuple(map(_read_classification, element.iterchildren(CLASSIFICATION))),
        tuple(map(_read_identifier, element.iterchildren(IDENTIFIER))),
    )


def _read_classification(element: Element) -> Classification:
    return Classification(
        element.get("id", ""),
        element.get("classificationScheme"),
        element.get("classificationNode"),
        element.get("classifiedObject"),
        element.get("nodeRepresentation"),
        _read_slots(element),
        _read_strings(element, "Name"),
    )


def _read_identifier(element: Element) -> ExternalIdentifier:
    return ExternalIdentifier(
        element.get("id", ""),
        element.get("identificationScheme"),
        element.get("registryObject"),
        element.get("value", ""),
        _read_strings(element, "Name"),
    )


def _read_association(element: Element, number: int) -> Association:
    return Association(
        element.get("id", ""),
        element.get("associationType", ""),
        element.get("sourceObject", ""),
        element.get("targetObject", ""),
        element.get("objectType"),
        _read_slots(element),
        f"Association[{number}]",
    )


def _read_slots(element: Element) -> tuple[Slot, ...]:
    value = f"{{{names.RIM}}}ValueList/{{{names.RIM}}}Value"
    return tuple(
        Slot(slot.get("name", ""), tuple(text(v) for v in slot.iterfind(value)))
        for slot in element.iterchildren(tag(names.RIM, "Slot"))
    )


def _read_strings(element: Element, name: str) -> tuple[LocalizedString, ...]:
    return tuple(
        LocalizedString(s.get("value", ""), s.get("charset"), s.get(tag(names.XML, "lang")))
        for s in element.iterfind(f"{{{names.RIM}}}{name}/{{{names.RIM}}}LocalizedString")
    )


def _values(slots: tuple[Slot, ...], name: str) -> tuple[str, ...]:
    return next((slot.values for slot in slots if slot.name == name), ())
