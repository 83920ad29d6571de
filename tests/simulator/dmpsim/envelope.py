"""The SOAP 1.2 envelope and its WS-Addressing 1.0 headers.

The order of the header blocks is that of the DMP's own sample messages; the subcodes are those of the SOAP
Binding of WS-Addressing, 6.4.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import names
from .findings import Finding, Refused, fault, shown
from .names import spoken, tag
from .safe_xml import Element, XmlProblem, children, parse, text

ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"

MESSAGE_ID = tag(names.WSA, "MessageID")
TO = tag(names.WSA, "To")
REPLY_TO = tag(names.WSA, "ReplyTo")
ACTION = tag(names.WSA, "Action")
SECURITY = tag(names.WSSE, "Security")

ADDRESSING = (MESSAGE_ID, TO, REPLY_TO, ACTION)
ORDER = (*ADDRESSING, SECURITY)

_MUST_UNDERSTAND = tag(names.SOAP, "mustUnderstand")
_MESSAGE_ID = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Envelope:
    headers: tuple[Element, ...]
    content: Element  # the one element in the Body

    def header(self, name: str) -> Element | None:
        return next((block for block in self.headers if block.tag == name), None)

    @property
    def message_id(self) -> str | None:
        """Only when it is well-formed: it is quoted in answers and in the journal."""
        block = self.header(MESSAGE_ID)
        value = "" if block is None else text(block)
        return value if _MESSAGE_ID.fullmatch(value) else None


@dataclass(frozen=True)
class Expected:
    """What the service and the HTTP request around the envelope lead one to expect in it."""

    action: str
    path: str
    vihf: bool


def read_envelope(data: bytes) -> Envelope:
    """Raises Refused when there is no envelope with a Header and one element in its Body."""
    try:
        root = parse(data)
    except XmlProblem as problem:
        raise Refused(fault("soap:Envelope", f"the root part {problem}")) from None
    if root.tag != tag(names.SOAP, "Envelope"):
        raise Refused(
            fault("soap:Envelope", f"the root is {spoken(root.tag)}, SOAP 1.2 is expected ({names.SOAP})")
        )
    parts = children(root)
    if [part.tag for part in parts] != [tag(names.SOAP, "Header"), tag(names.SOAP, "Body")]:
        raise Refused(fault("soap:Envelope", "it must hold one soap:Header, then one soap:Body"))
    header, body = parts
    if len(children(body)) != 1:
        raise Refused(fault("soap:Body", "it must hold exactly one element"))
    return Envelope(tuple(children(header)), children(body)[0])


def check_envelope(envelope: Envelope, expected: Expected) -> list[Finding]:
    return [finding for check in CHECKS for finding in check(envelope, expected)]


def _required_headers(envelope: Envelope, expected: Expected) -> Iterator[Finding]:
    for name in ADDRESSING:
        if envelope.header(name) is None:
            yield fault(
                spoken(name),
                "A required header representing a Message Addressing Property is not present",
                "wsa:MessageAddressingHeaderRequired",
            )


def _known_once_and_in_order(envelope: Envelope, expected: Expected) -> Iterator[Finding]:
    blocks = [block.tag for block in envelope.headers]
    for name in dict.fromkeys(blocks):
        if name not in ORDER:
            yield fault(f"soap:Header/{spoken(name)}", "this header block is not expected")
        elif blocks.count(name) > 1:
            yield fault(
                spoken(name), "this header block is there more than once", "wsa:InvalidAddressingHeader"
            )
    known = [name for name in blocks if name in ORDER]
    if known != sorted(known, key=ORDER.index):
        yield fault("soap:Header", f"the order of the blocks must be {', '.join(map(spoken, ORDER))}")


def _message_id(envelope: Envelope, expected: Expected) -> Iterator[Finding]:
    if envelope.header(MESSAGE_ID) is not None and envelope.message_id is None:
        yield fault(
            "wsa:MessageID",
            "urn:uuid: and a version 4 UUID in lower case is expected",
            "wsa:InvalidAddressingHeader",
        )


def _to(envelope: Envelope, expected: Expected) -> Iterator[Finding]:
    """Empty in the official samples, the URL of the service in working clients."""
    block = envelope.header(TO)
    if block is None or text(block) == "":
        return
    if not re.fullmatch(r"https://[^/?#\s]+" + re.escape(expected.path), text(block)):
        yield fault(
            "wsa:To", "it must be empty or the https URL of this service", "wsa:InvalidAddressingHeader"
        )


def _reply_to(envelope: Envelope, expected: Expected) -> Iterator[Finding]:
    block = envelope.header(REPLY_TO)
    if block is None:
        return
    held = children(block)
    if [child.tag for child in held] != [tag(names.WSA, "Address")] or text(held[0]) != ANONYMOUS:
        yield fault(
            "wsa:ReplyTo", f"it must hold only wsa:Address, with {ANONYMOUS}", "wsa:InvalidAddressingHeader"
        )


def _action(envelope: Envelope, expected: Expected) -> Iterator[Finding]:
    block = envelope.header(ACTION)
    if block is not None and text(block) != expected.action:
        yield fault(
            "wsa:Action",
            f"it is {shown(text(block))}, '{expected.action}' is expected, as in the HTTP header",
            "wsa:ActionMismatch",
        )


def _must_understand(envelope: Envelope, expected: Expected) -> Iterator[Finding]:
    """Without its prefix the attribute is in no namespace, hence without effect (SOAP 1.2 part 1, 5.2.3)."""
    for name in (REPLY_TO, ACTION):
        block = envelope.header(name)
        if block is not None and block.get(_MUST_UNDERSTAND) != "1":
            yield fault(spoken(name), 'soap:mustUnderstand="1" is missing; it needs its prefix')


def _security(envelope: Envelope, expected: Expected) -> Iterator[Finding]:
    """Only the VIHF: no mustUnderstand, no Timestamp, no signature of the body. It is judged elsewhere."""
    block = envelope.header(SECURITY)
    if block is None:
        if expected.vihf:
            yield fault("wsse:Security", "the VIHF is missing")
        return
    if any(str(name).endswith("mustUnderstand") for name in block.attrib):
        yield fault("wsse:Security", "it must not carry mustUnderstand")
    if [child.tag for child in children(block)] != [tag(names.SAML, "Assertion")] or text(block).strip():
        yield fault("wsse:Security", "it must hold one saml2:Assertion and nothing else")


CHECKS = (
    _required_headers,
    _known_once_and_in_order,
    _message_id,
    _to,
    _reply_to,
    _action,
    _must_understand,
    _security,
)
