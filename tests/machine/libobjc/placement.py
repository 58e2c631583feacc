"""Where a method's arguments and its result travel: AAPCS64, with what Apple does otherwise.

"Procedure Call Standard for the Arm 64-bit Architecture", section 6.8.2, and Apple's "Writing ARM64 code for Apple
platforms": arguments on the stack take their own size and alignment, not a word each. Structures of up to 16 bytes that
are not homogeneous are passed as one or two words, also on the stack (clang, AArch64.cpp, `classifyArgumentType`).

This is the receiving side's reading. Sending is done by the machine (machine/abi_arm64.py), and the library has its own
(fixdylib/policy/src/abi/apple_arm64.rs): an argument arrives only if all three agree.
"""

from __future__ import annotations

from dataclasses import dataclass

from .encoding import Signature, Type, aligned

REGISTERS = 8


@dataclass(frozen=True)
class Place:
    """Where one value is.

    `kind`: "x" (integer registers from `first`), "v" (floating registers from `first`, one member each), "stack" (`first`
    bytes above the stack pointer), "memory" (where a pointer points). `by_reference` is the place of a pointer to the value.
    """

    kind: str
    first: int
    by_reference: Place | None = None


@dataclass(frozen=True)
class Placement:
    """Places of all arguments of a call, and the bytes that they take on the stack."""

    arguments: tuple[Place, ...]
    stack: int


def place(signature: Signature) -> Placement:
    """Places the arguments behind the receiver (x0) and the selector (x1)."""
    allocation = _Allocation()
    places = tuple(allocation.argument(argument) for argument in signature.arguments)
    return Placement(places, allocation.stack)


def place_result(result: Type) -> Place:
    """Where the result is: "x", "v", or "memory" where x8 pointed at the call."""
    if result.homogeneous:
        return Place("v", 0)
    if result.size > 16:
        return Place("memory", 0)
    return Place("x", 0)


class _Allocation:
    def __init__(self) -> None:
        self.integers = 2
        self.floats = 0
        self.stack = 0

    def argument(self, of: Type) -> Place:
        if of.homogeneous:
            return self._floats(of)
        if of.size > 16:
            return Place("memory", 0, by_reference=self._words(1, 8, 8))
        if of.code == "{":
            words = aligned(of.size, 8) // 8
            return self._words(words, 8, words * 8)
        return self._words(1, of.align, of.size)

    def _floats(self, of: Type) -> Place:
        count = of.homogeneous
        if self.floats + count <= REGISTERS:
            self.floats += count
            return Place("v", self.floats - count)
        self.floats = REGISTERS
        return self._on_stack(of.align, of.size)

    def _words(self, count: int, align: int, size: int) -> Place:
        if self.integers + count <= REGISTERS:
            self.integers += count
            return Place("x", self.integers - count)
        self.integers = REGISTERS
        return self._on_stack(align, size)

    def _on_stack(self, align: int, size: int) -> Place:
        at = aligned(self.stack, align)
        self.stack = at + size
        return Place("stack", at)
