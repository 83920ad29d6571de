"""A daemon and a simulated DMP for each file of cases; what is started is what tests/system starts."""

from __future__ import annotations

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from gateway import Gateway, Simulator, make_pki  # noqa: E402
from harm import Before  # noqa: E402

SETTINGS = {"log": "info", "max_document": "4 MiB", "max_message": "6 MiB", "listener": ", idle: 2 s"}


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return make_pki(tmp_path_factory.mktemp("certificates") / "pki")


@pytest.fixture(scope="session")
def running_simulator(pki, tmp_path_factory):
    with Simulator(pki, tmp_path_factory.mktemp("simulator") / "store") as simulator:
        yield simulator


@pytest.fixture(scope="module")
def simulator(running_simulator):
    running_simulator.reset()
    return running_simulator


@pytest.fixture(scope="module")
def before(request, simulator, tmp_path_factory):
    """The door's daemon, and how it was at first. A file of cases may say SETTINGS of its own."""
    settings = {**SETTINGS, **getattr(request.module, "SETTINGS", {})}
    folder = tmp_path_factory.mktemp("door") / "gateway"
    with Gateway(folder, simulator.url, simulator.pki, **settings) as gateway:
        yield Before.of(gateway)


@pytest.fixture(scope="module")
def gateway(before):
    return before.gateway
