#!/usr/bin/env python3
"""Writes reports whose every text tries to leave its place on a page.

hostile.py REPORT FOLDER: copies of REPORT, an .ips file, into FOLDER, one for each way out.
"""
import json
import pathlib
import sys

WAYS_OUT = [
    "<script>alert(1)</script>",
    '</pre></section><img src=x onerror="alert(1)">',
    '" onmouseover="alert(1)" autofocus onfocus="alert(2)',
    "</title></style><meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
    "\x1b[31m\u202egnp.exe\u2066\u200b",
    "W" * 100_000,
    "a long name of many words " * 200,
    "</p>&lt;b&gt;&amp;&#60;" * 20,
]


def spoiled(value, text):
    """The same structure with every text replaced, but for times, types and identifiers."""
    kept = {"timestamp", "captureTime", "procLaunch", "bug_type", "incident", "incident_id", "uuid", "type", "signal"}
    if isinstance(value, dict):
        return {key: inner if key in kept else spoiled(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [spoiled(inner, text) for inner in value]
    return text if isinstance(value, str) else value


def main():
    report, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    head, body = report.read_text().split("\n", 1)
    head, body = json.loads(head), json.loads(body)
    for number, text in enumerate(WAYS_OUT):
        for inner in (head, body):
            for key in ("incident_id", "incident"):
                if key in inner:
                    inner[key] = f"{number:08X}-0000-0000-0000-000000000000"
        lines = (json.dumps(spoiled(part, text)) for part in (head, body))
        (folder / f"hostile_{number}<b>.ips").write_text("\n".join(lines))


main()
