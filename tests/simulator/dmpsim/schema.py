"""XSD validation of the body against the public IHE schema, when its folder is given."""

import base64
import copy
import threading
from pathlib import Path

from lxml import etree

from .findings import Finding, metadata
from .names import spoken
from .rim import DOCUMENT, Submission

_FILE = Path("schema", "IHE", "XDS.b_DocumentRepository.xsd")


class SubmissionSchema:
    """Loaded once. Its error log belongs to the schema object, so threads take turns."""

    def __init__(self, folder: Path):
        self._schema = etree.XMLSchema(etree.parse(str(folder / _FILE), etree.XMLParser(no_network=True)))
        self._turn = threading.Lock()

    def check(self, submission: Submission) -> list[Finding]:
        content = _with_base64(submission)
        with self._turn:
            self._schema.validate(content)
            return [_finding(entry) for entry in self._schema.error_log]


def _with_base64(submission: Submission) -> etree._Element:
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
