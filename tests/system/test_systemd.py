"""What the gateway does for systemd, with a manager played by the test; and the unit's files, as far as systemd's own
tools judge them without a machine of their own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest

from disks import SYNC, WRITE, FailingDisk
from gateway import DAEMON, END, SOURCE, VT, Gateway, Journal, Mllp
from samples import mdm_t02, numbered

UNITS = SOURCE / "systemd"
UNIT = UNITS / "dmpfeed.service"
BEAT_US = 300_000


class Manager:
    """Hears what a daemon tells systemd."""

    def __init__(self, folder: pathlib.Path):
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.environment = {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": str(BEAT_US)}
        self.heard: list[str] = []

    def hear(self, timeout: float = 20) -> str:
        self.socket.settimeout(timeout)
        self.heard += self.socket.recv(4096).decode().split("\n")
        return self.heard[-1]

    def wait(self, start: str, timeout: float = 20) -> str:
        """The first line from here on that begins so."""
        deadline, seen = time.monotonic() + timeout, len(self.heard)
        while not (found := [line for line in self.heard[seen:] if line.startswith(start)]):
            assert time.monotonic() < deadline, self.heard[-20:]
            self.hear(deadline - time.monotonic())
        return found[0]

    def forget(self):
        """What was told until now, and waits in the socket."""
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(4096)
        self.heard.clear()

    def is_silent(self, seconds: float) -> bool:
        try:
            self.wait("WATCHDOG=1", seconds)
        except (TimeoutError, AssertionError):
            return True
        return False


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path)
    yield manager
    manager.socket.close()


def test_it_says_when_it_is_ready_reloads_lives_and_stops(make_gateway, manager):
    gateway = make_gateway().start(env=manager.environment)
    assert manager.wait("READY=1")
    assert "STATUS=0 to send, 0 held, 0 rejected, 0 delivered" in manager.heard  # before it is ready
    manager.wait("WATCHDOG=1")
    manager.wait("WATCHDOG=1")
    assert gateway.send(mdm_t02(numbered(1))).code == "AA"
    gateway.settled()
    assert manager.wait("STATUS=").endswith(" delivered")
    gateway.process.send_signal(signal.SIGHUP)
    assert manager.wait("RELOADING=1")
    assert manager.wait("READY=1")
    assert any(line.startswith("MONOTONIC_USEC=") for line in manager.heard)
    gateway.process.send_signal(signal.SIGTERM)
    assert manager.wait("STOPPING=1")
    assert gateway.stop() == 0


def test_the_watchdog_starves_while_the_writer_hangs(make_gateway, manager, tmp_path):
    gateway = make_gateway()
    disk = FailingDisk(gateway.folder / "state", tmp_path / "control")
    gateway.start(env=manager.environment | disk.environment)
    manager.wait("WATCHDOG=1")
    disk.hang(WRITE | SYNC)
    with gateway.connect() as mllp:
        mllp.socket.sendall(VT + mdm_t02(numbered(1)) + END)
        gateway_waits(disk)
        for _ in range(2):
            assert gateway.get("/healthz")[0] == 200  # the loop turns all the same: what was answered before is told
        manager.forget()
        assert manager.is_silent(BEAT_US / 1e6 * 4)
        disk.mend()
        assert mllp.read().code == "AA"
    manager.wait("WATCHDOG=1")


def gateway_waits(disk: FailingDisk):
    """Until a call hangs."""
    deadline = time.monotonic() + 20
    while disk.seen() == 0:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_disk_that_fails_is_no_reason_to_be_killed(make_gateway, manager, tmp_path):
    gateway = make_gateway()
    disk = FailingDisk(gateway.folder / "state", tmp_path / "control")
    gateway.start(env=manager.environment | disk.environment)
    disk.fail(28, WRITE | SYNC)
    assert gateway.send(mdm_t02(numbered(1))).code != "AA"
    manager.forget()
    manager.wait("WATCHDOG=1")
    manager.wait("WATCHDOG=1")
    disk.mend()
    assert manager.wait("STATUS=")


# ---- sockets ----

class Activated(Gateway):
    """A gateway that is given sockets, as systemd does."""

    def start_with(self, sockets: dict[str, socket.socket]):
        fds = [each.fileno() for each in sockets.values()]
        moves = " ".join(f"{3 + i}<&{fd}" for i, fd in enumerate(fds))
        environment = os.environ | {"LISTEN_FDS": str(len(fds)), "LISTEN_FDNAMES": ":".join(sockets)}
        self.process = subprocess.Popen(
            ["bash", "-c", f'export LISTEN_PID=$$; exec "$0" --config "$1" {moves}', DAEMON, self.config],
            cwd=self.folder, stderr=subprocess.PIPE, env=environment, pass_fds=fds)
        self.journal = Journal(self.process.stderr)
        self.journal.wait(r">started ")
        return self


def listening() -> socket.socket:
    """High above what it is moved to."""
    with socket.create_server(("127.0.0.1", 0)) as first:
        return socket.socket(fileno=fcntl.fcntl(first.fileno(), fcntl.F_DUPFD_CLOEXEC, 50))


def test_ports_that_systemd_holds_are_taken_over(simulator, tmp_path):
    given = {"dpi": listening(), "status": listening(), "nobody": listening()}
    host, port = given["dpi"].getsockname()
    gateway = Activated(tmp_path / "gateway", simulator.url, simulator.pki, listen=f"{host}:{port}")
    with contextlib.ExitStack() as stack:
        for each in given.values():
            stack.enter_context(each)
        early = stack.enter_context(Mllp((host, port)))  # before anybody is there
        early.write(mdm_t02(numbered(1)))
        gateway.start_with(given)
        stack.push(gateway.__exit__)
        assert early.read().code == "AA"
        assert gateway.mllp_address == (host, port)
        assert gateway.status_url == "http://127.0.0.1:%d" % given["status"].getsockname()[1]  # by its name
        gateway.journal.wait(rf"socket nobody, address=127.0.0.1:{given['nobody'].getsockname()[1]}: no listener")
        assert gateway.stop() == 0
        late = stack.enter_context(Mllp((host, port)))  # the port is held meanwhile
        late.write(mdm_t02(numbered(2)))
        gateway.start_with(given)
        assert late.read().code == "AA"


def test_a_port_that_systemd_holds_is_no_fault_before_a_start(simulator, tmp_path):
    with listening() as held:
        gateway = Gateway(tmp_path / "gateway", simulator.url, simulator.pki,
                          listen="%s:%d" % held.getsockname())
        for as_systemd, code in (("export SYSTEMD_EXEC_PID=$$;", 0), ("", 1)):
            done = subprocess.run(["sh", "-c", f'{as_systemd} exec "$0" --config "$1" --check-config', DAEMON, gateway.config],
                                  cwd=gateway.folder, capture_output=True, text=True)
            assert done.returncode == code, done.stderr


# ---- the files ----

def tool(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not on this machine")
    return found


def test_the_unit_is_confined():
    done = subprocess.run([tool("systemd-analyze"), "security", "--offline=true", "--threshold=17", "--no-pager", UNIT],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Overall exposure level" in done.stdout


def test_what_converts_pdf_files_keeps_its_namespaces():
    """Ghostscript has no network but by these: a unit that scores better without them is worse."""
    assert "RestrictNamespaces=user net ipc\n" in UNIT.read_text()


def test_systemd_understands_the_units(tmp_path):
    """With the programs that they name, which may not be installed here."""
    analyze = tool("systemd-analyze")
    text = UNIT.read_text()
    for program in ("/usr/sbin/dmpfeedd", "/usr/bin/dmpfeedctl"):
        assert program in text
        text = text.replace(program, "/bin/true")
    (tmp_path / "dmpfeed.service").write_text(text.replace("man:dmpfeedd(8)", "file:/etc/passwd"))
    for name in ("dmpfeed-mllp.socket", "dmpfeed-status.socket"):
        (tmp_path / name).write_text((UNITS / name).read_text().replace("man:dmpfeedd(8)", "file:/etc/passwd"))
    shutil.copytree(UNITS / "dmpfeed.service.d", tmp_path / "dmpfeed.service.d")
    done = subprocess.run([analyze, "verify", *sorted(tmp_path.glob("dmpfeed*.*et")), tmp_path / "dmpfeed.service"],
                          capture_output=True, text=True, env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"})
    ours = [line for line in done.stderr.splitlines() if "dmpfeed" in line]
    assert done.returncode == 0 and ours == [], done.stderr


def test_the_user_and_the_folders_can_be_made(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root gives a folder to another user")
    for name, folder in (("sysusers", "sysusers.d"), ("tmpfiles", "tmpfiles.d")):
        (tmp_path / "usr" / "lib" / folder).mkdir(parents=True)
        shutil.copy(UNITS / f"dmpfeed.{name}", tmp_path / "usr" / "lib" / folder / "dmpfeed.conf")
    (tmp_path / "etc").mkdir()
    for command in ([tool("systemd-sysusers"), f"--root={tmp_path}"],
                    [tool("systemd-tmpfiles"), f"--root={tmp_path}", "--create"]):
        done = subprocess.run([*command, "dmpfeed.conf"], capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr.count("rror") == 0, done.stderr
    assert "dmpfeed:" in (tmp_path / "etc" / "passwd").read_text()
    assert (tmp_path / "var" / "spool" / "dmpfeed").stat().st_mode & 0o7777 == 0o2770
