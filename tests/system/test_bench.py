"""scripts/bench measures all that it promises. Not whether the figures are good: that is for a quiet machine."""

from __future__ import annotations

import json
import subprocess

import pytest

from gateway import PYTHON, SOURCE, is_sanitized

PROMISED = {
    "limit_fdatasync_per_s": set(),
    "limit_rsa2048_sign_per_s": set(),
    "limit_store_and_ack_per_s": {"connections", "bytes"},
    "mllp_acked_per_s": {"connections", "bytes", "ack_p50_ms", "ack_p99_ms", "cpu_ms_per_message"},
    "delivered_per_s": {"bytes", "latency_ms", "in_flight", "cpu_ms_per_document"},
    "end_to_end_per_s": set(),
    "end_to_end_p99_ms": set(),
    "built_per_s_per_core": set(),
    "drained_s": {"queued", "rss_mib"},
    "drop_files_per_s": set(),
    "rss_mib": {"queued"},
    "restart_ms": {"queued"},
    "rss_mib_added_by_20mb_document": set(),
    "status_ms_p99": set(),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    if is_sanitized():
        pytest.skip("a sanitized build measures nothing, and takes no preloaded library")
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    done = subprocess.run([PYTHON, SOURCE / "scripts" / "bench.py", "--quick", "--json", file], capture_output=True,
                          text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(file.read_text())


@pytest.mark.parametrize("name", PROMISED)
def test_every_name_has_its_values(report, name):
    assert report[name]
    for row in report[name]:
        assert row["value"] > 0, row
        assert row.keys() >= PROMISED[name]


def test_every_set_of_parameters_is_there(report):
    def seen(name, *parameters):
        return {tuple(row.get(each) for each in parameters) for row in report[name]}

    sizes = {(connections, bytes_) for connections in (1, 8, 64) for bytes_ in (12288, 102400, 1048576)}
    for name in ("mllp_acked_per_s", "limit_store_and_ack_per_s"):
        assert seen(name, "connections", "bytes", "slow_fsync_ms") >= {
            (*each, slow) for each in sizes for slow in (None, 5)}
    assert any("open_loop_per_s" in row for row in report["mllp_acked_per_s"])
    assert seen("delivered_per_s", "bytes", "latency_ms", "in_flight") >= {
        (51200, latency, in_flight) for latency in (0, 50) for in_flight in (8, 64)}
    assert len(report["rss_mib"]) == len(report["restart_ms"]) == 3


def test_figures_read_as_shares_of_limits_of_the_same_run(report):
    limits = {(row["connections"], row["bytes"], row.get("slow_fsync_ms")): row["value"]
              for row in report["limit_store_and_ack_per_s"]}
    for row in report["mllp_acked_per_s"]:
        if "open_loop_per_s" not in row:
            assert row["limit"] == limits[row["connections"], row["bytes"], row.get("slow_fsync_ms")]
            assert row["share"] == pytest.approx(row["value"] / row["limit"])
    for name in ("delivered_per_s", "built_per_s_per_core"):
        assert all(row["share"] > 0 for row in report[name] if row.get("queued") is None)


def test_a_slower_sync_is_felt(report):
    one_after_the_other = [row["value"] for row in report["limit_store_and_ack_per_s"]
                           if row["connections"] == 1 and row.get("slow_fsync_ms") == 5]
    assert one_after_the_other and max(one_after_the_other) < 1000 / 5
