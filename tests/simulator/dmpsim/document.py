"""An attached CDA against the metadata of its entry, which are derived from its header: they must agree."""

import hashlib
from collections.abc import Iterator

from . import names, registry
from .findings import Finding, failure, shown
from .names import spoken, tag
from .rim import RegistryObject
from .safe_xml import Element, XmlProblem, parse

_IN_CDA = {"cda": names.CDA}
_ENVELOPES = (
    tag("http://www.w3.org/1999/XSL/Transform", "stylesheet"),
    tag("http://www.w3.org/2000/09/xmldsig#", "Signature"),
)


def check_document(entry: RegistryObject, body: bytes) -> list[Finding]:
    try:
        root = parse(body, huge=True)
    except XmlProblem as problem:
        return [_contradiction(entry, f"the document {problem}")]
    document = _clinical_document(root)
    if document is None:
        return [
            _contradiction(
                entry, f"the document's root is {spoken(root.tag)}, cda:ClinicalDocument is expected"
            )
        ]
    return [finding for check in CHECKS for finding in check(entry, document)]


def check_hash_and_size(entry: RegistryObject, body: bytes) -> Iterator[Finding]:
    """A repository verifies them where they are sent: ITI TF-2 3.41.4.1.3."""
    right = {"hash": hashlib.sha1(body).hexdigest(), "size": str(len(body))}
    for name, value in right.items():
        if entry.value(name).lower() not in ("", value):
            where = f"{entry.location}/Slot[{name}]"
            yield failure("XDSRepositoryMetadataError", where, f"it is not the {name} of the document")


def _clinical_document(root: Element) -> Element | None:
    """The CDA alone, or inside what presents it (xsl:stylesheet) or signs it (ds:Signature)."""
    if root.tag not in (tag(names.CDA, "ClinicalDocument"), *_ENVELOPES):
        return None
    return next(root.iter(tag(names.CDA, "ClinicalDocument")), None)


def replaced_by(body: bytes) -> tuple[str, ...]:
    """The documents that a CDA says it replaces: the OIDs of its relatedDocument RPLC."""
    document = _clinical_document(parse(body, huge=True))
    if document is None:
        return ()
    path = "cda:relatedDocument[@typeCode='RPLC']/cda:parentDocument/cda:id"
    return tuple(id_.get("root", "") for id_ in document.iterfind(path, _IN_CDA))


def _contradiction(entry: RegistryObject, sentence: str) -> Finding:
    return failure("InvalidDocumentContent", entry.location, sentence)


def _unique_id(entry: RegistryObject, root: Element) -> Iterator[Finding]:
    """A CDA id may have an extension, but the DMP does not support it: the OID alone is the uniqueId."""
    id_ = root.find("cda:id", _IN_CDA)
    if id_ is None:
        yield _contradiction(entry, "ClinicalDocument/id is missing")
        return
    if id_.get("extension") is not None:
        yield _contradiction(entry, "ClinicalDocument/id has an extension, which the DMP does not support")
    if id_.get("root") != entry.identifier(registry.UNIQUE_ID_OF_ENTRY):
        yield _contradiction(
            entry, f"XDSDocumentEntry.uniqueId is not ClinicalDocument/id/@root, {shown(id_.get('root'))}"
        )


def _patient(entry: RegistryObject, root: Element) -> Iterator[Finding]:
    ids = {
        (id_.get("extension"), id_.get("root"))
        for id_ in root.iterfind("cda:recordTarget/cda:patientRole/cda:id", _IN_CDA)
    }
    number, _, authority = entry.identifier(registry.PATIENT_OF_ENTRY).partition("^^^&")
    if (number, authority.partition("&")[0]) not in ids:
        yield _contradiction(
            entry, "XDSDocumentEntry.patientId is not among ClinicalDocument/recordTarget/patientRole/id"
        )


def _type_code(entry: RegistryObject, root: Element) -> Iterator[Finding]:
    code = root.find("cda:code", _IN_CDA)
    said = ("", "") if code is None else (code.get("code", ""), code.get("codeSystem", ""))
    if entry.codes(registry.TYPE_CODE) != [said]:
        yield _contradiction(
            entry, "typeCode and its codingScheme are not ClinicalDocument/code/@code and @codeSystem"
        )


CHECKS = (_unique_id, _patient, _type_code)
