"""What time does to the queue: bodies are purged, histories stay."""

from __future__ import annotations

import contextlib
import sqlite3

from samples import INITIAL, hand_in, mdm_t02, patient_words_in, read

LETTER = read("discharge-letter.xml")


def test_a_delivered_document_is_purged_after_its_time(start_gateway, simulator):
    gateway = start_gateway(extra="queue: { keep_bodies: 0 s }")
    doc = hand_in(gateway, "mllp", LETTER)
    gateway.wait_final(doc)
    gateway.journal.wait(r"purged documents=1")
    shown = gateway.ctl("show", doc)
    assert (shown["state"], bool(shown["purged"])) == ("delivered", True)
    assert [each["what"] for each in shown["events"]] == ["received", "claimed", "settled", "purged"]
    assert gateway.ctl("verify")["ok"]
    assert gateway.send(mdm_t02(LETTER)).code == "AA", "it is still known"
    assert len(simulator.exchanges()) == 1
    assert gateway.stop() == 0  # the log is brought into the file
    content = (gateway.folder / "state" / "queue.db").read_bytes().decode("latin-1")
    assert patient_words_in(content) == [], "nothing of the patient is left in a free page"


def test_by_default_it_is_kept(gateway):
    doc = hand_in(gateway, "mllp", LETTER)
    gateway.wait_final(doc)
    assert gateway.ctl("show", doc)["purged"] is None


def test_a_document_has_the_priority_of_its_type(start_gateway):
    gateway = start_gateway(extra="queue: { priorities: [{ types: [11490-0, 57833-6], priority: low }] }")
    docs = [hand_in(gateway, "mllp", read(name)) for name in INITIAL]
    types = {gateway.ctl("show", doc)["type_code"] for doc in docs}
    with contextlib.closing(sqlite3.connect(gateway.folder / "state" / "queue.db")) as store:
        given = dict(store.execute("SELECT type_code, priority FROM document"))
    assert "11490-0" in types and len(types) > 1
    assert given == {each: 2 if each in ("11490-0", "57833-6") else 1 for each in types}
