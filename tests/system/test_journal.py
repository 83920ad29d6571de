"""The journal: a real journald in namespaces of its own, and what it says of the lines that it was given."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from gateway import DAEMON, SOURCE, Gateway, Mllp
from samples import mdm_t02, numbered

JOURNALD = pathlib.Path("/lib/systemd/systemd-journald")

# journald with a /run that only it and its children see; then, line by line, what the test says. What comes from the
# kernel and from the machine's other programs is not read.
BESIDE = """
mount -t tmpfs none /run && mkdir -p /run/systemd/journald.conf.d || exit 77
printf '[Journal]\\nStorage=volatile\\nReadKMsg=no\\nAudit=no\\n' >/run/systemd/journald.conf.d/test.conf
"$0" >/dev/null 2>&1 &
until [ -S /run/systemd/journal/stdout ]; do sleep 0.02; kill -0 $! || exit 77; done
echo ready
while read -r command; do eval "$command"; echo "ended $?"; done
"""

# As systemd does: standard error is connected to the journal, and JOURNAL_STREAM says so (systemd-cat of 252 does not).
AS_A_SERVICE = ("systemd-cat --stderr-priority=err sh -c "
                "'JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr) exec \"$0\" --config \"$1\"'")


class Journald:
    """What it keeps is read with journalctl."""

    def __init__(self):
        if os.geteuid() != 0 or not JOURNALD.exists() or shutil.which("systemd-cat") is None:
            pytest.skip("needs root and systemd-journald")
        self.shell = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", BESIDE,
                                       JOURNALD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.shell.stdout.readline() != "ready\n":
            self.close()
            pytest.skip("this machine lets nobody start a journald in namespaces of its own")

    def run(self, command: str) -> list[str]:
        self.shell.stdin.write(command + "\n")
        self.shell.stdin.flush()
        said = []
        while not (line := self.shell.stdout.readline()).startswith("ended "):
            assert line, f"{command}: {said}"
            said.append(line.rstrip("\n"))
        assert line == "ended 0\n", f"{command}: {said}"
        return said

    def entries(self, *matches: str) -> list[dict]:
        return [json.loads(line) for line in
                self.run(f"journalctl --sync; journalctl --no-pager -q -o json {' '.join(matches)}")]

    def wait(self, *matches: str, timeout: float = 20) -> dict:
        deadline = time.monotonic() + timeout
        while not (found := self.entries(*matches)):
            assert time.monotonic() < deadline, [entry["MESSAGE"] for entry in self.entries("SYSLOG_IDENTIFIER=dmpfeedd")]
            time.sleep(0.05)
        return found[0]

    def close(self):
        self.shell.stdin.close()
        self.shell.wait(30)
        self.shell.stdout.close()


@pytest.fixture
def journald():
    with contextlib.closing(Journald()) as journald:
        yield journald


def address_in(entry: dict) -> tuple[str, int]:
    host, _, port = entry["DMPFEED_ADDRESS"].rpartition(":")
    return host, int(port)


def test_a_line_is_an_entry_with_fields_to_search_by(journald, simulator, tmp_path):
    gateway = Gateway(tmp_path / "gateway", simulator.url, simulator.pki)
    gateway.config.write_text(gateway.config.read_text().replace("burst: 0", "burst: 3, interval: 1 h"))
    journald.run(f"cd {gateway.folder}; {AS_A_SERVICE} {DAEMON} {gateway.config} & daemon=$!")
    started = journald.wait("SYSLOG_IDENTIFIER=dmpfeedd", "DMPFEED_ENVIRONMENT=rehearsal")
    assert (started["PRIORITY"], started["_TRANSPORT"]) == ("6", "journal")
    assert started["MESSAGE"].startswith("started version=") and started["_COMM"] == "dmpfeedd"
    with Mllp(address_in(journald.wait("DMPFEED_NAME=mllp"))) as mllp:
        assert mllp.send(mdm_t02(numbered(1))).code == "AA"
        for _ in range(20):
            assert mllp.send(mdm_t02(numbered(2)).replace(b"PID|", b"ZZZ|")).code != "AA"
    delivered = journald.wait("DMPFEED_OUTCOME=delivered")
    assert [entry["PRIORITY"] for entry in journald.entries("DOC=" + delivered["DOC"])].count("6") >= 2
    received = journald.entries("DOC=" + delivered["DOC"], "DMPFEED_CHANNEL=mllp")[0]
    assert received["MESSAGE"].startswith(f"doc={delivered['DOC']} received ") and received["DMPFEED_SOURCE"] == "DPI"
    refused = journald.wait("PRIORITY=4", "DMPFEED_ACK=AE")
    assert "DOC" not in refused and refused["DMPFEED_CHANNEL"] == "mllp"
    assert len(journald.entries("DMPFEED_ACK=AE")) == 3
    journald.run("kill $daemon; wait $daemon")
    assert journald.wait("MESSAGE=stopped")
    flood = journald.wait("PRIORITY=4", "DMPFEED_LEFT_OUT=17")
    assert re.match(r"left_out=17: 17 more like this in \d+ s: refused channel=mllp ", flood["MESSAGE"])


# ---- the catalogue ----

def keys_of(source: pathlib.Path) -> set[str]:
    """The keys in what that file logs: each key=, at the start of a word of a text."""
    text = source.read_text()
    found = set()
    for call in re.finditer(r"\blog_(?:error|warning|info|debug|line)\(((?:[^;\"]|\"(?:\\.|[^\"\\])*\")*);", text):
        for literal in re.findall(r"\"((?:\\.|[^\"\\])*)\"", call[1]):
            found |= set(re.findall(r"(?:^|(?<= )|(?<=%s))([a-z_]+)=(?=%|$)", literal))
    return found


def test_every_key_of_a_line_is_in_the_catalogue():
    catalogue = set(re.findall(r'^\t\{ "([a-z_]+)", "', (SOURCE / "daemon" / "base" / "log_entry.c").read_text(), re.MULTILINE))
    used = set().union(*(keys_of(source) for source in (SOURCE / "daemon").rglob("*.c")))
    assert {"doc", "alert", "reason", "forgotten", "days_left"} < used, "the sources are read"
    assert used - catalogue == set()
    assert catalogue - used == {"left_out", "lost"}  # log.c writes them by itself
