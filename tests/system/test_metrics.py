"""The metrics are what Prometheus' own tools take, and count what happened."""

from __future__ import annotations

import shutil
import subprocess
import time

import metrics
import pytest
from prometheus_client.openmetrics import parser as openmetrics  # Debian: python3-prometheus-client
from samples import hand_in, mdm_t02, numbered, patient_words_in, read

EJ = "990000987"

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian's prometheus) is not installed")


def looked(gateway) -> dict[tuple, float]:
    """The metrics once a first look has been taken at disk and store."""
    deadline = time.monotonic() + 20
    while ("dmpfeed_disk_size_bytes", ("disk", "state")) not in (found := metrics.of(gateway)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@needs_promtool
def test_promtool_finds_nothing_to_say(gateway):
    gateway.wait_final(hand_in(gateway, "mllp", read("discharge-letter.xml")))
    looked(gateway)
    text = gateway.get("/metrics")[1]
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, timeout=30)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
    assert patient_words_in(text.decode()) == []


def test_openmetrics_has_the_same_samples(gateway):
    """For who accepts it, by the rules of the reference parser."""
    gateway.wait_final(hand_in(gateway, "mllp", read("discharge-letter.xml")))
    looked(gateway)
    before = set(metrics.of(gateway))
    headers, text = gateway.fetch("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    families = list(openmetrics.text_string_to_metric_families(text))
    kinds = {family.name: family.type for family in families}
    assert kinds["dmpfeed_documents_received"] == kinds["process_cpu_seconds"] == "counter"
    assert kinds["dmpfeed_ack_duration_seconds"] == "histogram"
    samples = {(sample.name, *sorted(sample.labels.items())) for family in families for sample in family.samples}
    assert samples in (before, set(metrics.of(gateway)))
    assert patient_words_in(text) == []


def test_what_happens_is_counted(gateway, simulator):
    letter = read("discharge-letter.xml")
    gateway.wait_final(hand_in(gateway, "mllp", letter))
    gateway.wait_final(hand_in(gateway, "drop", read("prescription.xml")))
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryMetadataError"})
    gateway.wait_final(hand_in(gateway, "mllp", numbered(3)))
    assert gateway.send(mdm_t02(letter)).code == "AA", "the same again"
    found = looked(gateway)

    def value(name, **labels):
        return metrics.value(found, "dmpfeed_" + name, **labels)

    assert value("documents_received_total") == 3
    assert value("documents_reached_total", state="delivered") == 2
    assert value("documents_reached_total", state="rejected") == 1
    assert value("documents", state="delivered") == 2
    assert value("lane_attempts_total", lane=EJ, outcome="delivered") == 2
    assert value("lane_attempts_total", lane=EJ, outcome="rejected") == 1
    assert value("lane_state", lane=EJ, state="open") == 1 and value("lane_state", lane=EJ, state="stopped") == 0
    assert value("dmp_request_duration_seconds_count", lane=EJ) == 3
    assert value("ack_duration_seconds_count", listener="mllp") == 3
    assert value("ack_duration_seconds_bucket", listener="mllp", le="+Inf") == 3
    assert value("listener_messages_total", listener="mllp") == 3
    assert value("folder_taken_total", folder="drop") == 1
    assert value("ready") == 1
    assert value("store_bytes") + value("store_wal_bytes") > 0
    assert 0 < value("disk_free_bytes", disk="state") <= value("disk_size_bytes", disk="state")
    assert value("loop_lag_seconds_count") >= 1
    assert metrics.value(found, "process_resident_memory_bytes") > 1 << 20
    assert 3 < metrics.value(found, "process_open_fds") < metrics.value(found, "process_max_fds")
    assert abs(metrics.value(found, "process_start_time_seconds") - time.time()) < 60


def test_labels_are_of_the_configuration_and_of_tables_alone(gateway):
    """A thousand documents make no more series than one."""
    gateway.wait_final(hand_in(gateway, "mllp", numbered(1)))
    before = set(looked(gateway))
    for number in range(2, 12):
        gateway.wait_final(hand_in(gateway, "mllp", numbered(number)))
    assert set(metrics.of(gateway)) == before
