"""Failures injected on purpose: one table of kinds, one list in force.

Each request walks the list in its order. A fault that only makes the request wait lets the walk go on; any
other ends it. So a list is also a script: two 503, then one reset, then all is well.
"""

import random
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from http import HTTPStatus
from typing import Any

from . import answers
from .http1 import Ending, Pace, Reply
from .waiting import Waiting


ALERTS = ("handshake_failure", "unknown_ca")


class FaultProblem(Exception):
    """A list of faults that cannot be put in force; the text says why."""


class Moment(Enum):
    CONNECTION = "when a connection is accepted, before anything is known of its requests"
    READING = "while the body of a request is read"
    BEFORE = "before the submission is stored; a reply given here replaces judging and storing"
    AFTER = "after, on the real reply"


@dataclass(frozen=True)
class Context:
    """What a fault may know of the exchange it strikes."""

    message_id: str | None
    waiting: Waiting
    failure: Callable[[str, str, str], Reply]  # in the shape of the service: code, sentence, place


Act = Callable[[dict[str, Any], Reply | None, Context], Reply | None]


@dataclass(frozen=True)
class Kind:
    moment: Moment
    act: Act
    parameters: dict[str, Any]  # name: default, or the type itself when there is none
    only_waits: bool = False


def _delay(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply | None:
    context.waiting.pause(of["ms"] / 1000)
    return reply


def _hold(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply | None:
    goes_on = context.waiting.hold(of["ms"] / 1000)
    return reply if goes_on else Reply(ending=Ending.RESET)


def _reset(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply:
    return Reply(ending=Ending.RESET)


def _status(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply:
    retry = () if of["retryAfter"] is None else (("Retry-After", str(of["retryAfter"])),)
    return Reply(of["status"], body=b"injected\n", fields=retry)


def _failure(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply:
    return context.failure(of["errorCode"], of["text"], "")


def _fault(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply:
    return answers.soap_fault(of["subcode"], of["text"], context.message_id, of["value"], lang="fr")


def _garbage(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply:
    page = b"<!DOCTYPE html><html><body><h1>Maintenance</h1><p>Please come back later.</body></html>\n"
    return Reply(200, "text/html; charset=UTF-8", page)


def _content_type(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply | None:
    return replace(reply, content_type=of["contentType"]) if reply else None


def _multipart(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply | None:
    """The same envelope as the one part of an MTOM frame: RFC 2387."""
    if reply is None:
        return None
    boundary, start = "uuid-5c0a7d2e41f84b0c", "<root.message@dmp>"
    soap = "application/soap+xml"
    head = (
        f'--{boundary}\r\nContent-Type: application/xop+xml; charset=UTF-8; type="{soap}"\r\n'
        f"Content-Transfer-Encoding: binary\r\nContent-ID: {start}\r\n\r\n"
    )
    outer = (
        f'multipart/related; type="application/xop+xml"; boundary="{boundary}"; start="{start}"; '
        f'start-info="{soap}"'
    )
    body = head.encode() + reply.body + f"\r\n--{boundary}--\r\n".encode()
    return replace(reply, content_type=outer, body=body)


def _half(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply | None:
    return replace(reply, body=reply.body[: len(reply.body) // 2]) if reply else None


def _other_message(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply | None:
    somebody = rb"\g<1>urn:uuid:00000000-0000-4000-8000-000000000000<"
    return replace(reply, body=re.sub(rb"(RelatesTo>)[^<]*<", somebody, reply.body)) if reply else None


def _partial(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply | None:
    if reply is None:
        return None
    partial = b'"urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"'
    return replace(reply, body=re.sub(rb'"[^"]*ResponseStatusType:Success"', partial, reply.body))


def _slow(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply | None:
    if reply is None:
        return None
    return replace(reply, pace=Pace(of["bytes"], lambda: context.waiting.pause(of["ms"] / 1000)))


def _nothing(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply | None:
    """What it does is done elsewhere, before there is a reply."""
    return reply


def _truncated(of: dict[str, Any], reply: Reply | None, context: Context) -> Reply | None:
    return reply.ending_as(Ending.CUT) if reply else None


KINDS: dict[str, Kind] = {
    "delay": Kind(Moment.AFTER, _delay, {"ms": int}, only_waits=True),
    "hold": Kind(Moment.BEFORE, _hold, {"ms": 60_000}, only_waits=True),
    "hold_after": Kind(Moment.AFTER, _hold, {"ms": 60_000}, only_waits=True),
    "reset_before": Kind(Moment.BEFORE, _reset, {}),
    "reset_after": Kind(Moment.AFTER, _reset, {}),
    "status": Kind(Moment.BEFORE, _status, {"status": int, "retryAfter": None}),
    "failure": Kind(Moment.BEFORE, _failure, {"errorCode": str, "text": ""}),
    "fault": Kind(Moment.BEFORE, _fault, {"subcode": str, "text": "", "value": "Sender"}),
    "garbage": Kind(Moment.BEFORE, _garbage, {}),
    "truncated": Kind(Moment.AFTER, _truncated, {}),
    "half": Kind(Moment.AFTER, _half, {}),
    "other_message": Kind(Moment.AFTER, _other_message, {}),
    "partial": Kind(Moment.AFTER, _partial, {}),
    "content_type": Kind(Moment.AFTER, _content_type, {"contentType": "text/plain"}),
    "multipart": Kind(Moment.AFTER, _multipart, {}),
    "slow_answer": Kind(Moment.AFTER, _slow, {"ms": int, "bytes": 64}),
    "slow_reading": Kind(Moment.READING, _nothing, {"ms": int, "bytes": 1024}),
    "tls_alert": Kind(Moment.CONNECTION, _nothing, {"alert": "handshake_failure"}),
    "expired_certificate": Kind(Moment.CONNECTION, _nothing, {}),
}

# What every kind takes: when it strikes, and whom.
COMMON: dict[str, Any] = {
    "times": None,
    "probability": 1.0,
    "seed": None,
    "transaction": None,
    "uniqueId": None,
}


@dataclass
class Fault:
    """One fault in force."""

    kind: str
    parameters: dict[str, Any]
    strikes: int = 0
    dice: random.Random = field(default_factory=random.Random)

    def concerns(self, transaction: str, unique_ids: tuple[str, ...]) -> bool:
        of = self.parameters
        return (
            of["transaction"] in (None, transaction)
            and (of["uniqueId"] is None or of["uniqueId"] in unique_ids)
            and (of["times"] is None or self.strikes < of["times"])
            and self.dice.random() < of["probability"]
        )

    @property
    def moment(self) -> Moment:
        return KINDS[self.kind].moment

    def act(self, reply: Reply | None, context: Context) -> Reply | None:
        return KINDS[self.kind].act(self.parameters, reply, context)

    def told(self) -> dict[str, Any]:
        return {"kind": self.kind, **self.parameters, "strikes": self.strikes}


class Faults:
    """The list in force, shared by every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_force: list[Fault] = []

    def put(self, described: Any) -> None:
        """Replace the whole list. Raises FaultProblem, and changes nothing, when one is not understood."""
        if not isinstance(described, list):
            raise FaultProblem("a list of faults is expected")
        in_force = [_parse(one) for one in described]
        with self._lock:
            self._in_force = in_force

    def told(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.told() for fault in self._in_force]

    def draw(self, transaction: str, unique_ids: tuple[str, ...], *moments: Moment) -> list[Fault]:
        """The faults that strike this exchange, or its connection: those of these moments."""
        struck = []
        with self._lock:
            for fault in self._in_force:
                if fault.moment in moments and fault.concerns(transaction, unique_ids):
                    fault.strikes += 1
                    struck.append(fault)
                    if not KINDS[fault.kind].only_waits:
                        break
        return struck


def _parse(described: Any) -> Fault:
    if not isinstance(described, dict) or described.get("kind") not in KINDS:
        raise FaultProblem(f"a fault is an object whose kind is one of {', '.join(KINDS)}")
    name = described["kind"]
    accepted = {**COMMON, **KINDS[name].parameters}
    for key in described.keys() - accepted.keys() - {"kind"}:
        raise FaultProblem(f"{name}: unknown parameter {key}")
    parameters = {key: described.get(key, default) for key, default in accepted.items()}
    for key, value in parameters.items():
        if isinstance(value, type):
            raise FaultProblem(f"{name}: the parameter {key} is missing")
        _check(name, key, value)
    return Fault(name, parameters, dice=random.Random(parameters["seed"]))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "times": ("a count, or null for always", lambda v: v is None or (_is_number(v) and isinstance(v, int))),
    "probability": ("a number from 0 to 1", lambda v: _is_number(v) and v <= 1),
    "seed": ("a whole number", lambda v: v is None or (_is_number(v) and isinstance(v, int))),
    "ms": ("a number of milliseconds", _is_number),
    "bytes": ("a number of bytes", lambda v: _is_number(v) and isinstance(v, int) and v > 0),
    "contentType": ("a header value", lambda v: isinstance(v, str) and v.isascii() and v.isprintable()),
    "alert": (f"one of {', '.join(ALERTS)}", lambda v: v in ALERTS),
    "status": ("an HTTP status", lambda v: v in [s.value for s in HTTPStatus if s >= 200]),
    "retryAfter": ("seconds or an HTTP date", lambda v: v is None or _is_number(v) or isinstance(v, str)),
    "value": ("Sender or Receiver", lambda v: v in ("Sender", "Receiver")),
}
_TEXT = ("a text", lambda v: v is None or isinstance(v, str))


def _check(kind: str, key: str, value: Any) -> None:
    words, fits = _TYPES.get(key, _TEXT)
    if not fits(value):
        raise FaultProblem(f"{kind}: {key} must be {words}")
