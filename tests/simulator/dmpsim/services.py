"""The table of services: at which URL, by which action, how each is judged, done and answered."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from . import answers, deletion, existence, query, submission
from .deletion import Deletion
from .existence import Existence
from .findings import Finding, fault, shown
from .http1 import Request
from .judgement import Judge, Judged, Settings, denied
from .query import Query
from .store import Store
from .submission import Received


class Settled(NamedTuple):
    """What became of a request that is right in itself."""

    verdict: str = ""
    body: str = ""
    finding: Finding | None = None  # instead of the two
    unique_ids: tuple[str, ...] = ()  # those it proved to be about


@dataclass(frozen=True)
class Service:
    """One transaction."""

    transaction: str
    path: str
    action: str
    reply_action: str
    judge: Judge
    settle: Callable[[Store, object, datetime], Settled]
    failure: Callable[[Judged, str, str, str], str]  # code, sentence, place


def _store(store: Store, wanted: object, now: datetime) -> Settled:
    assert isinstance(wanted, Received)
    finding = store.accept(wanted, now)
    if finding is not None:
        return Settled("duplicate" if finding.code == "XDSDuplicateUniqueIdInRegistry" else "", "", finding)
    return Settled("stored", answers.SUCCESS)


def _find(store: Store, wanted: object, now: datetime) -> Settled:
    assert isinstance(wanted, Query)
    found = store.find(wanted)
    if isinstance(found, Finding):
        return Settled(finding=found)
    return Settled("answered", answers.references(found))


def _delete(store: Store, wanted: object, now: datetime) -> Settled:
    assert isinstance(wanted, Deletion)
    finding, unique_id = store.delete(wanted)
    about = (unique_id,) if unique_id else ()
    if finding is None:
        return Settled("deleted", answers.SUCCESS, None, about)
    verdict = "duplicate" if finding.code == "XDSDuplicateUniqueIdInRegistry" else ""
    return Settled(verdict, "", finding, about)


def _look_up(store: Store, wanted: object, now: datetime) -> Settled:
    assert isinstance(wanted, Existence)
    return Settled("answered", existence.answer(wanted, store.dmp(wanted.patient)))


SERVICES = (
    Service(
        "TD2.1",
        submission.PATH,
        submission.ACTION,
        submission.REPLY_ACTION,
        submission.judge,
        _store,
        answers.registry_failure,
    ),
    Service(
        "TD3.1b",
        query.PATH,
        query.ACTION,
        query.REPLY_ACTION,
        query.judge,
        _find,
        answers.query_failure,
    ),
    Service(
        "TD3.3c",
        deletion.PATH,
        deletion.ACTION,
        deletion.REPLY_ACTION,
        deletion.judge,
        _delete,
        answers.registry_failure,
    ),
    Service(
        "TD0.2",
        existence.PATH,
        existence.ACTION,
        existence.REPLY_ACTION,
        existence.judge,
        _look_up,
        existence.refusal,
    ),
)

# Transactions of the same URLs that the rights matrix keeps from an organisation's certificate.
REFUSED = {
    (submission.PATH, "urn:ihe:iti:2007:RetrieveDocumentSet"): "reading a document (TD3.2)",
    (existence.PATH, "urn:hl7-org:v3:PRPA_IN201305UV02"): "finding a patient without INS (TD0.5)",
}


def service_at(path: str, content_type: str | None) -> Service | None:
    """Told apart by the action in Content-Type. None: nothing is served at this URL."""
    found = re.search(r'; ?action="?([^";\s]*)', content_type or "")
    action = found[1] if found else ""
    here = [service for service in SERVICES if service.path == path]
    for service in here:
        if service.action == action:
            return service
    if (path, action) in REFUSED:
        return _refusing(path, action, denied("HTTP Content-Type", REFUSED[path, action]))
    if len(here) > 1:
        told = " or ".join(service.action for service in here)
        sentence = f"action is {shown(action)}, {told} is expected"
        return _refusing(path, action, fault("HTTP Content-Type", sentence))
    return here[0] if here else None


def _refusing(path: str, action: str, finding: Finding) -> Service:
    def judge(request: Request, settings: Settings, now: datetime) -> Judged:
        return Judged(findings=[finding])

    def settle(store: Store, wanted: object, now: datetime) -> Settled:
        return Settled(finding=finding)

    return Service("-", path, action, "", judge, settle, answers.registry_failure)
