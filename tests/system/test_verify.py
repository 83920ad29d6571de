"""The audit trail holds against whoever edits the file: dmpfeedctl verify says whether it was."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import re
import sqlite3
import subprocess
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway import BUILD, FINESS_EG
from samples import hand_in, numbered

BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def verify(gateway, language="C.UTF-8", *options: str) -> subprocess.CompletedProcess:
    return subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", *options, "verify"],
                          cwd=gateway.folder, env={"LC_ALL": language}, capture_output=True, text=True, timeout=60)


def alter(gateway, change: str):
    """As somebody who holds the file, and knows SQL, would."""
    with contextlib.closing(sqlite3.connect(gateway.folder / "state" / "queue.db")) as store:
        store.executescript(f"DROP TRIGGER ledger_keeps; DROP TRIGGER ledger_stays; {change}")


def ulid(raw: bytes) -> str:
    number = int.from_bytes(raw, "big")
    return "".join(BASE32[number >> 5 * place & 31] for place in reversed(range(26)))


def chain(gateway) -> str:
    """The head of the chain, as the head of daemon/queue/store_sqlite_chain.c describes it."""
    digest = bytes(32)
    with contextlib.closing(sqlite3.connect(gateway.folder / "state" / "queue.db")) as store:
        rows = store.execute(
            "SELECT number, doc, action, unique_id, document.digest, at_ms, what, ledger.state, ledger.reason, attempt,"
            " code, text, note, ledger.origin, actor, ledger.node, http_status, duration_ms"
            " FROM ledger JOIN document USING (seq) UNION ALL"
            " SELECT number, zeroblob(16), '', '', x'', at_ms, what, '', '', 0, subject, text, '', '', actor, node, 0, 0"
            " FROM act ORDER BY number")
        for number, doc, action, unique_id, of_document, *rest in rows:
            fields = [number, ulid(doc), action, unique_id, of_document.hex(), *rest]
            netstrings = b"".join(b"%d:%b," % (len(each), each) for each in (str(field).encode() for field in fields))
            digest = hashlib.sha256(digest + netstrings).digest()
    return digest.hex()


@pytest.fixture
def delivered(gateway):
    for number in range(3):
        gateway.wait_final(hand_in(gateway, "mllp", numbered(number)))
    return gateway


def test_a_store_that_nobody_touched_is_whole(delivered):
    found = verify(delivered)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == f"9 rows, chain whole, head {chain(delivered)}\n"
    assert "9 lignes, chaîne intègre" in verify(delivered, "fr_FR.UTF-8").stdout
    assert delivered.ctl("verify") == {"ok": True, "rows": 9, "faults": [], "fault_count": 0,
                                       "head": chain(delivered)}


def test_one_altered_word_is_named(delivered):
    alter(delivered, "UPDATE ledger SET at_ms = at_ms - 1 WHERE number = 5")
    found = verify(delivered)
    assert found.returncode == 1
    assert found.stdout.startswith("9 rows, faults: 1\nrow 5 of the ledger (doc=")
    assert verify(delivered, "C.UTF-8", "--json").returncode == 1


def test_what_is_imported_is_in_the_chain_with_who_brought_it(delivered):
    (delivered.folder / "cnam.csv").write_text(f"finess_eg;type_code;month;n\n{FINESS_EG};11490-0;2026-10;12\n")
    assert delivered.ctl("import-official", "cnam.csv")[0]["revision"] == 1
    delivered.wait_final(hand_in(delivered, "mllp", numbered(7)))
    assert verify(delivered).stdout == f"13 rows, chain whole, head {chain(delivered)}\n"
    with contextlib.closing(sqlite3.connect(delivered.folder / "state" / "queue.db")) as store:
        what, subject, text, actor = store.execute("SELECT what, subject, text, actor FROM act").fetchone()
    assert (what, subject) == ("imported", "official")
    assert "file=cnam.csv" in text and f"({os.getuid()})" in actor
    alter(delivered, "DROP TRIGGER figure_keeps; UPDATE figure SET n = 11")
    found = verify(delivered)
    assert found.returncode == 1
    assert "revision 1 of the imported figures (official) is not what the chain says" in found.stdout


def test_the_gateway_goes_on_meanwhile(delivered):
    alter(delivered, "DELETE FROM ledger WHERE number = 5")
    delivered.wait_final(hand_in(delivered, "mllp", numbered(7)))
    found = verify(delivered)
    assert found.returncode == 1
    assert "11 rows, faults: 1\nthe ledger has no rows 5 to 5\n" == found.stdout


def test_who_did_what_is_told(gateway):
    doc = hand_in(gateway, "mllp", numbered(1))
    gateway.wait_final(doc)
    gateway.ctl("recall", doc, "--dry-run")  # nothing was done
    gateway.ctl("reload")
    gateway.ctl("stays", "--without-letter")
    deeds = gateway.ctl("audit")
    assert [(each["what"], each["subject"]) for each in deeds] == [
        ("reloaded", str(gateway.config)), ("read", "stays without a letter")]
    assert {each["actor"] for each in deeds} == {f"{pwd.getpwuid(os.getuid()).pw_name} ({os.getuid()})"}
    today = datetime.now(ZoneInfo("Europe/Paris")).date()
    assert gateway.ctl("audit", "--from", str(today - timedelta(1)), "--actor", pwd.getpwuid(os.getuid()).pw_name) == deeds
    assert gateway.ctl("audit", "--limit", "1") == deeds[1:]
    assert gateway.ctl("audit", "--to", "2026-01-01") == gateway.ctl("audit", "--actor", "nobody else") == []
    assert gateway.ctl("audit", "--site", FINESS_EG) == []


def test_what_is_printed_of_it(gateway):
    def said(*arguments: str, language: str = "C.UTF-8") -> subprocess.CompletedProcess:
        return subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", "audit", *arguments],
                              cwd=gateway.folder, env={"LC_ALL": language}, capture_output=True, text=True, timeout=60)

    assert said().stdout == "Nobody did anything in that time.\n"
    gateway.ctl("stays", "--without-letter")
    assert re.search(r"^When +Who +What +Subject +Text\n.* read +stays without a letter ", said().stdout)
    assert said(language="fr_FR.UTF-8").stdout.startswith("Quand ")
    assert "add --to or --limit" in said("--limit", "1").stderr
    wrong = said("--from", "yesterday", language="fr_FR.UTF-8")
    assert (wrong.returncode, wrong.stderr) == (1, "dmpfeedctl: « yesterday » n'est pas un jour comme 2026-11-22\n")
