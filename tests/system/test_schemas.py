"""Every body that the daemon sends is valid by the DMP's public schemas: those of its samples here, in each of the four
transactions; those of the corpus in test_corpus.py, whose simulated DMP judges by the same schemas.
"""

from __future__ import annotations

import pytest
from lxml import etree

from gateway import SCHEMAS
from samples import INITIAL, REPLACEMENT, hand_in, mdm_t02, read, unique_id

if not SCHEMAS.is_dir():
    pytest.skip(f"the DMP's public schemas are not there: {SCHEMAS}", allow_module_level=True)


def transactions(simulator) -> list[tuple[str, str]]:
    return [(each["transaction"], each["verdict"]) for each in simulator.exchanges()]


@pytest.fixture
def asking_gateway(start_gateway):
    """One that asks first whether the patient has a DMP."""
    gateway = start_gateway(extra="td02: { cache: { positive: 0 s, negative: 0 s } }")
    gateway.stop()
    text = gateway.config.read_text().replace("    dmp:\n", "    dmp:\n      check_existence: true\n", 1)
    gateway.config.write_text(text)
    return gateway.start()


@pytest.mark.parametrize("name", INITIAL)
def test_each_sample_is_sent_in_valid_bodies(asking_gateway, simulator, name):
    assert asking_gateway.wait_final(hand_in(asking_gateway, "mllp", read(name))) == "delivered"
    assert transactions(simulator) == [("TD0.2", "answered"), ("TD2.1", "stored")]


def test_a_replacement_and_a_deletion_are_sent_in_valid_bodies(asking_gateway, simulator):
    letter = read("discharge-letter.xml")
    asking_gateway.wait_final(hand_in(asking_gateway, "mllp", letter))
    for message in (mdm_t02(read(REPLACEMENT), trigger="T10"), mdm_t02(read(REPLACEMENT), trigger="T04")):
        assert asking_gateway.send(message).code == "AA"
        newest = max(asking_gateway.documents(), key=lambda each: each["last_arrival"])
        assert asking_gateway.wait_final(newest["doc"]) == "delivered"
    assert [verdict for _, verdict in transactions(simulator)] == ["answered", "stored", "answered", "answered", "stored",
                                                                  "answered", "answered", "deleted"]


def test_what_only_a_schema_forbids_is_noticed(asking_gateway, simulator):
    """The schemas are in force: they refuse what was sent once one of its attributes is gone."""
    asking_gateway.wait_final(hand_in(asking_gateway, "mllp", read("discharge-letter.xml")))
    request = simulator.store / "documents" / unique_id(read("discharge-letter.xml")) / "request.xml"
    body = request.read_text(encoding="utf-8")
    start = body.index("<lcm:SubmitObjectsRequest")
    end = body.index("</lcm:SubmitObjectsRequest>") + len("</lcm:SubmitObjectsRequest>")
    namespaces = ('xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"'
                  ' xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"')
    whole = body[start:end].replace("<lcm:SubmitObjectsRequest", f"<lcm:SubmitObjectsRequest {namespaces}", 1)
    assert is_valid(whole)
    assert not is_valid(whole.replace(' targetObject="Document01"', "", 1))


def is_valid(text: str) -> bool:
    schema = etree.XMLSchema(etree.parse(str(SCHEMAS / "schema" / "ebRS" / "lcm.xsd")))
    return schema.validate(etree.fromstring(text.encode()))
