"""Shapes of values in the metadata: ITI TF-3 table 4.2.3.1.7-2 with the French identifiers of CI-SIS.

What the gateway composes itself is judged to the letter; what it copies from the document's header (persons
and structures written by the source application) is judged by its shape only.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple


class Format(NamedTuple):
    words: str
    matches: Callable[[str], bool]


def _pattern(words: str, regex: str) -> Format:
    compiled = re.compile(regex, re.ASCII)
    return Format(words, lambda value: compiled.fullmatch(value) is not None)


def either(*formats: Format) -> Format:
    return Format(
        ", or ".join(f.words for f in formats), lambda value: any(f.matches(value) for f in formats)
    )


def _is_utc_time(value: str) -> bool:
    if re.fullmatch(r"\d{14}", value, re.ASCII) is None:
        return False
    try:
        datetime.strptime(value, "%Y%m%d%H%M%S")
    except ValueError:
        return False
    return True


def instant(value: str, zone: str = "Z", fraction: str = r"\.\d{3}") -> datetime | None:
    """ISO 8601, as XML Schema writes it, or None."""
    if not re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d{fraction}(?:{zone})", value, re.ASCII):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


_STRUCT_IDNAT = r"(?:0\w{8,9}|1\d[\dAB]\d{7}|2\d{9}|3\d{14}|4\d{11,14})"
_ARCS = r"[0-2](?:\.(?:0|[1-9]\d*))+"
_TEXT = r"[^\^&|~]+"
_PERSON_DOMAIN = r"&1\.2\.250\.1\.71\.4\.2\.1&ISO"
_INS_DOMAIN = r"&1\.2\.250\.1\.213\.1\.4\.(?:8|9|10|11)&ISO"
_STRUCTURE_DOMAIN = r"&1\.2\.250\.1\.71\.4\.2\.2&ISO"

TEXT = Format("a text that is not blank", lambda value: value.strip() != "")
OID = _pattern(
    "an OID: digits and dots, no leading zero in an arc, 64 characters at most", rf"(?=.{{1,64}}$){_ARCS}"
)
SHA1 = _pattern("a SHA-1, 40 hexadecimal digits", "[0-9A-Fa-f]{40}")
SIZE = _pattern("a number of bytes", r"0|[1-9]\d{0,17}")
UTC_TIME = Format("a UTC time of 14 digits, yyyyMMddHHmmss, without zone", _is_utc_time)
LANGUAGE = _pattern("a language such as fr-FR", r"[a-z]{2,3}(-[A-Z]{2})?")

INS = _pattern("an INS of 15 characters", r"\d{6}[\dAB]\d{8}")
# INS-NIR and INS-NIA of production, test and demonstration NIR. The 7th character is a letter for Corsica.
INS_CX = _pattern(
    "an INS: <15 characters>^^^&1.2.250.1.213.1.4.{8,9,10,11}&ISO^NH",
    r"\d{6}[\dAB]\d{8}\^\^\^&1\.2\.250\.1\.213\.1\.4\.(8|9|10|11)&ISO\^NH",
)
IPP_CX = _pattern("a local identifier: <IPP>^^^&<OID>&ISO^PI", rf"{_TEXT}\^\^\^&{_ARCS}&ISO\^PI")
REFERENCE_CX = _pattern(
    "a reference: <id>^^^&<OID>&ISO^urn:ihe:iti:…", rf"{_TEXT}\^\^\^(&{_ARCS}&ISO)?\^urn:ihe:iti:\S+"
)
PATIENT_INFO = _pattern(
    "PID-<n>|<value>, PID-7 as yyyyMMdd and PID-8 as M, F or U",
    r"PID-7\|\d{8}|PID-8\|[MFU]|PID-(?![78]\|)\d+\|.+",
)

PERSON = _pattern(
    "a person: <PS_IdNat>^<NAME>^<First name>^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS (0… or 8…), "
    "or EI with <n><structure>/<internal id>",
    rf"(?:(?:0\w{{9}}|8\d{{11}})\^{_TEXT}\^{_TEXT}\^{{6}}{_PERSON_DOMAIN}\^D\^\^\^IDNPS"
    rf"|[13-6]\w+/{_TEXT}\^{_TEXT}\^{_TEXT}\^{{6}}{_PERSON_DOMAIN}\^D\^\^\^EI)",
)
COPIED_PERSON = _pattern(
    "a person: <id>^<NAME>^<First name>^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS or EI, "
    "or a patient under the domain of the INS with NH",
    rf"{_TEXT}\^{_TEXT}\^[^\^&|~]*\^{{6}}({_PERSON_DOMAIN}\^D\^\^\^(IDNPS|EI)|{_INS_DOMAIN}\^D\^\^\^NH)",
)
SYSTEM = _pattern(
    "a system: <n><structure>/<internal id>^<name>^<model>^^^^^^&1.2.250.1.71.4.2.1&ISO^U^^^RI",
    rf"[13-6]\w+/{_TEXT}\^{_TEXT}\^[^\^&|~]*\^{{6}}{_PERSON_DOMAIN}\^U\^\^\^RI",
)
STRUCTURE = _pattern(
    "a structure: <name>^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^<Struct_IdNat>, "
    "the last being 1 and the 9 characters of a FINESS (or 0, 2, 3, 4 and another identifier)",
    rf"{_TEXT}\^{{5}}{_STRUCTURE_DOMAIN}\^IDNST\^\^\^{_STRUCT_IDNAT}",
)
COPIED_STRUCTURE = _pattern(
    "a structure: <name>^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^<id>, or its name alone, or without its name",
    rf"(?:{_TEXT})?\^{{5}}{_STRUCTURE_DOMAIN}\^IDNST\^\^\^{_TEXT}|{_TEXT}",
)
STRUCTURE_ID = _pattern(
    "a Struct_IdNat: 1 and the 9 characters of a FINESS (or 0, 2, 3, 4 and another identifier)", _STRUCT_IDNAT
)
SECTOR = _pattern("a sector: SA<nn>^1.2.250.1.71.4.2.4", r"SA\d\d\^1\.2\.250\.1\.71\.4\.2\.4")
INSTANT = Format(
    "an instant in UTC with milliseconds, yyyy-MM-ddThh:mm:ss.SSSZ", lambda value: instant(value) is not None
)
ENTRY_UUID = _pattern(
    "an entryUUID: urn:uuid: and a UUID in lower case", r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
SPECIALTY = _pattern("a specialty: <code>^<display>^<OID>", rf"{_TEXT}\^{_TEXT}\^{_ARCS}")
CODING_SCHEME = either(OID, _pattern("URN", "URN"), _pattern("ASTM", "ASTM"))
