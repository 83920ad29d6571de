"""What a site lets through, and when: decided before the wire, by the daemon as a site configures it."""

from __future__ import annotations

import re
import time

import pytest
from lxml import etree

from gateway import FINESS_EG
from samples import REPLACEMENT, hand_in, mdm_t02, numbered, patient_words_in, read, unique_id
from test_sidecar import YAML, drop_pair

RESTRICTED = numbered(7).replace(b'<confidentialityCode code="N"', b'<confidentialityCode code="R"')


def policies(*entries: str) -> str:
    return f", policies: [{', '.join('{ ' + entry + ' }' for entry in entries)}]"


def only(gateway) -> dict:
    (document,) = gateway.documents()
    return document


def test_a_restricted_document_waits_for_a_person(gateway):
    hand_in(gateway, "mllp", RESTRICTED)
    document = only(gateway)
    assert (document["state"], document["reason"]) == ("held", "restricted")
    assert "R or V" in document["sentence"]


def test_or_is_refused_where_that_is_the_rule(start_gateway):
    gateway = start_gateway(extra="visibility: { restricted: refuse }")
    ack = gateway.send(mdm_t02(RESTRICTED))
    assert ack.code == "AE" and ack.errors[0]["code"] == "207"
    assert gateway.documents() == []


def test_a_type_that_the_site_does_not_send_is_refused(start_gateway):
    gateway = start_gateway(site=', types: ["57833-6"]')
    assert gateway.send(mdm_t02(numbered(1, "prescription.xml"))).code == "AA"
    ack = gateway.send(mdm_t02(numbered(2)))
    assert ack.code == "AE" and ack.errors[0]["code"] == "103"
    gateway.journal.wait(rf"reason=type_not_accepted .*site {FINESS_EG} does not send documents of the type 11490-0")


@pytest.mark.parametrize("before, after", [
    ("sector: SA01 }", 'sector: SA01, types: ["11490-1"] }'),
    ("sector: SA01 }", 'sector: SA01, sensitive: { types: ["57833-6", "11490-1"] } }'),
    ("sector: SA01 }", 'sector: SA01, policies: [{ type: "11490-1", action: hold }] }'),
    ("\nintake:", '\nqueue: { priorities: [{ types: ["11490-1"], priority: high }] }\nintake:'),
    ("\nintake:", '\nstays: { letter_types: "57833-6  11490-1" }\nintake:'),
], ids=["types", "sensitive", "policies", "priorities", "letters"])
def test_a_type_that_no_list_knows_is_told_with_what_comes_near(start_gateway, before, after):
    """What is sensitive by a code that no document has would leave."""
    gateway = start_gateway()
    text = gateway.config.read_text()
    assert before in text
    gateway.config.write_text(text.replace(before, after))
    ended = gateway.run("--check-config")
    assert ended.returncode == 1
    assert re.search(r"dmpfeed[.]yaml:\d+:\d+: 11490-1 is not in type-code[.]csv; nearest: 11490-0, ", ended.stderr)


def elsewhere(message: bytes, structure: str = "120456789") -> bytes:
    """The same from another structure; this one nobody declared here."""
    assert b"^FINEG^^^" + FINESS_EG.encode() in message
    return message.replace(b"^FINEG^^^" + FINESS_EG.encode(), b"^FINEG^^^" + structure.encode())


def test_a_strict_gateway_refuses_structures_that_it_does_not_declare(start_gateway):
    gateway = start_gateway()
    assert gateway.send(elsewhere(mdm_t02(numbered(1)))).code == "AA"
    gateway.stop()
    gateway.config.write_text(gateway.config.read_text().replace("intake:\n", "intake:\n  structures: strict\n"))
    gateway.start()
    assert gateway.send(mdm_t02(numbered(2))).code == "AA"
    ack = gateway.send(elsewhere(mdm_t02(numbered(3))))
    assert ack.code == "AE" and ack.errors[0]["code"] == "207", ack.errors
    gateway.journal.wait(r"reason=finess_mismatch where=PRT-8.10")


OTHER_SITE = "990012352"


def test_what_comes_by_one_door_is_of_the_site_that_its_message_names(start_gateway, simulator):
    gateway = start_gateway(site=f' }}\n      - {{ finess_eg: "{OTHER_SITE}", name: LES TILLEULS, sector: SA07')
    named = {FINESS_EG: FINESS_EG, OTHER_SITE: OTHER_SITE, "1" + OTHER_SITE: OTHER_SITE, "120456789": FINESS_EG}
    for number, structure in enumerate(named):
        assert gateway.send(elsewhere(mdm_t02(numbered(number)), structure)).code == "AA"
    for number, (document, site) in enumerate(zip(sorted(gateway.settled().values(), key=unique), named.values())):
        assert (document["state"], document["site"]) == ("delivered", site), number
        request = etree.parse(simulator.store / "documents" / document["unique_id"] / "request.xml")
        said = {each.get("Name"): "".join(each.itertext()) for each in request.iter("{*}Attribute")}
        assert said["Identifiant_Structure"] == "1" + site
        assert said["Secteur_Activite"].startswith("SA07^" if site == OTHER_SITE else "SA01^")

    assert gateway.send(elsewhere(mdm_t02(numbered(1), trigger="T04"), OTHER_SITE)).code == "AA"
    gateway.settled()
    assert {each["action"]: each["site"] for each in gateway.ctl("list", "--site", OTHER_SITE)} == {
        "submit": OTHER_SITE, "delete": OTHER_SITE}


def unique(document: dict) -> str:
    return document["unique_id"]


def test_what_a_policy_holds_waits_for_a_person(start_gateway):
    gateway = start_gateway(site=policies('type: "11490-0", action: hold'))
    hand_in(gateway, "mllp", numbered(1))
    document = only(gateway)
    assert (document["state"], document["reason"]) == ("held", "policy_hold")


def test_a_unit_has_a_policy_of_its_own(start_gateway):
    gateway = start_gateway(site=policies('type: "*", unit: UF99, action: hold',
                                          'type: "*", unit: UF12, action: send', 'type: "*", action: hold'))
    sent = hand_in(gateway, "mllp", numbered(1))  # UF12
    assert gateway.wait_final(sent) == "delivered"
    hand_in(gateway, "drop", numbered(2))  # no unit
    assert {each["unique_id"]: each["state"] for each in gateway.documents()} == {
        unique_id(numbered(1)): "delivered", unique_id(numbered(2)): "held"}


def test_a_delay_ends_by_itself(start_gateway, simulator):
    gateway = start_gateway(site=policies('type: "*", action: delay, delay: 4 s'))
    start = time.monotonic()
    doc = hand_in(gateway, "mllp", numbered(1))
    document = only(gateway)
    assert (document["state"], document["reason"]) == ("held", "policy_hold")
    assert simulator.received() == {}
    assert gateway.wait_final(doc) == "delivered"
    assert time.monotonic() - start >= 4
    gateway.journal.wait(r"<6>released documents=1: ")
    assert [each["what"] for each in gateway.ctl("show", doc)["events"]] == [
        "received", "released", "claimed", "settled"]
    assert gateway.status()["queue"].get("held", 0) == 0
    assert patient_words_in("\n".join(gateway.journal.lines)) == []


def test_a_delay_survives_a_kill(start_gateway):
    gateway = start_gateway(site=policies('type: "*", action: delay, delay: 3 s'))
    doc = hand_in(gateway, "mllp", numbered(1))
    gateway.kill()
    time.sleep(3)  # the delay passes while nobody runs
    gateway.start()
    assert gateway.wait_final(doc) == "delivered"


def test_a_document_hidden_by_policy_is_told_of_until_a_visible_one_replaces_it(start_gateway):
    first, second = read("discharge-letter.xml"), read(REPLACEMENT)
    gateway = start_gateway(site=policies('type: "*", unit: UF12, action: invisible_patient'),
                            extra="visibility: { invisible_most: 1 s }")
    doc = hand_in(gateway, "mllp", first)
    assert gateway.wait_final(doc) == "delivered"
    told = {each["name"]: each for each in gateway.ctl("show", doc)["metadata"]}
    assert "INVISIBLE_PATIENT" in told["confidentialities"]["value"]
    assert told["visibility"]["from"] == "site"
    gateway.journal.wait(r"<4>alert=invisible_too_long subject=oldest raised ")
    wait_invisible(gateway, 1)

    later = hand_in(gateway, "drop", second, "second.xml")  # no unit: it is visible
    assert gateway.wait_final(later) == "delivered"
    wait_invisible(gateway, 0)
    assert len(gateway.journal.find("invisible")) == 1, "said once"


def wait_invisible(gateway, documents: int):
    deadline = time.monotonic() + 20
    while gateway.status()["invisible_too_long"] != documents:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def hidden_ones(gateway) -> list[str]:
    return [each["unique_id"] for each in gateway.ctl("list", "--state", "invisible")]


def confidentialities(simulator, name: str) -> list[str]:
    """Of the document, as the DMP was told."""
    request = etree.parse(simulator.store / "documents" / name / "request.xml")
    return request.xpath("//*[local-name()='Classification'][@classifiedObject='Document01']"
                         "[@classificationScheme='urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f']/@nodeRepresentation")


def test_an_announcement_is_hidden_until_its_visible_version_which_a_delay_may_hold(start_gateway, simulator):
    """The whole story: hidden by policy, told of, named; then shown by a version that waits for its time."""
    first, second = read("discharge-letter.xml"), read(REPLACEMENT)
    gateway = start_gateway(site=policies('type: "*", unit: UF12, action: invisible_patient'),
                            extra="visibility: { invisible_most: 1 s }")
    assert gateway.wait_final(hand_in(gateway, "mllp", first)) == "delivered"
    old, new = unique_id(first), unique_id(second)
    assert confidentialities(simulator, old) == ["N", "INVISIBLE_PATIENT"]
    assert hidden_ones(gateway) == [old]
    assert gateway.ctl("list", "--state", "invisible", "--older-than", "1h") == []
    gateway.journal.wait(r"<4>alert=invisible_too_long subject=oldest raised ")
    (alert,) = [each for each in gateway.status()["alerts"] if each["name"] == "invisible_too_long"]
    assert all("dmpfeedctl list --state invisible" in words for words in alert["todo"].values())
    gateway.stop()
    gateway.config.write_text(gateway.config.read_text().replace(
        "policies: [", 'policies: [{ type: "*", unit: UF13, action: delay, delay: 4 s }, '))
    gateway.start()

    start = time.monotonic()
    later = gateway.send(mdm_t02(second, trigger="T10").replace(b"UF12", b"UF13"))
    assert later.code == "AA", later.errors
    assert hidden_ones(gateway) == [old], "what waits shows nothing yet"
    (held,) = [each for each in gateway.documents() if each["unique_id"] == new]
    assert (held["state"], held["reason"]) == ("held", "policy_hold") and held["release"]
    assert gateway.wait_final(held["doc"]) == "delivered" and time.monotonic() - start >= 4
    assert confidentialities(simulator, new) == ["N"]
    assert hidden_ones(gateway) == []


@pytest.mark.parametrize("flag, hidden", [("N", True), ("Y", False)])
def test_a_version_whose_source_changes_its_visibility_is_not_hidden_again(start_gateway, simulator, flag, hidden):
    first, second = read("discharge-letter.xml"), read(REPLACEMENT)
    gateway = start_gateway(site=policies('type: "*", action: invisible_patient'))
    assert gateway.wait_final(hand_in(gateway, "mllp", first)) == "delivered"
    assert gateway.send(mdm_t02(second, trigger="T10", flags={"MODIF_CONF_CODE": flag})).code == "AA"
    assert gateway.settled()[unique_id(second)]["state"] == "delivered"
    assert ("INVISIBLE_PATIENT" in confidentialities(simulator, unique_id(second))) is hidden
    assert hidden_ones(gateway) == ([unique_id(second)] if hidden else [])


SECRET = b"urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"


@pytest.mark.parametrize("secret, guardians, codes", [
    ("Y", "N", ["N", "INVISIBLE_REPRESENTANTS_LEGAUX"]),
    ("N", "Y", ["N", "INVISIBLE_REPRESENTANTS_LEGAUX"]),
    ("N", "N", ["N"]),
])
def test_the_vihf_says_of_a_secret_connection_what_no_mask_says(gateway, simulator, secret, guardians, codes):
    flags = {"CONNEXION_SECRETE": secret, "INVISIBLE_REP_LEGAUX": guardians}
    assert gateway.send(mdm_t02(numbered(1), flags=flags)).code == "AA"
    (document,) = gateway.settled().values()
    assert document["state"] == "delivered"
    request = (simulator.store / "documents" / document["unique_id"] / "request.xml").read_bytes()
    assert (SECRET in request) is (secret == "Y")
    assert confidentialities(simulator, document["unique_id"]) == codes
    told = [each["name"] for each in gateway.ctl("show", document["doc"])["metadata"]]
    assert ("secret_connection" in told) is (secret == "Y")


def test_a_sidecar_has_a_word_for_a_secret_connection_too(gateway, simulator):
    assert drop_pair(gateway, sidecar=YAML + "secret_connection: true\n") == "done"
    (document,) = gateway.settled().values()
    assert document["state"] == "delivered"
    assert SECRET in (simulator.store / "documents" / document["unique_id"] / "request.xml").read_bytes()
    assert confidentialities(simulator, document["unique_id"]) == ["N", "INVISIBLE_REPRESENTANTS_LEGAUX"]


def test_what_is_hidden_from_professionals_is_held_rather_than_hidden_twice(start_gateway):
    gateway = start_gateway(site=policies('type: "*", action: invisible_patient'))
    assert gateway.send(mdm_t02(numbered(1), flags={"MASQUE_PS": "Y"})).code == "AA"
    assert (only(gateway)["state"], only(gateway)["reason"]) == ("held", "policy_hold")
