"""A full disk, and folders that may not be written: a clear answer, nothing lost, and it mends by itself."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import pathlib
import re
import subprocess

import pytest

from disks import WRITE, FailingDisk
from gateway import Gateway, file_digest
from samples import DATA, hand_in, mdm_t02, numbered, read, unique_id
from source import Source

LETTER = read("discharge-letter.xml")
SHORT = {"first": "200 ms", "most": "400 ms", "probe": "300 ms"}


def mount(*arguments):
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")


@pytest.fixture
def mounts():
    """Mounts that end with the test."""
    with contextlib.ExitStack() as ends:
        def add(target: pathlib.Path, *arguments):
            target.mkdir(parents=True, exist_ok=True)
            mount(*arguments, target)
            ends.callback(subprocess.run, ["umount", "--lazy", target], check=True)
        yield add


# ---- the disk is full ----

@pytest.fixture
def start_on_small_disk(mounts, start_gateway, tmp_path):
    """Starts one whose state is on a disk of four MiB."""
    mounts(tmp_path / "gateway" / "state", "-t", "tmpfs", "-o", "size=4m", "tmpfs")
    return functools.partial(start_gateway, **SHORT)


@pytest.fixture
def gateway(start_on_small_disk):
    return start_on_small_disk()


def fill(gateway: Gateway) -> pathlib.Path:
    filler = gateway.folder / "state" / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return filler


def send_until_refused(gateway: Gateway) -> list[bytes]:
    """Messages until one does not fit; those that were acknowledged. The log of the database has some room left."""
    taken = []
    for number in range(1000, 2000):
        cda = numbered(number) + b" " * 100_000
        ack = gateway.send(mdm_t02(cda))
        assert ack is not None, "the connection was cut"
        if ack.code != "AA":
            assert [(ack.code, each["code"], each["reason"]) for each in ack.errors] == \
                [("AR", "207", "store_unavailable")]
            return taken
        taken.append(cda)
    raise AssertionError("the disk was never full")


def test_a_full_disk_is_answered_and_told(gateway):
    fill(gateway)
    send_until_refused(gateway)
    gateway.journal.wait(r"^<3>store unavailable: .*full")
    code, why = gateway.get("/readyz")
    assert code == 503 and b"full" in why
    assert gateway.get("/healthz")[0] == 200
    status = gateway.status()
    assert status["ready"] is False and "full" in status["not_ready"]


def test_an_err_of_a_full_disk_is_fatal_not_the_messages(gateway):
    fill(gateway)
    send_until_refused(gateway)
    frame = gateway.send(mdm_t02(numbered(1) + b" " * 100_000, control_id="FULL")).bytes.decode()
    assert "|FULL" in frame and re.search(r"\rERR\|\|\|207\^[^|]*\|F\|store_unavailable\^", frame)


def test_what_was_acknowledged_before_the_disk_was_full_is_delivered(gateway, simulator):
    simulator.faults({"kind": "hold"})
    taken = [numbered(number) for number in range(3)]
    for cda in taken:
        assert gateway.send(mdm_t02(cda)).code == "AA"
    filler = fill(gateway)
    taken += send_until_refused(gateway)
    simulator.faults()
    simulator.release()
    filler.unlink()
    gateway.settled()
    assert simulator.received().keys() == {unique_id(cda) for cda in taken}


def test_what_a_source_acknowledged_is_written_down_when_the_disk_has_room_again(make_gateway, tmp_path):
    disk = FailingDisk(tmp_path / "gateway" / "state", tmp_path / "disk")
    with Source() as source:
        source.plan = ["wait"]
        gateway = make_gateway(
            **SHORT, extra=f'sources: [{{ name: DPI, ack: {{ address: "127.0.0.1:{source.port}", timeout: 1 min }} }}]')
        gateway.start(env=disk.environment)
        assert gateway.send(mdm_t02(LETTER)).code == "AA"
        source.wait(1)
        disk.fail(errno.ENOSPC, WRITE)
        source.go.set()
        gateway.journal.wait(r"^<3>store unavailable: .*full")
        assert gateway.journal.find(r" told source=DPI") == []
        disk.mend()
        gateway.journal.wait(r" told source=DPI .*attempt=1$")
        gateway.settled()
        assert len({each.control_id for each in source.received}) == len(source.received), "none is sent twice"


def test_a_file_stays_in_its_folder_while_the_disk_is_full(gateway, simulator):
    filler = fill(gateway)
    send_until_refused(gateway)
    large = LETTER + b" " * 1_000_000  # more than folding the log makes room for
    gateway.drop("letter.xml", large)
    gateway.journal.wait(rf"^<3>file={file_digest('letter.xml')} folder=drop stays: .*full")
    assert (gateway.inbox / "letter.xml").read_bytes() == large
    filler.unlink()
    assert gateway.wait_moved("letter.xml") == "done"
    gateway.settled()
    assert simulator.document(unique_id(LETTER)) == large
    assert gateway.get("/readyz")[0] == 200


@pytest.mark.parametrize("room", [0, 16384], ids=["none", "for what is read, not for what is made"])
def test_a_pdf_that_cannot_be_converted_for_want_of_room_is_converted_later(gateway, room):
    pair = DATA / "pair"
    filler = fill(gateway)
    os.truncate(filler, filler.stat().st_size - room)
    gateway.drop("letter.pdf", (pair / "letter.pdf").read_bytes())
    gateway.drop("letter.yaml", (pair / "letter.yaml").read_bytes())
    gateway.journal.wait(rf"^<3>file={file_digest('letter.pdf')} folder=drop stays: to convert a PDF, .*No space left")
    assert sorted(path.name for path in gateway.inbox.glob("*.*")) == ["letter.pdf", "letter.yaml"]
    filler.unlink()
    assert gateway.wait_moved("letter.pdf") == "done"
    assert [each["state"] for each in gateway.settled().values()] == ["delivered"]


def test_a_gateway_is_ready_again_by_itself_once_there_is_space(gateway, simulator):
    """Nobody sends while it is not ready: a load balancer would not even let anybody try. And nothing is under way
    that would try: what came is larger than the room that the log has grown to."""
    filler = fill(gateway)
    assert gateway.send(mdm_t02(LETTER + b" " * 1_000_000)).code == "AR"
    assert gateway.get("/readyz")[0] == 503
    filler.unlink()
    gateway.journal.wait(r"store available again", timeout=20)
    assert gateway.get("/readyz") == (200, b"ready\n")


def test_an_outcome_that_could_not_be_written_is_not_forgotten(gateway, simulator):
    simulator.faults({"kind": "hold"})
    doc = hand_in(gateway, "mllp", LETTER)
    simulator.wait_held(1)
    filler = fill(gateway)
    send_until_refused(gateway)
    simulator.faults()
    simulator.release()
    simulator.wait_exchanges(1)
    filler.unlink()
    assert gateway.wait_final(doc) == "delivered"
    stored = [each for each in simulator.exchanges() if each["uniqueId"] == unique_id(LETTER)]
    assert [each["verdict"] for each in stored] == ["stored"]


def test_a_damaged_store_is_copied_only_where_as_much_room_is_left(gateway):
    """Others write to that disk too."""
    state = gateway.folder / "state"
    assert gateway.stop() == 0
    os.truncate(state / "queue.db", (state / "queue.db").stat().st_size // 2)
    needed, room = (state / "queue.db").stat().st_size, os.statvfs(state)
    (state / "filler").write_bytes(bytes(room.f_bavail * room.f_frsize - needed * 3 // 2))
    assert "no copy of them could be kept" in gateway.run().stderr
    assert not list(state.glob("damaged*"))
    (state / "filler").unlink()
    assert f"a copy of them as they are now is in {state / 'damaged'}" in gateway.run().stderr
    assert (state / "damaged" / "queue.db").read_bytes() == (state / "queue.db").read_bytes()


def test_a_gateway_killed_on_a_full_disk_starts_again(gateway, simulator):
    simulator.faults({"kind": "hold"})
    assert gateway.send(mdm_t02(LETTER)).code == "AA"
    simulator.wait_held(1)
    filler = fill(gateway)
    taken = [LETTER, *send_until_refused(gateway)]
    gateway.kill()
    simulator.faults()
    simulator.release()
    filler.unlink()
    gateway.start()
    gateway.settled()
    assert simulator.received().keys() == {unique_id(cda) for cda in taken}


# ---- a drop folder that may not be written ----

@pytest.fixture
def folder(mounts, start_gateway, tmp_path):
    """A gateway, its drop folder as a sender sees it, and a function that makes the gateway's view read-only or not."""
    shared, inbox = tmp_path / "shared", tmp_path / "gateway" / "in"
    shared.mkdir()
    mounts(inbox, "--bind", shared)
    gateway = start_gateway(**SHORT)

    def allow(right: str):
        mount("-o", f"remount,bind,{right}", inbox)
    return gateway, shared, allow


def test_a_file_that_cannot_be_moved_is_told_delivered_once_and_moved_later(folder, simulator):
    gateway, shared, allow = folder
    allow("ro")
    (shared / "letter.xml").write_bytes(LETTER)
    gateway.journal.wait(rf"^<3>file={file_digest('letter.xml')} folder=drop stays: .*[Rr]ead-only")
    gateway.settled()
    gateway.journal.wait(r"received again channel=drop")
    assert (shared / "letter.xml").exists()
    allow("rw")
    assert gateway.wait_moved("letter.xml") == "done"
    assert [path.name for path in shared.glob("done/*/*")] == ["letter.xml"]
    assert list(gateway.settled()) == [unique_id(LETTER)]
    assert [each["verdict"] for each in simulator.exchanges()] == ["stored"]


def test_a_bad_file_that_cannot_be_moved_stays_without_explanation(folder):
    gateway, shared, allow = folder
    allow("ro")
    (shared / "letter.xml").write_bytes(b"no XML")
    gateway.journal.wait(rf"^<3>file={file_digest('letter.xml')} folder=drop stays: .*[Rr]ead-only")
    assert list(shared.glob("rejected/*/*")) == []
    allow("rw")
    assert gateway.wait_moved("letter.xml") == "rejected"
    assert sorted(path.name for path in shared.glob("rejected/*/*")) == ["letter.error.yaml", "letter.xml"]


@pytest.mark.usefixtures("even_books")
def test_a_folder_that_disappears_is_told_and_taken_up_again(start_gateway, simulator):
    gateway = start_gateway(**SHORT)
    away = gateway.inbox.with_name("away")
    gateway.inbox.rename(away)
    gateway.journal.wait(r"^<3>drop_unreadable folder=drop: ")
    assert gateway.status()["folders"][0]["trouble"]
    assert gateway.send(mdm_t02(numbered(1))).code == "AA", "the other door stays open"
    away.rename(gateway.inbox)
    gateway.journal.wait(r"drop_readable_again folder=drop")
    hand_in(gateway, "drop", LETTER)
    assert len(gateway.settled()) == 2
    assert gateway.status()["folders"][0]["trouble"] is None


# ---- at start ----

def assert_refuses_to_start(gateway: Gateway, *words: str):
    ended = gateway.run()
    assert ended.returncode == 1
    (sentence,) = [line for line in ended.stderr.splitlines() if line.startswith("<3>cannot start: ")]
    assert all(word in sentence for word in words), sentence


@pytest.mark.parametrize("name", ["state", "in"])
def test_a_read_only_folder_is_refused_at_start(mounts, simulator, tmp_path, name):
    gateway = Gateway(tmp_path / "gateway", simulator.url, simulator.pki)
    mounts(gateway.folder / name, "-t", "tmpfs", "-o", "ro", "tmpfs")
    assert_refuses_to_start(gateway, str(gateway.folder / name))


@pytest.mark.parametrize("make", [lambda folder: None, lambda folder: folder.write_bytes(b"")],
                         ids=["missing", "a file"])
def test_a_drop_folder_that_is_none_is_refused_with_its_place_in_the_file(simulator, tmp_path, make):
    gateway = Gateway(tmp_path / "gateway", simulator.url, simulator.pki)
    gateway.inbox.rmdir()
    make(gateway.inbox)
    ended = gateway.run()
    assert ended.returncode == 1
    assert re.search(rf"^{re.escape(str(gateway.config))}:\d+:\d+: .*{re.escape(str(gateway.inbox))}", ended.stderr,
                     re.MULTILINE)
