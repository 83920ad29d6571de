"""What was received, in a folder that can be read while the simulator runs and outlives it.

    documents/<uniqueId>/document.xml    the document, byte for byte
                         signature.xml   the signature of its submission, when there was one
                         request.xml     the SOAP envelope it came in
                         metadata.json   ids, type, size and digest; nothing about the patient
    journal.jsonl                        one line per exchange
    known.json                           uniqueIds the DMP is told to know already

A document's folder is written under `incoming/` and renamed, so it is there whole or not at all.
"""

import hashlib
import json
import os
import shutil
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from .findings import Finding, failure
from .submission import Document, Received


class Store:
    """Shared by every thread. What it holds in memory is what a restart reads back from the folder."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._documents = folder / "documents"
        self._incoming = folder / "incoming"
        self._journal = folder / "journal.jsonl"
        self._known_file = folder / "known.json"
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # documents are about patients
        self._read_back()

    # ---- what came

    def accept(self, received: Received, now: datetime) -> Finding | None:
        """Store a submission, or say which of its uniqueIds is there already (ITI TF-3 table 4.2.4.1-2)."""
        with self._lock:
            duplicate = self._find_duplicate(received)
            if duplicate is None:
                for document in received.documents:
                    self._write(document, received, now)
                self._remember(received.set_unique_id, received.unique_ids)
            return duplicate

    def is_new_message(self, message_id: str) -> bool:
        """A MessageID is never used twice, not even to send again what went wrong."""
        with self._lock:
            new = message_id not in self._messages
            self._messages.add(message_id)
            return new

    def record(self, line: dict[str, Any]) -> None:
        """Append one exchange to the journal, in one write."""
        with self._lock, open(self._journal, "ab", buffering=0) as journal:
            journal.write((json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8"))

    def received(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._metadata)

    # ---- what tests and trainers ask

    def know(self, unique_id: str) -> None:
        with self._lock:
            self._known.add(unique_id)
            _write_whole(self._known_file, json.dumps(sorted(self._known)).encode())

    def reset(self) -> None:
        with self._lock:
            for folder in (self._documents, self._incoming):
                shutil.rmtree(folder, ignore_errors=True)
            self._journal.unlink(missing_ok=True)
            self._known_file.unlink(missing_ok=True)
            self._read_back()

    # ---- within the lock

    def _read_back(self) -> None:
        self._documents.mkdir(exist_ok=True)
        shutil.rmtree(self._incoming, ignore_errors=True)  # what a crash left unfinished
        self._incoming.mkdir()
        self._known = set(json.loads(self._known_file.read_bytes())) if self._known_file.exists() else set()
        self._metadata = sorted(
            (json.loads(path.read_bytes()) for path in self._documents.glob("*/metadata.json")),
            key=lambda metadata: metadata["receivedAt"],
        )
        self._sets = {metadata["submissionSetUniqueId"] for metadata in self._metadata}
        self._unique_ids = {
            metadata[key] for metadata in self._metadata for key in ("uniqueId", "signatureUniqueId")
        } - {None}
        journal = self._journal.read_bytes().splitlines() if self._journal.exists() else []
        self._messages = {json.loads(line)["messageId"] for line in journal} - {None}
        self.exchanges_before = len(journal)

    def _find_duplicate(self, received: Received) -> Finding | None:
        for unique_id in received.unique_ids:
            if unique_id in self._unique_ids or unique_id in self._known:
                return failure(
                    "XDSDuplicateUniqueIdInRegistry",
                    "XDSDocumentEntry.uniqueId",
                    f"{unique_id} is already registered",
                )
        if received.set_unique_id in self._sets:
            return failure(
                "XDSDuplicateUniqueIdInRegistry",
                "XDSSubmissionSet.uniqueId",
                f"{received.set_unique_id} is already registered",
            )
        return None

    def _remember(self, set_unique_id: str, unique_ids: tuple[str, ...]) -> None:
        self._sets.add(set_unique_id)
        self._unique_ids.update(unique_ids)

    def _write(self, document: Document, received: Received, now: datetime) -> None:
        metadata = {
            "uniqueId": document.unique_id,
            "submissionSetUniqueId": received.set_unique_id,
            "signatureUniqueId": received.signature.unique_id if received.signature else None,
            "typeCode": document.type_code,
            "size": len(document.body),
            "sha256": hashlib.sha256(document.body).hexdigest(),
            "receivedAt": now.isoformat(timespec="microseconds"),
        }
        folder = self._incoming / document.unique_id
        folder.mkdir()
        (folder / "document.xml").write_bytes(document.body)
        if received.signature:
            (folder / "signature.xml").write_bytes(received.signature.body)
        (folder / "request.xml").write_bytes(received.request)
        (folder / "metadata.json").write_text(json.dumps(metadata, indent=1) + "\n")
        folder.rename(self._documents / document.unique_id)
        self._metadata.append(metadata)


def _write_whole(path: Path, data: bytes) -> None:
    """A reader sees the old content or the new, nothing between."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)
