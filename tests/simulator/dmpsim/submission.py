"""TD2.1, Provide and Register Document Set (ITI-41): the order in which one request is judged."""

from dataclasses import dataclass

from . import registry
from .agreement import check_agreement, documents_of
from .document import check_document, check_hash_and_size, replaced_by
from .dossiers import Asker
from .findings import Finding, metadata
from .frame import read_frame
from .judgement import FOLDER, Judged, Opened, if_oid, judge_with
from .registry import check_object
from .rim import RegistryObject, Submission, read_submission
from .signature import check_signature, signature_of
from .vihf import check_secret, check_set
from .xades import check_xades

PATH = f"{FOLDER}/repository"
ACTION = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
REPLY_ACTION = f"{ACTION}Response"


@dataclass(frozen=True)
class Document:
    unique_id: str
    type_code: str
    body: bytes
    replaces: tuple[str, ...] = ()  # entryUUIDs, by its associations
    parents: tuple[str, ...] = ()  # uniqueIds, by its own header


@dataclass(frozen=True)
class Received:
    """What is stored of one accepted submission."""

    set_unique_id: str
    documents: tuple[Document, ...]
    signature: Document | None
    request: bytes
    asker: Asker

    @property
    def unique_ids(self) -> tuple[str, ...]:
        every = (*self.documents, self.signature) if self.signature else self.documents
        return tuple(document.unique_id for document in every)


def _judge(opened: Opened, judged: Judged) -> None:
    submission = read_submission(opened.envelope.content, opened.frame)
    judged.set_unique_id = if_oid(submission.package.identifier(registry.UNIQUE_ID_OF_SET))
    judged.unique_ids = tuple(filter(None, map(_unique_id, documents_of(submission))))
    judged.findings += _check_submission(submission, opened)
    if not judged.findings:
        judged.wanted = _receive(submission, opened)


judge = judge_with(read_frame, ACTION, PATH, _judge)


def _check_submission(submission: Submission, opened: Opened) -> list[Finding]:
    settings, vihf = opened.settings, opened.vihf
    signature = signature_of(submission)
    document = registry.DOCUMENT_WITH_HASH if settings.hash_and_size else registry.DOCUMENT
    findings = check_object(submission.package, registry.SET)
    for entry in submission.entries:
        findings += check_object(entry, registry.SIGNATURE if entry is signature else document)
    findings += check_agreement(submission, settings.agreement(opened.now))
    if vihf is not None:
        findings += [*check_set(vihf, submission.package), *check_secret(vihf, documents_of(submission))]
    if settings.require_signature and signature is None:
        findings.append(metadata("Signature01", "the signature of the submission is missing"))
    findings += check_signature(submission)
    if settings.value_sets is not None:
        findings += settings.value_sets.check(submission)
    findings += check_xades(submission, settings.vihf.trust, vihf, opened.now)
    for entry in documents_of(submission):
        part = submission.part_of(entry)
        if part is not None:
            findings += check_document(entry, part.body)
            findings += check_hash_and_size(entry, part.body)
    if settings.schemas is not None:
        findings += settings.schemas.check_submission(submission)
    return findings


def _receive(submission: Submission, opened: Opened) -> Received:
    signature = signature_of(submission)
    (author,) = submission.package.classified(registry.AUTHOR_OF_SET)
    structure = author.values("authorInstitution")[0].rpartition("^")[2]
    return Received(
        submission.package.identifier(registry.UNIQUE_ID_OF_SET),
        tuple(_document(submission, entry) for entry in documents_of(submission)),
        _document(submission, signature) if signature else None,
        opened.frame.root.body,
        opened.asker(submission.package.identifier(registry.PATIENT_OF_SET), structure),
    )


def _document(submission: Submission, entry: RegistryObject) -> Document:
    """Of an entry against which nothing was found: it has its type code and its part."""
    code, _ = entry.codes(registry.TYPE_CODE)[0]
    part = submission.part_of(entry)
    assert part is not None
    replaces = tuple(
        a.target for a in submission.associations if (a.type, a.source) == (registry.REPLACES, entry.id)
    )
    return Document(
        entry.identifier(registry.UNIQUE_ID_OF_ENTRY),
        code,
        part.body,
        replaces,
        replaced_by(part.body) if replaces else (),
    )


def _unique_id(entry: RegistryObject) -> str | None:
    return if_oid(entry.identifier(registry.UNIQUE_ID_OF_ENTRY))
