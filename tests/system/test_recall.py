"""A document that the DMP has, or may have, is taken back by order: deleted there, as a deletion of its own."""

from __future__ import annotations

import json
import subprocess

import pytest

from gateway import BUILD, Gateway, free_port
from samples import hand_in, mdm_t02, numbered, read, unique_id
from test_counters import counted
from test_orders import ME, SHORT

LETTER = read("discharge-letter.xml")
LATER = {**SHORT, "first": "1 h", "most": "1 h", "probe": "1 h"}  # one attempt, and no other meanwhile


def recall(gateway: Gateway, doc: str, *typed: str, options: tuple[str, ...] = (), language="C.UTF-8"):
    return subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", "--json", "recall", doc, *options],
                          cwd=gateway.folder, env={"LC_ALL": language}, input="".join(line + "\n" for line in typed),
                          capture_output=True, text=True, timeout=30)


def delivered(gateway: Gateway, cda: bytes = LETTER) -> str:
    doc = hand_in(gateway, "mllp", cda)
    gateway.wait_final(doc)
    return doc


def test_what_was_delivered_is_deleted_in_the_dmp(gateway, simulator):
    doc = delivered(gateway)
    before = simulator.received()[unique_id(LETTER)]["status"]
    done = recall(gateway, doc, doc, "yes")
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert (row["ok"], row["from"]) == (True, "delivered")
    gateway.wait_final(row["deletion"])
    deletion = gateway.ctl("show", row["deletion"])
    assert (deletion["state"], deletion["action"], deletion["unique_id"]) == ("delivered", "delete", unique_id(LETTER))
    assert simulator.received()[unique_id(LETTER)]["status"] != before

    history = gateway.ctl("show", doc)["events"]
    assert (history[-1]["what"], history[-1]["note"], history[-1]["actor"]) == ("recalled", row["deletion"], ME)
    assert gateway.ctl("show", row["deletion"])["events"][0]["actor"] == ME
    gateway.journal.wait(rf"doc={doc} order=recall deletion={row['deletion']} by={ME.split()[0]}")
    assert gateway.ctl("verify")["ok"]


def doubtful(gateway: Gateway, simulator, stored: bool) -> str:
    """Its first answer was lost, whether or not the DMP had stored it; the second one rejected it."""
    simulator.faults({"kind": "reset_after" if stored else "reset_before", "times": 1},
                     {"kind": "failure", "errorCode": "XDSRegistryMetadataError", "text": "code inconnu", "times": 1})
    doc = delivered(gateway)
    shown = gateway.ctl("show", doc)
    assert (shown["state"], shown["doubtful"]) == ("rejected", True)
    return doc


@pytest.mark.usefixtures("even_books")
def test_what_the_dmp_took_unheard_is_deleted_there_too(gateway, simulator):
    doc = doubtful(gateway, simulator, stored=True)
    assert simulator.received()[unique_id(LETTER)]["status"] == "approved"
    row = json.loads(recall(gateway, doc, doc, "yes").stdout)
    assert (row["ok"], row["from"], gateway.wait_final(row["deletion"])) == (True, "rejected", "delivered")
    assert simulator.received()[unique_id(LETTER)]["status"] == "deleted"

    recalled = gateway.ctl("show", doc)["events"][-1]
    assert (recalled["what"], recalled["state"], recalled["reason"]) == ("recalled", "rejected", "dmp_error")
    numbers = counted(gateway)
    assert numbers["ACCEPTED"] == numbers["DELETED_OK"] == 0, "it was never counted: nothing is taken off"
    assert numbers["DELETED_OTHER"] == 1
    assert gateway.ctl("verify")["ok"]


def test_the_deletion_says_when_the_dmp_never_took_it(gateway, simulator):
    doc = doubtful(gateway, simulator, stored=False)
    deletion = json.loads(recall(gateway, doc, doc, "yes").stdout)["deletion"]
    assert gateway.wait_final(deletion) == "rejected"
    assert gateway.ctl("show", deletion)["reason"] == "predecessor_unknown"


def test_what_may_be_in_the_dmp_is_recalled_once_its_way_has_ended(start_gateway, simulator):
    gateway = start_gateway(**LATER)
    simulator.faults({"kind": "reset_after", "times": 1})
    doc = hand_in(gateway, "mllp", LETTER)
    gateway.journal.wait(rf"doc={doc} .*reason=doubtful")
    for language, sentence in {"C.UTF-8": "The DMP may have it: recall it once its way has ended.",
                               "fr_FR.UTF-8": "Le DMP l'a peut-être : le retirer (recall) une fois son parcours terminé."}.items():
        done = recall(gateway, doc, options=("--dry-run",), language=language)
        assert (done.returncode, json.loads(done.stdout)["sentence"]) == (1, sentence)
    gateway.ctl("cancel", doc, "--force")
    assert recall(gateway, doc, options=("--dry-run",)).returncode == 0


def test_nothing_is_done_unless_a_person_says_so_twice(gateway, simulator):
    doc = delivered(gateway)
    for typed in ((), (doc,), (doc, "no"), ("yes", "yes"), (doc, "y"), ("01JCZ8Q6M3W2X5Y7Z9A1B3C5D7", "yes")):
        done = recall(gateway, doc, *typed)
        assert (done.returncode, done.stdout) == (1, ""), typed
        assert "nothing was done" in done.stderr
    assert recall(gateway, doc, doc, "yes", language="fr_FR.UTF-8").returncode == 1, "in French the word is oui"
    assert [each["action"] for each in gateway.documents()] == ["submit"]
    assert recall(gateway, doc, doc, "oui", language="fr_FR.UTF-8").returncode == 0


def test_a_dry_run_asks_nothing_and_does_nothing(gateway):
    doc = delivered(gateway)
    done = recall(gateway, doc, options=("--dry-run",))
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"doc": doc, "ok": True, "dry_run": True, "from": "delivered", "deletion": None,
                                       "sentence": None, "other_form": None, "other_deletion": None, "other_sentence": None}
    assert len(gateway.documents()) == 1


def test_a_document_is_recalled_once(gateway):
    doc = delivered(gateway)
    deletion = json.loads(recall(gateway, doc, doc, "yes").stdout)["deletion"]
    again = recall(gateway, doc, doc, "yes")
    assert again.returncode == 1
    assert json.loads(again.stdout)["sentence"] == "Its deletion is there already."
    other = recall(gateway, deletion, deletion, "yes")
    assert json.loads(other.stdout)["sentence"].startswith("It is a deletion itself")


@pytest.mark.usefixtures("even_books")
def test_a_deletion_that_came_too_early_goes_again(gateway, simulator):
    gateway.send(mdm_t02(LETTER, trigger="T04"))
    early = gateway.documents()[0]["doc"]
    gateway.wait_final(early)
    assert gateway.ctl("show", early)["reason"] == "predecessor_unknown"
    gateway.send(mdm_t02(LETTER))
    doc = next(each["doc"] for each in gateway.documents() if each["action"] == "submit")
    assert gateway.wait_final(doc) == "delivered"
    before = simulator.received()[unique_id(LETTER)]["status"]
    row = json.loads(recall(gateway, doc, doc, "yes").stdout)
    assert (row["ok"], row["deletion"]) == (True, early)
    gateway.journal.wait(rf"doc={early} outcome=delivered")
    assert simulator.received()[unique_id(LETTER)]["status"] != before
    assert [each["what"] for each in gateway.ctl("show", early)["events"]] == [
        "received", "claimed", "settled", "taken_up", "claimed", "settled"]
    assert gateway.ctl("verify")["ok"]


def test_the_deletion_of_the_source_finds_it_gone(gateway):
    doc = delivered(gateway)
    deletion = json.loads(recall(gateway, doc, doc, "yes").stdout)["deletion"]
    gateway.wait_final(deletion)
    ack = gateway.send(mdm_t02(LETTER, trigger="T04"))
    assert ack.code == "AA", ack.errors
    assert len(gateway.documents()) == 2


def test_what_the_dmp_does_not_have_is_not_recalled(simulator, tmp_path):
    url = f"https://127.0.0.1:{free_port()}/si-dmp-server/v2/services"
    with Gateway(tmp_path / "gateway", url, simulator.pki, **LATER) as gateway:
        doc = hand_in(gateway, "mllp", numbered(3))
        gateway.journal.wait(r"state=slowed")
        done = recall(gateway, doc, doc, "yes")
        assert done.returncode == 1
        assert json.loads(done.stdout)["sentence"] == "The DMP does not have it: it can be cancelled."
        unknown = recall(gateway, "01JCZ8Q6M3W2X5Y7Z9A1B3C5D7", "01JCZ8Q6M3W2X5Y7Z9A1B3C5D7", "yes")
        assert unknown.returncode == 1 and "there is no document" in unknown.stderr
