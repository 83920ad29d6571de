"""How dmpfeedd starts and stops: what it says when it cannot, and that stopping loses nothing."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

from gateway import DAEMON, SOURCE, Gateway, Mllp
from samples import hand_in, mdm_t02, numbered, read, unique_id

LETTER = read("discharge-letter.xml")

def run(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([DAEMON, *arguments], capture_output=True, text=True, timeout=20)

def cannot_start(gateway: Gateway) -> str:
    """The one sentence with which it gives up."""
    ended = gateway.run()
    assert ended.returncode == 1, ended.stderr
    (sentence,) = [line for line in ended.stderr.splitlines() if line.startswith("<3>")]
    assert sentence.startswith("<3>cannot start: ")
    return sentence

@pytest.fixture
def unstarted(simulator, tmp_path):
    return Gateway(tmp_path / "gateway", simulator.url, simulator.pki)

# ---- the command line ----

def test_version_is_one_line_and_one_for_each_library():
    ended = run("--version")
    assert (ended.returncode, ended.stderr) == (0, "")
    own, *libraries = ended.stdout.splitlines()
    assert re.fullmatch(r"dmpfeedd \d+\.\d+\.\d+", own)
    assert all(re.fullmatch(r"[\w-]+ \d+\.\d+[\w.-]*", line) for line in libraries)
    assert {line.split()[0] for line in libraries} == {"Jansson", "OpenSSL", "SQLite", "libcurl", "libevent", "libxml2",
                                                       "libyaml", "libzip", "p11-kit"}

def test_help_names_every_option():
    ended = run("--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(option in ended.stdout for option in ("--config", "--check-config", "--foreground", "--version"))

@pytest.mark.parametrize("arguments", [["--no-such-option"], ["stray"], ["--config"]])
def test_a_wrong_command_line_is_answered_with_the_usage(arguments):
    ended = run(*arguments)
    assert ended.returncode == 2
    assert "usage: dmpfeedd" in ended.stderr

# ---- the configuration ----

@pytest.fixture
def example(pki, tmp_path):
    """conf/dmpfeed.yaml with the paths of a machine that has everything."""
    text = (SOURCE / "conf" / "dmpfeed.yaml").read_text()
    (tmp_path / "labo").mkdir()
    for path, here in {
        "/etc/dmpfeed/certificates/dmp-ca.pem": pki / "ca.pem", "/etc/dmpfeed/certificates/auth.pem": pki / "auth.pem",
        "/etc/dmpfeed/certificates/auth.key": pki / "auth.key", "/etc/dmpfeed/certificates/sign.pem": pki / "sign.pem",
        "/etc/dmpfeed/certificates/sign.key": pki / "sign.key",
        "/etc/dmpfeed/certificates/sign-chain.pem": pki / "ca.pem", "/var/spool/dmpfeed/labo": tmp_path / "labo",
        "#dir: /usr/share/dmpfeed/value-sets": f"dir: {SOURCE}/conf/value-sets",
        "#file: /usr/share/dmpfeed/dmp-errors.csv": f"file: {SOURCE}/conf/dmp-errors.csv",
        "#folder: /var/lib/dmpfeed": f"folder: {tmp_path}/state",
        "#socket: /run/dmpfeed/control.sock": f"socket: {tmp_path}/control.sock",
        '#listen: "127.0.0.1:8690"': 'listen: "127.0.0.1:0"', "127.0.0.1:2575": "127.0.0.1:0",
    }.items():
        assert path in text
        text = text.replace(path, str(here))
    path = tmp_path / "dmpfeed.yaml"
    path.write_text(text)
    return path

def test_the_example_passes_and_its_effective_form_passes_again(example):
    first = run("--config", example, "--check-config")
    assert (first.returncode, first.stderr) == (0, "")
    assert "most: 1 h" in first.stdout, "defaults are printed too"
    example.write_text(first.stdout)
    second = run("--config", example, "--check-config")
    assert (second.returncode, second.stdout) == (0, first.stdout)

def test_the_editions_of_the_code_tables_are_told(example):
    told = run("--config", example, "--check-config").stdout
    assert "# class-code.csv: JDV_J57-ClassCode-DMP, OID 1.2.250.1.213.1.1.5.6, version 2023-09, date 2" in told
    assert len(re.findall(r"^# [a-z-]+[.]csv: \S.*, OID \S+, version \S.*, date \d{4}-\d\d-\d\d$", told,
                          re.MULTILINE)) == len(list((SOURCE / "conf" / "value-sets").glob("*.csv")))

def test_a_role_that_no_list_knows_is_told_with_its_place_and_what_comes_near(example):
    text = example.read_text() + ("          roles: [{ code: AUTOMAT, system: 1.2.250.1.213.1.1.4.6, "
                                  "name: Automate }]\n")
    example.write_text(text)
    ended = run("--config", example, "--check-config")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"{example}:{len(text.splitlines())}:" in ended.stderr
    assert "AUTOMAT of 1.2.250.1.213.1.1.4.6 is not in subject-role.csv; nearest: AUTOMATE, " in ended.stderr

def test_every_error_of_the_file_is_told_with_its_place(example):
    text = example.read_text()
    lines = text.replace("environment: test", "environment: hospital").replace(
        'finess_ej: "990000987"', "finess_ej: 990000987") + "surprise: yes\n"
    example.write_text(lines)
    ended = run("--config", example, "--check-config")
    assert (ended.returncode, ended.stdout) == (1, "")
    places = dict(re.findall(rf"^{re.escape(str(example))}:(\d+):\d+: (.+)$", ended.stderr, re.MULTILINE))
    numbers = [number for number, line in enumerate(lines.splitlines(), 1)
               if re.match(r"environment: hospital|  - finess_ej: 990000987|surprise", line)]
    assert len(numbers) == 3 and {str(number) for number in numbers} <= places.keys()

@pytest.mark.parametrize("key, told", [("#content_type: \"\"", "maps[.]content_type: "),
                                       ("  file: .*dmp-errors.csv", "errors[.]file: ")], ids=["map", "errors"])
def test_a_table_that_cannot_be_used_is_told_with_its_place(example, tmp_path, key, told):
    (tmp_path / "wrong.csv").write_text("wrong,columns\n")
    text, found = re.subn(key, f"{key.split(':')[0].lstrip('#')}: {tmp_path}/wrong.csv", example.read_text())
    assert found == 1
    example.write_text(text)
    ended = run("--config", example, "--check-config")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(rf"{re.escape(str(example))}:\d+:\d+: {told}.*/wrong[.]csv:1: .+\n", ended.stderr)

def test_what_is_wrong_elsewhere_is_told_in_the_same_run(example):
    """A mistyped key, a value of no kind and a rule that is broken leave no doubt of the rest."""
    text = example.read_text().replace("#types: []", 'types: ["11490-1"]', 1).replace("auth.key", "sign.key")
    text = text.replace("#level: info", "level: loud").replace("      #idle: 10 min", "      idle: 2 weeks")
    example.write_text(text.replace('site: "990012345"', 'site: "990099999"', 1) + "surprise: yes\n")
    ended = run("--config", example, "--check-config")
    assert (ended.returncode, ended.stdout) == (1, "")
    told = [line.split(": ", 1)[1] for line in ended.stderr.splitlines()]
    for start in ("log.level ", "idle ", '"surprise" is not a key here', "site 990099999 is declared by no", "dmp.tls.key: ",
                  "11490-1 is not in type-code.csv"):
        assert len([each for each in told if each.startswith(start)]) == 1, (start, told)
    assert len(told) == 6, told

def test_check_config_touches_nothing(example, tmp_path):
    run("--config", example, "--check-config")
    assert not (tmp_path / "state").exists() and not (tmp_path / "control.sock").exists()

def test_what_was_read_and_what_was_not_checked_is_told(example, tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "ris.yaml").write_text(
        'intake: { mllp: [{ name: ris, listen: "127.0.0.1:0", site: "990012345", source: RIS }] }\n')
    told = run("--config", example, "--check-config").stdout
    assert re.findall(r"^# read: (.+)$", told, re.MULTILINE) == [str(example), f"{tmp_path}/conf.d/ris.yaml"]
    assert "name: ris" in told
    for unknown in ("DMP answers 990000987 at https://dmp-test.example/", "source DPI answers at 127.0.0.1:2576"):
        assert f"# not checked: whether the {unknown}" in told

def test_a_port_in_use_is_told_with_its_place_but_for_the_daemons_own(start_gateway, example):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        example.write_text(example.read_text().replace("127.0.0.1:0", address, 1))
        ended = run("--config", example, "--check-config")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.search(rf"^{re.escape(str(example))}:\d+:\d+: status[.]listen: {address} cannot be listened on", ended.stderr)
    gateway = start_gateway()
    address = "{}:{}".format(*gateway.mllp_address)
    gateway.config.write_text(gateway.config.read_text().replace('mllp, listen: "127.0.0.1:0"', f'mllp, listen: "{address}"'))
    checked = gateway.run("--check-config")
    assert checked.returncode == 0, checked.stderr
    assert f"# not checked: whether {address} is free, for the dmpfeedd that runs" in checked.stdout

@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_root_checks_as_the_user_of_the_service(example):
    example.chmod(0o600)
    ended = subprocess.run([DAEMON, "--config", example, "--check-config", "--user", "nobody"], capture_output=True,
                           text=True, timeout=20)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Permission denied" in ended.stderr

@pytest.mark.parametrize("text", ["", "a: [", "\t", "- list\n", "environment: rehearsal\n"])
def test_a_file_that_is_no_configuration_is_refused(tmp_path, text):
    path = tmp_path / "dmpfeed.yaml"
    path.write_text(text)
    ended = run("--config", path)
    assert ended.returncode == 1
    assert str(path) in ended.stderr

def test_a_missing_file_is_named(tmp_path):
    ended = run("--config", tmp_path / "none.yaml")
    assert ended.returncode == 1
    assert "none.yaml" in ended.stderr and "No such file" in ended.stderr

def test_memory_is_never_written_to_a_core_file(gateway):
    """Nor into a pipe, which a limit of 0 does not bind: to the kernel, 1 says that nobody wants it."""
    limits = pathlib.Path(f"/proc/{gateway.process.pid}/limits").read_text()
    assert re.search(r"^Max core file size +1 +1 ", limits, re.M), limits

# ---- what is in the way ----

@pytest.mark.usefixtures("even_books")
def test_a_second_daemon_on_the_same_state_refuses(start_gateway, simulator, tmp_path):
    first = start_gateway()
    second = Gateway(tmp_path / "second", simulator.url, simulator.pki)
    second.config.write_text(second.config.read_text().replace("folder: state", f"folder: {first.folder}/state"))
    assert "another dmpfeedd uses it" in cannot_start(second)
    first.wait_final(hand_in(first, "mllp", LETTER))

def test_a_port_in_use_is_named(simulator, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        sentence = cannot_start(Gateway(tmp_path / "gateway", simulator.url, simulator.pki, listen=address))
    assert address in sentence and "in use" in sentence

def test_a_damaged_database_is_refused_in_words_and_left_as_it_is(unstarted):
    with unstarted.start():
        unstarted.wait_final(hand_in(unstarted, "mllp", LETTER))
    database = unstarted.folder / "state" / "queue.db"
    damaged = b"not a database at all" * 1000
    database.write_bytes(damaged)
    sentence = cannot_start(unstarted)
    assert str(database) in sentence and "not a database" in sentence
    assert database.read_bytes() == damaged

def test_a_queue_of_a_newer_version_is_refused_and_left_as_it_is(unstarted):

    with unstarted.start():
        pass
    with contextlib.closing(sqlite3.connect(unstarted.folder / "state" / "queue.db")) as database:
        database.execute("PRAGMA user_version = 99")
    assert "newer" in cannot_start(unstarted)

def test_a_socket_left_by_a_killed_daemon_is_no_obstacle(unstarted):
    unstarted.start()
    unstarted.kill()
    assert (unstarted.folder / "control.sock").exists()
    with unstarted.start():
        assert unstarted.documents() == []

# ---- the end ----

@pytest.mark.parametrize("signal", ["TERM", "INT"])
def test_an_idle_daemon_stops_at_once(unstarted, signal):
    unstarted.start()
    begun = time.monotonic()
    subprocess.run(["kill", f"-{signal}", str(unstarted.process.pid)], check=True)
    assert unstarted.process.wait(10) == 0
    assert time.monotonic() - begun < 5
    unstarted.journal.wait(rf"^<6>stopping signal={signal}")
    unstarted.journal.wait(r"^<6>stopped$")

@pytest.mark.parametrize("signals", ["HUP TERM", "TERM HUP", "HUP HUP TERM TERM INT"])
def test_a_reload_under_way_is_no_obstacle(unstarted, signals):
    unstarted.start()
    for each in signals.split():
        unstarted.process.send_signal(getattr(signal, f"SIG{each}"))
    assert unstarted.process.wait(10) == 0
    unstarted.journal.wait(r"^<6>stopped$")

def test_requests_that_stand_behind_a_reload_are_not_begun_any_more(unstarted):
    unstarted.start()
    with contextlib.ExitStack() as ends:
        for _ in range(8):
            asking = ends.enter_context(socket.socket(socket.AF_UNIX))
            asking.connect(str(unstarted.folder / "control.sock"))
            asking.sendall(b'{"command":"reload"}\n{"command":"verify"}\n')
        unstarted.process.terminate()
        assert unstarted.process.wait(10) == 0

def test_a_delivery_under_way_ends_before_the_daemon_does(start_gateway, simulator):
    gateway = start_gateway()
    simulator.faults({"kind": "hold"})
    doc = hand_in(gateway, "mllp", LETTER)
    simulator.wait_held(1)
    gateway.process.terminate()
    gateway.journal.wait(r"stopping signal=TERM")
    simulator.release()
    assert gateway.stop() == 0
    assert gateway.journal.find(rf"doc={doc} outcome=delivered")

def test_a_dmp_that_does_not_answer_does_not_keep_the_daemon(start_gateway, simulator):
    gateway = start_gateway(exchange="60 s")
    simulator.faults({"kind": "hold"})
    hand_in(gateway, "mllp", LETTER)
    simulator.wait_held(1)
    begun = time.monotonic()
    assert gateway.stop(timeout=30) == 0
    assert time.monotonic() - begun < 20
    simulator.faults()
    simulator.release()
    gateway.start()
    assert gateway.settled()[unique_id(LETTER)]["state"] == "delivered"
    stored = [each for each in simulator.exchanges() if each["verdict"] == "stored"]
    assert len(stored) == 1

def test_stopping_under_load_loses_nothing(start_gateway, simulator):
    gateway = start_gateway(first="100 ms", most="300 ms")
    simulator.faults({"kind": "delay", "ms": 30})
    acknowledged, half = set(), threading.Event()

    def send(start: int):
        with contextlib.suppress(OSError), Mllp(address) as mllp:
            for number in range(start, start + 1000):
                ack = mllp.send(mdm_t02(numbered(number)))
                if ack is None or ack.code != "AA":
                    return
                acknowledged.add(unique_id(numbered(number)))
                if len(acknowledged) > 100:
                    half.set()

    address = gateway.mllp_address
    senders = [threading.Thread(target=send, args=(start,)) for start in (10_000, 20_000, 30_000)]
    for sender in senders:
        sender.start()
    assert half.wait(30)
    files = {f"letter-{number}.xml": numbered(number) for number in range(20)}
    for name, cda in files.items():
        gateway.drop(name, cda)
    assert gateway.stop() == 0
    for sender in senders:
        sender.join(30)
    gateway.start()
    for name in files:
        if (gateway.inbox / name).exists():
            gateway.wait_moved(name)
    states = {name: each["state"] for name, each in gateway.settled(60).items()}
    owed = acknowledged | {unique_id(cda) for cda in files.values()}
    assert {name for name in owed if states.get(name) != "delivered"} == set()
    stored = [each["uniqueId"] for each in simulator.exchanges() if each["verdict"] == "stored"]
    assert len(stored) == len(set(stored)) and owed <= set(stored)
    assert sorted(path.name for path in gateway.inbox.glob("done/*/*")) == sorted(files)

def test_the_queue_survives_a_restart(start_gateway, simulator, tmp_path):
    gateway = start_gateway()
    gateway.wait_final(hand_in(gateway, "mllp", numbered(1)))
    gateway.send(mdm_t02(numbered(2), identity_status="PROV"))
    before = gateway.documents()
    assert gateway.stop() == 0
    gateway.start()
    assert gateway.documents() == before
    queue = gateway.status()["queue"]
    assert (queue["delivered"], queue["held"]) == (1, 1)
