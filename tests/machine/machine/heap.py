"""A heap that never gives the same place out twice, so that a use after a free is always seen.

Between blocks lie bytes that belong to nobody, as do the blocks that were freed, which are filled with a pattern.
"""

from __future__ import annotations

import mmap
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from .errors import HeapError

#: What a block holds after it was freed: as an address, one that is not mapped.
POISON = 0xDF
#: What a block of `malloc` holds before anything is written.
UNWRITTEN = 0xA5
_GAP = 16

#: Addresses of code, innermost first.
Trace = tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """A block: address and size in bytes, and where it was made."""

    address: int
    size: int
    made: Trace


class Heap:
    """Blocks in a buffer that begins at the address `start`."""

    def __init__(self, start: int, buffer: mmap.mmap) -> None:
        self.start = start
        self.used = 0x1000
        self._buffer = buffer
        self._starts: list[int] = []
        self._blocks: dict[int, Block] = {}
        self._freed: dict[int, Trace] = {}
        #: Tells where the machine is; set by the process.
        self.trace: Callable[[], Trace] = tuple
        #: Puts a trace in words; set by the process.
        self.describe: Callable[[Trace], str] = lambda trace: " < ".join(map(hex, trace))

    @property
    def live(self) -> list[Block]:
        """The blocks that were not freed, oldest first."""
        return [block for address, block in self._blocks.items() if address not in self._freed]

    def block(self, address: int) -> Block | None:
        """The living block that begins at an address."""
        return None if address in self._freed else self._blocks.get(address)

    def alloc(self, size: int, align: int = 16) -> int:
        """A new block of zeros."""
        align = max(align, 8)
        at = (self.used + _GAP + align - 1) & ~(align - 1)
        self.used = at + size
        if self.used > len(self._buffer):
            raise HeapError(f"the heap of {len(self._buffer)} bytes is full: blocks are never reused")
        address = self.start + at
        self._starts.append(address)
        self._blocks[address] = Block(address, size, self.trace())
        return address

    def free(self, address: int) -> None:
        """Takes a block back; from then on every use of it is an error."""
        block = self._blocks.get(address)
        if block is None:
            raise HeapError(f"{address:#x} is freed, but is no block: {self._nearest(address)}")
        if address in self._freed:
            raise HeapError(f"{address:#x} is freed twice: {self._story(block)}")
        at = address - self.start
        self._buffer[at : at + block.size] = bytes([POISON]) * block.size
        self._freed[address] = self.trace()

    def misuse(self, address: int, size: int) -> HeapError | None:
        """What is wrong with an access, if anything."""
        index = bisect_right(self._starts, address) - 1
        if index >= 0:
            start = self._starts[index]
            block = self._blocks[start]
            if address + size <= start + block.size:
                if start not in self._freed:
                    return None
                return HeapError(f"{size} bytes at {address:#x} are used after they were freed: {self._story(block)}")
        return HeapError(f"{size} bytes at {address:#x} are used, but are of no block: {self._nearest(address)}")

    def _nearest(self, address: int) -> str:
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return "it lies before every block"
        block = self._blocks[self._starts[index]]
        return f"{address - block.address} bytes into {self._story(block)}"

    def _story(self, block: Block) -> str:
        freed = self._freed.get(block.address)
        text = f"the block of {block.size} bytes at {block.address:#x}, made at {self.describe(block.made)}"
        return text if freed is None else f"{text}, freed at {self.describe(freed)}"

    def snapshot(self) -> object:
        """A copy of what is known of the blocks."""
        return self.used, len(self._starts), dict(self._freed)

    def restore(self, snapshot: object) -> None:
        """Back to a copy."""
        assert isinstance(snapshot, tuple)
        used, count, freed = snapshot
        # What was given out meanwhile is zeros again, as `alloc` promises.
        self._buffer[used : self.used] = bytes(self.used - used)
        for address in self._starts[count:]:
            del self._blocks[address]
        del self._starts[count:]
        self.used, self._freed = used, dict(freed)
