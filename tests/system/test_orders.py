"""What people order with dmpfeedctl: hold, release, retry, cancel; and what the history says of it."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import socket
import sqlite3
import subprocess

import pytest

from gateway import BUILD, FINESS_EG, Gateway, free_port
from samples import hand_in, mdm_t02, numbered, read, unique_id

LETTER = read("discharge-letter.xml")
ME = f"{pwd.getpwuid(os.getuid()).pw_name} ({os.getuid()})"
SHORT = {"first": "200 ms", "most": "400 ms", "probe": "300 ms", "connect": "2 s", "exchange": "2 s"}


def order(gateway: Gateway, *arguments: str, language="C.UTF-8") -> tuple[int, list[dict]]:
    """The exit code, and what became of each document."""
    done = subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", "--json", *arguments],
                          cwd=gateway.folder, env={"LC_ALL": language}, capture_output=True, text=True, timeout=30)
    assert done.stderr == "", done.stderr
    return done.returncode, json.loads(done.stdout)


def last_event(gateway: Gateway, doc: str) -> dict:
    return gateway.ctl("show", doc)["events"][-1]


@pytest.fixture
def stuck(simulator, tmp_path):
    """A gateway whose DMP does not answer: documents stay in the queue."""
    url = f"https://127.0.0.1:{free_port()}/si-dmp-server/v2/services"
    with Gateway(tmp_path / "gateway", url, simulator.pki, **{**SHORT, "first": "1 h", "most": "1 h"}) as gateway:
        gateway.wait_slowed = lambda: gateway.journal.wait(r"state=slowed")
        hand_in(gateway, "mllp", numbered(999))
        gateway.wait_slowed()
        yield gateway


def test_what_is_held_stays_until_it_is_released(stuck):
    doc = hand_in(stuck, "mllp", LETTER)
    code, rows = order(stuck, "hold", doc)
    assert code == 0
    assert rows == [{"doc": doc, "ok": True, "dry_run": False, "from": "queued", "state": "held",
                     "reason": "manual_hold", "sentence": None}]
    assert stuck.status()["queue"]["held"] == 1
    event = last_event(stuck, doc)
    assert (event["what"], event["state"], event["actor"]) == ("held", "held", ME)
    stuck.journal.wait(rf"doc={doc} order=hold from=queued state=held reason=manual_hold by={ME.split()[0]}")

    assert order(stuck, "release", doc)[0] == 0
    assert stuck.status()["queue"]["held"] == 0
    assert last_event(stuck, doc)["what"] == "released"


def test_a_cancelled_document_is_not_sent(stuck):
    doc = hand_in(stuck, "mllp", LETTER)
    assert order(stuck, "cancel", doc)[0] == 0
    shown = stuck.ctl("show", doc)
    assert (shown["state"], shown["reason"]) == ("cancelled", "withdrawn")
    code, (row,) = order(stuck, "cancel", doc, language="fr_FR.UTF-8")
    assert (code, row["ok"], row["sentence"]) == (1, False, "Son parcours est terminé.")


def test_a_rejected_document_goes_once_its_cause_is_corrected(start_gateway, simulator):
    gateway = start_gateway(**SHORT)
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryMetadataError", "text": "typeCode", "times": 1})
    doc = hand_in(gateway, "mllp", LETTER)
    assert gateway.wait_final(doc) == "rejected"
    code, (row,) = order(gateway, "retry", doc)
    assert (code, row["from"], row["state"]) == (0, "rejected", "queued")
    gateway.journal.wait(rf"doc={doc} outcome=delivered")
    assert simulator.document(unique_id(LETTER)) == LETTER
    assert gateway.status()["queue"]["delivered"] == 1
    assert gateway.status()["queue"]["rejected"] == 0


def test_many_are_reached_by_their_reason(start_gateway, simulator):
    gateway = start_gateway(**SHORT)
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryMetadataError", "text": "typeCode", "times": 3})
    docs = [hand_in(gateway, "mllp", numbered(number)) for number in range(3)]
    assert {gateway.wait_final(doc) for doc in docs} == {"rejected"}
    reason = gateway.ctl("show", docs[0])["reason"]
    assert [row["documents"] for row in order(gateway, "retry", "--reason", reason, "--dry-run")[1]] == [3]
    assert gateway.status()["queue"]["rejected"] == 3, "a dry run changes nothing"
    code, rows = order(gateway, "retry", "--reason", reason)
    assert (code, [row["ok"] for row in rows]) == (0, [True] * 3)
    for doc in docs:
        gateway.journal.wait(rf"doc={doc} outcome=delivered")
    assert len(simulator.received()) == 3


def test_a_dry_run_by_reason_counts_by_site_and_type(gateway):
    for number in range(3):
        assert gateway.send(mdm_t02(numbered(number), identity_status="PROV")).code == "AA"
    code, rows = order(gateway, "release", "--reason", "ins_not_qualified", "--dry-run", "--force")
    assert (code, rows) == (0, [{"site": FINESS_EG, "type_code": "11490-0", "documents": 3, "ok": True, "dry_run": True,
                                 "from": "held", "state": "queued", "reason": None, "sentence": None}])
    said = subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", "release", "--reason",
                           "ins_not_qualified", "--dry-run", "--force"], cwd=gateway.folder, env={"LC_ALL": "C.UTF-8"},
                          capture_output=True, text=True, timeout=30, check=True).stdout.splitlines()
    assert said[0].split() == ["Site", "Type", "Number", "Done", "Before", "State"]
    assert said[1].split() == [FINESS_EG, "11490-0", "3", "would", "be", "held", "queued"]
    assert gateway.status()["queue"]["held"] == 3


@pytest.mark.parametrize("member, said", [
    ({"site": 990012352}, "site is a text in quotes with something in it, not 990012352"),
    ({"site": None}, "site is a text in quotes with something in it, not null"),
    ({"site": ["990012352"]}, 'site is a text in quotes with something in it, not ["990012352"]'),
    ({"after": True}, "after is a text in quotes with something in it, not true"),
    ({"site": ""}, 'site is a text in quotes with something in it, not ""'),
    ({"docs": "01J9"}, 'docs is a list of texts in quotes, not "01J9"'),
    ({"dry_run": "true"}, 'dry_run is true or false, not "true"'),
], ids=["number", "null", "list", "flag", "empty", "docs", "dry run"])
def test_a_filter_of_another_kind_is_no_order_to_all(gateway, member, said):
    assert gateway.send(mdm_t02(LETTER, identity_status="PROV")).code == "AA"
    with socket.socket(socket.AF_UNIX) as peer, peer.makefile("r") as answer:
        peer.settimeout(20)
        peer.connect(str(gateway.folder / "control.sock"))
        asked = {"command": "release", "reason": "ins_not_qualified", "force": True} | member
        peer.sendall(json.dumps(asked).encode() + b"\n")
        assert json.loads(answer.readline()) == {"ok": False, "error": said}
    assert gateway.status()["queue"]["held"] == 1


def test_an_order_by_reason_goes_on_after_a_document(gateway):
    for number in range(3):
        assert gateway.send(mdm_t02(numbered(number), identity_status="PROV")).code == "AA"
    docs = [each["doc"] for each in gateway.documents()]
    code, rows = order(gateway, "release", "--reason", "ins_not_qualified", "--after", docs[0], "--force")
    assert (code, [row["doc"] for row in rows]) == (0, docs[1:])
    assert gateway.ctl("retry", "--reason", "ins_not_qualified") == [], "what is held is not tried again"


def test_an_order_by_reason_reaches_all(start_gateway):
    """Ten thousand and two, put into the store while nobody is at work: the daemon takes ten thousand at once."""
    gateway = start_gateway()
    assert gateway.send(mdm_t02(LETTER, identity_status="PROV")).code == "AA"
    assert gateway.stop() == 0
    with contextlib.closing(sqlite3.connect(gateway.folder / "state" / "queue.db")) as store, store:
        columns = [row[1] for row in store.execute("PRAGMA table_info(document)")]
        others = ", ".join(each for each in columns if each not in ("seq", "doc", "unique_id"))
        store.execute(f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= 10000)
            INSERT INTO document (seq, doc, unique_id, {others})
            SELECT 1000 + i, CAST(printf('%016d', i) AS BLOB), '1.2.3.' || i, {others} FROM document, n""")
    gateway.start()
    code, (kind,) = order(gateway, "release", "--reason", "ins_not_qualified", "--dry-run", "--force")
    assert (code, kind["documents"]) == (0, 10002)


def test_an_identity_that_is_not_qualified_is_released_by_force_alone(gateway):
    assert gateway.send(mdm_t02(LETTER, identity_status="PROV")).code == "AA"
    (document,) = gateway.documents()
    assert document["reason"] == "ins_not_qualified"
    code, (row,) = order(gateway, "release", document["doc"])
    assert (code, row["ok"]) == (1, False) and "--force" in row["sentence"]
    assert order(gateway, "release", document["doc"], "--force")[0] == 0
    gateway.wait_final(document["doc"])
    released = next(each for each in gateway.ctl("show", document["doc"])["events"] if each["what"] == "released")
    assert (released["note"], released["actor"]) == ("forced", ME)


def test_what_was_delivered_is_left_alone(gateway):
    doc = hand_in(gateway, "mllp", LETTER)
    gateway.wait_final(doc)
    for each in (["hold"], ["release", "--force"], ["retry", "--force"], ["cancel", "--force"]):
        code, (row,) = order(gateway, each[0], doc, *each[1:])
        assert (code, row["ok"], row["from"]) == (1, False, "delivered")


def test_a_document_is_named_by_its_identifier_in_the_dmp_too(start_gateway):
    gateway = start_gateway(site=', policies: [{ type: "57833-6", action: hold }]')
    prescription = numbered(1, "prescription.xml")
    gateway.send(mdm_t02(prescription))
    (held,) = gateway.documents()
    name = unique_id(prescription)
    assert held["unique_id"] == name and held["state"] == "held"
    for spelt in (name, f"urn:oid:{name}"):
        assert gateway.ctl("show", spelt)["doc"] == held["doc"]
    code, (row,) = order(gateway, "hold", name)
    assert (row["doc"], row["from"]) == (held["doc"], "held")
    code, (row,) = order(gateway, "release", name)
    assert (code, row["doc"], row["state"]) == (0, held["doc"], "queued")
    assert gateway.wait_final(held["doc"]) == "delivered"
    assert gateway.ctl("recall", name, "--dry-run")["doc"] == held["doc"]

    for command in ("show", "hold", "release", "retry", "cancel", "recall"):
        for other in (name + ".1", name + "^2"):
            with pytest.raises(RuntimeError, match=f"no document here has the identifier {re.escape(other)}"):
                gateway.ctl(command, other, *(["--dry-run"] if command == "recall" else []))

    done = subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", "recall", name], cwd=gateway.folder, capture_output=True,
                          input=f"{name}\nyes\n".encode(), env={"LC_ALL": "C.UTF-8"}, timeout=60)
    assert done.returncode == 0, done.stderr
    deletion = next(each for each in gateway.documents() if each["action"] == "delete")
    with pytest.raises(RuntimeError, match="several documents have this identifier") as told:
        gateway.ctl("show", name)
    assert f"{held['doc']} (submit, " in str(told.value) and f"{deletion['doc']} (delete, " in str(told.value)
    assert gateway.ctl("show", held["doc"])["unique_id"] == name


def test_orders_that_name_nothing_are_told(gateway):
    code, (row,) = order(gateway, "hold", "01JCZ8Q6M3W2X5Y7Z9A1B3C5D7")
    assert (code, row["sentence"]) == (1, "There is no such document.")
    with pytest.raises(RuntimeError, match="'x' is not a document's id"):
        gateway.ctl("hold", "x")
    for command in ("list", "stays --without-letter"):
        with pytest.raises(RuntimeError, match="no establishment declares site 990099999"):
            gateway.ctl(*command.split(), "--site", "990099999")
    with pytest.raises(RuntimeError, match="there is no reason 'boredom'"):
        gateway.ctl("release", "--reason", "boredom")
    with pytest.raises(RuntimeError, match=": 2 .*this command is written"):
        gateway.ctl("release")
    with pytest.raises(RuntimeError, match=": 2 .*does not take the option"):
        gateway.ctl("hold", "--force", "01JCZ8Q6M3W2X5Y7Z9A1B3C5D7")
    assert gateway.ctl("release", "--reason", "policy_hold") == []
    french = [[*words.split()] for words in ("list --state parti", "list --reason ennui", "show x", "hold x", "retry --reason ennui",
                                             "list --after x", "recall x", "show 1.2.3", "hold 1.2.3", "show 01JCZ8Q6M3W2X5Y7Z9A1B3C5D7")]
    for words in french:
        said = subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", *words], cwd=gateway.folder,
                              env={"LC_ALL": "fr_FR.UTF-8"}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        assert (said.returncode, said.stdout) == (1, ""), words
        assert re.match(r"dmpfeedctl: (l'état « parti » n'existe pas ; il y a held|le motif « ennui » n'existe pas|"
                        r"« x » n'est pas l'identifiant d'un document|il n'y a pas de document 01JCZ8|aucun document d'ici n'a l'identifiant 1.2.3)", said.stderr), said.stderr


def test_the_chain_holds_through_orders(stuck):
    docs = [hand_in(stuck, "mllp", numbered(number)) for number in range(3)]
    for command in ("hold", "release", "cancel"):
        assert order(stuck, command, *docs)[0] == 0
    assert stuck.ctl("verify")["ok"]
