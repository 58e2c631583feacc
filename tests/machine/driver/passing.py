"""Values as bytes, to and from registers, stack and memory."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from libobjc.encoding import Type, aligned
from libobjc.placement import Place, place_result
from machine.abi_arm64 import F32, I8, I16, I32, U8, U16, U32, Struct

if TYPE_CHECKING:
    from machine.abi_arm64 import Result
    from machine.process import Args, Process

SIGNED = {"c": I8, "s": I16, "i": I32, "l": I32}
UNSIGNED = {"C": U8, "B": U8, "S": U16, "I": U32, "L": U32}


def to_argument(of: Type, value: bytes) -> object:
    """A value as `Process.call` takes it."""
    if of.code == "f":
        return F32(struct.unpack("<f", value)[0])
    if of.code == "d":
        return struct.unpack("<d", value)[0]
    if of.code == "{":
        codes = {leaf.code for _, leaf in of.leaves()}
        return Struct(value, hfa=codes.pop() if of.homogeneous else None)
    if of.code in SIGNED:
        return SIGNED[of.code](int.from_bytes(value, "little", signed=True))
    if of.code in UNSIGNED:
        return UNSIGNED[of.code](int.from_bytes(value, "little"))
    return int.from_bytes(value, "little")


def extended(of: Type, value: bytes) -> bytes:
    """A value in a register: integers below 32 bits are extended to 32, arguments by the caller, results by the callee."""
    if of.code == "{" or of.size >= 4 or not value:
        return value
    return value.ljust(4, b"\xff" if of.code in "cs" and value[-1] & 0x80 else b"\0")


def arrives(of: Type, value: bytes, at: Place) -> bytes:
    """What `received` says of a value that arrived whole at this place."""
    return extended(of, value) if at.kind == "x" else value


def received(process: Process, a: Args, of: Type, at: Place) -> bytes:
    """The argument of this type and place, as it arrived; from an integer register `extended`."""
    if at.by_reference is not None:
        pointer = int.from_bytes(received(process, a, POINTER, at.by_reference), "little")
        return process.memory.read(pointer, of.size)
    if at.kind == "stack":
        return process.memory.read(a.sp + at.first, of.size)
    if at.kind == "v":
        return _members(of, at.first, a.f, a.d)
    words = b"".join(a.x(at.first + word).to_bytes(8, "little") for word in range(aligned(of.size, 8) // 8))
    return words[: len(extended(of, bytes(of.size)))]


def _members(of: Type, first: int, single: Callable[[int], float], double: Callable[[int], float]) -> bytes:
    image = bytearray(of.size)
    for number, (offset, leaf) in enumerate(of.leaves(), first):
        if leaf.code == "f":
            image[offset : offset + 4] = struct.pack("<f", single(number))
        else:
            image[offset : offset + 8] = struct.pack("<d", double(number))
    return bytes(image)


def return_value(process: Process, a: Args, of: Type, value: bytes) -> None:
    """Leaves a method's result where its caller looks for it; the machine fills the other registers with nonsense."""
    place = place_result(of)
    if place.kind == "memory":
        process.memory.write(a.indirect_result, value)
    elif place.kind == "v":
        for number, (offset, leaf) in enumerate(of.leaves()):
            if leaf.code == "f":
                a.set_s(number, struct.unpack_from("<f", value, offset)[0])
            else:
                a.set_d(number, struct.unpack_from("<d", value, offset)[0])
    else:
        for word in range(aligned(of.size, 8) // 8):
            part = value[word * 8 : word * 8 + 8]
            a.set_x(word, int.from_bytes(extended(of, part) if word == 0 else part, "little"))


def result_value(process: Process, result: Result, of: Type, indirect: int | None) -> bytes:
    """A method's result as its caller finds it."""
    place = place_result(of)
    if place.kind == "memory":
        if indirect is None:
            raise ValueError("a result in memory needs room")
        return process.memory.read(indirect, of.size)
    if place.kind == "v":
        return _members(
            of, 0, lambda number: getattr(result, f"s{number}"), lambda number: getattr(result, f"d{number}")
        )
    words = result.x0.to_bytes(8, "little") + result.x1.to_bytes(8, "little")
    return words[: len(extended(of, bytes(of.size)))]


POINTER = Type("^", 8, 8)
