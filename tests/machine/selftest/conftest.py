"""Processes with libraries that the tests make themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from machine import Process, Result

from . import assembly as asm
from . import library

#: Runs a test's little library: contents, and options of `Process`.
Make = Callable[..., Process]


@pytest.fixture
def little(tmp_path: Path) -> Iterator[Make]:
    """Makes processes with a little library; by default its code is one `ret`."""
    made: list[Process] = []

    def make(contents: library.Contents | None = None, **options: object) -> Process:
        file = tmp_path / f"little-{len(made)}.dylib"
        file.write_bytes(library.build(contents or library.Contents(asm.words(asm.RET))))
        folder = tmp_path / f"process-{len(made)}"
        folder.mkdir()
        process = Process(file, folder=folder, installed_as="/opt/little.dylib", **options)  # type: ignore[arg-type]
        made.append(process)
        return process

    yield make
    for process in made:
        process.close()


def system(process: Process, name: str, *arguments: int | float) -> Result:
    """Calls a function of the system, as the library would."""
    return process.call(process.stubs.imported(name), *arguments)


def errno(process: Process) -> int:
    """The running thread's `errno`."""
    return process.memory.u32(system(process, "___error").x0)


class Kept:
    """Something that a test keeps beside the process (`Process.on_fork`)."""

    def __init__(self) -> None:
        self.values = [1]

    def save(self) -> object:
        """A copy."""
        return list(self.values)

    def restore(self, saved: object) -> None:
        """Back to a copy."""
        assert isinstance(saved, list)
        self.values = list(saved)

    def add(self, value: int) -> list[int]:
        """One value more; all of them."""
        self.values.append(value)
        return self.values
