"""How strict it is: value sets, identities, and the file that holds the options of a training platform."""

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import PROGRAM
from reference_client import (
    CLASS_CODE,
    CONFIDENTIALITY,
    FACILITY,
    FORMAT_CODE,
    PATIENT,
    PRACTICE,
    TYPE_CODE,
    Message,
    code,
    new_existence,
    new_message,
    slot,
)

METADATA = "XDSRegistryMetadataError"
LANGUAGE = slot("languageCode", "fr-FR")


def coded(scheme: str, old: str, new: str) -> tuple[str, str]:
    """Another code in the first classification of a scheme."""
    own = f'classificationScheme="urn:uuid:{scheme}" classifiedObject="Document01" nodeRepresentation="{{}}"'
    return own.format(old), own.format(new)


# ---- value sets

UNKNOWN_CODES = {
    "contentTypeCode": ('nodeRepresentation="04"', 'nodeRepresentation="4"'),
    "classCode": coded(CLASS_CODE, "10", "12"),
    "typeCode": coded(TYPE_CODE, "27899-4", "27899-5"),
    "confidentialityCode": coded(CONFIDENTIALITY, "N", "L"),
    "formatCode": coded(FORMAT_CODE, "urn:ihe:iti:xds-sd:pdf:2008", "urn:ihe:iti:xds-sd:pdf:2009"),
    "healthcareFacilityTypeCode": coded(FACILITY, "SA01", "SA99"),
    "practiceSettingCode": coded(PRACTICE, "ETABLISSEMENT", "HOPITAL"),
}


@pytest.mark.parametrize(("name", "change"), UNKNOWN_CODES.items(), ids=UNKNOWN_CODES.keys())
def test_a_code_outside_its_value_set_is_refused(client, name, change):
    answer = client.send(new_message().replace("envelope", *change))
    assert (answer.code, f"Classification[{name}]: the code " in answer.text) == (METADATA, True), answer.text
    assert " is not in " in answer.text


def test_the_class_is_the_one_of_the_type(client):
    answer = client.send(new_message().replace("envelope", *coded(CLASS_CODE, "10", "11")))
    assert (answer.code, answer.text) == (
        METADATA,
        "Document01/Classification[classCode]: the class of this type is 10, by type-code.csv",
    )


def test_value_sets_can_be_left_out(start_sim, tmp_path):
    client = start_sim(tmp_path / "store", "--no-value-sets").client()
    assert client.send(new_message().replace("envelope", *coded(FACILITY, "SA01", "SA99"))).outcome == "Success"


def test_value_sets_of_ones_own_can_be_given(start_sim, tmp_path):
    shipped = PROGRAM.parents[2] / "conf" / "value-sets"
    (tmp_path / "sets").mkdir()
    for file in shipped.glob("*.csv"):
        text = file.read_text().replace("SA01,", "SA98,")
        (tmp_path / "sets" / file.name).write_text(text)
    client = start_sim(tmp_path / "store", "--value-sets", str(tmp_path / "sets")).client()
    assert "is not in healthcare-facility-type.csv" in client.send(new_message()).text
    assert client.send(new_message().replace("envelope", *coded(FACILITY, "SA01", "SA98"))).outcome == "Success"


# ---- hash and size


def telling(hash_: str | None = None, size: str | None = None) -> Message:
    """What its document has, unless told otherwise."""
    message = new_message()
    body = message.document.encode()
    told = slot("hash", hash_ or hashlib.sha1(body).hexdigest()) + slot("size", size or str(len(body)))
    return message.replace("envelope", LANGUAGE, told + LANGUAGE)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"hash_": "0" * 40}, "XDSRepositoryMetadataError", "Document01/Slot[hash]: it is not the hash of"),
        ({"size": "1"}, "XDSRepositoryMetadataError", "Document01/Slot[size]: it is not the size of"),
        ({"hash_": "da39a3ee"}, METADATA, "Document01/Slot[hash]: a SHA-1, 40 hexadecimal digits is expected"),
        ({"size": "1 KiB"}, METADATA, "Document01/Slot[size]: a number of bytes is expected"),
    ],
    ids=repr,
)
def test_hash_and_size_are_accepted_when_told_so_if_they_are_right(start_sim, tmp_path, wrong, error, words):
    client = start_sim(tmp_path / "store", "--accept-hash-and-size").client()
    assert client.send(new_message()).outcome == client.send(telling()).outcome == "Success"
    answer = client.send(telling(**wrong))
    assert (answer.code, words in answer.text) == (error, True), answer.text


# ---- identities

TEST, PRODUCTION = "1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.8"


def of(domain: str) -> Message:
    message = new_message()
    message.envelope = message.envelope.replace(PATIENT, PATIENT.replace(TEST, domain))
    message.document = message.document.replace(TEST, domain)
    return message


@pytest.mark.parametrize(
    ("environment", "right", "wrong"), [("test", TEST, PRODUCTION), ("production", PRODUCTION, TEST)]
)
def test_identities_are_those_of_the_environment(start_sim, tmp_path, environment, right, wrong):
    client = start_sim(tmp_path / "store", "--ins", environment).client()
    assert client.send(of(right)).outcome == "Success"
    answer = client.send(of(wrong))
    assert (answer.code, "is the domain of the INS here" in answer.text) == (METADATA, True)
    looked_up = new_existence()
    looked_up.envelope = looked_up.envelope.replace(TEST, wrong)
    assert "patientIdentifier/value/@root" in client.send(looked_up).text


# ---- the file of options

Start = Callable[[Any, str], subprocess.CompletedProcess]


@pytest.fixture
def run_with(pki, tmp_path) -> Start:
    """Run it with a file that cannot be served from: it ends at once and says why."""

    def run(content: Any, name: str = "sim.yaml") -> subprocess.CompletedProcess:
        (tmp_path / name).write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        command = [PROGRAM, "--config", tmp_path / name]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, cwd="/")

    return run


@pytest.mark.parametrize("write", [yaml.safe_dump, json.dumps], ids=["YAML", "JSON"])
def test_the_options_may_be_in_a_file(start_sim, pki, tmp_path, write):
    """Paths in it are relative to it; the command line goes first."""
    options = {
        "pki": str(pki),
        "store": "received",
        "ready": "ready",
        "require-vihf": True,
        "quiet": False,
        "structures": ["990000987=990012345"],
        "vihf-max-age": 60,
        "ins": "production",
    }
    file = tmp_path / "sim.conf"
    file.write_text(write(options))
    sim = start_sim(tmp_path / "elsewhere", "--config", str(file), "--ins", "test")
    assert json.loads((tmp_path / "ready").read_text()) == sim.addresses
    assert sim.client().send(new_message()).text == "wsse:Security: the VIHF is missing"
    assert (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("store: [", "sim.yaml: while parsing"),
        ("- store", "a list of options is expected, each name: value"),
        ({"colour": "red"}, "colour is not one of "),
        ({"require_vihf": True}, "require_vihf is not one of "),
        ({"make-pki": "x"}, "make-pki is not one of "),
        ({"require-vihf": "yes, please"}, "require-vihf is true or false"),
        ({"store": {"a": 1}}, "store is a text or a number"),
        ({"listen": "here"}, "argument --listen: HOST:PORT is expected"),
        ({"structures": "990000987"}, "argument --structures: FINESS_EJ=FINESS_EG,… is expected"),
        ({"value-sets": "nowhere", "pki": "PKI", "store": "s"}, "No such file"),
    ],
    ids=repr,
)
def test_a_wrong_file_is_said_in_words(run_with, pki: Path, content, told):
    if isinstance(content, dict) and content.get("pki") == "PKI":
        content = {**content, "pki": str(pki)}
    result = run_with(content)
    assert (result.returncode != 0, told in result.stderr, "Traceback" in result.stderr) == (
        True,
        True,
        False,
    ), result.stderr


def test_a_file_that_is_absent_is_said_in_words():
    result = subprocess.run([PROGRAM, "--config", "/nowhere"], capture_output=True, text=True, timeout=30)
    assert (result.returncode, "No such file" in result.stderr) == (1, True)
