"""One call fails, the n-th since the start, and the daemon is told nothing else: n from 0 on, until none is left to
fail. However the run went, after a restart whatever was acknowledged is delivered, once, and the books are right.

Each run has a queue of its own, so that making it is under attack as well. By default a few calls of each kind are
drawn, from all parts of a run (DMPFEED_SEED draws them again); with --every all of them, and one in ten of the ways to an
allocation, of which each seed has others.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

from disks import CUT, MKDIR, OPEN, READ, RENAME, SYNC, UNLINK, WRITE, FailingDisk, FailingMemory
from gateway import Gateway, Simulator, TimedOut
from kills import Account, Paper, new_document
from samples import mdm_t02

SHORT = {"first": "100 ms", "most": "300 ms", "probe": "300 ms"}
STRIDE = 10  # of the ways to an allocation: there are more than ten thousand

CALLS = {
    "open": (OPEN, errno.EMFILE),
    "write": (WRITE, errno.ENOSPC),
    "read": (READ, errno.EIO),
    "sync": (SYNC, errno.EIO),
    "cut": (CUT, errno.EIO),
    "rename": (RENAME, errno.EIO),
    "unlink": (UNLINK, errno.EIO),
    "mkdir": (MKDIR, errno.ENOSPC),
}

# How a daemon may end that was not asked to: it says why, in words.
ENDS = re.compile(r"<3>cannot start: .+|<3>out of memory: stopping; what was acknowledged is on disk|"
                  r"\S+dmpfeed\.yaml:1:1: cannot be read .+")


def ended(gateway: Gateway) -> bool:
    """Whether it has; and that it was in words."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        gateway.process.wait(0.2)
    if gateway.process.poll() is None:
        return False
    gateway.journal.join()
    assert any(ENDS.match(line) for line in gateway.journal.lines), "\n".join(gateway.journal.lines[-30:])
    assert gateway.process.returncode in (1, -6), gateway.process.returncode
    return True


def hand_in(gateway: Gateway, account: Account, letter: bytes):
    """By both doors, as patient senders do; until the daemon is gone."""
    deadline = time.monotonic() + 20
    account.drop(gateway, new_document())
    while not ended(gateway) and time.monotonic() < deadline:
        ack = None
        with contextlib.suppress(OSError, TimedOut):
            ack = gateway.send(mdm_t02(letter), timeout=15)
        if ack is not None and ack.code == "AA":
            account.acknowledge(Paper(letter))
            return
        assert ack is None or ack.code == "AR", ack.errors
    assert ended(gateway), "the message was never taken, and the daemon lives"


def look_around(gateway: Gateway):
    """As people and scrapers do, and whoever renews a certificate."""
    for path in "/", "/metrics", "/api/v1/status", "/api/v1/documents":
        gateway.get(path)
    gateway.process.send_signal(signal.SIGHUP)
    gateway.journal.wait(r">(not )?reloaded ", timeout=5)


def run_out(gateway: Gateway, fault, account: Account, letter: bytes) -> int:
    """A start, two documents, some looks and a stop, as far as they go. How many calls there were until it had
    started.
    """
    try:
        gateway.start(env=fault.environment)
    except TimedOut:
        assert ended(gateway), "it neither started nor ended"
        return fault.seen()
    at_start = fault.seen()
    hand_in(gateway, account, letter)
    with contextlib.suppress(TimedOut, RuntimeError, OSError, http.client.HTTPException, subprocess.TimeoutExpired):
        gateway.settled(timeout=5)
        look_around(gateway)
    if not ended(gateway):
        gateway.process.terminate()
        gateway.process.wait(20)
        gateway.journal.join()
    return at_start


def run_once(folder: pathlib.Path, simulator: Simulator, fault, nth: int) -> bool:
    """Whether there was such a call."""
    simulator.reset()
    gateway, account = Gateway(folder, simulator.url, simulator.pki, **SHORT), Account()
    letter = new_document()
    fault.fail_only(nth)
    try:
        run_out(gateway, fault, account, letter)
        was_hit = fault.seen() > nth
        fault.mend()
        gateway.start()
        if Paper(letter).key not in account.acknowledged:
            account.send_until_acknowledged(gateway, letter)
        account.settle(gateway, simulator)
        assert gateway.stop() == 0
    finally:  # the next call has a daemon of its own
        if gateway.process.poll() is None:
            gateway.kill()
    return was_hit


class Call:
    """A kind of call, under the folder of a gateway."""

    def __init__(self, kind: str, folder: pathlib.Path, control: pathlib.Path):
        self.calls, self.error = CALLS[kind]
        self.disk = FailingDisk(folder, control)
        self.environment, self.seen, self.mend = self.disk.environment, self.disk.seen, self.disk.mend

    def fail_only(self, nth: int):
        self.disk.fail(self.error, self.calls, after=nth, count=1)


class Allocation:
    def __init__(self, control: pathlib.Path):
        self.memory = FailingMemory(control)
        self.environment, self.seen, self.mend = self.memory.environment, self.memory.seen, self.memory.mend

    def fail_only(self, nth: int):
        self.memory.fail(nth)


def try_each(tmp_path: pathlib.Path, simulator: Simulator, make, is_every: bool, stride: int, drawn: int):
    """With one seed, printed, the same calls."""
    seed = int(os.environ.get("DMPFEED_SEED", random.randrange(10**6)))
    print(f"DMPFEED_SEED={seed}")
    chance, failures = random.Random(seed), []

    def run(nth: int) -> bool:
        folder = tmp_path / f"run{nth}"
        try:
            return run_once(folder, simulator, make(folder, tmp_path / f"control{nth}"), nth)
        except (AssertionError, OSError, RuntimeError, subprocess.TimeoutExpired) as trouble:
            failures.append(f"call {nth}: {trouble!r}")
            return True
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    if is_every:
        nth = chance.randrange(stride)
        while run(nth):
            nth += stride
        print(f"{nth} calls, one in {stride} of them")
    for nth in [] if is_every else draw(chance, drawn, *count_calls(tmp_path / "all", simulator,
                                                                    make(tmp_path / "all", tmp_path / "control"))):
        run(nth)
    assert failures == [], "\n".join(failures)


def count_calls(folder: pathlib.Path, simulator: Simulator, fault) -> tuple[int, int]:
    """How many there are when all goes well: until it has started, and in all."""
    fault.fail_only(10**9)
    at_start = run_out(Gateway(folder, simulator.url, simulator.pki, **SHORT), fault, Account(), new_document())
    assert fault.seen() > 0
    return at_start, fault.seen()


def draw(chance: random.Random, drawn: int, at_start: int, total: int) -> list[int]:
    """One from before it had started, the others each from a part of the rest, all as long."""
    early = [chance.randrange(at_start)] if at_start > 0 else []
    rest = total - at_start
    parts = min(drawn - len(early), rest)
    return early + [chance.randrange(at_start + rest * part // parts, at_start + rest * (part + 1) // parts)
                    for part in range(parts)]


@pytest.mark.parametrize("kind", CALLS)
def test_a_call_that_fails_once(request, tmp_path, simulator, kind):
    try_each(tmp_path, simulator, lambda folder, control: Call(kind, folder, control),
             request.config.getoption("--every"), stride=1, drawn=3)


def test_an_allocation_that_fails_once(request, tmp_path, simulator):
    try_each(tmp_path, simulator, lambda folder, control: Allocation(control),
             request.config.getoption("--every"), STRIDE, drawn=4)
