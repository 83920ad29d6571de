"""A network of a test's own: packets that are lost, names that nobody knows. Needs root; who has not the right is told."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import threading

import pytest

CLONE_NEWNET = 0x40000000
ANSWERS, SERVFAIL, NXDOMAIN, SILENT = 0, 2, 3, -1  # of a name service: its response code, or none at all
A, TTL = 1, 300


@contextlib.contextmanager
def own_network():
    """This thread, and whatever it starts meanwhile, in a network that is but a loopback."""
    for tool in ("ip", "tc"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}, of iproute2")
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as before:
        if libc.unshare(CLONE_NEWNET) != 0:
            pytest.skip(f"no network of its own is allowed here: {os.strerror(ctypes.get_errno())}")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            if libc.setns(before.fileno(), CLONE_NEWNET) != 0:
                os._exit(1)  # whatever came after would be in the wrong one


@contextlib.contextmanager
def no_packet_arrives():
    """On that loopback: a queue with no place."""
    tried = subprocess.run(["tc", "qdisc", "add", "dev", "lo", "root", "pfifo", "limit", "0"], capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"this kernel loses no packets on demand: {tried.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["tc", "qdisc", "del", "dev", "lo", "root"], check=True)


def asking(folder: pathlib.Path, address: str) -> tuple:
    """The command under which a program asks only that name service."""
    resolv, switch = folder / "resolv.conf", folder / "nsswitch.conf"
    resolv.write_text(f"nameserver {address}\noptions timeout:1 attempts:1\n")
    switch.write_text("hosts: dns\n")
    under = ("unshare", "--mount", "sh", "-c",
             'mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/nsswitch.conf && shift 2 && exec "$@"',
             "sh", resolv, switch)
    tried = subprocess.run([*under, "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"no files of its own are allowed here: {tried.stderr.strip()}")
    return under


class NameService(threading.Thread):
    """Says 127.0.0.1 to every name, as long as it `is` ANSWERS."""

    def __init__(self, address: str):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.does = ANSWERS
        self.start()

    def run(self):
        while True:
            question, peer = self.socket.recvfrom(4096)
            if not question:
                return
            if self.does != SILENT:
                self.socket.sendto(self._answer(question, self.does), peer)

    @staticmethod
    def _answer(question: bytes, code: int) -> bytes:
        end = question.index(b"\0", 12) + 5
        kind = int.from_bytes(question[end - 4:end - 2], "big")
        row = struct.pack("!HHHIH4s", 0xC00C, A, 1, TTL, 4, socket.inet_aton("127.0.0.1"))
        rows = [row] if code == ANSWERS and kind == A else []
        return question[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(rows), 0, 0) + question[12:end] + b"".join(rows)

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.socket.getsockname())
        self.join()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
