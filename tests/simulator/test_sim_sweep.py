"""Every attribute and every text of a right TD2.1, changed one at a time: refused, with the place told, but for those
that may say anything.
"""

import re
from collections.abc import Iterator

import pytest

from reference_client import Client, Message, new_message

ATTRIBUTE = re.compile(r'\s(?!xmlns)([\w:]+)="([^"]*)(?=")')
SEAL = re.compile("<ds:Signature .*</ds:Signature>", re.DOTALL)
TEXT = re.compile(r"<([\w:]+)[^<>]*>([^<>\s][^<>]*)(?=</)")

# What may say anything: the words for people, the names of registry objects that nobody refers to, and free text.
FREE = {
    "envelope": [
        r"LocalizedString @value=(?!XDS)",  # titles and displays
        r"(Classification|ExternalIdentifier|Association) @id=",
        r"Value =PID-5", r"Value =.*\^IDNST\^", r"Value =.*\^(IDNPS|RI)$", r"Value =G15_",
    ],
    "assertion": [
        r"NameID =", r"AttributeValue =(Passerelle libre|1\.0|NUMERO-CNDA)",
        r"(Role|PurposeOfUse) @(displayName|codeSystemName)=", r"Assertion @ID=",  # (an ID that the seal does not name cannot be sealed)
    ],
    "xades": [r"SignatureProperty @Id="],
    "sealed_assertion": [r"Assertion @xsi"],
    "sealed_xades": [],
}


class Nth:
    """Stands for a pattern: its match number `index`, to which `new` is added."""

    def __init__(self, pattern: re.Pattern, index: int):
        self.pattern, self.index = pattern, index

    def subn(self, new: str, text: str, count: int = 0) -> tuple[str, int]:
        found = matches(self.pattern, text)[self.index]
        return text[: found.end()] + new + text[found.end() :], 1


def matches(pattern: re.Pattern, text: str) -> list[re.Match]:
    """In order, those within the seal of an assertion last: it is not there when the assertion is read for the spots."""
    seal = SEAL.search(text) if "saml2:" in text[:20] else None
    found = list(pattern.finditer(text))
    return sorted(found, key=lambda each: bool(seal and seal.start() <= each.start() < seal.end()))


def spots(text: str) -> Iterator[tuple[re.Pattern, int, str]]:
    """Each with words for it: the element, and the attribute with its value, or its text."""
    for index, found in enumerate(matches(ATTRIBUTE, text)):
        element = re.findall(r"<([\w:]+)\s", text[: found.start() + 1])[-1].rpartition(":")[2]
        yield ATTRIBUTE, index, f"{element} @{found[1]}={found[2]}"
    for index, found in enumerate(matches(TEXT, text)):
        yield TEXT, index, f"{found[1].rpartition(':')[2]} ={found[2]}"


@pytest.fixture(scope="module")
def one_client(running_sim) -> Iterator[Client]:
    running_sim.admin("POST", "/reset", {})
    client = running_sim.client()
    yield client
    client.close()


@pytest.mark.parametrize("target", ["envelope", "assertion", "sealed_assertion", "xades", "sealed_xades"])
def test_whatever_is_changed_is_refused_at_its_place(running_sim, one_client, signer, target):
    text = text_of(new_message(signer), target)
    tried, unnoticed, unnamed = 0, [], []
    for pattern, index, words in spots(text):
        if any(re.match(free, words) for free in FREE[target]):
            continue
        message = new_message(signer).replace(target, Nth(pattern, index), "x")
        answer = one_client.send(message)
        tried += 1
        if answer.outcome == "Success":
            unnoticed.append(words)
        elif ": " not in answer.text:
            unnamed.append((words, answer.text))
        assert not (running_sim.store / "documents" / message.unique_id).exists() or answer.outcome == "Success"
    assert (unnoticed, unnamed) == ([], [])
    assert tried > 30


def text_of(message: Message, target: str) -> str:
    """As it is when it is changed; in an assertion, what says how it is sealed comes with the seal."""
    if target == "envelope":
        return message.envelope
    if target == "assertion":
        return SEAL.sub("", message.assertion)
    texts: list[str] = []

    class Keep:
        pattern = ""

        def subn(self, new: str, text: str, count: int = 0) -> tuple[str, int]:
            texts.append(text)
            return text, 1

    message.replace(target, Keep(), "").body()
    return texts[0]
