"""A certificate ends while the gateway runs: it was told before, its lane stops in words, and a renewed one is taken by a
reload. The clock of the gateway and of the DMP goes on by months.
"""

from __future__ import annotations

import os

import pytest

from certificates import resigned
from disks import SetClock
from gateway import FINESS_EJ, Gateway, Simulator
from kills import Account, new_document
from test_alerts import assert_told, listed, wait_alert
from test_reload import reload
from way import Way

SHORT = {"first": "100 ms", "most": "200 ms", "probe": "200 ms"}
DAY = 86400

# Whose certificate: who finds out that it has ended.
WORDS = {"auth": "the server says that our certificate has expired", "sign": "the signing certificate ended on"}


@pytest.fixture
def clock(tmp_path):
    return SetClock(tmp_path / "clock")


@pytest.fixture
def dmp(pki, tmp_path, clock):
    with Simulator(pki, tmp_path / "store", env=clock.environment) as dmp:
        yield dmp


@pytest.mark.parametrize("name", WORDS)
def test_a_certificate_that_ends_is_told_stops_its_lane_and_is_renewed(dmp, pki, tmp_path, clock, name):
    own, account, subject = resigned(pki, tmp_path / "pki", name, ends=100 * DAY), Account(), f"{FINESS_EJ} {name}"
    with Way(dmp.url) as way, \
            Gateway(tmp_path / "gateway", way.url, own, **SHORT).start(env=clock.environment) as gateway:
        account.send_until_acknowledged(gateway, new_document())
        gateway.settled()
        assert ("certificate_expiring", subject) not in listed(gateway)

        clock.ahead(90 * DAY)
        assert "has 9 days left" in assert_told(gateway, "certificate_expiring", "critical", subject)["sentence"]["en"]
        account.send_until_acknowledged(gateway, new_document())
        gateway.settled()
        assert len(dmp.received()) == 2, "until its last day it serves"

        clock.ahead(101 * DAY)
        way.hang_up()  # for the handshake shows it
        account.send_until_acknowledged(gateway, new_document())
        gateway.journal.wait(rf"^<3>lane={FINESS_EJ} state=stopped .*{WORDS[name]}")
        account.send_until_acknowledged(gateway, new_document())
        assert WORDS[name] in gateway.status()["lanes"][0]["why"]
        queue = gateway.status()["queue"]
        assert (queue["queued"] + queue["sending"], queue["rejected"]) == (2, 0)

        renewed = resigned(pki, tmp_path / "renewed", name, ends=300 * DAY)
        os.replace(renewed / f"{name}.pem", own / f"{name}.pem")
        assert reload(gateway).done
        gateway.journal.wait(rf"^<6>lane={FINESS_EJ} state=open")
        wait_alert(gateway, "certificate_expiring", "cleared", subject)
        account.settle(gateway, dmp)
