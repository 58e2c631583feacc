"""Memory: whatever is used wrongly is found where it happens."""

from __future__ import annotations

import pytest

from machine import ContractError, Fault, HeapError, Process

from . import assembly as asm
from . import library as lib
from .conftest import Make, system

#: x0 = *x0
LOAD = asm.words(asm.ldr(0, 0), asm.RET)
#: *x0 = x1
STORE = asm.words(asm.str_(1, 0), asm.RET)
#: jumps to x0
JUMP = asm.words(asm.br(0))


def with_code(little: Make, code: bytes) -> tuple[Process, int]:
    process = little(lib.Contents(code, exports={"_it": lib.CODE}))
    return process, process.exports["_it"]


def test_a_block_can_be_used_to_its_edge(little: Make) -> None:
    process, load = with_code(little, LOAD)
    block = system(process, "_malloc", 24).x0
    process.memory.put_u64(block + 16, 7)
    assert process.call(load, block + 16).x0 == 7


@pytest.mark.parametrize("offset", [-8, -1, 17, 24, 4096])
@pytest.mark.parametrize("code", [LOAD, STORE])
def test_code_that_leaves_a_block_is_found(little: Make, code: bytes, offset: int) -> None:
    process, access = with_code(little, code)
    block = system(process, "_malloc", 24).x0
    with pytest.raises(HeapError, match=r"are of no block: .* bytes into the block of|before every block"):
        process.call(access, block + offset)


@pytest.mark.parametrize("code", [LOAD, STORE])
def test_code_that_uses_a_freed_block_is_found_with_both_places(little: Make, code: bytes) -> None:
    process, access = with_code(little, code)
    block = system(process, "_malloc", 24).x0
    system(process, "_free", block)
    with pytest.raises(HeapError, match=r"used after they were freed: .* made at _malloc.*freed at _free") as error:
        process.call(access, block)
    assert "little.dylib+0x1000" in str(error.value)


def test_the_system_may_not_use_a_freed_block_either(little: Make) -> None:
    process = little()
    block = system(process, "_malloc", 24).x0
    system(process, "_free", block)
    with pytest.raises(HeapError, match="used after they were freed"):
        system(process, "_memset", block, 0, 24)


def test_a_block_is_freed_once_and_at_its_beginning(little: Make) -> None:
    process = little()
    block = system(process, "_malloc", 24).x0
    with pytest.raises(HeapError, match=r"is no block: 8 bytes into the block of 24 bytes"):
        system(process, "_free", block + 8)
    system(process, "_free", block)
    with pytest.raises(HeapError, match=r"is freed twice: .*freed at _free"):
        system(process, "_free", block)


def test_what_is_reallocated_has_moved(little: Make) -> None:
    process = little()
    old = system(process, "_malloc", 8).x0
    process.memory.put_u64(old, 11)
    new = system(process, "_realloc", old, 64).x0
    assert process.memory.u64(new) == 11
    with pytest.raises(HeapError, match="after they were freed"):
        process.memory.u64(old)


def test_new_blocks_hold_nothing_of_use_unless_zeros_are_asked_for(little: Make) -> None:
    process = little()
    assert process.memory.read(system(process, "_malloc", 4).x0, 4) == b"\xa5" * 4
    assert process.memory.read(system(process, "_calloc", 2, 2).x0, 4) == bytes(4)
    place = process.memory.alloc(8)
    assert system(process, "_posix_memalign", place, 128, 100).x0 == 0
    assert process.memory.u64(place) % 128 == 0


def test_code_is_not_written(little: Make) -> None:
    process, store = with_code(little, STORE)
    with pytest.raises(Fault, match=r"writes to 0x104001000 .*nothing allows it"):
        process.call(store, process.image.base + lib.CODE, 1)
    with pytest.raises(ContractError, match=r"__TEXT .*may not be written"):
        system(process, "_memset", process.image.base, 0, 8)


def test_data_is_not_executed(little: Make) -> None:
    process, jump = with_code(little, JUMP)
    with pytest.raises(Fault, match="jumps to"):
        process.call(jump, process.memory.alloc(16))


@pytest.mark.parametrize("address", [0, 0x5C8, 0xDFDFDFDFDFDFDFDF])
def test_an_address_without_memory_is_named(little: Make, address: int) -> None:
    process, load = with_code(little, LOAD)
    with pytest.raises(Fault, match=rf"reads from {address:#x} .*\n.*little.dylib\+0x1000"):
        process.call(load, address)


def test_a_stack_that_is_too_deep_ends_in_nothing(little: Make) -> None:
    # Pushes for ever.
    code = asm.words(asm.ENTER[0], asm.b(-1))
    process, push = with_code(little, code)
    with pytest.raises(Fault, match="writes to"):
        process.call(push)


def test_copies_may_not_overlap_where_the_manual_forbids_it(little: Make) -> None:
    process = little()
    block = process.memory.alloc(32)
    process.memory.write(block, b"0123456789")
    system(process, "_memmove", block + 1, block, 9)
    assert process.memory.read(block, 10) == b"0012345678"
    with pytest.raises(ContractError, match="overlap"):
        system(process, "_memcpy", block + 1, block, 9)
