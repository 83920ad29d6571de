"""Reads what an analyzer wrote, and shows what of it is not known to be false.

usage: judge.py TOOL CODE OUTPUT      (CODE: with which the tool ended; OUTPUT: a file)

Ends with 1 when there is something left, when the tool failed, or when it says no more what a row below
excuses: such a row would hide the next finding.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).resolve().parents[1]

FAILS = "it cannot see that err_set() and err_refuse() return -1: nobody goes on from there"
CLEANED = "the cleanup of the variable looks at it"
ELSEWHERE = "it takes a struct that a function of another file returns for unset"
LISTED = "it does not see that LIST_REMOVE() took what is freed out of the list"

# The tool, the file, what it finds, a part of the line where it finds it, and why that is false.
JUDGED = [
    ("tidy", "daemon/base/yaml_tree.c", "misc-redundant-expression", "next_event(reader) < 0 || next_event(reader) < 0",
     "each call takes another event"),
    ("tidy", "daemon/document/sidecar_values.c", "bugprone-not-null-terminated-result", '"+0000", 5',
     "it becomes a slice"),
    ("tidy", "daemon/process.c", "cert-err34-c", "fscanf", "the kernel writes numbers"),
    ("tidy", "daemon/setup/preflight_port.c", "cert-err34-c", "sscanf", "the kernel writes numbers"),
    ("tidy", "daemon/versions.c", "cert-err34-c", "atoi", "libxml2 writes a number"),
    ("tidy", "daemon/watch/look.c", "misc-redundant-expression", "STORE_ARRIVAL_SLOT_MS == RHYTHM_SLOT_MS",
     "that they are equal is what is asserted"),

    ("cppcheck", "daemon/control/control.c", "nullPointer", "SO_PEERGROUPS, NULL",
     "with nothing to write to, the kernel says how much there is"),
    ("cppcheck", "daemon/convert/confine.c", "knownConditionTrueFalse", "filtered ?",
     "it reads the part for machines whose calls are not known"),
    ("cppcheck", "daemon/hl7/stay.c", "uninitvar", "return fields", "read_segment() fills each of them"),
    ("cppcheck", "daemon/operator/page_figures.c", "invalidFunctionArg", "xcalloc(count",
     "ours takes 0, that of others does not"),
    ("cppcheck", "daemon/setup/preflight.c", "getpwnamCalled", "getpwnam", "there is one thread at that time"),

    ("analyzer", "daemon/config/option.c", "null-argument", "stat(path, &info)", FAILS),
    ("analyzer", "daemon/heartbeat.c", "use-of-uninitialized-value", "documents[DOC_", ELSEWHERE),
    ("analyzer", "daemon/heartbeat.c", "use-of-uninitialized-value", "snprintf(text", ELSEWHERE),

    ("scan-build", "daemon/base/address.c", "CallAndMessage", "ntohs(ip4->sin_port)",
     "address_of_socket() sets all of it before it asks"),
    ("scan-build", "daemon/config/option.c", "NonNullParamChecker", "stat(path, &info)", FAILS),
    ("scan-build", "daemon/ctl/ctl_ask.c", "DeadStores", "told = ctl_refusal(error)", CLEANED),
    ("scan-build", "daemon/document/sidecar.c", "NullDereference", "table->keys[i].name", "no table lacks its keys"),
    ("scan-build", "daemon/document/unzip.c", "NonNullParamChecker", "memcpy(entry->name", FAILS),
    ("scan-build", "daemon/document/xdm.c", "CallAndMessage", "unzip_take(reading->unzip, index", FAILS),
    ("scan-build", "daemon/hl7/transmission.c", "NullDereference", "reading->edition->has_order", FAILS),
    ("scan-build", "daemon/hl7/transmission.c", "CallAndMessage", "hl7_repetition(message, fields[5], 0)",
     "nothing has a sender before it is read"),
    ("scan-build", "daemon/inbound/decide_message.c", "CallAndMessage", "strcmp(one->patient_ins", FAILS),
    ("scan-build", "daemon/inbound/inbound.c", "Malloc", "intake->", LISTED),
    ("scan-build", "daemon/inbound/inbound_take.c", "UndefinedBinaryOperatorResult", "i < request.doc_count",
     "it loses a struct of this size with its first lines"),
    ("scan-build", "daemon/intake/drop.c", "Malloc", "entry->", LISTED),
    ("scan-build", "daemon/intake/drop_file.c", "DeadStores", "fd = -1", CLEANED),
    ("scan-build", "daemon/operator/counters_answer.c", "uninitialized.Branch", "page->by_month", FAILS),
    ("scan-build", "daemon/outbound/outbound.c", "Malloc", "delivery_free(delivery)", LISTED),
    ("scan-build", "daemon/queue/store_sqlite_file.c", "UndefinedBinaryOperatorResult", "found.device != file->device",
     FAILS),
    ("scan-build", "daemon/status/targets_programme.c", "NullDereference", "each->place",
     "there are as many entries as indicators"),
]


class Finding(NamedTuple):
    file: str
    line: int
    check: str
    text: str

    def code(self) -> str:
        lines = (SOURCE / self.file).read_text(encoding="utf-8").splitlines()
        return lines[self.line - 1] if 0 < self.line <= len(lines) else ""

    def __str__(self):
        return f"{self.file}:{self.line}: {self.text} [{self.check}]"


FORM = re.compile(r"(?P<file>[^\s:]+):(?P<line>\d+):\d+: (?:fatal error|error|warning|style|performance|portability): "
                  r"(?P<text>.*?)(?: \[(?P<check>[^\]]+)\])?$")


def ours(path: str) -> str | None:
    """As the project names it: a compiler names it from its build folder, a tool from the root or in full."""
    whole = SOURCE / re.sub(r"^(\.\./)+", "", path) if not os.path.isabs(path) else Path(os.path.normpath(path))
    return whole.relative_to(SOURCE).as_posix() if whole.is_relative_to(SOURCE) and whole.is_file() else None


def findings(output: str) -> list[Finding]:
    """Each once, however many files include where it is."""
    found = {}
    for match in filter(None, map(FORM.match, output.splitlines())):
        if file := ours(match["file"]):
            found[Finding(file, int(match["line"]), match["check"] or "error", match["text"])] = None
    return list(found)


def excuses(row: tuple[str, ...], finding: Finding) -> bool:
    _, file, check, part, _ = row
    return finding.file == file and check in finding.check and part in finding.code()


def main() -> int:
    if len(sys.argv) != 4:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    tool, code = sys.argv[1], int(sys.argv[2])
    output = Path(sys.argv[3]).read_text(encoding="utf-8", errors="replace")
    rows = [row for row in JUDGED if row[0] == tool]
    found = findings(output)
    left = [each for each in found if not any(excuses(row, each) for row in rows)]
    stale = [row for row in rows if not any(excuses(row, each) for each in found)]

    for each in left:
        print(each)
    for _, file, check, part, _ in stale:
        print(f"{file}: {check} is found no more at \"{part}\": take its row out of scripts/judge.py")
    if code != 0 and not left:
        print("\n".join(output.splitlines()[-20:]))
        print(f"{tool} ended with {code}")
    print(f"{len(left)} findings, {len(found) - len(left)} judged false")
    return 1 if left or stale or code != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
