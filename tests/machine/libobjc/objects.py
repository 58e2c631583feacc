"""Objects: making them, counting references, autorelease pools.

An object's first word is a packed `isa` as on arm64 (isa.h): bit 0 is set, the class stands in bits 3 to 35, the count in
the 19 highest. So a retain changes the word, and code that compares it whole is found out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .classes import Class

if TYPE_CHECKING:
    from machine.process import Process
    from machine.threads import Thread

    from .runtime import Runtime

CLASS_MASK = 0x0000_000F_FFFF_FFF8
"""`ISA_MASK` of arm64 without pointer authentication."""
_PACKED = 1
_DEALLOCATING = 1 << 44
_COUNT_SHIFT = 45
TAGGED = 1 << 63


class Objects:
    """All living objects, and each thread's autorelease pools."""

    def __init__(self, process: Process, runtime: Runtime) -> None:
        self._process = process
        self._runtime = runtime
        self.living: dict[int, Class] = {}
        self.freed: dict[int, str] = {}
        self.retains = 0
        self.releases = 0
        self._pools: dict[Thread, list[list[int]]] = {}

    def make(self, cls: Class) -> int:
        """A new object with a count of one, its variables zero."""
        memory = self._process.memory
        address = memory.alloc(cls.size, 16)
        memory.write(address, bytes(cls.size))
        memory.put_u64(address, cls.address | _PACKED | 1 << _COUNT_SHIFT)
        self.living[address] = cls
        self.freed.pop(address, None)
        return address

    def is_object(self, address: int) -> bool:
        """Whether it is an object, a class among them; nil and tagged pointers are none."""
        return address in self.living or self._runtime.class_at(address) is not None

    def class_of(self, address: int, asked_by: str) -> Class:
        """The class of an object, which must be alive."""
        cls = self.living.get(address)
        if cls is None:
            itself = self._runtime.class_at(address)
            if itself is not None and itself.metaclass is not None:
                return itself.metaclass
            was = self.freed.get(address)
            gone = f"which was an {was} and is freed" if was else "which is no object"
            self._process.contract(f"{asked_by}: {address:#x}, {gone}")
        word = self._process.memory.u64(address)
        if word & CLASS_MASK != cls.address:
            self._process.contract(f"{asked_by}: the isa of {cls.name} {address:#x} was overwritten: {word:#x}")
        return cls

    def count(self, address: int) -> int:
        """The retain count of a living object."""
        return self._process.memory.u64(address) >> _COUNT_SHIFT

    def _add(self, address: int, change: int) -> int:
        memory = self._process.memory
        word = memory.u64(address) + (change << _COUNT_SHIFT)
        memory.put_u64(address, word)
        return word >> _COUNT_SHIFT

    def _is_counted(self, address: int, asked_by: str) -> bool:
        if address == 0 or address & TAGGED:
            return False
        self.class_of(address, asked_by)
        return address in self.living

    def retain(self, address: int) -> int:
        """`objc_retain`."""
        if self._is_counted(address, "objc_retain"):
            self.retains += 1
            self._add(address, 1)
        return address

    def release(self, address: int) -> None:
        """`objc_release`: the last one sends `dealloc`."""
        if not self._is_counted(address, "objc_release"):
            return
        self.releases += 1
        memory = self._process.memory
        if memory.u64(address) & _DEALLOCATING:
            return
        if self.count(address) == 0:
            self._process.contract(f"objc_release of {self.living[address].name} {address:#x} below zero")
        if self._add(address, -1) == 0:
            memory.put_u64(address, memory.u64(address) | _DEALLOCATING)
            self._runtime.send(address, "dealloc")

    def destroy(self, address: int) -> None:
        """`-[NSObject dealloc]`: the memory is free."""
        cls = self.class_of(address, "-[NSObject dealloc]")
        if self.count(address):
            self._process.contract(f"dealloc of {cls.name} {address:#x}, which is retained {self.count(address)} times")
        del self.living[address]
        self.freed[address] = cls.name
        self._process.memory.free(address)

    def push_pool(self) -> int:
        """`objc_autoreleasePoolPush`: the token is the pool's depth."""
        pools = self._pools.setdefault(self._process.thread, [])
        pools.append([])
        return len(pools)

    def pop_pool(self, token: int) -> None:
        """`objc_autoreleasePoolPop`: also the pools above."""
        pools = self._pools.get(self._process.thread, [])
        if not 0 < token <= len(pools):
            self._process.contract(f"objc_autoreleasePoolPop of {token}, which is no pool of this thread")
        while len(pools) >= token:
            if pools[-1]:
                self.release(pools[-1].pop())
            else:
                pools.pop()

    def autorelease(self, address: int) -> int:
        """`objc_autorelease`: into the innermost pool."""
        if self._is_counted(address, "objc_autorelease"):
            pools = self._pools.get(self._process.thread)
            if not pools:
                self._process.contract(f"objc_autorelease of {address:#x} without a pool: it would leak")
            pools[-1].append(address)
        return address

    @contextmanager
    def pool(self) -> Iterator[None]:
        """`@autoreleasepool`."""
        token = self.push_pool()
        yield
        self.pop_pool(token)

    def saved(self) -> tuple[object, ...]:
        """A copy of what does not stand in emulated memory."""
        return dict(self.living), dict(self.freed), self.retains, self.releases, self._copied(self._pools)

    def restore(self, saved: tuple[object, ...]) -> None:
        """Back to what `saved` returned, which is not consumed."""
        living, freed, self.retains, self.releases, pools = saved  # type: ignore[assignment]
        self.living, self.freed = dict(living), dict(freed)  # type: ignore[call-overload]
        self._pools = self._copied(pools)  # type: ignore[arg-type]

    @staticmethod
    def _copied(pools: dict[Thread, list[list[int]]]) -> dict[Thread, list[list[int]]]:
        return {thread: [list(pool) for pool in stack] for thread, stack in pools.items()}
