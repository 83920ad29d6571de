"""What is wrong with a request: a code for the machine, a place and a sentence for its developer.

Sentences are logged, so they never repeat a value that could be about a patient: see `shown`.
"""

import re
from dataclasses import dataclass
from enum import Enum


class Shape(Enum):
    """The form the answer takes when this finding is the first."""

    STATUS = "an HTTP status without SOAP"
    FAULT = "a SOAP fault"
    FAILURE = "a RegistryResponse with status Failure"


@dataclass(frozen=True)
class Finding:
    shape: Shape
    code: str
    location: str
    sentence: str

    @property
    def text(self) -> str:
        return f"{self.location}: {self.sentence}"


class Refused(Exception):
    """Raised where reading cannot go on, so that nothing after it can be judged."""

    def __init__(self, finding: Finding):
        super().__init__(finding.text)
        self.finding = finding


def status(number: int, location: str, sentence: str) -> Finding:
    return Finding(Shape.STATUS, f"HTTP{number}", location, sentence)


def fault(location: str, sentence: str, subcode: str = "Sender") -> Finding:
    """`Sender` alone has no subcode: SOAP 1.2 part 1, 5.4.1."""
    return Finding(Shape.FAULT, subcode, location, sentence)


def failure(code: str, location: str, sentence: str) -> Finding:
    """`code` is one of ITI TF-3 table 4.2.4.1-2."""
    return Finding(Shape.FAILURE, code, location, sentence)


def metadata(location: str, sentence: str) -> Finding:
    return failure("XDSRegistryMetadataError", location, sentence)


_IDENTIFIER = re.compile(r"\d+(\.\d+)+|\d{14}|(urn|https?):[\w:/.#-]+", re.ASCII)
_WORD = re.compile(r"[A-Za-z][\w/+.-]{0,63}", re.ASCII)


def shown(value: str | None) -> str:
    """A value of the message: an OID, a time or a URN as it is, anything else by its length only."""
    if value is None:
        return "absent"
    if value == "":
        return "empty"
    if len(value) <= 128 and _IDENTIFIER.fullmatch(value):
        return f"'{value}'"
    return f"a text of {len(value)} characters"


def named(word: str) -> str:
    """A word of the protocol (a header, a parameter, a media type), which could not be a patient's."""
    return f"'{word}'" if _WORD.fullmatch(word) else shown(word)
