"""What breaks under the gateway: a disk that is full, read-only or failing, a database that is locked, cut, damaged or
gone. Senders hear AR or find their file where they left it, /readyz says why, nothing acknowledged is lost, and
work goes on by itself once the cause is gone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import sqlite3
import struct
import time

import pytest

from disks import ANY_WRITE, CUT, MKDIR, OPEN, READ, RENAME, SYNC, WRITE, FailingDisk
from gateway import Gateway, TimedOut, file_digest
from kills import Account, Paper, new_document
from samples import hand_in, mdm_t02, numbered, unique_id
from test_verify import verify

SHORT = {"first": "100 ms", "most": "300 ms", "probe": "300 ms"}


@pytest.fixture
def disk(tmp_path):
    return FailingDisk(tmp_path / "gateway" / "state", tmp_path / "control")


@pytest.fixture
def gateway(make_gateway, disk):
    return make_gateway(**SHORT).start(env=disk.environment)


def assert_refused(gateway: Gateway, cda: bytes, timeout: float = 30):
    """The sender hears, in time, that it is not its fault."""
    ack = gateway.send(mdm_t02(cda), timeout)
    assert ack is not None, "silence"
    assert [(ack.code, each["code"], each["reason"]) for each in ack.errors] == [("AR", "207", "store_unavailable")]


def assert_not_ready(gateway: Gateway, *words: str):
    """One line says why; the process itself is well."""
    code, why = gateway.get("/readyz")
    assert code == 503 and why.count(b"\n") == 1
    assert any(word in why.decode() for word in words), why
    assert gateway.get("/healthz")[0] == 200


def wait_ready(gateway: Gateway, timeout: float = 20):
    gateway.journal.wait(r"store available again", timeout)
    assert gateway.get("/readyz") == (200, b"ready\n")


def go_through(gateway: Gateway, simulator, begin, end, *words: str):
    """A failure, from before it begins until long after it has ended."""
    account = Account()
    simulator.faults({"kind": "hold"})
    account.send_until_acknowledged(gateway, new_document())
    simulator.wait_held(1)
    begin()
    refused = new_document()
    assert_refused(gateway, refused)
    gateway.journal.wait(r"^<3>store unavailable: ")
    assert_not_ready(gateway, *words)
    name = account.drop(gateway, new_document())
    gateway.journal.wait(rf"^<3>file={file_digest(name)} folder=drop stays: ")
    assert (gateway.inbox / name).read_bytes() == account.dropped[name].file
    simulator.faults()
    simulator.release()  # the outcome cannot be written down yet
    simulator.wait_exchanges(1)
    end()
    wait_ready(gateway)
    assert gateway.wait_moved(name) == "done"
    account.send_until_acknowledged(gateway, refused)
    account.settle(gateway, simulator)


# ---- the disk fails for a while ----

DISKS = {
    "full": (errno.ENOSPC, WRITE | CUT, "full"),
    "over quota": (errno.EDQUOT, WRITE | CUT, "quota"),
    "read-only": (errno.EROFS, ANY_WRITE, "Read-only"),
    "bad to write": (errno.EIO, WRITE, "Input/output error"),
    "bad to sync": (errno.EIO, SYNC, "Input/output error"),
}


@pytest.mark.parametrize("name", DISKS)
def test_a_disk_that_fails_for_a_while(gateway, simulator, disk, name):
    error, calls, words = DISKS[name]
    go_through(gateway, simulator, lambda: disk.fail(error, calls), disk.mend, words)


@pytest.mark.parametrize("name", ["full", "read-only", "bad to sync"])
def test_a_call_that_fails_once_wherever_it_is(gateway, simulator, disk, name):
    """Each of the calls that a document's way is made of, one after the other."""
    error, calls, _ = DISKS[name]
    account, nth, reached = Account(), 0, True
    while reached:
        disk.fail(error, calls, after=nth, count=1)
        cda = new_document()
        ack = gateway.send(mdm_t02(cda))
        assert ack is not None and ack.code in ("AA", "AR")
        if ack.code == "AR":
            account.send_until_acknowledged(gateway, cda)
        account.acknowledge(Paper(cda))
        assert all(each["state"] == "delivered" for each in gateway.settled().values())
        reached, nth = disk.seen() > nth, nth + 1
        disk.mend()
    print(f"{nth} calls")
    assert nth > 3
    wait_for_ready(gateway)
    account.settle(gateway, simulator)


def wait_for_ready(gateway: Gateway):
    deadline = time.monotonic() + 10
    while gateway.get("/readyz")[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_body_that_cannot_be_read_for_a_while_is_sent_later(gateway, simulator, disk):
    simulator.faults({"kind": "status", "status": 503})
    cda = numbered(1) + b" " * 300_000
    doc = hand_in(gateway, "mllp", cda)
    gateway.journal.wait(rf"doc={doc} outcome=queued ")
    disk.fail(errno.EIO, READ)
    simulator.faults()
    gateway.journal.wait(rf"doc={doc} outcome=queued .*reason=store_unavailable.*Input/output error")
    disk.mend()
    assert gateway.wait_final(doc) == "delivered"
    assert simulator.document(unique_id(cda)) == cda
    wait_for_ready(gateway)


def test_a_failing_disk_and_a_kill(gateway, simulator, disk):
    """What was refused after a sync that failed may be there after a restart: it is not taken twice."""
    account = Account()
    for _ in range(3):
        account.send_until_acknowledged(gateway, new_document())
        disk.fail(errno.EIO, SYNC)
        refused = new_document()
        assert_refused(gateway, refused)
        gateway.kill()
        disk.mend()
        gateway.start(env=disk.environment)
        account.send_until_acknowledged(gateway, refused)
    account.settle(gateway, simulator)


# ---- the database is locked ----

@contextlib.contextmanager
def locked(gateway: Gateway):
    other = sqlite3.connect(gateway.folder / "state" / "queue.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_a_database_that_another_process_locks(start_gateway, simulator):
    gateway = start_gateway(**SHORT)
    with contextlib.ExitStack() as lock:
        go_through(gateway, simulator, lambda: lock.enter_context(locked(gateway)), lock.close, "locked")


def test_a_sender_hears_of_a_lock_within_seconds(start_gateway):
    gateway = start_gateway(**SHORT)
    with locked(gateway):
        began = time.monotonic()
        assert_refused(gateway, numbered(1), timeout=15)
        assert time.monotonic() - began < 12
    wait_ready(gateway)


def test_a_short_lock_is_waited_for(start_gateway):
    gateway = start_gateway(**SHORT)
    with gateway.connect() as mllp:
        with locked(gateway):
            mllp.write(mdm_t02(numbered(1)))
            with contextlib.suppress(TimeoutError):
                mllp.read(1)
        assert mllp.read().code == "AA"


# ---- the files go ----

@pytest.mark.parametrize("path", ["state", "state/queue.db", "state/queue.db-wal"])
def test_a_file_that_is_moved_away_and_put_back(start_gateway, simulator, path):
    gateway = start_gateway(**SHORT)
    there, away = gateway.folder / path, gateway.folder / "away"
    go_through(gateway, simulator, lambda: there.rename(away), lambda: away.rename(there), "is gone")


def test_a_state_folder_that_is_removed_takes_nothing_more(start_gateway, simulator):
    gateway = start_gateway(**SHORT)
    assert gateway.send(mdm_t02(numbered(1))).code == "AA"
    gateway.settled()
    shutil.rmtree(gateway.folder / "state")
    assert_refused(gateway, numbered(2))
    assert_not_ready(gateway, "is gone")
    assert not (gateway.folder / "state").exists(), "an empty store in its place would be silent about it"


@pytest.mark.parametrize("ending", ["", "-wal"])
def test_a_file_that_is_cut_in_use_takes_nothing_more(start_gateway, simulator, ending):
    gateway = start_gateway(**SHORT)
    for number in range(5):
        assert gateway.send(mdm_t02(numbered(number))).code == "AA"
    gateway.settled()
    if ending == "":
        bring_together(gateway)
    path = gateway.folder / "state" / f"queue.db{ending}"
    assert gateway.send(mdm_t02(numbered(10))).code == "AA"  # it has seen how large they are
    gateway.settled()
    os.truncate(path, path.stat().st_size // 3)
    assert_refused(gateway, numbered(20))
    assert_not_ready(gateway, "was cut")
    gateway.journal.wait(r"^<3>store unavailable: .*was cut to \d+ bytes while it was in use")


def bring_together(gateway: Gateway):
    """All that is in the log, into the database."""
    with contextlib.closing(sqlite3.connect(gateway.folder / "state" / "queue.db")) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")


# ---- damaged while stopped ----

def stopped_with(gateway: Gateway, simulator, count: int) -> dict[str, bytes]:
    """A gateway that was stopped with documents it has acknowledged and could not send."""
    documents = {}
    simulator.faults({"kind": "status", "status": 503})
    for _ in range(count):
        cda = new_document() + b"\n" * 20_000
        assert gateway.send(mdm_t02(cda)).code == "AA"
        documents[unique_id(cda)] = cda
    assert gateway.stop() == 0
    simulator.faults()
    return documents


def assert_refuses_to_start(gateway: Gateway, *words: str, env: dict | None = None):
    ended = gateway.run(env=env)
    assert ended.returncode == 1
    (sentence,) = [line for line in ended.stderr.splitlines() if line.startswith("<3>cannot start: ")]
    assert all(word in sentence for word in (*words, "queue.db")), sentence


def store_files(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("queue.db*") if path.name != "queue.db.lock"}


REFUSED = {
    "gone": (lambda path: path.unlink(), "gone"),
    "empty": (lambda path: os.truncate(path, 0), "empty"),
    "cut in half": (lambda path: os.truncate(path, path.stat().st_size // 2), "malformed"),
    "another format": (lambda path: path.write_bytes(b"%PDF-1.4" * 5000), "not a database"),
    "no header": (lambda path: overwrite(path, 0, bytes(100)), "not a database"),
}


def overwrite(path, at: int, new: bytes):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(new)


@pytest.mark.parametrize("name", REFUSED)
def test_a_database_damaged_while_stopped_is_refused_and_left_as_it_is(start_gateway, simulator, name):
    damage, word = REFUSED[name]
    gateway = start_gateway(**SHORT)
    path = gateway.folder / "state" / "queue.db"
    documents = stopped_with(gateway, simulator, 5)
    backup = path.read_bytes()
    damage(path)
    damaged = path.read_bytes() if path.exists() else None
    assert_refuses_to_start(gateway, word)
    assert (path.read_bytes() if path.exists() else None) == damaged
    path.write_bytes(backup)
    gateway.start()
    gateway.settled()
    assert {name: simulator.document(name) for name in documents} == documents


PAGE = 8192
LOG_HEADER, FRAME = 32, PAGE + 24


# of so many bytes that were synced
LOG_DAMAGE = {
    "a flipped bit in the middle": lambda log, used: log[:used // 2] + bytes([log[used // 2] ^ 1]) + log[used // 2 + 1:],
    "a flipped bit at the end": lambda log, used: log[:used - 9] + bytes([log[used - 9] ^ 1]) + log[used - 8:],
    "a page of zeros": lambda log, used: log[:used - 4096] + bytes(4096) + log[used:],
    "the first page of zeros": lambda log, used: bytes(4096) + log[4096:],
    "a cut tail": lambda log, used: log[:used - FRAME],
}


@pytest.mark.parametrize("name", LOG_DAMAGE)
def test_a_log_damaged_after_a_kill_is_refused_and_left_as_it_is(start_gateway, simulator, name):
    """What was acknowledged last is nowhere else, and SQLite would go on without it."""
    gateway, account = start_gateway(**SHORT), Account()
    simulator.faults({"kind": "status", "status": 503})
    for _ in range(5):
        account.send_until_acknowledged(gateway, new_document())
    gateway.kill()
    files = {path: path.read_bytes() for path in (gateway.folder / "state").glob("queue.db*")}
    (log,) = [path for path in files if path.name == "queue.db-wal"]
    (frames,) = struct.unpack_from("=I", files[log.with_name("queue.db-shm")], 16)  # that were committed
    used = LOG_HEADER + frames * FRAME
    log.write_bytes(LOG_DAMAGE[name](files[log], used))
    damaged = {path: path.read_bytes() for path in files}
    assert damaged != files
    assert_refuses_to_start(gateway, "log (-wal)", "damaged", "restore a backup", "a copy of them as they are now is in")
    assert {path: path.read_bytes() for path in (gateway.folder / "state").glob("queue.db*")} == damaged
    assert store_files(gateway.folder / "state" / "damaged") == store_files(gateway.folder / "state")
    log.write_bytes(files[log])
    simulator.faults()
    gateway.start()
    account.settle(gateway, simulator)


def test_a_damaged_store_is_copied_aside_once(start_gateway, simulator):
    """systemd starts the daemon again and again: that must not fill the disk."""
    gateway = start_gateway(**SHORT)
    path, aside = gateway.folder / "state" / "queue.db", gateway.folder / "state" / "damaged"
    stopped_with(gateway, simulator, 5)
    os.truncate(path, path.stat().st_size // 2)
    found = path.read_bytes()
    assert_refuses_to_start(gateway, "malformed: keep the files, and restore a backup; ",
                            f"; a copy of them as they are now is in {aside}")
    assert (aside / "queue.db").read_bytes() == found
    assert (aside.stat().st_mode & 0o777, (aside / "queue.db").stat().st_mode & 0o777) == (0o700, 0o600)
    os.truncate(path, len(found) // 2)
    assert_refuses_to_start(gateway, f"; the copy of an earlier damage is in {aside}")
    assert (aside / "queue.db").read_bytes() == found


COPYING = {
    "its folder": (MKDIR, "damaged.tmp"),
    "the file": (OPEN, "damaged.tmp/queue.db"),
    "its bytes": (WRITE, "damaged.tmp/queue.db"),
    "the sync": (SYNC, "damaged.tmp/queue.db"),
    "its name": (RENAME, "damaged.tmp"),
}


@pytest.mark.parametrize("name", COPYING)
def test_a_damaged_store_that_cannot_be_copied_is_refused_all_the_same(gateway, simulator, disk, name):
    calls, ending = COPYING[name]
    stopped_with(gateway, simulator, 5)
    state = gateway.folder / "state"
    os.truncate(state / "queue.db", (state / "queue.db").stat().st_size // 2)
    disk.fail(errno.ENOSPC, calls, ending=ending)
    assert_refuses_to_start(gateway, f"no copy of them could be kept in {state / 'damaged'} (No space left on device)",
                            env=disk.environment)
    assert not list(state.glob("damaged*"))


def test_pages_damaged_at_random_are_told_and_never_sent(start_gateway, simulator):
    """A page of zeros, or a flipped bit: the start is refused, or each document is delivered as it came or told to be
    damaged, or the gateway says that it is not well, or at least its verify does (a bit in an index may make a
    document wait for years). None is missing without a word, none goes out altered."""
    seed = int(os.environ.get("DMPFEED_SEED", random.randrange(10**6)))
    print(f"DMPFEED_SEED={seed}")
    chance = random.Random(seed)
    gateway = start_gateway(**SHORT)
    path = gateway.folder / "state" / "queue.db"
    documents = stopped_with(gateway, simulator, 12)
    backup, told = path.read_bytes(), {"refused": 0, "delivered": 0, "damaged": 0, "not ready": 0}
    for _ in range(12):
        simulator.reset()
        for old in gateway.folder.glob("state/queue.db*"):
            old.unlink()
        path.write_bytes(backup)
        # the first pages are those of the tables and their indexes, most others of bodies
        page = chance.randrange(1, chance.choice([30, len(backup) // PAGE])) * PAGE
        bit = chance.randrange(PAGE)
        overwrite(path, page + (0 if chance.random() < 0.5 else bit),
                  bytes(PAGE) if chance.random() < 0.5 else bytes([backup[page + bit] ^ 1 << chance.randrange(8)]))
        try:
            gateway.start()
        except TimedOut:  # it ended
            assert gateway.journal.find(r"^<3>cannot start: .*queue.db: ")
            assert gateway.process.wait(10) == 1
            gateway.process.stderr.close()
            told["refused"] += 1
            continue
        account_for(gateway, simulator, documents, told)
        gateway.stop()
    print(told)
    assert told["delivered"] > 0


def account_for(gateway: Gateway, simulator, documents: dict[str, bytes], told: dict[str, int]):
    deadline, left = time.monotonic() + 20, {}
    while time.monotonic() < deadline:
        with contextlib.suppress(RuntimeError):  # the list itself may meet the damage
            left = {each["unique_id"]: each["state"] for each in gateway.documents()}
            if not {"queued", "sending"} & set(left.values()):
                break
        if gateway.get("/readyz")[0] != 200:
            told["not ready"] += 1
            break
        time.sleep(0.1)
    received = simulator.received()
    for name, cda in documents.items():
        if name in received:
            assert simulator.document(name) == cda, "sent, and not what came"
            told["delivered"] += 1
        else:
            assert left.get(name) == "rejected" or gateway.get("/readyz")[0] == 503 or \
                verify(gateway).returncode == 1, (name, left.get(name))
            told["damaged"] += 1


def test_a_new_store_is_told(start_gateway):
    gateway = start_gateway(**SHORT)
    gateway.journal.wait(r"^<4>store made path=\S+queue.db: it is empty")
    gateway.stop()
    gateway.start()
    assert not gateway.journal.find("store made")


def test_a_second_daemon_is_refused(start_gateway):
    gateway = start_gateway(**SHORT)
    ended = gateway.run()
    assert ended.returncode == 1 and "another dmpfeedd uses it" in ended.stderr
    assert gateway.send(mdm_t02(numbered(1))).code == "AA"
