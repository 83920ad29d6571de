"""What is decided before the wire, through both doors: each refusal and each hold with its reason code, and its sentence
in English and in French."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field

import pytest
import yaml

from gateway import BUILD, FINESS_EG, Gateway
from samples import DATA, DOORS, hand_in, mdm_t02, numbered, patient_words_in, read, repeated
from test_consent import adt

LETTER = numbered(1)
SIDECAR = (DATA / "pair" / "letter.yaml").read_text(encoding="utf-8")
ESTABLISHED = f'extension="1{FINESS_EG}"'.encode()


@dataclass
class Case:
    """A document that is not simply sent."""
    reason: str
    english: str
    french: str
    state: str = "rejected"  # or what `show` says of a document that is kept
    code: str = ""           # ERR-3 and error.yaml, where it is not
    cda: bytes = LETTER
    changes: dict = field(default_factory=dict)   # of the message
    sidecar: str = ""        # at the folder's door, where a CDA alone cannot say it
    settings: dict = field(default_factory=dict)  # of the gateway
    before: bytes = b""      # a message that comes first
    before_cda: bytes = b""  # a document that comes first, by the same door
    words: str = ""          # of the explanation


def refused(code: str, reason: str, *sentences: str, **more) -> Case:
    return Case(reason, *sentences, code=code, **more)


def changed(old: str, new: str, of: bytes = LETTER) -> bytes:
    assert old.encode() in of
    return of.replace(old.encode(), new.encode(), 1)


def restricted(code: str) -> Case:
    return Case("restricted", "R or V", "est R ou V", "held",
                cda=changed('confidentialityCode code="N"', f'confidentialityCode code="{code}"'))


CASES = {
    "identifier with an extension": refused(
        "207", "identifier_has_extension", "plain OIDs only", "que des OID simples",
        cda=changed('<id root="1.2.250.1.999.1.9.1"/>', '<id root="1.2.250.1.999.1.9.1" extension="7"/>')),
    "another establishment's": refused(
        "207", "finess_mismatch", "No configured site answers", "Aucun site configuré ne répond",
        cda=LETTER.replace(ESTABLISHED, b'extension="1120456789"'), settings={"structures": "strict"},
        changes={"structure": "120456789"}),
    "hidden twice": refused(
        "207", "masks_conflict", "both from professionals and from the patient", "à la fois aux professionnels et au patient",
        changes={"flags": {"MASQUE_PS": "Y", "INVISIBLE_PATIENT": "Y"}},
        sidecar=SIDECAR + "hidden_from: [professionals, patient]\n"),
    "a type that the site does not send": refused(
        "103", "type_not_accepted", "no document of this type", "pas de document de ce type",
        settings={"site": ', types: ["57833-6"]'}, words="does not send documents of the type 11490-0"),
    "a type of no list": refused(
        "103", "type_not_accepted", "no document of this type", "pas de document de ce type",
        cda=changed('code="11490-0"', 'code="11490-9"'), words="nearest: 11490-0"),
    "a code outside its list": refused(
        "103", "metadata_invalid", "outside its list", "sort de sa liste",
        cda=changed('code="ETABLISSEMENT"', 'code="ETABLISSEMNT"'), words="nearest: ETABLISSEMENT"),
    "a body that is no Base64": refused(
        "102", "body_not_accepted", "no form that the DMP takes", "aucune forme que le DMP accepte",
        cda=re.sub(rb'(representation="B64">)[^<]*', rb"\1Bonjour !", LETTER), words="the body is empty, or no Base64"),
    "a trait of the patient missing": refused(
        "207", "header_incomplete", "missing from the document's header", "manque à l'en-tête du document",
        cda=re.sub(rb"<birthplace>.*?</birthplace>", b"", LETTER, flags=re.DOTALL), words="no place of birth"),
    "no place of care": refused(
        "207", "header_incomplete", "missing from the document's header", "manque à l'en-tête du document",
        cda=re.sub(rb"<componentOf>.*?</componentOf>", b"", LETTER, flags=re.DOTALL), words="no location/healthCareFacility"),
    "too large": refused(
        "199", "too_large", "larger than the limit", "dépasse la limite",
        cda=LETTER + b" " * 70000, settings={"max_document": "64 KiB"}),
    "a test identity, towards production": refused(
        "207", "ins_invalid", "form, key or domain", "forme, clé ou domaine",
        settings={"environment": "production"}, words="1.2.250.1.213.1.4.10 is not sent from the environment production"),
    "a real identity, towards a test platform": refused(
        "207", "ins_invalid", "form, key or domain", "forme, clé ou domaine",
        cda=changed("1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.8"), settings={"environment": "test"},
        words="1.2.250.1.213.1.4.8 is not sent from the environment test"),
    "an INS with a wrong key": refused(
        "207", "ins_invalid", "form, key or domain", "forme, clé ou domaine",
        cda=changed("279035121518989", "279035121518988")),
    "a patient who opposes": Case(
        "patient_opposed", "opposes the feeding", "s'oppose à l'alimentation", "refused", before=adt("IO", 20)),
    "a version that changes nothing": Case(
        "unchanged", "", "", "suppressed", cda=repeated(), changes={"trigger": "T10"},
        settings={"extra": "replace: { unchanged: suppress }"}, before_cda=read("discharge-letter.xml")),
    "restricted": restricted("R"),
    "very restricted": restricted("V"),
    "an identity that is not qualified": Case(
        "ins_not_qualified", "not qualified yet", "pas encore qualifiée", "held",
        changes={"identity_status": "PROV"}, sidecar=SIDECAR.replace("VALI", "PROV")),
    "held by the site": Case(
        "policy_hold", "policy holds this type", "politique du site retient", "held",
        settings={"site": ', policies: [{ type: "11490-0", action: hold }]'}),
}


def message_of(case: Case) -> bytes:
    changes = dict(case.changes)
    structure = changes.pop("structure", "")
    message = mdm_t02(case.cda, **changes)
    return message.replace(f"^FINEG^^^{FINESS_EG}".encode(), f"^FINEG^^^{structure}".encode()) if structure else message


def bring(gateway: Gateway, door: str, case: Case) -> list[dict]:
    """The errors that its source is told: none of a document that is kept."""
    if door == "mllp":
        ack = gateway.send(message_of(case))
        assert ack.code == ("AE" if case.code else "AA"), ack.errors
        return ack.errors
    name = "document.txt" if case.sidecar else "document.xml"
    gateway.drop(name, b"Sortie" if case.sidecar else case.cda)
    if case.sidecar:
        gateway.drop("document.yaml", case.sidecar.encode())
    assert gateway.wait_moved(name) == ("rejected" if case.code else "done")
    return [error for path in gateway.inbox.glob("rejected/*/*.error.yaml")
            for error in yaml.safe_load(path.read_text(encoding="utf-8"))["errors"]]


def shown(gateway: Gateway, doc: str, language: str) -> str:
    """What a person reads."""
    done = subprocess.run([BUILD / "daemon" / "dmpfeedctl", "--socket", gateway.folder / "control.sock", "show", doc],
                          capture_output=True, text=True, timeout=30, env={**os.environ, "LC_ALL": language})
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(errors: list[dict], case: Case):
    (error,) = errors
    assert (error["code"], error["reason"]) == (case.code, case.reason), error
    assert case.words in error["text"], error
    if "meaning" in error:  # the folder's note has both languages
        assert case.english in error["meaning"] and case.french in error["signification"], error
        assert error["todo"] and error["action"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", CASES)
def test_a_document_that_is_not_simply_sent_is_explained(make_gateway, simulator, name, door):
    case = CASES[name]
    settings = dict(case.settings)
    written = [("environment: rehearsal", "environment: " + settings.pop("environment", "rehearsal")),
               ("intake:\n", f"intake:\n  structures: {settings.pop('structures', 'known')}\n")]
    gateway = make_gateway(**settings, homologation="number")
    number = gateway.folder / "number"
    number.write_text("TEST-1\n")
    number.chmod(0o600)
    for old, new in written:
        gateway.config.write_text(gateway.config.read_text().replace(old, new))
    gateway.start()
    if case.before:
        assert gateway.send(case.before).code == "AA"
    if case.before_cda:
        hand_in(gateway, door, case.before_cda, "before.xml")
        gateway.settled()
    stored = set(simulator.received())

    errors = bring(gateway, door, case)
    known = [each for each in gateway.documents() if each["unique_id"] not in stored]
    if case.code:
        told(errors, case)
        assert known == []
        gateway.journal.wait(rf"<4>refused channel={door} .*reason={case.reason}\b")
    else:
        (document,) = known
        assert (errors, document["state"], document["reason"]) == ([], case.state, case.reason)
        english, french = (shown(gateway, document["doc"], each) for each in ("C.UTF-8", "fr_FR.UTF-8"))
        assert case.reason in english and case.english in english and case.french in french
        assert case.french == "" or case.french not in english
    assert set(simulator.received()) == stored, "nothing was sent"
    assert patient_words_in("\n".join(gateway.journal.lines)) == []
