"""Each kind of fault does what it says, for as long as it says."""

import http.client
import ssl
import threading
import time
from email import message_from_bytes

import pytest

from reference_client import Answer, new_message


def verdicts(sim) -> list[tuple[str, list[str]]]:
    return [(line["verdict"], line["injected"]) for line in sim.journal()]


def test_delay_answers_late_but_answers(sim, client):
    sim.faults({"kind": "delay", "ms": 150})
    start = time.monotonic()
    assert client.send(new_message()).outcome == "Success"
    assert time.monotonic() - start >= 0.15
    assert verdicts(sim) == [("stored", ["delay"])]


@pytest.mark.parametrize(("kind", "stored", "verdict"), [("reset_before", 0, "injected"), ("reset_after", 1, "stored")])
def test_reset_leaves_no_answer(sim, client, kind, stored, verdict):
    sim.faults({"kind": kind})
    with pytest.raises(ConnectionResetError):
        client.send(new_message())
    assert len(sim.received()) == stored
    assert verdicts(sim) == [(verdict, [kind])]


def test_after_a_reset_in_doubt_the_same_document_is_a_duplicate(sim, client):
    first = new_message()
    sim.faults({"kind": "reset_after", "times": 1})
    with pytest.raises(ConnectionResetError):
        client.send(first)
    client.close()
    again = client.send(new_message(unique_id=first.unique_id, set_unique_id=first.set_unique_id))
    assert (again.code, first.unique_id in again.text) == ("XDSDuplicateUniqueIdInRegistry", True)
    assert sim.received() == [first.unique_id]


def test_status_has_no_soap_and_may_say_when_to_come_back(sim, client):
    sim.faults({"kind": "status", "status": 503, "retryAfter": 7})
    answer = client.send(new_message())
    assert (answer.status, answer.headers["Retry-After"], b"Envelope" in answer.body) == (503, "7", False)
    assert verdicts(sim) == [("injected", ["status"])]
    assert sim.received() == []


def test_failure_answers_the_code_and_text_it_is_given(sim, client):
    sim.faults({"kind": "failure", "errorCode": "XDSRegistryBusy", "text": "occupé"})
    message = new_message()
    answer = client.send(message)
    assert (answer.status, answer.outcome, answer.code, answer.text) == (200, "Failure", "XDSRegistryBusy", "occupé")
    assert answer.header["RelatesTo"] == message.message_id
    assert sim.received() == []


@pytest.mark.parametrize(("value", "lang"), [("Sender", "fr"), ("Receiver", "fr")])
def test_fault_answers_the_subcode_with_the_prefix_soap(sim, client, value, lang):
    text = "Le certificat ayant signé le VIHF est invalide"
    sim.faults({"kind": "fault", "subcode": "DMPInvalidCertificate", "text": text, "value": value})
    answer = client.send(new_message())
    assert (answer.status, answer.outcome, answer.code, answer.text) == (500, "Fault", "DMPInvalidCertificate", text)
    assert b"<soap:Value>soap:DMPInvalidCertificate</soap:Value>" in answer.body
    assert f"<soap:Code><soap:Value>soap:{value}</soap:Value>".encode() in answer.body


def test_garbage_is_a_page_with_200(sim, client):
    sim.faults({"kind": "garbage"})
    answer = client.send(new_message())
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    assert sim.received() == []


def test_truncated_stores_and_cuts_the_answer(sim, client):
    sim.faults({"kind": "truncated"})
    with pytest.raises(http.client.IncompleteRead):
        client.send(new_message())
    assert len(sim.received()) == 1


@pytest.mark.parametrize(("kind", "holds", "lacks"), [
    ("half", b"<soap:Envelope", b"</soap:Envelope>"),
    ("other_message", b"RelatesTo>urn:uuid:00000000-0000-4000-8000-000000000000<", b"Failure"),
    ("partial", b'"urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"', b"ResponseStatusType:Success"),
])
def test_an_answer_that_lies_is_about_what_is_stored(sim, client, kind, holds, lacks):
    sim.faults({"kind": kind})
    answer = client.send(new_message())
    assert answer.status == 200 and holds in answer.body and lacks not in answer.body
    assert len(sim.received()) == 1


@pytest.mark.parametrize(("kind", "stored_meanwhile"), [("hold", 0), ("hold_after", 1)])
def test_hold_keeps_the_request_until_released(sim, client, kind, stored_meanwhile):
    sim.faults({"kind": kind, "times": 1})
    message = new_message()
    client.start(message)
    assert sim.admin("GET", "/wait?held=1")[1] == {"reached": True, "exchanges": stored_meanwhile, "held": 1}
    assert len(sim.received()) == stored_meanwhile
    assert sim.admin("POST", "/release")[1] == {"released": 1}
    assert client.answer().outcome == "Success"
    assert sim.received() == [message.unique_id]


def test_hold_ends_by_itself(sim, client):
    sim.faults({"kind": "hold", "ms": 50})
    assert client.send(new_message()).outcome == "Success"


def test_a_client_that_dies_while_held_does_not_undo_what_it_sent(sim, client):
    sim.faults({"kind": "hold", "times": 1})
    client.start(new_message())
    sim.admin("GET", "/wait?held=1")
    client.close()
    sim.admin("POST", "/release")
    assert sim.admin("GET", "/wait?exchanges=1")[1]["reached"]
    assert len(sim.received()) == 1


def test_reset_drops_what_is_held(sim, client):
    sim.faults({"kind": "hold"})
    client.start(new_message())
    sim.admin("GET", "/wait?held=1")
    sim.admin("POST", "/reset")
    with pytest.raises(ConnectionResetError):
        client.answer()
    assert sim.received() == []


# ---- what the answer looks like, and how fast it comes


def test_content_type_is_another_one(sim, client):
    sim.faults({"kind": "content_type", "contentType": "text/html"})
    answer = client.send(new_message())
    assert (answer.status, answer.headers["Content-Type"], answer.outcome) == (200, "text/html", "Success")


def test_multipart_is_the_same_answer_in_a_frame(sim, client):
    sim.faults({"kind": "multipart"})
    answer = client.send(new_message())
    framed = message_from_bytes(f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode() + answer.body)
    assert framed.get_content_type() == "multipart/related"
    (root,) = framed.get_payload()
    assert root["Content-ID"] == framed.get_param("start")
    assert Answer(200, root, root.get_payload(decode=True)).outcome == "Success"


def test_slow_answer_comes_in_pieces(sim, client):
    sim.faults({"kind": "slow_answer", "ms": 20, "bytes": 100})
    start = time.monotonic()
    assert client.send(new_message()).outcome == "Success"
    assert time.monotonic() - start >= 0.1


def test_slow_reading_takes_its_time(sim, client):
    sim.faults({"kind": "slow_reading", "ms": 20, "bytes": 1024})
    message = new_message()
    start = time.monotonic()
    assert client.send(message).outcome == "Success"
    assert time.monotonic() - start >= 0.02 * (len(message.body()) // 1024)


@pytest.mark.parametrize("alert", ["handshake_failure", "unknown_ca"])
def test_tls_alert_ends_the_handshake(sim, client, alert):
    sim.faults({"kind": "tls_alert", "alert": alert, "times": 1})
    with pytest.raises(ssl.SSLError, match=alert.upper()):
        client.send(new_message())
    client.close()
    assert client.send(new_message()).outcome == "Success"


def test_expired_certificate_is_shown_to_new_connections(sim, client):
    assert client.send(new_message()).outcome == "Success"
    sim.faults({"kind": "expired_certificate"})
    assert client.send(new_message()).outcome == "Success"  # the connection is open
    client.close()
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        client.send(new_message())


# ---- when they strike


def test_a_list_is_a_script(sim, client):
    sim.faults(
        {"kind": "status", "status": 503, "times": 2}, {"kind": "failure", "errorCode": "XDSRegistryBusy", "times": 1}
    )
    answers = [client.send(new_message()) for _ in range(4)]
    assert [answer.status for answer in answers] == [503, 503, 200, 200]
    assert [answer.outcome for answer in answers[2:]] == ["Failure", "Success"]
    assert [fault["strikes"] for fault in sim.admin("GET", "/faults")[1]] == [2, 1]


def test_waiting_and_failing_go_together(sim, client):
    sim.faults({"kind": "delay", "ms": 1}, {"kind": "garbage", "times": 1})
    client.send(new_message())
    assert client.send(new_message()).outcome == "Success"
    assert verdicts(sim) == [("injected", ["delay", "garbage"]), ("stored", ["delay"])]


def test_chance_is_the_same_with_the_same_seed(sim, client):
    def statuses() -> list[int]:
        sim.faults({"kind": "status", "status": 503, "probability": 0.5, "seed": 42})
        return [client.send(new_message()).status for _ in range(12)]

    first = statuses()
    assert first == statuses()
    assert set(first) == {200, 503}


def test_a_fault_may_concern_one_document(sim, client):
    one, other = new_message(), new_message()
    sim.faults({"kind": "status", "status": 503, "uniqueId": one.unique_id})
    assert [client.send(message).status for message in (other, one)] == [200, 503]


def test_a_fault_may_concern_one_transaction(sim, client):
    sim.faults({"kind": "status", "status": 503, "transaction": "TD0.2"})
    assert client.send(new_message()).status == 200


@pytest.mark.parametrize(
    "faults",
    [
        {"kind": "delay", "ms": 1},
        ["delay"],
        [{"kind": "flood"}],
        [{"kind": "delay"}],
        [{"kind": "delay", "ms": -1}],
        [{"kind": "delay", "ms": 1, "colour": "red"}],
        [{"kind": "garbage", "times": "twice"}],
        [{"kind": "garbage", "probability": 2}],
        [{"kind": "status", "status": 42}],
        [{"kind": "slow_answer", "ms": 1, "bytes": 0}],
        [{"kind": "tls_alert", "alert": "red"}],
        [{"kind": "content_type", "contentType": "a\r\nb"}],
        [{"kind": "fault", "subcode": "X", "value": "Nobody"}],
    ],
    ids=repr,
)
def test_a_list_that_is_not_understood_changes_nothing(sim, faults):
    sim.faults({"kind": "garbage"})
    status, answer = sim.admin("PUT", "/faults", faults)
    assert (status, "error" in answer) == (400, True)
    assert [fault["kind"] for fault in sim.admin("GET", "/faults")[1]] == ["garbage"]


def test_wait_returns_with_the_exchange_it_waits_for(sim, client):
    told = []
    waiter = threading.Thread(target=lambda: told.append(sim.admin("GET", "/wait?exchanges=1&timeout=10")[1]))
    waiter.start()
    client.send(new_message())
    waiter.join(10)
    assert told == [{"reached": True, "exchanges": 1, "held": 0}]
    assert sim.admin("GET", "/wait?exchanges=2&timeout=0.05")[1]["reached"] is False
