"""Who passes what where on Apple's arm64: AAPCS64, with stack arguments packed at their own size and alignment.

Sources: "Procedure Call Standard for the Arm 64-bit Architecture"; "Writing ARM64 code for Apple platforms".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from .errors import ContractError, ForeignException
from .registers import FP, KEPT_NAMES, LR, PC, SP, Registers

if TYPE_CHECKING:
    from .memory import Memory

#: Registers for arguments of each kind.
COUNT = 8
#: The upper half of a register with a value of 32 bits or fewer.
_NOTHING_ABOVE = 0xBAD0_0ABE << 32


@dataclass(frozen=True)
class _Whole:
    value: int


class U8(_Whole):
    """An argument of one byte, unsigned; `BOOL` on arm64 is one too."""


class I8(_Whole):
    """An argument of one byte, signed."""


class U16(_Whole):
    """An argument of two bytes, unsigned."""


class I16(_Whole):
    """An argument of two bytes, signed."""


class U32(_Whole):
    """An argument of four bytes, unsigned."""


class I32(_Whole):
    """An argument of four bytes, signed."""


_SIZES: dict[type[_Whole], int] = {U8: 1, I8: 1, U16: 2, I16: 2, U32: 4, I32: 4}


@dataclass(frozen=True)
class F32:
    """An argument of C's type `float`."""

    value: float


@dataclass(frozen=True)
class Struct:
    """A structure by value.

    `hfa` is "d" or "f" where all its fields, one to four, are doubles or floats. `align` is that of its type in bytes;
    by default 8, or 4 for floats.
    """

    data: bytes
    hfa: Literal["d", "f"] | None = None
    align: int | None = None


Argument = int | float | _Whole | F32 | Struct


@dataclass
class Placed:
    """Where arguments go: bits of registers, and bytes of the stack, whose first is at the callee's sp."""

    x: list[int] = field(default_factory=list)
    v: list[int] = field(default_factory=list)
    stack: bytearray = field(default_factory=bytearray)
    #: Structures by reference: the number of the register or the offset on the stack that takes the address, and the copy.
    copies: list[tuple[Literal["x", "stack"], int, bytes]] = field(default_factory=list)

    def _push(self, data: bytes, align: int) -> int:
        self.stack.extend(bytes(-len(self.stack) % align))
        at = len(self.stack)
        self.stack.extend(data)
        return at

    def _whole(self, value: int, size: int) -> None:
        if len(self.x) >= COUNT:
            self._push((value & ((1 << 8 * size) - 1)).to_bytes(size, "little"), size)
        elif size == 8:
            self.x.append(value & (1 << 64) - 1)
        else:
            # Apple's caller extends to 32 bits, by the sign of the value; what is above them means nothing.
            self.x.append(value & 0xFFFF_FFFF | _NOTHING_ABOVE)

    def _floating(self, data: bytes) -> None:
        if len(self.v) < COUNT:
            self.v.append(int.from_bytes(data, "little"))
        else:
            self._push(data, len(data))

    def _homogeneous(self, it: Struct, size: int) -> None:
        parts = [it.data[at : at + size] for at in range(0, len(it.data), size)]
        if not 1 <= len(parts) <= 4 or len(it.data) % size:
            raise ValueError(f"{len(it.data)} bytes are no structure of one to four numbers of {size} bytes")
        if len(self.v) + len(parts) <= COUNT:
            self.v.extend(int.from_bytes(part, "little") for part in parts)
        else:
            self.v.extend([0] * (COUNT - len(self.v)))  # no later one may go back to a register
            self._push(it.data, it.align or size)

    def _structure(self, it: Struct) -> None:
        if it.hfa:
            self._homogeneous(it, 8 if it.hfa == "d" else 4)
        elif len(it.data) > 2 * 8:
            if len(self.x) < COUNT:
                self.copies.append(("x", len(self.x), it.data))
                self.x.append(0)
            else:
                self.copies.append(("stack", self._push(bytes(8), 8), it.data))
        else:
            data = it.data.ljust((len(it.data) + 7) & ~7, b"\0")  # passed as words, on the stack too
            words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]
            if len(self.x) + len(words) <= COUNT:
                self.x.extend(words)
            else:
                self.x.extend([0] * (COUNT - len(self.x)))
                self._push(data, it.align or 8)

    def add(self, argument: Argument) -> None:
        """Places the next argument."""
        match argument:
            case _Whole():
                self._whole(argument.value, _SIZES[type(argument)])
            case int():
                self._whole(argument, 8)
            case F32():
                self._floating(struct.pack("<f", argument.value))
            case float():
                self._floating(struct.pack("<d", argument))
            case Struct():
                self._structure(argument)


def place(arguments: tuple[Argument, ...]) -> Placed:
    """Places all arguments of a call."""
    placed = Placed()
    for argument in arguments:
        placed.add(argument)
    return placed


def put(placed: Placed, registers: Registers, memory: Memory, below: int) -> None:
    """Puts placed arguments into registers and onto the stack below an address; sets sp.

    What is left of the argument registers holds nothing of use.
    """
    registers.scribble(set(), set())
    at = below
    addresses: list[int] = []
    for _, _, data in placed.copies:
        at = (at - len(data)) & ~15
        memory.write(at, data)
        addresses.append(at)
    for (kind, where, _), address in zip(placed.copies, addresses, strict=True):
        if kind == "x":
            placed.x[where] = address
        else:
            placed.stack[where : where + 8] = address.to_bytes(8, "little")
    at = (at - len(placed.stack)) & ~15
    memory.write(at, bytes(placed.stack))
    registers.set_x(SP, at)
    for number, value in enumerate(placed.x):
        registers.set_x(number, value)
    for number, value in enumerate(placed.v):
        registers.set_d_bits(number, value)


@dataclass(frozen=True)
class Result:
    """What the registers of results held when a call returned; x0 and x1 are unsigned."""

    x0: int
    x1: int
    d0: float
    d1: float
    d2: float
    d3: float
    s0: float
    s1: float
    s2: float
    s3: float

    @classmethod
    def of(cls, registers: Registers) -> Result:
        """The results in registers."""
        return cls(
            registers.x(0),
            registers.x(1),
            *(registers.d(number) for number in range(4)),
            *(registers.s(number) for number in range(4)),
        )


@dataclass(frozen=True)
class Jump:
    """What a handler returns instead of returning to its caller: the code at the address goes on with every register as at
    the call, as `objc_msgSend` does."""

    address: int


@dataclass(frozen=True)
class Continue:
    """What a handler returns instead of returning to its caller: code goes on with these registers (`Registers.snapshot`)."""

    registers: bytes


@dataclass(frozen=True)
class Leave:
    """What a handler returns when an exception has passed every emulated frame of the innermost call."""

    exception: ForeignException


#: What a handler may return.
Returned = int | Jump | Continue | Leave | None


class _Reader(Protocol):
    memory: Memory


class Args:
    """A call of something outside, as its handler sees it: the arguments, and where the results go.

    What a handler returns becomes x0. Every register that a call may change holds nonsense after it, but for the results that
    were set.
    """

    def __init__(self, process: _Reader, registers: Registers) -> None:
        self._memory = process.memory
        self._registers = registers
        self._saved = registers.snapshot()
        #: Where the call returns to: in its caller.
        self.caller = registers.x(LR)
        #: The results that were set.
        self.result_x: set[int] = set()
        self.result_v: set[int] = set()

    def x(self, number: int) -> int:
        """An argument register, unsigned; a narrower argument must be masked by the handler."""
        return self._registers.x(number)

    def i(self, number: int) -> int:
        """An argument register as a signed `long`."""
        value = self.x(number)
        return value - (1 << 64) if value >> 63 else value

    def i32(self, number: int) -> int:
        """An argument register as a signed `int`."""
        value = self.x(number) & 0xFFFF_FFFF
        return value - (1 << 32) if value >> 31 else value

    def u32(self, number: int) -> int:
        """An argument register as an `unsigned`."""
        return self.x(number) & 0xFFFF_FFFF

    def d(self, number: int) -> float:
        """A vector register as a `double`."""
        return self._registers.d(number)

    def f(self, number: int) -> float:
        """A vector register as a `float`."""
        return self._registers.s(number)

    @property
    def sp(self) -> int:
        """The stack pointer: where the arguments on the stack begin."""
        return self._registers.x(SP)

    @property
    def frame(self) -> int:
        """The caller's frame pointer."""
        return self._registers.x(FP)

    @property
    def indirect_result(self) -> int:
        """Where a structure of more than 16 bytes is to be returned (x8)."""
        return self._registers.x(8)

    def stack(self, slot: int) -> int:
        """A word of 8 bytes of the arguments on the stack; all of a variadic function's `...` are such words."""
        return self._memory.u64(self.sp + 8 * slot)

    def stack_bytes(self, offset: int, size: int) -> bytes:
        """Bytes of the arguments on the stack."""
        return self._memory.read(self.sp + offset, size)

    def set_x(self, number: int, value: int) -> None:
        """Sets a result register."""
        self.result_x.add(number)
        self._registers.set_x(number, value)

    def set_d(self, number: int, value: float) -> None:
        """Sets a result to a `double`."""
        self.result_v.add(number)
        self._registers.set_d(number, value)

    def set_s(self, number: int, value: float) -> None:
        """Sets a result to a `float`."""
        self.result_v.add(number)
        self._registers.set_s(number, value)

    def finish(self, returned: int | Jump | Continue | None) -> None:
        """Makes the registers what they are after the call."""
        if isinstance(returned, Continue):
            self._registers.restore(returned.registers)
            return
        if isinstance(returned, Jump):
            self._registers.restore(self._saved)
            self._registers.set_x(PC, returned.address)
            return
        if returned is not None:
            self.set_x(0, returned)
        self._registers.scribble(self.result_x, self.result_v)
        self._registers.set_x(PC, self.caller)

    def finish_keeping(self, returned: int | Jump | Continue | None) -> None:
        """The same for a function that changes x0, x16, x17 and lr only."""
        self._registers.restore(self._saved)
        if isinstance(returned, int):
            self._registers.set_x(0, returned)
        self._registers.set_x(PC, self.caller)


def check_kept(before: tuple[int, ...], registers: Registers, what: str) -> None:
    """Sees that a call left alone what it must."""
    after = registers.kept()
    for name, old, new in zip(KEPT_NAMES, before, after, strict=True):
        if old != new:
            raise ContractError(f"{what} returned with {name} {new:#x} instead of {old:#x}")
