"""The socket of dmpfeedctl: what a member of a group that may ask can write into it."""

from __future__ import annotations

import contextlib
import json
import socket

import pytest

from attacks import TEXTS
from harm import assert_unharmed
from samples import numbered

ULID = "01J9ZZZZZZZZZZZZZZZZZZZZZZ"
LONG = "x" * 40_000

NO_COMMAND = "this is not a command of this dmpfeedd"

# Lines that are no request.
LINES = {
    "nothing": b"",
    "no JSON": b"GET / HTTP/1.1",
    "a list": b'["list"]',
    "a number": b"5",
    "null": b"null",
    "an open string": b'{"command": "list',
    "nested lists": b"[" * 60_000,
    "nested objects": b'{"a":' * 10_000,
    "NUL": b'{"command": "li\0st"}',
    "NUL by escape": b'{"command": "list\\u0000"}',
    "no UTF-8": b'{"command": "\xff\xfe"}',
    "half a surrogate": b'{"command": "\\ud800"}',
    "a key twice": b'{"command": "list", "command": "cancel"}',
    "a number without end": b'{"command": "list", "limit": ' + b"9" * 400 + b"}",
    "a fraction without end": b'{"command": "list", "limit": 1e400}',
    "two objects": b'{"command": "list"} {"command": "list"}',
    "the terminal": b'{"command": "\x1b[2J"}',
}

# Requests of the right form with values of the wrong one.
REQUESTS = {
    "no command": ({}, "command"),
    "a command that is none": ({"command": "forged"}, "command"),
    "a command of another type": ({"command": ["list"]}, "command"),
    "a document that is none": ({"command": "show", "doc": "forged"}, "doc"),
    "a document with a path": ({"command": "show", "doc": "../../etc/passwd"}, "doc"),
    "a document with SQL": ({"command": "show", "doc": "' OR 1=1 --"}, "doc"),
    "a document of another type": ({"command": "show", "doc": {"a": 1}}, "doc"),
    "a document that is not there": ({"command": "show", "doc": ULID}, "no document"),
    "a state that is none": ({"command": "list", "state": "' OR 1=1 --"}, "state"),
    "a reason that is none": ({"command": "list", "reason": LONG}, "reason"),
    "an object in an object": ({"command": {"command": "list"}}, "command is a text in quotes"),
    "documents of another type": ({"command": "release", "docs": "all"}, "docs is a list of texts in quotes"),
    "neither documents nor a reason": ({"command": "release"}, "name documents, or a reason"),
    "an empty reason": ({"command": "release", "reason": ""}, "reason is a text in quotes with something in it"),
    "documents that are none": ({"command": "cancel", "docs": ["forged"]}, "'forged' is not a document's id"),
    "a reason in place of documents": ({"command": "retry", "reason": "'; DROP TABLE document; --"}, "reason"),
    "as many rows as a text says": ({"command": "list", "limit": "7"}, 'limit is a number above 0, not "7"'),
    "no rows": ({"command": "stays", "without_letter": True, "limit": 0}, "limit is a number above 0, not 0"),
    "acts without end": ({"command": "audit", "limit": -1}, "limit is a number above 0, not -1"),
    "rows by the list": ({"command": "list", "limit": [1, {"a": None}]}, 'not [1,{"a":null}]'),
    "a recall of nothing": ({"command": "recall", "doc": "%n%n%s"}, "doc"),
    "a backup without a name": ({"command": "backup"}, "absolute path"),
    "a backup of another type": ({"command": "backup", "file": 5}, "file is a text in quotes"),
    "a backup into a folder that is not": ({"command": "backup", "file": "/nonexistent/forged"}, "/nonexistent/forged"),
    "an import of a device": ({"command": "import-denominators", "file": "/dev/zero"}, "no file of targets"),
    "an import of a folder": ({"command": "import-denominators", "file": "/etc"}, "no file of targets"),
}


def ask(gateway, line: bytes) -> list[dict]:
    """All answers until the last one, or until the daemon ends the connection."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(20)
        asking.connect(str(gateway.folder / "control.sock"))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            asking.sendall(line + b"\n")
        asking.shutdown(socket.SHUT_WR)
        with asking.makefile("rb") as answers:
            return [json.loads(answer) for answer in answers]


def refusal(gateway, line: bytes) -> str:
    *rows, last = ask(gateway, line)
    assert rows == [] and last["ok"] is False
    assert len(last["error"]) < 70_000
    return last["error"]


@pytest.mark.parametrize("case", LINES)
def test_what_is_no_request_is_told_so(gateway, case):
    assert refusal(gateway, LINES[case]) == NO_COMMAND


@pytest.mark.parametrize("case", REQUESTS)
def test_what_cannot_be_asked_is_told_so(gateway, case):
    request, word = REQUESTS[case]
    error = refusal(gateway, json.dumps(request).encode())
    assert word in error, error
    assert "root:" not in error


@pytest.mark.parametrize("attack", TEXTS)
@pytest.mark.parametrize("command, key", [("list", "state"), ("list", "reason"), ("list", "site"), ("show", "doc"),
                                          ("release", "reason"), ("hold", "doc"), ("stays", "site")])
def test_no_value_is_a_part_of_a_question_to_the_database(gateway, command, key, attack):
    """A site that does not exist has no documents; all else is refused."""
    *rows, last = ask(gateway, json.dumps({"command": command, key: TEXTS[attack]}).encode())
    assert rows == []
    assert last["ok"] is False or key == "site"


def test_the_daemon_is_unharmed(before):
    assert_unharmed(before, lambda: numbered(1))
