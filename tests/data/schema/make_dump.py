#!/usr/bin/python3
"""Writes vN.sql: a queue as the gateway of a commit leaves it, N being the version of its tables.

usage: tests/data/schema/make_dump.py [CHECKOUT]     (the project as it was then, built in build/; by default this one)

One letter was delivered, another waits for a DMP that is down, and, where it can be, a figure was imported. Run it
before a release that has a new version of the tables: from then on no step that leads to it is ever changed. Then say
so in tests/test_store_older.c (NEWEST, MADE_LAST).

The two letters are the same in every dump, so they stand beside them, in letters.sql, to be loaded first.
"""

import contextlib
import os
import pathlib
import re
import sqlite3
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE.parents[2]).resolve()
os.environ["DMPFEED_BUILD"] = str(CHECKOUT / "build")
sys.path[:0] = [str(CHECKOUT / "tests" / "system"), str(CHECKOUT / "tests" / "data")]
from gateway import FINESS_EG, Gateway, Simulator, make_pki  # noqa: E402
from samples import mdm_t02, numbered  # noqa: E402

LETTERS = {number: numbered(number) for number in (1, 2)}
OUTAGE = {"first": "1 h", "most": "1 h", "probe": "1 h"}


def quoted(text: bytes) -> str:
    return "CAST('" + text.decode("utf-8").replace("'", "''") + "' AS BLOB)"


def readable(statement: str) -> str:
    """A body by the name of its letter, and metadata as the JSON that they are."""
    body = re.fullmatch(r"INSERT INTO \"body\" VALUES\((\d+),X'([0-9A-F]+)',X'([0-9A-F]+)'\);", statement)
    if body is None:
        return statement
    (number,) = [number for number, letter in LETTERS.items() if letter == bytes.fromhex(body[3])]
    return (f'INSERT INTO "body" SELECT {body[1]},{quoted(bytes.fromhex(body[2]))},bytes'
            f' FROM temp.letter WHERE number = {number};')


def fill(folder: pathlib.Path):
    pki = make_pki(folder / "pki")
    with Simulator(pki, folder / "store") as simulator, \
            Gateway(folder / "gateway", simulator.url, pki, **OUTAGE) as gateway:
        assert gateway.send(mdm_t02(LETTERS[1])).code == "AA"
        gateway.journal.wait("outcome=delivered")
        simulator.faults({"kind": "status", "status": 503})
        assert gateway.send(mdm_t02(LETTERS[2])).code == "AA"
        gateway.journal.wait("outcome=queued")
        (gateway.folder / "cnam.csv").write_text(f"finess_eg;type_code;month;n\n{FINESS_EG};11490-0;2026-10;12\n")
        with contextlib.suppress(RuntimeError):  # nobody could import then
            gateway.ctl("import-official", "cnam.csv")
        with contextlib.suppress(AssertionError):  # nothing was counted then
            gateway.journal.wait("counted to=", timeout=5)


def main():
    with tempfile.TemporaryDirectory() as folder:
        fill(pathlib.Path(folder))
        with contextlib.closing(sqlite3.connect(pathlib.Path(folder) / "gateway" / "state" / "queue.db")) as store:
            (version,) = store.execute("PRAGMA user_version").fetchone()
            dump = "".join(readable(line) + "\n" for line in store.iterdump())
    (HERE / f"v{version}.sql").write_text(dump + f"PRAGMA user_version = {version};\n", encoding="utf-8")
    rows = ",\n".join(f"({number}, {quoted(letter)})" for number, letter in LETTERS.items())
    (HERE / "letters.sql").write_text("CREATE TEMP TABLE letter (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL);\n"
                                      f"INSERT INTO letter VALUES\n{rows};\n", encoding="utf-8")
    print(f"v{version}.sql")


main()
