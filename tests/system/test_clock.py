"""The clock jumps by a year while the gateway runs: nothing is lost, nothing waits for a year, ids stay unique."""

from __future__ import annotations

import pytest

from disks import SetClock
from kills import Account, Paper, new_document
from samples import hand_in, mdm_t02, unique_id

SHORT = {"first": "200 ms", "most": "400 ms", "probe": "300 ms"}
YEAR = 365 * 86400
BOTH_WAYS = pytest.mark.parametrize("jump", [YEAR, -YEAR], ids=["forward", "back"])


@pytest.fixture
def clock(tmp_path):
    return SetClock(tmp_path / "clock")


@pytest.fixture
def gateway(make_gateway, clock):
    return make_gateway(**SHORT)



@BOTH_WAYS
def test_a_clock_that_is_set_right_while_the_lane_pauses(gateway, simulator, clock, jump):
    """It was wrong by a year from soon after the start; documents were queued in that time, and put back in it."""
    account = Account()
    gateway.start(env=clock.environment)
    clock.ahead(-jump)
    simulator.faults({"kind": "status", "status": 503})
    for _ in range(3):
        account.send_until_acknowledged(gateway, new_document())
    account.drop(gateway, new_document())
    gateway.journal.wait(r"lane=\d+ state=(slowed|stopped)")
    clock.ahead(0)
    for _ in range(3):
        account.send_until_acknowledged(gateway, new_document())
    simulator.faults()
    account.settle(gateway, simulator)
    assert len({each["doc"] for each in gateway.documents()}) == 7


@BOTH_WAYS
def test_a_clock_that_goes_wrong_and_is_set_right_again(gateway, simulator, clock, jump):
    account = Account()
    gateway.start(env=clock.environment)
    account.send_until_acknowledged(gateway, new_document())
    gateway.settled()
    simulator.faults({"kind": "hold"})
    account.send_until_acknowledged(gateway, new_document())
    simulator.wait_held(1)
    clock.ahead(jump)
    account.send_until_acknowledged(gateway, new_document())
    account.drop(gateway, new_document())
    simulator.faults({"kind": "status", "status": 503})
    simulator.release()
    gateway.journal.wait(r"lane=\d+ state=(slowed|stopped)")
    assert gateway.get("/readyz")[0] == 200
    clock.ahead(0)
    simulator.faults()
    account.settle(gateway, simulator)


@BOTH_WAYS
def test_a_restart_between_a_wrong_clock_and_a_right_one(gateway, simulator, clock, jump):
    account = Account()
    gateway.start(env=clock.environment)
    clock.ahead(jump)
    simulator.faults({"kind": "status", "status": 503})
    for _ in range(3):
        account.send_until_acknowledged(gateway, new_document())
    gateway.journal.wait(r"lane=\d+ state=(slowed|stopped)")
    gateway.kill()
    clock.ahead(0)
    simulator.faults()
    gateway.start(env=clock.environment)
    account.settle(gateway, simulator)


JUMPED = r"^<4>clock jumped seconds={}\d{{4}}: is it right\? Bodies are purged by the time that was known before"


@pytest.mark.usefixtures("even_books")
def test_a_clock_that_jumps_ahead_purges_nothing(gateway, simulator, clock):
    gateway.start(env=clock.environment)
    gateway.wait_final(hand_in(gateway, "mllp", new_document()))
    clock.ahead(YEAR)
    gateway.journal.wait(JUMPED.format("3153"))
    clock.ahead(0)
    gateway.journal.wait(r"^<6>clock agrees again")
    assert not gateway.journal.find("purged documents=")


@pytest.mark.usefixtures("even_books")
def test_a_clock_that_is_wrong_from_the_start_purges_nothing(gateway, simulator, clock):
    gateway.start(env=clock.environment)
    gateway.wait_final(hand_in(gateway, "mllp", new_document()))
    gateway.kill()
    for _ in range(2):  # the doubt is kept
        clock.ahead(YEAR)
        gateway.start(env=clock.environment)
        gateway.journal.wait(JUMPED.format("3153"))
        gateway.kill()
    clock.ahead(0)
    gateway.start(env=clock.environment)
    gateway.journal.wait(r"^<6>clock agrees again")
    assert not gateway.journal.find("purged documents=")
    assert gateway.documents()[0]["purged"] is None


@BOTH_WAYS
def test_documents_sent_with_a_wrong_clock_wait_or_go_and_are_not_lost(gateway, simulator, clock, jump):
    """The DMP refuses a token of another year: that is the installation's fault, not the documents'."""
    account = Account()
    gateway.start(env=clock.environment)
    clock.ahead(jump)
    for _ in range(3):
        cda = new_document()
        assert gateway.send(mdm_t02(cda)).code == "AA"
        account.acknowledge(Paper(cda))
    gateway.journal.wait(r"outcome=\w+ attempt=")
    assert gateway.get("/healthz")[0] == 200
    clock.ahead(0)
    account.settle(gateway, simulator)
