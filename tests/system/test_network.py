"""The network is cut in the middle of something: on the way to the DMP at each record of an exchange, and towards us.
Whatever was under way goes again under the same ids, and is counted once.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import socket
import struct

import pytest

from disks import SYNC, FailingDisk, SetClock
from gateway import END, SERVER_NAME, SLOWER, VT, Gateway, Mllp, Simulator
from kills import DELETE, SUBMIT, Account, Paper, new_document
from network import ANSWERS, NXDOMAIN, SERVFAIL, NameService, asking, no_packet_arrives, own_network
from network import SILENT as NO_ANSWER
from test_mllp import wait_listener
from way import CLOSED, RESET, SILENT, Place, Way

SHORT = {"first": "100 ms", "most": "200 ms", "probe": "100 ms"}
HASTY = {**SHORT, "connect": f"{SLOWER} s", "exchange": f"{SLOWER} s"}  # where silence is waited for
ASKS_ALWAYS = "td02: { cache: { positive: 0 s, negative: 0 s } }"


@pytest.fixture
def way(simulator):
    with Way(simulator.url) as way:
        yield way


@pytest.fixture
def start(simulator, tmp_path, way):
    """A gateway that asks for each document whether its patient has a DMP."""
    with contextlib.ExitStack() as ends:
        def start(settings: dict) -> Gateway:
            gateway = Gateway(tmp_path / "gateway", way.url, simulator.pki, extra=ASKS_ALWAYS, **settings)
            asks = gateway.config.read_text().replace("    dmp:\n", "    dmp:\n      check_existence: true\n")
            gateway.config.write_text(asks)
            return ends.enter_context(gateway)
        yield start


# ---- on the way to the DMP ----

# What one document asks for on a connection of its own; the last changes something.
ASKED = {SUBMIT: ["TD0.2", "TD2.1"], DELETE: ["TD0.2", "TD3.1b", "TD3.3c"]}


class Errands:
    """One document after the other."""

    def __init__(self, gateway: Gateway, action: str):
        self.gateway, self.action, self.account = gateway, action, Account()

    def run(self, prepare) -> tuple[dict, dict]:
        """Prepares the way, and gives what was written down after the first attempt and the last."""
        paper = Paper(new_document())
        if self.action == DELETE:
            self._hand_in(paper)
            paper = Paper(paper.cda, DELETE)
        prepare()
        doc = self._hand_in(paper)
        settled = [each for each in self.gateway.ctl("show", doc)["events"] if each["what"] == "settled"]
        return settled[0], settled[-1]

    def _hand_in(self, paper: Paper) -> str:
        assert self.gateway.send(paper.message).code == "AA"
        self.account.acknowledge(paper)
        (doc,) = [each["doc"] for each in self.gateway.documents() if (each["unique_id"], each["action"]) == paper.key]
        assert self.gateway.wait_final(doc) == "delivered"
        return doc


def ends_of_flights(passed: list[Place]) -> list[int]:
    """The last record that goes one way before one goes the other."""
    return [at for at, here in enumerate(passed) if passed[at + 1:at + 2] != [here]]


def cuts_of(passed: list[Place], every: bool) -> list[tuple[int, str, bool]]:
    if every:
        return list(itertools.product(range(len(passed)), (RESET, CLOSED), (False, True)))
    return [(at, *how) for at in ends_of_flights(passed) for how in ((RESET, True), (CLOSED, False))]


def undisturbed(errands: Errands, simulator, way: Way) -> list[Place]:
    """What passes for a document over a connection of its own."""
    asked = ASKED[errands.action]
    assert errands.run(way.hang_up)[0]["state"] == "delivered"
    assert [each["transaction"] for each in simulator.exchanges()][-len(asked):] == asked
    passed = way.passed()
    assert max(each.request for each in passed) == len(asked)
    return passed


def assert_waits(settled: dict, reasons: set[str]):
    assert (settled["state"], settled["code"]) == ("queued", "transport") and settled["reason"] in reasons, settled


def assert_delivered_once(settled: dict):
    assert (settled["state"], settled["attempt"]) == ("delivered", 1), "the way was at fault, not the document"


@pytest.mark.parametrize("action", ASKED)
def test_an_exchange_that_is_cut_anywhere_is_made_again(request, start, simulator, way, action):
    """With --every at each record and in its middle; else where one side has said all it had to say."""
    errands, last_request = Errands(start(SHORT), action), len(ASKED[action])
    passed = undisturbed(errands, simulator, way)
    for at, manner, half in cuts_of(passed, request.config.getoption("--every")):
        first, last = errands.run(functools.partial(way.cut, at, manner, half))
        here = way.struck
        assert here == passed[at]
        assert_waits(first, {"retrying"} if here.request < last_request else
                     {"retrying", "doubtful"} if here.from_gateway else {"doubtful"})
        assert_delivered_once(last)
    errands.account.settle(errands.gateway, simulator)


@pytest.mark.parametrize("action", ASKED)
def test_an_exchange_that_falls_silent_anywhere_is_made_again(request, start, simulator, way, action):
    """Without --every: in the handshake, the last request and its answer, for each takes a second."""
    errands = Errands(start(HASTY), action)
    passed = undisturbed(errands, simulator, way)
    ends = ends_of_flights(passed)
    for at in range(len(passed)) if request.config.getoption("--every") else ends[:1] + ends[-2:]:
        first, last = errands.run(functools.partial(way.cut, at, SILENT, True))
        assert way.struck == passed[at]
        assert_waits(first, {"retrying", "doubtful"})
        assert_delivered_once(last)
    errands.account.settle(errands.gateway, simulator)


def test_a_kept_connection_that_a_firewall_has_forgotten_is_replaced(start, simulator, way):
    errands = Errands(start(HASTY), SUBMIT)
    undisturbed(errands, simulator, way)
    first, last = errands.run(way.fall_silent)
    assert_waits(first, {"retrying"})  # it had only asked
    assert_delivered_once(last)
    errands.account.settle(errands.gateway, simulator)


# ---- towards us ----

def reset(mllp: Mllp):
    mllp.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    mllp.close()


def test_a_sender_that_is_cut_off_repeats_itself_and_is_counted_once(make_gateway, simulator, tmp_path):
    """In the middle of its message; after it, while that is written to the disk; and once it is, unanswered."""
    disk, account = FailingDisk(tmp_path / "gateway" / "state", tmp_path / "control"), Account()
    gateway = make_gateway(**SHORT).start(env=disk.environment)
    begun, coming, there = papers = [Paper(new_document()) for _ in range(3)]

    sender = gateway.connect()
    sender.socket.sendall((VT + begun.message)[:-1000])
    wait_listener(gateway, connections=1)
    reset(sender)
    wait_listener(gateway, connections=0, messages=0)
    assert gateway.documents() == []

    disk.hang(SYNC)
    sender = gateway.connect()
    sender.write(coming.message)
    wait_listener(gateway, messages=1)
    reset(sender)
    wait_listener(gateway, connections=0)
    disk.mend()
    gateway.journal.wait(r"doc=\S+ received channel=mllp")

    sender = gateway.connect()
    start = len(gateway.journal.lines)
    sender.write(there.message)
    gateway.journal.wait(r"doc=\S+ received channel=mllp", start=start)
    reset(sender)

    for paper in papers:
        account.send_until_acknowledged(gateway, paper.cda)
    assert len(gateway.documents()) == 3
    account.settle(gateway, simulator)


# ---- no packet arrives, or no name is known ----

@pytest.fixture
def network():
    with own_network():
        yield


def test_while_no_packet_arrives_nothing_is_lost(network, pki, tmp_path):
    """The DMP holds a document whose answer is lost, nobody answers to a connection, and a sender is in mid-frame."""
    account, hastier = Account(), {**SHORT, "connect": f"{300 * SLOWER} ms", "exchange": f"{500 * SLOWER} ms"}
    with Simulator(pki, tmp_path / "store") as simulator, \
            Gateway(tmp_path / "gateway", simulator.url, pki, **hastier) as gateway, gateway.connect() as sender:
        simulator.faults({"kind": "hold_after", "times": 1})
        account.send_until_acknowledged(gateway, new_document())
        simulator.wait_held(1)
        paper = Paper(new_document())
        frame = VT + paper.message + END
        sender.socket.sendall(frame[:1000])
        with no_packet_arrives():
            gateway.journal.wait(r"outcome=queued .*reason=doubtful code=transport")
            account.drop(gateway, new_document())
            sender.socket.sendall(frame[1000:])
            gateway.journal.wait(r"outcome=queued .*reason=retrying code=transport: Failed to connect")
            (lane,) = gateway.ctl("status")["lanes"]
            assert lane["state"] == "slowed" and lane["why"].startswith("The DMP does not answer: ")
        assert sender.read().code == "AA"
        account.acknowledge(paper)
        account.settle(gateway, simulator)
        assert {gateway.ctl("show", each["doc"])["attempts"] for each in gateway.documents()} == {1}


def secret(folder, text: str):
    file = folder / "secret"
    file.write_text(f"{text}\n")
    file.chmod(0o600)
    return file


def test_a_name_that_is_no_longer_known_is_waited_for(network, pki, tmp_path):
    """curl keeps what it was told for a minute, so the clock goes on by as much."""
    account, clock = Account(), SetClock(tmp_path / "clock")
    under = asking(tmp_path, "127.0.0.1")
    with NameService("127.0.0.1") as names, Simulator(pki, tmp_path / "store", env=clock.environment) as simulator, \
            Way(simulator.url) as way:
        gateway = Gateway(tmp_path / "gateway", way.url.replace("127.0.0.1", SERVER_NAME), pki,
                          homologation=secret(tmp_path, "TEST-1"), **HASTY)
        gateway.config.write_text(gateway.config.read_text().replace("environment: rehearsal", "environment: test"))
        with gateway.start(env=clock.environment, under=under):
            account.send_until_acknowledged(gateway, new_document())
            gateway.settled()
            for minutes, does in enumerate((SERVFAIL, NXDOMAIN, NO_ANSWER), 1):
                names.does, start = does, len(gateway.journal.lines)
                clock.ahead(61 * minutes)
                way.hang_up()
                for _ in range(2):
                    account.send_until_acknowledged(gateway, new_document())
                gateway.journal.wait(r"outcome=queued .*reason=retrying code=transport: .*[Rr]esolv", start=start)
                (lane,) = gateway.status()["lanes"]
                assert lane["state"] == "slowed" and re.match("The DMP does not answer: .*[Rr]esolv", lane["why"])
                assert lane["sentence"]["fr"].startswith("Le DMP ne répond pas")
                assert gateway.get("/readyz")[0] == 200
                names.does = ANSWERS
                gateway.journal.wait(r"^<6>lane=\d+ state=open", start=start)
                gateway.settled()
            account.settle(gateway, simulator)
            assert {gateway.ctl("show", each["doc"])["attempts"] for each in gateway.documents()} == {1}
