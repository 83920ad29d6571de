"""The structure of a CDA R2 header with a body that is no XML, written down from what the standard and the French
"structuration minimale" ask: which elements, in which order, how often, with which attributes. It knows nothing of the
gateway, and stands in for the schema where that is not there.
"""

from __future__ import annotations

import re
from typing import Iterator

from lxml import etree

SPACE = "{urn:hl7-org:v3}"
MANY = 10_000

OID = r"[0-2](\.(0|[1-9][0-9]*))+"
TIME = r"[0-9]{4}([0-9]{2}([0-9]{2}([0-9]{2}([0-9]{2}([0-9]{2}(\.[0-9]+)?)?)?)?)?)?([+-][0-9]{4})?"
MOMENT = r"[0-9]{14}[+-][0-9]{4}"


def children(text: str) -> list[tuple[str, int, int]]:
    """"id+ code? addr*" as names with how often, at least and at most."""
    often = {"+": (1, MANY), "*": (0, MANY), "?": (0, 1)}
    return [(each.rstrip("+*?"), *often.get(each[-1], (1, 1))) for each in text.split()]


ASSIGNED = children("id+ code? addr* telecom* assignedPerson? representedOrganization?")
ORGANISATION = children("id* name* telecom* addr* standardIndustryClassCode? asOrganizationPartOf?")
# By the path's end: what stands in an element, in this order.
STRUCTURE = {
    "ClinicalDocument": children(
        "realmCode* typeId templateId* id code title? effectiveTime confidentialityCode languageCode? setId?"
        " versionNumber? copyTime? recordTarget+ dataEnterer? author+ informant* custodian informationRecipient*"
        " legalAuthenticator? authenticator* participant* inFulfillmentOf* documentationOf* relatedDocument*"
        " authorization* componentOf? component"),
    "recordTarget": children("patientRole"),
    "patientRole": children("id+ addr* telecom* patient? providerOrganization?"),
    "patient": children("id? name* administrativeGenderCode? birthTime? maritalStatusCode? religiousAffiliationCode?"
                        " raceCode? ethnicGroupCode? guardian* birthplace? languageCommunication*"),
    "birthplace": children("place"),
    "place": children("name? addr?"),
    "author": children("functionCode? time assignedAuthor"),
    "assignedAuthor": ASSIGNED,
    "assignedEntity": ASSIGNED,
    "assignedPerson": children("name*"),
    "representedOrganization": ORGANISATION,
    "custodian": children("assignedCustodian"),
    "assignedCustodian": children("representedCustodianOrganization"),
    "representedCustodianOrganization": children("id+ name? telecom? addr?"),
    "legalAuthenticator": children("time signatureCode assignedEntity"),
    "documentationOf": children("serviceEvent"),
    "serviceEvent": children("id* code? effectiveTime? performer*"),
    "performer": children("functionCode? time? assignedEntity"),
    "relatedDocument": children("parentDocument"),
    "parentDocument": children("id+ code? text? setId? versionNumber?"),
    "componentOf": children("encompassingEncounter"),
    "encompassingEncounter": children("id* code? effectiveTime dischargeDispositionCode? responsibleParty?"
                                      " encounterParticipant* location?"),
    "location": children("healthCareFacility"),
    "healthCareFacility": children("id* code? location? serviceProviderOrganization?"),
    "component": children("nonXMLBody"),
    "nonXMLBody": children("text"),
}
# Parts in any order; what may be in them.
MIXED = {"name": {"family", "given", "prefix", "suffix", "delimiter"}, "addr": {"county", "city", "country", "postalCode",
                                                                                "streetAddressLine"}}
INTERVAL = children("low? high?")
EMPTY = {"realmCode", "typeId", "templateId", "id", "code", "confidentialityCode", "languageCode", "setId", "versionNumber",
         "administrativeGenderCode", "birthTime", "time", "signatureCode", "standardIndustryClassCode", "telecom", "low",
         "high"}
# Attributes that an element has, or a nullFlavor in their place.
ATTRIBUTES = {
    "realmCode": {"code": "[A-Z]{2}"},
    "typeId": {"root": r"2\.16\.840\.1\.113883\.1\.3", "extension": "POCD_HD000040"},
    "templateId": {"root": OID},
    "id": {"root": OID},
    "setId": {"root": OID},
    "code": {"code": r"\S+", "codeSystem": OID},
    "confidentialityCode": {"code": "[NRV]", "codeSystem": r"2\.16\.840\.1\.113883\.5\.25"},
    "languageCode": {"code": "[a-z]{2}(-[A-Z]{2})?"},
    "versionNumber": {"value": "[1-9][0-9]*"},
    "administrativeGenderCode": {"code": "M|F|UN", "codeSystem": r"2\.16\.840\.1\.113883\.5\.1"},
    "birthTime": {"value": TIME},
    "time": {"value": TIME},
    "low": {"value": TIME},
    "high": {"value": TIME},
    "signatureCode": {"code": "S"},
    "standardIndustryClassCode": {"code": r"\S+", "codeSystem": OID},
    "relatedDocument": {"typeCode": "RPLC|XFRM|APND"},
    "text": {"mediaType": r"application/pdf|text/plain|text/rtf|image/jpeg|image/tiff", "representation": "B64"},
}
# What the French profile asks beyond the standard, by XPath: what is wrong where nothing is found.
PROFILE = {
    "h:realmCode[@code='FR']": "the realm is FR",
    "h:templateId[@root='2.16.840.1.113883.2.8.2.1']": "the template of HL7 France",
    "h:templateId[@root='1.2.250.1.213.1.1.1.1']": "the template of the CI-SIS",
    "h:templateId[@root='1.3.6.1.4.1.19376.1.2.20']": "the template of a body that is no XML (IHE XDS-SD)",
    "h:id[not(@extension)]": "the id is an OID alone",
    "h:title[string-length() > 0 and string-length() <= 128]": "a title of 128 characters at most",
    "h:languageCode[@code='fr-FR']": "the language",
    "h:setId": "a setId",
    "h:versionNumber": "a version",
    "h:recordTarget/h:patientRole/h:id[1][starts-with(@root, '1.2.250.1.213.1.4.')][string-length(@extension) = 15]":
        "the INS comes first",
    "h:recordTarget//h:patient/h:name/h:family[@qualifier='BR']": "the family name at birth",
    "h:recordTarget//h:patient/h:name/h:given[@qualifier='BR']": "the first given name at birth",
    "h:recordTarget//h:patient/h:name/h:given[not(@qualifier)]": "the list of given names",
    "h:recordTarget//h:patient/h:administrativeGenderCode": "the sex",
    "h:recordTarget//h:patient/h:birthTime": "the birth date",
    "h:recordTarget//h:patient/h:birthplace/h:place/h:addr/h:county": "the place of birth",
    "h:author/h:assignedAuthor/h:id[@extension]": "who wrote it",
    "h:author/h:assignedAuthor/h:assignedPerson/h:name/h:family": "the name of who wrote it",
    "h:author/h:assignedAuthor/h:representedOrganization/h:id[@root='1.2.250.1.71.4.2.2']": "where who wrote it works",
    "h:custodian//h:representedCustodianOrganization/h:id[@root='1.2.250.1.71.4.2.2']": "the custodian",
    "h:legalAuthenticator/h:assignedEntity/h:id[@extension]": "who answers for it",
    "h:legalAuthenticator/h:assignedEntity/h:assignedPerson/h:name/h:family": "the name of who answers for it",
    "h:documentationOf/h:serviceEvent[h:effectiveTime/h:low]/h:performer[@typeCode='PRF']"
    "//h:representedOrganization/h:standardIndustryClassCode": "a main act with its time, performer and setting",
    "h:componentOf/h:encompassingEncounter/h:location/h:healthCareFacility/h:code": "the sector of the facility",
}


def name_of(element) -> str:
    return etree.QName(element).localname


def misplaced(element, expected: list[tuple[str, int, int]]) -> Iterator[str]:
    """Each child at its place, and as often as it may be."""
    names = [name_of(each) for each in element]
    at = 0
    for name, least, most in expected:
        count = 0
        while at < len(names) and names[at] == name:
            at, count = at + 1, count + 1
        if not least <= count <= most:
            yield f"{name_of(element)} has {count} {name}"
    if at < len(names):
        yield f"{names[at]} is out of place in {name_of(element)}"


def wrong_attributes(element) -> Iterator[str]:
    if element.get("nullFlavor"):
        return
    for name, pattern in ATTRIBUTES.get(name_of(element), {}).items():
        if not re.fullmatch(pattern, element.get(name, "")):
            yield f"{name_of(element)}/@{name} is {element.get(name)!r}"


def wrong_element(element) -> Iterator[str]:
    name = name_of(element)
    if not element.tag.startswith(SPACE):
        yield f"{element.tag} is of another namespace"
    yield from wrong_attributes(element)
    if name in STRUCTURE:
        yield from misplaced(element, STRUCTURE[name])
    elif name in MIXED:
        yield from (f"{each} is no part of {name}" for each in map(name_of, element) if each not in MIXED[name])
    elif name == "effectiveTime":
        yield from misplaced(element, INTERVAL)
        if len(element) == 0 and not re.fullmatch(MOMENT, element.get("value", "")):
            yield f"effectiveTime is {element.get('value')!r}"
    elif name in EMPTY and (len(element) or (element.text or "").strip()):
        yield f"{name} is not empty"
    elif name not in EMPTY | {"title", "text"} | MIXED["name"] | MIXED["addr"]:
        yield f"{name} is not known here"


def faults(document: bytes) -> list[str]:
    """All that is wrong with it."""
    root = etree.fromstring(document, etree.XMLParser(huge_tree=True, resolve_entities=False))
    if root.tag != SPACE + "ClinicalDocument":
        return [f"the root is {root.tag}"]
    found = [fault for element in root.iter(etree.Element) for fault in wrong_element(element)]
    return found + [f"it lacks: {what}" for path, what in PROFILE.items()
                    if not root.xpath(path, namespaces={"h": "urn:hl7-org:v3"})]
