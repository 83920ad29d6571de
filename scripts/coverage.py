"""Shows what of each room the tests reach, from a summary that gcovr wrote. Ends with 1 below what is wanted.

usage: coverage.py SUMMARY.json
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

# Per cent of the lines. What is pure can be called with anything, so that little excuses a line that no test reaches.
LEAST, LEAST_PURE = 80, 90
PURE = [
    "daemon/base/*", "daemon/hl7/*", "daemon/document/*", "daemon/dmp/*", "daemon/dispatch/outcome.c",
    "daemon/status/counters.c", "daemon/status/targets*.c",
]


def share(covered: int, total: int) -> float:
    return 100 * covered / total if total else 100


def row(name: str, counts: Counter) -> str:
    lines, branches = (share(counts[f"{each}_covered"], counts[f"{each}_total"]) for each in ("line", "branch"))
    return (f"{name:20} {counts['line_total']:6} lines {lines:6.1f} %"
            f"   {counts['branch_total']:6} branches {branches:6.1f} %")


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    rooms: dict[str, Counter] = defaultdict(Counter)
    pure: dict[str, Counter] = {pattern: Counter() for pattern in PURE}
    for file in json.loads(Path(sys.argv[1]).read_text())["files"]:
        name = file["filename"]
        counts = {each: count for each, count in file.items() if each.endswith(("_covered", "_total"))}
        rooms[str(PurePosixPath(name).parent)].update(counts)
        rooms["all"].update(counts)
        for pattern in PURE:
            if fnmatchcase(name, pattern):
                pure[pattern].update(counts)

    for name, counts in sorted(rooms.items()):
        print(row(name, counts))
    low = [f"{name}: {reached:.1f} % of the lines, and {least} % are wanted"
           for groups, least in (({"all": rooms["all"]}, LEAST), (pure, LEAST_PURE))
           for name, counts in groups.items()
           if (reached := share(counts["line_covered"], counts["line_total"])) < least]
    print("\n".join(low) if low else f"at least {LEAST} % in all, {LEAST_PURE} % of what is pure")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
