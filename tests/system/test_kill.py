"""kill -9 at each step of a document's path, and at any moment under load: whatever was acknowledged is
delivered, once.

What the daemon owes is counted from outside: by the answers that senders got, by the drop folder, and by the
simulated DMP's journal. A sender whose answer was lost repeats its message, as hospitals do.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import threading
import time

import pytest

from gateway import END, VT, Gateway, Mllp, Simulator, TimedOut, free_port
from samples import mdm_t02, numbered, unique_id

KILLS_PER_STEP = 3
KILLS_UNDER_LOAD = 30

numbers = itertools.count(1)


def new_document() -> bytes:
    return numbered(next(numbers))


class Account:
    """What the gateway has acknowledged, and what became of it."""

    def __init__(self):
        self.acknowledged: dict[str, bytes] = {}
        self.dropped: dict[str, bytes] = {}

    def send_until_acknowledged(self, gateway: Gateway, cda: bytes):
        assert gateway.send(mdm_t02(cda)).code == "AA"
        self.acknowledged[unique_id(cda)] = cda

    def drop(self, gateway: Gateway, cda: bytes) -> str:
        name = f"letter-{unique_id(cda).rpartition('.')[2]}.xml"
        self.dropped[name] = cda
        gateway.drop(name, cda)
        return name

    def settle(self, gateway: Gateway, simulator: Simulator):
        for name in self.dropped:
            if (gateway.inbox / name).exists():
                with contextlib.suppress(TimedOut):
                    gateway.wait_moved(name)
        documents = gateway.settled(60)
        self.check_folder(gateway)
        expected = self.acknowledged | {unique_id(cda): cda for cda in self.dropped.values()}
        assert {name for name in expected if documents.get(name, {}).get("state") != "delivered"} == set(), "lost"
        received = simulator.received()
        assert expected.keys() <= received.keys(), "said to be delivered, and not there"
        assert all(simulator.document(name) == cda for name, cda in expected.items())
        self.check_exchanges(simulator)

    def check_folder(self, gateway: Gateway):
        """Each file is in done/ once, under its own name, and nowhere else."""
        assert sorted(path.name for path in gateway.inbox.glob("*.xml")) == []
        assert list(gateway.inbox.glob("rejected/*/*")) == []
        moved = [path for path in gateway.inbox.glob("done/*/*")]
        assert sorted(path.name for path in moved) == sorted(self.dropped)
        assert all(path.read_bytes() == self.dropped[path.name] for path in moved)

    @staticmethod
    def check_exchanges(simulator: Simulator):
        """No document stored twice, none ever sent under two submission sets, no set used for two documents."""
        stored, sets = [], {}
        for each in simulator.exchanges():
            if each["verdict"] == "stored":
                stored.append(each["uniqueId"])
            if each["uniqueId"]:
                sets.setdefault(each["uniqueId"], set()).add(each["submissionSetUniqueId"])
        assert len(stored) == len(set(stored)), "stored twice"
        assert {name: each for name, each in sets.items() if len(each) > 1} == {}, "two submission sets"
        assert len({one for each in sets.values() for one in each}) == len(sets)


# ---- at each step ----

def in_the_middle_of_a_frame(gateway, simulator, account):
    with gateway.connect() as mllp:
        mllp.socket.sendall(VT + mdm_t02(new_document())[:3000])
        gateway.kill()


def before_the_answer(gateway, simulator, account):
    """Somewhere between the frame and the commit: the sender repeats."""
    cda = new_document()
    with gateway.connect() as mllp:
        mllp.write(mdm_t02(cda))
        gateway.kill()
        ack = mllp.read()
    if ack is not None:
        assert ack.code == "AA"
    gateway.start()
    account.send_until_acknowledged(gateway, cda)
    gateway.kill()


def after_the_commit(gateway, simulator, account):
    """The answer may be on its way: the document counts only because the sender repeats it."""
    cda = new_document()
    with gateway.connect() as mllp:
        mllp.write(mdm_t02(cda))
        gateway.journal.wait(r"received channel=mllp")
        gateway.kill()
    gateway.start()
    account.send_until_acknowledged(gateway, cda)
    gateway.kill()


def after_the_answer(gateway, simulator, account):
    account.send_until_acknowledged(gateway, new_document())
    gateway.kill()


def while_a_file_is_written(gateway, simulator, account):
    cda = new_document()
    name = f"letter-{unique_id(cda).rpartition('.')[2]}.xml"
    account.dropped[name] = cda
    with (gateway.inbox / name).open("wb") as file:
        file.write(cda[:2000])
        file.flush()
        gateway.kill()
        gateway.start()
        file.write(cda[2000:])
    gateway.kill()


def when_a_file_has_come(gateway, simulator, account):
    account.drop(gateway, new_document())
    gateway.kill()


def when_a_file_is_committed(gateway, simulator, account):
    """It is ours already, and still in the folder."""
    account.drop(gateway, new_document())
    gateway.journal.wait(r"received channel=drop")
    gateway.kill()


def when_a_file_was_moved(gateway, simulator, account):
    gateway.wait_moved(account.drop(gateway, new_document()))
    gateway.kill()


def while_it_is_sent(gateway, simulator, account):
    """The request has left and is not stored yet; it will be, behind the daemon's back."""
    simulator.faults({"kind": "hold"})
    account.send_until_acknowledged(gateway, new_document())
    simulator.wait_held(1)
    gateway.kill()
    simulator.faults()
    simulator.release()


def while_the_dmp_holds_its_answer(gateway, simulator, account):
    simulator.faults({"kind": "hold_after"})
    account.send_until_acknowledged(gateway, new_document())
    simulator.wait_held(1)
    gateway.kill()
    simulator.faults()
    simulator.release()


def when_the_answer_has_come(gateway, simulator, account):
    """Between the DMP's answer and the commit of the outcome, or shortly after."""
    simulator.faults({"kind": "hold_after"})
    account.send_until_acknowledged(gateway, new_document())
    simulator.wait_held(1)
    asked = len(simulator.exchanges())
    simulator.faults()
    simulator.release()
    simulator.wait_exchanges(asked)
    gateway.kill()


def when_the_answer_was_lost(gateway, simulator, account):
    simulator.faults({"kind": "reset_after", "times": 1})
    account.send_until_acknowledged(gateway, new_document())
    gateway.journal.wait(r"outcome=queued .*reason=doubtful")
    gateway.kill()


def when_the_outcome_is_committed(gateway, simulator, account):
    account.send_until_acknowledged(gateway, new_document())
    gateway.journal.wait(r"outcome=delivered")
    gateway.kill()


def while_it_starts(gateway, simulator, account):
    """With a backlog in doubt, again and again before it has said that it started."""
    simulator.faults({"kind": "hold"})
    account.send_until_acknowledged(gateway, new_document())
    simulator.wait_held(1)
    gateway.kill()
    gateway.start()
    gateway.kill()
    simulator.faults()
    simulator.release()


STEPS = [
    in_the_middle_of_a_frame, before_the_answer, after_the_commit, after_the_answer, while_a_file_is_written,
    when_a_file_has_come, when_a_file_is_committed, when_a_file_was_moved, while_it_is_sent,
    while_the_dmp_holds_its_answer, when_the_answer_has_come, when_the_answer_was_lost, when_the_outcome_is_committed,
    while_it_starts,
]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_a_kill_loses_nothing_and_sends_nothing_twice(start_gateway, simulator, step):
    gateway, account = start_gateway(first="100 ms", most="300 ms"), Account()
    for _ in range(KILLS_PER_STEP):
        step(gateway, simulator, account)
        gateway.start()
    account.settle(gateway, simulator)


# ---- at any moment ----

class Sender(threading.Thread):
    """One MLLP connection with one message in flight, which repeats what was not answered."""

    def __init__(self, address: tuple[str, int], work, up: threading.Event):
        super().__init__(daemon=True)
        self.address, self.work, self.up = address, work, up
        self.acknowledged: dict[str, bytes] = {}
        self.trouble: list[str] = []
        self.repeated = 0

    def run(self):
        mllp = None
        for cda in iter(self.work, None):
            ack = None
            while ack is None:
                assert self.up.wait(60)
                try:
                    mllp = mllp or Mllp(self.address)
                    ack = mllp.send(mdm_t02(cda))
                except OSError:
                    pass
                if ack is None:
                    self.repeated += 1
                    mllp = mllp.close() if mllp else None
            if ack.code == "AA":
                self.acknowledged[unique_id(cda)] = cda
            else:
                self.trouble.append(f"{ack.code} {ack.errors}")


MOMENTS = [r"received channel=mllp", r"received channel=drop", r"moved=done", r"outcome=delivered",
           r"outcome=queued", r"recovered documents=", None]


def a_random_moment(gateway: Gateway, chance: random.Random):
    """A line of the journal that comes, or some milliseconds."""
    pattern = chance.choice(MOMENTS)
    if pattern is None:
        time.sleep(chance.random() * 0.15)
        return
    with contextlib.suppress(TimedOut):
        gateway.journal.wait(pattern, timeout=0.3, start=len(gateway.journal.lines) if chance.random() < 0.5 else 0)


def test_kills_at_random_moments_under_load(start_gateway, simulator):
    seed = int(os.environ.get("DMPFEED_SEED", random.randrange(10**6)))
    print(f"DMPFEED_SEED={seed}")
    chance = random.Random(seed)
    port = free_port()
    gateway = start_gateway(listen=f"127.0.0.1:{port}", first="100 ms", most="300 ms", exchange="3 s")
    account, up, permits, ending = Account(), threading.Event(), threading.Semaphore(0), threading.Event()

    def next_document():
        permits.acquire()
        return None if ending.is_set() else new_document()

    up.set()
    senders = [Sender(("127.0.0.1", port), next_document, up) for _ in range(4)]
    for sender in senders:
        sender.start()
    simulator.faults({"kind": "delay", "ms": 20, "probability": 0.5, "seed": seed},
                     {"kind": "reset_after", "probability": 0.08, "seed": seed + 1},
                     {"kind": "reset_before", "probability": 0.04, "seed": seed + 2},
                     {"kind": "truncated", "probability": 0.04, "seed": seed + 3},
                     {"kind": "failure", "errorCode": "XDSRegistryBusy", "probability": 0.03, "seed": seed + 4})
    for _ in range(KILLS_UNDER_LOAD):
        permits.release(12)
        for _ in range(4):
            account.drop(gateway, new_document())
        a_random_moment(gateway, chance)
        up.clear()
        gateway.kill()
        gateway.start()
        up.set()
    ending.set()
    permits.release(len(senders))
    for sender in senders:
        sender.join(60)
        assert not sender.is_alive()
        assert sender.trouble == []
        account.acknowledged |= sender.acknowledged
    simulator.faults()
    account.settle(gateway, simulator)
    print(f"{KILLS_UNDER_LOAD} kills, {len(account.acknowledged)} messages acknowledged, {len(account.dropped)} files, "
          f"{sum(sender.repeated for sender in senders)} repeated, {len(simulator.exchanges())} exchanges")


def test_there_are_fifty_kills_at_least():
    assert len(STEPS) * KILLS_PER_STEP + KILLS_UNDER_LOAD >= 50
