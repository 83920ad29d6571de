"""A new version and a deletion find what they refer to in the DMP, and act on it."""

from __future__ import annotations

import pytest

from samples import REPLACEMENT, hand_in, mdm_t02, read, unique_id

LETTER = read("discharge-letter.xml")
NEXT = read(REPLACEMENT)


def settled(gateway, ack) -> dict:
    """The last document taken in, once its way has ended."""
    assert ack.code == "AA", ack.errors
    newest = max(gateway.documents(), key=lambda each: each["last_arrival"])
    gateway.wait_final(newest["doc"])
    return gateway.ctl("show", newest["doc"])


@pytest.fixture
def delivered(gateway):
    """A gateway whose letter the DMP holds."""
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    return gateway


def test_a_replacement_deprecates_what_it_replaces(delivered, simulator):
    after = settled(delivered, delivered.send(mdm_t02(NEXT, trigger="T10")))
    assert (after["action"], after["state"]) == ("replace", "delivered")
    held = simulator.received()
    assert held[unique_id(NEXT)]["replaces"] == [held[unique_id(LETTER)]["entryUUID"]]
    assert held[unique_id(LETTER)]["status"] != held[unique_id(NEXT)]["status"]


def test_a_replacement_from_the_folder_too(delivered, simulator):
    delivered.wait_final(hand_in(delivered, "drop", NEXT))
    assert simulator.received()[unique_id(NEXT)]["replaces"]


def test_a_deletion_deletes_the_document_it_carries(delivered, simulator):
    before = simulator.received()[unique_id(LETTER)]["status"]
    after = settled(delivered, delivered.send(mdm_t02(LETTER, trigger="T04")))
    assert (after["action"], after["state"]) == ("delete", "delivered")
    assert simulator.received()[unique_id(LETTER)]["status"] != before


def test_a_replacement_of_what_the_dmp_does_not_hold_is_told(gateway, simulator):
    after = settled(gateway, gateway.send(mdm_t02(NEXT, trigger="T10")))
    assert (after["state"], after["reason"]) == ("rejected", "predecessor_unknown")
    assert simulator.received() == {}


def test_the_history_tells_the_deletion_from_the_document(delivered):
    settled(delivered, delivered.send(mdm_t02(LETTER, trigger="T04")))
    assert [(each["action"], each["state"]) for each in delivered.documents()] == [
        ("submit", "delivered"), ("delete", "delivered")]
