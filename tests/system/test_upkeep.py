"""What time does to the queue: bodies are purged, histories stay."""

from __future__ import annotations

from samples import hand_in, mdm_t02, patient_words_in, read

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
