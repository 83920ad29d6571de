"""What the bench sends: documents of a wanted size, each under a number of its own, and queues full of them.

A document here is what hospitals send most: a header and a PDF in Base64. It carries bench.h's marker wherever a
number goes, aligned so that it can be changed inside the Base64 of a message.
"""

from __future__ import annotations

import base64
import hashlib
import pathlib
import random
import re
import sqlite3
import time

from samples import read
from make_mdm import mdm_t02

MARKER = b"7" * 12
ARC = b"1.2.250.1.999.1.9."
FIRST = 100_000_000_000
# A patient whose number in the hospital is the marker.
ADT = (b"\x0bMSH|^~\\&|GAM|CH-A|PFI|CH-A|20261120090000||ADT^A31^ADT_A05|" + MARKER + b"|P|2.5^FRA^2.11|||||FRA|UNICODE UTF-8"
       b"|||2.11^IHE_FRANCE-2.11-PAM\rEVN||20261120090000\rPID|||279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10"
       b"&ISO^INS~" + MARKER + b"^^^CH-A&1.2.250.1.999.1&ISO^PI||PAT-TROIS^DOMINIQUE^DOMINIQUE^^^^L||19790328|F|||"
       b"^^^^^^BDL^^51215" + b"|" * 21 + b"VALI\rPV1||N\r\x1c\r")
PDF = b"%PDF-1.4\n"

_ID = re.compile(rb"<(id|setId) root=\"1\.2\.250\.1\.999\.1\.[12]\.7001\"/>")
_PDF = re.compile(rb"(representation=\"B64\">\n)([^<]*)(\n *</text>)")


def _align(cda: bytes) -> bytes:
    """Blanks inside the tag, until the marker begins at a multiple of three."""
    at = -1
    while (at := cda.find(MARKER, at + 1)) >= 0:
        blanks = -at % 3
        tag = cda.rfind(b" root=", 0, at)
        cda = cda[:tag] + b" " * blanks + cda[tag:]
        at += blanks
    return cda


def cda_of(bytes_: int, whole: bool = False) -> bytes:
    """For a message of that size; `whole`: of that size itself. Its PDF has grown to fill it."""
    cda = _ID.sub(rb'<\1 root="' + ARC + MARKER + rb'"/>', read("discharge-letter.xml"))
    assert cda.count(MARKER) == 2, "the sample has other ids"
    cda = _align(cda)
    room = (bytes_ if whole else (bytes_ - len(_message(cda)) + len(cda) * 4 // 3) * 3 // 4) - len(cda)

    def grown(found: re.Match) -> bytes:
        n = max((len(found[2]) + room) // 4 * 3 - len(PDF), 0)
        return found[1] + base64.b64encode(PDF + random.Random(bytes_).randbytes(n)) + found[3]

    return _PDF.sub(grown, cda)


def _message(cda: bytes) -> bytes:
    return mdm_t02(cda, control_id=MARKER.decode())


def template_of(cda: bytes) -> bytes:
    """The frame of a message."""
    return b"\x0b" + _message(cda) + b"\x1c\r"


def numbered(cda: bytes, number: int) -> bytes:
    return cda.replace(MARKER, b"%012d" % number)


# ---- queues ----

def fill(path: pathlib.Path, first: int, count: int, whole: int):
    """Copies the one document of a database `count` times, each under an id of its own, all due; only the first
    `whole` bring their bytes. The one it was stays out of the way."""
    now_ms = int(time.time() * 1000)

    def doc_of(number: int) -> bytes:
        return now_ms.to_bytes(6, "big") + number.to_bytes(10, "big")

    with sqlite3.connect(path, isolation_level=None) as db:
        db.create_function("doc_of", 1, doc_of, deterministic=True)
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -262144")
        db.execute("BEGIN")
        seq, old_id = db.execute("SELECT seq, unique_id FROM document").fetchone()
        entries = db.execute("SELECT max(number) FROM ledger").fetchone()[0]
        old = old_id.rpartition(".")[2]
        body = db.execute("SELECT bytes FROM body WHERE seq = ?", (seq,)).fetchone()[0]
        small = hashlib.sha256(b" ").digest()

        def digest_of(number: int) -> bytes:
            if number > whole:
                return small
            return hashlib.sha256(body.replace(old.encode(), b"%d" % (first + number))).digest()

        db.create_function("digest_of", 1, digest_of, deterministic=True)
        db.execute("CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                   " WHERE i < ?) SELECT i FROM n", (count,))
        changed = {"seq": f"{seq} + i", "doc": "doc_of(i)", "digest": "digest_of(i)",
                   "unique_id": f"replace(unique_id, '{old}', {first} + i)", "state": "'queued'", "reason": "''", "attempts": "0", "doubtful": "0", "due_ms": str(now_ms),
                   "node": "''", "last_arrival": f"{entries} + i"}
        _copy(db, "document", changed, f"seq = {seq}")
        _copy(db, "body", {"seq": f"{seq} + i", "metadata": _replaced("metadata", old, first),
                           "bytes": f"CASE WHEN i <= {whole} THEN {_replaced('bytes', old, first)} ELSE x'20' END"},
              f"seq = {seq}")
        _copy(db, "ledger", {"number": f"{entries} + i", "seq": f"{seq} + i"}, f"seq = {seq} AND what = 'received'")
        db.execute("UPDATE document SET state = 'cancelled' WHERE seq = ?", (seq,))
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def _replaced(column: str, old: str, first: int) -> str:
    return f"CAST(replace(CAST({column} AS TEXT), '{old}', {first} + i) AS BLOB)"


def _copy(db: sqlite3.Connection, table: str, changed: dict[str, str], where: str):
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changed.get(column, column) for column in columns)
    db.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM n, {table} WHERE {where} ORDER BY i")
