"""Every message of the corpus of real ones, through scripts/rehearse, gets the treatment that its manifest expects.

The corpus stands beside the project, where it is there at all.
"""

from __future__ import annotations

import csv
import json
import subprocess

import pytest

from gateway import PYTHON, SOURCE, Gateway

CORPUS = SOURCE.parent / "shared" / "corpus"

TAKEN = "delivered"
# What the manifest expects, by its word, as the report says it: the answer, the codes of its errors, the state of the
# documents (None: there is none).
TREATMENTS = {
    "accept-initial": ("AA", [], TAKEN),
    "accept-replace": ("AA", [], TAKEN),
    "accept-delete": ("AA", [], TAKEN),
    "consent": ("AA", [], None),
    "identity-feed": ("AA", [], None),
    "emit-model": ("AR", ["201"], None),
    "reject-doc-id-not-oid": ("AE", ["207"], None),
    "reject-ins-mismatch": ("AE", ["207"], None),
    "reject-not-cda": ("AE", ["199"], None),
    "reject-not-one-message": ("AE", ["199"], None),
    "reject-replace-without-parent": ("AE", ["199"], None),
    "reject-wrong-profile": ("AE", ["203"], None),
}
# A technical acknowledgement has no business at an intake.
ACKNOWLEDGEMENT = ("AR", ["200"], None)
# Edition 1.2 is refused by its number before its document is looked at, unless the settings want it.
EDITION_1_2 = ("AE", ["203"], None)

if not CORPUS.is_dir():
    pytest.skip(f"the corpus is not there: {CORPUS}", allow_module_level=True)


def manifest() -> list[dict]:
    with (CORPUS / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["file"].startswith("hl7/")]


def rehearse(report, *options: str) -> dict[str, dict]:
    done = subprocess.run([PYTHON, SOURCE / "scripts" / "rehearse.py", CORPUS / "hl7", "--report", report, *options],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return {"hl7/" + each["file"]: each for each in json.loads(report.read_text(encoding="utf-8"))["inputs"]}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return rehearse(tmp_path_factory.mktemp("corpus") / "report.json")


def treatment(entry: dict) -> tuple:
    states = {document["state"] for document in entry["documents"]}
    return entry["ack"], [error["code"] for error in entry["errors"]], states.pop() if len(states) == 1 else None


@pytest.mark.parametrize("row", manifest(), ids=lambda row: row["file"])
def test_the_message_gets_the_treatment_that_is_expected(report, row):
    entry = report[row["file"]]
    expected = TREATMENTS[row["expected"]]
    if row["family"] == "ack":
        expected = ACKNOWLEDGEMENT
    elif row["version"] == "1.2" and row["family"] != "mixed-text":
        expected = EDITION_1_2
    if entry["channel"] == "drop":  # prose before the message: it does not look like one
        expected = (None, *expected[1:])
    assert treatment(entry) == expected


def test_every_message_is_in_the_manifest_and_in_the_report(report):
    assert {row["file"] for row in manifest()} == set(report)


@pytest.mark.parametrize("row", [row for row in manifest() if row["version"] == "1.2" and row["family"] == "oru-init"],
                         ids=lambda row: row["file"])
def test_edition_1_2_gets_it_too_where_it_is_wanted(start_gateway, simulator, row):
    closed = start_gateway("closed")
    config = closed.config.read_text().replace("intake:\n", "intake:\n  profile_1_2: true\n")
    with Gateway(closed.folder.parent / "open", simulator.url, simulator.pki, config=config) as gateway:
        ack = gateway.send((CORPUS / row["file"]).read_bytes())
    assert (ack.code, [error["code"] for error in ack.errors], None) == TREATMENTS[row["expected"]]
