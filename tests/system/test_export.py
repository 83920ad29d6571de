"""Files for spreadsheets: what is in them is what is counted, to the unit."""

from __future__ import annotations

import collections
import csv
import hashlib
import json
import os
import re
import socket
import stat
import subprocess

import pytest

from gateway import BUILD, FINESS_EG, FINESS_EJ, Gateway
from samples import REPLACEMENT, mdm_t02, numbered, patient_words_in, read
from test_targets import TARGETS, when

COLUMNS = {
    "counters": "finess_ej;finess_eg;site;champ;month;channel;type_code;type_label;outcome;n;origin",
    "targets": "programme;window;window_start;window_end;indicator;finess_ej;finess_eg;champ;numerator;denominator;"
               "denominator_source;denominator_revision;rate;threshold;threshold_status;missing_now;missing_end;"
               "needed_per_day;current_per_day;projected_rate;projected_low;projected_high;state;definition_hash;as_of",
    "rejections": "finess_eg;uf;source_app;month;type_code;outcome;dmp_code;n;oldest;newest;suggested_action",
    "reconciliation": "finess_eg;type_code;month;ours;declared;official;gap_pct;comment",
    "delays": "finess_eg;uf;type_code;month;n;d0;d1;d2_d8;d9_plus;median_hours;p90_hours",
}
EVIDENCE = "doc_id;unique_id;finess_eg;type_code;t_submitted_utc;t_accepted_utc;dmp_reply_id;lineage_id;body_sha256"
LETTER, NEXT = read("discharge-letter.xml"), read(REPLACEMENT)
FORMULA = "=1+2"


def export(gateway, *arguments: str, language: str = "C.UTF-8") -> subprocess.CompletedProcess:
    return subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", "export", *arguments],
                          cwd=gateway.folder, env={"LC_ALL": language}, capture_output=True, text=True, timeout=60)


def table(folder, name: str) -> list[dict[str, str]]:
    """As any program reads it: a byte order mark, semicolons, one line of names."""
    with open(folder / f"{name}.csv", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def about(folder, name: str) -> dict:
    return json.loads((folder / f"{name}.meta.json").read_text(encoding="utf-8"))


def counted(gateway) -> collections.Counter:
    """By outcome, as GET /api/v1/counters tells it, once all is counted."""
    newest = max(event["number"] for each in gateway.documents() for event in gateway.ctl("show", each["doc"])["events"])
    gateway.journal.wait(rf"counted to={newest}\b")
    numbers = collections.Counter()
    for cell in json.loads(gateway.get("/api/v1/counters?by=month")[1])["counters"]:
        numbers[cell["outcome"]] += cell["n"]
    return numbers


@pytest.fixture(scope="module")
def full(running_simulator, tmp_path_factory):
    """Three letters, one of them replaced, one deleted; one that the DMP refuses; what the CNAM counted."""
    running_simulator.reset()
    gateway = Gateway(tmp_path_factory.mktemp("export") / "gateway", running_simulator.url, running_simulator.pki,
                      extra="targets: { dir: objectifs, every: 1 s }")
    (gateway.folder / "objectifs").mkdir()
    (gateway.folder / "objectifs" / "essai.yaml").write_text(TARGETS)
    with gateway:
        for message in (mdm_t02(LETTER), mdm_t02(NEXT, trigger="T10"), mdm_t02(numbered(1)), mdm_t02(numbered(2)),
                        mdm_t02(numbered(2), trigger="T04")):
            assert gateway.send(message).code == "AA"
            assert {each["state"] for each in gateway.settled().values()} == {"delivered"}
        running_simulator.faults({"kind": "failure", "errorCode": "XDSRegistryMetadataError"})
        assert gateway.send(mdm_t02(numbered(3)).replace(b"|UF12|", f"|{FORMULA}|".encode())).code == "AA"
        assert "rejected" in {each["state"] for each in gateway.settled().values()}
        running_simulator.reset()
        counted(gateway)
        month = gateway.ctl("counters", "--by", "month")[0]["month"]
        (gateway.folder / "cnam.csv").write_text(f"finess_eg;type_code;month;n\n{FINESS_EG};11490-0;{month};2\n")
        gateway.ctl("import-official", "cnam.csv")
        when(gateway, lambda found: (found["en-cours", "produits"]["numerator"],
                                     found["en-cours", "produits"]["denominator"]) == (3, 4))
        yield gateway


@pytest.fixture(scope="module")
def exported(full):
    done = export(full, "files")
    assert (done.returncode, done.stderr) == (0, ""), done
    return full.folder / "files"


def test_the_files_are_those_that_are_asked_for(full, exported):
    assert sorted(each.name for each in exported.iterdir()) == sorted(
        [f"{name}.csv" for name in COLUMNS] + [f"{name}.meta.json" for name in COLUMNS])
    for name, columns in COLUMNS.items():
        raw = (exported / f"{name}.csv").read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf" + columns.encode() + b"\r\n"), name
        meta = about(exported, name)
        assert meta["sha256"] == hashlib.sha256(raw).hexdigest()
        assert meta["rows"] == len(table(exported, name)) > 0, name
        assert meta["columns"] == columns.split(";") == list(meta["definitions"])
        assert meta["complete"] and re.fullmatch(r"[0-9a-f]{64}", meta["config_hash"])
        assert meta["format"] == {"encoding": "UTF-8", "separator": ";", "decimal": ",", "small_cell": None}
        assert [window["id"] for window in meta["programmes"][0]["windows"]] == ["passee", "en-cours"]
        assert meta["programmes"][0]["indicators"][0]["definition"].startswith("essai/produits: ")
        assert re.match(r"\d{4}-\d\d-\d\dT", meta["generated"])
        assert not patient_words_in(exported / f"{name}.csv") and "V88001" not in raw.decode()


def test_they_come_to_what_is_counted(full, exported):
    """By hand: three letters (one of them twice), a new version, a deletion, one that was refused."""
    of_hand = {"RECEIVED": 4, "RECEIVED_QUALIFIED": 4, "ACCEPTED": 3, "REPLACED_OK": 1, "DELETED_OK": 1,
               "REJECTED_METADATA": 1}
    ours, others = collections.Counter(), collections.Counter()
    for row in table(exported, "counters"):
        assert (row["channel"], row["type_code"], row["champ"]) == ("DMP", "11490-0", "")
        (ours if row["origin"] == "ours" else others)[row["outcome"]] += int(row["n"])
    assert ours == of_hand == counted(full)
    assert others == {"ACCEPTED": 2}
    (refused,) = table(exported, "rejections")
    assert (refused["outcome"], refused["dmp_code"], refused["n"]) == ("REJECTED_METADATA", "XDSRegistryMetadataError", "1")
    assert refused["oldest"] == refused["newest"] and refused["suggested_action"]
    (gap,) = table(exported, "reconciliation")
    assert (gap["ours"], gap["official"], gap["declared"], gap["gap_pct"]) == ("3", "2", "", "50,0")
    assert gap["comment"].startswith("The CNAM counts fewer")


def test_delays_are_those_from_the_end_of_the_stay(exported):
    (row,) = table(exported, "delays")
    assert (row["uf"], row["n"]) == ("UF12", "3")
    assert sum(int(row[each]) for each in ("d0", "d1", "d2_d8", "d9_plus")) == 3
    assert re.fullmatch(r"\d+,\d", row["median_hours"]) and row["p90_hours"] >= row["median_hours"]


def test_targets_are_those_of_the_board(full, exported):
    found = {(row["window"], row["indicator"]): row for row in table(exported, "targets")}
    told = {(row["window"], row["indicator"]): row for row in full.ctl("targets")}
    assert found.keys() == told.keys()
    row, same = found["en-cours", "produits"], told["en-cours", "produits"]
    assert (row["numerator"], row["denominator"], row["rate"], row["threshold"]) == ("3", "4", "0,7500", "0,9000")
    assert (row["finess_eg"], row["finess_ej"], row["state"]) == (FINESS_EG, FINESS_EJ, same["state"])
    assert (row["window_start"], row["window_end"]) == ("2026-07-01", "")
    assert row["definition_hash"] == same["definition_hash"]
    entity = found["en-cours", "sejours"]
    assert (entity["finess_eg"], entity["denominator"], entity["state"]) == ("", "", "NO_DENOMINATOR")


def test_what_others_wrote_becomes_no_formula(exported):
    raw = (exported / "rejections.csv").read_text(encoding="utf-8-sig")
    assert f";'{FORMULA};" in raw and f";{FORMULA}" not in raw
    assert f'"{FINESS_EG}"' in raw


def test_small_counts_do_not_leave(full):
    done = export(full, "outside", "--outside", "--to", "2099-12", "--from", "2090-01")
    assert done.returncode == 0 and table(full.folder / "outside", "counters") == []
    done = export(full, "outside", "--outside")
    assert done.returncode == 0, done.stderr
    counts = {row["n"] for name in ("counters", "rejections", "delays") for row in table(full.folder / "outside", name)}
    assert counts == {"<5"}
    (row,) = table(full.folder / "outside", "delays")
    assert (row["d0"], row["median_hours"]) == ("", "")
    (gap,) = table(full.folder / "outside", "reconciliation")
    assert (gap["ours"], gap["official"], gap["gap_pct"]) == ("<5", "<5", "")
    assert about(full.folder / "outside", "counters")["format"]["small_cell"] == 5
    refused = export(full, "outside", "--outside", "--evidence")
    assert refused.returncode == 1 and "does not leave the hospital" in refused.stderr


def test_evidence_is_for_one_and_noted(full):
    before = full.ctl("verify")["rows"]
    done = export(full, "evidence", "--evidence")
    assert done.returncode == 0, done.stderr
    path = full.folder / "evidence" / "evidence.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((full.folder / "evidence" / "evidence.meta.json").stat().st_mode) == 0o600
    assert path.read_text(encoding="utf-8-sig").splitlines()[0] == EVIDENCE
    rows = table(full.folder / "evidence", "evidence")
    assert len(rows) == 4, "accepted, and replaced"
    lineages = collections.Counter(row["lineage_id"] for row in rows)
    assert sorted(lineages.values()) == [1, 1, 2]
    for row in rows:
        shown = full.ctl("show", row["doc_id"])
        assert row["unique_id"] == shown["unique_id"]
        assert int(row["dmp_reply_id"]) in {event["number"] for event in shown["events"] if event["state"] == "delivered"}
    assert rows[0]["body_sha256"] == hashlib.sha256(LETTER).hexdigest()
    assert full.ctl("verify")["rows"] == before + 1 and full.ctl("verify")["ok"]
    full.journal.wait(rf"order=evidence from=\d+ to=\d+ by=\S+ \({os.getuid()}\)")


@pytest.mark.parametrize("seal", [{}, {"seal": ""}, {"seal": "0" * 64}])
def test_nobody_goes_on_with_what_was_not_begun(full, seal):
    """Or evidence would be read that nobody noted."""
    before = full.ctl("verify")["rows"]
    asked = {"command": "export", "evidence": True, "mark": {"month": 0, "evidence": 0, **seal}}
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(os.path.relpath(full.folder / "control.sock"))
        peer.sendall(json.dumps(asked).encode() + b"\n")
        answer = json.loads(peer.makefile().readline())
    assert answer == {"ok": False, "error": "this mark is none of this export"}
    assert full.ctl("verify")["rows"] == before


def test_people_are_told_what_was_written(full):
    done = export(full, "dits", language="fr_FR.UTF-8")
    assert re.search(r"^Fichier +Lignes +Octets\ndits/counters.csv +\d+ +\d+\n", done.stdout), done.stdout
    assert about(full.folder / "dits", "counters")["definitions"]["finess_ej"] == "l'entité juridique"
    assert table(full.folder / "dits", "reconciliation")[0]["comment"].startswith("La CNAM en compte moins")
    told = full.ctl("export", "dits")
    assert [each["path"] for each in told] == [f"dits/{name}.csv" for name in COLUMNS]


@pytest.mark.parametrize("arguments, words", [
    (("x", "--from", "2026-13"), "from takes a month like 2026-11, not '2026-13'"),
    (("x", "--from", "2026-11", "--to", "2026-10"), "from is later than to"),
    (("x", "--from", "1990-01", "--to", "2026-10"), "more than 120 months"),
    (("no/such/folder",), "cannot write the files: no/such/folder: No such file"),
    (("cnam.csv",), "cannot write the files: cnam.csv/"),
], ids=["month", "order", "long", "folder", "file"])
def test_what_cannot_be_is_said_and_leaves_nothing(full, arguments, words):
    done = export(full, *arguments)
    assert done.returncode == 1 and words in done.stderr, done
    assert not (full.folder / "x").exists() or not list((full.folder / "x").iterdir())
