"""Namespaces of the standards, and how people write the names in them."""

SOAP = "http://www.w3.org/2003/05/soap-envelope"
SOAP_1_1 = "http://schemas.xmlsoap.org/soap/envelope/"
WSA = "http://www.w3.org/2005/08/addressing"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
RS = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
XDSB = "urn:ihe:iti:xds-b:2007"
XOP = "http://www.w3.org/2004/08/xop/include"
CDA = "urn:hl7-org:v3"
DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.1.1#"
QUERY = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
HL7 = CDA
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
XML = "http://www.w3.org/XML/1998/namespace"

_PREFIXES = {
    SOAP: "soap",
    SOAP_1_1: "soap11",
    WSA: "wsa",
    WSSE: "wsse",
    SAML: "saml2",
    RIM: "rim",
    LCM: "lcm",
    RS: "rs",
    XDSB: "xdsb",
    XOP: "xop",
    CDA: "cda",
    DS: "ds",
    XADES: "xades",
    QUERY: "query",
    XML: "xml",
}


def tag(namespace: str, name: str) -> str:
    """The name as lxml writes it."""
    return f"{{{namespace}}}{name}"


def spoken(qualified: str) -> str:
    """The name as people write it: `{urn:…:rim:3.0}Slot` is `rim:Slot`."""
    if not qualified.startswith("{"):
        return qualified
    namespace, _, name = qualified[1:].partition("}")
    return f"{_PREFIXES.get(namespace, 'other')}:{name}"
