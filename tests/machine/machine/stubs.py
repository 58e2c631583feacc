"""Addresses of everything outside the emulated code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .cpu import STUB_SIZE, STUBS, STUBS_SIZE

if TYPE_CHECKING:
    from .abi_arm64 import Args, Returned
    from .process import Process

#: Serves a call: what it returns becomes x0; None where there is none, or
#: where it was set through `Args`.
Handler = Callable[["Process", "Args"], "Returned"]


@dataclass(frozen=True)
class Stub:
    """Something with an address that can be called. Without a handler of its own it is an import, served by its name."""

    address: int
    name: str
    handler: Handler | None


class Stubs:
    """All of them, by address and imports by name."""

    def __init__(self) -> None:
        self._next = STUBS + STUB_SIZE
        self._by_address: dict[int, Stub] = {}
        self._imports: dict[str, Stub] = {}

    def add(self, name: str, handler: Handler | None) -> int:
        """A new address."""
        if self._next >= STUBS + STUBS_SIZE - STUB_SIZE:
            raise MemoryError(f"no room for another stub than the {len(self._by_address)} that there are")
        address, self._next = self._next, self._next + STUB_SIZE
        self._by_address[address] = Stub(address, name, handler)
        return address

    def imported(self, name: str) -> int:
        """The address of an import, the same for every place that names it."""
        if name not in self._imports:
            self._imports[name] = self._by_address[self.add(name, None)]
        return self._imports[name].address

    def snapshot(self) -> object:
        """A copy of what there is."""
        return self._next, dict(self._by_address), dict(self._imports)

    def restore(self, saved: object) -> None:
        """Back to a copy."""
        assert isinstance(saved, tuple)
        self._next, by_address, imports = saved
        self._by_address, self._imports = dict(by_address), dict(imports)

    def at(self, address: int) -> Stub | None:
        """What has an address."""
        return self._by_address.get(address)
