"""Prometheus' text format, read strictly enough for tests."""

from __future__ import annotations

import re

SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')


def samples(text: str) -> dict[tuple, float]:
    """The values by (name, label, label…); no sample comes twice."""
    found: dict[tuple, float] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        key = (name, *sorted(LABEL.findall(labels or "")))
        assert key not in found, line
        found[key] = float(value)
    return found


def of(gateway) -> dict[tuple, float]:
    status, body = gateway.get("/metrics")
    assert status == 200
    return samples(body.decode())


def value(found: dict[tuple, float], name: str, **labels: str) -> float:
    return found[(name, *sorted(labels.items()))]
