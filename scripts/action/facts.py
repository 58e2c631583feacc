#!/usr/bin/env python3
"""Prints what the action says of a run, from agxrun's record of it: lines for $GITHUB_OUTPUT.

    facts.py RECORD
"""

import json
import sys


def main() -> int:
    """Reads the record."""
    with open(sys.argv[1], encoding="utf-8") as file:
        record = json.load(file)
    weights = [report["weight"] for report in record["reports"]]
    facts = {
        "crashes": weights.count("counts"),
        "known": weights.count("known"),
        # Of every attempt: all of them are in the archive.
        "reports": sum(len(attempt["reports"]) for attempt in record["attempts"]),
        "flaky": str(record["flaky"]).lower(),
    }
    for name, value in facts.items():
        print(f"{name}={value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
