"""A machine with a systemd of its own, in namespaces: the root of this one, of which it changes a copy that vanishes, no
unit but those that it is given, a network of its own. It ends with whoever made it.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
import time

import pytest

SYSTEMD = pathlib.Path("/usr/lib/systemd/systemd")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Of what a distribution has at these points in a boot nothing is wanted here; units that we ship come after them.
TARGETS = ("sysinit", "basic", "shutdown", "final", "umount", "network", "network-online", "sockets", "time-sync")

# $1: a folder with what is put over the root (over/). The journal of the machine is its own.
BOOT = """
set -e
mount --make-rprivate /
mount -t tmpfs none "$1/disk"
mkdir "$1/disk/upper" "$1/disk/work" "$1/disk/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/disk/upper,workdir=$1/disk/work" "$1/disk/root"
cd "$1/disk/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs -o mode=755 none run
mount -t tmpfs -o mode=1777 none tmp
cp -a "$1/over/." .
ip link set lo up
pivot_root . mnt
umount -l mnt
exec env -i container=test PATH=%s SYSTEMD_UNIT_PATH=/run/units SYSTEMD_GENERATOR_PATH=/run/none \\
    SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/run/none %s --system --unit=test.target --show-status=0 --log-target=journal
""" % (PATH, SYSTEMD)


class Machine:
    """`files`: what it has beside the root of this machine, by path; its units belong into /run/units."""

    def __init__(self, folder: pathlib.Path, files: dict[str, str | pathlib.Path]):
        self.folder = folder
        for name, content in {**files, **targets()}.items():
            path = folder / "over" / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                path.write_text(content)
            else:
                shutil.copy(content, path)
        (folder / "disk").mkdir()
        self.cgroup = own_cgroup()
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            ["sh", "-c", 'echo $$ >"$1/cgroup.procs" && exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc --net '
             'sh -c "$2" sh "$3"', "sh", self.cgroup, BOOT, folder],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.init = ""

    def boot(self, timeout: float = 60):
        deadline = time.monotonic() + timeout
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        while not self.init or not pathlib.Path(f"/proc/{self.init}/root/run/systemd/private").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                why = (self.folder / "log").read_text(errors="replace").strip()
                self.close()
                pytest.skip(f"no systemd can be started in namespaces here: {why or 'it does not answer'}")
            with contextlib.suppress(OSError):
                self.init = children.read_text().strip()
            time.sleep(0.02)
        self.run("systemctl", "is-system-running", "--wait", code=None)
        return self

    def run(self, *command, code: int | None = 0, stdin: str | None = None, timeout: float = 60) -> str:
        done = subprocess.run(["nsenter", "--target", self.init, "--mount", "--pid", "--cgroup", "--uts", "--ipc", "--net", *command],
                              capture_output=True, text=True, input=stdin, timeout=timeout, env={"PATH": PATH, "LC_ALL": "C.UTF-8"})
        assert code is None or done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", "--value", "-p", name, unit).strip()

    def wait(self, unit: str, name: str, value: str, timeout: float = 60):
        deadline = time.monotonic() + timeout
        while (found := self.show(unit, name)) != value:
            assert time.monotonic() < deadline, f"{name}={found}\n" + self.run("systemctl", "status", unit, code=None)
            time.sleep(0.05)

    def close(self):
        self.process.kill()
        self.process.wait(30)
        self.log.close()
        deadline = time.monotonic() + 30
        while self.cgroup.exists() and time.monotonic() < deadline:  # what was in it is on its way out
            for path in sorted(self.cgroup.rglob("*"), reverse=True):
                if path.is_dir():
                    with contextlib.suppress(OSError):
                        path.rmdir()
            with contextlib.suppress(OSError):
                self.cgroup.rmdir()
            time.sleep(0.02)


def targets() -> dict[str, str]:
    empty = {f"/run/units/{name}.target": f"[Unit]\nDescription={name}\n" for name in TARGETS}
    journald = {f"/run/units/{path.name}": path.read_text() for path in pathlib.Path("/lib/systemd/system").glob("systemd-journald*")
                if path.suffix in (".service", ".socket") and "@" not in path.name}
    return {**empty, **journald,
            "/run/units/test.target": "[Unit]\nDescription=The test\nWants=systemd-journald.service\nAfter=systemd-journald.service\n"}


def own_cgroup() -> pathlib.Path:
    mounts = [line.split() for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    try:
        path = next(pathlib.Path(mount[1]) for mount in mounts if mount[2] == "cgroup2") / f"dmpfeed-test-{os.getpid()}"
        path.mkdir()
    except (StopIteration, OSError) as trouble:
        pytest.skip(f"no systemd can be started here: no cgroup of its own ({trouble or 'no cgroup2'})")
    return path


def needs_a_machine():
    if os.geteuid() != 0 or not SYSTEMD.exists():
        pytest.skip("needs root and systemd")
