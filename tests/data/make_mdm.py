#!/usr/bin/env python3
"""Wraps a CDA document into an MDM^T02 message of the ANS profile "Transmission de documents CDA en HL7 v2", 2.1.

    make_mdm.py discharge-letter.xml > discharge-letter.hl7
    make_mdm.py --control-id A0002 --flag MASQUE_PS=Y --mllp consultation-note.xml | nc ...

As a module: `from make_mdm import mdm_t02`. What the message says about document and patient is taken from the
document's bytes by searching, never by parsing: hostile documents must travel as they are.
"""

import argparse
import base64
import re
import sys

FLAGS = {
    "MASQUE_PS": "Masqué aux professionnels de Santé",
    "INVISIBLE_PATIENT": "Document Non Visible par le patient",
    "INVISIBLE_REP_LEGAUX": "Non visible par les représentants Légaux du patient",
    "CONNEXION_SECRETE": "Connexion Secrete",
    "MODIF_CONF_CODE": "Modification Confidentiality Code",
    "DESTDMP": "Destinataire DMP",
    "DESTMSSANTEPS": "Destinataire (Professionnel de Santé, organisation ou BAL applicative)",
    "DESTMSSANTEPAT": "Destinataire Patient",
    "ACK_RECEPTION": "Accusé de réception",
    "ACK_LECTURE_MSS": "Accusé de lecture",
}
FLAGS_SET = {"DESTDMP", "ACK_RECEPTION"}  # unless the caller says otherwise

INS_TEST = "1.2.250.1.213.1.4.10"
INS_NAMES = {"1.2.250.1.213.1.4.9": "ASIP-SANTE-INS-NIA"}  # every other domain: ASIP-SANTE-INS-NIR
TRIGGERS = {"T02": ("NW", "F"), "T10": ("RO", "C"), "T04": ("CA", "D")}  # ORC-1 and OBX-11 that go with MSH-9.2


HEADER_BYTES = 200_000  # a body may have many megabytes
NO_DOCUMENT = {
    "document_id": "1.2.250.1.999.1.1.7999", "parent_id": "", "type_code": "11490-0", "type_name": "Lettre de liaison",
    "type_system": "", "ins": "279035121518989", "ins_oid": INS_TEST, "ipp": "4711", "ipp_oid": "1.2.250.1.999.1",
    "family": "PAT-TROIS", "given": "DOMINIQUE", "all_given": "DOMINIQUE", "sex": "F", "birth": "19790328",
    "county": "51215",
}


def _find(pattern: str, cda: str, default: str) -> str:
    found = re.search(pattern, cda, re.S)
    return found.group(1).strip() if found else default


def _element(name: str, attribute: str) -> str:
    """The value of an attribute of the first element of that name, whatever its prefix."""
    return rf"<(?:\w+:)?{name}\b[^>]*?\s{attribute}\s*=\s*\"([^\"]*)\""


def _document_id(document: str) -> str:
    """TXA-12: an OID, or extension^^root^ISO."""
    element = _find(r"(<(?:\w+:)?id\b[^>]*>)", document, "")
    root, extension = _find(_element("id", "root"), element, ""), _find(_element("id", "extension"), element, "")
    return f"{extension}^^{root}^ISO" if extension else root


def header(cda: bytes) -> dict[str, str]:
    """What the message repeats of the document; of what is not a CDA, a made-up patient and document."""
    start = cda.find(b"ClinicalDocument")
    if start < 0:
        return NO_DOCUMENT
    document = cda[start : start + HEADER_BYTES].decode("utf-8", "replace")
    patient = document[document.find("recordTarget") : document.find("</", document.find("birthTime"))]
    local = _find(rf"<(?:\w+:)?id\b[^>]*?root=\"(?!1\.2\.250\.1\.213\.1\.4\.)([^\"]+)\"", patient, "")
    ins_oid = _find(r"root=\"(1\.2\.250\.1\.213\.1\.4\.(?:8|9|10|11))\"", patient, INS_TEST)
    ins = _find(rf"root=\"{re.escape(ins_oid)}\"[^>]*?extension=\"([^\"]*)\"", patient, "")
    return {
        "document_id": _document_id(document),
        "parent_id": _find(r"parentDocument.*?" + _element("id", "root"), document, ""),
        "type_code": _find(_element("code", "code"), document, "11490-0"),
        "type_name": _find(_element("code", "displayName"), document, "Document"),
        "type_system": _find(_element("code", "codeSystem"), document, ""),
        "ins": ins or _find(rf"extension=\"(\d{{5}}[\dAB]{{2}}\d{{8}})\"[^>]*?root=\"{re.escape(ins_oid)}\"", patient, ""),
        "ins_oid": ins_oid,
        "ipp": _find(rf"root=\"{re.escape(local)}\"[^>]*?extension=\"([^\"]*)\"", patient, "") if local else "",
        "ipp_oid": local,
        "family": _find(r"<(?:\w+:)?family\b[^>]*>([^<]*)<", patient, "PAT-TROIS"),
        "given": _find(r"<(?:\w+:)?given\b[^>]*\bqualifier=\"BR\"[^>]*>([^<]*)<", patient, "DOMINIQUE"),
        "all_given": _find(r"<(?:\w+:)?given>([^<]*)<", patient, "DOMINIQUE"),
        "sex": _find(_element("administrativeGenderCode", "code"), patient, "F"),
        "birth": _find(_element("birthTime", "value"), patient, "19790328")[:8],
        "county": _find(r"<(?:\w+:)?county>([^<]*)<", document, "51215"),
    }


def escape(text: str) -> str:
    """Text as a component: the delimiters of MSH-1 and MSH-2 escaped."""
    return re.sub(r"[\\|^&~]", lambda found: "\\" + "EFSTR"["\\|^&~".index(found.group())] + "\\", text)


def _patient(h: dict[str, str]) -> str:
    """PID-3, the identifiers."""
    ids = []
    if h["ins"]:
        ids.append(f"{escape(h['ins'])}^^^{INS_NAMES.get(h['ins_oid'], 'ASIP-SANTE-INS-NIR')}&{h['ins_oid']}&ISO^INS")
    if h["ipp"]:
        ids.append(f"{escape(h['ipp'])}^^^CH-A&{h['ipp_oid']}&ISO^PI")
    return "~".join(ids)


def _segment(name: str, **fields: str) -> str:
    """A segment from its fields: f1, f2..., the others empty."""
    numbered = {int(key[1:]): value for key, value in fields.items()}
    return "|".join([name] + [numbered.get(i, "") for i in range(1, max(numbered) + 1)])


def mdm_t02(
    cda: bytes,
    *,
    control_id: str = "A0001",
    trigger: str = "T02",
    time: str = "20261120101500",
    application: str = "DPI-A",
    facility: str = "CH-A",
    processing_id: str = "P",
    charset: str = "UNICODE UTF-8",
    profile: str = "2.1^CISIS_CDA_HL7_V2",
    identity_status: str = "VALI",
    visit_class: str = "I",
    sender: bool = True,
    flags: dict[str, str] | None = None,
    changes: dict[str, str] | None = None,
    end: str = "\r",
) -> bytes:
    """The message, in UTF-8 or 8859/15 as `charset` says, without MLLP framing.

    `flags` gives the value of flags by name (None leaves one out); `changes` replaces what header() found, so
    that the message may contradict its document.
    """
    h = header(cda) | (changes or {})
    order, status = TRIGGERS[trigger]
    type_system = "TRE_A05" if h["type_system"] == "1.2.250.1.213.1.1.4.12" else "LN"
    document = f"{escape(h['type_code'])}^{escape(h['type_name'])}^{type_system}"
    segments = [
        f"MSH|^~\\&|{application}|{facility}|PFI|CH-A|{time}||MDM^{trigger}^MDM_T02|{control_id}|{processing_id}|2.6"
        f"|||||FRA|{charset}|||{profile}",
        _segment("EVN", f2=time),
        _segment("PID", f3=_patient(h),
                 f5=f"{escape(h['family'])}^{escape(h['given'])}^{escape(h['all_given'])}^^^^L", f7=h["birth"],
                 f8=h["sex"], f11=f"^^^^^^BDL^^{h['county']}", f18="88001^^^CH-A&1.2.250.1.999.2&ISO^AN",
                 f32=identity_status),
        _segment("PV1", f2=visit_class, f3="UF12", f19="V88001^^^CH-A&1.2.250.1.999.3&ISO^VN"),
        _segment("ORC", f1=order),
        _segment("OBR", f4=document),
        _segment("TXA", f1="1", f2=escape(h["type_code"]), f3="TEXT", f12=h["document_id"], f13=h["parent_id"], f17="AU"),
        _segment("OBX", f1="1", f2="ED", f3=document,
                 f5=f"^text^XML^Base64^{base64.b64encode(cda).decode('ascii')}", f11=status),
    ]
    if sender:
        segments.append(_segment(
            "PRT", f2="UC", f4="SB^Send by^participation",
            f5="801234567866^MARTIN^Claire^^^^^^ANS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS",
            f8="CH DE VALBRUME^^^^^ANS&1.2.250.1.71.4.2.2&ISO^FINEG^^^990012345"))
    values = {name: "Y" if name in FLAGS_SET else "N" for name in FLAGS} | (flags or {})
    for number, (name, value) in enumerate(((n, v) for n, v in values.items() if v is not None), 2):
        segments.append(_segment("OBX", f1=str(number), f2="CWE", f3=f"{name}^{FLAGS.get(name, name)}^MetaDMPMSS",
                                 f5=f"{value}^^expandedYes-NoIndicator", f11="F"))
    return (end.join(segments) + end).encode("iso8859-15" if charset == "8859/15" else "utf-8", "replace")


def mllp(message: bytes) -> bytes:
    return b"\x0b" + message + b"\x1c\r"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="a CDA document")
    parser.add_argument("--control-id", default="A0001", help="MSH-10")
    parser.add_argument("--trigger", choices=sorted(TRIGGERS), default="T02", help="T02 add, T10 replace, T04 delete")
    parser.add_argument("--identity-status", default="VALI", help="PID-32")
    parser.add_argument("--visit-class", default="I", help="PV1-2")
    parser.add_argument("--charset", default="UNICODE UTF-8", help="MSH-18")
    parser.add_argument("--profile", default="2.1^CISIS_CDA_HL7_V2", help="MSH-21")
    parser.add_argument("--no-sender", action="store_true", help="without PRT SB")
    parser.add_argument("--flag", action="append", default=[], metavar="NAME=Y|N", help="a flag of MetaDMPMSS")
    parser.add_argument("--change", action="append", default=[], metavar="NAME=VALUE",
                        help="something else than the document says: ins=…, document_id=…, type_code=…")
    parser.add_argument("--mllp", action="store_true", help="framed")
    arguments = parser.parse_args()

    with open(arguments.file, "rb") as file:
        message = mdm_t02(
            file.read(), control_id=arguments.control_id, trigger=arguments.trigger,
            identity_status=arguments.identity_status, visit_class=arguments.visit_class, charset=arguments.charset,
            profile=arguments.profile, sender=not arguments.no_sender,
            flags=dict(flag.split("=", 1) for flag in arguments.flag),
            changes=dict(change.split("=", 1) for change in arguments.change))
    sys.stdout.buffer.write(mllp(message) if arguments.mllp else message)


if __name__ == "__main__":
    main()
