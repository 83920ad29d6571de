"""scripts/fuzz and its targets: what ordinary builds replay is what it looks for."""

from __future__ import annotations

import os
import re
import shutil
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
    (["--nonsense"], "usage: scripts/fuzz [--seconds N] [--afl] [--coverage] [TARGET]"),
])
def test_what_it_does_not_know_it_says(arguments, words):
    done = subprocess.run([SOURCE / "scripts" / "fuzz", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and words in done.stderr


def test_without_afl_it_says_so(tmp_path):
    for name, text in ("dpkg-query", 'case "$*" in *afl*) exit 1 ;; esac; printf installed'), ("apt-get", "exit 100"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run([SOURCE / "scripts" / "fuzz", "--afl", "mllp"], capture_output=True, text=True, timeout=60,
                          env=os.environ | {"PATH": path, "DMPFEED_BUILD": str(tmp_path / "build")})
    assert done.returncode == 77 and "nothing is fuzzed with it" in done.stderr
    assert not (tmp_path / "build-afl").exists()


def test_afl_runs_the_same_targets(request, tmp_path):
    if shutil.which("afl-fuzz") is None:
        pytest.skip("AFL++ (Debian's package afl++) is not installed")
    if not request.config.getoption("--every"):
        pytest.skip("builds all of it for AFL++: with --every")
    done = subprocess.run([SOURCE / "scripts" / "fuzz", "--afl", "--seconds", "5", "mllp"], capture_output=True,
                          text=True, timeout=1800, env=os.environ | {"DMPFEED_BUILD": str(tmp_path / "build")})
    executions = re.search(r"^mllp +held +(\d+) executions", done.stdout, re.MULTILINE)
    assert done.returncode == 0 and int(executions[1]) > 100, done.stderr
    assert list((tmp_path / "build-fuzz" / "found" / "mllp" / "corpus").glob("id:*"))
