"""A patient who opposes the feeding of their DMP: nothing of theirs is sent, whatever came first, until they do not
oppose it any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway import SOURCE, free_port
from samples import hand_in, hl7, mdm_t02, numbered, patient_words_in, read, unique_id
from source import Source
from test_hl7_messages import batch

CORPUS = SOURCE.parent / "shared" / "corpus" / "hl7" / "adt-consent"
SOON = {"first": "100 ms", "most": "300 ms", "probe": "100 ms"}
INS = b"279035121518989"  # of the sample patient
ANOTHER = b"277076322082910"


def adt(choice: str, day: int, event: str = "A31", ins: bytes = INS) -> bytes:
    """The sample admission with another choice, made that day of November."""
    message = hl7("adt_admission.hl7").replace(b"ADT^A01", b"ADT^" + event.encode())
    before, zfa = message.split(b"ZFA|")
    if ins != INS:
        before = before.replace(b"4711", b"4712")
    return before.replace(INS, ins) + zfa_of(choice, day)


def zfa_of(choice: str, day: int) -> bytes:
    return f"ZFA|ACTIF|20260101|||||||{choice}|202611{day:02d}|IC|20261101\r".encode()


def accepted(gateway, *messages: bytes):
    for message in messages:
        ack = gateway.send(message)
        assert ack.code == "AA", ack.errors


def where(gateway) -> list[tuple[str, str | None]]:
    """State and reason of each document, in the order in which they came."""
    return [(each["state"], each["reason"]) for each in gateway.documents()]


def wait_delivered(gateway, count: int):
    for each in gateway.documents()[:count]:
        assert gateway.wait_final(each["doc"]) == "delivered"


REFUSED = ("refused", "patient_opposed")
DELIVERED = ("delivered", None)


@pytest.fixture
def away(make_gateway, simulator):
    """A gateway whose DMP does not answer: what comes stays queued. Afterwards it can come back."""
    gateway = make_gateway(**SOON, exchange="1 s")
    config = gateway.config.read_text()
    gateway.config.write_text(config.replace(simulator.url, f"https://127.0.0.1:{free_port()}/services"))
    gateway.start()

    def come_back():
        gateway.kill()
        gateway.config.write_text(config)
        gateway.start()

    gateway.come_back = come_back
    return gateway


# ---- before, and after ----

@pytest.mark.parametrize("door", ["mllp", "drop"])
def test_what_comes_after_is_kept_and_refused(gateway, simulator, door):
    accepted(gateway, adt("IO", 3))
    doc = hand_in(gateway, door, numbered(1))
    assert where(gateway) == [REFUSED]
    gateway.journal.wait(rf"doc={doc} received .*state=refused reason=patient_opposed")
    shown = gateway.ctl("show", doc)
    assert [(each["what"], each["state"], each["reason"]) for each in shown["events"]] == [("received", *REFUSED)]
    assert gateway.status()["queue"]["refused"] == 1
    assert simulator.exchanges() == []


def test_what_waits_is_refused_and_never_sent(away, simulator):
    accepted(away, mdm_t02(numbered(1)), mdm_t02(numbered(2), identity_status="PROV"))
    away.journal.wait(r"outcome=queued")
    accepted(away, adt("IO", 3))
    # what was being tried at that moment is refused when its attempt is over
    wait_where(away, [REFUSED, REFUSED])
    away.come_back()
    accepted(away, mdm_t02(numbered(3)))
    assert where(away) == [REFUSED] * 3
    assert simulator.received() == {}


def wait_where(gateway, wanted, timeout: float = 20):
    """Each change is a line of the journal: looks again after each."""
    seen = 0
    while where(gateway) != wanted:
        gateway.journal.wait(r"doc=", timeout, start=seen)
        seen = len(gateway.journal.lines)


def test_once_withdrawn_it_is_delivered(away, simulator):
    accepted(away, mdm_t02(numbered(1)), adt("IO", 3), mdm_t02(numbered(2)))
    wait_where(away, [REFUSED, REFUSED])
    away.come_back()
    accepted(away, adt("INO", 4))
    wait_delivered(away, 2)
    assert set(simulator.received()) == {unique_id(numbered(1)), unique_id(numbered(2))}
    assert away.status()["queue"]["refused"] == 0


def test_what_waits_for_its_identity_waits_for_it_again(gateway, simulator):
    """The choice is known by the INS, which the identity has; the document's number in the hospital is not the ADT's."""
    cda = numbered(1).replace(b'extension="4711"', b'extension="4713"')
    accepted(gateway, mdm_t02(cda, identity_status="PROV"), adt("IO", 3))
    assert where(gateway) == [REFUSED]
    accepted(gateway, adt("INO", 4))
    assert where(gateway) == [("held", "ins_not_qualified")]
    assert simulator.exchanges() == []


def test_an_old_message_that_comes_late_changes_nothing(gateway):
    accepted(gateway, adt("INO", 4), adt("IO", 3), mdm_t02(numbered(1)))
    wait_delivered(gateway, 1)
    accepted(gateway, adt("IO", 6), adt("INO", 5), mdm_t02(numbered(2)))
    assert where(gateway) == [DELIVERED, REFUSED]


def test_a_date_that_is_yet_to_come_does_not_last_until_then(gateway):
    far = adt("IO", 3).replace(b"|IO|20261103|", b"|IO|29991231|")
    accepted(gateway, far, adt("INO", 4).replace(b"|INO|20261104|", b"|INO|29981231|"), mdm_t02(numbered(1)))
    wait_delivered(gateway, 1)


def test_another_patient_is_left_alone(gateway, simulator):
    accepted(gateway, adt("IO", 3, ins=ANOTHER), mdm_t02(numbered(1)))
    wait_delivered(gateway, 1)


def test_deleting_is_allowed(gateway, simulator):
    accepted(gateway, mdm_t02(numbered(1)))
    wait_delivered(gateway, 1)
    accepted(gateway, adt("IO", 3), mdm_t02(numbered(1), trigger="T04"))
    wait_delivered(gateway, 2)
    assert [each["action"] for each in gateway.documents()] == ["submit", "delete"]


@pytest.mark.parametrize("event", ["A02", "A03", "A40", "Z42"])
def test_other_events_are_acknowledged_and_say_nothing(gateway, event):
    accepted(gateway, adt("IO", 3, event=event), mdm_t02(numbered(1)))
    wait_delivered(gateway, 1)
    assert gateway.status()["identities"] == 1


@pytest.mark.parametrize("event", ["A31", "A40"])
def test_a_message_about_two_patients_is_refused_and_says_nothing(gateway, event):
    """Glued together: the PID of one, the choice of the other."""
    glued = adt("IO", 3, event=event).replace(b"ZFA|", b"PID|||5555^^^CH&1.2.3&ISO^PI\rZFA|")
    ack = gateway.send(glued)
    assert (ack.code, [(each["location"], each["code"]) for each in ack.errors]) == ("AE", [("PID", "198")])
    accepted(gateway, glued.replace(event.encode(), b"A17"), mdm_t02(numbered(1)))  # two that changed beds
    wait_delivered(gateway, 1)


def test_an_identity_that_is_not_qualified_chooses_nothing_and_that_is_told(gateway):
    accepted(gateway, adt("IO", 3).replace(b"VALI", b"PROV"), mdm_t02(numbered(1)))
    wait_delivered(gateway, 1)
    gateway.journal.wait(r"^<4>adt event=A31 .*feeding=opposed is not noted: ")


# ---- in one connection, in one file, after a death ----

def test_a_choice_counts_from_its_answer_on(gateway, simulator):
    """The answer stands for the commit: what is sent after it cannot pass it."""
    with gateway.connect() as mllp:
        for each in [adt("IO", 3), *(mdm_t02(numbered(number)) for number in range(8)), adt("INO", 4)]:
            assert mllp.send(each).code == "AA"
    wait_delivered(gateway, 8)
    for each in gateway.documents():
        assert [event["state"] for event in gateway.ctl("show", each["doc"])["events"]][:2] == ["refused", "queued"]


def test_a_batch_file_brings_choices_too(gateway, simulator):
    gateway.drop("night.hl7", batch(mdm_t02(numbered(1)), adt("IO", 3), mdm_t02(numbered(2))))
    assert gateway.wait_moved("night.hl7") == "done"
    assert where(gateway) == [REFUSED, REFUSED]
    assert simulator.exchanges() == []


def test_a_choice_that_was_acknowledged_survives(away, simulator):
    accepted(away, mdm_t02(numbered(1)), adt("IO", 3))
    away.come_back()  # killed, at once
    accepted(away, mdm_t02(numbered(2)))
    wait_where(away, [REFUSED, REFUSED])
    assert simulator.received() == {}


def test_a_death_while_it_is_sent_is_no_way_around_it(start_gateway, simulator):
    gateway = start_gateway(**SOON)
    simulator.faults({"kind": "hold", "times": 1})
    accepted(gateway, mdm_t02(numbered(1)))
    simulator.wait_held(1)
    accepted(gateway, adt("IO", 3))
    assert where(gateway) == [("sending", None)]
    gateway.kill()
    simulator.release()
    gateway.start()
    assert where(gateway) == [REFUSED]
    events = gateway.ctl("show", gateway.documents()[0]["doc"])["events"]
    assert [each["what"] for each in events] == ["received", "claimed", "recovered", "opposed"]


def test_an_unwritable_store_does_not_acknowledge_it(gateway):
    """Acknowledged means on disk, for a choice as for a document."""
    (gateway.folder / "state" / "queue.db").rename(gateway.folder / "state" / "gone.db")
    assert gateway.send(adt("IO", 3)).code == "AR"
    (gateway.folder / "state" / "gone.db").rename(gateway.folder / "state" / "queue.db")


# ---- nobody has asked ----

def test_one_who_was_not_asked_is_sent_with_a_warning(gateway):
    accepted(gateway, adt("NA", 3), mdm_t02(numbered(1)))
    wait_delivered(gateway, 1)
    gateway.journal.wait(r"^<4>doc=\S+ feeding=not_asked: ")
    assert gateway.status()["not_asked"] == 1


def test_or_held_until_somebody_has(start_gateway):
    gateway = start_gateway(extra="consent: { not_asked: hold }")
    accepted(gateway, adt("NA", 3), mdm_t02(numbered(1)))
    assert where(gateway) == [("held", "feeding_not_asked")]
    accepted(gateway, adt("INO", 4))
    wait_delivered(gateway, 1)


def test_not_asked_does_not_end_an_opposition(gateway):
    accepted(gateway, adt("IO", 3), adt("NA", 5), mdm_t02(numbered(1)))
    assert where(gateway) == [REFUSED]


def test_what_is_too_old_stays_refused(start_gateway):
    gateway = start_gateway(extra="consent: { release_most_age: 0 s }")
    accepted(gateway, adt("IO", 3), mdm_t02(numbered(1)), adt("INO", 4))
    assert where(gateway) == [REFUSED]
    doc = gateway.documents()[0]["doc"]
    (answer,) = gateway.ctl("retry", doc, "--force")
    assert answer["ok"]
    assert gateway.wait_final(doc) == "delivered"


# ---- the state of the DMP ----

ASKS = ("    dmp:\n", "    dmp:\n      check_existence: true\n")


def dmp_is(state: str, age: timedelta = timedelta(0)) -> bytes:
    """What an ADT of so long ago says of the patient's DMP."""
    before = hl7("adt_admission.hl7").split(b"ZFA|")[0]
    said = (datetime.now() - age).strftime("%Y%m%d%H%M%S").encode()
    return before.replace(b"20261120090000", said) + f"ZFA|{state}|20200101\r".encode()


@pytest.mark.parametrize("asks", [False, True])
def test_a_dmp_that_an_adt_calls_closed_or_absent_is_not_asked(make_gateway, simulator, asks):
    gateway = make_gateway()
    if asks:
        gateway.config.write_text(gateway.config.read_text().replace(*ASKS))
    gateway.start()
    for number, (state, reason) in enumerate([("FERME", "dmp_closed"), ("INEXISTANT", "dmp_absent")]):
        accepted(gateway, dmp_is(state))
        doc = hand_in(gateway, "mllp", numbered(number))
        assert gateway.wait_final(doc) == "refused"
        assert where(gateway)[number] == ("refused", reason)
    assert simulator.exchanges() == []
    accepted(gateway, dmp_is("ACTIF"), mdm_t02(numbered(2)))
    assert gateway.wait_final(gateway.documents()[2]["doc"]) == "delivered"
    assert len(simulator.exchanges()) == 1 + asks


@pytest.mark.parametrize("hours, old, new, extra", [
    (25, b"", b"", ""),  # that was believed until an hour ago
    (0, b"VALI", b"PROV", ""),
    (0, INS, ANOTHER, ""),
    (0, b"", b"", "td02: { cache: { adt: false } }"),
    (0, b"", b"", "td02: { cache: { negative: 0 s } }"),
], ids=["old", "unqualified", "another", "not-believed", "not-kept"])
def test_but_what_says_nothing_of_it_now_changes_nothing(start_gateway, hours, old, new, extra):
    gateway = start_gateway(extra=extra)
    said = dmp_is("FERME", timedelta(hours=hours)).replace(old, new, 1)
    if new:
        said = said.replace(b"4711", b"4712")  # and no word about this patient's identity either
    accepted(gateway, said, mdm_t02(numbered(1)))
    wait_delivered(gateway, 1)


# ---- what is told ----

def test_the_source_is_told(start_gateway, simulator):
    with Source() as source:
        gateway = start_gateway(extra="sources: [ { name: DPI, ack: "
                                      f'{{ address: "127.0.0.1:{source.port}", timeout: 5 s }} }} ]')
        accepted(gateway, adt("IO", 3), mdm_t02(numbered(1), control_id="Q1"))
        (message,) = source.wait(1)
        assert message.about == ("Q1", "N")
        assert message.field("ERR", 5).split("^")[::2] == ["patient_opposed", "local"]


def test_nothing_of_the_patient_is_in_the_journal(gateway):
    accepted(gateway, mdm_t02(numbered(1), identity_status="PROV"), adt("IO", 3), mdm_t02(numbered(2)), adt("INO", 4),
             adt("IO", 5).replace(b"VALI", b"PROV"), adt("NA", 3))
    wait_where(gateway, [DELIVERED, DELIVERED])
    assert patient_words_in("\n".join(gateway.journal.lines)) == []


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not there")
def test_official_examples_are_taken(gateway):
    for path in sorted(CORPUS.iterdir()):
        accepted(gateway, path.read_bytes())
    accepted(gateway, mdm_t02(numbered(1)))  # of the same patient, who opposed it after they had not
    assert where(gateway) == [REFUSED]
