"""scripts/check: what of it is quick is a test too, where the tools are installed; its judge lets nothing pass."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from gateway import PYTHON, SOURCE, is_sanitized

FINDING = "../daemon/base/buf.c:1:2: warning: this is a finding [some-check]\n"


@pytest.mark.parametrize("tool, program", [("tidy", "clang-tidy-14"), ("cppcheck", "cppcheck")])
def test_what_is_quick_finds_nothing(tool, program):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if is_sanitized():
        pytest.skip("the plain build is the one that is looked at")
    done = subprocess.run([SOURCE / "scripts" / "check", "--only", tool], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [["--only"], ["--only", "nonsense"], ["--only", ""], ["tidy"]])
def test_what_it_does_not_know_it_says(arguments):
    done = subprocess.run([SOURCE / "scripts" / "check", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "usage: scripts/check [--only TOOL]..." in done.stderr


def judge(tmp_path, text: str, code: int = 0) -> subprocess.CompletedProcess:
    output = tmp_path / "output"
    output.write_text(text)
    return subprocess.run([PYTHON, SOURCE / "scripts" / "judge.py", "clang", str(code), output],
                          capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("text, code, said", [
    (FINDING, 0, "daemon/base/buf.c:1: this is a finding [some-check]\n1 findings"),
    (FINDING * 2, 0, "daemon/base/buf.c:1: this is a finding [some-check]\n1 findings"),
    (f"{SOURCE}/build/{FINDING}", 0, "daemon/base/buf.c:1: this is a finding"),
    ("daemon/base/buf.c:1:2: error: no check is named\n", 1, "daemon/base/buf.c:1: no check is named [error]"),
    ("Segmentation fault\n", 139, "Segmentation fault\nclang ended with 139"),
])
def test_a_finding_and_a_failure_are_told(tmp_path, text, code, said):
    done = judge(tmp_path, text, code)
    assert done.returncode == 1 and said in done.stdout


@pytest.mark.parametrize("text", ["", "[1/2] Compiling\n", "/usr/include/zip.h:1:2: warning: not ours [some-check]\n"])
def test_what_is_no_finding_of_ours_is_none(tmp_path, text):
    done = judge(tmp_path, text)
    assert (done.returncode, done.stdout) == (0, "0 findings, 0 judged false\n")


def test_a_row_that_excuses_nothing_any_more_is_told(tmp_path):
    (tmp_path / "empty").write_text("")
    done = subprocess.run([PYTHON, SOURCE / "scripts" / "judge.py", "cppcheck", "0", tmp_path / "empty"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "take its row out of scripts/judge.py" in done.stdout


@pytest.mark.parametrize("reached, code, said", [
    ({"daemon/hl7/ack.c": 90, "daemon/main.c": 70}, 0, "at least 80 % in all, 90 % of what is pure"),
    ({"daemon/hl7/ack.c": 89, "daemon/main.c": 99}, 1, "daemon/hl7/*: 89.0 % of the lines, and 90 % are wanted"),
    ({"daemon/hl7/ack.c": 90, "daemon/main.c": 69}, 1, "all: 79.5 % of the lines, and 80 % are wanted"),
])
def test_what_the_tests_reach_is_held_against_what_is_wanted(tmp_path, reached, code, said):
    summary = tmp_path / "summary.json"
    summary.write_text(json.dumps({"files": [
        {"filename": name, "line_covered": lines, "line_total": 100, "branch_covered": 1, "branch_total": 2}
        for name, lines in reached.items()]}))
    done = subprocess.run([PYTHON, SOURCE / "scripts" / "coverage.py", summary], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == code and done.stdout.endswith(said + "\n")
    assert re.search(r"daemon/hl7 +100 lines +\d+\.0 % +2 branches +50\.0 %", done.stdout)
