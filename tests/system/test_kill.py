"""kill -9 at each step of a document's path, and at any moment under load: whatever was acknowledged is
delivered, once.
"""

from __future__ import annotations

import os
import random

import pytest

from gateway import VT, free_port
from kills import Account, Load, Paper, new_document, trouble_at_the_dmp
from samples import mdm_t02, unique_id

KILLS_PER_STEP = 3
KILLS_UNDER_LOAD = 30


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
    account.dropped[name] = Paper(cda)
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

def test_kills_at_random_moments_under_load(start_gateway, simulator):
    seed = int(os.environ.get("DMPFEED_SEED", random.randrange(10**6)))
    print(f"DMPFEED_SEED={seed}")
    chance = random.Random(seed)
    port = free_port()
    gateway = start_gateway(listen=f"127.0.0.1:{port}", first="100 ms", most="300 ms", exchange="3 s")
    account = Account()
    load = Load(gateway, ("127.0.0.1", port), account, chance)
    trouble_at_the_dmp(simulator, seed)
    for _ in range(KILLS_UNDER_LOAD):
        load.kill_at_random(chance)
    repeated = load.end()
    simulator.faults()
    account.settle(gateway, simulator)
    print(f"{KILLS_UNDER_LOAD} kills, {len(account.acknowledged)} messages acknowledged, {len(account.dropped)} files, "
          f"{repeated} repeated, {len(simulator.exchanges())} exchanges")


def test_there_are_fifty_kills_at_least():
    assert len(STEPS) * KILLS_PER_STEP + KILLS_UNDER_LOAD >= 50
