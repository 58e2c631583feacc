"""Exceptions, through frames of each kind; the personality function is the test's own."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from machine import ForeignException, Process
from machine.abi_arm64 import Args
from machine.libsystem.unwind import serve
from machine.unwinding import NoTable

from . import assembly as asm
from . import library as lib
from . import unwind_info as unwind
from .conftest import Make, system

_PERSONALITY, _THROW, _RESUME = range(3)
_IMPORTS = ["_personality", "_throw", "__Unwind_Resume"]
_SEARCH, _CLEANUP = 1, 2
_FOUND, _INSTALL, _CONTINUE = 6, 7, 8
#: What a test's frame is known by: its LSDA.
_LSDA = 0x1800


def call_import(at: int, slot: int) -> tuple[int, ...]:
    """Calls an import, clobbering x9; `at` is where the first of the three instructions is."""
    return asm.adr(9, at, lib.got(slot)), asm.ldr(9, 9), asm.blr(9)


#: stp x20, x19, [sp, #-32]!; stp x29, x30, [sp, #16]; add x29, sp, #16, and its opposite.
_ENTER = (0xA9BE_4FF4, 0xA901_7BFD, 0x9100_43FD)
_LEAVE = (0xA941_7BFD, 0xA8C2_4FF4, asm.RET)


def saving_frame() -> bytes:
    """A function with a frame, which changes x19, throws, and in its landing pad returns x19 or goes on unwinding."""
    here = lib.CODE
    code = [*_ENTER, asm.movz(19, 7)]
    code += call_import(here + 4 * len(code), _THROW)
    code += [asm.movz(0, 1), *_LEAVE]  # returned as if nothing had been
    landing = len(code)
    code += [asm.mov(0, 19), *_LEAVE]
    cleaning = len(code)
    code += [asm.movz(19, 1), *call_import(here + 4 * (cleaning + 1), _RESUME), asm.TRAP]
    assert (landing, cleaning) == (11, 15)
    return asm.words(*code)


LANDING, CLEANING = lib.CODE + 4 * 11, lib.CODE + 4 * 15


@dataclass
class Personality:
    """Answers as told, and notes what it was asked."""

    #: Whether the frame handles exceptions.
    handles: bool
    asked: list[int] = field(default_factory=list)

    def __call__(self, p: Process, a: Args) -> int:
        actions, thrown, context = a.x(1), a.x(3), a.x(4)
        self.asked.append(actions)
        assert system(p, "__Unwind_GetLanguageSpecificData", context).x0 == p.image.base + _LSDA
        assert system(p, "__Unwind_GetRegionStart", context).x0 == p.image.base + lib.CODE
        before = p.memory.alloc(4)
        ip = system(p, "__Unwind_GetIPInfo", context, before).x0
        if ip > p.image.base + CLEANING:
            return _CONTINUE  # the landing pad's own call: nothing is left to clean up
        if actions & _SEARCH:
            return _FOUND if self.handles else _CONTINUE
        system(p, "__Unwind_SetGR", context, 0, thrown)
        system(p, "__Unwind_SetIP", context, p.image.base + (LANDING if self.handles else CLEANING))
        return _INSTALL


def make(little: Make, kind: str, handles: bool) -> tuple[Process, Personality]:
    """A process whose library has one function, described in a way."""
    code = saving_frame()
    eh_frame, entry = b"", 0
    if kind == "dwarf":
        # After three instructions: sp is x29 + 16; x29, x30 lie at -16, -8; x20, x19 at -32, -24.
        program = b"\x4c\x0c\x1d\x10\x9e\x01\x9d\x02\x93\x03\x94\x04"
        eh_frame, entry = unwind.eh_frame(lib.EH_FRAME, lib.CODE, len(code), lib.got(_PERSONALITY), _LSDA, program)
    encoding = unwind.DWARF | entry if kind == "dwarf" else unwind.FRAME | unwind.X19_X20
    functions = [unwind.Function(lib.CODE, encoding, _LSDA), unwind.Function(lib.CODE + len(code), 0)]
    table = unwind.section(functions, lib.CODE + len(code) + 4, lib.got(_PERSONALITY), kind == "compressed")
    contents = lib.Contents(code, _IMPORTS, exports={"_it": lib.CODE}, unwind_info=table, eh_frame=eh_frame)
    process = little(contents)
    personality = Personality(handles)
    process.imports["_personality"] = personality
    process.imports["_throw"] = lambda p, _a: p.throw("thrown")
    return process, personality


@pytest.mark.parametrize("kind", ["regular", "compressed", "dwarf"])
def test_a_frame_that_handles_an_exception_goes_on_with_its_registers(little: Make, kind: str) -> None:
    process, personality = make(little, kind, handles=True)
    assert process.call(process.exports["_it"]).x0 == 7
    assert personality.asked == [_SEARCH, _CLEANUP | 4]


@pytest.mark.parametrize("kind", ["regular", "compressed", "dwarf"])
def test_a_frame_that_only_cleans_up_passes_it_on(little: Make, kind: str) -> None:
    process, personality = make(little, kind, handles=False)
    with pytest.raises(ForeignException) as error:
        process.call(process.exports["_it"])
    assert error.value.payload == "thrown"
    assert personality.asked == [_SEARCH, _CLEANUP, _CLEANUP]


def test_an_exception_passes_the_tests_own_frames(little: Make) -> None:
    """Library, handler, library, handler that throws: the inner library frame cleans up, the outer one handles it."""
    process, personality = make(little, "regular", handles=False)
    depth: list[int] = []

    @process.on("_throw")
    def again(p: Process, _a: Args) -> None:
        depth.append(p.thread.depth)
        if len(depth) == 2:
            p.throw("from within")
        try:
            p.call(p.exports["_it"])
        except ForeignException as thrown:
            assert thrown.payload == "from within"
            personality.handles = True
            raise

    assert process.call(process.exports["_it"]).x0 == 7
    assert depth == [1, 2]
    assert personality.asked == [_SEARCH, _CLEANUP, _CLEANUP, _SEARCH, _CLEANUP | 4]


def test_registers_are_the_callers_again(little: Make) -> None:
    process, _ = make(little, "dwarf", handles=True)
    before = process.thread.registers.kept()
    process.call(process.exports["_it"])
    assert process.thread.registers.kept() == before


def test_code_that_cannot_be_left_is_named(little: Make) -> None:
    code = saving_frame()
    table = unwind.section(
        [unwind.Function(lib.CODE, 0)], lib.CODE + len(code), lib.got(_PERSONALITY), compressed=False
    )
    process = little(lib.Contents(code, _IMPORTS, exports={"_it": lib.CODE}, unwind_info=table))
    process.imports["_throw"] = lambda p, _a: p.throw("thrown")
    with pytest.raises(NoTable, match=r"0x101b in /opt/little\.dylib, which has no unwind information"):
        process.call(process.exports["_it"])


def test_frames_are_told_of(little: Make) -> None:
    process, _ = make(little, "dwarf", handles=True)
    seen: list[str] = []

    def note(p: Process, a: Args) -> int:
        seen.append(p.where(system(p, "__Unwind_GetIP", a.x(0)).x0).split()[0])
        return 0

    callback = process.stub("note", note)
    process.imports["_throw"] = serve["__Unwind_Backtrace"]
    # The function's argument, in x0, is still there when it calls `_throw`.
    process.call(process.exports["_it"], callback)
    assert seen == ["little.dylib+0x101c"]
