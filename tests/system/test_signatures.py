"""What the gateway really sent is signed, and holds."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from certificates import resigned
from disks import preload
from gateway import Gateway
from samples import hand_in, numbered, read, unique_id

LETTER = read("discharge-letter.xml")
XADES_IDS = ["--id-attr:Id", "http://www.w3.org/2000/09/xmldsig#:Manifest",
             "--id-attr:Id", "http://uri.etsi.org/01903/v1.1.1#:SignedProperties"]
VIHF_IDS = ["--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion"]


def sent(simulator, name: str) -> bytes:
    return (simulator.store / "documents" / unique_id(LETTER) / name).read_bytes()


def verifies(signed: bytes, ids: list[str], pki, folder) -> bool:
    """By the xmlsec1 command, up to the root; what the Manifest lists is not its business."""
    file = folder / "signed.xml"
    file.write_bytes(signed)
    done = subprocess.run(
        ["xmlsec1", "--verify", "--ignore-manifests", *ids, "--trusted-pem", pki / "ca.pem",
         "--untrusted-pem", pki / "intermediate.pem", file], capture_output=True, timeout=30)
    return done.returncode == 0


@pytest.fixture
def xmlsec1():
    if shutil.which("xmlsec1") is None:
        pytest.skip("the command xmlsec1 is not installed")


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_what_is_sent_verifies_up_to_the_root(xmlsec1, start_gateway, simulator, tmp_path, digest):
    gateway = start_gateway(extra=f"xades: {{ digest: {digest} }}\nvihf: {{ digest: {digest} }}")
    assert gateway.wait_final(hand_in(gateway, "mllp", LETTER)) == "delivered"
    for name, ids, changes in (
        ("signature.xml", XADES_IDS, ((b"<SigningTime>2", b"<SigningTime>3"), (b"AA==", b"AQ=="))),
        ("request.xml", VIHF_IDS, ((b">INDIRECTE<", b">DIRECTE<"), (b'IssueInstant="2', b'IssueInstant="3'))),
    ):
        signed = sent(simulator, name)
        assert verifies(signed, ids, simulator.pki, tmp_path)
        for old, new in changes:
            assert old in signed
            assert not verifies(signed.replace(old, new, 1), ids, simulator.pki, tmp_path)


def test_a_machine_that_forbids_sha_1_holds_what_needs_it_until_it_is_allowed(make_gateway, simulator):
    gateway = make_gateway(extra="xades: { digest: sha1 }").start(env=preload("forbid_sha1"))
    gateway.journal.wait(r"^<3>lane=\d+ state=stopped .*cannot sign with SHA-1, which this machine's cryptographic policy")
    hand_in(gateway, "mllp", LETTER)
    (lane,) = gateway.status()["lanes"]
    assert lane["state"] == "stopped" and "write sha256 in xades.digest" in lane["why"]
    assert gateway.status()["queue"]["queued"] == 1 and gateway.get("/readyz")[0] == 200
    assert gateway.stop() == 0
    gateway.start()
    assert {each["state"] for each in gateway.settled().values()} == {"delivered"}
    assert "xmldsig#rsa-sha1" in sent(simulator, "signature.xml").decode()


def test_without_sha_1_a_machine_may_forbid_it(make_gateway):
    gateway = make_gateway(extra="xades: { digest: sha256 }").start(env=preload("forbid_sha1"))
    assert gateway.wait_final(hand_in(gateway, "mllp", LETTER)) == "delivered"


def test_a_resent_document_is_signed_anew_under_the_same_ids(start_gateway, simulator):
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryBusy", "text": "occupé", "times": 1})
    gateway = start_gateway()
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    signature = sent(simulator, "signature.xml").decode()
    own, of_set = re.search(r'Id="S-([0-9.]+)"', signature)[1], re.search(r'"urn:oid:([0-9.]+)"', signature)[1]
    arc, number = own.removeprefix("1.2.250.1.999.77.").split(".")
    assert arc == "2" and of_set == f"1.2.250.1.999.77.1.{number}"


def test_a_certificate_that_ends_stops_the_lane_and_loses_no_document(simulator, tmp_path):
    pki = resigned(simulator.pki, tmp_path / "pki", "sign", ends=4)
    with Gateway(tmp_path / "gateway", simulator.url, pki) as gateway:
        gateway.journal.wait(r"<4>signing lane=990000987 structure=1990000987 days_left=0")
        number = 0
        while not gateway.journal.find(r"state=stopped"):
            number += 1
            start = len(gateway.journal.lines)
            hand_in(gateway, "mllp", numbered(number))
            gateway.journal.wait(r"outcome=\w+ ", start=start)
        assert "the signing certificate ended on" in gateway.status()["lanes"][0]["why"]
        assert gateway.status()["queue"]["rejected"] == 0
        assert gateway.status()["queue"]["queued"] + gateway.status()["queue"]["sending"] >= 1


def test_the_number_of_the_homologation_is_nowhere_to_be_read(start_gateway, simulator, tmp_path):
    secret = tmp_path / "number"
    secret.write_text("CNDA-VERY-SECRET\n")
    secret.chmod(0o600)
    gateway = start_gateway(homologation=secret)
    gateway.wait_final(hand_in(gateway, "mllp", LETTER))
    printed = gateway.run("--check-config").stdout
    assert str(secret) in printed
    assert not any("CNDA-VERY-SECRET" in text for text in (printed, *gateway.journal.lines))
