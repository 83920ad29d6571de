"""TD2.1, Provide and Register Document Set (ITI-41): the order in which one request is judged.

Pure: bytes in, findings and what could be stored out. What depends on earlier requests is the store's to say.
"""

from dataclasses import dataclass, field
from datetime import datetime

from . import agreement, registry
from .agreement import check_agreement, documents_of
from .document import check_document
from .envelope import Expected, check_envelope, read_envelope
from .findings import Finding, Refused
from .formats import OID
from .frame import Frame, read_frame
from .http1 import Request
from .registry import check_object
from .rim import RegistryObject, Submission, read_submission
from .schema import SubmissionSchema
from .signature import check_signature, signature_of

PATH = "/si-dmp-server/v2/services/repository"
ACTION = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
REPLY_ACTION = f"{ACTION}Response"


@dataclass(frozen=True)
class Settings:
    """What the person who runs the simulator chose."""

    require_vihf: bool = False
    masked_and_invisible: bool = False
    schema: SubmissionSchema | None = None


@dataclass(frozen=True)
class Document:
    unique_id: str
    type_code: str
    body: bytes


@dataclass(frozen=True)
class Received:
    """What is stored of one accepted submission."""

    set_unique_id: str
    documents: tuple[Document, ...]
    signature: Document | None
    request: bytes

    @property
    def unique_ids(self) -> tuple[str, ...]:
        every = (*self.documents, self.signature) if self.signature else self.documents
        return tuple(document.unique_id for document in every)


@dataclass
class Judged:
    """As much of a request as could be read, and what is wrong with it."""

    findings: list[Finding] = field(default_factory=list)
    message_id: str | None = None
    set_unique_id: str | None = None
    unique_ids: tuple[str, ...] = ()
    received: Received | None = None  # only when nothing is wrong

    def refuse(self, finding: Finding) -> None:
        """Before all that the request itself already has against it."""
        self.findings.insert(0, finding)
        self.received = None


def judge(request: Request, settings: Settings, now: datetime) -> Judged:
    judged = Judged()
    try:
        _judge(request, settings, now, judged)
    except Refused as refused:
        judged.findings.append(refused.finding)
    return judged


def _judge(request: Request, settings: Settings, now: datetime, judged: Judged) -> None:
    frame = read_frame(request.head.get("Content-Type"), request.body, ACTION)
    envelope = read_envelope(frame.root.body)
    judged.message_id = envelope.message_id
    judged.findings += check_envelope(envelope, Expected(ACTION, PATH, settings.require_vihf))
    # The signature and the attributes of the VIHF, when they are verified, are judged here.
    submission = read_submission(envelope.content, frame)
    judged.set_unique_id = _if_oid(submission.package.identifier(registry.UNIQUE_ID_OF_SET))
    judged.unique_ids = tuple(filter(None, map(_unique_id, documents_of(submission))))
    judged.findings += _check_submission(submission, agreement.Settings(now, settings.masked_and_invisible))
    if settings.schema is not None:
        judged.findings += settings.schema.check(submission)
    if not judged.findings:
        judged.received = _receive(submission, frame)


def _check_submission(submission: Submission, settings: agreement.Settings) -> list[Finding]:
    signature = signature_of(submission)
    findings = check_object(submission.package, registry.SET)
    for entry in submission.entries:
        findings += check_object(entry, registry.SIGNATURE if entry is signature else registry.DOCUMENT)
    findings += check_agreement(submission, settings)
    findings += check_signature(submission)
    # The XAdES itself, when it is verified, is judged here.
    for entry in documents_of(submission):
        part = submission.part_of(entry)
        if part is not None:
            findings += check_document(entry, part.body)
    return findings


def _receive(submission: Submission, frame: Frame) -> Received:
    signature = signature_of(submission)
    return Received(
        submission.package.identifier(registry.UNIQUE_ID_OF_SET),
        tuple(_document(submission, entry) for entry in documents_of(submission)),
        _document(submission, signature) if signature else None,
        frame.root.body,
    )


def _document(submission: Submission, entry: RegistryObject) -> Document:
    """Of an entry against which nothing was found: it has its type code and its part."""
    code, _ = entry.codes(registry.TYPE_CODE)[0]
    part = submission.part_of(entry)
    assert part is not None
    return Document(entry.identifier(registry.UNIQUE_ID_OF_ENTRY), code, part.body)


def _unique_id(entry: RegistryObject) -> str | None:
    return _if_oid(entry.identifier(registry.UNIQUE_ID_OF_ENTRY))


def _if_oid(value: str) -> str | None:
    """Anything else must not reach a log."""
    return value if OID.matches(value) else None
