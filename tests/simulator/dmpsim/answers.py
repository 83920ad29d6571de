"""The shapes a DMP answers in: RegistryResponse (ITI TF-3 4.2.4) and SOAP 1.2 fault, each in its envelope."""

from xml.sax.saxutils import escape, quoteattr

from . import names
from .findings import Finding, Shape
from .http1 import Ending, Reply, plain

_CONTENT_TYPE = "application/soap+xml; charset=UTF-8"
_STATUS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType"
_SEVERITY = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"

# WS-Addressing 1.0, SOAP Binding, 6: its own faults have one action, every other SOAP fault has the other.
_ADDRESSING_FAULT = "http://www.w3.org/2005/08/addressing/fault"
_SOAP_FAULT = "http://www.w3.org/2005/08/addressing/soap/fault"


def success(action: str, relates_to: str | None) -> Reply:
    return _soap(
        200, action, relates_to, f'<rs:RegistryResponse xmlns:rs="{names.RS}" status="{_STATUS}:Success"/>'
    )


def failure(code: str, text: str, location: str, action: str, relates_to: str | None) -> Reply:
    error = (
        f"<rs:RegistryError errorCode={quoteattr(code)} codeContext={quoteattr(text)} "
        f'location={quoteattr(location)} severity="{_SEVERITY}"/>'
    )
    body = (
        f'<rs:RegistryResponse xmlns:rs="{names.RS}" status="{_STATUS}:Failure">'
        f'<rs:RegistryErrorList highestSeverity="{_SEVERITY}">{error}</rs:RegistryErrorList>'
        "</rs:RegistryResponse>"
    )
    return _soap(200, action, relates_to, body)


def soap_fault(
    subcode: str, text: str, relates_to: str | None, who: str = "Sender", lang: str = "en"
) -> Reply:
    """The DMP gives its codes the prefix soap: in the Subcode; `Sender` or `Receiver` alone is no subcode."""
    prefixed = subcode if ":" in subcode else f"soap:{subcode}"
    inner = f"<soap:Subcode><soap:Value>{escape(prefixed)}</soap:Value></soap:Subcode>"
    if subcode in ("", "Sender", "Receiver"):
        inner = ""
    body = (
        f"<soap:Fault><soap:Code><soap:Value>soap:{who}</soap:Value>{inner}</soap:Code>"
        f'<soap:Reason><soap:Text xml:lang="{lang}">{escape(text)}</soap:Text></soap:Reason></soap:Fault>'
    )
    action = _ADDRESSING_FAULT if subcode.startswith("wsa:") else _SOAP_FAULT
    return _soap(500, action, relates_to, body)


def refusal(finding: Finding, action: str, relates_to: str | None) -> Reply:
    """The answer to a request whose first finding is this one."""
    if finding.shape is Shape.STATUS:
        # The body may not have been read: the connection cannot serve another request.
        return plain(int(finding.code.removeprefix("HTTP")), finding.text).ending_as(Ending.CLOSE)
    if finding.shape is Shape.FAULT:
        return soap_fault(finding.code, finding.text, relates_to)
    return failure(finding.code, finding.text, finding.location, action, relates_to)


def _soap(status: int, action: str, relates_to: str | None, body: str) -> Reply:
    related = f"<wsa:RelatesTo>{escape(relates_to)}</wsa:RelatesTo>" if relates_to else ""
    envelope = (
        f'<soap:Envelope xmlns:soap="{names.SOAP}" xmlns:wsa="{names.WSA}">'
        f"<soap:Header><wsa:Action>{escape(action)}</wsa:Action>{related}</soap:Header>"
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )
    return Reply(status, _CONTENT_TYPE, envelope.encode("utf-8"))
