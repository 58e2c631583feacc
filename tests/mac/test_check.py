"""That check.py finds fault with each thing that it is to look at."""

from __future__ import annotations

import contextlib
import copy
import io
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import check

Change = Callable[[dict[str, Any]], None]


def crash_record(folder: Path) -> dict[str, Any]:
    """A good record of a crash in a child, with its two files."""
    for name in ("report.ips", "archived.ips"):
        (folder / name).write_text("{}\n{}\n", encoding="utf-8")
    return {
        "pid": 10,
        "ending": {"how": "exited", "code": 0},
        "verdict": {"exit_code": 86, "applied": [{"code": 86, "reason": "new_reports"}, {"code": 0, "reason": "target"}]},
        "warnings": [],
        "settled": {"missing": [], "pending": 0},
        "processes": [{"pid": 10}, {"pid": 11}],
        "reports": [
            {
                "process": "crash_at",
                "pid": 11,
                "incident": "A",
                "exception": "EXC_BAD_ACCESS (SIGSEGV)",
                "fault_address": "0x5c8",
                "crashed_in": "crash_at`read_at + 0",
                "diagnosis": None,
                "novelty": "new",
                "weight": "counts",
                "attribution": "ours",
                "problems": [],
                "error": None,
                "path": str(folder / "report.ips"),
                "archived": str(folder / "archived.ips"),
            }
        ],
    }


REHEARSAL: dict[str, Any] = {
    "as_expected": True,
    "without": {
        "ending": "SIGSEGV",
        "crashes": [{"fault_address": "0x5c8", "diagnosis": {"id": "agx_null_pipeline"}}],
        "warnings": [],
    },
    "with": {"exit_code": 0, "ending": "exit 0", "crashes": [], "dropped": 0, "calls": 9, "warnings": []},
}

METAL: dict[str, Any] = {
    "ending": {"how": "exited", "code": 0},
    "reports": [],
    "fix": {"loaded": 1},
    "processes": [{"armed": True, "counters": {"method_calls": 4}, "unhooked": []}],
    "verdict": {"exit_code": 0},
}
AGX = {"device": "Apple M4", "classes": {"compute_encoder": "AGXG16GFamilyComputeContext"}}
VIRTUAL = {"device": "Apple Paravirtual device", "classes": {"compute_encoder": "AppleParavirtComputeCommandEncoder"}}


def put(value: object, *path: str | int) -> Change:
    """A change of one value."""

    def change(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return change


class Checks(unittest.TestCase):
    """One good document each, and what is wrong with a changed one."""

    def changed(self, document: dict[str, Any], change: Change) -> dict[str, Any]:
        """A copy with the change."""
        other = copy.deepcopy(document)
        change(other)
        self.assertNotEqual(other, document, "nothing was changed")
        return other

    def test_crash(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            good = crash_record(folder)
            (folder / "other.ips").write_text("other", encoding="utf-8")
            self.assertEqual(check.crash(good, True, "0x5c8"), [])
            self.assertNotEqual(check.crash(good, False, "0x5c8"), [])
            self.assertNotEqual(check.crash(good, True, "0x5f4"), [])
            report = ("reports", 0)
            for change in (
                put(1, "ending", "code"),
                put(0, "verdict", "exit_code"),
                put([], "verdict", "applied"),
                put(["late"], "warnings"),
                put([11], "settled", "missing"),
                put([], "processes"),
                put([], "reports"),
                put(10, *report, "pid"),
                put("EXC_CRASH (SIGABRT)", *report, "exception"),
                put(None, *report, "crashed_in"),
                put("touched", *report, "novelty"),
                put("foreign", *report, "attribution"),
                put(["cut off"], *report, "problems"),
                put({"id": "x"}, *report, "diagnosis"),
                put(None, *report, "archived"),
                put(str(folder / "gone.ips"), *report, "archived"),
                put(str(folder / "other.ips"), *report, "archived"),
            ):
                self.assertNotEqual(check.crash(self.changed(good, change), True, "0x5c8"), [])
            listing = {"crashes": [{"incident": "A", "fault_address": "0x5c8"}], "unwatched": []}
            self.assertEqual(check.listed(listing, good), [])
            for change in (put("B", "crashes", 0, "incident"), put("0x0", "crashes", 0, "fault_address"), put(["/x"], "unwatched")):
                self.assertNotEqual(check.listed(self.changed(listing, change), good), [])
            self.assertNotEqual(check.listed(listing, self.changed(good, put([], "reports"))), [])

    def test_rehearsal(self) -> None:
        expected = ("0x5c8", "agx_null_pipeline")
        self.assertEqual(check.rehearsal(REHEARSAL, *expected), [])
        for change in (
            put(False, "as_expected"),
            put("exit 0", "without", "ending"),
            put([], "without", "crashes"),
            put("0x0", "without", "crashes", 0, "fault_address"),
            put(None, "without", "crashes", 0, "diagnosis"),
            put(87, "with", "exit_code"),
            put(1, "with", "dropped"),
            put(0, "with", "calls"),
            put(["late"], "with", "warnings"),
        ):
            self.assertNotEqual(check.rehearsal(self.changed(REHEARSAL, change), *expected), [])

    def test_metal(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            self.metal()
        self.assertIn("device Apple M4", said.getvalue())

    def metal(self) -> None:
        """`check metal`, which prints what it sees."""
        self.assertEqual(check.metal(METAL, AGX), [])
        everywhere = (put(1, "ending", "code"), put(0, "fix", "loaded"), put([{}], "reports"), put(86, "verdict", "exit_code"))
        for change in everywhere:
            for device in (AGX, VIRTUAL):
                self.assertNotEqual(check.metal(self.changed(METAL, change), device), [])
        # Only of the AGX driver is it promised that the hooks stand.
        for change in (put(87, "verdict", "exit_code"), put([], "processes"), put(0, "processes", 0, "counters", "method_calls")):
            self.assertNotEqual(check.metal(self.changed(METAL, change), AGX), [])
            self.assertEqual(check.metal(self.changed(METAL, change), VIRTUAL), [])

    def test_doctor(self) -> None:
        findings = [{"check": name, "level": "ok", "says": "it is", "remedy": None} for name in sorted(check.DOCTORS_CHECKS["Linux"])]
        good = {"findings": findings}
        self.assertEqual(check.doctor(good, "Linux"), [])
        self.assertNotEqual(check.doctor(good, "Darwin"), [])
        self.assertEqual(check.doctor(self.changed(good, put({**findings[0], "level": "warning", "remedy": "do"}, "findings", 0)), "Linux"), [])
        for change in (
            put(findings[1:], "findings"),
            put("error", "findings", 0, "level"),
            put("warning", "findings", 0, "level"),
            put("fine", "findings", 0, "level"),
        ):
            self.assertNotEqual(check.doctor(self.changed(good, change), "Linux"), [])


if __name__ == "__main__":
    unittest.main()
