"""One set of certificates and one simulated DMP for the whole run; each test finds the latter forgetful."""

from __future__ import annotations

import contextlib

import pytest

from gateway import Gateway, Simulator, make_pki


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return make_pki(tmp_path_factory.mktemp("certificates") / "pki")


@pytest.fixture(scope="session")
def running_simulator(pki, tmp_path_factory):
    simulator = Simulator(pki, tmp_path_factory.mktemp("simulator") / "store")
    yield simulator
    assert simulator.stop() == 0


@pytest.fixture
def simulator(running_simulator):
    running_simulator.reset()
    return running_simulator


@pytest.fixture
def start_gateway(simulator, tmp_path):
    """Starts a gateway with settings of the test's own; it ends, in order, with the test."""
    with contextlib.ExitStack() as ends:
        def start(folder="gateway", **settings) -> Gateway:
            return ends.enter_context(Gateway(tmp_path / folder, simulator.url, simulator.pki, **settings))
        yield start


@pytest.fixture
def gateway(start_gateway):
    return start_gateway()
