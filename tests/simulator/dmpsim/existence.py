"""TD0.2, has this patient a DMP: PRPA_IN201307UV02 held against a pattern, PRPA_IN201308UV02 in return."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from . import formats, names
from .agreement import CLOCK_TOLERANCE
from .dossiers import Dmp, ins_of
from .findings import Finding, Refused, fault
from .formats import Format
from .frame import read_plain
from .judgement import FOLDER, Judged, Opened, judge_with
from .names import tag
from .safe_xml import Element, children, text
from .vihf import check_patient

PATH = f"{FOLDER}/patients"
ACTION = "urn:hl7-org:v3:PRPA_IN201307UV02"
REPLY_ACTION = "urn:hl7-org:v3:PRPA_IN201308UV02"

_REQUEST = tag(names.HL7, "PRPA_IN201307UV02")
_NIL = tag(names.XSI, "nil")
_DMP = "1.2.250.1.213.4.1.1.1"

# What a request looks like; a value in braces is one of the formats below.
_PATTERN = etree.fromstring(
    f"""
<PRPA_IN201307UV02 xmlns="urn:hl7-org:v3" xmlns:xsi="{names.XSI}" ITSVersion="XML_1.0">
  <id root="{{oid}}" extension="{{uuid}}"/>
  <creationTime value="{{time}}"/>
  <interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201307UV02"/>
  <processingCode code="{{processing}}"/>
  <processingModeCode code="T"/>
  <acceptAckCode code="AL"/>
  <receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE">
    <id root="{_DMP}"/><softwareName>DMP</softwareName>
  </device></receiver>
  <sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE">
    <id root="{{oid}}"/><softwareName>{{text}}</softwareName>
  </device></sender>
  <attentionLine xsi:nil="true"/>
  <controlActProcess classCode="CACT" moodCode="EVN">
    <reasonCode code="TEST_EXST" codeSystem="1.2.250.1.213.1.1.4.11"
      displayName="Test d'existence de dossier"/>
    <queryByParameter>
      <queryId root="{{oid}}" extension="{{uuid}}"/>
      <statusCode code="new"/>
      <parameterList>
        <dataSource xsi:nil="true"/>
        <patientIdentifier>
          <value root="{{domain}}" extension="{{ins}}"/><semanticsText>Patient.id</semanticsText>
        </patientIdentifier>
      </parameterList>
    </queryByParameter>
  </controlActProcess>
</PRPA_IN201307UV02>"""
)


def _matching(words: str, regex: str) -> Format:
    return Format(words, lambda value: re.fullmatch(regex, value, re.ASCII) is not None)


_FORMATS = {
    "{oid}": formats.OID,
    "{uuid}": _matching("a UUID in lower case", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "{time}": formats.UTC_TIME,
    "{text}": formats.TEXT,
    "{processing}": _matching("P in production, D or T in tests", "[PDT]"),
    "{domain}": _matching(
        "the OID of the INS, 1.2.250.1.213.1.4.{8,9,10,11}", r"1\.2\.250\.1\.213\.1\.4\.(8|9|10|11)"
    ),
    "{ins}": formats.INS,
}


@dataclass(frozen=True)
class Existence:
    patient: str  # as CX
    domain: str
    echo: tuple[str, str]


def _judge(opened: Opened, judged: Judged) -> None:
    content = opened.envelope.content
    if content.tag != _REQUEST:
        raise Refused(fault("soap:Body", "PRPA_IN201307UV02 of urn:hl7-org:v3 is expected"))
    judged.findings += _compare(content, _PATTERN, "PRPA_IN201307UV02")
    if opened.settings.schemas is not None:
        judged.findings += opened.settings.schemas.check_existence(content)
    if judged.findings:
        return
    judged.echo = _echo(content)
    wanted = _wanted(content, judged.echo)
    judged.findings += _clock(content, opened.now)
    domains = opened.settings.ins_domains
    if domains and wanted.domain not in domains:
        expected = " or ".join(sorted(domains))
        judged.findings.append(_wrong("patientIdentifier/value/@root", f"{expected} is expected"))
    if opened.vihf is not None:
        judged.findings += check_patient(opened.vihf, wanted.patient, "patientIdentifier/value")
    judged.wanted = wanted


judge = judge_with(read_plain, ACTION, PATH, _judge)


def _wrong(where: str, sentence: str) -> Finding:
    """No code of the DMP is public for a message that does not have its form."""
    return fault(where, sentence)


def _compare(element: Element, pattern: Element, where: str) -> Iterator[Finding]:
    for name in sorted({*element.attrib, *pattern.attrib}):
        place = f"{where}/@{etree.QName(name).localname}"
        yield from _value(element.get(name), pattern.get(name), place)
    found, expected = children(element), children(pattern)
    if [child.tag for child in found] != [child.tag for child in expected]:
        told = ", ".join(etree.QName(child).localname for child in expected) or "no element"
        yield _wrong(where, f"it must hold {told}, in this order and nothing else")
        return
    if not expected:
        yield from _value(text(element), text(pattern), where)
    for child, wanted in zip(found, expected, strict=True):
        yield from _compare(child, wanted, f"{where}/{etree.QName(wanted).localname}")


def _value(value: str | None, pattern: str | None, where: str) -> Iterator[Finding]:
    if pattern is None:
        yield _wrong(where, "this attribute is not expected")
    elif value is None:
        yield _wrong(where, "this attribute is missing")
    elif pattern in _FORMATS:
        if not _FORMATS[pattern].matches(value):
            yield _wrong(where, f"{_FORMATS[pattern].words} is expected")
    elif value != pattern:
        yield _wrong(where, f"'{pattern}' is expected")


def _clock(content: Element, now: datetime) -> Iterator[Finding]:
    created = _at(content, "creationTime").get("value", "")
    if created > (now + CLOCK_TOLERANCE).strftime("%Y%m%d%H%M%S"):
        yield _wrong("PRPA_IN201307UV02/creationTime/@value", "it is in the future")


def _at(content: Element, path: str) -> Element:
    """An element that the pattern requires."""
    found = content.find("/".join(tag(names.HL7, name) for name in path.split("/")))
    assert found is not None
    return found


_QUERY = "controlActProcess/queryByParameter"


def _echo(content: Element) -> tuple[str, str]:
    """The ids of the message and of the query, as an answer repeats them."""
    return _id("id", _at(content, "id")), _id("queryId", _at(content, f"{_QUERY}/queryId"))


def _id(name: str, element: Element) -> str:
    root, extension = element.get("root", ""), element.get("extension", "")
    return f"<{name} root={quoteattr(root)} extension={quoteattr(extension)}/>"


def _wanted(content: Element, echo: tuple[str, str]) -> Existence:
    value = _at(content, f"{_QUERY}/parameterList/patientIdentifier/value")
    number, domain = value.get("extension", ""), value.get("root", "")
    return Existence(f"{number}^^^&{domain}&ISO^NH", domain, echo)


# ---- the answer


def answer(asked: Existence, state: Dmp) -> str:
    """NF when there is no DMP; else OK, and the DMP active or terminated. The person is made up."""
    if state is Dmp.ABSENT:
        return _reply("AA", "", asked.echo, "", "NF")
    status = "active" if state is Dmp.ACTIVE else "terminated"
    patient = (
        f'<patient classCode="PAT"><id root="{asked.domain}" extension="{ins_of(asked.patient)}"/>'
        f'<statusCode code="{status}"/><patientPerson classCode="PSN" determinerCode="INSTANCE">'
        "<name><family>SIMULE</family><given>PATIENT</given></name></patientPerson>"
        f'<providerOrganization classCode="ORG" determinerCode="INSTANCE"><id root="{_DMP}"/>'
        '<contactParty classCode="CON"/></providerOrganization></patient>'
    )
    subject = (
        '<subject typeCode="SUBJ" contextConductionInd="false"><registrationEvent classCode="REG" '
        f'moodCode="EVN"><statusCode code="completed"/><subject1 typeCode="SBJ">{patient}</subject1>'
        f'<custodian typeCode="CST"><assignedEntity classCode="ASSIGNED"><id root="{_DMP}"/>'
        "</assignedEntity></custodian></registrationEvent></subject>"
    )
    return _reply("AA", "", asked.echo, subject, "OK")


def refusal(judged: Judged, code: str, sentence: str, location: str) -> str:
    detail = (
        f'<acknowledgementDetail typeCode="E"><code code={quoteattr(code)}/>'
        f"<text>{escape(sentence)}</text></acknowledgementDetail>"
    )
    return _reply("AE", detail, judged.echo, "", "AE")


def _reply(acknowledged: str, detail: str, echo: tuple[str, str], subject: str, response: str) -> str:
    message_id, query_id = echo
    target = f"<targetMessage>{message_id}</targetMessage>" if message_id else ""
    now = datetime.now(timezone.utc).strftime("%Y%m%d%H%M%S")
    return (
        f'<PRPA_IN201308UV02 xmlns="urn:hl7-org:v3" xmlns:xsi="{names.XSI}" ITSVersion="XML_1.0">'
        f'<id root="{uuid.uuid4()}"/><creationTime value="{now}"/>'
        '<interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201308UV02"/>'
        '<processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="NE"/>'
        '<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE"><id nullFlavor="UNK"/>'
        '</device></receiver><sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE">'
        f'<id root="{_DMP}"/></device></sender>{_AUTHORISATION}'
        f'<acknowledgement typeCode="{acknowledged}">{target}{detail}</acknowledgement>'
        f'<controlActProcess classCode="CACT" moodCode="EVN">{subject}<queryAck>{query_id}'
        f'<queryResponseCode code="{response}"/></queryAck></controlActProcess></PRPA_IN201308UV02>'
    )


_AUTHORISATION = (
    '<attentionLine><keyWordText code="AUTORISATION" codeSystem="1.2.250.1.213.4.1.2.6.1"/>'
    '<value xsi:type="CV" code="NON_EXISTE" codeSystem="1.2.250.1.213.4.1.2.6.2"/></attentionLine>'
)
