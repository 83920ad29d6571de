"""What is counted: once per document, on the day in Paris, whatever happens to the daemon meanwhile."""

from __future__ import annotations

import collections
import datetime
import re
import subprocess
import zoneinfo

import pytest

from gateway import BUILD, Gateway
from samples import REPLACEMENT, hand_in, mdm_t02, numbered, read

LETTER, NEXT = read("discharge-letter.xml"), read(REPLACEMENT)
CORSICA, ZEROS = "2A0000014", "010003720"


def counted(gateway: Gateway, start: int = 0) -> collections.Counter:
    """The numbers by outcome, once all that has happened is in them."""
    newest = max(event["number"] for each in gateway.documents() for event in gateway.ctl("show", each["doc"])["events"])
    gateway.journal.wait(rf"counted to={newest}\b", start=start)
    numbers = collections.Counter()
    for each in gateway.ctl("counters"):
        numbers[each["outcome"]] += each["n"]
    return numbers


def settle(gateway: Gateway, message: bytes) -> str:
    """Sends it, and waits for the end of what it brought."""
    ack = gateway.send(message)
    assert ack.code == "AA", ack.errors
    doc = max(gateway.documents(), key=lambda each: each["last_arrival"])["doc"]
    return gateway.wait_final(doc)


def test_a_document_counts_once_with_its_versions_until_it_is_deleted(gateway):
    assert settle(gateway, mdm_t02(LETTER)) == "delivered"
    assert counted(gateway) == {"RECEIVED": 1, "RECEIVED_QUALIFIED": 1, "ACCEPTED": 1}
    assert settle(gateway, mdm_t02(NEXT, trigger="T10")) == "delivered"
    assert counted(gateway) == {"RECEIVED": 1, "RECEIVED_QUALIFIED": 1, "ACCEPTED": 1, "REPLACED_OK": 1}
    assert settle(gateway, mdm_t02(NEXT, trigger="T04")) == "delivered"
    assert counted(gateway)["DELETED_OK"] == 1
    assert settle(gateway, mdm_t02(LETTER)) == "delivered"  # the source sends it once more


def test_counting_anew_comes_to_the_same_and_is_noted(gateway):
    for message in (mdm_t02(LETTER), mdm_t02(NEXT, trigger="T10"), mdm_t02(NEXT, trigger="T04")):
        assert settle(gateway, message) == "delivered"
    before, rows = counted(gateway), gateway.ctl("counters")
    start = len(gateway.journal.lines)
    assert gateway.ctl("counters", "--rebuild")[0]["recount"] == 2
    gateway.journal.wait(r"order=recount rows=\d+ by=\S+", start=start)
    assert counted(gateway, start) == before
    assert gateway.ctl("counters") == rows


def test_what_was_accepted_and_not_noted_is_reconciled_and_counts_once(start_gateway, simulator):
    """The DMP has stored it, and the daemon dies before it hears so."""
    gateway = start_gateway(first="100 ms", most="300 ms")
    simulator.faults({"kind": "hold_after"})
    doc = hand_in(gateway, "mllp", LETTER)
    simulator.wait_held(1)
    gateway.kill()
    simulator.faults()
    simulator.release()
    gateway.start()
    assert gateway.wait_final(doc) == "delivered"
    assert counted(gateway) == {"RECEIVED": 1, "RECEIVED_QUALIFIED": 1, "ACCEPTED_RECONCILED": 1, "UNKNOWN": 1}


def test_a_kill_neither_forgets_nor_counts_twice(start_gateway):
    gateway = start_gateway()
    expected = collections.Counter()
    for door in ("mllp", "drop"):
        assert gateway.wait_final(hand_in(gateway, door, LETTER if door == "mllp" else NEXT)) == "delivered"
        expected += {"mllp": {"RECEIVED": 1, "RECEIVED_QUALIFIED": 1, "ACCEPTED": 1}, "drop": {"REPLACED_OK": 1}}[door]
        gateway.kill()  # at whatever step of counting it is
        gateway.start()
    gateway.stop()
    gateway.start()
    assert gateway.ctl("counters", "--rebuild")[0]["rows"] > 0
    assert counted(gateway, len(gateway.journal.lines) - 1) == expected


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
def test_the_day_is_that_of_paris_wherever_the_machine_is(make_gateway, zone):
    gateway = make_gateway()
    gateway.start(env={"TZ": zone})
    paris = zoneinfo.ZoneInfo("Europe/Paris")
    days = {datetime.datetime.now(paris).date().isoformat()}
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    assert counted(gateway)["ACCEPTED"] == 1
    days |= {datetime.datetime.now(paris).date().isoformat()}
    assert {each["day"] for each in gateway.ctl("counters")} <= days


def test_letters_and_zeros_of_a_finess_are_kept(start_gateway):
    """Whatever the DMP says of it."""
    gateway = start_gateway(eg=CORSICA, ej=ZEROS)
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    counted(gateway)
    assert {(each["finess_ej"], each["finess_eg"]) for each in gateway.ctl("counters")} == {(ZEROS, CORSICA)}


def test_a_finess_without_quotes_is_refused(make_gateway):
    gateway = make_gateway(eg=ZEROS)
    text = gateway.config.read_text()
    assert text.count(f'finess_eg: "{ZEROS}"') == 1
    gateway.config.write_text(text.replace(f'finess_eg: "{ZEROS}"', f"finess_eg: {ZEROS}"))
    done = gateway.run("--check-config")
    assert done.returncode == 1
    assert "finess_eg must stand in quotes" in done.stderr


def test_a_site_that_was_renumbered_is_told_under_both_numbers(make_gateway):
    gateway = make_gateway()
    gateway.start()
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    old = counted(gateway)
    number = gateway.ctl("counters")[0]["finess_eg"]
    gateway.stop()
    text = gateway.config.read_text()
    gateway.config.write_text(text.replace(f'"{number}"', f'"{CORSICA}"').replace(
        "sector: SA01", f'sector: SA01, formerly: ["{number}"]'))
    gateway.start()
    assert gateway.wait_final(hand_in(gateway, "mllp", numbered(7))) == "delivered"
    assert counted(gateway) == {outcome: 2 * n for outcome, n in old.items()}
    rows = gateway.ctl("counters")
    assert {(each["finess_eg"], each["current"]) for each in rows} == {(number, CORSICA), (CORSICA, None)}
    assert len({each["finess_ej"] for each in rows}) == 1


def test_people_read_it_too(gateway):
    def printed() -> str:
        return subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", "counters"], cwd=gateway.folder,
                              env={"LC_ALL": "fr_FR.UTF-8"}, capture_output=True, text=True, check=True).stdout

    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    counted(gateway)
    assert re.search(r"11490-0 +DMP +[\d-]+ +ACCEPTED +1\n", printed())
    assert "pas encore compté" not in printed()
    refused = pytest.raises(RuntimeError, gateway.ctl, "counters", "--from", "yesterday")
    assert "from takes a day like 2026-11-22" in str(refused.value)
    months = gateway.ctl("counters", "--by", "month")
    assert [each["outcome"] for each in months] == ["ACCEPTED", "RECEIVED", "RECEIVED_QUALIFIED"]
    assert all(len(each["month"]) == 7 for each in months)
