"""What nobody would write on purpose: damaged requests, and many at once."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import pytest

from dmpsim import deletion, existence, query, vihf
from dmpsim.certificates import Trust
from dmpsim.http1 import Head, Request
from dmpsim.judgement import Settings
from dmpsim.submission import judge
from reference_client import PATIENT_WORDS, new_deletion, new_existence, new_message, new_query


@pytest.fixture(scope="module")
def settings(pki):
    return Settings(vihf.Settings(Trust(pki)))


def damage(body: bytes, dice: random.Random) -> bytes:
    """Remove, repeat, or overwrite a few bytes somewhere."""
    at, length = dice.randrange(len(body)), dice.choice((1, 1, 1, 2, 7, 40))
    piece = dice.choice(
        (b"", body[at : at + length] * 2, bytes(dice.randrange(256) for _ in range(length)), b"\x00", b"]]>", b"&x;")
    )
    return body[:at] + piece + body[at + length :]


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_request_is_judged_like_any_other(settings, signer, seed):
    """No exception but the judge's own, and no word of the patient in what it says."""
    dice = random.Random(seed)
    message = new_message(signer)
    body = message.body()
    head = Head("POST", "/", "HTTP/1.1", (("content-type", message.content_type),))
    for _ in range(150):
        judged = judge(Request(head, damage(body, dice)), settings, datetime.now(timezone.utc))
        assert judged.findings or judged.wanted
        assert not any(word in finding.text for word in PATIENT_WORDS for finding in judged.findings)


@pytest.mark.parametrize(
    ("make", "judge_it"),
    [
        (lambda signer: new_query("1.2.3", signer), query.judge),
        (lambda signer: new_deletion("urn:uuid:3f6e0a54-52d1-11f1-9c1b-0242ac120002", signer), deletion.judge),
        (new_existence, existence.judge),
    ],
    ids=["TD3.1b", "TD3.3c", "TD0.2"],
)
def test_a_damaged_request_of_another_transaction_is_too(settings, signer, make, judge_it):
    dice = random.Random(1)
    message = make(signer)
    body = message.body()
    head = Head("POST", "/", "HTTP/1.1", (("content-type", message.content_type),))
    for _ in range(150):
        judged = judge_it(Request(head, damage(body, dice)), settings, datetime.now(timezone.utc))
        assert judged.findings or judged.wanted
        assert not any(word in finding.text for word in PATIENT_WORDS for finding in judged.findings)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        ";",
        "multipart/related",
        'multipart/related; boundary=""',
        "multipart/related; boundary",
        'multipart/related; boundary="\xe9"',
        "a" * 10_000,
    ],
)
def test_a_strange_content_type_is_refused(settings, content_type):
    head = Head("POST", "/", "HTTP/1.1", (("content-type", content_type),))
    (finding,) = judge(Request(head, b"--"), settings, datetime.now(timezone.utc)).findings
    assert finding.location == "HTTP Content-Type"


def test_many_at_once_are_each_stored_once(sim):
    """Eight connections send twenty documents each, every document by two of them."""
    ids = [new_message().unique_id for _ in range(80)]

    def send(first: int) -> list[str]:
        client = sim.client()
        outcomes = [client.send(new_message(unique_id=ids[(first + n) % len(ids)])).outcome for n in range(20)]
        client.close()
        return outcomes

    with ThreadPoolExecutor(8) as pool:
        outcomes = [outcome for some in pool.map(send, range(0, 80, 10)) for outcome in some]
    assert (outcomes.count("Success"), outcomes.count("Failure")) == (80, 80)
    assert sorted(sim.received()) == sorted(ids)
    assert [line["verdict"] for line in sim.journal()].count("duplicate") == 80
