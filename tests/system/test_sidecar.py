"""A body and the YAML file that describes it become a CDA of level 1: a PDF is made PDF/A-1 by the real Ghostscript."""

from __future__ import annotations

import base64
import contextlib
import os
import pathlib
import re
import subprocess
import time

import pytest
import yaml
from lxml import etree

import gateway as world
from gateway import SOURCE, Gateway, TimedOut, file_digest
from samples import DATA, numbered, patient_words_in
from test_corpus import rehearse

PDF = (DATA / "pair" / "letter.pdf").read_bytes()
YAML = (DATA / "pair" / "letter.yaml").read_text(encoding="utf-8")
PATIENT_FREE = re.compile(r"PAT-TROIS|DOMINIQUE|279035121518989|4711\b")


def ghostscript(folder: pathlib.Path, *arguments: str, page: str = "(Sortie) show") -> bytes:
    """A PDF as Ghostscript makes one of a page of PostScript."""
    source, made = folder / "page.ps", folder / "made.pdf"
    source.write_text(f"%!\n/Helvetica findfont 20 scalefont setfont 72 700 moveto {page} showpage\n")
    subprocess.run(["gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", f"-sOutputFile={made}", *arguments,
                    source], check=True)
    return made.read_bytes()


def drop_pair(gateway: Gateway, body: bytes = PDF, sidecar: str = YAML, name: str = "letter.pdf") -> str:
    """Where the pair went."""
    start = len(gateway.journal.lines)
    gateway.drop(name, body)
    gateway.drop(pathlib.PurePath(name).stem + ".yaml", sidecar.encode())
    return gateway.wait_moved(name, start=start)


def moved(gateway: Gateway) -> list[str]:
    return sorted(path.name for path in gateway.inbox.glob("*/*/*"))


def errors(gateway: Gateway, name: str = "letter") -> list[dict]:
    (path,) = gateway.inbox.glob(f"rejected/*/{name}.error.yaml")
    return yaml.safe_load(path.read_text(encoding="utf-8"))["errors"]


def result(gateway: Gateway, name: str = "letter") -> dict:
    (path,) = gateway.inbox.glob(f"done/*/{name}.result.yaml")
    ((document,),) = (each["documents"] for each in yaml.safe_load(path.read_text(encoding="utf-8"))["messages"])
    return document


class Cda:
    """A built document, read by somebody else's reader."""

    def __init__(self, document: bytes):
        self.root = etree.fromstring(document, etree.XMLParser(huge_tree=True, resolve_entities=False))

    def all(self, path: str) -> list:
        return self.root.xpath(path, namespaces={"h": "urn:hl7-org:v3"})

    def one(self, path: str) -> str:
        (found,) = self.all(path)
        return str(found)

    @property
    def body(self) -> bytes:
        return base64.b64decode(self.one("h:component/h:nonXMLBody/h:text/text()"), validate=True)


def delivered(gateway: Gateway, simulator, **pair) -> Cda:
    assert drop_pair(gateway, **pair) == "done"
    (unique_id,) = gateway.settled()
    assert gateway.settled()[unique_id]["state"] == "delivered"
    return Cda(simulator.document(unique_id))


def claims_pdfa_1(pdf: bytes) -> bool:
    xmp = re.search(rb"<x:xmpmeta.*?</x:xmpmeta>", pdf, re.DOTALL)
    if not xmp:
        return False
    tree = etree.fromstring(xmp[0])
    space = "{http://www.aiim.org/pdfa/ns/id/}"
    return any(each.get(space + "part") == "1" for each in tree.iter()) or \
        any(each.text == "1" for each in tree.iter(space + "part"))


# ---- the document ----

def test_the_header_says_what_the_sidecar_and_the_site_say(gateway, simulator):
    cda = delivered(gateway, simulator)
    assert cda.root.tag == "{urn:hl7-org:v3}ClinicalDocument"
    assert [each.tag.split("}")[1] for each in cda.root] == [
        "realmCode", "typeId", "templateId", "templateId", "templateId", "id", "code", "title", "effectiveTime",
        "confidentialityCode", "languageCode", "setId", "versionNumber", "recordTarget", "author", "custodian",
        "legalAuthenticator", "documentationOf", "componentOf", "component"]
    assert cda.all("h:templateId/@root") == ["2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1",
                                            "1.3.6.1.4.1.19376.1.2.20"]
    assert cda.all("h:recordTarget/h:patientRole/h:id/@root")[0] == "1.2.250.1.213.1.4.10"
    for path, value in {
        "h:id/@root": result(gateway)["unique_id"],
        "h:setId/@root": result(gateway)["set_id"],
        "h:versionNumber/@value": "1",
        "h:code/@code": "11490-0",
        "h:code/@codeSystem": "2.16.840.1.113883.6.1",
        "h:title/text()": "Lettre de liaison du 20/11/2026",
        "h:effectiveTime/@value": "20261120101500+0100",
        "h:languageCode/@code": "fr-FR",
        "h:recordTarget//h:family[@qualifier='BR']/text()": "PAT-TROIS",
        "h:recordTarget//h:given[@qualifier='BR']/text()": "DOMINIQUE",
        "h:recordTarget//h:given[not(@qualifier)]/text()": "DOMINIQUE MARIE-LOUISE",
        "h:recordTarget//h:birthplace/h:place/h:addr/h:county/text()": "51215",
        "h:author/h:assignedAuthor/h:id/@extension": "801234567866",
        "h:author//h:representedOrganization/h:id/@extension": "1990012345",
        "h:custodian//h:representedCustodianOrganization/h:name/text()": "CH DE VALBRUME",
        "h:legalAuthenticator/h:signatureCode/@code": "S",
        "h:legalAuthenticator/h:assignedEntity/h:id/@extension": "801234567866",
        "h:documentationOf/h:serviceEvent/h:effectiveTime/h:low/@value": "20261118071500+0100",
        "h:documentationOf/h:serviceEvent/h:effectiveTime/h:high/@value": "20261120",
        "h:documentationOf//h:standardIndustryClassCode/@code": "ETABLISSEMENT",
        "h:componentOf//h:healthCareFacility/h:code/@code": "SA01",
        "h:component/h:nonXMLBody/h:text/@mediaType": "application/pdf",
        "h:component/h:nonXMLBody/h:text/@representation": "B64",
    }.items():
        assert cda.one(path) == value, path


def test_it_is_valid_by_the_public_schema(gateway, simulator):
    schemas = sorted((SOURCE / ".." / "shared" / "schemas").rglob("CDA*.xsd"))
    if not schemas:
        pytest.skip("no schema of the CDA (CDA.xsd) below ../shared/schemas")
    cda = delivered(gateway, simulator)
    etree.XMLSchema(etree.parse(str(schemas[0]))).assertValid(cda.root)


def test_both_files_and_the_result_move_together(gateway, simulator):
    delivered(gateway, simulator)
    assert moved(gateway) == ["letter.pdf", "letter.result.yaml", "letter.yaml"]
    (kept,) = gateway.inbox.glob("done/*/letter.pdf")
    assert kept.read_bytes() == PDF
    assert list(gateway.inbox.glob("*.*")) == []
    assert result(gateway)["known"] is False


@pytest.mark.parametrize("first", ["letter.pdf", "letter.yaml"])
def test_either_file_may_come_first(gateway, first):
    files = {"letter.pdf": PDF, "letter.yaml": YAML.encode()}
    gateway.drop(first, files.pop(first))
    gateway.drop("other.xml", (DATA / "prescription.xml").read_bytes())
    assert gateway.wait_moved("other.xml") == "done"
    assert (gateway.inbox / first).exists()
    for name, content in files.items():
        gateway.drop(name, content)
    assert gateway.wait_moved("letter.pdf") == "done"


def test_a_version_replaces_its_predecessor(gateway, simulator):
    delivered(gateway, simulator)
    first = result(gateway)
    assert drop_pair(gateway, sidecar=YAML + f"replaces: {first['unique_id']}\n", name="again.pdf") == "done"
    second = result(gateway, "again")
    documents = gateway.settled()
    assert documents[second["unique_id"]]["state"] == "delivered"
    assert (second["action"], second["set_id"]) == ("replace", first["set_id"])
    cda = Cda(simulator.document(second["unique_id"]))
    assert cda.one("h:relatedDocument[@typeCode='RPLC']/h:parentDocument/h:id/@root") == first["unique_id"]
    assert cda.one("h:versionNumber/@value") == "2"


def test_a_version_of_the_same_text_is_not_sent(gateway, simulator):
    text = "Sortie prévue demain.\n".encode()
    delivered(gateway, simulator, body=text, name="letter.txt")
    first = result(gateway)
    again = YAML + f"replaces: {first['unique_id']}\n"
    assert drop_pair(gateway, sidecar=again, body=text, name="again.txt") == "done"
    (document,) = [each for each in gateway.documents() if each["action"] == "replace"]
    assert (document["state"], document["reason"]) == ("suppressed", "unchanged")
    assert list(simulator.received()) == [first["unique_id"]]


@pytest.mark.parametrize("name, body, media_type", [
    ("letter.txt", "Sortie prévue demain.\n".encode(), "text/plain"),
    ("letter.rtf", rb"{\rtf1\ansi Sortie}", "text/rtf"),
    ("scan.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(20) + b"\xff\xd9", "image/jpeg"),
    ("scan.TIFF", b"II*\x00\x08\x00\x00\x00" + bytes(20), "image/tiff"),
])
def test_other_bodies_go_as_they_are(gateway, simulator, name, body, media_type):
    cda = delivered(gateway, simulator, body=body, name=name)
    assert cda.one("h:component/h:nonXMLBody/h:text/@mediaType") == media_type
    assert cda.body == body


# ---- PDF/A ----

def test_a_pdf_that_is_not_pdfa_is_converted(gateway, simulator, tmp_path):
    pdf = ghostscript(tmp_path)
    assert not claims_pdfa_1(pdf)
    body = delivered(gateway, simulator, body=pdf).body
    assert claims_pdfa_1(body)
    (kept,) = gateway.inbox.glob("done/*/letter.pdf")
    assert kept.read_bytes() == pdf
    made = tmp_path / "sent.pdf"
    made.write_bytes(body)
    shown = subprocess.run(["gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=txtwrite", "-sOutputFile=-", made],
                           check=True, capture_output=True, text=True).stdout
    assert "Sortie" in shown
    assert not list((gateway.folder / "state").glob("convert.*"))


def test_a_pdf_that_is_pdfa_goes_byte_for_byte(gateway, simulator, tmp_path):
    pdf = ghostscript(tmp_path, "-dPDFA=1")
    assert claims_pdfa_1(pdf)
    assert delivered(gateway, simulator, body=pdf).body == pdf


def test_a_pdf_may_be_sent_as_it_is(start_gateway, simulator):
    gateway = start_gateway(extra="pdf: { when_not_pdfa: send }")
    assert delivered(gateway, simulator).body == PDF


def test_a_pdf_may_be_refused(start_gateway, simulator, tmp_path):
    gateway = start_gateway(extra="pdf: { when_not_pdfa: refuse }")
    assert drop_pair(gateway) == "rejected"
    ((error),) = errors(gateway)
    assert error["reason"] == "pdf_not_pdfa" and "refuse" in error["text"]
    assert moved(gateway) == ["letter.error.yaml", "letter.pdf", "letter.yaml"]
    assert drop_pair(gateway, body=ghostscript(tmp_path, "-dPDFA=1"), name="good.pdf") == "done"


def test_an_encrypted_pdf_is_refused(gateway, tmp_path):
    pdf = ghostscript(tmp_path, "-sOwnerPassword=a", "-sUserPassword=b", "-dEncryptionR=3", "-dKeyLength=128")
    assert drop_pair(gateway, body=pdf) == "rejected"
    (error,) = errors(gateway)
    assert error["reason"] == "body_invalid" and "encrypted" in error["text"]


def test_a_pdf_that_takes_for_ever_is_given_up(start_gateway):
    gateway = start_gateway(extra="pdf: { timeout: 1 s }")
    assert drop_pair(gateway, body=make_bomb()) == "rejected"
    (error,) = errors(gateway)
    assert error["reason"] == "pdf_not_pdfa" and "pdf.timeout" in error["text"]
    assert not list((gateway.folder / "state").glob("convert.*"))


def test_a_pdf_that_grows_without_end_is_given_up(start_gateway):
    gateway = start_gateway(extra="pdf: { max_output: 4 KiB }")
    assert drop_pair(gateway) == "rejected"
    (error,) = errors(gateway)
    assert error["reason"] == "pdf_not_pdfa" and "pdf.max_output" in error["text"]


@pytest.mark.parametrize("body, reason", [
    (b"%PDF-1.4\n" + os.urandom(5000) + b"\n%%EOF\n", "pdf_not_pdfa"),
    (PDF[:400], "body_invalid"),
], ids=["noise", "cut"])
def test_a_broken_pdf_is_refused(gateway, body, reason):
    """Ghostscript would make empty pages of the first, and pages without their text of the second."""
    assert drop_pair(gateway, body=body) == "rejected"
    assert [each["reason"] for each in errors(gateway)] == [reason]


def test_a_converter_that_is_missing_keeps_the_pair(start_gateway):
    gateway = start_gateway(extra="pdf: { converter: /nonexistent/gs }")
    gateway.drop("letter.pdf", PDF)
    gateway.drop("letter.yaml", YAML.encode())
    gateway.journal.wait(rf"file={file_digest('letter.pdf')} .*stays: .*install ghostscript")
    assert (gateway.inbox / "letter.pdf").exists() and (gateway.inbox / "letter.yaml").exists()


def make_bomb(levels: int = 20, fan: int = 10) -> bytes:
    """Forms that draw forms: fan ** levels of the innermost, in a small file."""
    draw, leaf = b"/Fm Do ", b"0 0 m 1 1 l S "
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
               b" /Resources << /XObject << /Fm 5 0 R >> >> >>",
               b"<< /Length %d >>\nstream\n%s\nendstream" % (len(draw), draw)]
    for level in range(levels):
        last = level == levels - 1
        content = leaf if last else draw * fan
        within = b"" if last else b" /Resources << /XObject << /Fm %d 0 R >> >>" % (6 + level)
        objects.append(b"<< /Type /XObject /Subtype /Form /BBox [0 0 595 842]%s /Length %d >>\nstream\n%s\nendstream"
                       % (within, len(content), content))
    out, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer


def hanging(folder: pathlib.Path) -> pathlib.Path:
    """In Ghostscript's place: it never ends."""
    program = folder / "hanging"
    program.write_text("#!/bin/sh\nexec sleep 1000\n")
    program.chmod(0o755)
    return program


def test_a_conversion_that_hangs_keeps_nobody_else_waiting(start_gateway, simulator, tmp_path):
    """Nor do many: they are more than the folder hands over at once."""
    gateway = start_gateway(extra=f"pdf: {{ converter: {hanging(tmp_path)}, timeout: 5 s }}")
    names = [f"letter-{number}" for number in range(20)]
    for number, name in enumerate(names):
        gateway.drop(name + ".pdf", PDF + b"\n" * number)
        gateway.drop(name + ".yaml", YAML.encode())
    letters = [f"letter-{number}.xml" for number in range(8)]
    for number, name in enumerate(letters):
        gateway.drop(name, numbered(number))
    note = "text.txt"
    gateway.drop(note, "Sortie".encode())
    gateway.drop("text.yaml", YAML.encode())
    assert {gateway.wait_moved(name) for name in [*letters, note]} == {"done"}
    assert not gateway.journal.find("longer than pdf.timeout"), "nobody waited for it"
    first = gateway.journal.wait(r"refused channel=drop .*origin=(\w+) .*longer than pdf.timeout")[1]
    assert first in {file_digest(name + ".pdf") for name in names}
    assert gateway.stop() == 0, "and what waits does not keep it from ending"
    left = {path.stem for path in gateway.inbox.glob("*.pdf")}
    assert len(left) >= 15 and left == {path.stem for path in gateway.inbox.glob("*.yaml")}


def test_pdf_files_beyond_those_that_may_wait_stay_in_the_folder_and_go_later(start_gateway, simulator):
    gateway = start_gateway(extra="pdf: { max_waiting: 1 }")
    names = [f"letter-{number}" for number in range(4)]
    for number, name in enumerate(names):
        gateway.drop(name + ".pdf", PDF + b"\n" * number)
        gateway.drop(name + ".yaml", YAML.encode())
    assert {gateway.wait_moved(name + ".pdf") for name in names} == {"done"}
    assert {each["state"] for each in gateway.settled().values()} == {"delivered"}
    assert len(simulator.received()) == 4


def test_what_was_being_converted_at_the_end_is_converted_after_it(start_gateway, simulator, tmp_path):
    gateway = start_gateway(extra=f"pdf: {{ converter: {hanging(tmp_path)} }}")
    gateway.drop("letter.pdf", PDF)
    gateway.drop("letter.yaml", YAML.encode())
    while not list((gateway.folder / "state").glob("convert.*")):
        assert gateway.process.poll() is None
    start = time.monotonic()
    assert gateway.stop() == 0 and time.monotonic() - start < 8
    assert list((gateway.folder / "state").glob("convert.*")) == []
    gateway.config.write_text(re.sub(r"^pdf:.*$", "", gateway.config.read_text(), flags=re.MULTILINE))
    gateway.start()
    assert gateway.wait_moved("letter.pdf") == "done"
    assert [each["state"] for each in gateway.settled().values()] == ["delivered"]


WITHOUT_NAMESPACES = """#!/bin/sh
exec unshare --user --map-root-user sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$0" "$@"' {daemon} "$@"
"""


def test_where_there_are_no_namespaces_the_journal_says_so_and_conversions_go_on(make_gateway, simulator, tmp_path,
                                                                                monkeypatch):
    script = tmp_path / "dmpfeedd"
    script.write_text(WITHOUT_NAMESPACES.format(daemon=world.DAEMON))
    script.chmod(0o755)
    if subprocess.run(["unshare", "--user", "--map-root-user", "true"], capture_output=True).returncode != 0:
        pytest.skip("no user namespaces here")
    gateway = make_gateway()
    monkeypatch.setattr(world, "DAEMON", script)
    gateway.start()
    told = r"<4>pdf: the system lets Ghostscript have no namespaces .* A filter of system calls keeps it from the network"
    assert len(gateway.journal.find(told)) == 1
    assert claims_pdfa_1(delivered(gateway, simulator).body)


WITHOUT_LANDLOCK = """#!/usr/bin/python3 -I
import ctypes, os, struct, sys
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x50000 | 38), (0x06, 0, 0, 0x7fff0000)]  # ENOSYS
filter = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(filter)))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program) == 0  # NO_NEW_PRIVS, SECCOMP
os.execv("{daemon}", ["dmpfeedd", *sys.argv[1:]])
"""


def test_where_there_is_no_landlock_the_journal_says_so(make_gateway, simulator, tmp_path, monkeypatch):
    script = tmp_path / "dmpfeedd"
    script.write_text(WITHOUT_LANDLOCK.format(daemon=world.DAEMON))
    script.chmod(0o755)
    gateway = make_gateway()
    monkeypatch.setattr(world, "DAEMON", script)
    gateway.start()
    assert len(gateway.journal.find(r"<4>pdf: the system has no Landlock, .* Nothing but Ghostscript's own -dSAFER")) == 1
    assert claims_pdfa_1(delivered(gateway, simulator).body)


# ---- what is wrong is said ----

@pytest.mark.parametrize("old, new, location, words, reason", [
    ('type: "11490-0"', 'type: "11490-9"', "line 2, column 7", "nearest", "type_not_accepted"),
    ("title:", "tittle:", "line 3, column 1", "known are", "sidecar_invalid"),
    ("2026-11-20T10:15:00+01:00", "20 novembre", "line 4, column 7", "a moment (2026", "sidecar_invalid"),
    ('  ins: "279035121518989"\n', "", "line 5, column 1", "patient.ins is missing", "ins_missing"),
    ("279035121518989", "279035121518988", "line 6, column 8", "15 characters", "ins_invalid"),
    ("  identity: VALI\n", "", "line 5, column 1", "patient.identity is missing", "sidecar_invalid"),
    ("identity: VALI", "identity: VALID", "line 7, column 13", "patient.identity is not one of table 0445: VALI, PROV",
     "sidecar_invalid"),
    ("sex: F", "sex: X", "line 13, column 8", "M, F or U", "sidecar_invalid"),
    ("1979-03-28", "28/03/1979", "line 14, column 15", "YYYY-MM-DD", "sidecar_invalid"),
    ('"51215"', '"5121"', "line 15, column 16", "INSEE", "sidecar_invalid"),
    ("author:", "auteur:", "line 16, column 1", "known are", "sidecar_invalid"),
    ("  class: I", "  class: Z", "line 26, column 10", "I, O, E, R or N", "sidecar_invalid"),
    ("stay:", "site: \"990099999\"\nstay:", "site", "no establishment declares", "finess_mismatch"),
    ("stay:", "replaces: 1.2.3\nstay:", "set_id", "set_id is missing", "sidecar_invalid"),
    ("stay:", "hidden_from: [patient, professionals]\nstay:", "", "hidden", "masks_conflict"),
    ("stay:", "\tstay:", "line 25, column 1", "tab", "sidecar_invalid"),
])
def test_a_wrong_sidecar_is_explained(gateway, old, new, location, words, reason):
    assert old in YAML
    assert drop_pair(gateway, sidecar=YAML.replace(old, new, 1)) == "rejected"
    told = errors(gateway)
    assert any((each["location"], each["reason"]) == (location, reason) and words in each["text"] for each in told), told
    assert all(each["todo"] for each in told)
    assert gateway.documents() == []
    assert moved(gateway) == ["letter.error.yaml", "letter.pdf", "letter.yaml"]
    assert not PATIENT_FREE.search("\n".join(gateway.journal.lines))


def test_every_mistake_is_told_at_once(gateway):
    assert drop_pair(gateway, sidecar=YAML.replace("sex: F", "sex: X").replace("date:", "dat:", 1)) == "rejected"
    assert [each["location"] for each in errors(gateway)] == ["line 2, column 1", "line 4, column 1",
                                                             "line 13, column 8"]


def test_a_body_that_is_not_what_its_ending_says_is_refused(gateway):
    assert drop_pair(gateway, body=b"PK\x03\x04 a word processor's", name="letter.pdf") == "rejected"
    (error,) = errors(gateway)
    assert error["reason"] == "body_invalid"


def test_a_document_whose_identity_is_not_qualified_is_held(gateway, simulator):
    assert drop_pair(gateway, sidecar=YAML.replace("VALI", "PROV")) == "done"
    (document,) = gateway.documents()
    assert (document["state"], document["reason"]) == ("held", "ins_not_qualified")
    assert simulator.received() == {}


# ---- alone, again, and after a crash ----

@pytest.mark.parametrize("name, content, words", [
    ("letter.pdf", PDF, "name.yaml"),
    ("letter.yaml", YAML.encode(), "name.pdf"),
], ids=["no sidecar", "no body"])
def test_a_file_without_its_other_half_is_rejected_in_time(start_gateway, name, content, words):
    gateway = start_gateway(wait="1 s")
    gateway.drop(name, content)
    assert gateway.wait_moved(name) == "rejected"
    (error,) = errors(gateway)
    assert error["reason"] == "companion_missing" and words in error["text"]
    assert moved(gateway) == sorted(["letter.error.yaml", name])


def test_the_same_pair_again_is_known(gateway, simulator):
    delivered(gateway, simulator)
    assert drop_pair(gateway) == "done"
    assert result(gateway, "letter-2")["known"] is True
    assert result(gateway, "letter-2")["unique_id"] == result(gateway)["unique_id"]
    assert len(gateway.documents()) == 1
    assert [each["verdict"] for each in simulator.exchanges()] == ["stored"]


def test_another_byte_makes_another_document(gateway):
    assert drop_pair(gateway) == "done"
    assert drop_pair(gateway, body=PDF + b"\n", name="other.pdf") == "done"
    assert drop_pair(gateway, sidecar=YAML + "\n", name="third.pdf") == "done"
    assert len({each["unique_id"] for each in gateway.documents()}) == 3


def test_each_site_builds_under_an_oid_of_its_own_and_the_same_after_a_crash(make_gateway, simulator):
    gateway = make_gateway(site='} \n      - { finess_eg: "990054321", name: HAD, sector: SA01, oid: 1.2.250.1.999.78')
    second = gateway.folder / "second"
    second.mkdir()
    gateway.config.write_text(gateway.config.read_text().replace(
        "establishments:", '    - { name: second, folder: second, site: "990054321", source: LABO, settle: 200 ms }\n'
        "establishments:"))
    checked = gateway.run("--check-config")
    assert checked.returncode == 0 and 'oid: "1.2.250.1.999.78"' in checked.stdout, checked.stdout + checked.stderr
    gateway.start()
    for folder, name in ((gateway.inbox, "letter"), (second, "other")):
        (folder / f"{name}.pdf").write_bytes(PDF)
        (folder / f"{name}.yaml").write_text(YAML, encoding="utf-8")
        assert gateway.wait_moved(f"{name}.pdf") == "done"
    settled = gateway.settled()
    assert {each["site"]: unique_id.rsplit(".", 2)[0] for unique_id, each in settled.items()} == {
        "990012345": "1.2.250.1.999.77", "990054321": "1.2.250.1.999.78"}
    number, = {unique_id.rsplit(".", 1)[1] for unique_id in settled}
    cda = Cda(simulator.document(f"1.2.250.1.999.78.5.{number}"))
    assert cda.one("h:setId/@root") == f"1.2.250.1.999.78.6.{number}"
    gateway.kill()
    (day,) = second.glob("done/*")
    for name in ("other.pdf", "other.yaml"):
        (day / name).rename(second / name)
    gateway.start()
    assert gateway.wait_moved("other.pdf") == "done"
    assert len(gateway.settled()) == 2
    assert len([each for each in simulator.exchanges() if each["verdict"] == "stored"]) == 2


def test_killed_after_the_commit_the_pair_is_sent_once(gateway, simulator):
    """The commit is there, the move is not: what the daemon finds when it comes back."""
    delivered(gateway, simulator)
    gateway.kill()
    (day,) = gateway.inbox.glob("done/*")
    for name in ("letter.pdf", "letter.yaml"):
        (day / name).rename(gateway.inbox / name)
    (day / "letter.result.yaml").unlink()
    gateway.start()
    assert gateway.wait_moved("letter.pdf") == "done"
    assert result(gateway)["known"] is True
    assert len(gateway.settled()) == 1
    assert [each["verdict"] for each in simulator.exchanges()] == ["stored"]


def test_killed_between_the_two_moves_nothing_is_left(start_gateway, simulator):
    """The body is aside, the sidecar has two names: the one in the folder goes, quietly."""
    gateway = start_gateway(wait="1 s")
    delivered(gateway, simulator)
    gateway.kill()
    (day,) = gateway.inbox.glob("done/*")
    os.link(day / "letter.yaml", gateway.inbox / "letter.yaml")
    gateway.start()
    assert gateway.wait_moved("letter.yaml") == "done"
    assert not (gateway.inbox / "letter.yaml").exists()
    assert moved(gateway) == ["letter.pdf", "letter.result.yaml", "letter.yaml"]
    assert len(gateway.documents()) == 1


def test_killed_at_any_moment_each_pair_goes_once(gateway, simulator):
    names = [f"letter-{number}" for number in range(8)]
    for number, name in enumerate(names):
        gateway.drop(name + ".pdf", PDF + b"\n" * number)
        gateway.drop(name + ".yaml", YAML.encode())
        if number % 2:
            gateway.journal.wait(rf"doc=\w+ received|file=\w+ .*moved=")
            gateway.kill()
            gateway.start()
    for name in names:
        if (gateway.inbox / (name + ".pdf")).exists():
            with contextlib.suppress(TimedOut):
                gateway.wait_moved(name + ".pdf")
    assert list(gateway.inbox.glob("*.*")) == []
    documents = gateway.settled(60)
    assert {each["state"] for each in documents.values()} == {"delivered"}
    assert len(documents) == len(simulator.received()) == len(names)
    stored = [each["uniqueId"] for each in simulator.exchanges() if each["verdict"] == "stored"]
    assert len(stored) == len(set(stored)) == len(names)
    assert list(gateway.inbox.glob("rejected/*/*")) == []


def test_no_patient_is_in_the_journal(gateway, simulator):
    delivered(gateway, simulator)
    assert patient_words_in("\n".join(gateway.journal.lines)) == []


def test_a_pair_is_rehearsed_as_one(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "letter.pdf").write_bytes(PDF)
    (folder / "letter.yaml").write_text(YAML, encoding="utf-8")
    (folder / "later.pdf").write_bytes(PDF)
    (folder / "later.yaml").write_text(YAML + "replaces: 1.2.250.1.999.8\nset_id: 1.2.250.1.999.7\n", encoding="utf-8")
    (folder / "lonely.pdf").write_bytes(PDF)
    found = {each["file"]: each for each in rehearse(folder, tmp_path / "report.json")["inputs"]}
    assert sorted(found) == ["later.pdf", "letter.pdf", "lonely.pdf"]
    assert [each["state"] for name in ("letter.pdf", "later.pdf") for each in found[name]["documents"]] == \
        ["delivered", "delivered"]
    assert [each["action"] for each in found["later.pdf"]["documents"]] == ["replace"]
    assert found["lonely.pdf"]["documents"] == [] and "YAML" in found["lonely.pdf"]["errors"][0]["text"]
