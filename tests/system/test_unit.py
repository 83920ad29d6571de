"""The unit as systemd runs it, confined, with a real systemd in namespaces (machine.py): skipped where that cannot be."""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import shutil

import pytest

from gateway import BUILD, DAEMON, FINESS_EG, FINESS_EJ, PYTHON, SOURCE, is_sanitized
from machine import Machine, needs_a_machine
from samples import DATA, mdm_t02, numbered

UNITS = SOURCE / "systemd"
PORT = 2575

CONFIG = f"""\
environment: rehearsal
lps: {{ oid: 1.2.250.1.999.77 }}
valuesets: {{ dir: /usr/share/dmpfeed/value-sets }}
intake:
  mllp: [ {{ name: dpi, listen: "127.0.0.1:{PORT}", site: "{FINESS_EG}", source: DPI }} ]
  drop: [ {{ name: labo, folder: /var/spool/dmpfeed/labo, site: "{FINESS_EG}", source: LABO, settle: 0 ms }} ]
establishments:
  - finess_ej: "{FINESS_EJ}"
    name: CH DE VALBRUME
    dmp:
      url: {{ repository: https://127.0.0.1:8443/repository }}
      tls: {{ ca: certificates/ca.pem, cert: certificates/auth.pem, key: certificates/auth.key }}
      sign: {{ cert: certificates/sign.pem, key: certificates/sign.key, chain: certificates/ca.pem }}
    sites: [ {{ finess_eg: "{FINESS_EG}", name: CH DE VALBRUME, sector: SA01 }} ]
"""

SEND = """
import socket, sys
with socket.create_connection(("127.0.0.1", %d)) as connection:
    connection.sendall(b"\\x0b" + sys.stdin.buffer.read() + b"\\x1c\\r")
    print(connection.recv(65536).decode())
""" % PORT


def installed(pki: pathlib.Path) -> dict[str, str | pathlib.Path]:
    """What the package and README's "Install" put there."""
    files: dict[str, str | pathlib.Path] = {
        "/usr/sbin/dmpfeedd": DAEMON, "/usr/bin/dmpfeedctl": BUILD / "daemon" / "dmpfeedctl",
        "/run/units/dmpfeed.service": UNITS / "dmpfeed.service", "/run/units/dmpfeed-mllp.socket": UNITS / "dmpfeed-mllp.socket",
        "/usr/lib/sysusers.d/dmpfeed.conf": UNITS / "dmpfeed.sysusers", "/usr/lib/tmpfiles.d/dmpfeed.conf": UNITS / "dmpfeed.tmpfiles",
        "/srv/letter.pdf": DATA / "pair" / "letter.pdf", "/srv/letter.yaml": DATA / "pair" / "letter.yaml",
        "/etc/dmpfeed/dmpfeed.yaml": CONFIG, "/usr/share/dmpfeed/dmp-errors.csv": SOURCE / "conf" / "dmp-errors.csv",
    }
    for path in (SOURCE / "conf" / "value-sets").iterdir():
        files[f"/usr/share/dmpfeed/value-sets/{path.name}"] = path
    for path in pki.iterdir():
        files[f"/etc/dmpfeed/certificates/{path.name}"] = path
    return files


@pytest.fixture(scope="module")
def machine(pki, tmp_path_factory):
    needs_a_machine()
    if is_sanitized():
        pytest.skip("a sanitizer wants more than the unit allows")
    with contextlib.closing(Machine(tmp_path_factory.mktemp("machine"), installed(pki))) as machine:
        machine.boot()
        machine.run("systemd-sysusers", "dmpfeed.conf")
        machine.run("systemd-tmpfiles", "--create", "dmpfeed.conf")
        machine.run("sh", "-c", "install -d -m 2770 -o dmpfeed -g dmpfeed-drop /var/spool/dmpfeed/labo && chgrp -R dmpfeed /etc/dmpfeed && "
                    "chmod 755 /usr/sbin/dmpfeedd /usr/bin/dmpfeedctl && chmod 640 /etc/dmpfeed/dmpfeed.yaml /etc/dmpfeed/certificates/*")
        machine.run("systemctl", "daemon-reload")
        yield machine


@pytest.fixture
def running(machine):
    machine.run("systemctl", "start", "dmpfeed.service")
    return machine


def documents(machine: Machine) -> list[dict]:
    return json.loads(machine.run("dmpfeedctl", "--json", "list"))


def test_it_starts_and_says_how_it_fares(running):
    assert running.show("dmpfeed", "ActiveState") == "active"  # Type=notify: it has said that it is ready
    running.wait("dmpfeed", "StatusText", "0 to send, 0 held, 0 rejected, 0 delivered")
    assert running.run("systemctl", "is-active", "dmpfeed").strip() == "active"


def test_it_is_confined(running):
    status = running.run("cat", f"/proc/{running.show('dmpfeed', 'MainPID')}/status")
    found = dict(re.findall(r"^(\w+):\s+(.*)$", status, re.MULTILINE))
    assert (found["NoNewPrivs"], found["Seccomp"], int(found["CapEff"], 16), int(found["CapBnd"], 16)) == ("1", "2", 0, 0)
    assert found["Uid"].split()[1] == running.run("id", "-u", "dmpfeed").strip()


def test_a_port_is_held_and_a_document_goes_into_the_queue(running):
    running.run("systemctl", "stop", "dmpfeed.service")
    running.run("systemctl", "start", "dmpfeed-mllp.socket")
    answer = running.run(PYTHON, "-c", SEND, stdin=mdm_t02(numbered(1)).decode())  # which starts the gateway
    assert "MSA|AA|" in answer
    running.wait("dmpfeed", "ActiveState", "active")
    (document,) = documents(running)
    running.run("journalctl", "--sync")
    assert "received channel=mllp" in running.run("journalctl", "-u", "dmpfeed", "-o", "cat", f"DOC={document['doc']}")


def test_a_pdf_is_converted_where_nothing_else_may_be_done(running):
    """Ghostscript has its namespaces and its Landlock within the confinement of the unit."""
    if shutil.which("gs") is None:
        pytest.skip("no Ghostscript on this machine")
    before = len(documents(running))
    running.run("sh", "-c", "cp /srv/letter.* /var/spool/dmpfeed/labo && "
                "timeout 60 sh -c 'until ls /var/spool/dmpfeed/labo/done/*/letter.pdf; do sleep 0.05; done'", timeout=90)
    assert len(documents(running)) == before + 1
    running.run("journalctl", "--sync")
    assert "pdf: the system" not in running.run("journalctl", "-u", "dmpfeed", "-o", "cat")


def test_an_application_drops_files_and_reads_neither_keys_nor_the_queue(running):
    """By the group that the package makes for it; the gateway is a member, too."""
    group = running.run("getent", "group", "dmpfeed-drop").split(":")[2]
    application = ("setpriv", "--reuid", "65534", "--regid", "65534", "--groups", group)
    running.run(*application, "sh", "-c", "umask 007; cat >/var/spool/dmpfeed/labo/.app && mv /var/spool/dmpfeed/labo/.app /var/spool/dmpfeed/labo/app.xml",
                stdin=numbered(3).decode())
    running.run("timeout", "60", "sh", "-c", "until ls /var/spool/dmpfeed/labo/done/*/app.xml; do sleep 0.05; done", timeout=90)
    for path in ("/etc/dmpfeed/certificates/sign.key", "/var/lib/dmpfeed/queue.db"):
        running.run("test", "-e", path)
        assert "Permission denied" in running.run(*application, "cat", path, code=1)


def test_a_group_of_the_machine_is_known_by_its_members(running):
    """control.groups go by the kernel's word on who comes: what the unit hides from the daemon, it cannot know."""
    config, group = "/etc/dmpfeed/dmpfeed.yaml", running.run("getent", "group", "adm").split(":")[2]
    ask = ("setpriv", "--reuid", "65534", "--regid", "65534", "--groups")
    running.run("sh", "-c", f"cp -p {config} /tmp/good && echo 'control: {{ groups: {{ read: adm }} }}' >>{config} && "
                "systemctl restart dmpfeed")
    assert "Ready" in running.run(*ask, group, "dmpfeedctl", "status")
    assert "members of the groups under control.groups may ask" in running.run(*ask, "65534", "dmpfeedctl", "status", code=1)
    running.run("sh", "-c", f"mv /tmp/good {config} && systemctl restart dmpfeed")


def test_a_reload_is_checked_first(running):
    running.run("systemctl", "reload", "dmpfeed")
    running.run("sh", "-c", "cp -a /etc/dmpfeed/dmpfeed.yaml /tmp/good && echo 'nonsense: 1' >>/etc/dmpfeed/dmpfeed.yaml")
    before = running.show("dmpfeed", "MainPID")
    assert "failed" in running.run("systemctl", "reload", "dmpfeed", code=1)
    running.run("mv", "/tmp/good", "/etc/dmpfeed/dmpfeed.yaml")
    running.wait("dmpfeed", "ActiveState", "active")
    assert running.show("dmpfeed", "MainPID") == before


def test_one_that_hangs_is_started_anew(running):
    """Within seconds here, not two minutes."""
    running.run("sh", "-c", "mkdir -p /run/units/dmpfeed.service.d && "
                "printf '[Service]\\nWatchdogSec=2\\nTimeoutAbortSec=1\\nRestartSec=0\\n' >/run/units/dmpfeed.service.d/test.conf && "
                "systemctl daemon-reload && systemctl restart dmpfeed")
    first = running.show("dmpfeed", "MainPID")
    running.run("kill", "-STOP", first)
    running.run("timeout", "60", "sh", "-c", "until journalctl --sync && journalctl -u dmpfeed -o cat | grep 'Watchdog timeout'; do "
                "sleep 0.1; done", timeout=90)
    running.run("timeout", "60", "sh", "-c", "until systemctl is-active dmpfeed && "
                f"[ $(systemctl show --value -p MainPID dmpfeed) != {first} ]; do sleep 0.1; done", timeout=90)
    running.run("sh", "-c", "rm -r /run/units/dmpfeed.service.d && systemctl daemon-reload && systemctl restart dmpfeed")


def test_it_stops_in_order(running):
    running.run("systemctl", "stop", "dmpfeed-mllp.socket", "dmpfeed.service")
    assert (running.show("dmpfeed", "ActiveState"), running.show("dmpfeed", "Result")) == ("inactive", "success")
    assert running.show("dmpfeed", "ExecMainStatus") == "0"
