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
    documents = gateway.settled()
    assert {unique_id(numbered(number)) for number in acknowledged} <= set(documents)
    assert {each["state"] for each in documents.values()} == {"delivered"}
    stored = [each for each in simulator.exchanges() if each["verdict"] == "stored"]
    assert len(stored) == len({each["uniqueId"] for each in stored}) == len(delivered)
    notes = [event["note"] for each in documents.values() for event in gateway.ctl("show", each["doc"])["events"]
             if event["what"] == "settled"]
    assert "confirmed_by_duplicate" in notes, "some had gone after the backup"
    assert gateway.ctl("verify")["ok"]


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
