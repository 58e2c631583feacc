#!/usr/bin/env python3
"""Holds what agxrun wrote as JSON against what must be in it. Says everything that is wrong; exits 1 where something is.

check.py crash RECORD [--in-child] [--address ADDRESS]   a run of crash_at, by `--json`
check.py listed LISTING RECORD                           that `check-crashes --json` knows the run's crash
check.py rehearsal ANSWER [--address A] [--diagnosis ID] the answer of `rehearse --json`
check.py files ANSWER                                    nothing: prints where the reports of that answer are
check.py metal RECORD DEVICE                             a run of metal_device.py, with what that printed
check.py doctor ANSWER SYSTEM                            the answer of `doctor --json`; the system by its `uname -s`
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIGSEGV, CRASH_GATE, WORK_LOST = 11, 86, 87
Json = dict[str, Any]


class Findings(list[str]):
    """What is wrong."""

    def expect(self, found: object, wanted: object, what: str) -> None:
        """Notes what is not as wanted."""
        if found != wanted:
            self.append(f"{what}: {found!r}, not {wanted!r}")

    def hold(self, condition: bool, sentence: str) -> None:
        """Notes the sentence where the condition does not hold."""
        if not condition:
            self.append(sentence)


def crash(record: Json, in_child: bool, address: str) -> Findings:
    """A crash of crash_at: in the verdict, in a report that was found, read, attributed and archived, and in the ledgers."""
    wrong = Findings()
    if in_child:
        wrong.expect(record["ending"], {"how": "exited", "code": 0}, "the parent's ending")
        wrong.expect(record["verdict"]["exit_code"], CRASH_GATE, "the exit code")
    else:
        wrong.expect(record["ending"].get("signal"), SIGSEGV, "the signal that ended it")
        wrong.expect(record["verdict"]["exit_code"], 128 + SIGSEGV, "the exit code")
    codes = {applied["reason"]: applied["code"] for applied in record["verdict"]["applied"]}
    wrong.expect(codes.get("new_reports"), CRASH_GATE, "the crash gate's code")
    wrong.expect(record["warnings"], [], "warnings")
    wrong.expect((record["settled"]["missing"], record["settled"]["pending"]), ([], 0), "reports that were waited for in vain")
    reports = [report for report in record["reports"] if report["process"] == "crash_at"]
    wrong.expect(len(reports), 1, "reports of crash_at")
    for report in reports:
        crash_report(wrong, report, address)
        wrong.expect(report["pid"] != record["pid"], in_child, "whether it is a child that crashed")
        ledgers = [process for process in record["processes"] if process["pid"] == report["pid"]]
        wrong.expect(len(ledgers), 1, "ledgers of the process that crashed")
    return wrong


def crash_report(wrong: Findings, report: Json, address: str) -> None:
    """One report of crash_at."""
    wrong.expect(report["exception"], "EXC_BAD_ACCESS (SIGSEGV)", "the exception")
    wrong.expect(report["fault_address"], address, "the address")
    wrong.expect((report["novelty"], report["weight"], report["attribution"]), ("new", "counts", "ours"), "what the report is taken for")
    wrong.expect((report["problems"], report["error"]), ([], None), "what could not be read")
    wrong.hold("read_at" in (report["crashed_in"] or ""), f"crashed in {report['crashed_in']!r}, not in read_at")
    # A program of ours has none of the driver's signatures, and none may be made up.
    wrong.expect(report["diagnosis"], None, "the diagnosis")
    archived = report["archived"]
    original = Path(report["path"])
    if wrong_copy := archive_problem(original, archived):
        wrong.append(wrong_copy)


def archive_problem(original: Path, archived: str | None) -> str | None:
    """What is wrong with the archive's copy."""
    if archived is None or not Path(archived).is_file():
        return f"the report {original} is not in the archive"
    if original.is_file() and original.read_bytes() != Path(archived).read_bytes():
        return f"the archive's {archived} is not what the system wrote"
    return None


def listed(listing: Json, record: Json) -> Findings:
    """The crash is among those that are listed, with the same address."""
    wrong = Findings()
    known = {crash["incident"]: crash for crash in listing["crashes"]}
    wrong.hold(bool(record["reports"]), "the run has no report")
    for report in record["reports"]:
        crash = known.get(report["incident"])
        wrong.hold(crash is not None, f"incident {report['incident']} is not listed")
        if crash:
            wrong.expect(crash["fault_address"], report["fault_address"], "the listed address")
    wrong.expect(listing["unwatched"], [], "folders that could not be read")
    return wrong


def rehearsal(answer: Json, address: str, diagnosis: str) -> Findings:
    """Without the fix the published crash, diagnosed; with it all of the work, and none dropped."""
    wrong = Findings()
    without, fixed = answer["without"], answer["with"]
    wrong.expect(answer["as_expected"], True, "as expected")
    wrong.expect(without["ending"], "SIGSEGV", "the control's ending")
    wrong.expect([crash["fault_address"] for crash in without["crashes"]], [address], "the control's crashes")
    ids = [(crash["diagnosis"] or {}).get("id") for crash in without["crashes"]]
    wrong.expect(ids, [diagnosis], "their diagnoses")
    wrong.expect((fixed["exit_code"], fixed["ending"]), (0, "exit 0"), "the fixed run's ending")
    wrong.expect((fixed["crashes"], fixed["dropped"]), ([], 0), "the fixed run's crashes and dropped calls")
    wrong.hold(fixed["calls"] > 0, "no call was hooked")
    wrong.expect(without["warnings"] + fixed["warnings"], [], "warnings")
    return wrong


def files(answer: Json) -> Findings:
    """Prints the paths of the reports of both runs."""
    for crash in answer["without"]["crashes"] + answer["with"]["crashes"]:
        print(crash["file"])
    return Findings()


def metal(record: Json, device: Json) -> Findings:
    """The library was in the process that used Metal; with the AGX driver, or the rehearsal's, its hooks stood and took the calls.

    What stands for another driver, as that of a virtual machine, is told and not judged: nothing is promised about it.
    """
    wrong = Findings()
    wrong.expect(record["ending"], {"how": "exited", "code": 0}, "the program's ending")
    wrong.expect(record["reports"], [], "reports")
    wrong.hold(record["fix"]["loaded"] > 0, "the library was in no process")
    armed = [process for process in record["processes"] if process["armed"]]
    calls = sum(process["counters"]["method_calls"] for process in armed)
    unhooked = [len(process["unhooked"]) for process in armed]
    code = record["verdict"]["exit_code"]
    print(f"device {device['device']}, classes {device['classes']}: armed in {len(armed)}, {calls} calls, unhooked {unhooked}, exit {code}")
    if any(name.startswith("AGX") for name in device["classes"].values()):
        wrong.expect(code, 0, "the exit code")
        wrong.expect(len(armed), 1, "processes with hooks")
        wrong.hold(calls > 0, "no call was hooked")
    else:
        print("this is not the AGX driver: what the hooks reach in it is in the ledger, and is not judged")
        wrong.hold(code in (0, WORK_LOST), f"exit code {code}, neither 0 nor {WORK_LOST}")
    return wrong


DOCTORS_CHECKS = {
    "Darwin": {"system", "metal", "library", "python", "sip", "reportcrash", "reports", "disk", "archive", "insertion", "place"},
    "Linux": {"system", "rehearsal", "library", "python", "reports", "disk", "archive", "place"},
}


def doctor(answer: Json, system: str) -> Findings:
    """Everything was looked at, nothing is in error, and what is less than good says what helps."""
    wrong = Findings()
    found = {finding["check"] for finding in answer["findings"]}
    wrong.expect(sorted(DOCTORS_CHECKS[system] - found), [], "checks of which nothing is said")
    for finding in answer["findings"]:
        name, level = finding["check"], finding["level"]
        wrong.hold(level in ("ok", "warning", "error"), f"{name}: level {level!r}")
        wrong.hold(level != "error", f"{name}: {finding['says']}")
        wrong.hold(level == "ok" or bool(finding["remedy"]), f"{name}: no remedy for: {finding['says']}")
    return wrong


def read(path: str) -> Json:
    """A JSON document."""
    document: Json = json.loads(Path(path).read_text(encoding="utf-8"))
    return document


def commands(parser: argparse.ArgumentParser) -> None:
    """One command each, with the function that it calls."""

    def add(name: str, files: list[str], function: Callable[[argparse.Namespace], Findings]) -> argparse.ArgumentParser:
        command = subparsers.add_parser(name)
        for file in files:
            command.add_argument(file, type=read)
        command.set_defaults(function=function)
        return command

    subparsers = parser.add_subparsers(required=True)
    of_crash = add("crash", ["record"], lambda it: crash(it.record, it.in_child, it.address))
    of_crash.add_argument("--in-child", action="store_true")
    of_crash.add_argument("--address", default="0x5c8")
    add("listed", ["listing", "record"], lambda it: listed(it.listing, it.record))
    of_rehearsal = add("rehearsal", ["answer"], lambda it: rehearsal(it.answer, it.address, it.diagnosis))
    of_rehearsal.add_argument("--address", default="0x5c8")
    of_rehearsal.add_argument("--diagnosis", default="agx_null_pipeline")
    add("files", ["answer"], lambda it: files(it.answer))
    add("metal", ["record", "device"], lambda it: metal(it.record, it.device))
    of_doctor = add("doctor", ["answer"], lambda it: doctor(it.answer, it.system))
    of_doctor.add_argument("system", choices=sorted(DOCTORS_CHECKS))


def main() -> int:
    """Prints what is wrong."""
    parser = argparse.ArgumentParser(description="Check what agxrun wrote as JSON.")
    commands(parser)
    arguments = parser.parse_args()
    wrong = arguments.function(arguments)
    for sentence in wrong:
        print(f"check: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
