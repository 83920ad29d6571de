"""The power fails: what was not synced is gone, or half there. Whatever was acknowledged is delivered, once.

As test_kill.py, with a disk that forgets: after each kill, what the daemon had not synced is taken back, all of it or
any part of it.
"""

from __future__ import annotations

import os
import random

import pytest

from disks import ForgetfulDisk
from gateway import free_port
from kills import Account, Load, new_document, trouble_at_the_dmp

CUTS = 12
IN_A_HURRY = {"first": "100 ms", "most": "300 ms", "exchange": "3 s"}


@pytest.fixture
def disk(tmp_path):
    return ForgetfulDisk(tmp_path / "gateway", tmp_path / "aside")


@pytest.mark.parametrize("loses", ["all", "any part"])
def test_power_cuts_at_random_moments_under_load(make_gateway, simulator, disk, loses):
    seed = int(os.environ.get("DMPFEED_SEED", random.randrange(10**6)))
    print(f"DMPFEED_SEED={seed}")
    chance, port = random.Random(seed), free_port()
    gateway = make_gateway(listen=f"127.0.0.1:{port}", **IN_A_HURRY).start(env=disk.environment)
    account, lost = Account(), []
    load = Load(gateway, ("127.0.0.1", port), account, chance)

    def cut_power():
        gateway.kill()
        lost.append(disk.cut_power(chance if loses == "any part" else None))
        gateway.start(env=disk.environment)

    trouble_at_the_dmp(simulator, seed)
    for _ in range(CUTS):
        load.kill_at_random(chance, cut_power)
    load.end()
    simulator.faults()
    account.settle(gateway, simulator)
    print(f"{CUTS} cuts lost {lost} writes; {len(account.acknowledged)} messages acknowledged, "
          f"{len(account.dropped)} files, {len(simulator.exchanges())} exchanges")
    assert sum(lost) > CUTS, "the disk had nothing to forget"


def test_a_cut_after_each_answer_loses_nothing(make_gateway, simulator, disk):
    gateway, account = make_gateway(**IN_A_HURRY), Account()
    for _ in range(4):
        gateway.start(env=disk.environment)
        account.send_until_acknowledged(gateway, new_document())
        gateway.kill()
        disk.cut_power()
    gateway.start(env=disk.environment)
    account.settle(gateway, simulator)
