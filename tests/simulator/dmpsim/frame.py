"""The MTOM/XOP frame of TD2.1: Content-Type (RFC 2387, RFC 2045), parts (RFC 2046), Content-IDs (RFC 2392).

MTOM is mandatory for TD2.1, and the header values are exact. Every problem here is the sender's, told by a
SOAP fault; reading stops at the first one, because what follows a broken frame means nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from .findings import Refused, fault, named

_MEDIA = re.compile(r"([A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+)")
_PARAMETER = re.compile(r"""; ?([A-Za-z0-9-]+)=(?:"([^"\\\r\n]*)"|([^\s"(),/:;<=>?@\[\\\]]+))""")
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_CONTENT_ID = re.compile(r"<([^<>\s@]+@[^<>\s@]+)>")

_PART_HEADERS = ("Content-Type", "Content-Transfer-Encoding", "Content-ID")
_DOCUMENT_TYPES = ("text/xml", "application/xslt+xml")


@dataclass(frozen=True)
class ContentType:
    media: str
    parameters: dict[str, str]
    quoted: frozenset[str]


@dataclass(frozen=True)
class Part:
    content_id: str
    content_type: ContentType
    body: bytes


@dataclass(frozen=True)
class Frame:
    """A whole request: its SOAP envelope, and the documents beside it in the order they came."""

    root: Part
    attachments: tuple[Part, ...]


def read_frame(content_type: str | None, body: bytes, action: str) -> Frame:
    """Raises Refused at the first thing that is not as it must be."""
    outer = _read_outer(content_type, action)
    parts = [_read_part(number, raw) for number, raw in enumerate(_split(body, outer.parameters["boundary"]))]
    root, attachments = parts[0], parts[1:]
    _check_root(root, outer.parameters["start"], action)
    for number, part in enumerate(attachments, start=1):
        _check_attachment(number, part)
    _check_ids_differ(parts)
    return Frame(root, tuple(attachments))


def read_plain(content_type: str | None, body: bytes, action: str) -> Frame:
    """SOAP without attachments, as every transaction but TD2.1 is sent."""
    where = "HTTP Content-Type"
    media = "application/soap+xml"
    outer = parse_content_type(content_type, where)
    _expect(where, outer, media, {"charset": "UTF-8", "action": action})
    return Frame(Part("", outer, body), ())


def content_id_of(href: str) -> str | None:
    """The Content-ID that a `cid:` URL names, percent-decoded (RFC 2392); None when it is no such URL."""
    scheme, _, rest = href.partition(":")
    return unquote(rest) if scheme == "cid" and rest else None


def _broken(where: str, sentence: str) -> Refused:
    return Refused(fault(where, sentence))


# ---- Content-Type


def parse_content_type(value: str | None, where: str) -> ContentType:
    """RFC 2045, 5.1: values with / : < > and such characters must be quoted."""
    if value is None:
        raise _broken(where, "the header is missing")
    media = _MEDIA.match(value)
    if media is None:
        raise _broken(where, "it does not begin with a media type")
    parameters: dict[str, str] = {}
    quoted = set()
    end = media.end()
    while end < len(value):
        found = _PARAMETER.match(value, end)
        if found is None:
            raise _broken(
                where, f"a parameter is not name=value with the quotes it needs (character {end + 1})"
            )
        name = found[1]
        if name in parameters:
            raise _broken(where, f"the parameter {name} is there twice")
        if found[2] is not None:
            quoted.add(name)
        parameters[name] = found[2] if found[2] is not None else found[3]
        end = found.end()
    return ContentType(media[1], parameters, frozenset(quoted))


def _expect(where: str, got: ContentType, media: str, expected: Mapping[str, str | None]) -> None:
    """Media type and parameters are exactly these; None stands for any value."""
    if got.media != media:
        raise _broken(where, f"the media type is {named(got.media)}, {media} is expected")
    for name in (name for name in expected if name not in got.parameters):
        raise _broken(where, f"the parameter {name} is missing")
    for name in (name for name in got.parameters if name not in expected):
        raise _broken(where, f"the parameter {named(name)} is not expected")
    for name, wanted in expected.items():
        if wanted is not None and got.parameters[name] != wanted:
            raise _broken(where, f"{name} is {named(got.parameters[name])}, '{wanted}' is expected")


def _read_outer(value: str | None, action: str) -> ContentType:
    where = "HTTP Content-Type"
    outer = parse_content_type(value, where)
    parameters = {
        "boundary": None,
        "type": "application/xop+xml",
        "start": None,
        "start-info": "application/soap+xml",
        "action": action,
    }
    _expect(where, outer, "multipart/related", parameters)
    if "boundary" not in outer.quoted:
        raise _broken(where, "boundary is not quoted")
    if not _BOUNDARY.fullmatch(outer.parameters["boundary"]):
        raise _broken(where, "boundary is not 1 to 70 characters of those RFC 2046 allows")
    if not _CONTENT_ID.fullmatch(outer.parameters["start"]):
        raise _broken(where, "start is not a Content-ID with its angle brackets, <…@…>")
    return outer


# ---- parts


def _split(body: bytes, boundary: str) -> list[bytes]:
    """What lies between the boundary lines; the CRLF before each belongs to the line (RFC 2046, 5.1.1)."""
    line = b"--" + boundary.encode("ascii")
    if not body.startswith(line):
        raise _broken("MIME frame", "it does not begin with the boundary line: there is a preamble")
    parts: list[bytes] = []
    start: int | None = None
    end = 0
    while True:
        found = body.find(line, end)
        if found < 0:
            raise _broken("MIME frame", "the closing boundary line is missing")
        if start is not None:
            parts.append(_before_boundary(body, start, found, len(parts)))
        end = found + len(line)
        if body.startswith(b"--", end):
            break
        if not body.startswith(b"\r\n", end):
            raise _broken(_part_name(len(parts)), "its boundary line does not end with CRLF")
        start = end = end + 2
    if not parts:
        raise _broken("MIME frame", "there is no part")
    if body[end + 2 :] not in (b"", b"\r\n"):
        raise _broken("MIME frame", "something follows the closing boundary line: there is an epilogue")
    return parts


def _before_boundary(body: bytes, start: int, boundary: int, number: int) -> bytes:
    if body[max(start, boundary - 2) : boundary] == b"\r\n":
        return body[start : boundary - 2]
    if body[boundary - 1 : boundary] == b"\n":
        raise _broken(_part_name(number), "the boundary line after it is not preceded by CRLF")
    raise _broken(_part_name(number), "the boundary occurs inside it")


def _part_name(number: int) -> str:
    return "root part" if number == 0 else f"part {number + 1}"


def _read_part(number: int, raw: bytes) -> Part:
    where = _part_name(number)
    head, empty_line, body = raw.partition(b"\r\n\r\n")
    if not empty_line:
        raise _broken(where, "no empty line, CRLF CRLF, ends its headers")
    headers = _read_part_headers(where, head)
    if headers["Content-Transfer-Encoding"] != "binary":
        raise _broken(f"{where}, Content-Transfer-Encoding", "binary is expected")
    content_id = _CONTENT_ID.fullmatch(headers["Content-ID"])
    if content_id is None:
        raise _broken(f"{where}, Content-ID", "it is not <…@…> with angle brackets")
    return Part(content_id[1], parse_content_type(headers["Content-Type"], f"{where}, Content-Type"), body)


def _read_part_headers(where: str, head: bytes) -> dict[str, str]:
    """Exactly the three headers, each on one line ended by CRLF."""
    headers: dict[str, str] = {}
    for line in head.split(b"\r\n"):
        if b"\n" in line or b"\r" in line:
            raise _broken(where, "a header line does not end with CRLF")
        name, colon, value = line.decode("latin-1").partition(": ")
        if not colon:
            raise _broken(where, "each header is one line, name: value")
        if name not in _PART_HEADERS or name in headers:
            raise _broken(where, f"the header {named(name)} is unknown or there twice")
        headers[name] = value
    for name in _PART_HEADERS:
        if name not in headers:
            raise _broken(where, f"the header {name} is missing")
    return headers


def _check_root(root: Part, start: str, action: str) -> None:
    if f"<{root.content_id}>" != start:
        raise _broken("root part, Content-ID", "the first part is not the one that start names")
    parameters = {"charset": "UTF-8", "type": "application/soap+xml", "action": action}
    _expect("root part, Content-Type", root.content_type, "application/xop+xml", parameters)


def _check_attachment(number: int, part: Part) -> None:
    where = f"{_part_name(number)}, Content-Type"
    media = part.content_type.media if part.content_type.media in _DOCUMENT_TYPES else "text/xml"
    _expect(where, part.content_type, media, {"charset": "UTF-8"})


def _check_ids_differ(parts: list[Part]) -> None:
    seen: set[str] = set()
    for number, part in enumerate(parts):
        if part.content_id in seen:
            raise _broken(f"{_part_name(number)}, Content-ID", "another part has the same")
        seen.add(part.content_id)
