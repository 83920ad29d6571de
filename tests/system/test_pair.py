"""The two forms of one content, brought by one message, live and die together."""

from __future__ import annotations

import json

import pytest

from gateway import Gateway
from samples import mdm_t02, read, unique_id
from test_bad_input import refusal_of_file
from test_hl7_messages import answer, batch, oru
from test_orders import ME, order, stuck  # noqa: F401: a fixture
from test_recall import LATER, recall

ONE, OTHER = read("discharge-letter.xml"), read("prescription.xml")  # of the same patient
ALONE = ("AE", "198", "cardinality")


def version(number: int, cda: bytes, of: bytes) -> bytes:
    """The document once more, under another name, as what replaces `of`."""
    for old, new in {f'<id root="{unique_id(cda)}"/>': f'<id root="{unique_id(cda)}.{number}"/>',
                     "</title>": f" ({number})</title>",
                     "  <componentOf>": '  <relatedDocument typeCode="RPLC"><parentDocument>'
                                        f'<id root="{unique_id(of)}"/></parentDocument></relatedDocument>\n  <componentOf>'
                     }.items():
        assert old.encode() in cda
        cda = cda.replace(old.encode(), new.encode(), 1)
    return cda


ONE_2, OTHER_2 = version(2, ONE, ONE), version(2, OTHER, OTHER)
ONE_3, OTHER_3 = version(3, ONE, ONE_2), version(3, OTHER, OTHER_2)


def docs(gateway: Gateway) -> dict[tuple[str, str], str]:
    return {(each["unique_id"], each["action"]): each["doc"] for each in gateway.documents()}


def statuses(simulator) -> list[str | None]:
    """Of the two forms in the DMP."""
    held = simulator.received()
    return [held[unique_id(cda)]["status"] if unique_id(cda) in held else None for cda in (ONE, OTHER)]


def delivered(gateway: Gateway, *messages: bytes) -> Gateway:
    for message in messages:
        assert answer(gateway, message) == ("AA",)
        assert {each["state"] for each in gateway.settled().values()} == {"delivered"}
    return gateway


@pytest.fixture
def pair(gateway):
    """A gateway that has delivered both forms."""
    return delivered(gateway, oru(ONE, OTHER))


# ---- messages ----

@pytest.mark.parametrize("message", {
    "a replacement of the first": mdm_t02(ONE_2, trigger="T10"),
    "a replacement of the second": oru(OTHER_2, trigger="T10"),
    "a deletion of the first": mdm_t02(ONE, trigger="T04"),
    "a deletion of the second": oru(OTHER, trigger="T04"),
}.values(), ids=lambda message: "")
def test_what_names_one_form_is_refused_and_says_which_is_the_other(pair, simulator, message):
    left = OTHER if unique_id(ONE).encode() in message else ONE
    ack = pair.send(message)
    assert (ack.code, ack.errors[0]["code"], ack.errors[0]["reason"]) == ALONE
    assert ack.errors[0]["location"].startswith("OBX")
    pair.journal.wait(rf"refused channel=mllp .*ack=AE reason=cardinality where=OBX: .* one of two forms .*{unique_id(left)}:")
    assert len(pair.documents()) == 2
    assert statuses(simulator) == ["approved"] * 2


def test_what_names_both_replaces_both_and_deletes_both(pair, simulator):
    delivered(pair, oru(ONE_2, OTHER_2, trigger="T10"))
    assert statuses(simulator) == ["deprecated"] * 2
    assert answer(pair, mdm_t02(ONE_3, trigger="T10")) == ALONE, "the new forms are a pair too"
    delivered(pair, oru(ONE_2, OTHER_2, trigger="T04"))
    assert {each["status"] for each in simulator.received().values()} == {"deprecated", "deleted"}


def test_while_both_wait_one_is_not_withdrawn_alone(start_gateway, simulator):
    gateway = start_gateway(first="1 h", most="1 h", probe="1 h")
    simulator.faults({"kind": "status", "status": 503})
    assert answer(gateway, oru(ONE, OTHER)) == ("AA",)
    assert answer(gateway, mdm_t02(ONE, trigger="T04")) == ALONE
    assert answer(gateway, oru(ONE, OTHER, trigger="T04")) == ("AA",)


def test_a_file_that_replaces_one_form_is_rejected_and_told_why(pair):
    error = refusal_of_file(pair, "new.xml", ONE_2)
    assert (error["reason"], error["location"]) == ("cardinality", "id/@root")
    assert unique_id(OTHER) in error["text"]


def test_a_batch_may_name_them_one_by_one(pair, simulator):
    pair.drop("night.hl7", batch(mdm_t02(ONE, trigger="T04"), mdm_t02(OTHER, trigger="T04")))
    assert pair.wait_moved("night.hl7") == "done"
    pair.settled()
    assert statuses(simulator) == ["deleted"] * 2


def test_what_is_not_for_the_dmp_neither_leaves_a_form_alone_nor_accounts_for_one(pair, simulator):
    not_for_dmp = mdm_t02(OTHER_2, trigger="T10", flags={"DESTDMP": "N"})
    pair.drop("night.hl7", batch(mdm_t02(ONE, trigger="T04"), not_for_dmp))
    assert pair.wait_moved("night.hl7") == "rejected"
    assert answer(pair, not_for_dmp) == ("AA",)
    assert statuses(simulator) == ["approved"] * 2


def test_a_form_that_came_alone_is_of_the_pair_once_it_came_with_the_other(gateway):
    delivered(gateway, mdm_t02(ONE), oru(ONE, OTHER))
    assert answer(gateway, mdm_t02(ONE, trigger="T04")) == ALONE


def test_a_content_has_no_third_form(pair):
    third = ONE.replace(f'<id root="{unique_id(ONE)}"/>'.encode(), f'<id root="{unique_id(ONE)}.9"/>'.encode())
    assert answer(pair, oru(OTHER, third)) == ALONE
    assert len(pair.documents()) == 2


# ---- people ----

def test_each_form_shows_the_other(pair):
    ids = docs(pair)
    one, other = ids[unique_id(ONE), "submit"], ids[unique_id(OTHER), "submit"]
    assert (pair.ctl("show", one)["other_form"], pair.ctl("show", other)["other_form"]) == (other, one)


def recalled(gateway: Gateway, doc: str) -> dict:
    done = recall(gateway, doc, doc, "yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "With it goes the other form of its content:" in done.stderr
    return json.loads(done.stdout)


def test_who_recalls_one_form_recalls_both(pair, simulator):
    ids = docs(pair)
    one, other = ids[unique_id(ONE), "submit"], ids[unique_id(OTHER), "submit"]
    row = recalled(pair, other)
    assert (row["ok"], row["doc"], row["other_form"]) == (True, other, one)
    assert {pair.wait_final(row[name]) for name in ("deletion", "other_deletion")} == {"delivered"}
    assert statuses(simulator) == ["deleted"] * 2
    assert pair.ctl("show", row["other_deletion"])["unique_id"] == unique_id(ONE)
    assert pair.ctl("show", row["deletion"])["other_form"] == row["other_deletion"]
    for doc, deletion in ((other, row["deletion"]), (one, row["other_deletion"])):
        assert pair.ctl("show", doc)["events"][-1]["what"] == "recalled"
        pair.journal.wait(rf"doc={doc} order=recall deletion={deletion} by=")
    assert pair.ctl("verify")["ok"]


def test_a_form_is_recalled_alone_when_the_other_is_gone(gateway):
    delivered(gateway, mdm_t02(ONE), mdm_t02(ONE, trigger="T04"), oru(ONE, OTHER))
    ids = docs(gateway)
    doc = ids[unique_id(OTHER), "submit"]
    done = recall(gateway, doc, doc, "yes")
    row = json.loads(done.stdout)
    assert (done.returncode, row["other_form"], row["other_deletion"]) == (0, ids[unique_id(ONE), "submit"], None)
    assert row["other_sentence"] == "Its deletion is there already."
    assert f"stays as it is: {row['other_form']}. {row['other_sentence']}" in done.stderr


def test_a_form_whose_deletion_failed_is_recalled_once_more(pair, simulator):
    doc = docs(pair)[unique_id(ONE), "submit"]
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryMetadataError", "text": "code inconnu", "times": 1})
    row = recalled(pair, doc)
    ends = {name: pair.wait_final(row[name]) for name in ("deletion", "other_deletion")}
    assert sorted(ends.values()) == ["delivered", "rejected"]
    left, gone = (doc, row["other_form"]) if ends["deletion"] == "rejected" else (row["other_form"], doc)
    failed = row["deletion" if left == doc else "other_deletion"]
    again = json.loads(recall(pair, left, left, "yes").stdout)
    assert (again["ok"], again["deletion"], again["other_form"], again["other_deletion"]) == (True, failed, gone, None)
    assert again["other_sentence"] == "Its deletion is there already."
    pair.journal.wait(rf"doc={failed} outcome=delivered")
    assert statuses(simulator) == ["deleted"] * 2
    assert pair.ctl("verify")["ok"]


def test_a_dry_run_says_that_both_would_go_and_takes_back_none(pair):
    ids = docs(pair)
    one, other = ids[unique_id(ONE), "submit"], ids[unique_id(OTHER), "submit"]
    row = json.loads(recall(pair, unique_id(ONE), options=("--dry-run",)).stdout)
    assert (row["ok"], row["doc"], row["other_form"], row["deletion"], row["other_deletion"], row["other_sentence"]) == \
        (True, one, other, None, None, None)
    assert len(pair.documents()) == 2


def test_while_one_form_is_on_its_way_the_other_is_not_recalled(start_gateway, simulator):
    gateway = start_gateway(**LATER)
    assert answer(gateway, mdm_t02(ONE)) == ("AA",)
    gateway.settled()
    simulator.faults({"kind": "status", "status": 503})
    assert answer(gateway, oru(ONE, OTHER)) == ("AA",)
    ids = docs(gateway)
    one, other = ids[unique_id(ONE), "submit"], ids[unique_id(OTHER), "submit"]
    done = recall(gateway, one, options=("--dry-run",))
    row = json.loads(done.stdout)
    assert row["sentence"] == "Its other form is still on its way: cancel that one, or wait for its end."
    assert (row["other_form"], row["other_sentence"]) == (other, None)
    gateway.journal.wait(rf"doc={other} .*outcome=queued")
    (row,) = gateway.ctl("cancel", other, "--force")
    assert "other_form" not in row, "the DMP has that one"
    assert recall(gateway, one, options=("--dry-run",)).returncode == 0


@pytest.mark.parametrize("named", [1, 2])
def test_who_cancels_one_form_cancels_both(stuck, named):
    assert answer(stuck, oru(ONE, OTHER)) == ("AA",)
    ids = docs(stuck)
    one, other = ids[unique_id(ONE), "submit"], ids[unique_id(OTHER), "submit"]
    code, rows = order(stuck, "cancel", *(one, other)[:named])
    assert code == 0
    assert [(row["ok"], row["from"], row["state"], row["other_form"]) for row in rows] == \
        [(True, "queued", "cancelled", other), (True, "queued", "cancelled", one)][:named]
    for doc in (one, other):
        shown = stuck.ctl("show", doc)
        assert (shown["state"], shown["reason"], shown["events"][-1]["what"], shown["events"][-1]["actor"]) == \
            ("cancelled", "withdrawn", "cancelled", ME)
        stuck.journal.wait(rf"doc={doc} order=cancel from=queued state=cancelled reason=withdrawn by={ME.split()[0]}")
    assert stuck.ctl("verify")["ok"]


def test_a_new_version_is_not_given_up_when_its_other_form_has_arrived(pair, simulator):
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryMetadataError", "text": "code inconnu", "times": 1})
    assert answer(pair, oru(ONE_2, OTHER_2, trigger="T10")) == ("AA",)
    pair.settled()
    (doc,) = [each["doc"] for each in pair.documents() if each["state"] == "rejected"]
    code, (row,) = order(pair, "cancel", doc)
    assert (code, row["sentence"].split(":")[0]) == (1, "Its other form has arrived")
    code, (row,) = order(pair, "cancel", doc, "--force")
    assert (code, row["state"], "other_form" in row) == (0, "cancelled", False)
