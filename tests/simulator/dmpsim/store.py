"""What was received, in a folder that can be read while the simulator runs and outlives it.

    documents/<uniqueId>/document.xml    the document, byte for byte
                         signature.xml   the signature of its submission, when there was one
                         request.xml     the SOAP envelope it came in
                         patient         the INS of its DMP, apart so that metadata.json is about nobody
                         metadata.json   ids, type, size, digest, structure and present status
    journal.jsonl                        one line per exchange
    known.json                           documents the DMP is told to hold already
    patients.json                        the DMPs that are closed or absent, by INS

A document's folder is written under `incoming/` and renamed, so it is there whole or not at all.
"""

import hashlib
import json
import os
import shutil
import threading
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .deletion import Deletion
from .dossiers import Asker, Dmp, Dossiers, Entry, Status, ins_of, new_entry_uuid
from .findings import Finding, failure, fault
from .query import Query
from .submission import Document, Received

_DUPLICATE = "XDSDuplicateUniqueIdInRegistry"


@dataclass(frozen=True)
class Habits:
    """Where it is not known what the DMP does: what it does otherwise than by default."""

    any_related_document: bool = False
    fault_when_absent: bool = False
    replaced_first: bool = False


class Store:
    """Shared by every thread. What it holds in memory is what a restart reads back from the folder."""

    def __init__(self, folder: Path, habits: Habits = Habits()):
        self._folder = folder
        self._habits = habits
        self._documents = folder / "documents"
        self._incoming = folder / "incoming"
        self._journal = folder / "journal.jsonl"
        self._known_file = folder / "known.json"
        self._patients_file = folder / "patients.json"
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # documents are about patients
        self._read_back()

    # ---- what came

    def accept(self, received: Received, now: datetime) -> Finding | None:
        """Store a submission and deprecate what it replaces, or say why not (ITI TF-3 table 4.2.4.1-2)."""
        with self._lock:
            refused = self._refuse(received)
            if refused is None:
                for document in received.documents:
                    self._write(document, received, now)
                    for target in document.replaces:
                        self._move(self._dossiers.with_uuid(target), Status.DEPRECATED)
                self._sets.add(received.set_unique_id)
                self._signatures.update(received.unique_ids[len(received.documents) :])
            return refused

    def find(self, query: Query) -> list[str] | Finding:
        """The entryUUID of a document, when there is one."""
        with self._lock:
            refused = self._dossiers.refuse_patient(query.asker.patient)
            found = self._dossiers.find(query.unique_id, query.asker)
            if not found and self._habits.fault_when_absent:
                refused = refused or fault("uniqueId", "there is no such document", "XDSDocumentUniqueIdError")
            return refused or found

    def delete(self, deletion: Deletion) -> tuple[Finding | None, str]:
        """Mark a document deleted, or say why not; and which one it is."""
        with self._lock:
            entry = self._dossiers.with_uuid(deletion.target)
            refused = (
                self._dossiers.refuse_patient(deletion.asker.patient)
                or self._duplicate_set(deletion.set_unique_id)
                or self._dossiers.refuse_deletion(deletion.target, deletion.original, deletion.asker)
            )
            if refused is None:
                self._sets.add(deletion.set_unique_id)
                self._move(entry, Status.DELETED)
            return refused, entry.unique_id if entry else ""

    def dmp(self, patient: str) -> Dmp:
        with self._lock:
            return self._dossiers.dmp(ins_of(patient))

    def is_new(self, id_: str) -> bool:
        """The id of a message or an assertion is never used twice, not even to send again what went wrong."""
        with self._lock:
            new = id_ not in self._used
            self._used.add(id_)
            return new

    def record(self, line: dict[str, Any]) -> None:
        """Append one exchange to the journal, in one write."""
        with self._lock, open(self._journal, "ab", buffering=0) as journal:
            journal.write((json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8"))

    def received(self) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(metadata) for metadata in self._metadata.values()]

    # ---- what tests and trainers ask

    def know(self, entry: Entry) -> None:
        """Hold a document that was never received here. One that was keeps what it is."""
        with self._lock:
            if entry.unique_id not in self._metadata:
                self._dossiers.entries[entry.unique_id] = entry
                self._write_known()

    def put_patients(self, dmps: dict[str, Dmp]) -> None:
        """The state of each DMP; those not named are active."""
        with self._lock:
            self._dossiers.dmps = dict(dmps)
            told = {ins: dmp.value for ins, dmp in dmps.items()}
            _write_whole(self._patients_file, json.dumps(told, indent=1).encode())

    def patients(self) -> dict[str, str]:
        with self._lock:
            return {ins: dmp.value for ins, dmp in self._dossiers.dmps.items()}

    def reset(self) -> None:
        with self._lock:
            for folder in (self._documents, self._incoming):
                shutil.rmtree(folder, ignore_errors=True)
            for file in (self._journal, self._known_file, self._patients_file):
                file.unlink(missing_ok=True)
            self._read_back()

    # ---- within the lock

    def _read_back(self) -> None:
        self._documents.mkdir(exist_ok=True)
        shutil.rmtree(self._incoming, ignore_errors=True)  # what a crash left unfinished
        self._incoming.mkdir()
        self._dossiers = Dossiers()
        self._metadata = {
            metadata["uniqueId"]: metadata
            for metadata in sorted(
                (json.loads(path.read_bytes()) for path in self._documents.glob("*/metadata.json")),
                key=lambda metadata: metadata["receivedAt"],
            )
        }
        for unique_id, metadata in self._metadata.items():
            self._dossiers.entries[unique_id] = self._entry_of(metadata)
        for known in _read(self._known_file, []):
            entry = Entry(**{**known, "status": Status[known["status"].upper()]})
            self._dossiers.entries.setdefault(entry.unique_id, entry)
        self._dossiers.dmps = {ins: Dmp(told) for ins, told in _read(self._patients_file, {}).items()}
        journal = self._journal.read_bytes().splitlines() if self._journal.exists() else []
        lines = [json.loads(line) for line in journal]
        self._sets = {metadata["submissionSetUniqueId"] for metadata in self._metadata.values()}
        self._sets |= {line["submissionSetUniqueId"] for line in lines if line["verdict"] == "deleted"}
        self._signatures = {metadata["signatureUniqueId"] for metadata in self._metadata.values()} - {None}
        self._used = {line.get(key) for line in lines for key in ("messageId", "assertionId")} - {None}
        self.exchanges_before = len(lines)

    def _entry_of(self, metadata: dict[str, Any]) -> Entry:
        unique_id = metadata["uniqueId"]
        return Entry(
            unique_id,
            metadata["entryUUID"],
            (self._documents / unique_id / "patient").read_text().strip(),
            metadata["structure"],
            Status[metadata["status"].upper()],
        )

    def _refuse(self, received: Received) -> Finding | None:
        replaced = self._refuse_replacements(received.documents, received.asker)
        return (
            self._dossiers.refuse_patient(received.asker.patient)
            or (replaced if self._habits.replaced_first else None)
            or self._duplicate_entry(received)
            or self._duplicate_set(received.set_unique_id)
            or replaced
        )

    def _duplicate_entry(self, received: Received) -> Finding | None:
        for unique_id in received.unique_ids:
            if unique_id in self._dossiers.entries or unique_id in self._signatures:
                return failure(_DUPLICATE, "XDSDocumentEntry.uniqueId", f"{unique_id} is already registered")
        return None

    def _duplicate_set(self, unique_id: str) -> Finding | None:
        if unique_id in self._sets:
            return failure(_DUPLICATE, "XDSSubmissionSet.uniqueId", f"{unique_id} is already registered")
        return None

    def _refuse_replacements(self, documents: tuple[Document, ...], asker: Asker) -> Finding | None:
        for document in documents:
            parents = None if self._habits.any_related_document else document.parents
            for target in document.replaces:
                refused = self._dossiers.refuse_replacement(target, parents, asker)
                if refused is not None:
                    return refused
        return None

    def _move(self, entry: Entry | None, status: Status) -> None:
        assert entry is not None  # nothing was found against it
        entry.status = status
        metadata = self._metadata.get(entry.unique_id)
        if metadata is None:
            self._write_known()
        else:
            metadata["status"] = status.word
            _write_whole(self._documents / entry.unique_id / "metadata.json", _told(metadata))

    def _write_known(self) -> None:
        known = [entry for entry in self._dossiers.entries.values() if entry.unique_id not in self._metadata]
        told = [{**asdict(entry), "status": entry.status.word} for entry in known]
        _write_whole(self._known_file, json.dumps(told, indent=1).encode())

    def _write(self, document: Document, received: Received, now: datetime) -> None:
        entry = Entry(
            document.unique_id, new_entry_uuid(), received.asker.patient, received.asker.structure
        )
        metadata = {
            "uniqueId": document.unique_id,
            "submissionSetUniqueId": received.set_unique_id,
            "signatureUniqueId": received.signature.unique_id if received.signature else None,
            "typeCode": document.type_code,
            "size": len(document.body),
            "sha256": hashlib.sha256(document.body).hexdigest(),
            "receivedAt": now.isoformat(timespec="microseconds"),
            "entryUUID": entry.entry_uuid,
            "structure": entry.structure,
            "status": entry.status.word,
            "replaces": list(document.replaces),
        }
        folder = self._incoming / document.unique_id
        folder.mkdir()
        (folder / "document.xml").write_bytes(document.body)
        if received.signature:
            (folder / "signature.xml").write_bytes(received.signature.body)
        (folder / "request.xml").write_bytes(received.request)
        (folder / "patient").write_text(f"{entry.patient}\n")
        (folder / "metadata.json").write_bytes(_told(metadata))
        folder.rename(self._documents / document.unique_id)
        self._metadata[document.unique_id] = metadata
        self._dossiers.entries[document.unique_id] = entry


def _told(metadata: dict[str, Any]) -> bytes:
    return (json.dumps(metadata, indent=1) + "\n").encode()


def _read(path: Path, otherwise: Any) -> Any:
    return json.loads(path.read_bytes()) if path.exists() else otherwise


def _write_whole(path: Path, data: bytes) -> None:
    """A reader sees the old content or the new, nothing between."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)
