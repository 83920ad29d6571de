"""The shapes a DMP answers in: those of ebRIM (ITI TF-3 4.2.4) and the SOAP 1.2 fault, each in its envelope.

That of HL7 V3 is TD0.2's own, see `existence`.
"""

from collections.abc import Callable
from xml.sax.saxutils import escape, quoteattr

from . import names
from .findings import Finding, Shape
from .http1 import Ending, Reply, plain
from .judgement import Judged

_CONTENT_TYPE = "application/soap+xml; charset=UTF-8"
_STATUS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType"
_SEVERITY = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"

# WS-Addressing 1.0, SOAP Binding, 6: its own faults have one action, every other SOAP fault has the other.
_ADDRESSING_FAULT = "http://www.w3.org/2005/08/addressing/fault"
_SOAP_FAULT = "http://www.w3.org/2005/08/addressing/soap/fault"


SUCCESS = f'<rs:RegistryResponse xmlns:rs="{names.RS}" status="{_STATUS}:Success"/>'


def references(entry_uuids: list[str]) -> str:
    """What TD3.1b found: a list that may be empty."""
    found = "".join(f"<rim:ObjectRef id={quoteattr(entry_uuid)}/>" for entry_uuid in entry_uuids)
    return _query_response("Success", found)


def registry_failure(judged: Judged, code: str, sentence: str, location: str) -> str:
    return (
        f'<rs:RegistryResponse xmlns:rs="{names.RS}" status="{_STATUS}:Failure">'
        f"{_errors(code, sentence, location)}</rs:RegistryResponse>"
    )


def query_failure(judged: Judged, code: str, sentence: str, location: str) -> str:
    return _query_response("Failure", "", _errors(code, sentence, location))


def _query_response(status: str, objects: str, errors: str = "") -> str:
    """The schema wants the list of objects there, if empty."""
    return (
        f'<query:AdhocQueryResponse xmlns:query="{names.QUERY}" xmlns:rs="{names.RS}" '
        f'status="{_STATUS}:{status}">'
        f'{errors}<rim:RegistryObjectList xmlns:rim="{names.RIM}">{objects}</rim:RegistryObjectList>'
        "</query:AdhocQueryResponse>"
    )


def _errors(code: str, sentence: str, location: str) -> str:
    error = (
        f"<rs:RegistryError errorCode={quoteattr(code)} codeContext={quoteattr(sentence)} "
        f'location={quoteattr(location)} severity="{_SEVERITY}"/>'
    )
    return f'<rs:RegistryErrorList highestSeverity="{_SEVERITY}">{error}</rs:RegistryErrorList>'


def soap_fault(
    subcode: str, text: str, relates_to: str | None, who: str = "Sender", lang: str = "en"
) -> Reply:
    """The DMP gives its codes the prefix soap: in the Subcode; `Sender` or `Receiver` alone is no subcode."""
    prefixed = subcode if ":" in subcode else f"soap:{subcode}"
    declared = f' xmlns:wsse="{names.WSSE}"' if prefixed.startswith("wsse:") else ""
    inner = f"<soap:Subcode><soap:Value{declared}>{escape(prefixed)}</soap:Value></soap:Subcode>"
    if subcode in ("", "Sender", "Receiver"):
        inner = ""
    body = (
        f"<soap:Fault><soap:Code><soap:Value>soap:{who}</soap:Value>{inner}</soap:Code>"
        f'<soap:Reason><soap:Text xml:lang="{lang}">{escape(text)}</soap:Text></soap:Reason></soap:Fault>'
    )
    action = _ADDRESSING_FAULT if subcode.startswith("wsa:") else _SOAP_FAULT
    return soap(500, action, relates_to, body)


def plain_refusal(finding: Finding) -> Reply:
    """An HTTP status alone. The body may not have been read: the connection cannot serve another request."""
    return plain(int(finding.code.removeprefix("HTTP")), finding.text).ending_as(Ending.CLOSE)


def refusal(finding: Finding, relates_to: str | None, failure: Callable[[str, str, str], Reply]) -> Reply:
    """The answer to a request whose first finding is this one; `failure` gives the shape of its service."""
    if finding.shape is Shape.FAULT:
        return soap_fault(finding.code, finding.text, relates_to)
    return failure(finding.code, finding.text, finding.location)


def soap(status: int, action: str, relates_to: str | None, body: str) -> Reply:
    related = f"<wsa:RelatesTo>{escape(relates_to)}</wsa:RelatesTo>" if relates_to else ""
    envelope = (
        f'<soap:Envelope xmlns:soap="{names.SOAP}" xmlns:wsa="{names.WSA}">'
        f"<soap:Header><wsa:Action>{escape(action)}</wsa:Action>{related}</soap:Header>"
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )
    return Reply(status, _CONTENT_TYPE, envelope.encode("utf-8"))
