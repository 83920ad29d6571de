"""Who may do what over the control socket: members of the groups that the configuration names."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from samples import hand_in, numbered

OTHER_USER, BIN, SYS, ADM, TTY = 65534, 2, 3, 4, 5  # the groups that every Debian has, by number
GROUPS = "control: { socket: control.sock, groups: { read: bin, operate: sys, admin: adm } }"
# dmpfeedctl may lie where another user may not go; the socket does not.
ASK = """
import contextlib, socket, sys
with socket.socket(socket.AF_UNIX) as peer:
    peer.connect("control.sock")
    with contextlib.suppress(BrokenPipeError):  # turned away already: why is there to be read
        peer.sendall(sys.argv[1].encode() + b"\\n")
    for line in peer.makefile():
        print(line, end="")
        if '"ok"' in line:
            break
"""


@pytest.fixture
def gateway(make_gateway):
    if os.geteuid() != 0:
        pytest.skip("only root can become someone else")
    gateway = make_gateway()
    gateway.config.write_text(gateway.config.read_text().replace("control: { socket: control.sock }", GROUPS))
    return gateway.start()


def ask(gateway, group: int, **request) -> dict:
    """The last line of what somebody of that group is answered."""
    gateway.folder.chmod(0o755)
    done = subprocess.run(["/usr/bin/python3", "-c", ASK, json.dumps(request)], cwd=gateway.folder, user=OTHER_USER,
                          group=group, extra_groups=[], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_each_role_may_do_what_it_is_for(gateway):
    doc = hand_in(gateway, "mllp", numbered(1))
    gateway.settled()
    requests = [({"command": "status"}, {BIN, SYS, ADM}), ({"command": "show", "doc": doc}, {BIN, SYS, ADM}),
                ({"command": "hold", "docs": [doc], "dry_run": True}, {SYS, ADM}),
                ({"command": "recall", "doc": doc, "dry_run": True}, {ADM}),
                ({"command": "no such command"}, {ADM})]
    for request, may in requests:
        for group in (BIN, SYS, ADM):
            answer = ask(gateway, group, **request)
            assert (" needs the role " not in answer.get("error", "")) == (group in may), (request, group, answer)
    assert ask(gateway, TTY, command="status")["error"].startswith("only root, the user that runs dmpfeedd and members ")


def test_who_is_refused_learns_whom_to_ask_and_the_journal_tells(gateway):
    assert ask(gateway, BIN, command="hold", docs=[]) == {
        "ok": False, "error": '"hold" needs the role operate, and yours is read: ask as a member of the group sys'}
    gateway.journal.wait(rf"^<4>control peer_uid={OTHER_USER} role=read refused needed=operate$")


CROWD = """
import socket, sys
peers = []
for _ in range(40):
    peers.append(socket.socket(socket.AF_UNIX))
    peers[-1].connect("control.sock")
print("there", flush=True)
sys.stdin.read()
"""


def test_whoever_may_only_look_takes_no_place_of_those_who_reload(gateway):
    gateway.folder.chmod(0o755)
    with subprocess.Popen(["/usr/bin/python3", "-c", CROWD], cwd=gateway.folder, user=OTHER_USER, group=BIN,
                          extra_groups=[], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as crowd:
        assert crowd.stdout.readline() == "there\n"
        gateway.journal.wait(r"control connections=28 one more turned away")
        assert ask(gateway, ADM, command="status")["error"].startswith("too many connections")
        assert gateway.ctl("status")["version"]
        crowd.stdin.close()
