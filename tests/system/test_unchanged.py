"""A new version that changes nothing is not sent, until a later one names it: the DMP then gets both, in order."""

from __future__ import annotations

import os
import random

import pytest

from gateway import Simulator
from kills import a_random_moment
from samples import AGAIN, hand_in, mdm_t02, repeated, unique_id
from test_replacement import LETTER, delivered, settled, the  # noqa: F401: a fixture

FIRST = unique_id(LETTER)
CHANGED = AGAIN + ".1"


def same(of: str = FIRST, name: str = AGAIN) -> bytes:
    return mdm_t02(repeated(of, name), trigger="T10")


def changed(of: str = AGAIN, name: str = CHANGED) -> bytes:
    return mdm_t02(repeated(of, name, "Nouveau : "), trigger="T10")


def suppressed(gateway, ack, unique: str = AGAIN) -> dict:
    assert ack.code == "AA"
    document = the(gateway, unique, "replace")
    assert (document["state"], document["reason"]) == ("suppressed", "unchanged")
    assert document["sentence"] == "Identical to what was already delivered."
    assert document["events"][-1]["note"] == the(gateway, FIRST, "submit")["doc"]
    return document


def assert_lineage(simulator, *names: str):
    """The DMP holds these and no others, each in the place of the one before."""
    held = simulator.received()
    assert set(held) == set(names)
    for before, after in zip(names, names[1:]):
        assert held[after]["replaces"] == [held[before]["entryUUID"]]
    stored = [each["uniqueId"] for each in simulator.exchanges() if each["verdict"] == "stored"]
    assert stored == list(names), "in order, and each once"


def test_a_version_that_changes_nothing_is_not_sent(delivered, simulator):
    sent = len(simulator.exchanges())
    suppressed(delivered, delivered.send(same()))
    assert len(simulator.exchanges()) == sent
    assert_lineage(simulator, FIRST)


def test_it_is_sent_after_all_when_the_next_one_names_it(delivered, simulator):
    before = suppressed(delivered, delivered.send(same()))
    after = settled(delivered, delivered.send(changed()))
    assert after["state"] == "delivered"
    assert [each["what"] for each in after["events"]] == ["received", "released", "claimed", "settled"]
    assert_lineage(simulator, FIRST, AGAIN, CHANGED)
    now = the(delivered, AGAIN, "replace")
    assert now["state"] == "delivered"
    assert [each["what"] for each in now["events"]] == ["received", "needed", "claimed", "settled"]
    assert now["events"][1]["note"] == after["doc"]
    assert delivered.journal.find(
        rf"<6>doc={before['doc']} needed from=suppressed state=queued note={after['doc']}$")
    queue = delivered.status()["queue"]
    assert (queue["delivered"], queue["suppressed"], queue["held"]) == (3, 0, 0)
    assert delivered.ctl("verify")["ok"]


def test_all_that_the_next_one_names_through_others_are(delivered, simulator):
    for of, name in ((FIRST, AGAIN), (AGAIN, AGAIN + ".2"), (AGAIN + ".2", AGAIN + ".3")):
        suppressed(delivered, delivered.send(same(of, name)), name)
    assert settled(delivered, delivered.send(changed(AGAIN + ".3")))["state"] == "delivered"
    assert_lineage(simulator, FIRST, AGAIN, AGAIN + ".2", AGAIN + ".3", CHANGED)


def test_its_deletion_deletes_what_the_dmp_has(delivered, simulator):
    before = simulator.received()[FIRST]["status"]
    suppressed(delivered, delivered.send(same()))
    assert delivered.stop() == 0
    delivered.start()
    after = settled(delivered, delivered.send(mdm_t02(repeated(), trigger="T04")))
    assert (after["action"], after["state"]) == ("delete", "delivered")
    assert simulator.received()[FIRST]["status"] != before
    assert the(delivered, AGAIN, "replace")["state"] == "suppressed"


def test_one_that_waited_is_not_sent_either(gateway, simulator):
    simulator.faults({"kind": "hold", "times": 1})
    assert gateway.send(mdm_t02(LETTER)).code == "AA"
    simulator.wait_held(1)
    assert gateway.send(same()).code == "AA"
    waits = the(gateway, AGAIN, "replace")
    assert waits["reason"] == "waiting_predecessor"
    simulator.release()
    gateway.journal.wait(rf"<6>doc={waits['doc']} released from=held state=suppressed reason=unchanged note=")
    assert_lineage(simulator, FIRST)
    assert the(gateway, AGAIN, "replace")["state"] == "suppressed"


def test_one_that_is_waited_for_is(gateway, simulator):
    simulator.faults({"kind": "hold", "times": 1})
    assert gateway.send(mdm_t02(LETTER)).code == "AA"
    simulator.wait_held(1)
    assert gateway.send(same()).code == "AA"
    last = gateway.send(changed())
    simulator.release()
    assert settled(gateway, last)["state"] == "delivered"
    assert_lineage(simulator, FIRST, AGAIN, CHANGED)


def test_who_sees_it_is_a_change(delivered, simulator):
    hidden = mdm_t02(repeated(), trigger="T10", flags={"INVISIBLE_PATIENT": "Y"})
    assert settled(delivered, delivered.send(hidden))["state"] == "delivered"
    assert simulator.received()[AGAIN]["replaces"]


def test_by_key_it_is_sent_all_the_same(start_gateway, simulator):
    gateway = start_gateway(extra="replace: { unchanged: send }")
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    assert settled(gateway, gateway.send(same()))["state"] == "delivered"
    assert_lineage(simulator, FIRST, AGAIN)


@pytest.fixture
def lenient_simulator(pki, tmp_path):
    """A DMP that does not compare the relatedDocument of a replacement with what it replaces."""
    with Simulator(pki, tmp_path / "simulator", options=("--any-related-document",)) as simulator:
        yield simulator


def test_without_its_body_the_next_one_replaces_what_the_dmp_has(make_gateway, lenient_simulator):
    gateway = make_gateway(extra="queue: { keep_bodies: 0 s }")
    text = gateway.config.read_text()
    simulator_url = text.split('repository: "')[1].split("/repository")[0]
    gateway.config.write_text(text.replace(simulator_url, lenient_simulator.url))
    gateway.start()
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    gateway.journal.wait(r"purged documents=1")
    start = len(gateway.journal.lines)
    suppressed(gateway, gateway.send(same()))
    gateway.journal.wait(r"purged documents=1", start=start)
    assert settled(gateway, gateway.send(changed()))["state"] == "delivered"
    held = lenient_simulator.received()
    assert set(held) == {FIRST, CHANGED}
    assert held[CHANGED]["replaces"] == [held[FIRST]["entryUUID"]]


# ---- kill -9 ----

KILLS = 12


def send_until_acknowledged(gateway, message: bytes, chance: random.Random):
    """A sender that loses its connection repeats; the daemon dies once, before the answer or after it."""
    dies_first = chance.random() < 0.5
    if dies_first:
        with gateway.connect() as mllp:
            mllp.write(message)
            a_random_moment(gateway, chance)
            gateway.kill()
        gateway.start()
    assert gateway.send(message).code == "AA"
    if not dies_first:
        a_random_moment(gateway, chance)
        gateway.kill()
        gateway.start()


def test_kills_around_it_leave_three_versions_in_order(start_gateway, simulator):
    seed = int(os.environ.get("DMPFEED_SEED", random.randrange(10**6)))
    print(f"DMPFEED_SEED={seed}")
    chance = random.Random(seed)
    gateway, names = start_gateway(first="100 ms", most="300 ms"), []
    for i in range(KILLS // 2):
        three = [f"1.2.250.1.999.1.7.{i}.{version}" for version in (1, 2, 3)]
        first = LETTER.replace(f'<id root="{FIRST}"/>'.encode(), f'<id root="{three[0]}"/>'.encode(), 1)
        assert gateway.send(mdm_t02(first)).code == "AA"
        gateway.settled()
        simulator.faults({"kind": "delay", "ms": 30}, {"kind": "reset_after", "probability": 0.3, "seed": seed + i})
        send_until_acknowledged(gateway, same(three[0], three[1]), chance)
        send_until_acknowledged(gateway, changed(three[1], three[2]), chance)
        simulator.faults()
        for document in (the(gateway, name, "replace") for name in three[1:]):
            if document["state"] != "delivered":  # or it was, by a daemon that was killed since
                gateway.wait_final(document["doc"])
        assert "needed" in [each["what"] for each in the(gateway, three[1], "replace")["events"]]
        names += three
        held = simulator.received()
        assert [held[name]["replaces"] for name in three[1:]] == [[held[name]["entryUUID"]] for name in three[:2]]
    assert {each["state"] for each in gateway.documents()} == {"delivered"}
    stored = [each["uniqueId"] for each in simulator.exchanges() if each["verdict"] == "stored"]
    assert stored == names, "in order, and each once"
    sets = {(each["uniqueId"], each["submissionSetUniqueId"])
            for each in simulator.exchanges() if each["submissionSetUniqueId"]}
    assert len(sets) == len(names), "each under one submission set"
    assert gateway.ctl("verify")["ok"]
