"""Calls across the edge: what passes what where, and what a call must leave alone."""

from __future__ import annotations

import struct

import pytest

from machine import F32, I8, I32, U8, U16, ContractError, Fault, Process, Struct, UnknownImport
from machine.abi_arm64 import Args, Argument, place
from machine.watchdog import Watchdog

from . import assembly as asm
from . import library as lib
from .conftest import Make

_LOW = 0xFFFF_FFFF


def test_the_first_eight_of_each_kind_are_in_registers() -> None:
    arguments: list[Argument] = [value for number in range(10) for value in (number, number + 0.5)]
    placed = place(tuple(arguments))
    assert placed.x == list(range(8))
    assert [struct.unpack("<d", struct.pack("<Q", bits))[0] for bits in placed.v] == [n + 0.5 for n in range(8)]
    assert bytes(placed.stack) == struct.pack("<QdQd", 8, 8.5, 9, 9.5)


def test_on_the_stack_arguments_are_as_wide_as_they_are() -> None:
    """ "Writing ARM64 code for Apple platforms": no padding but for alignment."""
    placed = place((*range(8), U8(1), U16(2), U8(3), I32(-4), I8(-5), 6))
    assert bytes(placed.stack) == struct.pack("<BxHBxxxibxxxQ", 1, 2, 3, -4, -5, 6)
    placed = place((*(float(n) for n in range(8)), F32(1.0), F32(2.0), 3.0))
    assert bytes(placed.stack) == struct.pack("<ffd", 1.0, 2.0, 3.0)


def test_narrow_arguments_are_extended_to_32_bits() -> None:
    placed = place((I8(-1), U8(255), I32(-2)))
    assert [value & _LOW for value in placed.x] == [0xFFFF_FFFF, 255, 0xFFFF_FFFE]
    assert all(value >> 32 not in (0, _LOW) for value in placed.x)


def test_structures_go_by_their_size() -> None:
    assert place((Struct(b"12345678abcd"),)).x == [0x3837363534333231, 0x64636261]
    copied = place((1, Struct(bytes(range(24)))))
    assert [(kind, where, data) for kind, where, data in copied.copies] == [("x", 1, bytes(range(24)))]
    # No part of a structure is in a register when the other has no room; and none after it goes back.
    split = place((*range(7), Struct(bytes(16)), 9))
    assert len(split.x) == 8
    assert bytes(split.stack) == bytes(16) + struct.pack("<Q", 9)


def test_structures_of_equal_floating_fields_are_in_vector_registers() -> None:
    two = Struct(struct.pack("<2d", 1.0, 2.0), hfa="d")
    four = Struct(struct.pack("<4f", 1, 2, 3, 4), hfa="f")
    assert len(place((two,)).v) == 2
    assert len(place((four, two)).v) == 6
    full = place((four, four, two, 9.0))
    assert bytes(full.stack) == struct.pack("<3d", 1.0, 2.0, 9.0)
    assert len(place((*(0.5 for _ in range(6)), Struct(bytes(24), hfa="d"), 1.0)).v) == 8


def test_a_structure_by_reference_is_the_callees_copy(little: Make) -> None:
    process = little()
    data = struct.pack("<3Q", 1, 2, 3)
    seen: list[bytes] = []
    stub = process.stub("take", lambda p, a: seen.append(p.memory.read(a.x(0), 24)))
    process.call(stub, Struct(data))
    assert seen == [data]


def test_arguments_and_results_of_every_kind_arrive(little: Make) -> None:
    process = little()

    def handler(_p: Process, a: Args) -> None:
        assert (a.x(0), a.i32(1), a.f(0), a.d(1)) == (5, -6, 0.5, 2.5)
        assert [a.stack(slot) for slot in range(2)] == [108, 109]
        a.set_x(1, 11)
        a.set_d(0, 1.25)
        a.set_s(1, 0.125)
        a.set_x(0, 10)

    result = process.call(process.stub("all", handler), 5, I32(-6), F32(0.5), 2.5, *range(102, 110))
    assert (result.x0, result.x1, result.d0, result.s1) == (10, 11, 1.25, 0.125)


def test_an_import_changes_what_it_may_change(little: Make) -> None:
    """Code that counts on x1, or on a vector register, after a call is wrong, and must be seen to be."""
    code = asm.words(
        *asm.ENTER, asm.adr(9, lib.CODE + 8, lib.got(0)), asm.ldr(9, 9), asm.blr(9), asm.mov(0, 1), *asm.LEAVE
    )
    process = little(lib.Contents(code, ["_getpid"], exports={"_sloppy": lib.CODE}))
    result = process.call(process.exports["_sloppy"], 1, 2, 3.5)
    assert result.x0 != 2
    assert result.d0 != 3.5


def test_code_that_spoils_its_callers_registers_is_found(little: Make) -> None:
    process = little(lib.Contents(asm.words(asm.movz(19, 1), asm.RET), exports={"_spoil": lib.CODE}))
    with pytest.raises(ContractError, match=r"_spoil.* returned with x19 0x1 instead of"):
        process.call(process.exports["_spoil"])


def test_a_call_with_a_crooked_stack_is_found(little: Make) -> None:
    sub_sp_8 = 0xD100_23FF
    code = asm.words(sub_sp_8, asm.adr(9, lib.CODE + 4, lib.got(0)), asm.ldr(9, 9), asm.blr(9))
    process = little(lib.Contents(code, ["_getpid"], exports={"_crooked": lib.CODE}))
    with pytest.raises(ContractError, match=r"not a multiple of 16 at a call of _getpid"):
        process.call(process.exports["_crooked"])


def test_handlers_call_back_and_registers_survive_it(little: Make) -> None:
    """Code calls an import, whose handler calls code, which calls another import."""
    code = asm.words(
        *asm.ENTER, asm.adr(9, lib.CODE + 8, lib.got(0)), asm.ldr(9, 9), asm.blr(9), asm.add(0, 0, 1), *asm.LEAVE
    )
    process = little(lib.Contents(code, ["_again"], exports={"_it": lib.CODE}))
    depths: list[int] = []

    @process.on("_again")
    def again(p: Process, a: Args) -> int:
        depths.append(p.thread.depth)
        left = a.x(0)
        return p.call(p.exports["_it"], left - 1).x0 if left else 0

    assert process.call(process.exports["_it"], 5).x0 == 6
    assert depths == [1, 2, 3, 4, 5, 6]


def test_a_handler_can_end_in_a_jump(little: Make) -> None:
    process = little()
    seen: list[tuple[int, float]] = []

    def note(_p: Process, a: Args) -> int:
        seen.append((a.x(3), a.d(2)))
        return 8

    target = process.stub("target", note)
    start = process.stub("start", lambda p, _a: p.jump(target))
    assert process.call(start, 0, 1, 2, 3, 0.0, 1.0, 2.0).x0 == 8
    assert seen == [(3, 2.0)]


def test_an_unknown_import_is_named_with_caller_and_arguments(little: Make) -> None:
    code = asm.words(*asm.ENTER, asm.adr(9, lib.CODE + 8, lib.got(0)), asm.ldr(9, 9), asm.blr(9), *asm.LEAVE)
    process = little(lib.Contents(code, ["_whatever"], exports={"_it": lib.CODE}))
    with pytest.raises(UnknownImport, match=r"_whatever\(x0=0x2a, x1=0x7.*\n.*little\.dylib\+0x1014"):
        process.call(process.exports["_it"], 42, 7)


def test_a_trap_is_no_return(little: Make) -> None:
    process = little(lib.Contents(asm.words(asm.TRAP), exports={"_it": lib.CODE}))
    with pytest.raises(Fault, match="exception of the processor"):
        process.call(process.exports["_it"])


def test_an_endless_loop_ends(little: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watchdog, "limit_s", 0.5)
    process = little(lib.Contents(asm.words(asm.b(0)), exports={"_it": lib.CODE}))
    with pytest.raises(Fault, match="an endless loop"):
        process.call(process.exports["_it"])


def test_after_an_error_the_process_can_still_be_called(little: Make) -> None:
    process = little(lib.Contents(asm.words(asm.TRAP), exports={"_it": lib.CODE}))
    with pytest.raises(Fault):
        process.call(process.exports["_it"])
    assert process.thread.depth == 0
    assert process.call(process.stubs.imported("_getpid")).x0 == process.pid
