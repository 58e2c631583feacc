"""Reads the class dump of the rehearsal (tests/rehearsal/data/driver-classes.tsv, which names its sources)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

DUMP = Path(__file__).resolve().parents[2] / "rehearsal" / "data" / "driver-classes.tsv"


@dataclass(frozen=True)
class Dumped:
    """A class of the dump: name, superclass, and its own methods as pairs of selector and type encoding."""

    name: str
    superclass: str
    methods: tuple[tuple[str, str], ...]


@cache
def classes() -> tuple[Dumped, ...]:
    """All classes of the dump, superclasses first."""
    found: list[tuple[str, str, list[tuple[str, str]]]] = []
    for line in DUMP.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        fields = line.split("\t")
        if fields[0]:
            found.append((fields[0], fields[1], []))
        else:
            found[-1][2].append((fields[1], fields[2]))
    return tuple(Dumped(name, above, tuple(methods)) for name, above, methods in found)


def lineage(name: str) -> tuple[str, ...]:
    """The class and its superclasses up to the dump's own, the class first."""
    above = {it.name: it.superclass for it in classes()}
    names = []
    while name in above:
        names.append(name)
        name = above[name]
    return tuple(names)
