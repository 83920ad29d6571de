"""The configuration, read again while the gateway works: all of it or nothing, and whatever is under way goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time

import pytest

from certificates import openssl, resigned
from gateway import BUILD, END, FINESS_EG, FINESS_EJ, SOURCE, VT, Ack, Gateway, Mllp
from kills import check_books
from samples import mdm_t02, numbered, unique_id


class Reloaded:
    """What a reload left in the journal."""

    def __init__(self, lines: list[str], last: str):
        self.lines = [line[3:] for line in lines]
        self.text = "\n".join(self.lines)
        self.done = last.startswith("reloaded")


def reload(gateway: Gateway) -> Reloaded:
    """By the signal."""
    start = len(gateway.journal.lines)
    gateway.process.send_signal(signal.SIGHUP)
    last = gateway.journal.wait(r">((reloaded changes|not reloaded errors)=.* by=a signal)", start=start)[1]
    return Reloaded(gateway.journal.lines[start:], last)


def edit(gateway: Gateway, *changes: tuple[str, str]):
    text = gateway.config.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    gateway.config.write_text(text)


@contextlib.contextmanager
def edited(gateway: Gateway, *changes: tuple[str, str]):
    """And as it was again, in the file alone."""
    before = gateway.config.read_text()
    edit(gateway, *changes)
    yield
    gateway.config.write_text(before)


def ctl(gateway: Gateway, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", *arguments],
                          cwd=gateway.folder, capture_output=True, text=True, timeout=30)


def wait_programmes(gateway: Gateway, wanted: set[str]):
    """Targets are counted by a thread, at its pace."""
    deadline = time.monotonic() + 20
    while {row["programme"] for row in gateway.ctl("targets")} != wanted:
        assert time.monotonic() < deadline


def listed(gateway: Gateway, cda: bytes) -> dict:
    doc = next(each["doc"] for each in gateway.documents() if each["unique_id"] == unique_id(cda))
    return gateway.ctl("show", doc)


def acts(gateway: Gateway) -> list[tuple[str, str, str]]:
    """What stands in the audit chain without being about a document."""
    with contextlib.closing(sqlite3.connect(f"file:{gateway.folder}/state/queue.db?mode=ro", uri=True)) as store:
        return store.execute("SELECT what, text, actor FROM act ORDER BY number").fetchall()


def listening(gateway: Gateway, name: str, start: int = 0) -> tuple[str, int]:
    found = gateway.journal.wait(rf"listening name={name} address=(\S+):(\d+)", start=start)
    return found[1], int(found[2])


@pytest.fixture(scope="module")
def own_pki(pki, tmp_path_factory):
    """Certificates that a test may renew in place."""
    other = tmp_path_factory.mktemp("renewed") / "pki"
    shutil.copytree(pki, other)
    return other


@pytest.fixture(scope="module")
def gateway(running_simulator, own_pki, tmp_path_factory):
    with Gateway(tmp_path_factory.mktemp("reload") / "gateway", running_simulator.url, own_pki, first="100 ms",
                 most="200 ms", probe="100 ms") as running:
        yield running


@pytest.fixture(autouse=True)
def as_it_was(gateway, simulator):
    before = gateway.config.read_text()
    yield
    gateway.config.write_text(before)
    assert reload(gateway).done


# ---- what is told ----

def test_a_file_that_is_the_same_changes_nothing(gateway):
    assert "reloaded changes=0" in reload(gateway).text


def test_each_key_that_changed_is_told(gateway):
    edit(gateway, ("max_message: 32 MiB", "max_message: 16 MiB"), ("retry: { first: 100 ms", "retry: { first: 150 ms"))
    told = reload(gateway)
    assert "reload intake.mllp[mllp].max_message: 32 MiB -> 16 MiB" in told.lines
    assert "reload establishments[990000987].dmp.retry.first: 100 ms -> 150 ms" in told.lines
    assert "reloaded changes=2 " in told.text


def test_the_tool_tells_what_changed_and_who_asked_is_told(gateway):
    edit(gateway, ("level: debug", "level: info"))
    done = ctl(gateway, "reload")
    assert done.returncode == 0, done.stderr
    assert "log.level: debug -> info" in done.stdout
    gateway.journal.wait(rf">reloaded changes=1 .*\({os.getuid()}\)")


def test_what_was_reloaded_stands_in_the_audit_chain(gateway):
    before = acts(gateway)
    edit(gateway, ("max_message: 32 MiB", "max_message: 16 MiB"))
    assert ctl(gateway, "reload").returncode == 0
    deadline = time.monotonic() + 20
    while acts(gateway) == before:
        assert time.monotonic() < deadline
    what, text, actor = acts(gateway)[-1]
    assert (what, text) == ("reloaded", "changes=1 intake.mllp[mllp].max_message")
    assert actor.endswith(f"({os.getuid()})")
    assert gateway.ctl("verify")["ok"]


# ---- nothing, when anything is wrong ----

@pytest.mark.parametrize("old, new, said", [
    ("level: debug", "level: loud", "dmpfeed.yaml:4:15: log.level"),
    ("workers: 2", "workers: 2\nlogs: {}", 'dmpfeed.yaml:4:1: "logs" is not a key here'),
    ("workers: 2", "workers: 3", "workers cannot change while the daemon runs, it is 2"),
    ("folder: state", "folder: elsewhere", "state.folder cannot change while the daemon runs"),
    ("auth.pem", "sign.pem", "dmp.tls.cert"),
    ("drop:\n", "drop:\n    - { name: none, folder: nowhere, site: \"990012345\", source: LABO }\n", "nowhere"),
], ids=["value", "key", "restart", "state", "certificate", "folder"])
def test_a_bad_file_changes_nothing_and_says_why(gateway, old, new, said):
    with edited(gateway, (old, new), ("max_message: 32 MiB", "max_message: 8 MiB")):
        told = reload(gateway)
        asked = ctl(gateway, "reload")
    assert not told.done and said in told.text
    assert "nothing has changed" in told.text
    assert asked.returncode == 1 and said in asked.stdout + asked.stderr
    assert "changes=0" in reload(gateway).text  # what was in force still is


def test_a_port_that_is_taken_changes_nothing(gateway, tmp_path):
    host, port = gateway.mllp_address
    (tmp_path / "other").mkdir()
    with edited(gateway,
                ("intake:\n  mllp:\n", f'intake:\n  mllp:\n    - {{ name: twin, listen: "127.0.0.1:{port}", '
                                       f'site: "{FINESS_EG}", source: RIS }}\n'),
                ("drop:\n", f'drop:\n    - {{ name: other, folder: {tmp_path}/other, site: "{FINESS_EG}", source: RIS }}\n')):
        told = reload(gateway)
    assert not told.done and f"listener twin: cannot listen on 127.0.0.1:{port}" in told.text
    assert [each["name"] for each in gateway.status()["folders"]] == ["drop"]
    with Mllp((host, port)) as mllp:
        assert mllp.send(mdm_t02(numbered(1))).code == "AA"


WINDOW = '      - { id: "2026-S2", start: 2026-07-01, end: 2026-12-31, status: internal }\n'


@pytest.mark.parametrize("right, wrong, said", [
    ("alerts:\n", "frobnicate: 1\nalerts:\n", "frobnicate"),
    (WINDOW, WINDOW + WINDOW.replace("S2", "S3"), "overlaps"),
], ids=["unknown key", "overlapping windows"])
def test_bad_targets_are_refused_and_those_of_before_kept(gateway, tmp_path, right, wrong, said):
    file = tmp_path / "interne.yaml"
    good = (SOURCE / "conf" / "targets" / "interne.yaml").read_text()
    file.write_text(good)
    edit(gateway, ("environment: rehearsal\n", f"environment: rehearsal\ntargets: {{ dir: {tmp_path}, every: 1 s }}\n"))
    assert reload(gateway).done
    assert right in good
    file.write_text(good.replace(right, wrong))
    told = reload(gateway)
    assert not told.done and said in told.text and f"{file}:" in told.text
    wait_programmes(gateway, {"interne-2026"})


# ---- sockets, folders ----

def test_a_connection_stays_open_and_goes_by_the_new_settings(gateway):
    with gateway.connect() as mllp:
        assert mllp.send(mdm_t02(numbered(2))).code == "AA"
        edit(gateway, ("source: DPI", "source: DPI2"), ("max_message: 32 MiB", "max_message: 16 MiB"))
        assert reload(gateway).done
        ack = mllp.send(mdm_t02(numbered(3)))
        assert ack.code == "AA"
    assert listed(gateway, numbered(3))["source"] == "DPI2" and listed(gateway, numbered(2))["source"] == "DPI"


def test_listeners_and_folders_come_and_go(gateway, tmp_path):
    (tmp_path / "ris").mkdir()
    before = gateway.config.read_text()
    start = len(gateway.journal.lines)
    edit(gateway,
         ("intake:\n  mllp:\n", f'intake:\n  mllp:\n    - {{ name: ris, listen: "127.0.0.1:0", site: "{FINESS_EG}", '
                                f'source: RIS }}\n'),
         ("drop:\n", f'drop:\n    - {{ name: letters, folder: {tmp_path}/ris, site: "{FINESS_EG}", source: RIS, '
                     f'settle: 0 s, scan: 100 ms }}\n'))
    told = reload(gateway)
    assert "reload intake.mllp[ris]: added" in told.lines and "reload intake.drop[letters]: added" in told.lines
    assert {each["name"] for each in gateway.status()["listeners"]} == {"mllp", "ris"}
    (tmp_path / "ris" / "letter.xml").write_bytes(numbered(4))
    gateway.wait_moved("letter.xml", start=start)
    with Mllp(listening(gateway, "ris", start)) as mllp:
        assert mllp.send(mdm_t02(numbered(5))).code == "AA"
        gateway.config.write_text(before)
        told = reload(gateway)
        assert "reload intake.mllp[ris]: removed" in told.lines
        assert mllp.socket.recv(1) == b""
    (tmp_path / "ris" / "late.xml").write_bytes(numbered(6))
    with pytest.raises(OSError):
        Mllp(listening(gateway, "ris", start)).send(mdm_t02(numbered(6)))
    assert gateway.get("/readyz")[0] == 200
    assert (tmp_path / "ris" / "late.xml").exists()


# ---- certificates ----

def test_renewed_certificates_are_used_without_a_restart(gateway, own_pki, simulator, tmp_path):
    renewed = resigned(own_pki, tmp_path / "auth", "auth", ends=86400 * 40)
    again = resigned(own_pki, tmp_path / "sign", "sign", ends=86400 * 41)
    before = {each["role"]: each["not_after"] for each in gateway.ctl("certs")}
    for name, source in (("auth", renewed), ("sign", again)):
        os.replace(source / f"{name}.pem", own_pki / f"{name}.pem")
    told = reload(gateway)
    assert "reloaded changes=2 " in told.text
    assert "reload certificate 990000987 auth: " in told.text and "reload certificate 990000987 sign: " in told.text
    after = {each["role"]: each["not_after"] for each in gateway.ctl("certs")}
    assert all(after[role] != before[role] for role in ("auth", "sign"))
    ack = gateway.send(mdm_t02(numbered(7)))
    assert ack.code == "AA"
    gateway.settled()
    assert unique_id(numbered(7)) in simulator.received()


# ---- under load ----

@contextlib.contextmanager
def load(gateway, simulator, first):
    """Two senders and a folder with documents of these numbers, until the end; then all that was acknowledged is
    delivered. Gives a function that waits until so many more were."""
    wanted, ends, came = set(), threading.Event(), threading.Condition()
    lines = [range(first + 1000 * i, first + 1000 * i + 1000) for i in range(3)]
    faults: list = []

    def note(document):
        with came:
            wanted.add(unique_id(document))
            came.notify_all()

    def wait_more(count):
        with came:
            least = len(wanted) + count
            assert came.wait_for(lambda: len(wanted) >= least or faults, 30) and not faults, faults

    def send(numbers):
        try:
            with gateway.connect() as mllp:  # one connection, from the first reload to the last
                for number in numbers:
                    document = numbered(number)
                    if mllp.send(mdm_t02(document, control_id=f"L{number}")).code != "AA":
                        faults.append(number)
                    note(document)
                    if ends.is_set():
                        return
        except (OSError, AssertionError) as error:
            faults.append(error)

    def drop(numbers):
        for number in numbers:
            document = numbered(number)
            gateway.drop(f"load-{number}.xml", document)
            note(document)
            if ends.wait(0.02):
                return

    threads = [threading.Thread(target=send, args=(numbers,)) for numbers in lines[:2]]
    threads.append(threading.Thread(target=drop, args=(lines[2],)))
    for thread in threads:
        thread.start()
    try:
        yield wait_more
    finally:
        ends.set()
        for thread in threads:
            thread.join()
    assert faults == []
    for number in lines[2]:
        if unique_id(numbered(number)) not in wanted:
            break
        gateway.wait_moved(f"load-{number}.xml")
    documents = gateway.settled()
    assert all(documents[each]["state"] == "delivered" for each in wanted)
    assert wanted <= set(simulator.received())


def test_ten_reloads_under_load_lose_nothing(gateway, simulator):
    with load(gateway, simulator, 100) as wait_more:
        for turn in range(10):
            edit(gateway, ("max_message: 32 MiB", "max_message: 16 MiB") if turn % 2 == 0 else
                 ("max_message: 16 MiB", "max_message: 32 MiB"))
            assert reload(gateway).done
            wait_more(10)


def test_bad_files_under_load_change_nothing(gateway, simulator):
    good = gateway.config.read_text()
    with load(gateway, simulator, 5100) as wait_more:
        for bad in ("", "intake: [", good.replace("scan: 500 ms", "scan: soon"), good[:len(good) // 2]):
            gateway.config.write_text(bad)
            assert not reload(gateway).done
            wait_more(10)
    gateway.config.write_text(good)
    assert reload(gateway).done
    check_books(gateway)


# ---- what is on its way ----

OTHER_EJ, OTHER_EG = "990000995", "990054321"


def second_entity(gateway: Gateway) -> list[tuple[str, str]]:
    """Another legal entity and a listener for it: the changes of the file."""
    text = gateway.config.read_text()
    first = text[text.index("  - finess_ej:"):]
    return [(first, first + first.replace(FINESS_EJ, OTHER_EJ).replace(FINESS_EG, OTHER_EG)),
            ("intake:\n  mllp:\n", f'intake:\n  mllp:\n    - {{ name: other, listen: "127.0.0.1:0", site: "{OTHER_EG}", '
                                   f'source: AUTRE }}\n')]


def lanes(gateway: Gateway) -> dict[str, dict]:
    return {each["name"]: each for each in gateway.status()["lanes"]}


def test_what_is_at_the_dmp_when_its_entity_goes_is_ended_as_it_began(gateway, simulator):
    before, start = gateway.config.read_text(), len(gateway.journal.lines)
    edit(gateway, *second_entity(gateway))
    told = reload(gateway)
    assert f"reload establishments[{OTHER_EJ}]: added" in told.lines
    assert set(lanes(gateway)) == {FINESS_EJ, OTHER_EJ}
    letter = numbered(8).replace(FINESS_EG.encode(), OTHER_EG.encode())
    simulator.faults({"kind": "hold"})
    with Mllp(listening(gateway, "other", start)) as mllp:
        assert mllp.send(mdm_t02(letter).replace(FINESS_EG.encode(), OTHER_EG.encode())).code == "AA"
        simulator.wait_held(1)
        gateway.config.write_text(before)
        told = reload(gateway)
        assert f"reload establishments[{OTHER_EJ}]: removed" in told.lines
        assert set(lanes(gateway)) == {FINESS_EJ}
        assert mllp.read() is None
    simulator.faults()
    simulator.release()
    gateway.settled()
    assert listed(gateway, letter)["state"] == "delivered"
    assert unique_id(letter) in simulator.received()


def test_what_waits_for_an_entity_that_is_gone_is_told_until_it_is_back(start_gateway, simulator):
    gateway = start_gateway(extra="alerts: { lane_stopped: { after: 0 s } }")
    before, start = gateway.config.read_text(), len(gateway.journal.lines)
    edit(gateway, *second_entity(gateway))
    reload(gateway)
    letter = numbered(8).replace(FINESS_EG.encode(), OTHER_EG.encode())
    simulator.faults({"kind": "status", "status": 503})
    with Mllp(listening(gateway, "other", start)) as mllp:
        assert mllp.send(mdm_t02(letter).replace(FINESS_EG.encode(), OTHER_EG.encode())).code == "AA"
    gateway.journal.wait(r"outcome=queued")
    both = gateway.config.read_text()
    gateway.config.write_text(before)
    reload(gateway)
    gateway.journal.wait(rf"<3>lane={OTHER_EJ} state=stopped: no establishment of the configuration has this FINESS")
    gateway.journal.wait(rf"<3>alert=lane_stopped subject={OTHER_EJ} raised .*no establishment .* has this FINESS")
    lane = lanes(gateway)[OTHER_EJ]
    assert lane["state"] == "stopped" and "put it back, or cancel" in lane["why"]
    assert f"documents of {OTHER_EJ} wait" in str(gateway.ctl("reload")["warnings"])
    shown = gateway.ctl("show", listed(gateway, letter)["doc"])
    assert (shown["state"], shown["lane_state"], shown["lane_since"]) == ("queued", "stopped", lane["since"])
    assert shown["lane_why"] == lane["why"] and shown["not_before"] is None
    gateway.stop()
    simulator.faults()
    gateway.start()
    gateway.journal.wait(rf"<3>lane={OTHER_EJ} state=stopped: no establishment of the configuration has this FINESS")
    gateway.journal.wait(rf"<3>alert=lane_stopped subject={OTHER_EJ} raised ")
    gateway.config.write_text(both)
    assert gateway.ctl("reload")["warnings"] == []
    assert gateway.wait_final(listed(gateway, letter)["doc"]) == "delivered"
    gateway.journal.wait(rf"alert=lane_stopped subject={OTHER_EJ} cleared")


def test_each_entity_that_is_lost_is_told_however_many_there_are_and_whenever_it_is(start_gateway, simulator):
    gateway = start_gateway(extra="alerts: { lane_stopped: { after: 0 s } }")
    before, start = gateway.config.read_text(), len(gateway.journal.lines)
    edit(gateway, *second_entity(gateway))
    reload(gateway)
    simulator.faults({"kind": "status", "status": 503})
    with Mllp(listening(gateway, "other", start)) as mllp:
        letter = numbered(100).replace(FINESS_EG.encode(), OTHER_EG.encode())
        assert mllp.send(mdm_t02(letter).replace(FINESS_EG.encode(), OTHER_EG.encode())).code == "AA"
    for number in range(66):
        assert gateway.send(mdm_t02(numbered(number))).code == "AA"
    gateway.stop()
    with contextlib.closing(sqlite3.connect(gateway.folder / "state" / "queue.db")) as store, store:
        store.execute("UPDATE document SET lane = printf('1%08d', seq) WHERE lane = ?", (FINESS_EJ,))
        lost = {lane for lane, in store.execute("SELECT lane FROM document WHERE lane <> ?", (OTHER_EJ,))}
    assert len(lost) == 66

    gateway.start()
    for lane in sorted(lost):
        gateway.journal.wait(rf"<3>lane={lane} state=stopped: no establishment of the configuration has this FINESS")
    gateway.journal.wait(rf"<3>alert=lane_stopped subject={max(lost)} raised ")
    assert set(lanes(gateway)) == {FINESS_EJ, OTHER_EJ} | lost
    assert not gateway.journal.find(rf"<3>lane={OTHER_EJ} state=stopped: no establishment")

    gateway.config.write_text(before)
    warnings = str(gateway.ctl("reload")["warnings"])
    assert all(f"documents of {lane} wait" in warnings for lane in lost | {OTHER_EJ})
    gateway.journal.wait(rf"<3>lane={OTHER_EJ} state=stopped: no establishment of the configuration has this FINESS")
    gateway.journal.wait(rf"<3>alert=lane_stopped subject={OTHER_EJ} raised ")
    told = [line for line in gateway.journal.lines if f"lane={min(lost)} state=stopped: no establishment" in line]
    assert len(told) == 1


# ---- TLS of a listener ----

def shown(address: tuple[str, int], stack: contextlib.ExitStack) -> tuple[ssl.SSLSocket, bytes]:
    """A connection over TLS, and the certificate that the listener shows on it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = stack.enter_context(socket.create_connection(address, 30))
    secure = stack.enter_context(context.wrap_socket(plain))
    return secure, secure.getpeercert(binary_form=True)


def answered(secure: ssl.SSLSocket, number: int) -> str:
    secure.sendall(VT + mdm_t02(numbered(number)) + END)
    return Ack(secure.recv(65536)[1:]).code


def test_a_listener_shows_its_new_certificate_and_keeps_its_connections(gateway, own_pki, tmp_path):
    start = len(gateway.journal.lines)
    for name in ("cert", "key"):
        shutil.copy(own_pki / ("server.pem" if name == "cert" else "server.key"), tmp_path / name)
    edit(gateway, ("intake:\n  mllp:\n",
                   f'intake:\n  mllp:\n    - {{ name: secure, listen: "127.0.0.1:0", site: "{FINESS_EG}", source: RIS, '
                   f'tls: {{ cert: {tmp_path}/cert, key: {tmp_path}/key }} }}\n'))
    assert reload(gateway).done
    address = listening(gateway, "secure", start)
    with contextlib.ExitStack() as stack:
        old, first = shown(address, stack)
        assert answered(old, 10) == "AA"
        openssl(tmp_path, "req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 90 -subj /CN=renewed"
                          " -addext keyUsage=digitalSignature -addext extendedKeyUsage=serverAuth")
        assert "certificate secure listener: " in reload(gateway).text
        new, second = shown(address, stack)
        assert first != second
        assert answered(old, 11) == "AA" and answered(new, 12) == "AA"


# ---- a lane that could not send ----

def test_a_lane_whose_certificate_was_wrong_goes_on_when_it_is_mended(make_gateway, simulator):
    gateway = make_gateway(sign="auth").start()  # the two are swapped
    ack = gateway.send(mdm_t02(numbered(13)))
    assert ack.code == "AA" and lanes(gateway)[FINESS_EJ]["state"] == "stopped"
    edit(gateway, ("max_message: 32 MiB", "max_message: 16 MiB"))
    assert reload(gateway).done  # what was wrong before keeps nothing else from changing
    text = gateway.config.read_text()
    sign = text[text.index("      sign:"):].split("\n", 1)[0]
    gateway.config.write_text(text.replace(sign, sign.replace("auth.", "sign.")))
    assert reload(gateway).done
    gateway.settled()
    assert unique_id(numbered(13)) in simulator.received()
