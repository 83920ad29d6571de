"""Alerts: each is told in the journal, the status and the metrics, in the same words, and taken back there."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import subprocess
import time

import metrics
import pytest
from certificates import resigned
from disks import SetClock
from gateway import BUILD, Gateway
from samples import hand_in, mdm_t02, numbered, read

LETTER = read("discharge-letter.xml")

EJ = "990000987"


def wait_alert(gateway, name: str, change: str = "raised", subject: str = r"\S+", timeout: float = 40):
    return gateway.journal.wait(rf"^<(\d)>alert={name} subject=({subject}) {change} severity=(\w+): (.*)", timeout)


def listed(gateway) -> dict[tuple[str, str], dict]:
    return {(each["name"], each["subject"]): each for each in gateway.status()["alerts"]}


def metered(gateway) -> dict[tuple[str, str], str]:
    """Severity by name and subject."""
    found = {}
    for (name, *labels), value in metrics.of(gateway).items():
        if name == "dmpfeed_alert":
            assert value == 1
            each = dict(labels)
            found[each["name"], each["subject"]] = each["severity"]
    return found


def assert_told(gateway, name: str, severity: str, subject: str = r"\S+", timeout: float = 40) -> dict:
    """In all places; what the status says of it."""
    level, where, told, sentence = wait_alert(gateway, name, subject=subject, timeout=timeout).groups()
    assert (level, told) == ({"warning": "4", "critical": "3"}[severity], severity)
    alert = listed(gateway)[name, where]
    assert (alert["severity"], alert["sentence"]["en"].split()[0]) == (severity, sentence.split()[0])
    assert alert["since"] and all(alert[words][language] for words in ("sentence", "todo") for language in ("en", "fr"))
    assert metered(gateway)[name, where] == severity
    return alert


def test_a_healthy_gateway_has_none(gateway):
    doc = hand_in(gateway, "mllp", LETTER)
    gateway.wait_final(doc)
    deadline = time.monotonic() + 20
    while not (status := gateway.status())["disks"]:  # a first look has been taken
        assert time.monotonic() < deadline
    assert [each for each in status["alerts"] if each["name"] not in ("disk_low", "certificate_expiring")] == []
    assert status["disks"][0]["name"] == "state" and 0 < status["disks"][0]["free_bytes"] <= status["disks"][0]["size_bytes"]


def test_a_lane_that_is_stopped_rings_and_is_cleared_when_it_opens(start_gateway, simulator):
    gateway = start_gateway(extra="alerts: { lane_stopped: { after: 0 s } }")
    simulator.faults({"kind": "status", "status": 403})
    doc = hand_in(gateway, "mllp", LETTER)
    alert = assert_told(gateway, "lane_stopped", "critical", EJ)
    assert alert["sentence"]["en"].endswith("its rights or its certificate (HTTP 403).")
    assert alert["sentence"]["fr"].startswith("La voie d'envoi") and alert["sentence"]["fr"].endswith("son certificat (HTTP 403).")
    (lane,) = gateway.status()["lanes"]
    assert lane["why"] == lane["sentence"]["en"] and lane["sentence"]["fr"].startswith("Le DMP éconduit la passerelle")
    simulator.faults()
    assert gateway.wait_final(doc) == "delivered"
    assert wait_alert(gateway, "lane_stopped", "cleared")[1] == "6"
    assert ("lane_stopped", EJ) not in listed(gateway) and ("lane_stopped", EJ) not in metered(gateway)
    assert len(gateway.journal.find("alert=lane_stopped")) == 2, "once raised, once cleared"


def test_a_certificate_that_ends_rings(simulator, tmp_path):
    pki = resigned(simulator.pki, tmp_path / "pki", "sign", -60, 12.5 * 86400)
    with Gateway(tmp_path / "gateway", simulator.url, pki) as gateway:
        alert = assert_told(gateway, "certificate_expiring", "critical", f"{EJ} sign")
        assert "has 12 days left" in alert["sentence"]["en"]
        rows = {(row["owner"], row["role"]): row for row in gateway.ctl("certs")}
        assert rows == {(row["owner"], row["role"]): row for row in gateway.status()["certificates"]}
        assert set(rows) == {(EJ, "auth"), (EJ, "sign")}
        assert rows[EJ, "sign"]["days_left"] == 12 and "OU=1990000987" in rows[EJ, "sign"]["subject"]
        ends = metrics.value(metrics.of(gateway), "dmpfeed_certificate_not_after_timestamp_seconds", owner=EJ, role="sign")
        assert ends == pytest.approx(time.time() + 12.5 * 86400, abs=120)
        status = subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", "control.sock", "status"], text=True,
                                cwd=gateway.folder, capture_output=True, env={"LC_ALL": "C.UTF-8"}, check=True).stdout
        assert f"certificate_expiring  {EJ} sign" in status and "Order its successor now" in status


def test_a_backlog_rings(start_gateway, simulator):
    gateway = start_gateway(extra="alerts: { backlog_age: { warning: 1 s, critical: 12 h } }")
    simulator.faults({"kind": "status", "status": 503})
    hand_in(gateway, "mllp", LETTER)
    assert_told(gateway, "backlog_age", "warning", "queue")


def test_what_waits_for_a_person_rings(start_gateway, simulator):
    """Rejected, held for its INS, hidden from the patient for too long; and each listed with its reason."""
    gateway = start_gateway(
        extra="alerts: { rejected_waiting: { documents: 1 }, ins_waiting: { documents: 1, warning: 1 s } }\n"
              "visibility: { invisible_most: 1 s }",
        site=', policies: [{ type: "11490-0", action: invisible_patient }]')
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryMetadataError"})
    gateway.wait_final(hand_in(gateway, "mllp", read("prescription.xml")))
    assert gateway.send(mdm_t02(read("operative-report.xml"), identity_status="PROV")).code == "AA"
    assert_told(gateway, "ins_waiting", "warning", "documents")
    assert_told(gateway, "ins_waiting", "warning", "oldest")
    assert_told(gateway, "rejected_waiting", "warning", "documents")
    assert_told(gateway, "invisible_too_long", "warning", "oldest")
    waiting = {(each["state"], each["reason"]): each["documents"] for each in gateway.status()["waiting"]}
    assert waiting == {("rejected", "dmp_error"): 1, ("held", "ins_not_qualified"): 1}
    assert metrics.value(metrics.of(gateway), "dmpfeed_documents_waiting", state="rejected",
                         reason="dmp_error") == 1


def test_a_source_that_falls_silent_rings_until_it_sends(make_gateway):
    """It has sent something every ten minutes for five weeks, day and night, up to some hours ago; another one that
    sends on another day of the week is not expected today."""
    gateway = make_gateway(extra="alerts: { source_silent: { least: 1 min } }")
    gateway.start()
    assert gateway.stop() == 0
    now = int(time.time()) // 600
    with contextlib.closing(sqlite3.connect(gateway.folder / "state" / "queue.db")) as store:
        for source, of_day in (("DPI", lambda day: True), ("LABO", lambda day: day % 7 == (now // 144 - 2) % 7)):
            store.executemany("INSERT INTO arrival VALUES (?, ?, 2)",
                              ((slot, source) for slot in range(now - 35 * 144, now - 30) if of_day(slot // 144)))
        store.commit()
    gateway.start()
    alert = assert_told(gateway, "source_silent", "warning", "DPI")
    assert re.search(r"has sent no document for [45] h", alert["sentence"]["en"])
    assert ("source_silent", "LABO") not in listed(gateway)
    hand_in(gateway, "mllp", LETTER)
    wait_alert(gateway, "source_silent", "cleared", "DPI")


def test_a_disk_that_is_low_rings(start_gateway):
    gateway = start_gateway(extra="alerts: { disk_low: { share: { warning: 100 }, free: { warning: 1024 GiB } } }")
    alert = assert_told(gateway, "disk_low", "warning", "state", timeout=60)  # it must last for half a minute
    assert "left" in alert["sentence"]["en"]


def test_too_many_patients_without_a_dmp_ring(start_gateway, simulator):
    gateway = start_gateway(extra="alerts: { dmp_absent_rate: { warning: 50, critical: 100, least_documents: 2 } }")
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    simulator.faults({"kind": "failure", "errorCode": "XDSUnknownPatientId"})
    assert gateway.wait_final(hand_in(gateway, "mllp", read("prescription.xml"))) == "refused"
    alert = assert_told(gateway, "dmp_absent_rate", "warning", EJ)
    assert "50.0 %" in alert["sentence"]["en"] and "50,0 %" in alert["sentence"]["fr"]


def test_a_damaged_queue_rings(start_gateway):
    gateway = start_gateway()
    for number in range(2):
        gateway.wait_final(hand_in(gateway, "mllp", numbered(number)))
    log = gateway.folder / "state" / "queue.db-wal"
    os.truncate(log, log.stat().st_size // 3)
    assert gateway.send(mdm_t02(numbered(3))).code == "AR"
    alert = assert_told(gateway, "store_damaged", "critical", "store")
    assert "was cut" in alert["sentence"]["en"]


def test_a_clock_that_is_not_the_dmps_rings(make_gateway, simulator, tmp_path):
    clock = SetClock(tmp_path / "clock")
    gateway = make_gateway(extra="alerts: { clock_skew: { warning: 30 s, critical: 2 min } }")
    gateway.start(env=clock.environment)
    clock.ahead(3600)
    assert_told(gateway, "clock_skew", "warning", "jump")
    hand_in(gateway, "mllp", LETTER)
    alert = assert_told(gateway, "clock_skew", "critical", EJ)
    assert "59 min" in alert["sentence"]["en"]
    assert metrics.value(metrics.of(gateway), "dmpfeed_clock_skew_seconds", lane=EJ) == pytest.approx(-3600, abs=5)
