"""The files that an administrator writes, or copies from somebody: refused with their place, in little time and memory."""

from __future__ import annotations

import pathlib
import re
import resource
import shutil
import subprocess

import pytest

from attacks import MIB, TEXTS
from gateway import CONFIG, DAEMON, DEFAULTS, SOURCE, is_sanitized
from harm import OBEYED

LEVELS = "abcdefghij"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip(LEVELS, LEVELS[1:]))


def config(pki, **settings) -> str:
    return CONFIG.format(**{**DEFAULTS, **settings, "url": "https://127.0.0.1:1/si-dmp-server/v2/services", "pki": pki})


def bounded():
    """A reader that wants more than this is refused it."""
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
    if not is_sanitized():
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))


def check(folder: pathlib.Path, content: bytes) -> subprocess.CompletedProcess:
    (folder / "in").mkdir(exist_ok=True)
    (folder / "dmpfeed.yaml").write_bytes(content)
    return subprocess.run([DAEMON, "--config", folder / "dmpfeed.yaml", "--check-config"], cwd=folder, timeout=60,
                          capture_output=True, preexec_fn=bounded)


def complaint(done: subprocess.CompletedProcess) -> str:
    said = done.stderr.decode()  # whatever came: UTF-8
    assert done.returncode == 1, said
    assert not [line for line in said.splitlines() if OBEYED.search(line)], "the terminal obeys a line"
    assert "root:" not in said and len(said) < 100_000
    return said


def test_the_file_without_anything_hostile_passes(pki, tmp_path):
    done = check(tmp_path, config(pki).encode())
    assert done.returncode == 0, done.stderr.decode()


# What is put before, into or instead of the file, and the complaint; its place is a line and a column.
FILES = {
    "a bomb of aliases": (lambda good: (BOMB + good).encode(), r"dmpfeed\.yaml:1:4: .*anchors"),
    "an alias": (lambda good: ("a: *x\n" + good).encode(), r"dmpfeed\.yaml:1:4: "),
    "a merge": (lambda good: ("<<: {a: 1}\n" + good).encode(), r"dmpfeed\.yaml:1:1: "),
    "a tag": (lambda good: good.replace("workers: 2", 'workers: !!python/object/apply:os.system ["id"]').encode(),
              r"dmpfeed\.yaml:\d+:10: "),
    "nested lists": (lambda good: b"a: " + b"[" * 100_000, r"dmpfeed\.yaml:1:\d+: .*deep"),
    "nested maps": (lambda good: b"{a: " * 100_000, r"dmpfeed\.yaml:1:\d+: .*deep"),
    "nested lines": (lambda good: b"".join(b" " * n + b"a:\n" for n in range(2000)), r"dmpfeed\.yaml:\d+:\d+: "),
    "two documents": (lambda good: (good + "---\nenvironment: production\n").encode(), r"dmpfeed\.yaml:\d+:\d+: "),
    "a key twice": (lambda good: (good + "environment: production\n").encode(), r"dmpfeed\.yaml:\d+:1: .*line 1 already"),
    "NUL": (lambda good: good.replace("workers: 2", "workers: 2\0").encode(), r"dmpfeed\.yaml:3:\d+: "),
    "the terminal": (lambda good: good.replace("workers: 2", 'workers: "\x1b[2J"').encode(), r"dmpfeed\.yaml:3:\d+: "),
    "the terminal by escape": (lambda good: good.replace("workers: 2", 'workers: "\\e[2J\\x9b"').encode(), r"dmpfeed\.yaml:3:10: "),
    "no UTF-8": (lambda good: good.encode().replace(b"workers: 2", b"workers: \xff\xfe\xc3("), r"dmpfeed\.yaml:3:\d+: "),
    "UTF-16 of nothing": (lambda good: b"\xff\xfe" + b"\0\xd8" * 1000, r"dmpfeed\.yaml:1:\d+: "),
    "nothing": (lambda good: b"", r"dmpfeed\.yaml:1:1: "),
    "zeros": (lambda good: bytes(MIB), r"dmpfeed\.yaml:1:1: "),
    "a long key": (lambda good: b"x" * MIB + b": 1\n" + good.encode(), r"dmpfeed\.yaml:1:\d+: "),
    "a long value": (lambda good: good.replace("workers: 2", f"workers: {'9' * MIB}").encode(), r"dmpfeed\.yaml:1:1: the file is larger than 1048576 bytes"),
    "a long comment": (lambda good: b"#" + b"x" * (8 * MIB), r"dmpfeed\.yaml"),
    "many keys": (lambda good: b"".join(b"x%d: 1\n" % n for n in range(20_000)) + good.encode(),
                  r"dmpfeed\.yaml:1001:8: more than 1000 entries"),
    "a number beyond 64 bits": (lambda good: good.replace("workers: 2", "workers: 99999999999999999999").encode(), r"dmpfeed\.yaml:3:10: "),
    "a size that overflows": (lambda good: good.replace("max_size: 20 MiB", "max_size: 99999999999999 GiB").encode(), r"dmpfeed\.yaml:\d+:\d+: "),
    "a duration below zero": (lambda good: good.replace("settle: 200 ms", "settle: -1 s").encode(), r"dmpfeed\.yaml:\d+:\d+: "),
    "an endless file included": (lambda good: ("include: /dev/zero\n" + good).encode(), r"/dev/zero:1:1: cannot be read"),
    "a secret included": (lambda good: ("include: /etc/passwd\n" + good).encode(), r"/etc/passwd:1:\d+: |dmpfeed\.yaml:1:10: "),
    "itself included": (lambda good: ("include: dmpfeed.yaml\n" + good).encode(), r"dmpfeed\.yaml:1:\d+: "),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_is_refused_with_the_place(pki, tmp_path, case):
    make, pattern = FILES[case]
    said = complaint(check(tmp_path, make(config(pki))))
    assert re.search(pattern, said), said[:2000]


# Keys that take no text of one's own, as they stand in the file.
PLACES = {
    "environment": ("environment: rehearsal", "environment: {}"),
    "workers": ("workers: 2", "workers: {}"),
    "log.level": ("level: debug", "level: {}"),
    "valuesets.dir": (f"dir: {SOURCE}/conf/value-sets", "dir: {}"),
    "errors.file": (f"file: {SOURCE}/conf/dmp-errors.csv", "file: {}"),
    "status.listen": ('status: { listen: "127.0.0.1:0"', "status: {{ listen: {}"),
    "lps.oid": ("oid: 1.2.250.1.999.77", "oid: {}"),
    "finess_ej": ('finess_ej: "990000987"', "finess_ej: {}"),
    "finess_eg": ('- { finess_eg: "990012345"', "- {{ finess_eg: {}"),
    "sector": ("sector: SA01", "sector: {}"),
    "url": ("repository: \"https://127.0.0.1:1/si-dmp-server/v2/services/repository\"", "repository: {}"),
    "timeout": ("connect: 5 s", "connect: {}"),
}
WORDS = {**TEXTS, "HTML": "<script>forged</script>"}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("attack", WORDS)
def test_a_value_is_refused_with_its_place(pki, tmp_path, place, attack):
    old, new = PLACES[place]
    good = config(pki)
    assert good.count(old) == 1
    quoted = "'" + WORDS[attack].replace("'", "''") + "'"
    line = good[:good.index(old)].count("\n") + 1
    said = complaint(check(tmp_path, good.replace(old, new.format(quoted)).encode()))
    assert re.search(rf"dmpfeed\.yaml:{line}:\d+: ", said), said[:2000]


# A table of codes that is none: what is done to its bytes, and the complaint.
TABLES = {
    "NUL": (lambda good: good[:500] + b"\0" + good[500:], r"type-code\.csv"),
    "no UTF-8": (lambda good: good[:500] + b"\xff\xfe" + good[500:], r"type-code\.csv: not text in UTF-8"),
    "an open quote": (lambda good: good + b'"open', r"type-code\.csv"),
    "one endless line": (lambda good: b"x," * MIB, r"type-code\.csv"),
    "no columns": (lambda good: b"\n" * 1000, r"type-code\.csv"),
    "endless": (lambda good: good + b"#" * (8 * MIB), r"type-code\.csv"),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_table_of_codes_is_refused_by_its_name(pki, tmp_path, case):
    make, pattern = TABLES[case]
    folder = tmp_path / "value-sets"
    shutil.copytree(SOURCE / "conf" / "value-sets", folder)
    table = folder / "type-code.csv"
    table.write_bytes(make(table.read_bytes()))
    good = config(pki).replace(f"dir: {SOURCE}/conf/value-sets", f"dir: {folder}")
    assert re.search(pattern, complaint(check(tmp_path, good.encode())))
