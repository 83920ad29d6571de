"""Exchange media (IHE XDM): archives that are none, that unpack to more than they should, and what METADATA.XML says."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
import yaml

from attacks import TEXTS, marked
from harm import assert_unharmed
from samples import numbered
from xdm import FOLDER, archive, entry, files_of, medium, metadata, with_link

ONE, TWO = numbered(1), numbered(2, "prescription.xml")
MIB = 1 << 20
SETTINGS = {"max_document": "32 MiB", "max_message": "48 MiB"}


def changed(content: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """The archive with other bytes behind the last record of that kind."""
    at = content.rindex(signature) + offset
    return content[:at] + value + content[at + len(value):]


def claiming(content: bytes, size: int) -> bytes:
    """The archive, whose last entry claims to unpack to that size."""
    return changed(content, b"PK\1\2", 24, struct.pack("<I", size))


def named(name: str) -> bytes:
    return archive({**files_of(ONE), name: ONE})


def with_metadata(text: bytes) -> bytes:
    return archive({**files_of(ONE), FOLDER + "METADATA.XML": text})


def overlapping() -> bytes:
    """A hundred entries of the directory, all of which are the same bytes of the file (Fifield, 2019)."""
    content = archive({**files_of(ONE), "BIG": bytes(8 * MIB)})
    at, end = content.rindex(b"PK\1\2"), content.rindex(b"PK\5\6")
    record, directory = content[at:end], struct.unpack_from("<I", content, end + 16)[0]
    more = b"".join(record[:46] + b"B%02d" % n + record[49:] for n in range(100))
    count = struct.unpack_from("<H", content, end + 10)[0] + 100
    size = end - directory + len(more)
    return content[:end] + more + content[end:end + 8] + struct.pack("<HHII", count, count, size, directory) + b"\0\0"


def nested(depth: int) -> bytes:
    content = archive({"BIG": bytes(MIB)})
    for _ in range(depth):
        content = archive({"AGAIN.ZIP": content})
    return archive({**files_of(ONE), "AGAIN.ZIP": content})


def with_comment(comment: bytes) -> bytes:
    out = io.BytesIO(archive(files_of(ONE)))
    with zipfile.ZipFile(out, "a") as made:
        made.comment = comment
    return out.getvalue()


INVALID, TAKEN = "document_invalid", None

# How the archive is made, our reason, words of the sentence; what harms nobody is taken.
ARCHIVES = {
    "no zip": (lambda: b"PK\3\4 and no more", INVALID, "not a zip archive"),
    "empty": (lambda: b"", INVALID, "not a zip archive"),
    "cut": (lambda: medium(ONE)[:-30], INVALID, "not a zip archive"),
    "no medium": (lambda: archive({"letter.xml": ONE}), INVALID, "no exchange medium"),
    "parent": (lambda: named("../evil.xml"), INVALID, "no path inside"),
    "parent within": (lambda: named("IHE_XDM/../../evil.xml"), INVALID, "no path inside"),
    "absolute": (lambda: named("/etc/cron.d/evil"), INVALID, "no path inside"),
    "a drive": (lambda: named("C_/evil.xml").replace(b"C_/evil", b"C:\\evil"), INVALID, "no path inside"),
    "backslash": (lambda: named("a_..xml").replace(b"a_..xml", b"a\\..xml"), INVALID, "no path inside"),
    "NUL": (lambda: named("a_b.xml").replace(b"a_b.xml", b"a\0b.xml"), INVALID, "no path inside"),
    "twice": (lambda: named("ihe_xdm/subset01/doc00001.xml"), INVALID, "the same name"),
    "link": (lambda: with_link(files_of(ONE), FOLDER + "LINK.XML", "/etc/passwd"), INVALID, "neither a file nor a folder"),
    "bomb": (lambda: archive({**files_of(ONE), "BOMB": bytes(30 * MIB)}), "too_large", "too many times its size"),
    "liar": (lambda: claiming(archive({**files_of(ONE), "BIG": ONE}, zipfile.ZIP_STORED), 4_000_000_000), "too_large",
             "too many times its size"),
    "much": (lambda: archive({**files_of(ONE), **{f"N{n}": bytes(MIB | n)[:900_000] for n in range(80)}}), "too_large",
             "unpacks to more than 67108864 bytes"),
    "many": (lambda: archive({**files_of(ONE), **{f"N{n}": b"" for n in range(200)}}), "too_large", "204 entries"),
    "overlapping": (overlapping, "too_large", "too many times its size"),
    "nested": (lambda: nested(50), TAKEN, ""),
    "a long comment": (lambda: with_comment(b"forged" * 10_000), TAKEN, ""),
    "an end in the comment": (lambda: with_comment(b"PK\5\6" + bytes(18)), INVALID, "two lists of entries"),
    "encrypted": (lambda: changed(changed(named("Z"), b"PK\1\2", 8, b"\1\0"), b"PK\3\4", 6, b"\1\0"), INVALID, "encrypted"),
    "a method of one's own": (lambda: changed(changed(named("Z"), b"PK\1\2", 10, b"\x63\0"), b"PK\3\4", 8, b"\x63\0"), INVALID, " "),
    "a directory elsewhere": (lambda: changed(medium(ONE), b"PK\5\6", 16, b"\xff\xff\xff\x7f"), INVALID, "not a zip archive"),
    "more entries than there are": (lambda: changed(medium(ONE), b"PK\5\6", 8, b"\xff\x7f\xff\x7f"), "too_large", "32767 entries"),
    "a name beyond the end": (lambda: changed(medium(ONE), b"PK\1\2", 28, b"\xff\xff"), INVALID, "not a zip archive"),
    "an entry beyond the end": (lambda: changed(medium(ONE), b"PK\1\2", 42, b"\xff\xff\xff\x7f"), INVALID, " "),
    "another name inside": (lambda: changed(named("Z"), b"PK\3\4", 30, b"Y"), TAKEN, ""),

    "doctype": (lambda: with_metadata(b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><a>&b;</a>'), INVALID, "DOCTYPE"),
    "external entity": (lambda: with_metadata(b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>'), INVALID, "DOCTYPE"),
    "external DTD": (lambda: with_metadata(b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>'), INVALID, "DOCTYPE"),
    "inclusion": (lambda: with_metadata(b'<a xmlns:x="http://www.w3.org/2001/XInclude"><x:include href="/etc/passwd"/></a>'),
                  INVALID, "no SubmitObjectsRequest"),
    "no request": (lambda: with_metadata(b"<a/>"), INVALID, "no SubmitObjectsRequest"),
    "nothing named": (lambda: with_metadata(metadata()), INVALID, "names no document"),
    "no UTF-8": (lambda: with_metadata(metadata(entry(1, ONE)).replace(b"<RegistryPackage", b"\xff\xfe<RegistryPackage")),
                 INVALID, "not XML"),
    "NUL in it": (lambda: with_metadata(metadata(entry(1, ONE)).replace(b"<RegistryPackage", b"\0<RegistryPackage")),
                  INVALID, "not XML"),
    "elements without end": (lambda: with_metadata(b"<a>" * 100_000), INVALID, "not XML"),
    "attributes without end": (lambda: with_metadata(b"<a " + b" ".join(b"a%d=''" % n for n in range(60_000)) + b"/>"),
                               INVALID, "not XML|no SubmitObjectsRequest"),
    "larger than it may": (lambda: archive({**files_of(ONE), FOLDER + "METADATA.XML": b"<a>" + b" " * (5 * MIB) + b"</a>"},
                                           zipfile.ZIP_STORED), "too_large", "larger than 4 MiB"),
    "the same document two hundred times": (lambda: archive({**files_of(ONE), FOLDER + "METADATA.XML": metadata(
        *(entry(1, ONE) for _ in range(200)))}), INVALID, " "),
}

# What an entry of METADATA.XML says, with what may be written there: our reason and words of the sentence.
SAYS = {
    "uri": (INVALID, "not in its folder"),
    "size": (INVALID, "size is not"),
    "hash": (INVALID, "SHA-1"),
    "unique_id": (INVALID, "another uniqueId"),
    "mime": (INVALID, "only CDA documents (text/xml) are taken"),
    "masks": (TAKEN, ""),
    "patient": (TAKEN, ""),
    "author": (TAKEN, ""),
}
WORDS = {name: text for name, text in TEXTS.items() if name not in ("C1 controls",)}
ENTRIES = [(says, attack) for says in SAYS for attack in WORDS]


def xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def medium_that_says(number: int, says: str, attack: str) -> bytes:
    cda, text = numbered(100 + number), marked(WORDS[attack], says)
    if says == "author":
        return archive({**files_of(cda), FOLDER + "METADATA.XML": metadata(entry(1, cda), author=xml(text))})
    value = text.replace(" ", "_") if says == "masks" else text
    quoted_later = says in ("unique_id", "patient", "uri", "size", "hash")
    return medium(cda, objects=[entry(1, cda, **{says: value if quoted_later else xml(value)})])


def fate(gateway, name: str, content: bytes) -> tuple:
    start = len(gateway.journal.lines)
    gateway.drop(f"{name}.zip", content)
    if gateway.wait_moved(f"{name}.zip", start=start) == "done":
        return TAKEN, ""
    (note,) = gateway.inbox.glob(f"rejected/*/{name}.error.yaml")
    first, *_ = yaml.safe_load(note.read_text(encoding="utf-8"))["errors"]
    return first["reason"], first["text"]


@pytest.mark.parametrize("case", ARCHIVES)
def test_an_archive_is_taken_whole_or_refused_in_words(gateway, case):
    make, reason, words = ARCHIVES[case]
    got, said = fate(gateway, f"archive-{list(ARCHIVES).index(case)}", make())
    assert got == reason, said
    assert any(each in said for each in words.split("|")), said


@pytest.mark.parametrize("says, attack", ENTRIES, ids=lambda value: value)
def test_what_metadata_says_is_checked(gateway, says, attack):
    number = ENTRIES.index((says, attack))
    reason, words = SAYS[says]
    got, said = fate(gateway, f"says-{number}", medium_that_says(number, says, attack))
    assert got == reason, said
    assert words in said, said


def test_the_daemon_is_unharmed(before):
    assert {each["state"] for each in before.gateway.settled(60).values()} == {"delivered"}
    assert_unharmed(before, lambda: numbered(3))
