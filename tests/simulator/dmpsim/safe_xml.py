"""XML from outside: UTF-8, no network, no document type, no entities."""

import re

from lxml import etree

Element = etree._Element

# What may stand before the root element. A document type is refused before libxml2 sees it: an entity in an
# attribute would be expanded even when the parser is told to leave entities alone.
_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)


class XmlProblem(Exception):
    """Not XML as we accept it; the text says why without quoting the content."""


def parse(data: bytes, huge: bool = False) -> Element:
    """The root element. `huge` allows the long text nodes of a document that embeds a PDF."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise XmlProblem(f"is not UTF-8 (byte {problem.start})") from None
    if data.startswith(b"<!DOCTYPE", _end_of_prolog(data)):
        raise XmlProblem("has a document type declaration")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=huge)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as problem:
        line, column = problem.position
        raise XmlProblem(f"is not well-formed XML (line {line}, column {column})") from None
    encoding = root.getroottree().docinfo.encoding or "UTF-8"
    if encoding.upper() not in ("UTF-8", "UTF8", "US-ASCII", "ASCII"):
        raise XmlProblem(f"declares the encoding {encoding}, not UTF-8")
    return root


def _end_of_prolog(data: bytes) -> int:
    found = _PROLOG.match(data)
    return found.end() if found else 0


def children(element: Element) -> list[Element]:
    """Child elements: no comments, no processing instructions."""
    return list(element.iterchildren(tag=etree.Element))


def text(element: Element) -> str:
    """The element's own character data, whatever comments and elements cut it."""
    return "".join([element.text or "", *(child.tail or "" for child in element)])
