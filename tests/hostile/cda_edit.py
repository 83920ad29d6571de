"""The values of a CDA's header, one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass

TAG = re.compile(r"<(/?)([A-Za-z]\w*)((?:\s[^<>]*?)?)(/?)>")
ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')


@dataclass(frozen=True)
class Spot:
    """Where a value stands; `place` is its path, with @ before an attribute and a number where there are several."""

    place: str
    start: int
    end: int

    def write(self, text: str, value: str) -> str:
        return text[:self.start] + value + text[self.end:]


def spots(text: str, until: str) -> list[Spot]:
    """Those of each attribute and each text of elements, from the root element to `until`."""
    found: list[tuple[str, int, int]] = []
    path: list[str] = []
    end = text.index(until)
    for tag in TAG.finditer(text, text.index("<ClinicalDocument"), end):
        if tag[1]:
            path.pop()
            continue
        path.append(tag[2])
        for attribute in ATTRIBUTE.finditer(tag[3]):
            at = tag.start(3)
            found.append(("/".join(path[1:]) + "/@" + attribute[1], at + attribute.start(2), at + attribute.end(2)))
        if tag[4]:
            path.pop()
            continue
        stop = text.index("<", tag.end())
        if text[tag.end():stop].strip():
            found.append(("/".join(path[1:]), tag.end(), stop))
    return _numbered(found)


def _numbered(found: list[tuple[str, int, int]]) -> list[Spot]:
    seen: dict[str, int] = {}
    named = []
    for place, start, end in found:
        seen[place] = seen.get(place, 0) + 1
        named.append(Spot(place + (f"#{seen[place]}" if seen[place] > 1 else ""), start, end))
    return named
