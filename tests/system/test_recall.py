"""A delivered document is taken back by order: deleted in the DMP, as a deletion of its own."""

from __future__ import annotations

import json
import subprocess

from gateway import BUILD, Gateway, free_port
from samples import hand_in, mdm_t02, numbered, read, unique_id
from test_orders import ME, SHORT

LETTER = read("discharge-letter.xml")


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
                                       "sentence": None}
    assert len(gateway.documents()) == 1


def test_a_document_is_recalled_once(gateway):
    doc = delivered(gateway)
    deletion = json.loads(recall(gateway, doc, doc, "yes").stdout)["deletion"]
    again = recall(gateway, doc, doc, "yes")
    assert again.returncode == 1
    assert json.loads(again.stdout)["sentence"] == "Its deletion is there already."
    other = recall(gateway, deletion, deletion, "yes")
    assert json.loads(other.stdout)["sentence"].startswith("It is a deletion itself")


def test_the_deletion_of_the_source_finds_it_gone(gateway):
    doc = delivered(gateway)
    deletion = json.loads(recall(gateway, doc, doc, "yes").stdout)["deletion"]
    gateway.wait_final(deletion)
    ack = gateway.send(mdm_t02(LETTER, trigger="T04"))
    assert ack.code == "AA", ack.errors
    assert len(gateway.documents()) == 2


def test_what_the_dmp_does_not_have_is_not_recalled(simulator, tmp_path):
    url = f"https://127.0.0.1:{free_port()}/si-dmp-server/v2/services"
    with Gateway(tmp_path / "gateway", url, simulator.pki, **SHORT) as gateway:
        doc = hand_in(gateway, "mllp", numbered(3))
        done = recall(gateway, doc, doc, "yes")
        assert done.returncode == 1
        assert json.loads(done.stdout)["sentence"] == "The DMP does not have it: it can be cancelled."
        unknown = recall(gateway, "01JCZ8Q6M3W2X5Y7Z9A1B3C5D7", "01JCZ8Q6M3W2X5Y7Z9A1B3C5D7", "yes")
        assert unknown.returncode == 1 and "there is no document" in unknown.stderr
