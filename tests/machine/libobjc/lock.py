"""The runtime's lock: not re-entrant, as on a Mac, where taking it twice ends the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from machine.process import Process
    from machine.threads import Thread


class RuntimeLock:
    """`runtimeLock` of objc-runtime-new.mm."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._owner: Thread | None = None
        self._holder = ""

    @property
    def is_mine(self) -> bool:
        """Whether the current thread has it."""
        return self._owner is self._process.thread

    @contextmanager
    def held(self, by: str) -> Iterator[None]:
        """Holds it; taking it again on the same thread breaks the contract."""
        process = self._process
        if self.is_mine:
            process.contract(f"{by} takes the runtime lock, which this thread holds already for {self._holder}")
        if self._owner is not None:
            process.block_until(lambda: self._owner is None, what=f"{by} waits for the runtime lock")
        self._owner, self._holder = process.thread, by
        try:
            yield
        finally:
            self._owner, self._holder = None, ""
