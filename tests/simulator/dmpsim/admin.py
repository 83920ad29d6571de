"""The plain HTTP interface for tests and trainers: JSON, loopback only, one row per call."""

import json
import math
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .dossiers import Dmp, Entry, Status, new_entry_uuid
from .faults import FaultProblem
from .findings import Refused
from .formats import ENTRY_UUID, INS, OID, STRUCTURE_ID, Format
from .http1 import Connection, Ending, Head, Reply
from .simulator import Simulator

LONGEST_WAIT = 300.0

# What may be told of a document that is known but was not received.
_STATUSES = tuple(status.word for status in Status)
_KNOWN = {
    "uniqueId": OID,
    "entryUUID": ENTRY_UUID,
    "ins": INS,
    "structure": STRUCTURE_ID,
    "status": Format(" or ".join(_STATUSES), lambda value: value in _STATUSES),
}


class BadCall(Exception):
    """The caller's mistake, in words."""


def _received(simulator: Simulator, query: dict[str, str], body: bytes) -> Any:
    return {
        "documents": simulator.store.received(),
        "exchanges": simulator.waiting.exchanges,
        "held": simulator.waiting.held,
    }


def _reset(simulator: Simulator, query: dict[str, str], body: bytes) -> Any:
    simulator.reset()
    return {}


def _put_faults(simulator: Simulator, query: dict[str, str], body: bytes) -> Any:
    simulator.faults.put(_json(body))
    return simulator.faults.told()


def _get_faults(simulator: Simulator, query: dict[str, str], body: bytes) -> Any:
    return simulator.faults.told()


def _release(simulator: Simulator, query: dict[str, str], body: bytes) -> Any:
    return {"released": simulator.waiting.release()}


def _known(simulator: Simulator, query: dict[str, str], body: bytes) -> Any:
    asked = _json(body)
    if not isinstance(asked, dict) or not {"uniqueId"} <= asked.keys() <= _KNOWN.keys():
        raise BadCall(f"an object is expected, with uniqueId and none but {', '.join(_KNOWN)}")
    for key, value in asked.items():
        if not isinstance(value, str) or not _KNOWN[key].matches(value):
            raise BadCall(f"{key}: {_KNOWN[key].words} is expected")
    entry = Entry(
        asked["uniqueId"],
        asked.get("entryUUID") or new_entry_uuid(),
        asked.get("ins", ""),
        asked.get("structure", ""),
        Status[asked.get("status", "approved").upper()],
    )
    simulator.store.know(entry)
    return {"uniqueId": entry.unique_id, "entryUUID": entry.entry_uuid}


def _put_patients(simulator: Simulator, query: dict[str, str], body: bytes) -> Any:
    asked = _json(body)
    states = {dmp.value: dmp for dmp in Dmp}
    if not isinstance(asked, dict) or not all(INS.matches(ins) for ins in asked):
        raise BadCall(f"an object is expected, its keys being each {INS.words}")
    if not all(isinstance(state, str) and state in states for state in asked.values()):
        raise BadCall(f"the state of a DMP is one of {', '.join(states)}")
    simulator.store.put_patients({ins: states[state] for ins, state in asked.items()})
    return simulator.store.patients()


def _get_patients(simulator: Simulator, query: dict[str, str], body: bytes) -> Any:
    return simulator.store.patients()


def _wait(simulator: Simulator, query: dict[str, str], body: bytes) -> Any:
    exchanges, held, timeout = (
        _number(query, name, default) for name, default in (("exchanges", 0), ("held", 0), ("timeout", 10))
    )
    reached = simulator.waiting.until(exchanges, held, min(timeout, LONGEST_WAIT))
    return {"reached": reached, "exchanges": simulator.waiting.exchanges, "held": simulator.waiting.held}


CALLS: dict[tuple[str, str], Callable[[Simulator, dict[str, str], bytes], Any]] = {
    ("GET", "/received"): _received,
    ("GET", "/faults"): _get_faults,
    ("PUT", "/faults"): _put_faults,
    ("GET", "/wait"): _wait,
    ("POST", "/known"): _known,
    ("GET", "/patients"): _get_patients,
    ("PUT", "/patients"): _put_patients,
    ("POST", "/release"): _release,
    ("POST", "/reset"): _reset,
}


def serve_admin(connection: Connection, simulator: Simulator) -> None:
    try:
        while (head := connection.read_head()) is not None:
            body = connection.read_body(head.content_length)
            if body is None or not connection.send(_call(simulator, head, body)):
                return
    except (Refused, ValueError):  # not HTTP, or a Content-Length that is no number
        connection.send(_reply(400, {"error": "this is not a request"}).ending_as(Ending.CLOSE))


def _call(simulator: Simulator, head: Head, body: bytes) -> Reply:
    url = urlsplit(head.path)
    call = CALLS.get((head.method, url.path))
    if call is None:
        known = ", ".join(f"{method} {path}" for method, path in CALLS)
        return _reply(404, {"error": f"the calls are {known}"})
    try:
        return _reply(
            200, call(simulator, {key: values[-1] for key, values in parse_qs(url.query).items()}, body)
        )
    except (BadCall, FaultProblem) as problem:
        return _reply(400, {"error": str(problem)})


def _reply(number: int, answer: Any) -> Reply:
    return Reply(
        HTTPStatus(number).value, "application/json", (json.dumps(answer, ensure_ascii=False) + "\n").encode()
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise BadCall("the body is not JSON") from None


def _number(query: dict[str, str], name: str, default: float) -> float:
    try:
        number = float(query.get(name, default))
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise BadCall(f"{name} must be a number")
    return number
