"""The DMP is away while thousands of documents come, then back: they leave slowly at first, never more at once than is
set, each once; what comes meanwhile does not wait behind them.

As scripts/bench does, a native program sends and another receives, so that neither is the limit.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from gateway import BUILD, SOURCE, Gateway, end, free_port
from kills import check_books, wait_counted
from samples import mdm_t02, numbered
from test_exhaustion import wait_until_empty

sys.path.append(str(SOURCE / "tests" / "bench"))
from bench_samples import FIRST, cda_of, template_of  # noqa: E402

PROGRAMS = BUILD / "tests" / "bench"
QUEUED, QUEUED_OF_EVERY, BYTES = 2000, 100_000, 12288
LATENCY_MS, CONNECTIONS, SENDERS = 10, 4, 8
FRESH, FRESH_FIRST = 20, 900_000_000_000
SHORT = {"first": "100 ms", "most": "300 ms", "probe": "300 ms"}


class Sink:
    """A DMP that takes everything and notes when it answered for which document."""

    def __init__(self, pki, folder, port: int):
        self.times = folder / "times"
        self.process = subprocess.Popen([PROGRAMS / "bench_sink", pki, str(LATENCY_MS), self.times, str(port)],
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def stop(self) -> tuple[dict, list[tuple[int, int]]]:
        """How many requests over how many connections; each document's number and moment, in ns."""
        self.process.terminate()
        counts = json.loads(self.process.communicate(timeout=20)[0])
        return counts, [tuple(map(int, line.split())) for line in self.times.read_text().splitlines()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)


def queue_up(gateway: Gateway, folder, count: int):
    template = folder / "message"
    template.write_bytes(template_of(cda_of(BYTES)))
    options = {"port": gateway.mllp_address[1], "template": template, "connections": SENDERS, "ms": 0, "warm-ms": 0,
               "count": count, "first": FIRST}
    arguments = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    done = subprocess.run([PROGRAMS / "bench_load", *arguments], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["acked"] == count


def send_fresh(gateway: Gateway, first: int, count: int) -> dict[int, int]:
    """One after the other; when each was acknowledged."""
    acknowledged = {}
    with gateway.connect() as mllp:
        for number in range(first, first + count):
            start = len(gateway.journal.lines)
            assert mllp.send(mdm_t02(numbered(number, "laboratory-report.xml"))).code == "AA"
            acknowledged[number] = time.monotonic_ns()
            doc = gateway.journal.wait(r"doc=(\S+) received channel=mllp .*type=11502-2", start=start)[1]
            gateway.journal.wait(rf"doc={doc} outcome=delivered", 120, start)
    return acknowledged


def drop_fresh(gateway: Gateway, number: int) -> dict[int, int]:
    gateway.drop("letter.xml", numbered(number))
    assert gateway.wait_moved("letter.xml") == "done"
    return {number: time.monotonic_ns()}


def gaps(moments: list[int], apart: int) -> list[float]:
    """In ms, between each and the one so many later."""
    return [(later - one) / 1e6 for one, later in zip(moments, moments[apart:])]


@pytest.fixture
def backlog(request):
    return QUEUED_OF_EVERY if request.config.getoption("--every") else QUEUED


def test_a_backlog_leaves_slowly_at_first_and_lets_fresh_documents_pass(backlog, pki, tmp_path):
    """With --every, a hundred thousand (minutes)."""
    port = free_port()
    url = f"https://127.0.0.1:{port}"
    with Gateway(tmp_path / "gateway", url, pki, log="info", **SHORT,
                 extra='queue: { priorities: [{ types: ["11502-2"], priority: high }] }') as gateway:
        begun = time.monotonic()
        queue_up(gateway, tmp_path, backlog)
        gateway.journal.wait(r"^<4>lane=\d+ state=slowed")
        filled, waiting_mib = time.monotonic() - begun, gateway.memory()["VmRSS"] >> 10
        gateway.forget_most_memory()
        start = len(gateway.journal.lines)
        with Sink(pki, tmp_path, port) as sink:
            gateway.journal.wait(r"^<6>lane=\d+ state=open", start=start)
            begun = time.monotonic()
            fresh = drop_fresh(gateway, FRESH_FIRST) | send_fresh(gateway, FRESH_FIRST + 1, FRESH)
            wait_until_empty(gateway, 120 + backlog / 20)
            seconds = time.monotonic() - begun
            counts, answered = sink.stop()
        print(f"{backlog} queued in {filled:.0f} s ({waiting_mib} MiB), gone in {seconds:.1f} s, "
              f"{backlog / seconds:.0f} a second, at most {gateway.memory()['VmHWM'] >> 10} MiB; {counts}")

        assert sorted(number for number, _ in answered) == [*range(FIRST, FIRST + backlog), *sorted(fresh)], "each, once"
        assert counts["requests"] == len(answered)
        assert counts["connections"] <= CONNECTIONS

        moments = [moment for _, moment in answered]
        assert gaps(moments, 1)[0] >= LATENCY_MS, "the probe alone"
        assert gaps(moments, 2)[1] >= LATENCY_MS, "then two"
        assert min(gaps(moments, CONNECTIONS)) >= LATENCY_MS

        moment_of = dict(answered)
        before = {number: sum(acknowledged < moment < moment_of[number] for moment in moments)
                  for number, acknowledged in fresh.items()}
        print(f"before a fresh one, {sorted(before.values())}")
        assert max(before.values()) < backlog / 4

        assert gateway.status()["queue"]["delivered"] == len(answered)
        wait_counted(gateway, seconds=120 + backlog / 1000)
        check_books(gateway)
