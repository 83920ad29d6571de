"""kill -9 under load, and the account of what the daemon owes afterwards: whatever was acknowledged is delivered,
once. For tests and for scripts/torture.

What it owes is counted from outside: by the answers that senders got, by the drop folder, and by the simulated DMP's
journal. A sender whose answer was lost repeats its message, as hospitals do.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import itertools
import random
import threading
import time

from gateway import Gateway, Mllp, Simulator, TimedOut
from samples import mdm_t02, numbered, unique_id

SENDERS = 4
MESSAGES_PER_KILL, FILES_PER_KILL = 12, 4

numbers = itertools.count(1)


def new_document() -> bytes:
    return numbered(next(numbers))


@dataclasses.dataclass(frozen=True)
class Balance:
    acknowledged: int
    delivered: int
    lost: list[str]
    duplicated: list[str]

    def text(self) -> str:
        return (f"acknowledged {self.acknowledged} delivered {self.delivered} "
                f"lost {len(self.lost)} duplicated {len(self.duplicated)}")

    @property
    def is_even(self) -> bool:
        return not self.lost and not self.duplicated


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
        assert {name for name in self.owed if documents.get(name, {}).get("state") != "delivered"} == set(), "lost"
        balance = self.balance(simulator)
        assert balance.is_even, balance
        self.check_exchanges(simulator)

    @property
    def owed(self) -> dict[str, bytes]:
        return self.acknowledged | {unique_id(cda): cda for cda in self.dropped.values()}

    def balance(self, simulator: Simulator) -> Balance:
        """Delivered is what the DMP holds, byte for byte; duplicated what it was given twice, or under two
        submission sets.
        """
        owed, received = self.owed, simulator.received()
        held = {name for name, cda in owed.items() if name in received and simulator.document(name) == cda}
        stored = collections.Counter(each["uniqueId"] for each in simulator.exchanges() if each["verdict"] == "stored")
        sets = collections.defaultdict(set)
        for each in simulator.exchanges():
            if each["uniqueId"]:
                sets[each["uniqueId"]].add(each["submissionSetUniqueId"])
        twice = {name for name, count in stored.items() if count > 1} | {name for name in sets if len(sets[name]) > 1}
        return Balance(len(owed), len(held), sorted(owed.keys() - held), sorted(twice))

    def check_folder(self, gateway: Gateway):
        """Each file is in done/ once, under its own name, and nowhere else."""
        assert sorted(path.name for path in gateway.inbox.glob("*.xml")) == []
        assert list(gateway.inbox.glob("rejected/*/*")) == []
        moved = [path for path in gateway.inbox.glob("done/*/*")]
        assert sorted(path.name for path in moved) == sorted(self.dropped)
        assert all(path.read_bytes() == self.dropped[path.name] for path in moved)

    @staticmethod
    def check_exchanges(simulator: Simulator):
        """No submission set was used for two documents."""
        sets = {(each["uniqueId"], each["submissionSetUniqueId"])
                for each in simulator.exchanges() if each["uniqueId"]}
        assert len({one for _, one in sets}) == len(sets)


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


class Load:
    """Senders and a folder that bring documents, and a daemon that is killed and started again."""

    def __init__(self, gateway: Gateway, address: tuple[str, int], account: Account):
        self.gateway, self.account = gateway, account
        self.up, self.permits, self.ending = threading.Event(), threading.Semaphore(0), threading.Event()
        self.senders = [Sender(address, self._next_document, self.up) for _ in range(SENDERS)]
        self.up.set()
        for sender in self.senders:
            sender.start()

    def _next_document(self):
        self.permits.acquire()
        return None if self.ending.is_set() else new_document()

    def kill_at_random(self, chance: random.Random, interrupt=None):
        """`interrupt` kills and starts again in a way of its own."""
        self.permits.release(MESSAGES_PER_KILL)
        for _ in range(FILES_PER_KILL):
            self.account.drop(self.gateway, new_document())
        a_random_moment(self.gateway, chance)
        self.up.clear()
        (interrupt or self._kill)()
        self.up.set()

    def _kill(self):
        self.gateway.kill()
        self.gateway.start()

    def end(self) -> int:
        """Takes what was acknowledged into the account. Returns how many messages were repeated."""
        self.ending.set()
        self.permits.release(len(self.senders))
        for sender in self.senders:
            sender.join(60)
            assert not sender.is_alive()
            assert sender.trouble == []
            self.account.acknowledged |= sender.acknowledged
        return sum(sender.repeated for sender in self.senders)


def trouble_at_the_dmp(simulator: Simulator, seed: int):
    simulator.faults({"kind": "delay", "ms": 20, "probability": 0.5, "seed": seed},
                     {"kind": "reset_after", "probability": 0.08, "seed": seed + 1},
                     {"kind": "reset_before", "probability": 0.04, "seed": seed + 2},
                     {"kind": "truncated", "probability": 0.04, "seed": seed + 3},
                     {"kind": "failure", "errorCode": "XDSRegistryBusy", "probability": 0.03, "seed": seed + 4})
