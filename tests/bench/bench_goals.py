"""What each figure of the bench is held against: a limit of the machine, and a goal where there is one."""

from __future__ import annotations

import dataclasses
import operator


@dataclasses.dataclass(frozen=True)
class Goal:
    name: str
    parameters: dict
    field: str  # "share" of the limit, "value", or a companion
    least: float | None = None
    most: float | None = None

    def matches(self, row: dict) -> bool:
        same = all(row.get(key) == value for key, value in self.parameters.items())
        return same and row.keys() & EXTRAS <= self.parameters.keys() and self.field in row

    def judge(self, row: dict) -> dict:
        word, bound, holds = ("at least", self.least, operator.ge) if self.most is None else ("at most", self.most, operator.le)
        return {"text": f"{self.field} {word} {bound:g}", "met": holds(row[self.field], bound)}


EXTRAS = {"slow_fsync_ms", "open_loop_per_s", "queued"}  # a goal is for rows with these only if it names them

GOALS = (
    Goal("mllp_acked_per_s", {"connections": 1, "bytes": 12288}, "share", least=0.6),
    Goal("mllp_acked_per_s", {"connections": 8, "bytes": 12288}, "share", least=0.6),
    Goal("mllp_acked_per_s", {"connections": 64, "bytes": 12288}, "share", least=0.35),
    Goal("mllp_acked_per_s", {"connections": 8, "bytes": 102400}, "share", least=0.6),
    Goal("mllp_acked_per_s", {"connections": 8, "bytes": 12288}, "ack_p99_ms", most=3),
    Goal("mllp_acked_per_s", {"connections": 8, "bytes": 12288, "slow_fsync_ms": 5}, "value", least=1000),
    Goal("mllp_acked_per_s", {"connections": 64, "bytes": 12288, "slow_fsync_ms": 5}, "value", least=5000),
    Goal("delivered_per_s", {"latency_ms": 50, "in_flight": 8}, "share", least=0.93),
    Goal("delivered_per_s", {"latency_ms": 50, "in_flight": 64}, "share", least=0.6),
    Goal("delivered_per_s", {"latency_ms": 0, "in_flight": 8}, "share", least=0.25),
    Goal("delivered_per_s", {"latency_ms": 0, "in_flight": 64}, "share", least=0.25),
    Goal("delivered_per_s", {"queued": 250000}, "share", least=0.9),
    Goal("intake_beside_adt", {}, "value", least=0.9),
    Goal("built_per_s_per_core", {}, "share", least=0.5),
    Goal("drop_files_per_s", {}, "value", least=1500),
    Goal("rss_mib", {"queued": 0}, "value", most=24),
    Goal("rss_mib", {"queued": 250000}, "value", most=64),
    Goal("rss_mib", {"queued": 1000000}, "value", most=64),
    Goal("rss_mib_added_by_20mb_document", {}, "value", most=30),
    Goal("restart_ms", {"queued": 0}, "value", most=200),
    Goal("restart_ms", {"queued": 1000000}, "value", most=2000),
)


def _of_yardstick(row, value_of, _cores):
    names = ("connections", "bytes", "slow_fsync_ms")
    return None if "open_loop_per_s" in row else value_of(
        "limit_store_and_ack_per_s", **{name: row[name] for name in names if name in row})


def _of_delivery(row, value_of, _cores):
    """What latency allows; without it, two signatures a document on every core; with a long queue, a short one."""
    if "queued" in row:
        return value_of("delivered_per_s", **{**{name: row[name] for name in ("bytes", "latency_ms", "in_flight")},
                                              "queued": 1000})
    if row["latency_ms"]:
        return row["in_flight"] * 1000 / row["latency_ms"]
    return value_of("limit_rsa2048_sign_per_s") and value_of("limit_rsa2048_sign_per_s") / 2


def _of_building(_row, value_of, cores):
    return value_of("limit_rsa2048_sign_per_s") and value_of("limit_rsa2048_sign_per_s") / cores / 2


LIMITS = {"mllp_acked_per_s": _of_yardstick, "delivered_per_s": _of_delivery, "built_per_s_per_core": _of_building}
