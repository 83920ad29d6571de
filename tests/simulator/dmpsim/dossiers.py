"""What the simulated DMP holds: for each patient a DMP or none, in it documents with their versions.

Only rules, no file and no lock: the store keeps both.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from .findings import Finding, failure, fault

_STATUS = "urn:oasis:names:tc:ebxml-regrep:StatusType"
_FRENCH_STATUS = "urn:asip:ci-sis:2010:StatusType"


class Status(Enum):
    """Of a document, as ITI-57 names it."""

    APPROVED = f"{_STATUS}:Approved"
    DEPRECATED = f"{_STATUS}:Deprecated"
    ARCHIVED = f"{_FRENCH_STATUS}:Archived"
    DELETED = f"{_FRENCH_STATUS}:Deleted"

    @property
    def word(self) -> str:
        return self.name.lower()


class Dmp(Enum):
    """Of a patient."""

    ACTIVE = "active"
    CLOSED = "closed"
    ABSENT = "absent"


@dataclass
class Entry:
    """One document that is registered. An empty patient or structure is not known: it agrees with any."""

    unique_id: str
    entry_uuid: str
    patient: str = ""  # the INS alone
    structure: str = ""  # Struct_IdNat
    status: Status = Status.APPROVED


@dataclass(frozen=True)
class Asker:
    """For whom and by whom something is asked. Empty: not said."""

    patient: str
    structure: str


def new_entry_uuid() -> str:
    return f"urn:uuid:{uuid.uuid4()}"


def ins_of(cx: str) -> str:
    return cx.partition("^")[0]


class Dossiers:
    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}  # by uniqueId
        self.dmps: dict[str, Dmp] = {}  # by INS, active unless told

    def dmp(self, ins: str) -> Dmp:
        return self.dmps.get(ins, Dmp.ACTIVE)

    def refuse_patient(self, ins: str) -> Finding | None:
        """Feeding, finding and deleting need an active DMP."""
        state = self.dmp(ins)
        if state is Dmp.ABSENT:
            return failure("XDSUnknownPatientId", "patientId", "this patient has no DMP")
        if state is Dmp.CLOSED:
            return failure("DMPClosed", "patientId", "the DMP of this patient is closed")
        return None

    def with_uuid(self, entry_uuid: str) -> Entry | None:
        return next((entry for entry in self.entries.values() if entry.entry_uuid == entry_uuid), None)

    def find(self, unique_id: str, asker: Asker) -> list[str]:
        """Its entryUUID, or nothing when it is not there, deleted, of another patient or structure."""
        entry = self.entries.get(unique_id)
        if entry is None or entry.status is Status.DELETED or not self._own(entry, asker):
            return []
        return [entry.entry_uuid]

    def refuse_replacement(self, target: str, parents: Iterable[str] | None, asker: Asker) -> Finding | None:
        """`parents` are the documents that the new one says it replaces; None: whatever it says."""
        where = "Association[RPLC]/@targetObject"
        entry = self.with_uuid(target)
        if entry is None:
            return failure("UnresolvedReferenceException", where, "no document has this entryUUID")
        if entry.status is Status.DELETED:
            return failure("XDSReplaceFailed", where, "this document was deleted")
        if entry.status is Status.DEPRECATED:
            sentence = "this document was replaced already"
            return failure("XDSRegistryDeprecatedDocumentError", where, sentence)
        if not _agree(entry.patient, asker.patient):
            return failure("XDSPatientIdDoesNotMatch", where, "this document is of another patient")
        if not _agree(entry.structure, asker.structure):
            return _not_own(where, "replaced")
        if parents is not None and entry.unique_id not in parents:
            sentence = "no relatedDocument RPLC of the new document has the uniqueId of this one"
            return failure("InvalidDocumentContent", where, sentence)
        return None

    def refuse_deletion(self, target: str, original: str, asker: Asker) -> Finding | None:
        """`original` is the status that the request believes the document has."""
        where = "Association[1]/@targetObject"
        entry = self.with_uuid(target)
        if entry is None or entry.status is Status.DELETED:
            return failure("XDSMetadataUpdateError", where, "no document has this entryUUID, or not any more")
        if not _agree(entry.patient, asker.patient):
            return failure("XDSPatientIDReconciliationError", where, "this document is of another patient")
        if not _agree(entry.structure, asker.structure):
            return _not_own(where, "deleted")
        if entry.status.value != original:
            where = "Association[1]/Slot[OriginalStatus]"
            return failure("XDSMetadataVersionError", where, f"the document is {entry.status.word}")
        return None

    @staticmethod
    def _own(entry: Entry, asker: Asker) -> bool:
        return _agree(entry.patient, asker.patient) and _agree(entry.structure, asker.structure)


def _agree(one: str, other: str) -> bool:
    return not one or not other or one == other


def _not_own(where: str, done: str) -> Finding:
    sentence = f"only a document of one's own structure may be {done}"
    return fault(where, sentence, "DMPAccessDeniedByRightsService")
