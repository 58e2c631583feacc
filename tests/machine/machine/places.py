"""Where code is, in words and as traces."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from .registers import FP, LR, PC, Registers

if TYPE_CHECKING:
    from .macho import Image
    from .memory import Memory
    from .stubs import Stubs
    from .threads import Thread

_DEPTH = 32


class Places:
    """Names addresses by image and offset, and by the export before them."""

    def __init__(self, image: Image, memory: Memory, stubs: Stubs) -> None:
        self._image = image
        self._memory = memory
        self._stubs = stubs
        self._exports = sorted((address, name) for name, address in image.exports.items())
        self._file = image.path.rsplit("/", 1)[-1]

    def where(self, address: int) -> str:
        """A place: `libagx_fix.dylib+0x1a30`, with the function if it is an export, or an import's name."""
        stub = self._stubs.at(address)
        if stub is not None:
            return stub.name
        if address not in self._image:
            return hex(address)
        text = f"{self._file}+{address - self._image.base:#x}"
        index = bisect_right(self._exports, (address, "\x7f")) - 1
        if index >= 0 and address - self._exports[index][0] < 0x200:
            start, name = self._exports[index]
            text += f" ({name}+{address - start:#x}?)"
        return text

    def trace(self, registers: Registers) -> tuple[int, ...]:
        """Return addresses, innermost first, by the chain of frame pointers."""
        found = [registers.x(PC), registers.x(LR)]
        frame = registers.x(FP)
        while len(found) < _DEPTH and frame and frame % 8 == 0 and self._memory.is_readable(frame, 16):
            address = self._memory.u64(frame + 8)
            if address != found[-1]:
                found.append(address)
            following = self._memory.u64(frame)
            if following <= frame:
                break
            frame = following
        known = [address for address in found if address in self._image or self._stubs.at(address)]
        return tuple(dict.fromkeys(known))

    def describe(self, trace: tuple[int, ...]) -> str:
        """A trace in words."""
        return " < ".join(self.where(address) for address in trace) or "the test"

    def describe_thread(self, thread: Thread) -> str:
        """What a thread does, and where."""
        parts = [f"thread {thread.id:#x} ({thread.name})"]
        if thread.waits_for:
            parts.append(f"waits for {thread.waits_for}")
        if thread.serving:
            parts.append(f"in {' > '.join(thread.serving)}")
        if thread.depth:
            parts.append(f"at {self.describe(self.trace(thread.registers))}")
        return ", ".join(parts)
