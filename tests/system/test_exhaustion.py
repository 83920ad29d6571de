"""What runs out, or goes away for long: descriptors, connections, the DMP. Nothing acknowledged is lost, nothing is
sent twice, and work goes on by itself.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import time

import pytest

from gateway import Gateway, Simulator, free_port, is_sanitized
from kills import Account, Paper, new_document
from samples import mdm_t02

SHORT = {"first": "100 ms", "most": "300 ms", "probe": "300 ms"}
IDLE, MOST = 10_000, 4096  # connections; of those, the most that a listener may be set to keep
BACKLOG, BACKLOG_OF_EVERY = 200, 9000  # dmpfeedctl lists 10 000 at once, and each is accounted for


# ---- descriptors ----

def open_files(gateway: Gateway) -> int:
    return len(os.listdir(f"/proc/{gateway.process.pid}/fd"))


@contextlib.contextmanager
def few_files(gateway: Gateway, more: int):
    """It may open so many more, and no others."""
    pid = gateway.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_files(gateway) + more, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("more", range(4))
def test_no_descriptor_left(start_gateway, simulator, more):
    gateway, account = start_gateway(**SHORT), Account()
    account.send_until_acknowledged(gateway, new_document())
    gateway.settled()
    with few_files(gateway, more), contextlib.ExitStack() as ends:
        for _ in range(more + 2):  # the system itself takes these in, whether the daemon does or not
            ends.enter_context(socket.create_connection(gateway.mllp_address))
        account.drop(gateway, new_document())
        gateway.journal.wait(r"(Too many open files|moved=done)")
        spent = cpu_seconds(gateway)
        time.sleep(0.5)
        assert cpu_seconds(gateway) - spent < 0.4, "it goes round and round"
    account.send_until_acknowledged(gateway, new_document())
    assert gateway.get("/healthz")[0] == 200
    account.settle(gateway, simulator)


def cpu_seconds(gateway: Gateway) -> float:
    with open(f"/proc/{gateway.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---- connections ----

@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < IDLE + 1000:
        pytest.skip(f"this machine allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_ten_thousand_idle_connections(many_files, start_gateway, simulator):
    gateway, account = start_gateway(listener=f", max_connections: {MOST}", log="info"), Account()
    before = gateway.memory()["VmRSS"]
    with contextlib.ExitStack() as ends:
        good = ends.enter_context(gateway.connect())
        for _ in range(IDLE):
            ends.enter_context(socket.create_connection(gateway.mllp_address))
        wait_connections(gateway, MOST)
        assert good.send(mdm_t02(cda := new_document())).code == "AA", "who was there before is served"
        account.acknowledge(Paper(cda))
        account.drop(gateway, new_document())
        each_kib = (gateway.memory()["VmRSS"] - before) / MOST
        print(f"{each_kib:.1f} KiB for each")
        assert each_kib < 8 or is_sanitized()
    wait_connections(gateway, 0)
    account.send_until_acknowledged(gateway, new_document())
    account.settle(gateway, simulator)


def wait_connections(gateway: Gateway, count: int):
    deadline = time.monotonic() + 60
    while gateway.status()["listeners"][0]["connections"] != count:
        assert time.monotonic() < deadline, gateway.status()["listeners"][0]
        time.sleep(0.1)


# ---- the DMP, for long ----

def test_a_backlog_goes_once_the_dmp_is_back_with_what_comes_meanwhile(request, tmp_path, pki):
    """Slowly at first: one request says whether it is there."""
    count = BACKLOG_OF_EVERY if request.config.getoption("--every") else BACKLOG
    address, account = f"127.0.0.1:{free_port()}", Account()
    url = f"https://{address}/si-dmp-server/v2/services"
    with Gateway(tmp_path / "gateway", url, pki, log="info", **SHORT) as gateway:
        with gateway.connect() as mllp:
            for _ in range(count):
                acknowledge(account, mllp)
            gateway.journal.wait(r"^<4>lane=\d+ state=slowed")
            assert gateway.status()["queue"]["queued"] + gateway.status()["queue"]["sending"] == count
            start = len(gateway.journal.lines)
            with Simulator(pki, tmp_path / "store", listen=address) as simulator:
                gateway.journal.wait(r"lane=\d+ state=open", start=start)
                for _ in range(20):
                    acknowledge(account, mllp)
                wait_until_empty(gateway, 60 + count / 10)
                account.settle(gateway, simulator)


def acknowledge(account: Account, mllp):
    cda = new_document()
    assert mllp.send(mdm_t02(cda)).code == "AA"
    account.acknowledge(Paper(cda))


def wait_until_empty(gateway: Gateway, seconds: float):
    deadline = time.monotonic() + seconds
    while any(gateway.status()["queue"].get(state, 0) for state in ("queued", "sending")):
        assert time.monotonic() < deadline, gateway.status()["queue"]
        time.sleep(0.2)
