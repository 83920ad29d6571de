"""The plain HTTP interface for tests and trainers: JSON, loopback only, one row per call."""

import json
import math
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .faults import FaultProblem
from .findings import Refused
from .formats import OID
from .http1 import Connection, Ending, Head, Reply
from .simulator import Simulator

LONGEST_WAIT = 300.0


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
    unique_id = asked.get("uniqueId") if isinstance(asked, dict) else None
    if not isinstance(unique_id, str) or not OID.matches(unique_id):
        raise BadCall(f'{{"uniqueId": …}} is expected, with {OID.words}')
    simulator.store.know(unique_id)
    return {}


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
