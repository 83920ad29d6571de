"""What the status port lists for machines: documents, page by page, and nothing of a file's name; what is counted."""

from __future__ import annotations

import json
import time
import urllib.parse

import pytest

from gateway import FINESS_EG
from samples import hand_in, mdm_t02, numbered

HOLDS = ', policies: [{ type: "57833-6", action: hold }]'


def ask(gateway, path="/api/v1/documents", **query) -> tuple[int, dict]:
    code, body = gateway.get(f"{path}?{urllib.parse.urlencode(query)}")
    return code, json.loads(body)


def documents(gateway, **query) -> list[dict]:
    code, answer = ask(gateway, **query)
    assert code == 200, answer
    return answer["documents"]


@pytest.fixture(scope="module")
def full(running_simulator, tmp_path_factory):
    """Three delivered, two held."""
    from gateway import Gateway

    running_simulator.reset()
    with Gateway(tmp_path_factory.mktemp("lists"), running_simulator.url, running_simulator.pki, site=HOLDS) as gateway:
        for number in range(3):
            hand_in(gateway, "drop", numbered(number), f"DUPONT JEANNE {number}.xml")
        for number in range(2):
            gateway.send(mdm_t02(numbered(10 + number, "prescription.xml")))
        gateway.settled()
        yield gateway


def test_documents_are_told_with_what_to_do(full):
    (held, _) = documents(full, state="held")
    assert (held["reason"], held["site"], held["type_code"]) == ("policy_hold", FINESS_EG, "57833-6")
    assert held["todo"] == "Release it, or change the policy."
    assert "origin" not in held
    assert "DUPONT" not in full.get("/api/v1/documents")[1].decode()


def test_filters_hold_together(full):
    assert len(documents(full)) == 5
    assert len(documents(full, state="delivered")) == 3
    assert len(documents(full, state="delivered", site=FINESS_EG)) == 3
    assert documents(full, state="delivered", reason="policy_hold") == []
    assert documents(full, site="990099999") == []


def test_what_is_hidden_is_a_filter_as_in_dmpfeedctl(full):
    assert documents(full, state="invisible") == []
    assert ask(full, state="hidden")[0] == 400


def test_the_status_has_all_that_was_promised(full):
    """Version, uptime, state and reasons of each lane, depth of the queue and the oldest, rates, certificates with
    days left, listeners, folders, the last delivery of each site, alerts."""
    status = full.status()
    deadline = time.monotonic() + 20
    while status["sites"][0]["last_delivered"] is None or not status["waiting"]:  # both are looked at now and then
        assert time.monotonic() < deadline
        time.sleep(0.1)
        status = full.status()
    assert status["version"] and status["environment"] == "rehearsal" and status["uptime_s"] >= 0 and status["ready"] is True
    (lane,) = status["lanes"]
    assert (lane["state"], lane["why"], lane["sentence"], lane["delivered"]) == ("open", None, None, 3)
    assert status["queue"] == {"held": 2, "queued": 0, "sending": 0, "delivered": 3, "refused": 0, "rejected": 0,
                               "suppressed": 0, "cancelled": 0}
    (waiting,) = status["waiting"]
    assert (waiting["state"], waiting["reason"], waiting["documents"]) == ("held", "policy_hold", 2) and waiting["oldest"]
    assert "oldest_queued_s" in status and status["rates"]["24h"]["delivered"] == status["rates"]["30d"]["delivered"] == 3
    assert all({"owner", "role", "subject", "not_after", "days_left"} == set(each) for each in status["certificates"])
    assert status["certificates"] and status["listeners"][0]["messages"] == 2 and status["folders"][0]["taken"] == 3
    (site,) = status["sites"]
    assert site["site"] == FINESS_EG and site["name"] and site["last_delivered"]
    assert isinstance(status["alerts"], list)


def test_pages_follow_each_other(full):
    seen, after = [], ""
    while after is not None:
        code, answer = ask(full, limit=2, after=after)
        assert code == 200
        seen += [each["doc"] for each in answer["documents"]]
        after = answer["next"]
    assert seen == [each["doc"] for each in documents(full)] and len(seen) == 5


def test_counters_are_told_of_days(full):
    today = time.strftime("%Y-%m-%d", time.localtime())
    deadline = time.monotonic() + 20

    def accepted() -> int:
        code, answer = ask(full, "/api/v1/counters", **{"from": today, "to": today})
        assert code == 200 and answer["from"] == today
        return sum(each["n"] for each in answer["counters"] if each["outcome"] == "ACCEPTED")

    while accepted() != 3:  # the ledger is followed at a pace of its own
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_day_that_is_none_is_said(full):
    code, answer = ask(full, "/api/v1/counters", **{"from": "2026-02-30"})
    assert code == 400 and "2026-02-30" in answer["error"]
    assert ask(full, "/api/v1/counters", site="1")[0] == 400


@pytest.mark.parametrize("query, why", [
    ({"state": "lost"}, "there is no state 'lost'"),
    ({"reason": "none"}, "there is no reason 'none'"),
    ({"after": "me"}, "'me' is not a document's id"),
    ({"limit": "0"}, "from 1 to 1000"),
    ({"limit": "1001"}, "from 1 to 1000"),
    ({"limit": "-1"}, "from 1 to 1000"),
    ({"stat": "held"}, "nothing called"),
    ({"state": "x" * 100}, "is not one"),
])
def test_what_cannot_be_asked_is_said(full, query, why):
    code, answer = ask(full, **query)
    assert code == 400 and why in answer["error"]
