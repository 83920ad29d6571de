"""What is kept can be encrypted: the files then say nothing of the patient, and nothing starts without the key."""

from __future__ import annotations

import base64
import secrets

import pytest

from gateway import FINESS_EG, file_digest
from samples import hand_in, mdm_t02, numbered, patient_words, patient_words_in, read, unique_id
from test_sidecar import PDF, YAML, hanging

LETTER = read("discharge-letter.xml")


def write_keys(path, *keys: bytes):
    path.touch(mode=0o600)
    path.write_text("".join(f"{key.hex()}\n" for key in keys))


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "keys"
    write_keys(path, secrets.token_bytes(32))
    return path


def content(gateway) -> str:
    """The state folder, as whoever steals the disk reads it."""
    return "".join(path.read_bytes().decode("latin-1") for path in (gateway.folder / "state").rglob("*") if path.is_file())


def with_keys(keys) -> dict:
    return {"extra": f"queue: {{ encryption: {{ key_file: {keys} }} }}"}


def test_the_files_say_nothing_of_the_patient(start_gateway, simulator, keys):
    gateway = start_gateway(**with_keys(keys))
    name = f"{patient_words()[0]}.xml"
    doc = hand_in(gateway, "drop", LETTER, name)
    assert gateway.wait_final(doc) == "delivered"
    assert simulator.document(unique_id(LETTER)) == LETTER
    assert gateway.send(mdm_t02(numbered(1), identity_status="PROV")).code == "AA"
    assert patient_words_in(content(gateway)) == []
    assert "ClinicalDocument" not in content(gateway)
    assert gateway.ctl("show", doc)["origin"] == file_digest(name)


def test_a_pdf_is_converted_where_the_disk_has_nothing_of_it(make_gateway, tmp_path, keys):
    """In the folder that systemd gives, in memory; where it gives none, what a kill leaves is gone with the next start."""
    given, pdf = tmp_path / "run", PDF.decode("latin-1")
    given.mkdir()
    gateway = make_gateway(extra=f"queue: {{ encryption: {{ key_file: {keys} }} }}\npdf: {{ converter: {hanging(tmp_path)} }}")
    gateway.drop("letter.pdf", PDF)
    gateway.drop("letter.yaml", YAML.encode())
    for folder, environment in ((gateway.folder / "state", {}), (given, {"RUNTIME_DIRECTORY": f"{given}:/run/another"})):
        gateway.start(env=environment)
        while not list(folder.glob("convert.*/prologue.ps")):
            assert gateway.process.poll() is None
        gateway.kill()
        assert (pdf in content(gateway)) == (folder != given)


def test_without_a_key_they_do(gateway):
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    assert patient_words_in(content(gateway)) != []


def test_a_key_is_rotated(start_gateway, simulator, keys):
    gateway = start_gateway(**with_keys(keys))
    for number in range(2):
        assert gateway.send(mdm_t02(numbered(number), identity_status="PROV")).code == "AA"
        assert gateway.stop() == 0
        old = [bytes.fromhex(line) for line in keys.read_text().split()]
        write_keys(keys, secrets.token_bytes(32), *old)
        gateway.start()
    gateway.ctl("release", "--force", "--reason", "ins_not_qualified")
    gateway.settled()
    assert {unique_id(numbered(number)) for number in range(2)} == set(simulator.received())


@pytest.mark.parametrize("new", [None, b"another key, of thirty-two bytes"], ids=["none", "another"])
def test_without_the_key_it_does_not_start_and_names_it(start_gateway, keys, new):
    gateway = start_gateway(**with_keys(keys))
    hand_in(gateway, "mllp", LETTER)
    assert gateway.stop() == 0
    if new:
        write_keys(keys, new)
        assert "# not checked: whether queue.encryption.key_file has every key" in gateway.run("--check-config").stdout
    else:
        lines = gateway.config.read_text().splitlines()
        gateway.config.write_text("\n".join(line for line in lines if "key_file" not in line))
    done = gateway.run()
    assert done.returncode == 1
    assert "documents in it are encrypted with the key " in done.stderr
    assert "queue.encryption.key_file" in done.stderr


def test_what_is_no_key_is_told_with_its_place(start_gateway, keys):
    gateway = start_gateway(**with_keys(keys))
    assert gateway.stop() == 0
    keys.write_text("not a key\n")
    done = gateway.run("--check-config")
    assert done.returncode == 1
    assert "dmpfeed.yaml:" in done.stderr and "line 1 is no key" in done.stderr
    assert "not a key" not in done.stderr


def test_base64_and_comments_are_read(start_gateway, keys):
    keys.write_text("# of 2026\n" + base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
    gateway = start_gateway(**with_keys(keys))
    assert gateway.wait_final(hand_in(gateway, "mllp", LETTER)) == "delivered"
    assert gateway.documents()[0]["site"] == FINESS_EG
