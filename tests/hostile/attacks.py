"""What somebody may write into a field so that the gateway does something else with it than keep it.

Each text holds MARK, or fakes something that is looked for by its shape; a test puts the name of the field in
place of MARK, so that what turns up somewhere tells where it came from.
"""

from __future__ import annotations

MARK = "forged"
MIB = 1 << 20

# As they stand in XML (escaped for it) and in HL7, where ^ & ~ | would be delimiters.
TEXTS = {
    "SQL": "'; DROP TABLE document; -- forged",
    "SQL union": "forged' OR '1'='1' UNION SELECT * FROM body /*",
    "format": "forged%n%n%s%999999d%x",
    "path": "../../../../etc/forged",
    "shell": "$(touch forged)`touch forged`",
    "JSON": '"},{"ok":true,"state":"forged',
    "log fields": "forged state=delivered reason=none doc=01J9",
    "other digits": "٣٤٥ forged",
    "C1 controls": "forged\u009b2J\u0085<3>forged",
    "bidi": "forged\u202egnp.exe\u2066\u2028",
}


def marked(text: str, place: str) -> str:
    return text.replace(MARK, f"{MARK}-{place}")
