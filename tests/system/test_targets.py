"""Usage targets as a hospital lives with them: files, denominators, official counts, what is frozen."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

from gateway import BUILD, FINESS_EG, FINESS_EJ, SOURCE
from samples import hand_in, numbered

TARGETS = """\
schema: usage-targets/1
document_types: { lettre: { type_codes: ["11490-0"] } }
denominators:
  sejours: { source: dim_import, file: sejours.csv }
  produits: { source: produced, unit: document }
programmes:
  - id: essai
    windows:
      - { id: passee, start: 2026-01-01, end: 2026-06-30, status: internal }
      - { id: en-cours, start: 2026-07-01, end: null, status: internal }
    indicators:
      - id: produits
        numerator: { aggregate: documents, types: [lettre] }
        denominator: produits
        threshold: { kind: ratio, op: ">=", value: 0.9, status: internal }
      - id: sejours
        level: finess_ej
        numerator: { aggregate: documents, types: [lettre] }
        denominator: sejours
        threshold: { kind: ratio, op: ">=", value: 0.7, status: internal }
      - id: inconnu
        numerator: { aggregate: documents, types: [lettre] }
        threshold: { kind: count, value: null, status: to_confirm }
"""
EXTRA = "targets: { dir: objectifs, every: 1 s }"


def with_targets(make_gateway, text=TARGETS, **settings):
    gateway = make_gateway(extra=EXTRA, **settings)
    (gateway.folder / "objectifs").mkdir()
    (gateway.folder / "objectifs" / "essai.yaml").write_text(text)
    return gateway


def ask(gateway, *arguments, **environment) -> subprocess.CompletedProcess:
    return subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", *arguments], cwd=gateway.folder,
                          capture_output=True, text=True, timeout=30, env={"LC_ALL": "C.UTF-8", **environment})


def rows(gateway) -> dict[tuple[str, str], dict]:
    return {(row["window"], row["indicator"]): row for row in gateway.ctl("targets")}


def when(gateway, holds, look=rows):
    """The board, once that holds of it: it is looked at each time that it was counted."""
    gateway.journal.wait("targets counted")
    while True:
        seen = len(gateway.journal.lines)
        if holds(found := look(gateway)):
            return found
        gateway.journal.wait("targets counted", start=seen)


def stands_at(indicator: str, numerator: int, denominator: int):
    """Counts come in, and so do what they are divided by: a board may have seen but one of them."""
    def holds(found) -> bool:
        row = found["en-cours", indicator]
        return (row["numerator"], row["denominator"]) == (numerator, denominator)
    return holds


def rates(gateway) -> list[dict]:
    return gateway.ctl("targets", "--rates")


def all_three_are_in(found) -> bool:
    """Of the site and of its unit; what was received is counted by another way than what was accepted."""
    if len(found) != 2:
        return False
    site, unit = found
    return site["rates"]["feed_rate_produced"] is not None and site["letters"] == unit["unit"]["accepted"] == 3


def brought(gateway, name: str, text: str, *arguments, command="import-denominators") -> tuple[int, list[dict]]:
    (gateway.folder / name).write_text(text, encoding="utf-8")
    done = ask(gateway, "--json", command, name, *arguments)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


# ---- files ----


def test_the_shipped_files_are_taken(make_gateway):
    gateway = make_gateway(extra=EXTRA)
    shutil.copytree(SOURCE / "conf" / "targets", gateway.folder / "objectifs")
    checked = gateway.run("--check-config")
    assert checked.returncode == 0, checked.stderr
    assert re.findall(r"^# targets: (\S+)", checked.stdout, re.M) == ["hopen2-p1", "interne-2026", "sunes-v1"]
    gateway.start()
    found = when(gateway, lambda _: True)
    assert found["w1", "sortie_70"]["state"] == "NO_DENOMINATOR"
    assert found["w1", "cr_imagerie"]["state"] == "NO_TARGET"
    assert found["w1", "cr_imagerie"]["rate"] is None


def test_what_is_wrong_with_them_is_told_and_nothing_starts(make_gateway):
    wrong = TARGETS.replace("end: null", "end: 2026-12-31").replace("start: 2026-07-01", "start: 2026-06-30")
    gateway = with_targets(make_gateway, wrong.replace("  - id: essai\n", "  - id: essai\n    budget: 3\n"))
    (gateway.folder / "objectifs" / "autre.yaml").write_text(
        'schema: usage-targets/1\nprogrammes: [{id: a, windows: [{id: w, start: 2026-01-01, end: null, status: internal}], '
        'indicators: [{id: i, scope: {finess_eg: [010003720]}, numerator: {aggregate: documents}, '
        'threshold: {kind: count, value: 1, status: internal}}]}]\n')
    for arguments in ((), ("--check-config",)):
        ended = gateway.run(*arguments)
        assert ended.returncode == 1
        folder = re.escape(str(gateway.folder / "objectifs"))
        assert re.search(rf"{folder}/autre.yaml:2:\d+: an entry of finess_eg is a FINESS, in quotes", ended.stderr)
        assert re.search(rf'{folder}/essai.yaml:8:5: "budget" is not a key here: known are ', ended.stderr)
        assert re.search(rf"{folder}/essai.yaml:11:9: window en-cours overlaps window passee", ended.stderr)


def test_without_them_there_is_nothing_to_reach(start_gateway):
    gateway = start_gateway(extra="targets: { every: 1 s }")
    gateway.journal.wait("targets counted rows=0")
    assert gateway.ctl("targets") == []
    assert "No target." in ask(gateway, "targets").stdout
    for of in ("targets", "targets --rates"):
        assert "no establishment declares site 990099999" in ask(gateway, *of.split(), "--site", "990099999").stderr


# ---- what is counted ----


def test_what_is_delivered_counts(make_gateway):
    gateway = with_targets(make_gateway).start()
    for number in range(3):
        gateway.wait_final(hand_in(gateway, "mllp", numbered(number)))
    found = when(gateway, stands_at("produits", 3, 3))
    row = found["en-cours", "produits"]
    assert (row["rate"], row["state"]) == (1.0, "MET_NOW")
    assert (row["finess_eg"], row["finess_ej"]) == (FINESS_EG, FINESS_EJ)
    assert re.fullmatch(r"[0-9a-f]{64}", row["definition_hash"])
    unknown = found["en-cours", "inconnu"]
    assert (unknown["numerator"], unknown["state"], unknown["threshold"]["value"]) == (3, "NO_TARGET", None)
    printed = ask(gateway, "targets").stdout
    assert re.search(rf"essai en-cours +produits +{FINESS_EG} +3/3 +100.0 % +90.0 % +0 .*MET_NOW", printed), printed
    assert "Atteint" in ask(gateway, "targets", LC_ALL="fr_FR.UTF-8").stdout

    site, unit = when(gateway, all_three_are_in, look=rates)
    assert (site["finess_eg"], site["rates"]["feed_rate_produced"], site["letters"]) == (FINESS_EG, 1.0, 3)
    assert sum(site["rates"][name] for name in ("same_day_rate", "next_day_rate", "d2_d8_rate", "later_rate")) == 1
    assert (unit["unit"]["unit"], unit["unit"]["accepted"], unit["unit"]["covered"]) == ("UF12", 3, True)
    told = json.loads(gateway.get("/api/v1/targets")[1])
    assert (told["sites"], told["units"]) == ([site], [unit["unit"]])
    printed = ask(gateway, "targets", "--rates").stdout
    assert re.search(rf"^Site +Of what was to be fed .*\n{FINESS_EG} +100.0 % +100.0 %", printed), printed


def test_denominators_are_brought_revision_by_revision(make_gateway):
    gateway = with_targets(make_gateway)
    text = gateway.config.read_text()
    gateway.config.write_text(text.replace("sector: SA01", 'sector: SA01, formerly: ["2A0000014"]'))
    gateway.start()
    for number in range(3):
        gateway.wait_final(hand_in(gateway, "mllp", numbered(number)))
    months = "".join(f'"{FINESS_EG}";MCO;2026-{month:02};1\r\n' for month in range(7, 11))
    months += f"{FINESS_EG};MCO;2026-11;4\r\n010003720;MCO;2026-11;9\r\n"
    formerly = "2A0000014;MCO;2026-06;5\r\n"
    head = "\ufefffiness_eg;champ;month;n\r\n"

    code, (summary,) = brought(gateway, "sejours.csv", head + months + formerly, "--dry-run")
    assert (code, summary["figures"], summary["sum"], summary["revision"]) == (0, 7, 22, 0)
    assert (summary["first_month"], summary["last_month"]) == ("2026-06", "2026-11")
    assert summary["unknown_sites"] == ["010003720"], "the other is a number that ours had"
    assert when(gateway, lambda _: True)["en-cours", "sejours"]["denominator"] is None

    code, (summary,) = brought(gateway, "sejours.csv", head + months)
    assert (code, summary["revision"], summary["denominator"]) == (0, 1, "sejours")
    gateway.journal.wait(r"imported figures=6 kind=sejours revision=1 by=\S+")
    row = when(gateway, stands_at("sejours", 3, 8))["en-cours", "sejours"]
    assert row["rate"] == 0.375
    assert row["denominator_from"]["revision"] == 1
    assert re.match(r"\S+ \(\d+\)$", row["denominator_from"]["imported_by"])

    code, _ = brought(gateway, "corrige.csv", f"finess_eg,champ,month,n\n{FINESS_EG},MCO,2026-11,0\n",
                      "--denominator", "sejours")
    row = when(gateway, stands_at("sejours", 3, 4))["en-cours", "sejours"]
    assert (row["rate"], row["denominator_from"]["revision"], row["state"]) == (0.75, 2, "MET_NOW")


def test_every_wrong_line_is_told_and_nothing_is_kept(make_gateway):
    gateway = with_targets(make_gateway).start()
    code, found = brought(gateway, "sejours.csv", "finess_eg;champ;month;n\n"
                          f"{FINESS_EG};MCO;2026-10;1\n10003720;MCO;2026-10;1\n{FINESS_EG};MCO;octobre;1\n")
    assert code == 1
    assert [row["fault"] for row in found[1:]] == [
        'sejours.csv:3: finess_eg: "10003720" has lost the zeros at its beginning: format the column as text',
        'sejours.csv:4: month: "octobre" is no month (2026-11)']
    assert "nothing of it was kept" in ask(gateway, "import-denominators", "sejours.csv").stdout
    code, (summary,) = brought(gateway, "sejours.csv", f"finess_eg;champ;month;n\n{FINESS_EG};MCO;2026-10;1\n")
    assert summary["revision"] == 1, "the wrong one was none"

    missing = ask(gateway, "import-denominators", "nothing.csv", "--denominator", "sejours")
    assert missing.returncode == 1 and "No such file" in missing.stderr
    other = ask(gateway, "import-denominators", "autre.csv")
    assert other.returncode == 1 and "name it with --denominator (there are: sejours)" in other.stderr


def test_a_pipe_is_not_waited_for(gateway):
    """Each would keep a worker; without workers, nothing is taken in."""
    os.mkfifo(gateway.folder / "pipe")
    (gateway.folder / "cnam.csv").touch()
    for asked in (["pipe"], ["pipe", "--declared"], ["cnam.csv", "--mapping", "pipe"], ["/dev/zero"]):
        said = ask(gateway, "import-official", *asked)
        assert (said.returncode, "it is a pipe or a device, and not a file" in said.stderr) == (1, True), said
    assert "un tube ou un périphérique" in ask(gateway, "import-official", "pipe", LC_ALL="fr_FR.UTF-8").stderr


# ---- counts of others ----


def test_official_counts_are_held_against_ours(make_gateway):
    gateway = with_targets(make_gateway).start()
    for number in range(2):
        gateway.wait_final(hand_in(gateway, "mllp", numbered(number)))
    when(gateway, stands_at("produits", 2, 2))
    month = rows(gateway)["en-cours", "produits"]["denominator_from"]["until"][:7]
    (gateway.folder / "m.yaml").write_text(
        'columns: {finess_eg: Etablissement, type_code: Type, month: Mois, n: Nombre}\n'
        'types: {"Lettre de liaison": "11490-0"}\n')
    text = f"Etablissement;Type;Mois;Nombre\n{FINESS_EG};Lettre de liaison;{month};%d\n"

    code, found = brought(gateway, "cnam.csv", text % 2, "--mapping", "m.yaml", command="import-official")
    assert (code, len(found)) == (0, 1), "they agree"
    code, found = brought(gateway, "cnam.csv", text % 1, "--mapping", "m.yaml", command="import-official")
    gap = found[1]["gap"]
    assert (gap["type_code"], gap["month"], gap["ours"], gap["official"]) == ("11490-0", month, 2, 1)
    assert (gap["gap"], gap["level"]) == (1.0, "crit")
    gateway.journal.wait(rf"official counts differ site={FINESS_EG} type=11490-0 month={month} ours=2 official=1")
    assert "Counts that differ" in ask(gateway, "import-official", "cnam.csv", "--mapping", "m.yaml").stdout


# ---- what is frozen ----


def test_a_window_that_has_ended_is_frozen_once(make_gateway):
    gateway = with_targets(make_gateway).start()
    gateway.journal.wait(r"targets frozen=3")
    row = when(gateway, lambda found: found["passee", "sejours"]["frozen_at"])["passee", "sejours"]
    assert (row["ended"], row["frozen"]["state"], row["frozen"]["denominator"]) == (True, "NO_DENOMINATOR", None)
    assert rows(gateway)["en-cours", "sejours"]["frozen_at"] is None

    months = "".join(f"{FINESS_EG};MCO;2026-{month:02};10\n" for month in range(1, 7))
    brought(gateway, "sejours.csv", "finess_eg;champ;month;n\n" + months)
    found = when(gateway, lambda found: found["passee", "sejours"]["denominator"] == 60)["passee", "sejours"]
    assert found["frozen"] == row["frozen"] and found["frozen_at"] == row["frozen_at"]
    assert gateway.stop() == 0
    gateway.start()
    assert when(gateway, lambda _: True)["passee", "sejours"]["frozen_at"] == row["frozen_at"]
    assert gateway.ctl("verify")["ok"]


def test_what_was_frozen_under_another_number_is_not_frozen_again(make_gateway):
    gateway = with_targets(make_gateway).start()
    before = when(gateway, lambda found: found["passee", "produits"]["frozen_at"])["passee", "produits"]
    assert gateway.stop() == 0
    renumbered = "2A0000014"
    text = gateway.config.read_text()
    gateway.config.write_text(text.replace(f'"{FINESS_EG}"', f'"{renumbered}"').replace(
        "sector: SA01", f'sector: SA01, formerly: ["{FINESS_EG}"]'))
    gateway.start()
    gateway.journal.wait("targets counted")
    (row,) = [row for row in gateway.ctl("targets") if (row["window"], row["indicator"]) == ("passee", "produits")]
    assert (row["finess_eg"], row["as_frozen"], row["frozen_at"]) == (renumbered, False, before["frozen_at"])
    assert row["frozen"] == before["frozen"] and row["frozen"]["finess_eg"] == FINESS_EG, "as it was told then"
    assert not any("targets frozen=" in line for line in gateway.journal.lines)


def test_what_was_frozen_is_told_when_it_is_counted_no_longer(make_gateway):
    gateway = with_targets(make_gateway).start()
    before = when(gateway, lambda found: found["passee", "inconnu"]["frozen_at"])["passee", "inconnu"]
    closed = TARGETS.replace("- id: essai\n", "- id: essai\n    closed: true\n")
    (gateway.folder / "objectifs" / "essai.yaml").write_text(closed)
    gateway.ctl("reload")
    found = when(gateway, lambda found: ("en-cours", "inconnu") not in found)["passee", "inconnu"]
    assert found["as_frozen"] and not before["as_frozen"]
    assert {**found, "frozen": None} == {**before["frozen"], "frozen": None, "frozen_at": before["frozen_at"],
                                         "as_frozen": True, **{key: found[key] for key in ("sentence_en", "sentence_fr")}}
    assert re.match("Frozen on 20..-..-.., and counted no longer", found["sentence_en"])
    assert ask(gateway, "export", "out").returncode == 0
    exported = (gateway.folder / "out" / "targets.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(exported) == 4 and all(before["frozen_at"][:16] in line.split(";")[-1] for line in exported[1:])


def test_what_was_kept_long_enough_is_not_frozen_again(make_gateway):
    gateway = make_gateway(extra="targets: { dir: objectifs, every: 1 s, keep_snapshots: 24 h }")
    (gateway.folder / "objectifs").mkdir()
    (gateway.folder / "objectifs" / "essai.yaml").write_text(TARGETS)
    gateway.start()
    assert when(gateway, lambda _: True)["passee", "sejours"]["ended"]
    brought(gateway, "sejours.csv", f"finess_eg;champ;month;n\n{FINESS_EG};MCO;2026-01;10\n")
    found = when(gateway, lambda found: found["passee", "sejours"]["denominator"] == 10)
    assert found["passee", "sejours"]["frozen_at"] is None
