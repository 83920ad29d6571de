"""A backup is made while the gateway works; what is restored from it sends nothing under two ids."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import stat
import threading

import pytest

from gateway import Gateway
from samples import hand_in, mdm_t02, numbered, unique_id
from test_orders import ME

SHORT = {"first": "200 ms", "most": "400 ms", "probe": "300 ms"}


def restore(gateway: Gateway, backup):
    """As the manual says."""
    state = gateway.folder / "state"
    for ending in ("-wal", "-shm"):
        (state / f"queue.db{ending}").unlink(missing_ok=True)
    shutil.copy(backup, state / "queue.db")


def test_a_backup_under_load_is_whole_and_nothing_is_sent_twice(start_gateway, simulator):
    gateway = start_gateway(**SHORT)
    backup = gateway.folder / "backup.db"
    before, stop = [], threading.Event()
    others = gateway.folder / "backup.db.tmp"
    others.write_text("somebody's")

    def load():
        with gateway.connect() as mllp:
            for number in range(120):
                if stop.is_set():
                    break
                assert mllp.send(mdm_t02(numbered(number))).code == "AA"
                before.append(number)

    loading = threading.Thread(target=load)
    loading.start()
    try:
        gateway.journal.wait(r"outcome=delivered")
        simulator.faults({"kind": "hold"})
        simulator.wait_held(1)  # some are being sent, some wait
        acknowledged = list(before)
        answer = gateway.ctl("backup", "backup.db")
    finally:
        stop.set()
        loading.join()
    assert answer == {"file": str(backup), "bytes": backup.stat().st_size}
    deed = gateway.ctl("audit")[-1]
    assert (deed["what"], deed["subject"], deed["actor"]) == ("backup", str(backup), ME)
    gateway.journal.wait(rf"order=backup .*by={re.escape(ME)}")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o640
    assert sorted(backup.parent.glob("backup.db*")) == [backup, others]
    assert others.read_text() == "somebody's"

    simulator.faults()
    simulator.release()
    gateway.settled()
    delivered = set(simulator.received())
    assert {unique_id(numbered(number)) for number in before} <= delivered
    assert gateway.stop() == 0

    restore(gateway, backup)
    gateway.start()
    doubted = int(gateway.journal.wait(r"<4>restored documents=(\d+): .*is not known here")[1])
    documents = gateway.settled()
    histories = [gateway.ctl("show", each["doc"])["events"] for each in documents.values()]
    assert doubted == sum(any(event["what"] == "restored" for event in events) for events in histories) > 0
    assert {unique_id(numbered(number)) for number in acknowledged} <= set(documents)
    assert {each["state"] for each in documents.values()} == {"delivered"}
    stored = [each for each in simulator.exchanges() if each["verdict"] == "stored"]
    assert len(stored) == len({each["uniqueId"] for each in stored}) == len(delivered)
    notes = [event["note"] for events in histories for event in events if event["what"] == "settled"]
    assert "confirmed_by_duplicate" in notes, "some had gone after the backup"
    assert gateway.ctl("verify")["ok"]
    assert gateway.stop() == 0
    gateway.start()
    assert not gateway.journal.find(r"restored documents="), "once"


def test_nothing_of_an_old_backup_leaves_before_somebody_has_looked(start_gateway, simulator):
    """As the manual says: through a proxy that is not there, until what was ordered since is ordered again."""
    gateway = start_gateway(**SHORT)
    simulator.faults({"kind": "status", "status": 503})
    gateway.drop("letter.xml", numbered(1))
    assert gateway.wait_moved("letter.xml") == "done"
    gateway.journal.wait(r"outcome=queued")
    (document,) = gateway.documents()
    gateway.ctl("backup", "backup.db")
    gateway.ctl("cancel", "--force", document["doc"])
    assert gateway.stop() == 0
    simulator.reset()

    restore(gateway, gateway.folder / "backup.db")
    config = gateway.config.read_text()
    assert "url: {" in config
    gateway.config.write_text(config.replace(
        "      retry: {", '      proxy: { url: "http://127.0.0.1:9" }\n      retry: {'))
    gateway.start()
    gateway.journal.wait(rf"doc={document['doc']} outcome=queued")
    gateway.ctl("cancel", "--force", document["doc"])
    gateway.config.write_text(config)
    gateway.ctl("reload")
    gateway.drop("other.xml", numbered(2))
    assert gateway.wait_moved("other.xml") == "done"
    gateway.settled()
    assert {each["state"] for each in gateway.documents()} == {"cancelled", "delivered"}
    assert set(simulator.received()) == {unique_id(numbered(2))}


def test_a_backup_takes_away_what_a_kill_left_of_one(gateway):
    left = [gateway.folder / "backup.db.aB3dE9.tmp", gateway.folder / "backup.db.aB3dE9.tmp-journal"]
    others = [gateway.folder / name for name in ("backup.db.tmp", "backup.db.2026-1.tmp", "other.db.aB3dE9.tmp")]
    for each in [*left, *others]:
        each.write_text("a copy, or a part of it")
    gateway.ctl("backup", "backup.db")
    assert [each.exists() for each in left] == [False, False]
    assert all(each.exists() for each in others)


def test_a_backup_replaces_the_one_before(gateway):
    hand_in(gateway, "mllp", numbered(1))
    first = gateway.ctl("backup", "backup.db")["bytes"]
    assert gateway.ctl("backup", "backup.db")["bytes"] >= first


@pytest.mark.parametrize("target, why", [
    ("state/queue.db", "is a file of the queue itself"), ("state/queue.db-wal", "is a file of the queue itself"),
    ("state/queue.db.lock", "is a file of the queue itself"), ("in", "is there, and is not a file"),
    ("nowhere/backup.db", "No such file or directory"), ("dmpfeed.yaml", "is there, and is no backup"),
    ("empty", "is there, and is no backup"), ("another.db", "is there, and is no backup")])
def test_a_backup_goes_nowhere_dangerous(gateway, target, why):
    hand_in(gateway, "mllp", numbered(1))
    (gateway.folder / "empty").touch()
    with contextlib.closing(sqlite3.connect(gateway.folder / "another.db")) as another:
        another.execute("CREATE TABLE theirs (name)")
    path = gateway.folder / target
    before = path.read_bytes() if path.is_file() and path.parent == gateway.folder else None
    with pytest.raises(RuntimeError, match=why):
        gateway.ctl("backup", target)
    assert before is None or path.read_bytes() == before
    assert gateway.ctl("verify")["ok"]
