#!/usr/bin/env python3
"""Reads JUnit XML with two readers that know nothing of each other, and holds it against a schema.

    read_junit.py FILE SCHEMA

Prints JSON: what `xml.etree` finds, what `junitparser` finds, and what the schema says, the latter two null where the packages
of requirements.txt are not to be had.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any
from xml.etree import ElementTree

ATTACHMENT = re.compile(r"^\[\[ATTACHMENT\|(.+)\]\]$", re.MULTILINE)
RESULTS = ("failure", "error", "skipped")


def with_etree(path: str) -> dict[str, Any]:
    """The document by the standard library."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == "testsuites", root.tag
    return {"counts": counts(root.attrib), "suites": [etree_suite(suite) for suite in root.findall("testsuite")]}


def etree_suite(suite: ElementTree.Element) -> dict[str, Any]:
    """One suite."""
    return {
        "name": suite.get("name"),
        "counts": counts(suite.attrib),
        "properties": {item.get("name"): item.get("value") for item in suite.iterfind("properties/property")},
        "cases": [etree_case(case) for case in suite.findall("testcase")],
    }


def etree_case(case: ElementTree.Element) -> dict[str, Any]:
    """One case."""
    results = [child for child in case if child.tag in RESULTS]
    return {
        "class": case.get("classname"),
        "name": case.get("name"),
        "seconds": float(case.get("time", "nan")),
        "results": [{"tag": item.tag, "type": item.get("type"), "message": item.get("message")} for item in results],
        "flaky": [item.get("message") for item in case.findall("flakyFailure")],
        "attachments": ATTACHMENT.findall(case.findtext("system-out") or ""),
        "err": case.findtext("system-err") or "",
    }


def counts(attributes: Any) -> dict[str, int]:
    """What a suite or the root says of itself."""
    return {name: int(attributes[name]) for name in ("tests", "failures", "errors", "skipped") if name in attributes}


def with_junitparser(path: str) -> dict[str, Any] | None:
    """The same by junitparser, in the flavour of Jenkins' plugin."""
    try:
        from junitparser.xunit2 import JUnitXml
    except ImportError:
        return None
    document = JUnitXml.fromfile(path)
    suites = []
    for suite in document:
        said = {"tests": suite.tests, "failures": suite.failures, "errors": suite.errors, "skipped": suite.skipped}
        suites.append(
            {
                "name": suite.name,
                "counts": said,
                "properties": {item.name: item.value for item in suite.properties()},
                "cases": [parsed_case(case) for case in suite],
            }
        )
    return {"counts": {"tests": document.tests, "failures": document.failures, "errors": document.errors}, "suites": suites}


def parsed_case(case: Any) -> dict[str, Any]:
    """One case of junitparser."""
    results = [{"tag": item._tag, "type": item.type, "message": item.message} for item in case.result]
    return {
        "class": case.classname,
        "name": case.name,
        "seconds": case.time,
        "results": results,
        "flaky": [item.message for item in case.flaky_failures()],
        "attachments": ATTACHMENT.findall(case.system_out or ""),
        "err": case.system_err or "",
    }


def by_schema(path: str, schema: str) -> list[str] | None:
    """What a validator finds wrong."""
    try:
        import xmlschema
    except ImportError:
        return None
    return [f"{error.path}: {error.reason}" for error in xmlschema.XMLSchema10(schema).iter_errors(path)]


def main() -> None:
    """Reads the arguments."""
    path, schema = sys.argv[1:]
    json.dump({"etree": with_etree(path), "junitparser": with_junitparser(path), "schema": by_schema(path, schema)}, sys.stdout)


if __name__ == "__main__":
    main()
