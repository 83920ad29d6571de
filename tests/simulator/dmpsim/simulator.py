"""One exchange, from the request to the journal: judge, strike, store, answer.

Runs on the thread of the connection; what is shared (store, faults, waiting) guards itself.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

from . import answers
from .faults import Context, Fault, Faults, Moment
from .findings import Finding, Shape, fault
from .http1 import Pace, Reply, Request
from .judgement import Judged, Settings
from .services import Service
from .store import Store
from .vihf import TOKEN
from .waiting import Waiting

_VERDICTS = {Shape.STATUS: "refused", Shape.FAILURE: "refused", Shape.FAULT: "fault"}


@dataclass
class Outcome:
    """What one exchange came to."""

    reply: Reply
    verdict: str
    code: str = ""
    sentence: str = ""


class Simulator:
    def __init__(self, settings: Settings, store: Store, quiet: bool = False):
        self.store = store
        self.faults = Faults()
        self.waiting = Waiting()
        self._settings = settings
        self._quiet = quiet
        self.waiting.start_from(store.exchanges_before)

    def exchange(self, service: Service, request: Request) -> Reply:
        """The document is in the store and the line in the journal before the reply leaves."""
        judged = service.judge(request, self._settings, _now())
        self._check_fresh(judged)
        struck = self.faults.draw(service.transaction, judged.unique_ids, Moment.BEFORE, Moment.AFTER)
        context = Context(judged.message_id, self.waiting, _failure(service, judged))
        outcome = _strike_before(struck, context) or self._settle(service, judged)
        self._record(service.transaction, judged, outcome, struck)
        reply = outcome.reply
        for one in struck:
            if one.moment is Moment.AFTER:
                reply = one.act(reply, context) or reply
        return reply

    def pace_of_reading(self, service: Service) -> Pace | None:
        """How a request of this service is read, when a fault slows it."""
        for one in self.faults.draw(service.transaction, (), Moment.READING):
            seconds = one.parameters["ms"] / 1000
            return Pace(one.parameters["bytes"], lambda: self.waiting.pause(seconds))
        return None

    def refuse(self, transaction: str, finding: Finding) -> Reply:
        """A request that is not read further: its head is wrong, or nothing is served there."""
        judged = Judged(findings=[finding])
        reply = answers.plain_refusal(finding)
        outcome = Outcome(reply, _VERDICTS[finding.shape], finding.code, finding.text)
        self._record(transaction, judged, outcome, [])
        return outcome.reply

    def reset(self) -> None:
        """Forget all, as if just started with an empty folder."""
        self.faults.put([])
        self.waiting.drop()
        self.store.reset()
        self.waiting.start_from(0)

    def log(self, **fields: str) -> None:
        """One line for people: time, then what is worth naming."""
        if not self._quiet:
            line = " ".join(f"{key}={_quoted(value)}" for key, value in fields.items())
            print(_timestamp(), line, file=sys.stderr, flush=True)

    def _check_fresh(self, judged: Judged) -> None:
        sentence = "it was used before, each attempt needs its own"
        if judged.assertion_id is not None and not self.store.is_new(judged.assertion_id):
            judged.refuse(fault("saml2:Assertion/@ID", sentence, TOKEN))
        if judged.message_id is not None and not self.store.is_new(judged.message_id):
            judged.refuse(fault("wsa:MessageID", sentence, "wsa:DuplicateMessageID"))

    def _settle(self, service: Service, judged: Judged) -> Outcome:
        if judged.wanted is None:
            return _refused(judged.findings[0], service, judged)
        settled = service.settle(self.store, judged.wanted, _now())
        judged.unique_ids = judged.unique_ids or settled.unique_ids
        if settled.finding is not None:
            return _refused(settled.finding, service, judged, settled.verdict)
        reply = answers.soap(200, service.reply_action, judged.message_id, settled.body)
        return Outcome(reply, settled.verdict)

    def _record(self, transaction: str, judged: Judged, outcome: Outcome, struck: list[Fault]) -> None:
        unique_id = next(iter(judged.unique_ids), None)
        self.store.record(
            {
                "time": _timestamp(),
                "transaction": transaction,
                "verdict": outcome.verdict,
                "uniqueId": unique_id,
                "submissionSetUniqueId": judged.set_unique_id,
                "messageId": judged.message_id,
                "assertionId": judged.assertion_id,
                "code": outcome.code or None,
                "sentence": outcome.sentence or None,
                "findings": [
                    {"code": f.code, "location": f.location, "sentence": f.sentence} for f in judged.findings
                ],
                "injected": [one.kind for one in struck],
            }
        )
        self.log(
            transaction=transaction,
            document=unique_id or "-",
            verdict=outcome.verdict,
            code=outcome.code or "-",
            **({"why": outcome.sentence} if outcome.sentence else {}),
        )
        self.waiting.exchange_happened()


def _strike_before(struck: list[Fault], context: Context) -> Outcome | None:
    for one in struck:
        if one.moment is Moment.BEFORE:
            reply = one.act(None, context)
            if reply is not None:
                return Outcome(reply, "injected", one.kind)
    return None


def _failure(service: Service, judged: Judged) -> Callable[[str, str, str], Reply]:
    """A failure in the shape of the service, for this request."""

    def failure(code: str, sentence: str, location: str) -> Reply:
        body = service.failure(judged, code, sentence, location)
        return answers.soap(200, service.reply_action, judged.message_id, body)

    return failure


def _refused(finding: Finding, service: Service, judged: Judged, verdict: str = "") -> Outcome:
    reply = answers.refusal(finding, judged.message_id, _failure(service, judged))
    return Outcome(reply, verdict or _VERDICTS[finding.shape], finding.code, finding.text)


def _quoted(value: str) -> str:
    return value if value and not set(value) & set(' "=') else '"' + value.replace('"', "'") + '"'


def _timestamp() -> str:
    return _now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _now() -> datetime:
    return datetime.now(timezone.utc)
