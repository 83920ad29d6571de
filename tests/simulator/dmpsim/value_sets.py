"""Membership of codes in the value sets of the DMP, from the project's CSV files."""

import csv
from collections.abc import Iterator
from pathlib import Path

from . import registry
from .findings import Finding, metadata, named
from .rim import RegistryObject, Submission
from .signature import signature_of

_HERE = Path(__file__).resolve()
# In the source tree, then installed in share/dmpfeed.
_HOMES = (_HERE.parents[3] / "conf" / "value-sets", _HERE.parents[2] / "value-sets")

_OF_SET = (("contentTypeCode", registry.CONTENT_TYPE, "content-type.csv"),)
# Those that a signature shares with its document.
_OF_SETTING = (
    ("healthcareFacilityTypeCode", registry.FACILITY_TYPE, "healthcare-facility-type.csv"),
    ("practiceSettingCode", registry.PRACTICE_SETTING, "practice-setting.csv"),
)
_OF_DOCUMENT = (
    ("classCode", registry.CLASS_CODE, "class-code.csv"),
    ("typeCode", registry.TYPE_CODE, "type-code.csv"),
    ("confidentialityCode", registry.CONFIDENTIALITY, "confidentiality.csv"),
    ("formatCode", registry.FORMAT_CODE, "format-code.csv"),
    *_OF_SETTING,
)
_FILES = tuple(dict.fromkeys(file for _, _, file in (*_OF_SET, *_OF_DOCUMENT)))


class ValueSetProblem(Exception):
    """A file that is not as it must be; the text says which, and why."""


def shipped() -> Path | None:
    """The folder that comes with the project, when it is there."""
    return next((home for home in _HOMES if (home / "type-code.csv").is_file()), None)


class ValueSets:
    """Loaded once, then read by every thread."""

    def __init__(self, folder: Path):
        rows = {file: list(_rows(folder / file)) for file in _FILES}
        self._codes = {file: {(row["code"], row["system"]) for row in rows[file]} for file in _FILES}
        self._classes = {
            (row["code"], row["system"]): row.get("class") or "" for row in rows["type-code.csv"]
        }

    def check(self, submission: Submission) -> Iterator[Finding]:
        yield from self._members(submission.package, _OF_SET)
        signature = signature_of(submission)
        for entry in submission.entries:
            if entry is signature:
                yield from self._members(entry, _OF_SETTING)
            else:
                yield from self._members(entry, _OF_DOCUMENT)
                yield from self._class_of_type(entry)

    def _members(self, thing: RegistryObject, lists: tuple[tuple[str, str, str], ...]) -> Iterator[Finding]:
        for name, scheme, file in lists:
            for code, system in thing.codes(scheme):
                if code and (code, system) not in self._codes[file]:
                    where = f"{thing.location}/Classification[{name}]"
                    yield metadata(where, f"the code {named(code)} of {named(system)} is not in {file}")

    def _class_of_type(self, entry: RegistryObject) -> Iterator[Finding]:
        """classCode is deduced from typeCode."""
        for pair in entry.codes(registry.TYPE_CODE):
            expected = self._classes.get(pair)
            if expected and expected not in [code for code, _ in entry.codes(registry.CLASS_CODE)]:
                where = f"{entry.location}/Classification[classCode]"
                yield metadata(where, f"the class of this type is {expected}, by type-code.csv")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(line for line in file if not line.startswith("#"))
        if not {"code", "system"} <= set(reader.fieldnames or ()):
            raise ValueSetProblem(f"{path}: the columns code and system are expected")
        yield from reader
