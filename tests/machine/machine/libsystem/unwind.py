"""Exceptions: the interface of libunwind ("Itanium C++ ABI: Exception Handling", 1).

The world outside catches everything: what no frame of the library handles ends as `ForeignException`, in the test, or in
the handler that had called the library, from where it goes on through the frames that had called the handler.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..abi_arm64 import Continue, Leave
from ..errors import Aborted, ForeignException
from ..registers import LR, PC
from ..unwinding import Cursor, Frame
from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process

serve = Table()

#: `_Unwind_Reason_Code`.
_NO_REASON, _END_OF_STACK, _HANDLER_FOUND, _INSTALL_CONTEXT, _CONTINUE_UNWIND = 0, 5, 6, 7, 8
#: `_Unwind_Action`.
_SEARCH, _CLEANUP, _HANDLER_FRAME = 1, 2, 4
#: `struct _Unwind_Exception`: class, clean-up, two words of ours; here the frame that handles it.
_SIZE, _CLEAN_UP_AT, _HANDLER_AT = 32, 8, 24
#: No frame of the library handles it.
_OUTSIDE = (1 << 64) - 1
#: "CLNGOBJC", the class of Objective-C's exceptions.
_OBJECTIVE_C = 0x434C_4E47_4F42_4A43


def make(p: Process) -> int:
    """An exception that is not Rust's, as Objective-C makes them."""
    address = p.memory.alloc(_SIZE)
    p.memory.write(address, struct.pack("<4Q", _OBJECTIVE_C, 0, 0, 0))
    return address


def _cursor(p: Process) -> Cursor:
    """The frame that calls the system."""
    registers = p.thread.registers
    cursor = Cursor(p.image, p.memory, registers.snapshot())
    cursor.registers.set_x(PC, registers.x(LR))
    return cursor


class _Context:
    """What a personality function sees of a frame."""

    def __init__(self, cursor: Cursor, frame: Frame) -> None:
        self.cursor, self.frame = cursor, frame


_contexts: dict[int, _Context] = {}


@contextmanager
def _context(p: Process, cursor: Cursor, frame: Frame) -> Iterator[int]:
    """An address that stands for a frame."""
    address = p.memory.alloc(16)
    _contexts[address] = _Context(cursor, frame)
    try:
        yield address
    finally:
        del _contexts[address]
        p.memory.free(address)


def _ask(p: Process, actions: int, thrown: int, cursor: Cursor, frame: Frame) -> int:
    with _context(p, cursor, frame) as context:
        answer = p.call(frame.personality, 1, actions, p.memory.u64(thrown), thrown, context)
    return answer.x0 & 0xFFFF_FFFF


def _search(p: Process, thrown: int) -> int:
    """The first phase: the stack pointer of the frame that handles the exception."""
    cursor = _cursor(p)
    while (frame := cursor.frame()) is not None:
        if frame.personality:
            answer = _ask(p, _SEARCH, thrown, cursor, frame)
            if answer == _HANDLER_FOUND:
                return cursor.sp
            if answer != _CONTINUE_UNWIND:
                p.contract(f"a personality function answers {answer} in the search phase")
        cursor.step(frame)
    return _OUTSIDE


def _clean_up(p: Process, thrown: int, payload: object) -> Continue | Leave:
    """The second phase: the next frame that has something to do goes on; without one, the exception is outside."""
    handler = p.memory.u64(thrown + _HANDLER_AT)
    cursor = _cursor(p)
    while (frame := cursor.frame()) is not None:
        if frame.personality:
            actions = _CLEANUP | (_HANDLER_FRAME if cursor.sp == handler else 0)
            landing = cursor.copy()
            answer = _ask(p, actions, thrown, landing, frame)
            if answer == _INSTALL_CONTEXT:
                p.system.thrown[thrown] = payload
                return Continue(landing.registers.snapshot())
            if answer != _CONTINUE_UNWIND:
                p.contract(f"a personality function answers {answer} in the clean-up phase")
        cursor.step(frame)
    return Leave(ForeignException(thrown, payload))


def throw(p: Process, thrown: int, payload: object) -> Continue | Leave:
    """Throws from where the running thread calls the system: what its handler returns."""
    p.memory.put_u64(thrown + _HANDLER_AT, _search(p, thrown))
    return _clean_up(p, thrown, payload)


@serve("__Unwind_RaiseException")
def raise_exception(p: Process, a: Args) -> Continue | Leave:
    """Throws."""
    return throw(p, a.x(0), None)


@serve("__Unwind_Resume", "__Unwind_Resume_or_Rethrow")
def resume(p: Process, a: Args) -> Continue | Leave:
    """A frame has cleaned up."""
    return _clean_up(p, a.x(0), p.system.thrown.get(a.x(0)))


@serve("__Unwind_DeleteException")
def delete(p: Process, a: Args) -> None:
    """An exception was caught and is no longer needed: its own clean-up, with the reason "caught by foreign code"."""
    clean_up = p.memory.u64(a.x(0) + _CLEAN_UP_AT)
    if clean_up:
        p.call(clean_up, 1, a.x(0))


@serve("__Unwind_Backtrace")
def backtrace(p: Process, a: Args) -> int:
    """Tells of every frame, innermost first, until told to stop."""
    cursor = _cursor(p)
    while (frame := cursor.frame()) is not None:
        with _context(p, cursor, frame) as context:
            if p.call(a.x(0), context, a.x(1)).x0 & 0xFFFF_FFFF != _NO_REASON:
                break
        cursor.step(frame)
    return _END_OF_STACK


def _seen(p: Process, address: int) -> _Context:
    found = _contexts.get(address)
    if found is None:
        p.contract(f"{address:#x} is no context of libunwind")
    return found


@serve("__Unwind_GetLanguageSpecificData")
def language_specific_data(p: Process, a: Args) -> int:
    """The function's table of landing pads."""
    return _seen(p, a.x(0)).frame.lsda


@serve("__Unwind_GetRegionStart")
def region_start(p: Process, a: Args) -> int:
    """The function's first instruction."""
    return _seen(p, a.x(0)).frame.start


@serve("__Unwind_GetIP")
def get_ip(p: Process, a: Args) -> int:
    """Where the frame goes on."""
    return _seen(p, a.x(0)).cursor.pc


@serve("__Unwind_GetIPInfo")
def get_ip_info(p: Process, a: Args) -> int:
    """The same, and that it is behind the call."""
    p.memory.put_u32(a.x(1), 0)
    return _seen(p, a.x(0)).cursor.pc


@serve("__Unwind_GetCFA")
def get_cfa(p: Process, a: Args) -> int:
    """The frame's stack pointer."""
    return _seen(p, a.x(0)).cursor.sp


@serve("__Unwind_GetGR")
def get_gr(p: Process, a: Args) -> int:
    """A register."""
    return _seen(p, a.x(0)).cursor.registers.x(a.u32(1))


@serve("__Unwind_SetGR")
def set_gr(p: Process, a: Args) -> None:
    """A register for the landing pad."""
    _seen(p, a.x(0)).cursor.registers.set_x(a.u32(1), a.x(2))


@serve("__Unwind_SetIP")
def set_ip(p: Process, a: Args) -> None:
    """The landing pad."""
    _seen(p, a.x(0)).cursor.registers.set_x(PC, a.x(1))


@serve("__Unwind_GetTextRelBase", "__Unwind_GetDataRelBase")
def relative_base(_p: Process, _a: Args) -> int:
    """Of formats that Mach-O does not use."""
    raise Aborted("libunwind's functions for relative bases abort on macOS")
