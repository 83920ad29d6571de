"""The memory that a very large document takes, from its arrival to the DMP's answer."""

from __future__ import annotations

import pytest

from gateway import is_sanitized
from samples import DOORS, hand_in, large_document

MOST_KIB = 30 * 1024


@pytest.mark.parametrize("door", DOORS)
def test_a_document_of_20_mb_takes_no_more_than_30_mb_of_memory(gateway, door):
    """Once in advance: a first document brings code and caches in."""
    gateway.wait_final(hand_in(gateway, door, large_document(1), "1.xml"))
    for number in (2, 3):
        before = gateway.memory()["VmRSS"]
        gateway.forget_most_memory()
        doc = hand_in(gateway, door, large_document(number), f"{number}.xml")
        taken_in = gateway.memory()["VmHWM"]
        assert gateway.wait_final(doc, 60) == "delivered"
        after = gateway.memory()
        print(f"peak {taken_in - before} KiB more at arrival, {after['VmHWM'] - before} until delivered, then "
              f"{after['VmRSS'] - before}")
        assert after["VmHWM"] - before < MOST_KIB or is_sanitized()
