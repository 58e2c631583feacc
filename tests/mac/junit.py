#!/usr/bin/env python3
"""Runs a command that runs `cargo test`, passes its output on, and writes what the tests did as JUnit XML.

    junit.py --output FILE [--name NAME] -- COMMAND [ARGUMENT...]

libtest writes JUnit itself only with unstable options, so its lines are read. What cannot be read is not left out: a suite whose
lines do not add up to its own result, one that ends without a result (its process crashed), and a command that fails with no test
failed each have a test case of their own, with an error. The exit code is the command's; 128 + n where signal n ended it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# What an XML 1.0 document may not hold, escaped or not.
UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
STARTED = re.compile(r"^\s+(?:Running (?:unittests )?(?P<source>\S+) \((?P<binary>.+)\)|Doc-tests (?P<crate>\S+))$")
COUNTED = re.compile(r"^running (?P<tests>\d+) tests?$")
ENDED = re.compile(r"^test (?P<name>.+?) \.\.\. (?P<how>ok|FAILED|ignored)(?:, (?P<why>.*))?$")
RESULT = re.compile(
    r"^test result: \w+\. (?P<ok>\d+) passed; (?P<FAILED>\d+) failed; (?P<ignored>\d+) ignored;"
    r".*?(?:finished in (?P<seconds>[0-9.]+)s)?$"
)
OUTPUT_OF = re.compile(r"^---- (?P<name>.+) stdout ----$")
# Of a command's last lines, as many as say why it failed.
LAST_LINES = 60


@dataclass
class Case:
    """One test, or what stands for something that no test tells."""

    name: str
    how: str
    text: str = ""


@dataclass
class Suite:
    """The tests of one binary, or of one crate's documentation."""

    name: str
    cases: list[Case] = field(default_factory=list)
    seconds: float = 0.0
    expected: int | None = None

    def count(self, how: str) -> int:
        """How many cases ended so."""
        return sum(case.how == how for case in self.cases)


def suites_of(lines: Iterable[str]) -> list[Suite]:
    """Reads the output of one or more `cargo test`."""
    suites: list[Suite] = []
    suite: Suite | None = None
    quoted: Case | None = None
    for line in (COLOUR.sub("", line).rstrip("\n") for line in lines):
        if started := STARTED.match(line):
            close(suite)
            suite, quoted = Suite(started["source"] or f"documentation of {started['crate']}"), None
            suites.append(suite)
        elif counted := COUNTED.match(line):
            # A crate's documentation may be several programs, each with a result of its own.
            if suite is None:
                suite = Suite(suites[-1].name if suites else "tests")
                suites.append(suite)
            suite.expected = int(counted["tests"])
        elif suite is None:
            continue
        elif result := RESULT.match(line):
            settle(suite, result)
            suite, quoted = None, None
        elif ended := ENDED.match(line):
            suite.cases.append(Case(ended["name"], ended["how"], ended["why"] or ""))
        elif output := OUTPUT_OF.match(line):
            quoted = next((case for case in suite.cases if case.name == output["name"]), None)
        elif line == "failures:":
            quoted = None
        elif quoted:
            quoted.text += line + "\n"
    close(suite)
    return suites


def settle(suite: Suite, result: re.Match[str]) -> None:
    """Holds what was read against what the binary says of itself."""
    suite.seconds = float(result["seconds"] or 0)
    said = {how: int(result[how]) for how in ("ok", "FAILED", "ignored")}
    read = {how: suite.count(how) for how in said}
    if said != read:
        suite.cases.append(Case("(lines that could not be read)", "error", f"the binary says {said}, its lines say {read}"))
    suite.expected = None


def close(suite: Suite | None) -> None:
    """Says of a suite that began and has no result that it ended so."""
    if suite and suite.expected is not None:
        rest = suite.expected - len(suite.cases)
        suite.cases.append(Case("(the rest)", "error", f"the process ended without a result; {rest} tests are not known to have ended"))


def document(name: str, suites: list[Suite]) -> ElementTree.ElementTree:
    """The JUnit document."""
    root = ElementTree.Element("testsuites", name=name)
    for suite in suites:
        element = ElementTree.SubElement(
            root,
            "testsuite",
            name=suite.name,
            tests=str(len(suite.cases)),
            failures=str(suite.count("FAILED")),
            errors=str(suite.count("error")),
            skipped=str(suite.count("ignored")),
            time=f"{suite.seconds:.3f}",
        )
        for case in suite.cases:
            test = ElementTree.SubElement(element, "testcase", classname=suite.name, name=case.name)
            tag = {"FAILED": "failure", "error": "error", "ignored": "skipped"}.get(case.how)
            if tag:
                first = case.text.strip().partition("\n")[0] or case.how
                ElementTree.SubElement(test, tag, message=printable(first)).text = printable(case.text)
    return ElementTree.ElementTree(root)


def printable(text: str) -> str:
    """The text with a sign where it holds what XML cannot."""
    return UNPRINTABLE.sub("\ufffd", text)


def write(path: Path, name: str, suites: list[Suite]) -> None:
    """Writes the document, its folder made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tree = document(name, suites)
    ElementTree.indent(tree)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def passed_on(output: Iterable[bytes], to: BinaryIO) -> Iterator[str]:
    """Each line, once it has been passed on."""
    for line in output:
        to.write(line)
        to.flush()
        yield line.decode(errors="replace")


def run(command: list[str], name: str, output: Path, to: BinaryIO) -> int:
    """Runs the command, with its output passed on to `to`; its exit code."""
    try:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    except OSError as error:
        print(f"junit: cannot start `{command[0]}`: {error}", file=sys.stderr)
        return 127
    with child:
        assert child.stdout is not None
        lines = list(passed_on(child.stdout, to))
    code = child.returncode if child.returncode >= 0 else 128 - child.returncode
    suites = suites_of(lines)
    if code != 0 and not any(suite.count("FAILED") + suite.count("error") for suite in suites):
        last = "".join(COLOUR.sub("", line) for line in lines[-LAST_LINES:])
        suites.append(Suite("command", [Case(" ".join(command), "error", f"ended with {code}\n{last}")]))
    write(output, name, suites)
    return code


def main() -> int:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(description="Run a command that runs `cargo test`; write JUnit XML.")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--name", default="tests")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    return run(arguments.command, arguments.name, arguments.output, sys.stdout.buffer)


if __name__ == "__main__":
    sys.exit(main())
