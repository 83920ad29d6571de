"""What the objects of one submission must say together: ids, patients, times, associations, documents."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import registry
from .findings import Finding, failure, metadata
from .formats import ENTRY_UUID, UTC_TIME
from .rim import Association, RegistryObject, Submission
from .signature import signature_of

CLOCK_TOLERANCE = timedelta(seconds=60)


@dataclass(frozen=True)
class Settings:
    """Parameters of the DMP, and its clock."""

    now: datetime
    masked_and_invisible: bool = False
    ins_domains: frozenset[str] = frozenset()  # those of its environment; none: any


def check_agreement(submission: Submission, settings: Settings) -> list[Finding]:
    return [finding for check in CHECKS for finding in check(submission, settings)]


def check_update(submission: Submission, settings: Settings) -> list[Finding]:
    """The same for an ITI-57, which has a set and no document."""
    checks = (_ids_are_unique, _right_domain, _times_are_ordered)
    return [finding for check in checks for finding in check(submission, settings)]


def documents_of(submission: Submission) -> list[RegistryObject]:
    """The entries but the signature's."""
    signature = signature_of(submission)
    return [entry for entry in submission.entries if entry is not signature]


# ---- ids and documents


def _ids_are_unique(submission: Submission, settings: Settings) -> Iterator[Finding]:
    seen: set[str] = set()
    for id_, location in submission.all_ids():
        if not id_:
            yield metadata(f"{location}/@id", "the id is missing")
        elif id_ in seen:
            yield metadata(f"{location}/@id", "the id is not unique in the message")
        seen.add(id_)


def _holds_a_document(submission: Submission, settings: Settings) -> Iterator[Finding]:
    if not documents_of(submission):
        yield metadata("rim:RegistryObjectList", "there is no document, only a signature")


def _unique_ids_differ(submission: Submission, settings: Settings) -> Iterator[Finding]:
    """ITI TF-3 table 4.2.4.1-2: the same uniqueId twice in one message."""
    counted = Counter(entry.identifier(registry.UNIQUE_ID_OF_ENTRY) for entry in submission.entries)
    counted[submission.package.identifier(registry.UNIQUE_ID_OF_SET)] += 1
    for unique_id, times in counted.items():
        if unique_id and times > 1:
            sentence = f"the same one is there {times} times"
            yield failure("XDSRepositoryDuplicateUniqueIdInMessage", "uniqueId", sentence)


def _documents_match_entries(submission: Submission, settings: Settings) -> Iterator[Finding]:
    """xdsb:Document/@id is the id of its ExtrinsicObject, same case: ITI TF-2 3.41.4.1.2."""
    entries = Counter(entry.id for entry in submission.entries)
    documents = Counter(id_ for id_, _ in submission.documents)
    for number, (id_, _) in enumerate(submission.documents, start=1):
        where = f"xdsb:Document[{number}]"
        if id_ not in entries:
            yield failure("XDSMissingDocumentMetadata", where, "no ExtrinsicObject has its id")
        elif documents[id_] > 1:
            yield metadata(f"{where}/@id", "another xdsb:Document has the same")
    for entry in submission.entries:
        if entry.id not in documents:
            yield failure("XDSMissingDocument", entry.location, "no xdsb:Document has its id")


# ---- patient, times, visibility


def _one_patient(submission: Submission, settings: Settings) -> Iterator[Finding]:
    patient = submission.package.identifier(registry.PATIENT_OF_SET)
    for entry in submission.entries:
        if entry.identifier(registry.PATIENT_OF_ENTRY) != patient:
            where = f"{entry.location}/ExternalIdentifier[XDSDocumentEntry.patientId]"
            yield failure("XDSPatientIdDoesNotMatch", where, "it is not the patient of the submission set")


def _right_domain(submission: Submission, settings: Settings) -> Iterator[Finding]:
    """A test identity is never right in production, nor a real one in tests."""
    domain = submission.package.identifier(registry.PATIENT_OF_SET).partition("&")[2].partition("&")[0]
    if settings.ins_domains and domain and domain not in settings.ins_domains:
        where = f"{submission.package.location}/ExternalIdentifier[XDSSubmissionSet.patientId]/@value"
        yield metadata(where, f"{' or '.join(sorted(settings.ins_domains))} is the domain of the INS here")


def _patient_info_is_whole(submission: Submission, settings: Settings) -> Iterator[Finding]:
    for entry in documents_of(submission):
        kinds = Counter(value.partition("|")[0] for value in entry.values("sourcePatientInfo"))
        where = f"{entry.location}/Slot[sourcePatientInfo]"
        if not kinds["PID-5"]:
            yield metadata(where, "a PID-5 is expected")
        for kind in ("PID-7", "PID-8"):
            if kinds[kind] != 1:
                yield metadata(where, f"one {kind} is expected")


def _times_are_ordered(submission: Submission, settings: Settings) -> Iterator[Finding]:
    """The DMP is strict: creation, then submission, then now. Malformed times are told elsewhere."""
    submitted = submission.package.value("submissionTime")
    if not UTC_TIME.matches(submitted):
        return
    latest = (settings.now + CLOCK_TOLERANCE).strftime("%Y%m%d%H%M%S")
    if submitted > latest:
        where = f"{submission.package.location}/Slot[submissionTime]"
        yield metadata(where, f"'{submitted}' is in the future")
    for entry in documents_of(submission):
        created = entry.value("creationTime")
        if UTC_TIME.matches(created) and created > submitted:
            yield metadata(f"{entry.location}/Slot[creationTime]", f"'{created}' is after submissionTime")


def _confidentiality(submission: Submission, settings: Settings) -> Iterator[Finding]:
    """First a value of HL7 (N), then French ones, two of which exclude each other (a DMP parameter)."""
    for entry in documents_of(submission):
        where = f"{entry.location}/Classification[confidentialityCode]"
        codes = entry.codes(registry.CONFIDENTIALITY)
        systems = [system for _, system in codes]
        if systems[:1] != [registry.CONFIDENTIALITY_HL7] or registry.CONFIDENTIALITY_HL7 in systems[1:]:
            yield metadata(where, f"the first value, and only it, comes from {registry.CONFIDENTIALITY_HL7}")
        if len(set(codes)) != len(codes):
            yield metadata(where, "a value is there twice")
        both = {"MASQUE_PS", "INVISIBLE_PATIENT"} <= {code for code, _ in codes}
        if both and not settings.masked_and_invisible:
            yield metadata(where, "a document may not be both MASQUE_PS and INVISIBLE_PATIENT")


# ---- associations


def _associations_are_known(submission: Submission, settings: Settings) -> Iterator[Finding]:
    for association in submission.associations:
        judge = _JUDGES.get(association.type)
        if judge is None:
            yield metadata(f"{association.location}/@associationType", "HasMember, signs or RPLC is expected")
        else:
            yield from judge(association, submission)


def _has_member(association: Association, submission: Submission) -> Iterator[Finding]:
    yield from _ends(association, submission.package.id, [entry.id for entry in submission.entries])
    yield from _original(association)


def _signs(association: Association, submission: Submission) -> Iterator[Finding]:
    """The signature points at the set, not at the documents."""
    signature = signature_of(submission)
    yield from _ends(association, signature.id if signature else "", [submission.package.id])
    yield from _original(association)


def _replaces(association: Association, submission: Submission) -> Iterator[Finding]:
    """From a new document to the entryUUID of the old one; the slot is there or not."""
    if association.source not in [entry.id for entry in documents_of(submission)]:
        yield metadata(f"{association.location}/@sourceObject", "a document of this submission is expected")
    if not ENTRY_UUID.matches(association.target):
        sentence = "the entryUUID of the replaced document, urn:uuid:…, is expected"
        yield metadata(f"{association.location}/@targetObject", sentence)
    if association.slots:
        yield from _original(association)


_JUDGES = {registry.HAS_MEMBER: _has_member, registry.SIGNS: _signs, registry.REPLACES: _replaces}


def _ends(association: Association, source: str, targets: list[str]) -> Iterator[Finding]:
    if association.source != source:
        yield metadata(f"{association.location}/@sourceObject", "this association does not start there")
    if association.target not in targets:
        yield metadata(f"{association.location}/@targetObject", "this association does not point there")


def _original(association: Association) -> Iterator[Finding]:
    if [(slot.name, slot.values) for slot in association.slots] != [("SubmissionSetStatus", ("Original",))]:
        where = f"{association.location}/Slot[SubmissionSetStatus]"
        yield metadata(where, "the one slot, with the value Original, is expected")


def _every_entry_is_member(submission: Submission, settings: Settings) -> Iterator[Finding]:
    """ITI TF-3 4.2.1.4: one HasMember from the set to each entry, the signature included."""
    members = Counter(a.target for a in submission.associations if a.type == registry.HAS_MEMBER)
    for entry in submission.entries:
        times = members[entry.id]
        if times != 1:
            yield metadata(entry.location, f"{times} HasMember associations name it, 1 is expected")


CHECKS = (
    _ids_are_unique,
    _holds_a_document,
    _unique_ids_differ,
    _documents_match_entries,
    _one_patient,
    _right_domain,
    _patient_info_is_whole,
    _times_are_ordered,
    _confidentiality,
    _associations_are_known,
    _every_entry_is_member,
)
