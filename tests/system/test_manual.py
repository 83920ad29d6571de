"""The manual pages and the completion, held to the programs: nothing is missing from them, nothing in them is gone."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess

import pytest

from gateway import BUILD, DAEMON, SIMULATOR, SOURCE

CTL = BUILD / "daemon" / "dmpfeedctl"
PAGES = (SOURCE / "daemon" / "dmpfeedctl.1", SOURCE / "daemon" / "dmpfeedd.8", BUILD / "daemon" / "dmpfeed.yaml.5",
         SOURCE / "tests" / "simulator" / "dmpfeed-sim.1", BUILD / "daemon" / "dmpfeed-journal.7",
         BUILD / "daemon" / "dmpfeed-reasons.7")
COMPLETION = SOURCE / "conf" / "completion" / "dmpfeedctl"


def help_of(program) -> str:
    return subprocess.run([program, "--help"], env={"LC_ALL": "C.UTF-8"}, capture_output=True, text=True, check=True).stdout


def commands() -> dict[str, set[str]]:
    """Of dmpfeedctl: each command, with the options that it takes."""
    section = help_of(CTL).split("Commands\n")[1].split("\nOptions\n")[0]
    lines = [line.strip() for line in section.splitlines() if line.startswith("  ") and not line.startswith("   ")]
    return {line.split()[0]: set(re.findall(r"--([a-z-]+)", line)) for line in lines}


def plain(page) -> str:
    return page.read_text().replace("\\-", "-")


def offered(*words: str, folder=None) -> set[str]:
    """What bash offers after those words."""
    script = ('source "$1"; shift; COMP_WORDS=(dmpfeedctl "$@"); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); _dmpfeedctl; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", COMPLETION, *words], capture_output=True, text=True, check=True,
                          cwd=folder)
    return set(done.stdout.split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_well_formed(page):
    if shutil.which("groff") is None:
        pytest.skip("no groff on this machine")
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-Wbreak", "-k", "-z", page], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_and_option_of_dmpfeedctl_is_explained():
    page = plain(PAGES[0])
    for command, options in commands().items():
        found = re.search(rf"^\.B[RI]? {re.escape(command)}\b(.*)$", page, re.M)
        assert found, command
        assert options == set(re.findall(r"--([a-z-]+)", found[1])), command
    explained = set(re.findall(r"--([a-z-]+)", page.split(".SH OPTIONS")[1].split(".SH EXIT")[0]))
    assert explained == set(re.findall(r"^  --([a-z-]+)", help_of(CTL), re.M))


def test_every_option_of_dmpfeedd_is_explained():
    explained = set(re.findall(r"--([a-z-]+)", plain(PAGES[1]).split(".SH OPTIONS")[1].split(".SH SIGNALS")[0]))
    assert explained == set(re.findall(r"--([a-z-]+)", help_of(DAEMON)))


def test_every_reason_is_explained_and_offered():
    codes = set(re.findall(r'\[REASON_\w+\] = \{ "(\w+)"', (SOURCE / "daemon" / "base" / "reason.c").read_text()))
    assert len(codes) > 40
    assert set(re.findall(r"^\.B (\w+)$", plain(PAGES[5]).split(".SH REASONS")[1], re.M)) == codes
    assert offered("list", "--reason", "") == offered("retry", "--reason", "") == codes


def test_bash_completes_by_itself(tmp_path):
    """An interactive bash, on a terminal: the tab key is pressed."""
    (tmp_path / "rc").write_text(f"PS1='ready> '; bind 'set enable-bracketed-paste off'; source {COMPLETION}\n"
                                 "dmpfeedctl() { echo \"<$*>\"; }\n")
    main, other = pty.openpty()
    shell = subprocess.Popen(["bash", "--noprofile", "--rcfile", tmp_path / "rc", "-i"], stdin=other, stdout=other, stderr=other,
                             env={"TERM": "dumb", "PATH": os.environ["PATH"], "HOME": str(tmp_path)}, start_new_session=True)
    os.close(other)
    said = b""

    def wait_for(words: bytes):
        nonlocal said
        while words not in said:
            assert select.select([main], [], [], 30)[0], said
            said += os.read(main, 4096)
        said = said.split(words, 1)[1]
    wait_for(b"ready> ")
    for typed, run in (("statu\t", b"<status>"), ("list --st\trej\t", b"<list --state rejected>"), ("imp\to\tx", b"<import-official x>")):
        os.write(main, f"dmpfeedctl {typed}\n".encode())
        wait_for(run)
    os.write(main, b"exit\n")
    assert shell.wait(30) == 0
    os.close(main)


def test_every_option_of_dmpfeed_sim_is_explained():
    explained = set(re.findall(r"--([a-z-]+)", plain(PAGES[3]).split(".SH MAKING")[1].split(".SH EXAMPLE")[0]))
    assert explained == set(re.findall(r"^  --([a-z-]+)", help_of(SIMULATOR), re.M))


def test_bash_offers_the_commands_and_their_options(tmp_path):
    everywhere = {"--socket", "--json", "--help", "--version"}
    known = commands()
    assert offered("") == set(known) | everywhere
    for command, options in known.items():
        assert offered(command, "", folder=tmp_path) == {"--" + option for option in options} | everywhere, command
    assert offered("list", "--state", "re") == {"refused", "rejected"}
    (tmp_path / "figures.csv").touch()
    for command in ("backup", "import-denominators", "import-official"):
        assert offered(command, "fig", folder=tmp_path) == {"figures.csv"}
