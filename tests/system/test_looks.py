"""What operators look at: the shape of the backlog, and events as they happen."""

from __future__ import annotations

import json
import socket
import subprocess
import time

import pytest

from gateway import BUILD, Gateway, Journal, free_port
from samples import hand_in, numbered, read

CTL = BUILD / "daemon" / "dmpfeedctl"
LETTER = read("discharge-letter.xml")


@pytest.fixture
def watch(gateway):
    """What `dmpfeedctl tail` prints, as it prints it."""
    watching = []

    def start(*arguments: str) -> Journal:
        process = subprocess.Popen([CTL, "--socket", "control.sock", "tail", *arguments], cwd=gateway.folder,
                                   env={"LC_ALL": "C.UTF-8"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        journal = Journal(process.stdout)
        watching.append((process, journal))
        return journal

    yield start
    for process, journal in watching:
        process.kill()
        process.wait()
        journal.join()


def test_events_are_told_as_they_happen(gateway, watch):
    before = hand_in(gateway, "mllp", LETTER)
    gateway.journal.wait(rf"doc={before} .*outcome=delivered")
    tail = watch()
    tail.wait(rf"{before}\s+settled\s+delivered")
    after = hand_in(gateway, "mllp", numbered(7))
    tail.wait(rf"{after}\s+received\s+queued")
    tail.wait(rf"{after}\s+settled\s+delivered")


def test_each_event_is_a_line_of_json(gateway, watch):
    tail = watch("--json")
    doc = hand_in(gateway, "mllp", LETTER)
    line = tail.wait(rf'.*"settled".*"doc":"{doc}".*|.*"doc":"{doc}".*"settled".*')[0]
    event = json.loads(line)
    assert (event["doc"], event["what"], event["state"]) == (doc, "settled", "delivered")
    assert event["number"] > 0 and event["http_status"] == 200


def test_another_site_is_not_told(gateway, watch):
    tail, other = watch(), watch("--site", "990000003")
    doc = hand_in(gateway, "mllp", LETTER)
    tail.wait(rf"{doc}\s+settled\s+delivered")
    assert other.find(doc) == []


def test_a_watcher_ends_with_the_daemon_and_holds_nothing_up(gateway, watch):
    tail = watch()
    hand_in(gateway, "mllp", LETTER)
    tail.wait("received")
    gateway.stop()
    tail.join()
    assert tail.find("cannot reach dmpfeedd|broke off|shutting down|arrête")


def test_a_watcher_that_leaves_leaves_its_place_to_another(gateway):
    """There is nothing to tell, so that none of them would be answered before its patience ends."""
    most = 32

    watchers = []
    for _ in range(most):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(gateway.folder / "control.sock"))
        connection.sendall(b'{"command": "tail", "mark": 0}\n')
        watchers.append(connection)
    with pytest.raises(RuntimeError, match="too many connections"):
        gateway.ctl("status")
    for connection in watchers:
        connection.close()
    deadline = time.monotonic() + 10
    while True:
        try:
            gateway.ctl("status")
            break
        except RuntimeError:
            assert time.monotonic() < deadline, "they keep their places"


def test_the_backlog_has_a_shape(simulator, tmp_path):
    url = f"https://127.0.0.1:{free_port()}/si-dmp-server/v2/services"
    with Gateway(tmp_path / "gateway", url, simulator.pki, first="1 h", most="1 h", probe="1 h", connect="2 s") as gateway:
        for n in range(3):
            hand_in(gateway, "mllp", numbered(n))
        done = subprocess.run([CTL, "--socket", "control.sock", "--json", "shape"], cwd=gateway.folder,
                              capture_output=True, text=True, check=True, timeout=30)
        row, = json.loads(done.stdout)
        assert (row["lane"], row["total"], row["1min"], row["older"]) == ("990000987", 3, 3, 0)
        shown = subprocess.run([CTL, "--socket", "control.sock", "shape"], cwd=gateway.folder, env={"LC_ALL": "fr_FR.UTF-8"},
                               capture_output=True, text=True, check=True, timeout=30)
        assert "1 j" in shown.stdout and "990000987" in shown.stdout
