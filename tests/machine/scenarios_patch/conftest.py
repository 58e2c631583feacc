"""A process with a driver of `tests/patch`, and what its `destroyImpl` did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from machine import Args, Process
from machine.libsystem import HANDLERS

#: Where `tests/patch/driver.s` has things: in an object, and in the list.
IMPL, COUNT, POINTERS, LOCK = 16, 0x1A60, 0x1A68, 0x1AA8
ROOM = 8


@dataclass
class Driver:
    """A driver, one object of it, and what reached the system."""

    process: Process
    pool: int
    object: int
    #: Each call with its argument, and what `_impl` held at that moment.
    calls: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def impl(self) -> int:
        """What the object's `_impl` holds."""
        return self.process.memory.u64(self.object + IMPL)

    @property
    def pooled(self) -> list[int]:
        """What the free list holds."""
        memory = self.process.memory
        return [memory.u64(self.pool + POINTERS + 8 * index) for index in range(memory.u32(self.pool + COUNT))]

    @property
    def lock(self) -> int:
        """Where the list's lock is."""
        return self.pool + LOCK

    def fill(self, count: int) -> list[int]:
        """Puts blocks into the free list."""
        memory = self.process.memory
        blocks = [memory.alloc(16) for _ in range(count)]
        for index, block in enumerate(blocks):
            memory.put_u64(self.pool + POINTERS + 8 * index, block)
        memory.put_u32(self.pool + COUNT, count)
        return blocks

    def destroy(self) -> int:
        """Gives the object an `_impl` and calls `destroyImpl`; what it had. The machine checks that stack pointer and
        all registers that a call must keep are as they were."""
        impl = self.process.memory.alloc(0x600)
        self.process.memory.put_u64(self.object + IMPL, impl)
        self.calls.clear()
        self.process.call(self.process.exports["_compute_destroy"], self.object, 0)
        return impl

    def alive(self, block: int) -> bool:
        """Whether a block was not freed."""
        return self.process.memory.heap.block(block) is not None


def _note(driver: Driver, name: str) -> None:
    original = HANDLERS[name]

    def noted(process: Process, arguments: Args) -> object:
        driver.calls.append((name, arguments.x(0), driver.impl))
        return original(process, arguments)

    driver.process.imports[name] = noted


@pytest.fixture
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Driver]]:
    """Makes processes with a driver: `driver("original-arm64")`."""
    folder: Path | None = request.config.getoption("--patch-images")
    if folder is None or not folder.is_dir():
        pytest.skip("there are no patched images (hint: run.sh makes them where LLVM's assembler and linker are)")
    made: list[Process] = []

    def make(name: str) -> Driver:
        process = Process(
            folder / f"{name}.dylib",
            folder=tmp_path,
            installed_as="/System/Library/Extensions/AGXMetalG16X.bundle/Contents/MacOS/AGXMetalG16X",
        )
        made.append(process)
        process.bind()
        it = Driver(process, process.exports["_pool"], process.memory.alloc(24))
        for call in ("_os_unfair_lock_lock", "_os_unfair_lock_unlock", "_free"):
            _note(it, call)
        return it

    yield make
    for process in made:
        process.check_end()
        process.close()
