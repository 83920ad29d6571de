"""XSD validation of the bodies against the DMP's public schemas, when their folder is given."""

import base64
import copy
import threading
from pathlib import Path

from lxml import etree

from .findings import Finding, metadata
from .names import spoken
from .rim import DOCUMENT, Submission
from .safe_xml import Element


class _Schema:
    """Loaded once. Its error log belongs to the schema object, so threads take turns."""

    def __init__(self, file: Path):
        self._schema = etree.XMLSchema(etree.parse(str(file), etree.XMLParser(no_network=True)))
        self._turn = threading.Lock()

    def check(self, content: Element) -> list[Finding]:
        with self._turn:
            self._schema.validate(content)
            return [_finding(entry) for entry in self._schema.error_log]


class Schemas:
    """One for each transaction."""

    def __init__(self, folder: Path):
        schema = folder / "schema"
        self._submission = _Schema(schema / "IHE" / "XDS.b_DocumentRepository.xsd")
        self._query = _Schema(schema / "ebRS" / "query.xsd")
        self._update = _Schema(schema / "ebRS" / "lcm.xsd")
        self._existence = _Schema(schema / "HL7V3" / "NE2009" / "multicacheschemas" / "PRPA_IN201307UV02.xsd")

    def check_submission(self, submission: Submission) -> list[Finding]:
        return self._submission.check(_with_base64(submission))

    def check_query(self, content: Element) -> list[Finding]:
        return self._query.check(copy.deepcopy(content))

    def check_update(self, content: Element) -> list[Finding]:
        return self._update.check(copy.deepcopy(content))

    def check_existence(self, content: Element) -> list[Finding]:
        return self._existence.check(copy.deepcopy(content))


def _with_base64(submission: Submission) -> Element:
    """The schema types xdsb:Document as base64Binary, which xop:Include stands for."""
    content = copy.deepcopy(submission.content)
    for element, (_, part) in zip(content.iterchildren(DOCUMENT), submission.documents, strict=True):
        element.remove(element[0])
        element.text = base64.b64encode(part.body).decode("ascii")
    return content


def _finding(entry: etree._LogEntry) -> Finding:
    """Messages about names are safe to repeat; the others quote values, so only their rule is told."""
    place = f"XSD, line {entry.line}, {spoken(_element_of(entry.message))}"
    safe = entry.type_name in ("SCHEMAV_ELEMENT_CONTENT", "SCHEMAV_CVC_COMPLEX_TYPE_4")
    return metadata(place, entry.message.partition(": ")[2] if safe else f"breaks the rule {entry.type_name}")


def _element_of(message: str) -> str:
    """libxml2 begins with `Element '{namespace}name'`."""
    return message.split("'")[1] if message.startswith("Element '") else "document"
