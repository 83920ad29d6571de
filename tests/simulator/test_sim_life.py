"""Making certificates, starting, stopping, starting again, being told to forget."""

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path
from unittest.mock import ANY

import pytest

from reference_client import new_message

PROGRAM = Path(__file__).parent / "dmpfeed-sim"


def run(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=30)


def openssl(*arguments: object) -> str:
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


# ---- the PKI

CERTIFICATES = {
    "server": ("Digital Signature, Key Encipherment", "TLS Web Server Authentication"),
    "auth": ("Digital Signature, Key Encipherment", "TLS Web Client Authentication"),
    "sign": ("Digital Signature, Non Repudiation", "E-mail Protection"),
}


@pytest.mark.parametrize(("name", "usages"), CERTIFICATES.items())
def test_each_certificate_is_for_its_use(pki, name, usages):
    assert openssl(
        "verify", "-CAfile", pki / "ca.pem", "-untrusted", pki / "intermediate.pem", pki / f"{name}.pem"
    ).endswith(": OK\n")
    said = openssl("x509", "-in", pki / f"{name}.pem", "-noout", "-ext", "keyUsage,extendedKeyUsage")
    assert all(usage in said for usage in usages)
    assert (pki / f"{name}.pem").read_text().count("BEGIN CERTIFICATE") == 2
    assert (pki / f"{name}.key").stat().st_mode & 0o777 == 0o600


def test_the_organisation_is_in_the_subjects(tmp_path):
    assert (
        run(
            "--make-pki",
            tmp_path / "pki",
            "--finess-ej",
            "880000001",
            "--organisation",
            "CH D'ÉPINAL / SITE + 2",
            "--server-name",
            "dmp.example",
        ).returncode
        == 0
    )
    for name in ("auth", "sign"):
        subject = openssl(
            "x509", "-in", tmp_path / "pki" / f"{name}.pem", "-noout", "-subject", "-nameopt", "RFC2253,utf8,-esc_msb"
        )
        assert subject == "subject=CN=passerelle-dmp,OU=1880000001,O=CH D'ÉPINAL / SITE \\+ 2,ST=Vosges (88),C=FR\n"
    names = openssl("x509", "-in", tmp_path / "pki" / "server.pem", "-noout", "-ext", "subjectAltName")
    assert all(name in names for name in ("IP Address:127.0.0.1", "DNS:localhost", "DNS:dmp.example"))


def test_a_pki_is_made_once(pki):
    before = {path.name: path.read_bytes() for path in pki.iterdir()}
    again = run("--make-pki", pki)
    assert (again.returncode, "already there" in again.stdout) == (0, True)
    assert {path.name: path.read_bytes() for path in pki.iterdir()} == before


def test_half_a_pki_is_not_completed(pki, tmp_path):
    half = tmp_path / "half"
    shutil.copytree(pki, half)
    (half / "sign.key").unlink()
    again = run("--make-pki", half)
    assert (again.returncode, "sign.key missing" in again.stderr) == (1, True)
    assert not (half / "sign.key").exists()


# ---- starting


def test_an_installed_launcher_finds_its_package(tmp_path):
    share = tmp_path / "share" / "dmpfeed" / "simulator"
    shutil.copytree(PROGRAM.parent / "dmpsim", share / "dmpsim", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROGRAM, share)
    (tmp_path / "bin").mkdir()
    shutil.copy(PROGRAM, tmp_path / "bin" / "copied")
    (tmp_path / "bin" / "linked").symlink_to(share / PROGRAM.name)
    for launcher in ("copied", "linked"):
        assert subprocess.run([tmp_path / "bin" / launcher, "--help"], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "--pki and --store are needed"),
        (("--pki", "/nonexistent", "--store", "STORE"), "No such file"),
        (("--pki", "PKI", "--store", "STORE", "--admin", "0.0.0.0:0"), "a loopback address is expected"),
        (("--pki", "PKI", "--store", "STORE", "--listen", "here"), "HOST:PORT is expected"),
        (("--pki", "PKI", "--store", "STORE", "--schemas", "/nonexistent"), "nonexistent"),
        (("--make-pki", "STORE", "--finess-ej", "12"), "a FINESS has 9 characters"),
    ],
)
def test_a_wrong_option_is_said_in_words(pki, tmp_path, options, told):
    named = {"PKI": pki, "STORE": tmp_path / "store"}
    result = run(*(named.get(option, option) for option in options))
    assert (result.returncode != 0, told in result.stderr, "Traceback" in result.stderr) == (
        True,
        True,
        False,
    ), result.stderr


def test_the_addresses_are_written_to_the_ready_file(start_sim, tmp_path):
    sim = start_sim(tmp_path / "store", "--ready", str(tmp_path / "ready"))
    assert json.loads((tmp_path / "ready").read_text()) == sim.addresses
    assert sim.addresses["listening"].startswith("https://127.0.0.1:")
    assert sim.addresses["admin"].startswith("http://127.0.0.1:")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


# ---- stopping, and starting again


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_promptly_whatever_is_open(start_sim, tmp_path, number):
    sim = start_sim(tmp_path / "store")
    idle, held = sim.client(), sim.client()
    idle.send(new_message())
    sim.faults({"kind": "hold"})
    held.start(new_message())
    sim.admin("GET", "/wait?held=1")
    start = time.monotonic()
    assert sim.stop(number) == 0
    assert time.monotonic() - start < 3
    assert "Traceback" not in sim.log.read_text()


def test_what_was_received_outlives_a_restart(start_sim, tmp_path):
    first = start_sim(tmp_path / "store")
    message = new_message()
    assert first.client().send(message).outcome == "Success"
    assert first.stop() == 0

    (tmp_path / "store" / "incoming" / "1.2.3").mkdir()  # as a crash in the middle of a document would leave it
    second = start_sim(tmp_path / "store")
    assert second.received() == [message.unique_id]
    assert second.admin("GET", "/received")[1]["exchanges"] == 1
    assert not (tmp_path / "store" / "incoming" / "1.2.3").exists()
    client = second.client()
    assert client.send(new_message(unique_id=message.unique_id)).code == "XDSDuplicateUniqueIdInRegistry"
    assert client.send(new_message(set_unique_id=message.set_unique_id)).code == "XDSDuplicateUniqueIdInRegistry"
    assert client.send(message).code == "wsa:DuplicateMessageID"


def test_quiet_means_no_line(start_sim, tmp_path):
    sim = start_sim(tmp_path / "store", "--quiet")
    sim.client().send(new_message())
    assert sim.stop() == 0
    assert sim.log.read_text() == ""


def test_each_exchange_is_one_line_of_log(start_sim, tmp_path):
    sim = start_sim(tmp_path / "store")
    client, message = sim.client(), new_message()
    client.send(message)
    client.send(new_message(unique_id=message.unique_id))
    client.close()
    assert sim.stop() == 0
    stored, duplicate = sim.log.read_text().splitlines()
    assert stored.endswith(f" transaction=TD2.1 document={message.unique_id} verdict=stored code=-")
    assert " verdict=duplicate code=XDSDuplicateUniqueIdInRegistry why=" in duplicate


# ---- the admin interface


def test_reset_forgets_all(sim, client):
    message = new_message()
    client.send(message)
    sim.faults({"kind": "garbage"})
    sim.admin("POST", "/reset")
    assert sim.admin("GET", "/received")[1] == {"documents": [], "exchanges": 0, "held": 0}
    assert sim.admin("GET", "/faults")[1] == []
    assert sim.journal() == []
    assert client.send(message).outcome == "Success"


def test_a_known_document_is_a_duplicate_but_was_not_received(sim, client):
    message = new_message()
    told = {"uniqueId": message.unique_id}
    assert sim.admin("POST", "/known", told) == (200, {**told, "entryUUID": ANY})
    assert client.send(message).code == "XDSDuplicateUniqueIdInRegistry"
    assert sim.received() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("DELETE", "/received", None, 404),
        ("POST", "/known", {"uniqueId": "../../etc"}, 400),
        ("POST", "/known", ["1.2.3"], 400),
        ("GET", "/wait?exchanges=many", None, 400),
    ],
)
def test_a_wrong_call_is_said_in_words(sim, method, path, body, status):
    got, answer = sim.admin(method, path, body)
    assert (got, "error" in answer) == (status, True)
