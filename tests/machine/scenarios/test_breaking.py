"""The scenarios can fail: a library in which one instruction of a forwarder is taken out is found out."""

from __future__ import annotations

from pathlib import Path

import pytest

from machine import MachineError
from scenarios.test_shapes import drive
from scenarios.world import World

NOP = (0xD503201F).to_bytes(4, "little")
INSTRUCTIONS = (
    ("x8, where a result belongs", (0xF9402268, 0xD63F0200), "{?=QQQ}@:d"),  # ldr x8, [x19, #64]; blr x16
    ("x6 and x7", (0xA9431E66, 0xF9402268), "v@:dQQQQQ"),  # ldp x6, x7, [x19, #48]; ldr x8, [x19, #64]
    ("words on the stack", (0xF80085AE, 0xD100054A), "v@:dQQQQQQQ"),  # str x14, [x13], #8; sub x10, x10, #1
)
"""What is not passed on, the instruction of `invoke` (hooks/forward/aarch64.rs) that does it and its next, a method."""


def broken(library: Path, folder: Path, instructions: tuple[int, int]) -> Path:
    """A copy of the library without the first of two instructions, which it has once in a row."""
    code = library.read_bytes()
    first, second = (it.to_bytes(4, "little") for it in instructions)
    assert code.count(first + second) == 1, "the forwarder has changed: name its instructions here"
    path = folder / library.name
    path.write_bytes(code.replace(first + second, NOP + second))
    return path


@pytest.mark.parametrize(("what", "instructions", "encoding"), INSTRUCTIONS, ids=[what for what, _, _ in INSTRUCTIONS])
def test_a_broken_forwarder_is_noticed(
    library: Path, tmp_path: Path, what: str, instructions: tuple[int, int], encoding: str
) -> None:
    world = World(broken(library, tmp_path, instructions), records_all=True)
    with world.process, pytest.raises((AssertionError, MachineError)):
        drive(world, [encoding])


def test_the_same_methods_pass_with_the_library_as_it_is(library: Path) -> None:
    world = World(library, records_all=True)
    with world.process:
        drive(world, [encoding for _, _, encoding in INSTRUCTIONS])
