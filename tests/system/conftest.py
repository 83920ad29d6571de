"""One set of certificates and one simulated DMP for the whole run; each test finds the latter forgetful."""

from __future__ import annotations

import contextlib

import pytest

from gateway import Gateway, Simulator, make_pki
from kills import check_books


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
def made() -> list[Gateway]:
    """Those of the test."""
    return []


@pytest.fixture
def make_gateway(simulator, tmp_path, made):
    """Makes a gateway with settings of the test's own, for it to start; it ends, in order, with the test."""
    with contextlib.ExitStack() as ends:
        def make(folder="gateway", **settings) -> Gateway:
            gateway = Gateway(tmp_path / folder, simulator.url, simulator.pki, **settings)
            made.append(gateway)
            ends.push(gateway.__exit__)
            return gateway
        yield make


@pytest.fixture
def start_gateway(make_gateway):
    """Makes and starts one."""
    def start(folder="gateway", **settings) -> Gateway:
        return make_gateway(folder, **settings).start()
    return start


@pytest.fixture
def even_books(request, make_gateway, made):
    """Once the test has passed, what its gateways counted is what comes of counting all rows anew."""
    failed = request.session.testsfailed
    yield
    for gateway in made:
        if request.session.testsfailed == failed and gateway.process and gateway.process.poll() is None:
            check_books(gateway)


@pytest.fixture
def gateway(start_gateway):
    return start_gateway()


def pytest_addoption(parser):
    parser.addoption("--every", action="store_true", help="every case of what is sampled otherwise (an hour)")
    parser.addoption("--package", action="store_true", help="install the package in a bare Debian, by README (minutes)")
    parser.addoption("--pictures", metavar="FOLDER", help="keep pictures of the status page there")
