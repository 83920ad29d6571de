"""TD3.1b, the entryUUID of a document known by its uniqueId: ITI-18 GetDocuments, references only."""

import re
from dataclasses import dataclass

from . import formats, names
from .dossiers import Asker
from .findings import Finding, Refused, failure, fault
from .frame import read_plain
from .judgement import FOLDER, Judged, Opened, denied, judge_with
from .names import spoken, tag
from .safe_xml import Element, children, text

PATH = f"{FOLDER}/registry"
ACTION = "urn:ihe:iti:2007:RegistryStoredQuery"
REPLY_ACTION = f"{ACTION}Response"

GET_DOCUMENTS = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
PARAMETER = "$XDSDocumentEntryUniqueId"
_OTHER_QUERY = formats.ENTRY_UUID  # the ids of the standard's queries have the same form

_REQUEST = tag(names.QUERY, "AdhocQueryRequest")
_OPTION = tag(names.QUERY, "ResponseOption")
_QUERY = tag(names.RIM, "AdhocQuery")
_VALUE = "/".join(tag(names.RIM, name) for name in ("ValueList", "Value"))


@dataclass(frozen=True)
class Query:
    unique_id: str
    asker: Asker


def _judge(opened: Opened, judged: Judged) -> None:
    content = opened.envelope.content
    if content.tag != _REQUEST:
        raise Refused(fault("soap:Body", f"it holds {spoken(content.tag)}, {spoken(_REQUEST)} is expected"))
    if [child.tag for child in children(content)] != [_OPTION, _QUERY]:
        sentence = f"it must hold one {spoken(_OPTION)}, then one {spoken(_QUERY)}"
        raise Refused(failure("XDSRegistryError", spoken(_REQUEST), sentence))
    option, query = children(content)
    judged.findings += _check_option(option)
    judged.findings += _check_query(query)
    unique_id = _unique_id(query, judged)
    if opened.settings.schemas is not None:
        judged.findings += opened.settings.schemas.check_query(content)
    if unique_id is not None:
        judged.unique_ids = (unique_id,)
        patient = opened.vihf.patient if opened.vihf else ""
        judged.wanted = Query(unique_id, opened.asker(patient, ""))


judge = judge_with(read_plain, ACTION, PATH, _judge)


def _check_option(option: Element) -> list[Finding]:
    findings = []
    if option.get("returnType") != "ObjectRef":
        findings.append(denied("query:ResponseOption/@returnType", "all but ObjectRef (TD3.1a)"))
    if option.get("returnComposedObjects") != "true":
        sentence = "true is expected"
        findings.append(failure("XDSRegistryError", "query:ResponseOption/@returnComposedObjects", sentence))
    return findings


def _check_query(query: Element) -> list[Finding]:
    where = "rim:AdhocQuery/@id"
    id_ = query.get("id", "")
    if id_ == GET_DOCUMENTS:
        return []
    if _OTHER_QUERY.matches(id_):
        return [denied(where, "a query other than GetDocuments (TD3.1a)")]
    return [failure("XDSUnknownStoredQuery", where, f"{GET_DOCUMENTS} is expected")]


def _unique_id(query: Element, judged: Judged) -> str | None:
    where = f"rim:AdhocQuery/Slot[{PARAMETER}]"
    slots = children(query)
    found = [slot for slot in slots if slot.get("name") == PARAMETER]
    if not found:
        judged.findings.append(failure("XDSStoredQueryMissingParam", where, "this parameter is missing"))
        return None
    if len(slots) != 1:
        sentence = "it must be the only parameter, once"
        judged.findings.append(failure("XDSStoredQueryParamNumber", where, sentence))
        return None
    values = [text(value) for value in found[0].iterfind(_VALUE)]
    quoted = re.fullmatch(r"\('([^']*)'\)", values[0]) if len(values) == 1 else None
    if quoted is None:
        sentence = "one Value is expected, ('<uniqueId>') with parentheses and quotes"
        judged.findings.append(failure("XDSStoredQueryParamNumber", where, sentence))
        return None
    if not formats.OID.matches(quoted[1]):
        judged.findings.append(
            fault(where, "a uniqueId is expected, an OID, and not an entryUUID", "XDSDocumentUniqueIdError")
        )
        return None
    return quoted[1]
