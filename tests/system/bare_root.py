"""A bare Debian 12 in a folder, where commands run one after the other in one shell, as a person at its console types them."""

from __future__ import annotations

import pathlib
import queue
import subprocess
import threading

MARK = "@@ ended with"


def mirror() -> str:
    """Where this machine takes Debian 12 from, by its own sources."""
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"],
                          capture_output=True, text=True, check=True).stdout
    return next(line.split()[1] for line in told.splitlines() if line.split()[0] == "bookworm")


def make(folder: pathlib.Path):
    """A minimal system, in which no package starts a service."""
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", folder, mirror()], check=True,
                   stdout=subprocess.DEVNULL)
    (folder / "usr" / "sbin" / "policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (folder / "usr" / "sbin" / "policy-rc.d").chmod(0o755)
    (folder / "etc" / "resolv.conf").write_bytes(pathlib.Path("/etc/resolv.conf").read_bytes())


class Console:
    """A shell in the folder, with namespaces of its own: whatever it started ends with it."""

    def __init__(self, root: pathlib.Path):
        self.root = root
        self.shell = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
             'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && exec chroot "$1" /bin/bash', "sh", root],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                 "DEBIAN_FRONTEND": "noninteractive",
                 "SYSTEMD_OFFLINE": "1"})  # no systemd runs here: systemctl changes what is on the disk, and starts nothing
        self.lines: queue.Queue = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.shell.stdout:
            self.lines.put(line.rstrip("\n"))

    def type(self, command: str, patience: float = 60) -> tuple[int, str]:
        """How it ended, and what it said."""
        self.shell.stdin.write(f"{command}\necho \"{MARK} $?\"\n")
        self.shell.stdin.flush()
        said = []
        while True:
            line = self.lines.get(timeout=patience)
            if MARK in line:
                before, _, code = line.partition(MARK)
                return int(code), "\n".join([*said, *([before] if before else [])])
            said.append(line)

    def must(self, command: str, patience: float = 60) -> str:
        code, said = self.type(command, patience)
        assert code == 0, f"{command}\n{said[-4000:]}"
        return said

    def close(self):
        self.shell.kill()
        self.shell.wait()
