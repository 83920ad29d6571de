"""The drop folder: names of files, what is no file, and every value of a sidecar."""

from __future__ import annotations

import collections
import hashlib
import os
import re
import socket

import pytest
import yaml

from attacks import TEXTS, marked
from gateway import file_digest
from harm import assert_unharmed
from samples import DATA, numbered, unique_id

GOOD_SIDECAR = yaml.safe_load((DATA / "pair" / "letter.yaml").read_text(encoding="utf-8"))


def drop(gateway, name: str, content: bytes):
    """Renamed into place; Gateway.drop() would make too long a name of a long one."""
    (gateway.inbox / ".part").write_bytes(content)
    (gateway.inbox / ".part").rename(gateway.inbox / name)


# ---- names ----

NAMES = {
    "a shell's": "$(touch forged);`touch forged`|cat.xml",
    "an option": "-rf --config=forged.xml",
    "SQL": "'; DROP TABLE document; --.xml",
    "formats": "%n%n%s%999999d.xml",
    "a line": "x\n<3>forged a line.xml",
    "a return": "x\r\n<3>forged\r.xml",
    "the terminal": "x\x1b[2J\x07.xml",
    "C1 controls": "x\u009b2J\u0085.xml",
    "bidi": "x\u202elmx.exe\u2066\u2028.xml",
    "quotes": "a \"letter\": #1\\ {é} 'b'.xml",
    "HTML": "<script>forged<.xml",
    "JSON": '"},{"ok":true.xml',
    "a path": "up\\..\\..\\..\\etc\\forged.xml",
    "dots": "x..xml",
    "blanks": "  x  .xml",
    "255 bytes": "x" * 251 + ".xml",
    "characters of four bytes": "\U0001f600" * 60 + ".xml",
    "a name of ours": "done.xml",
    "another": "rejected.error.xml",
    "a patient's": "DUPONT JEANNE 279035121518989.xml",
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_is_only_a_name(gateway, kind):
    cda = numbered(list(NAMES).index(kind))
    drop(gateway, NAMES[kind], cda)
    assert gateway.wait_moved(NAMES[kind]) == "done"
    (kept,) = gateway.inbox.glob("done/*/")
    assert (kept / NAMES[kind]).read_bytes() == cda
    assert unique_id(cda) in {each["unique_id"] for each in gateway.documents()}


@pytest.mark.parametrize("kind", NAMES)
def test_the_explanation_under_any_name_is_yaml(gateway, kind):
    number = f"b{list(NAMES).index(kind):02}"
    name = number + NAMES[kind][min(3, len(NAMES[kind]) - 4):]
    drop(gateway, name, b"no XML")
    assert gateway.wait_moved(name) == "rejected"
    (folder,) = gateway.inbox.glob("rejected/*/")
    (note,) = [path for path in folder.iterdir() if path.name.startswith(number) and path.name.endswith(".error.yaml")]
    told = yaml.safe_load(note.read_text(encoding="utf-8"))
    assert told["file"] == name
    assert [each["reason"] for each in told["errors"]] == ["document_invalid"]


def test_a_name_that_is_not_utf_8_is_moved_and_explained(gateway):
    drop(gateway, os.fsdecode(b"caf\xe9\xff.xml"), b"no XML")
    digest = hashlib.sha256(b"caf\xe9\xff.xml").hexdigest()[:12]
    gateway.journal.wait(rf"file={digest} .*moved=rejected")
    (note,) = gateway.inbox.glob("rejected/*/caf*.error.yaml")
    assert [each["reason"] for each in yaml.safe_load(note.read_bytes())["errors"]] == ["document_invalid"]


NO_FILES = {
    "a pipe": os.mkfifo,
    "a folder": os.mkdir,
    "a link to a file": lambda path: os.symlink("/etc/passwd", path),
    "a link to a folder": lambda path: os.symlink("/etc", path),
    "a link to itself": lambda path: os.symlink(path, path),
    "a link to nothing": lambda path: os.symlink("/nonexistent", path),
}


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_stays_where_it_is(gateway, kind):
    path = gateway.inbox / f"{kind.replace(' ', '-')}.xml"
    NO_FILES[kind](path)
    gateway.journal.wait(rf"^<4>.*file={file_digest(path.name)}: not a regular file")
    assert os.path.lexists(path)


def test_a_socket_stays_where_it_is(gateway):
    path = gateway.inbox / "socket.xml"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(path))
        gateway.journal.wait(rf"^<4>.*file={file_digest(path.name)}: not a regular file")
        assert path.is_socket()


# ---- sidecars ----

TAKEN = None

# What becomes of any text at a key: taken, or the reason and how the sentence begins.
KEYS = {
    "type": ("type_not_accepted", "type is not in the DMP's list"),
    "title": TAKEN,
    "date": ("sidecar_invalid", "date is not a moment"),
    "confidentiality": ("sidecar_invalid", "confidentiality "),
    "hidden_from": ("sidecar_invalid", "hidden_from is not a list"),
    "secret_connection": ("sidecar_invalid", "secret_connection is not true or false"),
    "site": ("sidecar_invalid", "site is not a FINESS"),
    "replaces": ("sidecar_invalid", "replaces is not an OID"),
    "version": ("sidecar_invalid", "version is not a number"),
    "set_id": ("sidecar_invalid", "set_id is not an OID"),
    "patient.ins": ("ins_invalid", "patient.ins is not an INS"),
    "patient.ins_oid": ("sidecar_invalid", "patient.ins_oid is not a domain of the INS"),
    "patient.identity": ("sidecar_invalid", "patient.identity "),
    "patient.id": ("sidecar_invalid", "patient.id "),
    "patient.id_oid": ("sidecar_invalid", "patient.id_oid is not an OID"),
    "patient.family": TAKEN,
    "patient.given": TAKEN,
    "patient.given_names": TAKEN,
    "patient.sex": ("sidecar_invalid", "patient.sex "),
    "patient.birth_date": ("sidecar_invalid", "patient.birth_date "),
    "patient.birth_place": ("sidecar_invalid", "patient.birth_place "),
    "author.id": ("sidecar_invalid", "author.id is not an identifier"),
    "author.family": TAKEN,
    "author.given": TAKEN,
    "author.prefix": TAKEN,
    "author.specialty": ("sidecar_invalid", "author.specialty is not in the DMP's list"),
    "author.finess": ("sidecar_invalid", "author.finess is not a FINESS"),
    "author.organisation": TAKEN,
    "act.start": ("sidecar_invalid", "act.start "),
    "act.code_system": ("sidecar_invalid", "act.code"),
    "stay.class": ("sidecar_invalid", "stay.class is not"),
}

WRITTEN = {**TEXTS, "a line": "x\n<3>forged a line", "the terminal": "forged\x1b[2J", "NUL": "forged\0b",
           "HTML": '"><script>forged</script>', "XML": "]]></title><forged/>"}
NOT_ONE_LINE = ("a line", "the terminal", "NUL")

PAIRS = [(key, attack) for key in KEYS for attack in WRITTEN]


IDENTIFIER = r"[!-%\'-\]_-{}]{1,64}"


def written(key: str, attack: str) -> str:
    place = ("PID-" if key.startswith("patient.") else "") + key.replace(".", "-")
    return marked(WRITTEN[attack], place)


def expected(key: str, attack: str) -> tuple | None:
    if key in ("author.id", "patient.id") and re.fullmatch(IDENTIFIER, written(key, attack)):
        return TAKEN
    if KEYS[key] is TAKEN and attack in NOT_ONE_LINE:
        return ("sidecar_invalid", f"{key} is not one line")
    return KEYS[key]


def sidecar(number: int, key: str, attack: str) -> bytes:
    tree = {name: dict(value) if isinstance(value, dict) else value for name, value in GOOD_SIDECAR.items()}
    *folders, last = key.split(".")
    at = tree
    for folder in folders:
        at = at.setdefault(folder, {})
    at[last] = written(key, attack)
    return yaml.safe_dump(tree, allow_unicode=True, width=10_000).encode()


def pair_name(number: int) -> str:
    return f"pair-{number}"


@pytest.fixture(scope="module")
def dropped(gateway):
    """All of them at once; each then waits for its own."""
    for number, (key, attack) in enumerate(PAIRS):
        gateway.drop(pair_name(number) + ".yaml", sidecar(number, key, attack))
        gateway.drop(pair_name(number) + ".txt", f"Compte rendu {number}.\n".encode())
    return gateway


def errors_of(gateway, name: str) -> list[dict]:
    (note,) = gateway.inbox.glob(f"rejected/*/{name}.error.yaml")
    return yaml.safe_load(note.read_text(encoding="utf-8"))["errors"]


@pytest.mark.parametrize("key", KEYS)
def test_a_value_of_a_sidecar_is_kept_or_refused_by_its_key(dropped, key):
    for attack in WRITTEN:
        name = pair_name(PAIRS.index((key, attack)))
        moved, wanted = dropped.wait_moved(name + ".txt"), expected(key, attack)
        if wanted is TAKEN:
            assert moved == "done", (attack, errors_of(dropped, name))
            continue
        assert moved == "rejected", attack
        first, *_ = errors_of(dropped, name)
        assert (first["reason"], first["text"][:len(wanted[1])]) == wanted, attack


def test_what_was_taken_was_delivered(gateway):
    ends = collections.Counter((each["state"], each["reason"]) for each in gateway.settled(60).values())
    assert ends == {("delivered", None): len(NAMES) + sum(expected(*pair) is TAKEN for pair in PAIRS)}


def test_the_daemon_is_unharmed(before):
    assert_unharmed(before, lambda: numbered(len(NAMES)))
