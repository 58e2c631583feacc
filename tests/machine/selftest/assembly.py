"""The few arm64 instructions that the tests' own libraries are made of ("Arm Architecture Reference Manual", C6)."""

from __future__ import annotations

import struct


def words(*instructions: int) -> bytes:
    """Instructions as bytes."""
    return struct.pack(f"<{len(instructions)}I", *instructions)


RET = 0xD65F_03C0
NOP = 0xD503_201F
TRAP = 0xD420_0020
#: stp x29, x30, [sp, #-16]! and mov x29, sp: what a function begins with.
ENTER = (0xA9BF_7BFD, 0x9100_03FD)
#: ldp x29, x30, [sp], #16 and ret.
LEAVE = (0xA8C1_7BFD, RET)


def adr(register: int, here: int, there: int) -> int:
    """The address `there` into a register; both are offsets in the image, less than 1 MiB apart."""
    distance = there - here
    return 0x1000_0000 | (distance & 3) << 29 | (distance >> 2 & 0x7FFFF) << 5 | register


def ldr(register: int, base: int, offset: int = 0) -> int:
    """Eight bytes from memory."""
    return 0xF940_0000 | offset // 8 << 10 | base << 5 | register


def str_(register: int, base: int, offset: int = 0) -> int:
    """Eight bytes to memory."""
    return 0xF900_0000 | offset // 8 << 10 | base << 5 | register


def mov(to: int, register: int) -> int:
    """A register into another."""
    return 0xAA00_03E0 | register << 16 | to


def movz(register: int, value: int) -> int:
    """A number of 16 bits into a register."""
    return 0xD280_0000 | value << 5 | register


def add(to: int, register: int, value: int) -> int:
    """The sum of a register and a number of 12 bits."""
    return 0x9100_0000 | value << 10 | register << 5 | to


def blr(register: int) -> int:
    """Calls the code at an address."""
    return 0xD63F_0000 | register << 5


def br(register: int) -> int:
    """Jumps to an address."""
    return 0xD61F_0000 | register << 5


def b(words_away: int) -> int:
    """Jumps so many instructions."""
    return 0x1400_0000 | words_away & 0x3FF_FFFF


def mrs_counter(register: int) -> int:
    """Reads `cntvct_el0`."""
    return 0xD53B_E040 | register
