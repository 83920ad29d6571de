"""A new version and a deletion find what they refer to in the DMP, and act on it."""

from __future__ import annotations

import contextlib

import pytest

from gateway import Gateway, Simulator
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


@pytest.mark.parametrize("when_absent, end", [("reject", ("rejected", "predecessor_unknown")),
                                              ("send_as_new", ("delivered", None))])
def test_what_the_dmp_cannot_hold_is_not_asked_for(start_gateway, simulator, when_absent, end):
    """An id with an extension: the DMP knows plain OIDs."""
    gateway = start_gateway(extra=f"replace: {{ when_absent: {when_absent} }}")
    plain = f'<id root="{unique_id(LETTER)}"/>'.encode()
    assert plain in NEXT
    gateway.wait_final(hand_in(gateway, "drop", NEXT.replace(plain, plain[:-2] + b' extension="7"/>')))
    (shown,) = gateway.documents()
    assert (shown["state"], shown["reason"]) == end
    assert [each["transaction"] for each in simulator.exchanges()] == (["TD2.1"] if end[0] == "delivered" else [])


@pytest.fixture
def start_with(pki, tmp_path):
    """Starts a DMP with these options, and a gateway of its own."""
    with contextlib.ExitStack() as ends:
        def start(*options: str, **settings) -> tuple[Gateway, Simulator]:
            simulator = ends.enter_context(Simulator(pki, tmp_path / "simulator", options=options))
            return ends.enter_context(Gateway(tmp_path / "gateway", simulator.url, pki, **settings)), simulator
        yield start


@pytest.mark.parametrize("when_absent, end", [("reject", ("rejected", "predecessor_unknown")),
                                              ("send_as_new", ("delivered", None))])
def test_a_fault_may_say_that_the_dmp_does_not_hold_it(start_with, when_absent, end):
    gateway, _ = start_with("--fault-when-absent", extra=f"replace: {{ when_absent: {when_absent} }}")
    after = settled(gateway, gateway.send(mdm_t02(NEXT, trigger="T10")))
    assert (after["state"], after["reason"]) == end


@pytest.mark.parametrize("options", [(), ("--fault-when-absent",)], ids=["by a list", "by a fault"])
def test_a_deletion_whose_answer_was_lost_is_confirmed_by_what_is_not_there(start_with, options):
    gateway, simulator = start_with(*options)
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    simulator.faults({"kind": "reset_after", "transaction": "TD3.3c", "times": 1})
    after = settled(gateway, gateway.send(mdm_t02(LETTER, trigger="T04")))
    assert (after["state"], after["events"][-1]["note"]) == ("delivered", "confirmed_by_absence")
    assert simulator.received()[unique_id(LETTER)]["status"] == "deleted"


@pytest.mark.parametrize("options, note", [((), "confirmed_by_duplicate"), (("--replaced-first",), "confirmed_by_presence")],
                         ids=["by the duplicate", "by its presence"])
def test_a_replacement_whose_answer_was_lost_is_confirmed(start_with, options, note):
    gateway, simulator = start_with(*options)
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    simulator.faults({"kind": "reset_after", "transaction": "TD2.1", "times": 1})
    after = settled(gateway, gateway.send(mdm_t02(NEXT, trigger="T10")))
    assert (after["state"], after["events"][-1]["note"], after["doubtful"]) == ("delivered", note, False)
    assert {name: each["status"] for name, each in simulator.received().items()} == {
        unique_id(LETTER): "deprecated", unique_id(NEXT): "approved"}


def test_the_history_tells_the_deletion_from_the_document(delivered):
    settled(delivered, delivered.send(mdm_t02(LETTER, trigger="T04")))
    assert [(each["action"], each["state"]) for each in delivered.documents()] == [
        ("submit", "delivered"), ("delete", "delivered")]


# ---- in order ----

def third() -> bytes:
    """A version after the next one."""
    return NEXT.replace(unique_id(LETTER).encode(), b"1.2.250.1.999.1.9.X").replace(
        unique_id(NEXT).encode(), unique_id(NEXT).encode() + b".3", 1).replace(
        b"1.2.250.1.999.1.9.X", unique_id(NEXT).encode()).replace("(corrigée)".encode(), "(corrigée encore)".encode())


def the(gateway, unique: str, action: str) -> dict:
    (document,) = [each for each in gateway.documents() if (each["unique_id"], each["action"]) == (unique, action)]
    return gateway.ctl("show", document["doc"])


def test_versions_that_come_at_once_reach_the_dmp_in_order(gateway, simulator):
    simulator.faults({"kind": "hold", "times": 1})
    assert gateway.send(mdm_t02(LETTER)).code == "AA"
    simulator.wait_held(1)
    assert gateway.send(mdm_t02(NEXT, trigger="T10")).code == "AA"
    assert gateway.send(mdm_t02(third(), trigger="T10")).code == "AA"
    assert gateway.send(mdm_t02(third(), trigger="T04")).code == "AA"
    waiting = the(gateway, unique_id(NEXT), "replace")
    assert (waiting["state"], waiting["reason"]) == ("held", "waiting_predecessor")
    assert gateway.status()["queue"]["held"] == 3
    simulator.release()
    for unique, action in ((unique_id(LETTER), "submit"), (unique_id(NEXT), "replace"),
                           (unique_id(third()), "replace"), (unique_id(third()), "delete")):
        gateway.wait_final(the(gateway, unique, action)["doc"])
    assert {each["state"] for each in gateway.documents()} == {"delivered"}
    held = simulator.received()
    assert held[unique_id(third())]["replaces"] == [held[unique_id(NEXT)]["entryUUID"]]
    assert gateway.status()["queue"] == {**gateway.status()["queue"], "held": 0, "queued": 0, "delivered": 4}
    gateway.journal.wait(rf"<6>doc={waiting['doc']} released from=held state=queued note=predecessor$")


def padded(cda: bytes, count: int) -> bytes:
    """Takes the longer to read; says the same."""
    return cda.replace(b"</ClinicalDocument>", b"<!-- padded -->" * (count // 15) + b"</ClinicalDocument>", 1)


def test_versions_that_a_sender_does_not_wait_between_are_taken_in_order(gateway, simulator):
    """The second is read long before the first, and is about it."""
    with gateway.connect() as mllp:
        mllp.write(mdm_t02(padded(LETTER, 3 << 20)))
        mllp.write(mdm_t02(NEXT, trigger="T10"))
        first, second = mllp.read(), mllp.read()
        assert (first.code, second.code) == ("AA", "AA"), first.errors
    first, second = the(gateway, unique_id(LETTER), "submit"), the(gateway, unique_id(NEXT), "replace")
    assert first["events"][0]["number"] < second["events"][0]["number"]
    assert gateway.wait_final(second["doc"]) == "delivered"
    assert simulator.received()[unique_id(NEXT)]["replaces"]


def test_a_document_withdrawn_before_it_was_sent_never_leaves(gateway, simulator):
    assert gateway.send(mdm_t02(LETTER, identity_status="PROV")).code == "AA"
    assert gateway.send(mdm_t02(LETTER, trigger="T04")).code == "AA"
    letter, deletion = the(gateway, unique_id(LETTER), "submit"), the(gateway, unique_id(LETTER), "delete")
    assert (letter["state"], letter["reason"]) == ("cancelled", "withdrawn")
    assert (deletion["state"], deletion["reason"]) == ("suppressed", "withdrawn")
    assert letter["events"][-1]["note"] == deletion["doc"]
    queue = gateway.status()["queue"]
    assert (queue["held"], queue["cancelled"], queue["suppressed"]) == (0, 1, 1)
    assert simulator.exchanges() == []


def test_a_new_version_takes_the_place_of_an_unsent_one_by_key(start_gateway, simulator):
    gateway = start_gateway(extra="replace: { supersede_unsent: true }")
    assert gateway.send(mdm_t02(LETTER, identity_status="PROV")).code == "AA"
    after = settled(gateway, gateway.send(mdm_t02(NEXT, trigger="T10")))
    assert after["state"] == "delivered"
    assert after["events"][-1]["note"] == "sent_as_new"
    assert the(gateway, unique_id(LETTER), "submit")["reason"] == "superseded"
    assert list(simulator.received()) == [unique_id(NEXT)]


def test_without_the_key_it_waits(gateway):
    assert gateway.send(mdm_t02(LETTER, identity_status="PROV")).code == "AA"
    assert gateway.send(mdm_t02(NEXT, trigger="T10")).code == "AA"
    assert the(gateway, unique_id(NEXT), "replace")["reason"] == "waiting_predecessor"
