#!/usr/bin/python3
"""Makes C strings of the files of the page, so that the daemon carries them.

usage: embed.py OUTPUT.c FILE...     (page.css becomes page_css)
"""

import sys
from pathlib import Path


def string_of(line: str) -> str:
    escaped = line.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
    return '\t"' + "".join(c if c < "\x7f" else "".join(f"\\{byte:03o}" for byte in c.encode()) for c in escaped) + '\\n"'


def main() -> None:
    output, files = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    parts = ['#include "status/page_parts.h"\n']
    for file in files:
        lines = "\n".join(string_of(line) for line in file.read_text(encoding="utf-8").splitlines())
        parts.append(f"const char {file.name.replace('.', '_')}[] =\n{lines};\n")
    output.write_text("\n".join(parts), encoding="ascii")


if __name__ == "__main__":
    main()
