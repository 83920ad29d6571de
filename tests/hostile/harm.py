"""What a daemon must still be after all that a door was sent: one check for every file of cases."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from lxml import html

import metrics
from gateway import Gateway, is_sanitized
from samples import hand_in, patient_words_in

GROWTH_KIB = 64 << 10  # what one door's cases may leave behind at most
PATIENT = re.compile(r"forged-(PID|recordTarget)")

# Bytes that no line of the journal may hold: C0 and DEL, C1, what turns the direction of text, what ends a line.
OBEYED = re.compile("[\x00-\x1f\x7f\x80-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
FORGED = re.compile(r"^<\d>forged|forged\S* (state|outcome)=")
LINE = re.compile(r"<[3467]>[a-z_]+[ :=]")


@dataclass
class Before:
    """How the daemon and its folders were when it began."""

    gateway: Gateway
    memory: int
    files: list[str]

    @staticmethod
    def of(gateway: Gateway) -> "Before":
        return Before(gateway, gateway.memory()["VmRSS"], names_around(gateway))


def names_around(gateway: Gateway) -> list[str]:
    """What is in its folder and beside it; not what is in state/ and in/, which are its own."""
    return sorted(str(path.relative_to(gateway.folder.parent)) for folder in (gateway.folder, gateway.folder.parent)
                  for path in folder.iterdir())


def journal_faults(lines: list[str]) -> list[str]:
    """Lines that are not the daemon's own, or hold a key that it did not write."""
    return [line for line in lines if OBEYED.search(line) or not LINE.match(line) or FORGED.search(line)]


def told(gateway: Gateway) -> dict[str, str]:
    """All that the status port says."""
    return {path: gateway.get(path)[1].decode() for path in
            ("/metrics", "/api/v1/status", "/api/v1/documents?limit=1000", "/api/v1/counters", "/?lang=fr", "/?lang=en")}


def assert_unharmed(before: Before, good: Callable[[], bytes]):
    """It lives and is ready, it has not grown, its journal and its answers are its own, a good document passes."""
    gateway = before.gateway
    assert gateway.process.poll() is None, "the daemon ended"
    assert gateway.get("/healthz") == (200, b"ok\n")
    assert gateway.get("/readyz") == (200, b"ready\n")
    assert gateway.wait_final(hand_in(gateway, "mllp", good())) == "delivered"
    assert gateway.memory()["VmRSS"] - before.memory < GROWTH_KIB or is_sanitized()
    assert names_around(gateway) == before.files, "something was made outside its folders"
    assert_told_nothing(gateway)


def assert_told_nothing(gateway: Gateway):
    answers = told(gateway)
    metrics.of(gateway)
    for path in ("/api/v1/status", "/api/v1/documents?limit=1000", "/api/v1/counters"):
        json.loads(answers[path])
    for path in ("/?lang=fr", "/?lang=en"):
        assert not html.fromstring(answers[path]).xpath("//script[not(@*)][contains(., 'forged')]")
        assert "<script>forged" not in answers[path]
    assert {path for path, text in answers.items() if PATIENT.search(text) or patient_words_in(text)} == set()
    lines = gateway.journal.lines
    assert journal_faults(lines) == []
    assert [line for line in lines if PATIENT.search(line)] == []
    assert patient_words_in("\n".join(lines)) == []
