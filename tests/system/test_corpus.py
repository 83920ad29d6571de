"""scripts/rehearse: its report, on samples of ours always, and on the corpus of real messages where it is there."""

from __future__ import annotations

import csv
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from gateway import FINESS_EG, PYTHON, SOURCE
from samples import DATA, REPLACEMENT, hl7, mdm_t02, numbered, read, unique_id

CORPUS = SOURCE.parent / "shared" / "corpus"
MESSAGES = (".hl7", ".er7")


def rehearse(folder: pathlib.Path, report: pathlib.Path, *options: str) -> dict:
    done = subprocess.run([PYTHON, SOURCE / "scripts" / "rehearse.py", folder, "--report", report, *options],
                          capture_output=True, text=True, timeout=300, env={**os.environ})
    assert done.returncode == 0, done.stderr
    written = json.loads(report.read_text(encoding="utf-8"))
    assert json.loads(done.stdout.splitlines()[-1]) == written["totals"]
    return written


def check_form(report: dict, folder: pathlib.Path):
    """What holds of every report: the members and their types, the order, the sums."""
    assert list(report) == ["version", "inputs", "totals"] and report["version"] == 1
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert [each["file"] for each in report["inputs"]] == files
    for entry in report["inputs"]:
        assert list(entry) == ["file", "channel", "ack", "errors", "documents"]
        assert entry["channel"] in ("mllp", "drop")
        assert entry["ack"] in ((None, "AA", "AE", "AR") if entry["channel"] == "mllp" else (None,))
        for error in entry["errors"]:
            assert list(error) == ["location", "code", "text"]
            assert error["code"].isdigit() and error["text"]
        for document in entry["documents"]:
            assert list(document) == ["doc", "unique_id", "action", "type_code", "state", "reason", "sentence",
                                      "attempts"]
            assert document["action"] in ("submit", "replace", "delete")
        assert not (entry["errors"] and entry["documents"]), entry
        assert entry["errors"] or entry["documents"] or entry["ack"] == "AA", entry
    states = [document["state"] for entry in report["inputs"] for document in entry["documents"]]
    counted = ("delivered", "rejected", "held", "refused", "suppressed")
    assert report["totals"] == {
        "inputs": len(files), **{state: states.count(state) for state in counted},
        "unanswered": sum(each["channel"] == "mllp" and each["ack"] is None for each in report["inputs"]),
    }


# ---- our own samples ----

@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "input"
    for name, content in {
        "a/letter.xml": read("discharge-letter.xml"),
        "a/letter again.xml": read("discharge-letter.xml"),
        "a.er7": mdm_t02(read("prescription.xml")),
        "b/no-dot-er7": mdm_t02(read("imaging-report.xml")),
        "b/.hidden.part": numbered(1),
        "bad/bomb.xml": (DATA / "hostile" / "entity-bomb.xml").read_bytes(),
        "bad/no-ins.hl7": mdm_t02((DATA / "hostile" / "no-ins.xml").read_bytes()),
        "bad/admission.hl7": hl7("adt_admission.hl7").replace(b"|IO|", b"|INO|"),
        "bad/read me.md": b"# Nothing for a gateway\n",
        "bad/empty.xml": b"",
        "replacement.xml": read(REPLACEMENT),
        "held.hl7": mdm_t02(numbered(2), identity_status="PROV"),
        "z-other-bytes.xml": read("discharge-letter.xml").replace(b"</title>", b" (bis)</title>"),
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def by_file(report: dict) -> dict[str, dict]:
    return {each["file"]: each for each in report["inputs"]}


def states(entry: dict) -> list[str]:
    return [each["state"] for each in entry["documents"]]


def test_each_file_is_rehearsed_on_its_own(folder, tmp_path):
    report = rehearse(folder, tmp_path / "report.json")
    check_form(report, folder)
    found = by_file(report)
    for name in ("a/letter.xml", "a/letter again.xml", "a.er7", "b/no-dot-er7", "b/.hidden.part", "replacement.xml",
                 "z-other-bytes.xml"):
        assert states(found[name]) == ["delivered"], name
    assert states(found["held.hl7"]) == ["held"]
    assert found["held.hl7"]["documents"][0]["reason"] == "ins_not_qualified"
    assert {name: (each["channel"], each["ack"], [error["code"] for error in each["errors"]])
            for name, each in found.items() if name.startswith("bad/")} == {
        "bad/bomb.xml": ("drop", None, ["199"]), "bad/no-ins.hl7": ("mllp", "AE", ["207"]),
        "bad/admission.hl7": ("mllp", "AA", []), "bad/read me.md": ("drop", None, ["199"]),
        "bad/empty.xml": ("drop", None, ["199"]),
    }
    assert report["totals"] == {"inputs": 13, "delivered": 7, "rejected": 0, "held": 1, "refused": 0,
                                "suppressed": 0, "unanswered": 0}


def test_a_documents_entry_says_what_it_is(folder, tmp_path):
    entry = by_file(rehearse(folder, tmp_path / "report.json"))["a.er7"]
    assert (entry["channel"], entry["ack"], entry["errors"]) == ("mllp", "AA", [])
    (document,) = entry["documents"]
    assert len(document.pop("doc")) == 26
    assert document == {"unique_id": unique_id(read("prescription.xml")), "action": "submit", "type_code": "57833-6",
                        "state": "delivered", "reason": None, "sentence": None, "attempts": 1}


def test_together_one_queue_sees_them_all_in_order(folder, tmp_path):
    report = rehearse(folder, tmp_path / "report.json", "--together")
    check_form(report, folder)
    found = by_file(report)
    first, again = found["a/letter again.xml"]["documents"], found["a/letter.xml"]["documents"]
    assert [each["doc"] for each in first] == [each["doc"] for each in again], "the same document"
    assert [error["code"] for error in found["z-other-bytes.xml"]["errors"]] == ["207"]
    assert states(found["a.er7"]) == states(found["b/no-dot-er7"]) == ["delivered"]


def test_a_folder_with_nothing_gives_an_empty_report(tmp_path):
    (tmp_path / "input").mkdir()
    report = rehearse(tmp_path / "input", tmp_path / "report.json")
    check_form(report, tmp_path / "input")
    assert report["inputs"] == []


def test_a_folder_that_is_none_is_refused(tmp_path):
    done = subprocess.run([PYTHON, SOURCE / "scripts" / "rehearse.py", tmp_path / "none"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 2
    assert "is not a folder" in done.stderr


def test_somebodys_own_configuration_may_be_used(folder, tmp_path):
    report = rehearse(folder, tmp_path / "report.json", "--config", SOURCE / "conf" / "examples" / "rehearsal.yaml")
    check_form(report, folder)
    assert report["totals"]["delivered"] == 7


def test_one_that_tells_the_dmp_hash_and_size_is_rehearsed_too(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text((SOURCE / "conf" / "examples" / "rehearsal.yaml").read_text() + "\nmetadata: { send_hash_size: true }\n")
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "letter.xml").write_bytes(read("discharge-letter.xml"))
    report = rehearse(tmp_path / "input", tmp_path / "report.json", "--config", own)
    assert states(by_file(report)["letter.xml"]) == ["delivered"]


def test_and_so_may_the_one_that_is_shipped_with_all_it_says_of_doors_that_are_not_there(tmp_path):
    text = (SOURCE / "conf" / "dmpfeed.yaml").read_text(encoding="utf-8")
    text = text.replace("#structures: known", "structures: strict").replace("#address: \"\"", 'address: "192.0.2.1:6514"')
    (tmp_path / "dmpfeed.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "in").mkdir()
    elsewhere = mdm_t02(numbered(1)).replace(b"^FINEG^^^" + FINESS_EG.encode(), b"^FINEG^^^120456789")
    (tmp_path / "in" / "elsewhere.hl7").write_bytes(elsewhere)
    (entry,) = rehearse(tmp_path / "in", tmp_path / "report.json", "--config", tmp_path / "dmpfeed.yaml")["inputs"]
    assert (entry["ack"], [error["code"] for error in entry["errors"]]) == ("AE", ["207"]), "a rule of intake counts"


@pytest.mark.parametrize("text, told", [
    (None, "cannot be read: "), ("a: [", "cannot be read: "), ("- a", "is made of keys"), ("a: b", "no establishment"),
    ((SOURCE / "conf" / "examples" / "rehearsal.yaml").read_text(encoding="utf-8") + "surprise: yes\n",
     'own.yaml: "surprise" is not a key here'),
], ids=["missing", "no YAML", "a list", "empty", "a mistake"])
def test_a_configuration_that_is_none_is_refused_in_words(tmp_path, text, told):
    (tmp_path / "in").mkdir()
    if text is not None:
        (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run([PYTHON, SOURCE / "scripts" / "rehearse.py", tmp_path / "in", "--config",
                           tmp_path / "own.yaml"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert told in done.stderr and "Traceback" not in done.stderr, done.stderr


# ---- real messages ----

@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    if not CORPUS.is_dir():
        pytest.skip(f"the corpus is not there: {CORPUS}")
    report = rehearse(CORPUS, tmp_path_factory.mktemp("corpus") / "report.json")
    with (CORPUS / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        expected = {row["file"]: row for row in csv.DictReader(file)}
    return report, expected


def test_the_report_on_the_corpus_is_whole(corpus):
    report, expected = corpus
    check_form(report, CORPUS)
    assert expected.keys() <= by_file(report).keys()


def test_every_initial_document_of_the_corpus_is_delivered(corpus):
    report, expected = corpus
    found = by_file(report)
    wanted = [name for name, row in expected.items() if row["expected"] == "accept-initial"
              and (row["family"] == "mdm-init" or row["family"].startswith("cda-"))]
    assert len(wanted) > 30
    assert {name: found[name] for name in wanted if states(found[name]) != ["delivered"]} == {}


def test_what_the_corpus_expects_to_be_refused_is_refused(corpus):
    report, expected = corpus
    found = by_file(report)
    refused = [name for name, row in expected.items() if row["expected"].startswith(("reject-", "emit-model"))]
    assert [name for name in refused if found[name]["documents"]] == []
    assert [name for name in refused if not found[name]["errors"]] == []


def test_no_message_of_the_corpus_is_unanswered(corpus):
    report, _ = corpus
    assert [each["file"] for each in report["inputs"] if each["file"].endswith(MESSAGES) and each["ack"] is None] == []
    assert report["totals"]["unanswered"] == 0


def test_what_a_configuration_includes_belongs_to_it(tmp_path):
    """The example of a hospital, half of it in files of its own, with relative paths: nobody else hears of a rehearsal."""
    example = (SOURCE / "conf" / "examples" / "hospital.yaml").read_text()
    first, sources, rest = re.split(r"^(?=sources:|establishments:)", example, flags=re.MULTILINE)
    (tmp_path / "own" / "conf.d").mkdir(parents=True)
    shutil.copytree(SOURCE / "conf" / "value-sets", tmp_path / "own" / "tables")
    (tmp_path / "own" / "dmpfeed.yaml").write_text(first)
    (tmp_path / "own" / "conf.d" / "10-establishments.yaml").write_text(rest)
    (tmp_path / "own" / "conf.d" / "20-more.yaml").write_text(sources + "valuesets: { dir: tables }\nlog: { level: error }\n")
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "letter.xml").write_bytes(read("operative-report.xml"))
    report = rehearse(tmp_path / "input", tmp_path / "report.json", "--config", tmp_path / "own" / "dmpfeed.yaml")
    (document,) = report["inputs"][0]["documents"]
    assert (document["state"], document["reason"]) == ("held", "policy_hold")
    (tmp_path / "own" / "conf.d" / "30-again.yaml").write_text("lps: { oid: 1.2.3 }\n")
    done = subprocess.run([PYTHON, SOURCE / "scripts" / "rehearse.py", tmp_path / "input", "--config", tmp_path / "own" / "dmpfeed.yaml"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "30-again.yaml: lps.oid stands in another file, too" in done.stderr
