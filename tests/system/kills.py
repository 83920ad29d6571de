"""kill -9 under load, and the account of what the daemon owes afterwards: whatever was acknowledged is carried out,
once: documents, versions in the place of others, deletions.

What it owes is counted from outside: by the answers that senders got, by the drop folder, and by what the simulated
DMP holds and has in its journal. A sender whose answer was lost repeats its message, as hospitals do.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import itertools
import random
import sqlite3
import threading
import time

from gateway import Gateway, Mllp, Simulator, TimedOut
from samples import mdm_t02, numbered, repeated, unique_id

SENDERS = 4
MESSAGES_PER_KILL, FILES_PER_KILL = 12, 4

SUBMIT, REPLACE, DELETE = ACTIONS = ("submit", "replace", "delete")  # as the gateway names them
SHARES = (5, 3, 2)  # of what is handed in
TRIGGERS = dict(zip(ACTIONS, ("T02", "T10", "T04")))
MARKS = {"stored": "TD2.1", "deleted": "TD3.3c"}  # how the DMP notes that it did something, once a document

numbers = itertools.count(1)


def new_document() -> bytes:
    return numbered(next(numbers))


def new_version(of: bytes) -> bytes:
    """It says something else, or nobody would send it."""
    number = next(numbers)
    return repeated(unique_id(of), f"1.2.250.1.999.1.9.{number}", f"Version {number} : ")


@dataclasses.dataclass(frozen=True)
class Paper:
    """What is handed in: a document, one in the place of another, or the deletion of one."""
    cda: bytes
    action: str = SUBMIT
    replaces: str = ""

    @property
    def unique_id(self) -> str:
        return unique_id(self.cda)

    @property
    def key(self) -> tuple[str, str]:
        return self.unique_id, self.action

    @property
    def message(self) -> bytes:
        return mdm_t02(self.cda, trigger=TRIGGERS[self.action])

    @property
    def file_name(self) -> str:
        """A CDA says itself what it replaces; only a message can say that it is withdrawn."""
        number = self.unique_id.rpartition(".")[2]
        return f"deletion-{number}.hl7" if self.action == DELETE else f"letter-{number}.xml"

    @property
    def file(self) -> bytes:
        return self.message if self.action == DELETE else self.cda


class Desk:
    """Where it is decided what is handed in next. What was acknowledged is replaced or deleted once, for a second
    one may be refused with good reason.
    """

    def __init__(self, chance: random.Random):
        self.chance, self.lock = chance, threading.Lock()
        self.known: list[Paper] = []

    def next(self) -> Paper:
        with self.lock:
            (action,) = self.chance.choices(ACTIONS, SHARES)
            if action == SUBMIT or not self.known:
                return Paper(new_document())
            old = self.known.pop(self.chance.randrange(len(self.known)))
            if action == DELETE:
                return Paper(old.cda, DELETE, old.replaces)
            return Paper(new_version(old.cda), REPLACE, old.unique_id)

    def acknowledged(self, paper: Paper):
        if paper.action != DELETE:
            with self.lock:
                self.known.append(paper)


@dataclasses.dataclass(frozen=True)
class Balance:
    acknowledged: int
    delivered: int
    lost: list[str]
    duplicated: list[str]
    withdrawn: int = 0

    def text(self) -> str:
        """What was withdrawn before it was sent is delivered as it should be: not at all."""
        return (f"acknowledged {self.acknowledged} delivered {self.delivered} "
                f"lost {len(self.lost)} duplicated {len(self.duplicated)}")

    @property
    def is_even(self) -> bool:
        return not self.lost and not self.duplicated


class Account:
    """What the gateway has acknowledged, and what became of it."""

    def __init__(self):
        self.acknowledged: dict[tuple[str, str], Paper] = {}
        self.dropped: dict[str, Paper] = {}

    def acknowledge(self, paper: Paper):
        self.acknowledged[paper.key] = paper

    def send_until_acknowledged(self, gateway: Gateway, cda: bytes):
        assert gateway.send(mdm_t02(cda)).code == "AA"
        self.acknowledge(Paper(cda))

    def drop(self, gateway: Gateway, cda: bytes) -> str:
        return self.drop_paper(gateway, Paper(cda))

    def drop_paper(self, gateway: Gateway, paper: Paper) -> str:
        self.dropped[paper.file_name] = paper
        gateway.drop(paper.file_name, paper.file)
        return paper.file_name

    def settle(self, gateway: Gateway, simulator: Simulator):
        for name in self.dropped:
            if (gateway.inbox / name).exists():
                with contextlib.suppress(TimedOut):
                    gateway.wait_moved(name)
        self._wait_for_all(gateway)
        self.check_folder(gateway)
        balance = self.balance(gateway, simulator)
        assert balance.is_even, balance
        self.check_exchanges(simulator)
        check_books(gateway)

    @staticmethod
    def _wait_for_all(gateway: Gateway, seconds: float = 90):
        """One that waits for another goes when that has ended."""
        deadline = time.monotonic() + seconds
        while any(each["state"] in ("held", "queued", "sending") for each in gateway.documents()):
            if time.monotonic() > deadline:
                raise TimedOut("documents are still under way")
            gateway.settled(max(deadline - time.monotonic(), 0.1))

    @property
    def owed(self) -> dict[tuple[str, str], Paper]:
        return self.acknowledged | {paper.key: paper for paper in self.dropped.values()}

    def text(self) -> str:
        counts = collections.Counter(action for _, action in self.owed)
        return ", ".join(f"{action} {counts[action]}" for action in ACTIONS) + f"; {len(self.dropped)} of them as files"

    def balance(self, gateway: Gateway, simulator: Simulator) -> Balance:
        """Each paper by its id, as the gateway has it and as the DMP has it. Lost is what the two do not agree on;
        duplicated what the DMP was given twice, or under two submission sets, or by nobody.
        """
        owed = self.owed
        told = {(each["unique_id"], each["action"]): (each["state"], each["reason"]) for each in gateway.documents()}
        withdrawn = {key[0] for key in owed if told.get(key) == ("cancelled", "withdrawn")}
        held = simulator.received()
        lost = [" ".join((*key, *map(str, told.get(key, ("unknown",))))) for key, paper in owed.items()
                if not (self._is_withdrawn(paper, owed, told, held) if key[0] in withdrawn
                        else told.get(key, "")[0] == "delivered" and self._is_done(paper, owed, held, simulator))]
        return Balance(len(owed), len(owed) - len(lost), sorted(lost), self._twice(owed, simulator), len(withdrawn))

    @staticmethod
    def _is_withdrawn(paper: Paper, owed: dict, told: dict, held: dict) -> bool:
        """Somebody asked for it, and the DMP has never seen it."""
        deletion = paper.unique_id, DELETE
        return deletion in owed and told.get(deletion) == ("suppressed", "withdrawn") and paper.unique_id not in held

    @staticmethod
    def _is_done(paper: Paper, owed: dict, held: dict, simulator: Simulator) -> bool:
        there = held.get(paper.unique_id)
        if there is None or simulator.document(paper.unique_id) != paper.cda:
            return False
        if (paper.unique_id, DELETE) in owed:
            return there["status"] == "deleted"
        older = held.get(paper.replaces)
        return paper.action != REPLACE or (
            older is not None and there["replaces"] == [older["entryUUID"]] and older["status"] == "deprecated")

    @staticmethod
    def _twice(owed: dict, simulator: Simulator) -> list[str]:
        done, sets = collections.Counter(), collections.defaultdict(set)
        for each in simulator.exchanges():
            if each["verdict"] in MARKS:
                done[each["uniqueId"], each["verdict"]] += 1
            if each["uniqueId"] and each["transaction"] in MARKS.values():
                sets[each["uniqueId"], each["transaction"]].add(each["submissionSetUniqueId"])
        asked_for = {unique for unique, _ in owed}
        twice = {unique for (unique, _), count in done.items() if count > 1 or unique not in asked_for}
        return sorted(twice | {unique for (unique, _), used in sets.items() if len(used) > 1})

    def check_folder(self, gateway: Gateway):
        """Each file is in done/ once, under its own name, and nowhere else."""
        assert sorted(path.name for path in gateway.inbox.iterdir() if path.is_file()) == []
        assert list(gateway.inbox.glob("rejected/*/*")) == []
        moved = list(gateway.inbox.glob("done/*/*"))
        assert sorted(path.name for path in moved) == sorted(self.dropped)
        assert all(path.read_bytes() == self.dropped[path.name].file for path in moved)

    @staticmethod
    def check_exchanges(simulator: Simulator):
        """No submission set was used for two documents, nor for a document and its deletion."""
        sets = {(each["uniqueId"], each["transaction"], each["submissionSetUniqueId"])
                for each in simulator.exchanges() if each["uniqueId"] and each["submissionSetUniqueId"]}
        assert len({one for _, _, one in sets}) == len(sets)


def check_books(gateway: Gateway):
    """The chain is whole, and what is counted is what comes of counting all rows anew."""
    assert gateway.ctl("verify")["ok"]
    edition = wait_counted(gateway)
    counted = gateway.ctl("counters")
    assert bool(counted) == bool(gateway.documents())
    assert gateway.ctl("counters", "--rebuild")[0]["recount"] == edition + 1
    assert wait_counted(gateway, edition + 1) == edition + 1
    assert gateway.ctl("counters") == counted


def wait_counted(gateway: Gateway, edition: int = 0, seconds: float = 30) -> int:
    """Until every row of the ledger is counted; for the how manieth time."""
    deadline = time.monotonic() + seconds
    with contextlib.closing(sqlite3.connect(gateway.folder / "state" / "queue.db")) as store:
        while True:
            newest, last, found, is_emptying = store.execute(
                "SELECT (SELECT coalesce(max(number), 0) FROM ledger), last, edition, is_emptying FROM tally").fetchone()
            if last >= newest and found >= edition and not is_emptying:
                return found
            if time.monotonic() > deadline:
                raise TimedOut(f"counted to {last} of {newest} in {seconds} s")
            time.sleep(0.05)


class Sender(threading.Thread):
    """One MLLP connection with one message in flight, which repeats what was not answered."""

    def __init__(self, address: tuple[str, int], work, on_acknowledged, up: threading.Event):
        super().__init__(daemon=True)
        self.address, self.work, self.on_acknowledged, self.up = address, work, on_acknowledged, up
        self.acknowledged: list[Paper] = []
        self.trouble: list[str] = []
        self.repeated = 0

    def run(self):
        mllp = None
        for paper in iter(self.work, None):
            ack = None
            while ack is None:
                assert self.up.wait(60)
                try:
                    mllp = mllp or Mllp(self.address)
                    ack = mllp.send(paper.message)
                except OSError:
                    pass
                if ack is None:
                    self.repeated += 1
                    mllp = mllp.close() if mllp else None
            if ack.code == "AA":
                self.acknowledged.append(paper)
                self.on_acknowledged(paper)
            else:
                self.trouble.append(f"{paper.key}: {ack.code} {ack.errors}")


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

    def __init__(self, gateway: Gateway, address: tuple[str, int], account: Account, chance: random.Random):
        self.gateway, self.account, self.desk = gateway, account, Desk(random.Random(chance.random()))
        self.up, self.permits, self.ending = threading.Event(), threading.Semaphore(0), threading.Event()
        self.senders = [Sender(address, self._next_paper, self.desk.acknowledged, self.up) for _ in range(SENDERS)]
        self.in_folder: list[Paper] = []
        self.up.set()
        for sender in self.senders:
            sender.start()

    def _next_paper(self) -> Paper | None:
        self.permits.acquire()
        return None if self.ending.is_set() else self.desk.next()

    def _drop(self, count: int):
        for _ in range(count):
            paper = self.desk.next()
            self.account.drop_paper(self.gateway, paper)
            self.in_folder.append(paper)

    def _look_into_folder(self):
        """A file that has left is acknowledged."""
        here, self.in_folder = self.in_folder, []
        for paper in here:
            if (self.gateway.inbox / paper.file_name).exists():
                self.in_folder.append(paper)
            else:
                self.desk.acknowledged(paper)

    def kill_at_random(self, chance: random.Random, interrupt=None):
        """`interrupt` kills and starts again in a way of its own."""
        self.permits.release(MESSAGES_PER_KILL)
        self._look_into_folder()
        self._drop(FILES_PER_KILL)
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
            for paper in sender.acknowledged:
                self.account.acknowledge(paper)
        return sum(sender.repeated for sender in self.senders)


def trouble_at_the_dmp(simulator: Simulator, seed: int):
    simulator.faults({"kind": "delay", "ms": 20, "probability": 0.5, "seed": seed},
                     {"kind": "reset_after", "probability": 0.2, "seed": seed + 1},
                     {"kind": "reset_before", "probability": 0.04, "seed": seed + 2},
                     {"kind": "truncated", "probability": 0.04, "seed": seed + 3},
                     {"kind": "failure", "errorCode": "XDSRegistryBusy", "probability": 0.03, "seed": seed + 4})
