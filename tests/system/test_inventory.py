"""tests/README.md names tests that there are."""

from __future__ import annotations

import re

import pytest

from gateway import SOURCE

TESTS = SOURCE / "tests"
TABLE = [line for line in (TESTS / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.split("|")[1].strip())
def test_each_failure_has_its_tests(row):
    names = re.findall(r"`([^`]+)`", row.split("|")[2])
    assert names
    for name in names:
        file, _, function = name.partition("::")
        path = TESTS / file if file.endswith(".c") else TESTS / "system" / file
        assert path.is_file(), name
        assert f"\ndef {function}(" in path.read_text(encoding="utf-8") or not function, name
