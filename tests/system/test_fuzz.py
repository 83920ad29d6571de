"""scripts/fuzz and its targets: what ordinary builds replay is what it looks for."""

from __future__ import annotations

import re
import subprocess

import pytest

from gateway import SOURCE

FUZZ = SOURCE / "tests" / "fuzz"
TARGETS = sorted(path.stem.removeprefix("fuzz_") for path in FUZZ.glob("fuzz_*.c"))


def test_every_target_is_built_and_has_a_corpus():
    listed = re.search(r"fuzz_targets = \[(.*?)\]", (FUZZ / "meson.build").read_text(), re.DOTALL)[1]
    assert sorted(re.findall(r"'(\w+)'", listed)) == TARGETS
    for target in TARGETS:
        files = [path for path in (FUZZ / "corpus" / target).iterdir() if path.is_file()]
        assert 0 < len(files) < 200, target
        assert sum(path.stat().st_size for path in files) < 1 << 20, target
    assert sorted(path.name for path in (FUZZ / "corpus").iterdir()) == TARGETS


@pytest.mark.parametrize("arguments, words", [
    (["nonsense"], "there are: " + " ".join(TARGETS)),
    (["--nonsense"], "usage: scripts/fuzz [--seconds N] [--coverage] [TARGET]"),
])
def test_what_it_does_not_know_it_says(arguments, words):
    done = subprocess.run([SOURCE / "scripts" / "fuzz", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and words in done.stderr
