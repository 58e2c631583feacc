"""Address space: regions backed by memory of this process, which the emulated processor uses directly.

Python's reads and writes go through the same rules as the processor's: no access outside a region, no write where
the region forbids it, none to a part of the heap that nobody has.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from bisect import bisect_right, insort
from dataclasses import dataclass, field
from typing import Protocol

from .errors import ContractError
from .heap import Heap

#: macOS's page on arm64. What is mapped here starts at such an address.
PAGE = 0x4000
#: The page of the system that the test runs on, by which lengths are rounded.
HOST_PAGE = mmap.PAGESIZE

READ, WRITE, EXECUTE = 1, 2, 4

_U8, _U32, _I32, _U64 = (struct.Struct(f"<{code}") for code in "BIiQ")


def page_up(size: int, page: int = PAGE) -> int:
    """The size rounded up to whole pages."""
    return (size + page - 1) & ~(page - 1)


class Mapper(Protocol):
    """The processor's side of a mapping."""

    def map(self, start: int, size: int, host: int, protection: int) -> None:
        """Maps memory at `host` of this process."""

    def unmap(self, start: int, size: int) -> None:
        """Takes a mapping away."""

    def protect(self, start: int, size: int, protection: int) -> None:
        """Changes what the processor may do there."""


@dataclass(order=True)
class Region:
    """A run of pages with one purpose.

    `start` and `size` in bytes; `protection` of `READ`, `WRITE`, `EXECUTE`. A `shared` region is a file's, and stays
    one when the process forks.
    """

    start: int
    size: int = field(compare=False)
    name: str = field(compare=False)
    protection: int = field(compare=False)
    buffer: mmap.mmap = field(compare=False, repr=False)
    shared: bool = field(compare=False, default=False)

    @property
    def end(self) -> int:
        """The address after the last byte."""
        return self.start + self.size

    def host_address(self) -> int:
        """Where this process has the memory."""
        return ctypes.addressof(ctypes.c_char.from_buffer(self.buffer))


#: A copy of an address space, for `Memory.restore`.
Snapshot = tuple[list[tuple[Region, int, bytes | None]], object]


class Memory:
    """The process's address space.

    Integers are little-endian; addresses and sizes are bytes.
    """

    HEAP_START, HEAP_SIZE = 0x6_0000_0000, 0x800_0000

    def __init__(self, mapper: Mapper) -> None:
        self._mapper = mapper
        self._regions: list[Region] = []
        self._starts: list[int] = []
        region = self.map(self.HEAP_START, self.HEAP_SIZE, "heap", READ | WRITE)
        self.heap = Heap(self.HEAP_START, region.buffer)

    # --- mappings

    def map(
        self,
        start: int,
        size: int,
        name: str,
        protection: int,
        buffer: mmap.mmap | None = None,
        shared: bool = False,
    ) -> Region:
        """Maps zeros, or a buffer, of `size` bytes; rounded up to the host's pages."""
        size = page_up(size, HOST_PAGE)
        for other in self._regions:
            if start < other.end and other.start < start + size:
                raise ValueError(f"{name} at {start:#x} lies over {other.name}")
        region = Region(start, size, name, protection, buffer or mmap.mmap(-1, size), shared)
        self._attach(region)
        return region

    def _attach(self, region: Region) -> None:
        insort(self._regions, region)
        insort(self._starts, region.start)
        self._mapper.map(region.start, region.size, region.host_address(), region.protection)

    def unmap(self, region: Region) -> None:
        """Takes a region away."""
        self._regions.remove(region)
        self._starts.remove(region.start)
        self._mapper.unmap(region.start, region.size)

    def protect(self, region: Region, protection: int) -> None:
        """Changes what may be done with a region."""
        region.protection = protection
        self._mapper.protect(region.start, region.size, protection)

    @property
    def regions(self) -> list[Region]:
        """All of them, lowest first."""
        return list(self._regions)

    def region(self, address: int) -> Region | None:
        """The region of an address."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        region = self._regions[index]
        return region if address < region.end else None

    def region_at(self, start: int) -> Region | None:
        """The region that begins at an address."""
        region = self.region(start)
        return region if region and region.start == start else None

    def free_place(self, size: int, above: int) -> int:
        """A page above an address from which `size` bytes are free."""
        place = above
        for region in self._regions:
            if region.end > place and region.start < place + size + PAGE:
                place = page_up(region.end) + PAGE
        return place

    # --- bytes

    def _find(self, address: int, size: int, need: int) -> Region:
        region = self.region(address)
        if region is None or address + size > region.end:
            raise ContractError(f"{size} bytes at {address:#x} are not mapped")
        if not region.protection & need:
            raise ContractError(f"{region.name} at {address:#x} may not be {'written' if need == WRITE else 'read'}")
        if region.start == self.HEAP_START:
            misuse = self.heap.misuse(address, size)
            if misuse:
                raise misuse
        return region

    def read(self, address: int, size: int) -> bytes:
        """So many bytes."""
        if size == 0:
            return b""
        region = self._find(address, size, READ)
        at = address - region.start
        return region.buffer[at : at + size]

    def write(self, address: int, data: bytes) -> None:
        """Writes where the region allows it."""
        if not data:
            return
        region = self._find(address, len(data), WRITE)
        at = address - region.start
        region.buffer[at : at + len(data)] = bytes(data)

    def is_readable(self, address: int, size: int = 8) -> bool:
        """Whether `read` would succeed."""
        region = self.region(address)
        return region is not None and address + size <= region.end and bool(region.protection & READ)

    # --- values

    def u8(self, address: int) -> int:
        """A byte."""
        return self.read(address, 1)[0]

    def u32(self, address: int) -> int:
        """A word of 4 bytes."""
        return int(_U32.unpack(self.read(address, 4))[0])

    def i32(self, address: int) -> int:
        """A signed word of 4 bytes."""
        return int(_I32.unpack(self.read(address, 4))[0])

    def u64(self, address: int) -> int:
        """A word of 8 bytes."""
        return int(_U64.unpack(self.read(address, 8))[0])

    def put_u8(self, address: int, value: int) -> None:
        """Writes a byte."""
        self.write(address, _U8.pack(value & 0xFF))

    def put_u32(self, address: int, value: int) -> None:
        """Writes 4 bytes."""
        self.write(address, _U32.pack(value & 0xFFFF_FFFF))

    def put_u64(self, address: int, value: int) -> None:
        """Writes 8 bytes."""
        self.write(address, _U64.pack(value & 0xFFFF_FFFF_FFFF_FFFF))

    def cbytes(self, address: int, limit: int | None = None) -> bytes:
        """The bytes up to a NUL, or up to `limit` of them."""
        region = self._find(address, 1, READ)
        at = address - region.start
        end = region.size if limit is None else min(region.size, at + limit)
        nul = region.buffer.find(b"\0", at, end)
        if nul < 0:
            if limit is None:
                raise ContractError(f"the string at {address:#x} has no end")
            nul = end
        return self.read(address, nul - at)

    def cstring(self, address: int) -> str:
        """The text up to a NUL; bytes that are not UTF-8 as surrogates."""
        return self.cbytes(address).decode("utf-8", "surrogateescape")

    def put_cstring(self, text: str | bytes) -> int:
        """A new block with the text and a NUL."""
        data = (text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text) + b"\0"
        address = self.alloc(len(data), 1)
        self.write(address, data)
        return address

    # --- heap

    def alloc(self, size: int, align: int = 16) -> int:
        """A new block of zeros."""
        return self.heap.alloc(size, align)

    def free(self, address: int) -> None:
        """Gives a block back."""
        self.heap.free(address)

    # --- copies

    def snapshot(self) -> Snapshot:
        """A copy of everything that a child of `fork` would have of its own."""
        copies: list[tuple[Region, int, bytes | None]] = []
        for region in self._regions:
            private = region.protection & WRITE and not region.shared
            used = self.heap.used if region.start == self.HEAP_START else region.size
            copies.append((region, region.protection, region.buffer[:used] if private else None))
        return copies, self.heap.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Puts everything back as it was."""
        copies, heap = snapshot
        kept = {id(region) for region, _, _ in copies}
        for region in [region for region in self._regions if id(region) not in kept]:
            self.unmap(region)
        here = {id(region) for region in self._regions}
        for region, protection, data in copies:
            if id(region) not in here:
                self._attach(region)
            if region.protection != protection:
                self.protect(region, protection)
            if data is not None:
                region.buffer[: len(data)] = data
        self.heap.restore(heap)
