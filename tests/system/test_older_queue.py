"""A queue that an earlier gateway left goes on under this one: of every version of its tables with --every, of a few
without (tests/test_store_older.c opens them all). tests/data/schema/make_dump.py made them.
"""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from kills import check_books
from samples import DATA, numbered, unique_id

SCHEMA = DATA / "schema"
VERSIONS = sorted(int(path.stem[1:]) for path in SCHEMA.glob("v*.sql"))

FEW = (1, 17, VERSIONS[-1])  # the first did not yet note where a value came from


def test_there_is_one_of_each_version():
    assert VERSIONS == list(range(1, VERSIONS[-1] + 1))


@pytest.mark.parametrize("version", VERSIONS)
def test_what_waited_is_delivered_and_what_was_done_is_known(request, make_gateway, simulator, version):
    if version not in FEW and not request.config.getoption("--every"):
        pytest.skip("with --every")
    gateway = make_gateway()
    (gateway.folder / "state").mkdir()
    with contextlib.closing(sqlite3.connect(gateway.folder / "state" / "queue.db")) as store:
        store.execute("PRAGMA page_size = 8192")
        store.executescript((SCHEMA / "letters.sql").read_text(encoding="utf-8"))
        store.executescript((SCHEMA / f"v{version}.sql").read_text(encoding="utf-8"))
        store.execute("UPDATE document SET due_ms = 1 WHERE state = 'queued'")  # not an hour after the dump was made
        store.commit()
    gateway.start()
    done, waiting = numbered(1), numbered(2)
    states = {each["unique_id"]: each for each in gateway.documents()}
    assert states[unique_id(done)]["state"] == "delivered"
    assert gateway.wait_final(states[unique_id(waiting)]["doc"]) == "delivered"
    assert simulator.document(unique_id(waiting)) == waiting
    assert set(simulator.received()) == {unique_id(waiting)}, "the other one was sent then"
    check_books(gateway)
