"""The entry of the signature document: IHE DSG, and its constants in the DMP.

Only the metadata are judged here, `xades` judges the signature itself.
"""

from collections.abc import Iterator

from . import registry
from .findings import Finding, metadata
from .rim import RegistryObject, Submission

_FRENCH = registry.CONFIDENTIALITY_FRENCH
_CLASS = ("urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1", "URN")

CODES = (
    ("classCode", registry.CLASS_CODE, {_CLASS}),
    ("typeCode", registry.TYPE_CODE, {("E1762", "ASTM")}),
    (
        "confidentialityCode",
        registry.CONFIDENTIALITY,
        {("N", registry.CONFIDENTIALITY_HL7), ("MASQUE_PS", _FRENCH), ("INVISIBLE_PATIENT", _FRENCH)},
    ),
    ("formatCode", registry.FORMAT_CODE, {("http://www.w3.org/2000/09/xmldsig#", "URN")}),
    ("eventCodeList", registry.EVENT_CODE, {("1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12")}),
)
SAME_AS_DOCUMENT = (
    ("healthcareFacilityTypeCode", registry.FACILITY_TYPE),
    ("practiceSettingCode", registry.PRACTICE_SETTING),
)


def signature_of(submission: Submission) -> RegistryObject | None:
    return next((entry for entry in submission.entries if _is_signature(entry)), None)


def check_signature(submission: Submission) -> list[Finding]:
    signature = signature_of(submission)
    if signature is None:
        return []
    return [finding for check in CHECKS for finding in check(signature, submission)]


def _is_signature(entry: RegistryObject) -> bool:
    return entry.id == "Signature01" or _CLASS in entry.codes(registry.CLASS_CODE)


def _one_and_last(signature: RegistryObject, submission: Submission) -> Iterator[Finding]:
    if [entry for entry in submission.entries if _is_signature(entry)] != [submission.entries[-1]]:
        yield metadata(signature.location, "one signature entry is expected, after the documents")


def _constants(signature: RegistryObject, submission: Submission) -> Iterator[Finding]:
    for name, scheme, expected in CODES:
        codes = signature.codes(scheme)
        if len(codes) != len(expected) or set(codes) != expected:
            told = ", ".join(f"{code} of {system}" for code, system in sorted(expected))
            yield metadata(f"{signature.location}/Classification[{name}]", f"{told} is expected")
    if signature.values("languageCode") != ("art",):
        yield metadata(f"{signature.location}/Slot[languageCode]", "art is expected")
    if [string.value for string in signature.name] != ["Source"]:
        yield metadata(f"{signature.location}/Name", "the title Source is expected")


def _one_time(signature: RegistryObject, submission: Submission) -> Iterator[Finding]:
    """The three times are the time of signing."""
    for slot in ("serviceStartTime", "serviceStopTime"):
        if signature.value(slot) != signature.value("creationTime"):
            yield metadata(
                f"{signature.location}/Slot[{slot}]", "it must be the creationTime: all are the signing time"
            )


def _author_of_the_set(signature: RegistryObject, submission: Submission) -> Iterator[Finding]:
    for author in submission.package.classified(registry.AUTHOR_OF_SET):
        if [a.slots for a in signature.classified(registry.AUTHOR_OF_ENTRY)] != [author.slots]:
            yield metadata(
                f"{signature.location}/Classification[author]", "it must be the author of the submission set"
            )
        if signature.values("legalAuthenticator") != author.values("authorPerson"):
            yield metadata(
                f"{signature.location}/Slot[legalAuthenticator]",
                "it must be the author of the submission set",
            )


def _same_as_document(signature: RegistryObject, submission: Submission) -> Iterator[Finding]:
    """Judged against the first document: a submission mixing settings is not known to exist."""
    document = submission.entries[0]
    for name, scheme in SAME_AS_DOCUMENT:
        if signature.codes(scheme) != document.codes(scheme):
            yield metadata(
                f"{signature.location}/Classification[{name}]", "it must be the one of the document"
            )


def _is_tied_to_the_set(signature: RegistryObject, submission: Submission) -> Iterator[Finding]:
    if not any(a.type == registry.SIGNS and a.source == signature.id for a in submission.associations):
        yield metadata(signature.location, "no association of type signs starts from it")


CHECKS = (_one_and_last, _constants, _one_time, _author_of_the_set, _same_as_document, _is_tied_to_the_set)
