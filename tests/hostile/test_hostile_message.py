"""Every field of a message that the profile has, with everything that may be written into it.

What is expected follows from two tables: what becomes of a text in that field, and what an attack does to the
message before any field is read.
"""

from __future__ import annotations

import pytest

from attacks import MIB, TEXTS, marked
from harm import assert_unharmed
from hl7_edit import answered, put
from samples import mdm_t02, numbered, unique_id

TAKEN = ("AA",)

# What becomes of any text in that field: MSA-1, ERR-2, ERR-3, our reason, how the sentence begins.
FIELDS = {
    **dict.fromkeys(["MSH-3", "MSH-4", "MSH-5", "MSH-6", "MSH-7", "MSH-10", "MSH-17", "MSH-18"], TAKEN),
    "MSH-9.1": ("AR", "MSH-9", "200", "message_type", "this type of message does not come to a gateway"),
    "MSH-9.2": ("AR", "MSH-9", "201", "event", "The gateway does not take this event."),
    "MSH-11": ("AE", "MSH-11", "202", "processing_id", "the code is none of PTD"),
    "MSH-12": ("AE", "MSH-12", "203", "version", "the version of HL7 is not 2.6"),
    **dict.fromkeys(["MSH-21.1", "MSH-21.2"],
                    ("AE", "MSH-21", "203", "version", "the profile is none of the editions 2.1 and 2.0")),
    "EVN-2": TAKEN,
    "PID-3.1": ("AE", "PID-3", "207", "ins_mismatch", "the INS of the message and of the document differ"),
    **dict.fromkeys(["PID-3.4.1", "PID-3.4.2", "PID-3.5", "PID-5.1", "PID-5.2", "PID-5.3"], TAKEN),
    "PID-7": ("AE", "PID-7", "102", "data_type", "the birth date is not of the form YYYYMMDD"),
    **dict.fromkeys(["PID-8", "PID-11.9", "PID-18.1"], TAKEN),
    "PID-32": ("AE", "PID-32", "103", "table_value", "the status of the identity is not in table 0445"),
    "PV1-2": ("AE", "PV1-2", "103", "table_value", "the code is none of EIORN"),
    **dict.fromkeys(["PV1-3", "PV1-19.1", "PV1-44", "PV1-45"], TAKEN),
    "ORC-1": ("AE", "ORC-1", "199", "message_invalid", "the order control is none of NW, RO and CA"),
    **dict.fromkeys(["OBR-4.1", "OBR-4.2", "TXA-2", "TXA-3", "TXA-12", "TXA-13", "TXA-17", "OBX-1"], TAKEN),
    "OBX-2": ("AE", "OBX-2", "102", "data_type", "the type of the document's value is not ED"),
    **dict.fromkeys(["OBX-3.1", "OBX-3.2"], TAKEN),
    **{f"OBX-5.{n}": ("AE", f"OBX-5.{n}", "102", "data_type", "the document is not carried as ^TEXT^XML^Base64^")
       for n in (2, 3, 4)},
    "OBX-5.5": ("AE", "OBX-5.5", "102", "data_type", "Base64 is "),
    "OBX-11": ("AE", "OBX-11", "199", "message_invalid", "the status of the document is none of F, C and D"),
    "PRT-5.1": ("AE", "PRT-5", "102", "data_type", "the id of the person who sends (PRT-5.1) is no PS_IdNat"),
    **dict.fromkeys(["PRT-4", "PRT-5.2", "PRT-5.3", "PRT-5.9.1", "PRT-5.9.2", "PRT-5.10", "PRT-5.13", "PRT-8.1", "PRT-8.10", "PRT-10"], TAKEN),
}

# Bytes that stand in a field as they are.
BYTES = {name: text.encode() for name, text in TEXTS.items()} | {
    "XML": b"</Value></Slot><Slot name='forged'>\\T\\lt;<![CDATA[",
    "HTML": b'"><script>forged</script>',
    "a line by escape": b"x\\X0D0A\\<3>forged a line",
    "a break by escape": b"x\\.br\\<3>forged a line",
    "a delimiter by escape": b"x\\F\\PID\\F\\\\S\\forged\\T\\",
    "the terminal": b"x\x1b[2J\x1b]0;forged\x07",
    "the terminal by escape": b"x\\X1B\\[2J\\X1B\\]0;forged\\X07\\",
    "NUL": b"abc\0forged",
    "NUL by escape": b"abc\\X00\\forged",
    "no UTF-8 by escape": b"x\\XC328FFFE\\forged",
    "an escape that is not closed": b"forged\\X41",
    "a repetition": b"forged~forged",
    "1 MiB": b"A" * MIB,
    "a line": b"x\r\n<3>forged a line",
    "a second message": b"x\rMSH|^~\\&|forged",
    "no UTF-8": b"forged\xff\xfe\xc3(",
}

# These are found before any field is read.
OF_THE_MESSAGE = {
    "a line": ("AE", "", "100", "segment_sequence", "the line after segment "),
    "a second message": ("AE", "MSH", "198", "cardinality", "a second message begins: send one at a time"),
    "no UTF-8": ("AE", "MSH-18", "102", "data_type", "the text is declared UTF-8 but is not"),
}
EXCEPT = {
    ("MSH-18", "no UTF-8"): ("AE", "MSH-18", "102", "data_type", "the character set is not one of the profile"),
    ("OBX-5.5", "1 MiB"): ("AE", "", "199", "document_invalid", "not well-formed at line 1"),
    **{(field, "1 MiB"): ("AE", "PRT-5", "102", "data_type", "the person who sends has an id or a name of more")
       for field in ("PRT-5.1", "PRT-5.2", "PRT-5.3")},
    ("PRT-5.1", "a repetition"): TAKEN,  # of one that has no family name: the software sends
}
# A line that is no segment belongs to the OBX before it: software breaks Base64 into lines.
EXCEPT |= {(field, "a line"): fate for field, fate in FIELDS.items() if field.startswith("OBX-")}

# What becomes of a document that was taken: state and reason; delivered, but for these.
LATER = {
    **{("PID-3.4.2", attack): ("held", "ins_not_qualified") for attack in BYTES},  # no INS any more
    ("PID-3.4.1", "a repetition"): ("held", "ins_not_qualified"),
}

CASES = [(field, attack) for field in FIELDS for attack in BYTES]


def expected(field: str, attack: str) -> tuple:
    return EXCEPT.get((field, attack)) or OF_THE_MESSAGE.get(attack) or FIELDS[field]


def message(number: int, field: str, attack: str) -> bytes:
    written = marked(BYTES[attack].decode("utf-8", "surrogateescape"), field).encode("utf-8", "surrogateescape")
    return put(mdm_t02(numbered(number), control_id=f"C{number}"), field, written)


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_is_kept_or_refused_by_its_place(gateway, field):
    """One connection: what is wrong with a message is no fault of the next."""
    with gateway.connect() as mllp:
        for attack in BYTES:
            ack = mllp.send(message(CASES.index((field, attack)), field, attack))
            assert ack is not None, f"{attack}: the message was not answered"
            code, *rest = answered(ack)
            wanted, *words = expected(field, attack)
            assert (code, rest[:-1]) == (wanted, words[:-1]), attack
            assert len(rest) == len(words) and "".join(rest[-1:]).startswith("".join(words[-1:])), (attack, rest)
            assert b"\n" not in ack.bytes and len(ack.bytes) < 4096, attack


def test_what_was_taken_was_delivered_as_it_came(gateway, simulator):
    """The DMP that judges each of them is a reader of its own."""
    ends = {name: (about["state"], about["reason"]) for name, about in gateway.settled(60).items()}
    wanted = {unique_id(numbered(number)): LATER.get(case, ("delivered", None))
              for number, case in enumerate(CASES) if expected(*case) == TAKEN}
    strange = {CASES[int(name.rpartition(".")[2])]: ends.get(name)
               for name in ends.keys() | wanted.keys() if ends.get(name) != wanted.get(name)}
    assert strange == {}
    for number, case in enumerate(CASES):
        if wanted.get(unique_id(numbered(number))) == ("delivered", None):
            assert simulator.document(unique_id(numbered(number))) == numbered(number), case


def test_what_was_taken_can_be_told(gateway):
    for document in gateway.documents():
        assert gateway.ctl("show", document["doc"])["doc"] == document["doc"]


def test_the_daemon_is_unharmed(before):
    assert_unharmed(before, lambda: numbered(len(CASES)))
