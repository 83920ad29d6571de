"""What the VIHF and the XAdES have in common: canonical forms, digests, algorithms, one signature value.

Digests are recomputed here, from the bytes; xmlsec only judges the value over the canonical SignedInfo. So a
sentence can say which digest is wrong.
"""

import base64
import hashlib
from dataclasses import dataclass

from lxml import etree  # isort: skip  (before xmlsec, which would keep it from opening files)
import xmlsec

from . import names
from .certificates import Certificate, NotACertificate, Trust, from_base64
from .names import spoken, tag
from .safe_xml import Element, XmlProblem, children, parse, text

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE_WITH_COMMENTS = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
ENVELOPED = f"{names.DS}enveloped-signature"


@dataclass(frozen=True)
class Family:
    """Algorithms that go together."""

    name: str
    signature: str
    digest: str
    transform: object  # what xmlsec calls it

    def hash(self, data: bytes) -> str:
        return base64.b64encode(hashlib.new(self.name, data).digest()).decode()


FAMILIES = {
    family.signature: family
    for family in (
        Family("sha1", f"{names.DS}rsa-sha1", f"{names.DS}sha1", xmlsec.constants.TransformRsaSha1),
        Family(
            "sha256",
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            "http://www.w3.org/2001/04/xmlenc#sha256",
            xmlsec.constants.TransformRsaSha256,
        ),
    )
}


class Malformed(Exception):
    """A signature that does not have its form: where, and what is expected."""

    def __init__(self, where: str, sentence: str):
        super().__init__(f"{where}: {sentence}")
        self.where, self.sentence = where, sentence


def held(element: Element, where: str, *expected: str) -> list[Element]:
    """The children of the element, which must be exactly these."""
    found = children(element)
    if [child.tag for child in found] != list(expected):
        told = ", ".join(map(spoken, expected)) or "nothing"
        raise Malformed(where, f"it must hold {told}, in this order and nothing else")
    return found


def algorithm(element: Element, where: str, *expected: str) -> str:
    """Its Algorithm, which must be one of these."""
    value = element.get("Algorithm", "")
    if value not in expected:
        raise Malformed(f"{where}/@Algorithm", f"{' or '.join(expected)} is expected")
    return value


def reparsed(element: Element) -> Element:
    """A copy that stands alone, with all the namespaces in scope: lxml's C14N of a part would lose them.

    Raises XmlProblem: libxml2 takes some names from a damaged document that it does not take twice.
    """
    try:
        return etree.fromstring(etree.tostring(element, with_tail=False), etree.XMLParser(huge_tree=True))
    except etree.XMLSyntaxError:
        raise XmlProblem("holds a name that is not XML's") from None


def canonical(element: Element, exclusive: bool = False, comments: bool = False) -> bytes:
    """The element where it stands. Raises XmlProblem."""
    return _c14n(reparsed(element), exclusive, comments)


def canonical_document(data: bytes) -> bytes:
    """The whole of it: also the comments and processing instructions around its root. Raises XmlProblem."""
    return _c14n(parse(data, huge=True).getroottree(), exclusive=False, comments=True)


def _c14n(tree: Element | etree._ElementTree, exclusive: bool, comments: bool) -> bytes:
    try:
        return etree.tostring(tree, method="c14n", exclusive=exclusive, with_comments=comments)
    except etree.C14NError:
        raise XmlProblem("has no canonical form: a namespace is not an absolute URI") from None


# ---- ds:Signature


@dataclass(frozen=True)
class Signature:
    """Its parts once their form is right."""

    info: Element
    references: tuple[Element, ...]
    family: Family
    value: bytes
    certificate: Certificate
    objects: tuple[Element, ...]


def read_signature(element: Element, where: str, canonicalization: str, trust: Trust) -> Signature:
    """Raises Malformed."""
    tags = ("SignedInfo", "SignatureValue", "KeyInfo")
    objects = [child for child in children(element) if child.tag == tag(names.DS, "Object")]
    info, value, key_info, *_ = held(
        element, where, *(tag(names.DS, name) for name in tags), *(child.tag for child in objects)
    )
    family, references = _read_signed_info(info, f"{where}/SignedInfo", canonicalization)
    return Signature(
        info,
        references,
        family,
        _base64(value, f"{where}/SignatureValue"),
        _read_certificate(key_info, f"{where}/KeyInfo", trust),
        tuple(objects),
    )


def _read_signed_info(info: Element, where: str, canonicalization: str) -> tuple[Family, tuple[Element, ...]]:
    references = tuple(child for child in children(info) if child.tag == tag(names.DS, "Reference"))
    c14n, method, *_ = held(
        info,
        where,
        tag(names.DS, "CanonicalizationMethod"),
        tag(names.DS, "SignatureMethod"),
        *(reference.tag for reference in references),
    )
    algorithm(c14n, f"{where}/CanonicalizationMethod", canonicalization)
    return FAMILIES[algorithm(method, f"{where}/SignatureMethod", *FAMILIES)], references


def _read_certificate(key_info: Element, where: str, trust: Trust) -> Certificate:
    (data,) = held(key_info, where, tag(names.DS, "X509Data"))
    (certificate,) = held(data, f"{where}/X509Data", tag(names.DS, "X509Certificate"))
    where = f"{where}/X509Data/X509Certificate"
    try:
        return trust.read(_base64(certificate, where))
    except NotACertificate:
        raise Malformed(where, "this is no X.509 certificate") from None


def read_reference(reference: Element, where: str, family: Family, *transforms: str) -> str:
    """Its digest value, once its transforms and its algorithm are these."""
    expected = (tag(names.DS, "DigestMethod"), tag(names.DS, "DigestValue"))
    if transforms:
        first, *rest = held(reference, where, tag(names.DS, "Transforms"), *expected)
        chain = held(first, f"{where}/Transforms", *[tag(names.DS, "Transform")] * len(transforms))
        for transform, wanted in zip(chain, transforms, strict=True):
            algorithm(transform, f"{where}/Transforms/Transform", wanted)
            held(transform, f"{where}/Transforms/Transform")
    else:
        rest = held(reference, where, *expected)
    method, value = rest
    algorithm(method, f"{where}/DigestMethod", family.digest)
    return "".join(text(value).split())


def value_is_right(signature: Signature, exclusive: bool) -> bool:
    """The signature value, over the canonical form of SignedInfo, by the certificate that is in it."""
    context = xmlsec.SignatureContext()
    try:
        context.key = xmlsec.Key.from_memory(signature.certificate.der, xmlsec.constants.KeyDataFormatCertDer)
        data = canonical(signature.info, exclusive=exclusive, comments=not exclusive)
        context.verify_binary(data, signature.family.transform, signature.value)
    except xmlsec.Error:
        return False
    return True


def _base64(element: Element, where: str) -> bytes:
    try:
        return from_base64(text(element))
    except ValueError:
        raise Malformed(where, "this is not base64") from None
