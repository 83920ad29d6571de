"""Stays, as ADT messages tell of them: what is sensitive leaves by nobody's doing but a person's."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import subprocess
from datetime import datetime, timedelta

import pytest

from gateway import BUILD, FINESS_EG
from samples import hl7, mdm_t02, numbered
from test_consent import DELIVERED, accepted, adt as choice, wait_delivered, where
from test_targets import when

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
    for number in (0, 7):
        assert gateway.wait_final(gateway.documents()[number]["doc"]) == "delivered"
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


# ---- who has left without a letter, and what indicators count ----

TARGETS = """\
schema: usage-targets/1
document_types: { lettre: { type_codes: ["11490-0"] } }
denominators: { sejours: { source: adt } }
programmes:
  - id: essai
    windows: [ { id: w, start: 2020-01-01, end: null, status: internal } ]
    indicators:
      - id: cloture
        numerator: { aggregate: distinct_stays, types: [lettre], date_basis: stay_end }
        denominator: sejours
        threshold: { kind: ratio, op: ">=", value: 0.7, status: internal }
"""


def hour(days_ago: int, hour: int) -> str:
    return (datetime.now() - timedelta(days=days_ago)).strftime("%Y%m%d") + f"{hour:02}0000"


def month() -> list[bytes]:
    """What a patient administration tells of a month; as of today, V1, V3, V5 and V6 have ended."""
    return [
        # V1 is admitted, moves, leaves, is taken back, and leaves again
        adt("A01", "V1", hour(30, 9)), adt("A02", "V1", hour(28, 10), unit="UF13"), adt("A03", "V1", hour(21, 15)),
        adt("A13", "V1", hour(20, 9)), adt("A03", "V1", hour(12, 11), unit="UF13"),
        # V2 never was
        adt("A01", "V2", hour(25, 9)), adt("A11", "V2", hour(25, 10)),
        # V3 comes by the emergencies, and leaves; then its end is corrected
        adt("A04", "V3", hour(20, 3), unit="URG", kind="E"), adt("A06", "V3", hour(20, 8)), adt("A03", "V3", hour(4, 10)),
        adt("Z99", "V3", hour(2, 9), zbe=f"ZBE|7|{hour(9, 10)}||UPDATE|N|A03"),
        # V4 is here; V5 is secret; V6 left yesterday; V7 is a consultation
        adt("A01", "V4", hour(5, 9)),
        adt("A01", "V5", hour(15, 9), flag="I"), adt("A03", "V5", hour(11, 9)),
        adt("A01", "V6", hour(6, 9)), adt("A03", "V6", hour(1, 0)),
        adt("A04", "V7", hour(6, 9), kind="O"), adt("A03", "V7", hour(6, 10), kind="O"),
    ]


def stays(gateway, *arguments: str) -> list[dict]:
    return gateway.ctl("stays", "--without-letter", *arguments)


def numbers(gateway, *arguments: str) -> list[str]:
    return [each["stay"] for each in stays(gateway, *arguments)]


def said(gateway, *arguments: str, **environment) -> subprocess.CompletedProcess:
    return subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", *arguments], cwd=gateway.folder,
                          capture_output=True, text=True, timeout=30, env={**os.environ, "LC_ALL": "C.UTF-8", **environment})


def test_a_month(make_gateway, simulator):
    gateway = make_gateway(extra="targets: { dir: objectifs, every: 1 s }")
    (gateway.folder / "objectifs").mkdir()
    (gateway.folder / "objectifs" / "essai.yaml").write_text(TARGETS)
    gateway.start()
    told = month()
    accepted(gateway, *told[:10])
    gateway.kill()  # what was acknowledged is on disk
    gateway.start()
    accepted(gateway, *told[10:])
    accepted(gateway, *told[::-1], told[4], told[0])  # again, and backwards: nothing new in it

    listed = stays(gateway)
    assert [each["stay"] for each in listed] == ["V1", "V5", "V3", "V6"]  # oldest first
    first = listed[0]
    assert (first["unit"], first["site"], first["sensitive"]) == ("UF13", FINESS_EG, False)
    assert first["days"] in (11, 12)  # it left at eleven
    assert (listed[1]["sensitive"], listed[1]["letter_state"]) == (True, None)
    assert numbers(gateway, "--after", "8d") == ["V1", "V5", "V3"]
    assert numbers(gateway, "--after", "10d") == ["V1", "V5"]
    assert numbers(gateway, "--limit", "1") == ["V1"]
    assert numbers(gateway, "--site", FINESS_EG) == ["V1", "V5", "V3", "V6"]
    row = when(gateway, lambda found: found["w", "cloture"]["denominator"] == 4)["w", "cloture"]
    assert (row["denominator_from"]["source"], row["denominator_from"]["sensitive"]) == ("adt", 1)
    assert row["numerator"] == 0

    # two letters, late; one waits for a person, for its stay is secret
    accepted(gateway, mdm(1, "V1"), mdm(2, "V5"))
    wait_delivered(gateway, 1)
    row = when(gateway, lambda found: found["w", "cloture"]["numerator"] == 1)["w", "cloture"]
    assert (row["denominator"], row["rate"]) == (4, 0.25)
    listed = stays(gateway)
    assert [each["stay"] for each in listed] == ["V5", "V3", "V6"]
    assert (listed[0]["letter_state"], listed[0]["letter_reason"]) == HELD
    # and V6 comes back: it has not ended
    accepted(gateway, adt("A13", "V6", hour(0, 0)))
    assert numbers(gateway) == ["V5", "V3"]
    when(gateway, lambda found: found["w", "cloture"]["denominator"] == 3)

    # a number is told to who asks for it, and nowhere else
    assert not re.search(r"\bV[1-7]\b", "\n".join(gateway.journal.lines))
    for path in ("/", "/metrics", "/api/v1/status", "/api/v1/targets", "/api/v1/counters", "/api/v1/documents"):
        assert not re.search(rb"\bV[1-7]\b", gateway.get(path)[1]), path


def test_a_stay_at_two_sites_counts_where_it_ended(make_gateway, simulator):
    """The letter comes from the first of them: the site without a letter has none, and no other has one too many."""
    other = "2A0000014"
    gateway = make_gateway(extra="targets: { dir: objectifs, every: 1 s }", site=", units: [{ unit: UF12, field: MCO }] }\n"
                           f'      - {{ finess_eg: "{other}", name: SITE DEUX, sector: SA01, units: [{{ unit: UF13, field: SMR }}]')
    (gateway.folder / "objectifs").mkdir()
    (gateway.folder / "objectifs" / "essai.yaml").write_text(TARGETS)
    gateway.start()
    accepted(gateway, adt("A01", "V1", hour(9, 9)), adt("A02", "V1", hour(5, 10), unit="UF13"),
             adt("A03", "V1", hour(3, 15), unit="UF13"), mdm(1, "V1"))
    wait_delivered(gateway, 1)

    def of_sites(asked) -> dict[str, tuple[int, int]]:
        return {row["finess_eg"]: (row["numerator"], row["denominator"]) for row in asked.ctl("targets")}

    found = when(gateway, lambda found: found[FINESS_EG][0] + found[other][0] == 1, look=of_sites)
    assert numbers(gateway) == []
    assert found == {FINESS_EG: (0, 0), other: (1, 1)}

    def rates_of(asked) -> dict[str, tuple[int, int]]:
        return {row["finess_eg"]: (row["stays_with_letter"], row["stays_ended"]) for row in asked.ctl("targets", "--rates")
                if "finess_eg" in row}

    found = when(gateway, lambda found: found[FINESS_EG][0] + found[other][0] == 1, look=rates_of)
    assert found == {FINESS_EG: (0, 0), other: (1, 1)}


def test_who_reads_the_numbers_is_kept(gateway):
    accepted(gateway, adt("A03", "V1", hour(3, 9)))
    before = gateway.ctl("verify")
    assert numbers(gateway) == ["V1"]
    after = gateway.ctl("verify")
    assert before["head"] != after["head"] and after["ok"]
    gateway.journal.wait(r"read stays=1 by=\S+ \(\d+\)")


def test_what_it_prints(gateway):
    assert "No stay without a letter." in said(gateway, "stays", "--without-letter").stdout
    accepted(gateway, adt("A03", "V1", hour(3, 9)), adt("A03", "V2", hour(2, 9)))
    printed = said(gateway, "stays", "--without-letter", "--limit", "1").stdout
    assert "Stays without a letter: 2" in printed and "V1" in printed and "V2" not in printed
    assert "Séjours sans lettre" in said(gateway, "stays", "--without-letter", LC_ALL="fr_FR.UTF-8").stdout
    refused = said(gateway, "stays")
    assert refused.returncode == 1 and "--without-letter" in refused.stderr
    refused = said(gateway, "stays", "--without-letter", "--after", "soon")
    assert refused.returncode == 1 and "8d" in refused.stderr
    refused = said(gateway, "stays", "--without-letter", "--site", "990099999")
    assert refused.returncode == 1 and "990099999" in refused.stderr


def test_a_stay_is_forgotten_after_its_time(gateway):
    accepted(gateway, adt("A03", "V1", hour(3, 9)), adt("A03", "V2", hour(2, 9)))
    gateway.kill()
    with contextlib.closing(sqlite3.connect(gateway.folder / "state" / "queue.db")) as store, store:
        store.execute("UPDATE stay SET changed_ms = 1, end_ms = 1 WHERE end_ms = (SELECT min(end_ms) FROM stay)")
    gateway.start()
    gateway.journal.wait("forgot stays")
    assert numbers(gateway) == ["V2"]
