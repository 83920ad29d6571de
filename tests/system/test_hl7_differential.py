"""Our parser of HL7 v2 against python3-hl7, another one, on every message at hand: the same parts at the same places."""

from __future__ import annotations

import json
import pathlib
import subprocess

import hl7
import pytest

from gateway import BUILD, SOURCE

PRINT = BUILD / "tests" / "print_message"
FOLDERS = (SOURCE / "tests" / "data" / "hl7", SOURCE.parent / "shared" / "corpus" / "hl7")
BLANKS = " \t\r\n\u00a0"


def messages() -> list[pathlib.Path]:
    return sorted(path for folder in FOLDERS if folder.is_dir() for path in folder.rglob("*") if path.is_file())


def ours(path: pathlib.Path) -> dict[tuple, str] | str:
    """What we find at each place; the reason when we refuse the message."""
    done = subprocess.run([PRINT, path], capture_output=True, text=True, timeout=30)
    if done.returncode == 1:
        return done.stdout.strip()
    assert done.returncode == 0, done.stderr
    parts = [json.loads(line) for line in done.stdout.splitlines()]
    return {(*place,): value.encode("latin-1").decode("utf-8") for *place, value in parts}


def pieces(container) -> list:
    """The children of a level that the other parser may have left out, where there is one child only."""
    return list(container) if isinstance(container, hl7.Container) else [container]


def theirs(text: str) -> dict[tuple, str]:
    found = {}
    segments = [line.strip(BLANKS) for line in text.replace("\r\n", "\r").replace("\n", "\r").split("\r")]
    for number, segment in enumerate(hl7.parse("\r".join(line for line in segments if line))):
        name = str(segment[0])
        for at, field in enumerate(segment[1:], 1):
            for repetition_at, repetition in enumerate(pieces(field), 1):
                for component_at, component in enumerate(pieces(repetition), 1):
                    for part_at, part in enumerate(pieces(component), 1):
                        found[number, name, at, repetition_at, component_at, part_at] = str(part)
    return found


def without_blank_ends(parts: dict[tuple, str]) -> dict[tuple, str]:
    """We cut the blanks at the end of a field; what is empty is as good as absent."""
    last = {place[:3]: place for place in sorted(parts)}
    return {place: cut for place, value in parts.items()
            if (cut := value.rstrip(BLANKS) if last[place[:3]] == place else value)}


@pytest.mark.parametrize("path", messages(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_both_parsers_find_the_same(path):
    text = path.read_bytes().decode("utf-8-sig")
    found = ours(path)
    if not text.startswith("MSH"):
        assert found == "no_header", "prose before the message"
        return
    assert isinstance(found, dict), found
    assert without_blank_ends(found) == without_blank_ends(theirs(text))
    assert any(place[1] == "MSH" for place in found)
