"""Exchange media (IHE XDM) as a correspondent's software makes them."""

from __future__ import annotations

import hashlib
import io
import stat
import zipfile
from xml.sax.saxutils import quoteattr

from samples import header, unique_id

RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
AUTHOR = "801234567866^MARTIN^Claire^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
FOLDER = "IHE_XDM/SUBSET01/"


def slot(name: str, value: str) -> str:
    value = value.replace("&", "&amp;")
    return f'<Slot name="{name}"><ValueList><Value>{value}</Value></ValueList></Slot>'


def identifier(scheme: str, value: str) -> str:
    return f'<ExternalIdentifier identificationScheme="urn:uuid:{scheme}" value={quoteattr(value)}/>'


def entry(number: int, cda: bytes, **but: str) -> str:
    """What METADATA.XML says of a document, but for what the caller says otherwise."""
    about = header(cda)
    says = {"mime": "text/xml", "uri": f"DOC{number:05}.XML", "size": str(len(cda)),
            "hash": hashlib.sha1(cda).hexdigest(), "unique_id": unique_id(cda),
            "patient": f"{about['ins']}^^^&{about['ins_oid']}&ISO^NH", "masks": "", **but}
    masks = "".join('<Classification classificationScheme="urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f" '
                    f'nodeRepresentation="{mask}"/>' for mask in ["N", *says["masks"].split()])
    return (f'<ExtrinsicObject id="Document{number:02}" mimeType="{says["mime"]}">' + slot("URI", says["uri"])
            + slot("size", says["size"]) + slot("hash", says["hash"]) + masks
            + identifier("58a6f841-87b3-4a3e-92fd-a8ffeff98427", says["patient"])
            + identifier("2e82c1f6-a085-4c72-9da3-8640a32e42ab", says["unique_id"]) + "</ExtrinsicObject>")


def replaces(number: int, target: str) -> str:
    return ('<Association associationType="urn:ihe:iti:2007:AssociationType:RPLC" '
            f'sourceObject="Document{number:02}" targetObject="{target}"/>')


def metadata(*objects: str, author: str = AUTHOR) -> bytes:
    return ('<?xml version="1.0" encoding="UTF-8"?><lcm:SubmitObjectsRequest '
            f'xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"><RegistryObjectList xmlns="{RIM}">'
            '<RegistryPackage id="Set"><Classification nodeRepresentation="" '
            'classificationScheme="urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d">' + slot("authorPerson", author)
            + "</Classification></RegistryPackage>" + "".join(objects)
            + "</RegistryObjectList></lcm:SubmitObjectsRequest>").encode()


def archive(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return out.getvalue()


def with_link(files: dict[str, bytes], name: str, target: str) -> bytes:
    """The same, with a symbolic link in it."""
    out = io.BytesIO(archive(files))
    link = zipfile.ZipInfo(name)
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(out, "a") as made:
        made.writestr(link, target)
    return out.getvalue()


def files_of(*documents: bytes, objects: list[str] | None = None, more: str = "") -> dict[str, bytes]:
    """What a medium of these documents holds; `objects` in place of their own entries."""
    said = objects or [entry(number, cda) for number, cda in enumerate(documents, 1)]
    return {"README.TXT": b"Made for a test.", "INDEX.HTM": b"<html/>", FOLDER + "METADATA.XML": metadata(*said, more),
            **{f"{FOLDER}DOC{number:05}.XML": cda for number, cda in enumerate(documents, 1)}}


def medium(*documents: bytes, objects: list[str] | None = None, more: str = "") -> bytes:
    return archive(files_of(*documents, objects=objects, more=more))
