"""A test PKI and a running simulator for the whole session; each test finds it forgetful."""

import http.client
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import reference_client
from reference_client import Client, Signer

PROGRAM = Path(__file__).parent / "dmpfeed-sim"


class Sim:
    """One running dmpfeed-sim, and its admin interface."""

    def __init__(self, pki: Path, store: Path, *options: str):
        self.pki, self.store, self.log = pki, store, store.with_name(f"{store.name}.log")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "--pki", pki, "--store", store, *options], stdout=subprocess.PIPE, stderr=log
            )
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.addresses = json.loads(line)

    def client(self, identity: str | None = "auth") -> Client:
        return Client(self.addresses["listening"], reference_client.tls_context(self.pki, identity))

    def admin(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        address = urlsplit(self.addresses["admin"])
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def faults(self, *faults: dict[str, Any]) -> None:
        status, answer = self.admin("PUT", "/faults", list(faults))
        assert status == 200, answer

    def received(self) -> list[str]:
        return [document["uniqueId"] for document in self.admin("GET", "/received")[1]["documents"]]

    def journal(self) -> list[dict[str, Any]]:
        path = self.store / "journal.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        self.process.stdout.close()
        return self.process.wait(timeout=10)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki") / "pki"
    subprocess.run([PROGRAM, "--make-pki", folder], check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="session")
def signer(pki: Path) -> Signer:
    return Signer(pki)


@pytest.fixture(scope="session")
def running_sim(pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sim]:
    sim = Sim(pki, tmp_path_factory.mktemp("sim") / "store")
    yield sim
    assert sim.stop() == 0
    assert not any(word in sim.log.read_text() for word in reference_client.PATIENT_WORDS)


@pytest.fixture
def sim(running_sim: Sim) -> Sim:
    assert running_sim.admin("POST", "/reset", {})[0] == 200
    return running_sim


@pytest.fixture
def client(sim: Sim) -> Iterator[Client]:
    client = sim.client()
    yield client
    client.close()


@pytest.fixture
def start_sim(pki: Path) -> Iterator[Callable[..., Sim]]:
    """Start simulators of the test's own; those it has not stopped itself are stopped after it."""
    started: list[Sim] = []

    def start(store: Path, *options: str) -> Sim:
        started.append(Sim(pki, store, *options))
        return started[-1]

    yield start
    for sim in started:
        if sim.process.poll() is None:
            sim.stop()
