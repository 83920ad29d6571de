"""An identity that is not qualified yet: what is its patient's waits, leaves by itself once an ADT qualifies it, and
must be known of when it was sent under an INS that is not the patient's any more."""

from __future__ import annotations

import json

import pytest

from gateway import SOURCE
from samples import hl7, mdm_t02, numbered, patient_words_in, read, unique_id
from source import Source
from test_recall import recall
from test_sidecar import YAML, Cda, drop_pair
from test_zam import ways

CORPUS = SOURCE.parent / "shared" / "corpus" / "hl7"
SOON = {"first": "100 ms", "most": "300 ms", "probe": "100 ms"}
OID, DOMAIN = "1.2.250.1.213.1.4.10", "1.2.250.1.999.1"
INS, ANOTHER = "279035121518989", "277076322082910"  # the first is the sample patient's
BARE_INS = f'<id root="{OID}" extension="{INS}"/>'.encode()

HELD = ("held", "ins_not_qualified")
SILENT = ("held", "ins_not_in_document")
CHANGED = ("held", "ins_changed")
QUEUED = ("queued", None)
OPPOSED = ("refused", "patient_opposed")
DELIVERED = ("delivered", None)
MISPLACED = ("delivered", "ins_changed")


def ins_of(number: str) -> str:
    return f"{number}^^^ASIP-SANTE-INS-NIR&{OID}&ISO^INS"


def ipp_of(number: str) -> str:
    return f"{number}^^^CH-A&{DOMAIN}&ISO^PI"


def adt(event: str, day: int, status: str = "VALI", ins: str = INS, ipp: str = "4711", mrg: str = "", zfa: str = "",
        hour: int = 9, traits: str = "PAT-TROIS^DOMINIQUE^DOMINIQUE^^^^L||19790328|F|||^^^^^^BDL^^51215") -> bytes:
    """What the hospital's identity server says, that day of December 2025."""
    at = f"202512{day:02d}{hour:02d}0000"
    ids = "~".join([ins_of(ins)] * bool(ins) + [ipp_of(ipp)] * bool(ipp))
    return "\r".join([
        f"MSH|^~\\&|GAM|CH-A|PFI|CH-A|{at}||ADT^{event}^ADT_A05|{event}{day}{hour}|P|2.5^FRA^2.11|||||FRA|UNICODE UTF-8"
        "|||2.11^IHE_FRANCE-2.11-PAM",
        f"EVN||{at}", f"PID|||{ids}||{traits}" + "|" * (32 - 11) + status,
        *([f"MRG|{mrg}"] if mrg else []), "PV1||N", *([f"ZFA|{zfa}"] if zfa else []), ""]).encode()


def merger(day: int, absorbed: str, **more) -> bytes:
    return adt("A40", day, mrg=ipp_of(absorbed), **more)


def letter(number: int, status: str = "VALI", day: int = 1, cda: bytes | None = None, **more) -> bytes:
    """A letter of the sample patient, sent that day."""
    return mdm_t02(cda or numbered(number), identity_status=status, control_id=f"M{number}",
                   time=f"202512{day:02d}120000", **more)


def without_ins(number: int) -> bytes:
    cda = numbered(number)
    assert cda.count(BARE_INS) == 1
    return cda.replace(BARE_INS, b"")


def of_another(number: int) -> bytes:
    return numbered(number).replace(INS.encode(), ANOTHER.encode())


def tell(gateway, *messages: bytes):
    for message in messages:
        ack = gateway.send(message)
        assert ack.code == "AA", ack.errors


def where(gateway) -> list[tuple[str, str | None]]:
    """State and reason of each document, in the order in which they came."""
    return [(each["state"], each["reason"]) for each in gateway.documents()]


def wait_where(gateway, *wanted, timeout: float = 20):
    """Each change is a line of the journal: looks again after each."""
    seen = 0
    while where(gateway) != list(wanted):
        try:
            gateway.journal.wait(r"doc=", timeout, start=seen)
        except AssertionError:
            assert where(gateway) == list(wanted)
        seen = len(gateway.journal.lines)


def again(gateway):
    """A power cut."""
    gateway.kill()
    gateway.start()


def sent(simulator) -> list[str]:
    """The last arc of what was delivered, in the order in which it was."""
    return [each.rsplit(".", 1)[1] for each in simulator.received()]


# ---- a month, with a power cut in the middle of each story ----

def test_a_qualification_that_comes_late_releases_what_waits_in_its_order(start_gateway, simulator):
    gateway = start_gateway(**SOON, extra="", log="info")
    tell(gateway, letter(1, "PROV", 1), letter(2, "PROV", 2), letter(3, "VIDE", 3))
    assert where(gateway) == [HELD] * 3
    again(gateway)
    tell(gateway, adt("A31", 4, "PROV"))
    assert where(gateway) == [HELD] * 3
    again(gateway)
    tell(gateway, adt("A31", 20))
    wait_where(gateway, *[DELIVERED] * 3)
    assert sorted(sent(simulator)) == ["1", "2", "3"]
    gateway.journal.wait(rf"doc={gateway.documents()[-1]['doc']} outcome=delivered")
    released = [found.group(1) for found in gateway.journal.find(r"doc=(\S+) released from=held state=queued note=identity")]
    assert released == [each["doc"] for each in gateway.documents()]
    history = gateway.ctl("show", released[0])["events"]
    assert [(each["what"], each["note"]) for each in history][1] == ("released", "identity")
    tell(gateway, letter(4, "PROV", 10))  # its software still has the old status
    wait_where(gateway, *[DELIVERED] * 4)
    tell(gateway, letter(5, "PROV", 25))  # who says so later than the ADT may know better
    assert where(gateway)[-1] == HELD
    tell(gateway, adt("A03", 26))
    wait_where(gateway, *[DELIVERED] * 5)
    assert gateway.ctl("verify")["ok"]
    assert not any(patient_words_in(line) for line in gateway.journal.lines)


def test_a_wrong_ins_is_corrected_before_it_is_sent_and_after(start_gateway, simulator):
    gateway = start_gateway(**SOON)
    tell(gateway, adt("A28", 1), letter(1, day=1), letter(2, "PROV", 2))
    wait_where(gateway, DELIVERED, HELD)
    # the INS was another's: the identity server takes it away, then gives the right one
    tell(gateway, adt("A47", 5, "PROV", ins="", ipp="4711", mrg=ins_of(INS)))
    wait_where(gateway, MISPLACED, HELD)
    again(gateway)
    gateway.journal.wait(r"^<3>alert=identity_changed subject=documents raised severity=critical: The DMP has 1 documents")
    tell(gateway, adt("A31", 6, ins=ANOTHER))
    wait_where(gateway, MISPLACED, CHANGED)
    listed = gateway.ctl("list", "--state", "delivered", "--reason", "ins_changed")
    wrong = [each["doc"] for each in listed]
    assert wrong == [gateway.documents()[0]["doc"]]
    forced = gateway.run("release", gateway.documents()[1]["doc"], "--force")
    assert forced.returncode != 0, "nobody sends it under another's INS"
    # it is taken back, asked twice; for the right patient it comes anew
    done = recall(gateway, wrong[0], wrong[0], "yes")
    assert done.returncode == 0, done.stderr
    assert gateway.wait_final(json.loads(done.stdout)["deletion"]) == "delivered"
    gateway.journal.wait(r"alert=identity_changed subject=documents cleared")
    tell(gateway, letter(3, day=7, cda=of_another(3)))
    wait_where(gateway, MISPLACED, CHANGED, ("delivered", None), DELIVERED)
    assert gateway.ctl("verify")["ok"]


def test_a_merger_before_the_sending_and_after_it(start_gateway, simulator):
    gateway = start_gateway(**SOON)
    other = {"ipp": "4712"}
    tell(gateway, letter(1, "PROV", 1, changes=other, cda=numbered(1).replace(b'extension="4711"', b'extension="4712"')))
    again(gateway)
    tell(gateway, merger(2, "4712"))  # 4712 was 4711 all along, who is qualified
    wait_where(gateway, DELIVERED)
    again(gateway)
    tell(gateway, merger(3, "4711", ins=ANOTHER, ipp="4710"))  # and both are somebody else
    wait_where(gateway, MISPLACED)
    gateway.journal.wait(r"alert=identity_changed subject=documents raised")
    tell(gateway, adt("A31", 4, ipp="4710"))  # which was a mistake
    wait_where(gateway, DELIVERED)
    gateway.journal.wait(r"alert=identity_changed subject=documents cleared")


def test_an_opposition_and_its_withdrawal(start_gateway, simulator):
    gateway = start_gateway(**SOON)
    tell(gateway, letter(1, "PROV", 1), adt("A31", 2, "VALI", zfa="ACTIF|20251201|||||||IO|20251202|IC|20251201"))
    wait_where(gateway, OPPOSED)
    again(gateway)
    tell(gateway, letter(2, "PROV", 3), adt("A31", 4, "PROV"))
    assert where(gateway)[0] == OPPOSED
    again(gateway)
    tell(gateway, adt("A31", 5, zfa="ACTIF|20251201|||||||INO|20251205|IC|20251201"))
    wait_where(gateway, DELIVERED, DELIVERED)


# ---- what the document itself lacks ----

def test_a_document_without_the_ins_must_come_again_and_its_source_hears_of_it(start_gateway, simulator):
    with Source() as source:
        gateway = start_gateway(**SOON, **ways(("DPI", source.port, "")))
        tell(gateway, letter(1, "PROV", 1, cda=without_ins(1)))
        assert where(gateway) == [HELD]
        again(gateway)
        tell(gateway, adt("A31", 2))
        wait_where(gateway, SILENT)
        (message,) = source.wait(1)
        assert message.about == ("M1", "N")
        code, text, table = message.field("ERR", 5).split("^")
        assert (code, table) == ("ins_not_in_document", "local")
        doc = gateway.documents()[0]["doc"]
        gateway.journal.wait(rf"doc={doc} told source=DPI ")
        assert gateway.ctl("show", doc)["events"][-1]["what"] == "source_told"
        tell(gateway, letter(2, day=3, cda=numbered(2)))
        wait_where(gateway, SILENT, DELIVERED)
        assert sent(simulator) == ["2"]


@pytest.mark.parametrize("known_before", [False, True])
def test_a_file_without_the_ins_waits_and_must_come_again(start_gateway, known_before):
    gateway = start_gateway(**SOON)
    if known_before:
        tell(gateway, adt("A31", 2))
    gateway.drop("letter.xml", without_ins(1))
    assert gateway.wait_moved("letter.xml") == "done"
    if not known_before:
        assert where(gateway) == [HELD]
        tell(gateway, adt("A31", 2))
    wait_where(gateway, SILENT)


PROVISIONAL = YAML.replace("identity: VALI", "identity: PROV")


@pytest.mark.parametrize("sidecar", [PROVISIONAL, PROVISIONAL.replace('  ins: "279035121518989"\n', "")])
def test_a_pdf_is_built_again_with_the_identity_that_qualified(start_gateway, simulator, sidecar):
    gateway = start_gateway(**SOON)
    assert drop_pair(gateway, sidecar=sidecar) == "done"
    assert where(gateway) == [HELD]
    again(gateway)
    tell(gateway, adt("A31", 2, ins=ANOTHER, traits="NESSI^RUTH^RUTH ISABELLE^^^^L||19790329|F|||^^^^^^BDL^^63220"))
    wait_where(gateway, DELIVERED)
    (received,) = simulator.received()
    assert received == gateway.documents()[0]["unique_id"]
    document = simulator.document(received)
    for said in (f'<id root="{OID}" extension="{ANOTHER}"/><id root="{DOMAIN}" extension="4711"/>',
                 '<family qualifier="BR">NESSI</family><given>RUTH ISABELLE</given><given qualifier="BR">RUTH</given>',
                 '<birthTime value="19790329"/>', "<county>63220</county>"):
        assert said.encode() in document
    assert not any(word in document for word in (INS.encode(), b"PAT-TROIS"))
    doc = gateway.documents()[0]["doc"]
    done = recall(gateway, doc, doc, "yes")
    assert done.returncode == 0, done.stderr
    assert gateway.wait_final(json.loads(done.stdout)["deletion"]) == "delivered"


# ---- odd messages ----

def test_every_official_adt_is_taken(start_gateway):
    files = sorted(CORPUS.glob("adt-*/*"))
    if not files:
        pytest.skip(f"the corpus is not there: {CORPUS}")
    gateway = start_gateway()
    for path in files:
        ack = gateway.send(path.read_bytes().replace(b"\r\n", b"\r").replace(b"\n", b"\r"))
        assert ack.code == "AA", (path.name, ack.errors)
    status = gateway.status()
    assert (status["identities"], status["identities_ignored"]) == (len(files), 0)
    gateway.stop()
    # the sample of PAM 2.10 has a real INS, which is none here
    assert len(gateway.journal.find(r"adt event=\w+ .* identity=(qualified|not_qualified|known) ")) == len(files)


def test_what_is_of_no_use_is_taken_and_counted(start_gateway):
    gateway = start_gateway()
    tell(gateway, adt("A60", 1), adt("A31", 1, ins="", ipp=""), adt("A31", 1, status=""), adt("A31", 2), adt("A31", 1))
    status = gateway.status()
    assert [status[name] for name in ("identities", "identities_ignored", "identities_unusable")] == [5, 1, 2]
    gateway.stop()  # the journal is whole then
    said = [found.group(1) for found in gateway.journal.find(r"adt event=\w+ .* identity=(\w+) ")]
    assert said == ["ignored", "unusable", "unusable", "qualified", "known"]


def test_what_has_no_patient_is_taken_and_told(start_gateway):
    gateway = start_gateway()
    bare = [b"\r".join(line for line in each.split(b"\r") if not line.startswith(b"PID"))
            for each in (adt("A31", 1), adt("A60", 1))]
    tell(gateway, *bare, adt("A31", 1))
    gateway.stop()  # the journal is whole then
    said = gateway.journal.find(r"^<4>adt event=(\w+) origin=\S+ has no PID: nothing of its patient is kept$")
    assert [found.group(1) for found in said] == ["A31"], "an A60 says nothing of an identity anyway"


def test_an_ins_that_is_not_qualified_is_not_missed_in_the_document(start_gateway):
    gateway = start_gateway(**SOON)
    tell(gateway, letter(1, "PROV", cda=without_ins(1), changes={"ins": INS}))
    assert where(gateway) == [HELD]
    tell(gateway, adt("A31", 2))
    wait_where(gateway, SILENT)


@pytest.mark.parametrize("ids", [(INS, ANOTHER), (ANOTHER, INS), (ANOTHER,)])
@pytest.mark.parametrize("status", ["VALI", "PROV"])
def test_a_message_of_any_other_ins_than_its_document_is_refused(gateway, ids, status):
    message = letter(1, status).replace(ins_of(INS).encode(), "~".join(map(ins_of, ids)).encode())
    ack = gateway.send(message)
    assert (ack.code, ack.errors[0]["code"], gateway.documents()) == ("AE", "207", [])
    assert ack.errors[0]["location"] == "PID-3"


def test_an_empty_ins_beside_a_local_number_is_waited_for(start_gateway):
    gateway = start_gateway()
    message = letter(1, "PROV", cda=without_ins(1)).replace(b"PID|||", f'PID|||""^^^ASIP-SANTE-INS-NIR&{OID}&ISO^INS~'.encode())
    tell(gateway, message)
    assert where(gateway) == [HELD]
