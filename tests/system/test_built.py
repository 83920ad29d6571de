"""What the gateway builds around a body, by rules that know nothing of it; and those rules, by documents that break
them."""

from __future__ import annotations

import pytest
from lxml import etree

from cda_structure import faults
from samples import hand_in, numbered, read
from test_sidecar import PDF, YAML, delivered

FULL = """\
confidentiality: N
hidden_from: [guardians]
secret_connection: true
legal_authenticator: { id: "801234567899", family: DURAND, given: Zoé, finess: "990012352", organisation: LABO & FILS }
""" + YAML.replace("stay:\n  class: I", """\
  code: DZQM006
  code_system: 1.2.250.1.213.2.5
  code_name: Échographie <transthoracique> & "doppler"
  practice: AMBULATOIRE
  performer: { id: "801234567866", family: MARTIN, given: Claire, specialty: G15_10/SM26 }
stay:
  class: O
  number: V88001
  number_oid: 1.2.250.1.999.3
  start: 2026-11-18
  stop: 2026-11-20T09:00:00+01:00
  sector: SA05""")
LEAST = YAML[:YAML.index("act:")].replace("  specialty: G15_10/SM26\n", "").replace("  prefix: DR\n", "") \
    .replace('  id: "4711"\n  id_oid: 1.2.250.1.999.1\n', "").replace("  given_names: DOMINIQUE MARIE-LOUISE\n", "") \
    .replace("title: Lettre de liaison du 20/11/2026\n", "")


@pytest.mark.parametrize("sidecar", [YAML, FULL, LEAST, LEAST.replace("sex: F", "sex: U")],
                         ids=["ordinary", "all keys", "as few as may be", "of unknown sex"])
@pytest.mark.parametrize("name, body", [("letter.pdf", PDF), ("letter.txt", "Sortie prévue\n".encode())], ids=["pdf", "text"])
def test_what_is_built_is_a_cda_of_the_french_profile(gateway, simulator, sidecar, name, body):
    cda = delivered(gateway, simulator, body=body, sidecar=sidecar, name=name)
    assert faults(etree.tostring(cda.root)) == []


def test_a_version_that_replaces_is_too(gateway, simulator):
    sidecar = YAML + "replaces: 1.2.250.1.999.1.9.1\nversion: 3\nset_id: 1.2.250.1.999.1.9.0\n"
    assert gateway.wait_final(hand_in(gateway, "mllp", numbered(1))) == "delivered"
    start = len(gateway.journal.lines)
    gateway.drop("again.txt", b"Sortie")
    gateway.drop("again.yaml", sidecar.encode())
    assert gateway.wait_moved("again.txt", start=start) == "done"
    (unique_id,) = [each for each, document in gateway.settled().items() if document["action"] == "replace"]
    document = simulator.document(unique_id)
    assert faults(document) == [] and b"<versionNumber value=\"3\"/>" in document


# ---- the rules themselves ----

GOOD = read("laboratory-report-pdf.xml")


def test_a_document_of_the_same_form_by_hand_keeps_the_rules():
    assert faults(GOOD) == []


def move_custodian(root):
    custodian = root.find("{*}custodian")
    root.remove(custodian)
    root.insert(0, custodian)


def remove(path):
    def change(root):
        for found in root.xpath(path, namespaces={"h": "urn:hl7-org:v3"}):
            found.getparent().remove(found)
    return change


def write(path, attribute, value):
    def change(root):
        for found in root.xpath(path, namespaces={"h": "urn:hl7-org:v3"}):
            found.set(attribute, value)
    return change


@pytest.mark.parametrize("change, words", [
    (move_custodian, "ClinicalDocument has 0 typeId"),
    (remove("h:custodian"), "ClinicalDocument has 0 custodian"),
    (remove("h:setId"), "it lacks: a setId"),
    (remove("h:legalAuthenticator/h:signatureCode"), "legalAuthenticator has 0 signatureCode"),
    (remove("h:recordTarget//h:birthplace"), "it lacks: the place of birth"),
    (remove("h:templateId[@root='1.2.250.1.213.1.1.1.1']"), "it lacks: the template of the CI-SIS"),
    (write("h:id", "extension", "1"), "it lacks: the id is an OID alone"),
    (write("h:id", "root", "1.02"), "id/@root is '1.02'"),
    (write("h:effectiveTime", "value", "20261120"), "effectiveTime is '20261120'"),
    (write("h:component/h:nonXMLBody/h:text", "representation", "TXT"), "text/@representation is 'TXT'"),
])
def test_a_document_that_breaks_them_is_found_out(change, words):
    root = etree.fromstring(GOOD)
    change(root)
    assert any(words in fault for fault in faults(etree.tostring(root))), faults(etree.tostring(root))
