"""Stays, as ADT messages tell of them: what is sensitive leaves by nobody's doing but a person's."""

from __future__ import annotations

import pytest

from samples import hl7, mdm_t02, numbered
from test_consent import DELIVERED, accepted, adt as choice, wait_delivered, where

HELD = ("held", "sensitive_stay")
SENSITIVE = ', sensitive: { units: [ADDICTO, "6268"], types: ["57833-6"] }'


def adt(event: str, number: str, at: str, unit: str = "UF12", flag: str = "", zbe: str = "", kind: str = "I",
        end: str = "") -> bytes:
    """What a patient administration says of a stay at that time, like 20261103101500."""
    head, pid = hl7("adt_admission.hl7").splitlines()[:2]
    head = head.replace(b"ADT^A01", b"ADT^" + event.encode()).replace(b"20261120090000", at.encode())
    pv1 = ["PV1", "", kind, unit, *[""] * 12, flag, "", "", f"{number}^^^CH-A&1.2.250.1.999.3&ISO^VN", *[""] * 25, end]
    return b"\r".join([head, pid, "|".join(pv1).encode(), *([zbe.encode()] if zbe else []), b""])


def mdm(number: int, stay: str = "V1", unit: str = "UF12", flag: str = "", sample: str = "discharge-letter.xml") -> bytes:
    message = mdm_t02(numbered(number, sample))
    pv1 = next(line for line in message.splitlines() if line.startswith(b"PV1|"))
    fields = pv1.decode().split("|")
    fields[3], fields[16], fields[19] = unit, flag, f"{stay}^^^CH-A&1.2.250.1.999.3&ISO^VN"
    return message.replace(pv1, "|".join(fields).encode())


# ---- default deny ----

def test_nothing_sensitive_leaves_by_itself(start_gateway, simulator):
    gateway = start_gateway(site=SENSITIVE)
    accepted(gateway,
             mdm(1), mdm(2, "V2", unit="ADDICTO"), mdm(3, "V3", flag="I"), mdm(4, "V4", sample="prescription.xml"),
             adt("A01", "V5", "20261103100000", unit="", zbe="ZBE|1|20261103100000||INSERT|N||Alcool^^^^^^UF^^^6268"),
             mdm(5, "V5"),
             adt("A01", "V6", "20261103100000", flag="S"), mdm(6, "V6"), mdm(7, "V6", flag="N"),
             adt("A01", "V7", "20261103100000", flag="N"), mdm(8, "V7"),
             mdm(9, "V2"))
    wait_delivered(gateway, 1)
    assert where(gateway) == [DELIVERED, HELD, HELD, HELD, HELD, HELD, HELD, DELIVERED, HELD]
    assert len(simulator.received()) == 2
    held = gateway.documents()[1]
    assert "sensitive" in held["sentence"]
    (answer,) = gateway.ctl("release", held["doc"])
    assert answer["ok"]
    assert gateway.wait_final(held["doc"]) == "delivered"


def test_what_waits_for_something_else_waits_for_its_stay_too(start_gateway, simulator):
    gateway = start_gateway(site=", policies: [{ type: '*', action: hold }]")
    accepted(gateway, mdm(1), adt("Z99", "V1", "20261103100000", flag="I", zbe="ZBE|1|20261103||UPDATE|N|A01"))
    assert where(gateway) == [("held", "policy_hold")]
    doc = gateway.documents()[0]["doc"]
    gateway.ctl("release", "--reason", "policy_hold")  # who does that does not know of the stay
    assert where(gateway) == [HELD]
    assert simulator.exchanges() == []
    gateway.ctl("release", doc)
    assert gateway.wait_final(doc) == "delivered"


# ---- a site's own word on who was not asked ----

@pytest.mark.parametrize("everywhere, here, wanted", [
    ("send", "hold", ("held", "feeding_not_asked")),
    ("hold", "send", DELIVERED),
    ("hold", "default", ("held", "feeding_not_asked")),
])
def test_a_site_has_its_own_word_on_who_was_not_asked(start_gateway, everywhere, here, wanted):
    gateway = start_gateway(site=f", not_asked: {here}", extra=f"consent: {{ not_asked: {everywhere} }}")
    accepted(gateway, choice("NA", 3), mdm(1))
    if wanted == DELIVERED:
        wait_delivered(gateway, 1)
    assert where(gateway) == [wanted]
