"""The Debian package. What is cheap is looked at always; with --package, README's "Install" is followed command by command in
a bare Debian 12 (made by debootstrap, from this machine's own mirror): it builds the package there, installs it, rehearses,
starts, upgrades from itself with a queue in place, removes and purges. That takes some minutes, and root. No systemd runs
in there: what the unit would do at "systemctl start" is done by hand, as its user.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

import bare_root
from gateway import BUILD, SOURCE

DEBIAN = SOURCE / "scripts" / "debian"
README = (SOURCE / "README.md").read_text()
INSTALL = README.split("\n## Install\n")[1].split("\n## ")[0]
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", INSTALL, re.DOTALL) for line in block.splitlines()]
VERSION = re.search(r"version: '(.*?)'", (SOURCE / "meson.build").read_text())[1]

# ---- always ----


def test_one_version_everywhere():
    assert (DEBIAN / "changelog").read_text().startswith(f"dmpfeed ({VERSION}) ")
    assert f"dmpfeed_{VERSION}_amd64.deb" in INSTALL


def test_the_unit_waits_for_a_configuration_and_runs_what_is_installed_as_whom_the_package_makes():
    unit = (SOURCE / "systemd" / "dmpfeed.service").read_text()
    assert "ConditionPathExists=/etc/dmpfeed/dmpfeed.yaml\n" in unit
    assert "ExecStart=/usr/sbin/dmpfeedd" in unit
    user = re.search(r"^User=(\w+)$", unit, re.MULTILINE)[1]
    assert re.search(rf"^u {user} ", (SOURCE / "systemd" / "dmpfeed.sysusers").read_text(), re.MULTILINE)


def test_what_is_installed_has_everything_and_no_configuration(tmp_path):
    environment = {**os.environ, "DESTDIR": str(tmp_path)}
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet"], env=environment, check=True, timeout=60)
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    for end in ("sbin/dmpfeedd", "bin/dmpfeedctl", "bin/dmpfeed-sim", "share/dmpfeed/dmpfeed.yaml",
                "share/dmpfeed/examples/hospital.yaml", "share/dmpfeed/examples/ght.yaml",
                "share/dmpfeed/value-sets/type-code.csv", "share/dmpfeed/dmp-errors.csv", "share/dmpfeed/targets/sun-es.yaml",
                "share/bash-completion/completions/dmpfeedctl", "share/man/man1/dmpfeedctl.1",
                "share/man/man1/dmpfeed-sim.1", "share/man/man5/dmpfeed.yaml.5",
                "share/man/man7/dmpfeed-journal.7", "share/man/man7/dmpfeed-reasons.7", "share/man/man8/dmpfeedd.8",
                "systemd/system/dmpfeed.service", "sysusers.d/dmpfeed.conf", "tmpfiles.d/dmpfeed.conf"):
        assert any(name.endswith(end) for name in names), end
    assert not any("etc/dmpfeed" in name for name in names)
    assert not any("__pycache__" in name for name in names)


@pytest.mark.parametrize("script", sorted(path.name for path in DEBIAN.glob("post*")))
def test_what_debian_runs_is_a_script_that_a_shell_reads(script):
    subprocess.run(["sh", "-n", DEBIAN / script], check=True)


def test_what_debian_asks_is_asked_in_french(tmp_path):
    if shutil.which("po2debconf") is None:
        pytest.skip("no po-debconf on this machine")
    shutil.copytree(DEBIAN, tmp_path / "debian")
    said = subprocess.run(["po2debconf", tmp_path / "debian" / "templates"], capture_output=True, text=True, check=True).stdout
    assert said.count("\nDescription: ") == said.count("\nDescription-fr.UTF-8: ") == 1


# ---- in a bare root ----

on_demand = pytest.mark.skipif("not config.getoption('--package')",
                               reason="takes minutes and Debian's archive: run with --package")

QUEUE = "/var/lib/dmpfeed/queue.db"
DROPPED = "/var/spool/dmpfeed/imagerie"
START = "setpriv --reuid dmpfeed --regid dmpfeed --init-groups dmpfeedd 2>>/tmp/journal & DAEMON=$!"
STOP = "kill $DAEMON; wait $DAEMON"


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        pytest.skip("needs root and debootstrap")
    root = tmp_path_factory.mktemp("bare") / "root"
    bare_root.make(root)
    shutil.copytree(SOURCE, root / "root" / "dmpfeed", symlinks=True,
                    ignore=shutil.ignore_patterns(".git", "build*", "__pycache__"))
    shutil.copy(SOURCE / "scripts" / "build-deb", root / "root" / "dmpfeed" / "scripts")  # "build*" is not ours alone
    console = bare_root.Console(root)
    console.must("cd /root/dmpfeed")
    yield console
    console.close()
    shutil.rmtree(root)


def wait_for(console, pattern: str, file: str):
    console.must(f"timeout 60 sh -c 'until grep -q \"{pattern}\" {file}; do sleep 0.1; done' || {{ tail {file}; false; }}", 90)


def configure(console):
    """What README leaves to a person: certificates, and what is the hospital's own."""
    example = console.root / "etc" / "dmpfeed" / "dmpfeed.yaml"
    console.must("install -m 640 -g dmpfeed rehearsal/pki/*.pem rehearsal/pki/*.key /etc/dmpfeed/certificates/")
    text = example.read_text()
    for name in ("dmp-ca.pem", "sign-chain.pem"):
        text = text.replace(f"certificates/{name}", "certificates/ca.pem")
    text = text.replace("environment: production", "environment: rehearsal").replace(
        "  homologation_file: /etc/dmpfeed/homologation\n", "").replace("10.1.2.3:2576", "127.0.0.1:2600")
    text = re.sub(r'0\.0\.0\.0:(\d+)', r"127.0.0.1:\1", text).replace("https://dmp.example/", "https://127.0.0.1:8443/")
    text = text.replace("check_existence: true", "retry: { first: 1 s, most: 2 s, probe: 1 s }")  # nobody waits here
    example.write_text(text)


BETWEEN = {  # before a command, what takes a person, or a moment
    "dmpfeedctl --socket control.sock list": lambda console: wait_for(console, "outcome=delivered", "journal"),
    "dmpfeedd --check-config": configure,
    "dmpfeedctl status": lambda console: (
        console.must("systemd-tmpfiles --create dmpfeed.conf && install -d -o dmpfeed -g dmpfeed /run/dmpfeed"),
        console.must(START), wait_for(console, "started version", "/tmp/journal")),
}


@on_demand
def test_readme_is_followed_command_by_command(console):
    said = {}
    for command in COMMANDS:
        if command in BETWEEN:
            BETWEEN[command](console)
        said[command] = console.must(command, patience=1200)
    assert said["scripts/build-deb"].splitlines()[-1].endswith(f"build-deb/dmpfeed_{VERSION}_amd64.deb")
    assert not re.search(r"^E: ", said["scripts/build-deb"], re.MULTILINE), "lintian"
    assert "delivered" in said["dmpfeedctl --socket control.sock list"]
    assert "# checked as the user dmpfeed" in said["dmpfeedd --check-config"]
    assert re.search(r"^Ready +yes$", said["dmpfeedctl status"], re.MULTILINE)


@on_demand
def test_an_upgrade_keeps_the_queue(console):
    console.must(f"echo Bonjour >{DROPPED}/letter.txt && cp /usr/share/dmpfeed/examples/sidecar.yaml {DROPPED}/letter.yaml")
    console.must(f"chown dmpfeed: {DROPPED}/letter.*")
    wait_for(console, " received channel=drop", "/tmp/journal")
    before = re.findall(r"^01\w+", console.must("dmpfeedctl list"), re.MULTILINE)
    assert len(before) == 1
    console.must(STOP)
    console.must("apt-get install -y --reinstall ./build-deb/dmpfeed_*.deb", 300)
    console.must("dmpfeed-sim --pki rehearsal/pki --store received --listen 127.0.0.1:8443 >/tmp/sim.log 2>&1 &")
    console.must(START)
    wait_for(console, f"doc={before[0]} outcome=delivered", "/tmp/journal")
    assert re.search(rf"^{before[0]} +delivered", console.must("dmpfeedctl list"), re.MULTILINE)
    console.must(STOP)


@on_demand
def test_removing_and_purging_unasked_keep_what_was_acknowledged(console):
    console.must("apt-get remove -y dmpfeed", 300)
    console.must(f"test -s {QUEUE} && test -f /etc/dmpfeed/dmpfeed.yaml && test ! -e /usr/sbin/dmpfeedd")
    said = console.must("apt-get purge -y dmpfeed", 300)
    console.must(f"test -s {QUEUE} && test ! -e /etc/dmpfeed/dmpfeed.yaml && test -f /etc/dmpfeed/certificates/sign.key")
    assert "/var/lib/dmpfeed is kept" in said and "/etc/dmpfeed/certificates is kept" in said


@on_demand
@pytest.mark.parametrize("answer, kept", [("no", True), ("yes", False)])
def test_purging_asks_and_does_as_it_is_told(console, answer, kept):
    console.must("apt-get install -y --no-install-recommends ./build-deb/dmpfeed_*.deb", 300)
    said = console.must(f"echo {answer} | DEBIAN_FRONTEND=teletype script -qec 'dpkg --purge dmpfeed' /dev/null", 300)
    assert "Delete the queue and its ledger as well?" in said
    console.must(f"test {'' if kept else '!'} -e {QUEUE} && test {'' if kept else '!'} -e /var/lib/dmpfeed")
