"""A new version that changes nothing is not sent, and what comes after it finds what the DMP has."""

from __future__ import annotations

import pytest

from gateway import Simulator
from samples import AGAIN, hand_in, mdm_t02, repeated, unique_id
from test_replacement import LETTER, delivered, settled, the  # noqa: F401: a fixture


@pytest.fixture(scope="module")
def running_simulator(pki, tmp_path_factory):
    """A DMP that does not compare the relatedDocument of a replacement with what it replaces."""
    simulator = Simulator(pki, tmp_path_factory.mktemp("simulator") / "store", options=("--any-related-document",))
    yield simulator
    assert simulator.stop() == 0


@pytest.fixture
def gateway(start_gateway):
    return start_gateway(extra="replace: { unchanged: suppress }")


def assert_suppressed(gateway, document: dict):
    assert (document["state"], document["reason"]) == ("suppressed", "unchanged")
    assert document["sentence"] == "Identical to what was already delivered."
    assert document["events"][-1]["note"] == the(gateway, unique_id(LETTER), "submit")["doc"]


def test_a_version_that_changes_nothing_is_not_sent(delivered, simulator):
    sent = len(simulator.exchanges())
    assert delivered.send(mdm_t02(repeated(), trigger="T10")).code == "AA"
    assert_suppressed(delivered, the(delivered, AGAIN, "replace"))
    after = settled(delivered, delivered.send(mdm_t02(repeated(AGAIN, AGAIN + ".1", "Nouveau : "), trigger="T10")))
    assert after["state"] == "delivered"
    held = simulator.received()
    assert set(held) == {unique_id(LETTER), AGAIN + ".1"}
    assert held[AGAIN + ".1"]["replaces"] == [held[unique_id(LETTER)]["entryUUID"]]
    assert len(simulator.exchanges()) == sent + 2  # a search and a submission
    after = settled(delivered, delivered.send(mdm_t02(repeated(AGAIN, AGAIN + ".1", "Nouveau : "), trigger="T04")))
    assert (after["action"], after["state"]) == ("delete", "delivered")
    assert simulator.received()[AGAIN + ".1"]["status"] != held[AGAIN + ".1"]["status"]


def test_its_deletion_deletes_what_the_dmp_has(delivered, simulator):
    before = simulator.received()[unique_id(LETTER)]["status"]
    assert delivered.send(mdm_t02(repeated(), trigger="T10")).code == "AA"
    assert delivered.stop() == 0
    delivered.start()
    after = settled(delivered, delivered.send(mdm_t02(repeated(), trigger="T04")))
    assert (after["action"], after["state"]) == ("delete", "delivered")
    assert simulator.received()[unique_id(LETTER)]["status"] != before


def test_one_that_waited_is_not_sent_either(gateway, simulator):
    simulator.faults({"kind": "hold", "times": 1})
    assert gateway.send(mdm_t02(LETTER)).code == "AA"
    simulator.wait_held(1)
    assert gateway.send(mdm_t02(repeated(), trigger="T10")).code == "AA"
    assert the(gateway, AGAIN, "replace")["reason"] == "waiting_predecessor"
    last = gateway.send(mdm_t02(repeated(AGAIN, AGAIN + ".1", "Nouveau : "), trigger="T10"))
    simulator.release()
    assert settled(gateway, last)["state"] == "delivered"
    assert_suppressed(gateway, the(gateway, AGAIN, "replace"))
    held = simulator.received()
    assert held[AGAIN + ".1"]["replaces"] == [held[unique_id(LETTER)]["entryUUID"]]
    queue = gateway.status()["queue"]
    assert (queue["held"], queue["delivered"], queue["suppressed"]) == (0, 2, 1)


def test_who_sees_it_is_a_change(delivered, simulator):
    hidden = mdm_t02(repeated(), trigger="T10", flags={"INVISIBLE_PATIENT": "Y"})
    assert settled(delivered, delivered.send(hidden))["state"] == "delivered"
    assert simulator.received()[AGAIN]["replaces"]


def test_without_the_key_it_is_sent_all_the_same(start_gateway, simulator):
    gateway = start_gateway()
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    assert settled(gateway, gateway.send(mdm_t02(repeated(), trigger="T10")))["state"] == "delivered"
    assert simulator.received()[AGAIN]["replaces"]
