"""TD3.3c, the logical deletion of one's own document: ITI-57 with one UpdateAvailabilityStatus."""

from collections.abc import Iterator
from dataclasses import dataclass

from . import formats, registry
from .agreement import check_update
from .dossiers import Asker, Status
from .findings import Finding, failure, metadata
from .frame import read_plain
from .judgement import FOLDER, Judged, Opened, denied, if_oid, judge_with
from .registry import check_object
from .rim import Association, Submission, read_update
from .vihf import check_set

PATH = f"{FOLDER}/registry"
ACTION = "urn:ihe:iti:2010:UpdateDocumentSet"
REPLY_ACTION = f"{ACTION}-Response"

UPDATE_STATUS = "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"
_OBJECT_TYPE = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association"


@dataclass(frozen=True)
class Deletion:
    set_unique_id: str
    target: str  # entryUUID
    original: str  # the status it is believed to have
    asker: Asker


def _judge(opened: Opened, judged: Judged) -> None:
    update = read_update(opened.envelope.content)
    judged.set_unique_id = if_oid(update.package.identifier(registry.UNIQUE_ID_OF_SET))
    judged.findings += _check(update)
    judged.findings += check_object(update.package, registry.SET)
    judged.findings += check_update(update, opened.settings.agreement(opened.now))
    if opened.vihf is not None:
        judged.findings += check_set(opened.vihf, update.package)
    if opened.settings.value_sets is not None:
        judged.findings += opened.settings.value_sets.check(update)
    if opened.settings.schemas is not None:
        judged.findings += opened.settings.schemas.check_update(update.content)
    if not judged.findings:
        judged.wanted = _deletion(update, opened)


judge = judge_with(read_plain, ACTION, PATH, _judge)


def _deletion(update: Submission, opened: Opened) -> Deletion:
    (author,) = update.package.classified(registry.AUTHOR_OF_SET)
    structure = author.values("authorInstitution")[0].rpartition("^")[2]
    (association,) = update.associations
    return Deletion(
        update.package.identifier(registry.UNIQUE_ID_OF_SET),
        association.target,
        _slot(association, "OriginalStatus"),
        opened.asker(update.package.identifier(registry.PATIENT_OF_SET), structure),
    )


def _check(update: Submission) -> Iterator[Finding]:
    if update.entries:
        yield denied("rim:ExtrinsicObject", "changing the metadata of a document (TD3.3a, TD3.3b)")
        return
    if len(update.associations) != 1:
        yield metadata("rim:RegistryObjectList", "one Association is expected: one document at a time")
        return
    (association,) = update.associations
    where = association.location
    if association.type != UPDATE_STATUS:
        sentence = f"{UPDATE_STATUS} is expected"
        yield failure("XDSMetadataUpdateOperationError", f"{where}/@associationType", sentence)
    if association.source != update.package.id:
        yield metadata(f"{where}/@sourceObject", "the submission set is expected")
    if not formats.ENTRY_UUID.matches(association.target):
        yield metadata(f"{where}/@targetObject", "the entryUUID of the document, urn:uuid:…, is expected")
    if association.object_type not in (None, _OBJECT_TYPE):
        yield metadata(f"{where}/@objectType", f"{_OBJECT_TYPE} is expected")
    yield from _check_statuses(association)


def _check_statuses(association: Association) -> Iterator[Finding]:
    where = association.location
    if sorted(slot.name for slot in association.slots) != ["NewStatus", "OriginalStatus"]:
        yield metadata(where, "the slots OriginalStatus and NewStatus are expected, and nothing else")
        return
    if _slot(association, "OriginalStatus") not in (Status.APPROVED.value, Status.ARCHIVED.value):
        sentence = f"{Status.APPROVED.value} or {Status.ARCHIVED.value} is expected"
        yield failure("XDSMetadataUpdateError", f"{where}/Slot[OriginalStatus]", sentence)
    new = _slot(association, "NewStatus")
    if new in (Status.ARCHIVED.value, Status.APPROVED.value):
        yield denied(f"{where}/Slot[NewStatus]", "archiving a document or taking it back (TD3.3d)")
    elif new != Status.DELETED.value:
        yield metadata(f"{where}/Slot[NewStatus]", f"{Status.DELETED.value} is expected")


def _slot(association: Association, name: str) -> str:
    values = next((slot.values for slot in association.slots if slot.name == name), ())
    return values[0] if len(values) == 1 else ""
