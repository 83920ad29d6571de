"""The project's sample documents, and as many more of them as a test wants."""

from __future__ import annotations

import functools
import pathlib
import re
import sys

from gateway import SOURCE, Gateway

DATA = SOURCE / "tests" / "data"
sys.path.append(str(DATA))
from make_mdm import header, mdm_t02  # noqa: E402

REPLACEMENT = "discharge-letter-replacement.xml"
INITIAL = sorted(path.name for path in DATA.glob("*.xml") if path.name != REPLACEMENT)
HOSTILE = sorted(path.name for path in (DATA / "hostile").glob("*.xml"))
DOORS = ("mllp", "drop")


def read(name: str) -> bytes:
    return (DATA / name).read_bytes()


def hl7(name: str) -> bytes:
    """A message of tests/data/hl7."""
    return (DATA / "hl7" / name).read_bytes()


def unique_id(cda: bytes) -> str:
    return header(cda)["document_id"]


def numbered(number: int, name: str = "discharge-letter.xml") -> bytes:
    """A document of its own: the sample under another id."""
    cda = read(name)
    old, new = f'<id root="{unique_id(cda)}"/>', f'<id root="1.2.250.1.999.1.9.{number}"/>'
    assert old.encode() in cda
    return cda.replace(old.encode(), new.encode(), 1)


def large_document(number: int, size: int = 20_000_000) -> bytes:
    """A letter whose PDF makes it that large."""
    cda = numbered(number)
    begin = cda.index(b">", cda.index(b"<text mediaType")) + 1
    return cda[:begin] + b"A" * ((size - len(cda)) // 4 * 4) + cda[begin:]


AGAIN = "1.2.250.1.999.1.1.7021"  # the letter once more, under this name


def repeated(of: str = "1.2.250.1.999.1.1.7001", name: str = AGAIN, title: str = "") -> bytes:
    """A version of the discharge letter in which nothing is new but its name, number and date; or its title."""
    again = read("discharge-letter.xml")
    for old, new in ((f'<id root="{unique_id(again)}"/>', f'<id root="{name}"/>'),
                     ('<versionNumber value="1"/>', '<versionNumber value="2"/>'),
                     ('<effectiveTime value="20261120094500+0100"/>', '<effectiveTime value="20261121083000+0100"/>'),
                     ("  <componentOf>", '  <relatedDocument typeCode="RPLC">\n    <parentDocument>\n'
                      f'      <id root="{of}"/>\n    </parentDocument>\n  </relatedDocument>\n  <componentOf>'),
                     ("<title>", f"<title>{title}")):
        assert again.count(old.encode()) == 1
        again = again.replace(old.encode(), new.encode())
    return again


def hand_in(gateway: Gateway, door: str, cda: bytes, name: str = "document.xml", **message) -> str:
    """Brings a good document in by that door, and returns our id for it once it is acknowledged."""
    if door == "mllp":
        ack = gateway.send(mdm_t02(cda, **message))
        assert ack is not None and ack.code == "AA", ack and ack.errors
    else:
        start = len(gateway.journal.lines)
        gateway.drop(name, cda)
        assert gateway.wait_moved(name, start=start) == "done"
    return next(each["doc"] for each in gateway.documents() if each["unique_id"] == unique_id(cda))


@functools.cache
def patient_words() -> list[str]:
    """Everything that identifies a patient of the samples."""
    words = {"PAT-TROIS", "DOMINIQUE", "279035121518989"}
    for path in [*DATA.glob("*.xml"), *(DATA / "hostile").glob("*.xml")]:
        about = header(path.read_bytes())
        words |= {about["ins"], about["family"], about["birth"], *about["all_given"].split()}
    return sorted(word for word in words if len(word) > 3)


def patient_words_in(text: str | pathlib.Path) -> list[str]:
    if isinstance(text, pathlib.Path):
        text = text.read_text(encoding="utf-8")
    return [word for word in patient_words() if re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE)]
