"""Adds up JUnit reports into the one line that ends scripts/test. Fails when a test failed or none ran."""

import sys
import xml.etree.ElementTree as ElementTree


def outcome(case) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def main() -> int:
    outcomes = [outcome(case) for report in sys.argv[1:] for case in ElementTree.parse(report).iter("testcase")]
    passed, failed, skipped = (outcomes.count(each) for each in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
