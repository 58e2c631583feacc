"""The registers of one emulated thread, as bytes that are read and written at once.

One call for all of them is many times cheaper than unicorn's call for each.
"""

from __future__ import annotations

import ctypes
import struct

from unicorn import arm64_const as names

_GENERAL = [names.UC_ARM64_REG_X0 + i for i in range(29)] + [
    names.UC_ARM64_REG_X29,
    names.UC_ARM64_REG_X30,
    names.UC_ARM64_REG_SP,
    names.UC_ARM64_REG_PC,
    names.UC_ARM64_REG_NZCV,
]
_VECTOR = [names.UC_ARM64_REG_V0 + i for i in range(32)]
_V_AT = 8 * len(_GENERAL)
_SIZE = _V_AT + 16 * len(_VECTOR)
_U64, _F64, _U32, _F32 = (struct.Struct(f"<{code}") for code in "QdIf")

#: Numbers of the registers, in the order of the bytes.
NUMBERS = (ctypes.c_int * (len(_GENERAL) + len(_VECTOR)))(*_GENERAL, *_VECTOR)
FP, LR, SP, PC, NZCV = 29, 30, 31, 32, 33

# What stands in the registers that a call may change, after a call: nothing that anybody should use. No two are alike.
_SCRIBBLE_X = b"".join(_U64.pack(0xBAD0_0000_0000_0BAD | i << 32) for i in range(18))
_SCRIBBLE_V = [struct.pack("<QQ", 0xFBAD_0000_0000_0BAD | i << 32, 0xFBAD_FBAD) for i in range(32)]
_SCRIBBLE = [
    (0, _SCRIBBLE_X),
    (_V_AT, b"".join(_SCRIBBLE_V[:8])),
    (_V_AT + 16 * 16, b"".join(_SCRIBBLE_V[16:])),
]

# What a call leaves alone: x19 to x29, sp, and the low halves of v8 to v15. x30 is between.
KEPT_NAMES = [*(f"x{i}" for i in range(19, 30)), "sp", *(f"d{i}" for i in range(8, 16))]
_KEPT_X, _KEPT_V = struct.Struct("<11Q8xQ"), struct.Struct("<" + 8 * "Q8x")


class Registers:
    """x0 to x30, sp, pc, the flags, and the vector registers of a thread."""

    def __init__(self) -> None:
        self.raw = ctypes.create_string_buffer(_SIZE)
        self._start = start = ctypes.addressof(self.raw)
        #: Where each register of `NUMBERS` has its bytes.
        self.pointers = (ctypes.c_void_p * len(NUMBERS))(
            *(start + 8 * i for i in range(len(_GENERAL))),
            *(start + _V_AT + 16 * i for i in range(len(_VECTOR))),
        )

    def x(self, number: int) -> int:
        """A general register; `FP`, `LR`, `SP`, `PC` are numbers too."""
        return int(_U64.unpack_from(self.raw, 8 * number)[0])

    def set_x(self, number: int, value: int) -> None:
        """Sets a general register to the low 64 bits of a value."""
        _U64.pack_into(self.raw, 8 * number, value & 0xFFFF_FFFF_FFFF_FFFF)

    def d(self, number: int) -> float:
        """A vector register's low half as a double."""
        return float(_F64.unpack_from(self.raw, _V_AT + 16 * number)[0])

    def set_d(self, number: int, value: float) -> None:
        """Sets a vector register to a double; the high half becomes 0."""
        struct.pack_into("<dQ", self.raw, _V_AT + 16 * number, value, 0)

    def s(self, number: int) -> float:
        """A vector register's low quarter as a float."""
        return float(_F32.unpack_from(self.raw, _V_AT + 16 * number)[0])

    def set_s(self, number: int, value: float) -> None:
        """Sets a vector register to a float; the rest becomes 0."""
        struct.pack_into("<fIQ", self.raw, _V_AT + 16 * number, value, 0, 0)

    def d_bits(self, number: int) -> int:
        """The bits of a vector register's low half."""
        return int(_U64.unpack_from(self.raw, _V_AT + 16 * number)[0])

    def set_d_bits(self, number: int, bits: int) -> None:
        """Sets the bits of a vector register's low half."""
        _U64.pack_into(self.raw, _V_AT + 16 * number, bits)

    def snapshot(self) -> bytes:
        """All of them."""
        return self.raw.raw

    def restore(self, saved: object) -> None:
        """All of them as they were."""
        assert isinstance(saved, bytes)
        ctypes.memmove(self.raw, saved, _SIZE)

    def scribble(self, keep_x: set[int], keep_v: set[int]) -> None:
        """Overwrites what a call may change (AAPCS64: x0 to x17, v0 to v7, v16 to v31), but for the results."""
        places = [(8 * i, 8) for i in keep_x] + [(_V_AT + 16 * i, 16) for i in keep_v]
        results = [(at, ctypes.string_at(self._start + at, size)) for at, size in places]
        for at, nonsense in _SCRIBBLE:
            ctypes.memmove(self._start + at, nonsense, len(nonsense))
        for at, data in results:
            ctypes.memmove(self._start + at, data, len(data))

    def kept(self) -> tuple[int, ...]:
        """What a call leaves alone, in the order of `KEPT_NAMES`."""
        return _KEPT_X.unpack_from(self.raw, 8 * 19) + _KEPT_V.unpack_from(self.raw, _V_AT + 16 * 8)
