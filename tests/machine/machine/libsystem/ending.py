"""How a process ends (stdlib.h, unistd.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Aborted, ProcessExit
from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process

serve = Table()


@serve("_atexit")
def atexit(p: Process, a: Args) -> int:
    """A function without arguments, to be called by `exit`."""
    p.system.at_exit.append((a.x(0), 0))
    return 0


@serve("___cxa_atexit")
def cxa_atexit(p: Process, a: Args) -> int:
    """A function with one argument, to be called by `exit`."""
    p.system.at_exit.append((a.x(0), a.x(1)))
    return 0


def run_handlers(p: Process) -> None:
    """Calls what was registered, last first; a handler may register others."""
    while p.system.at_exit:
        function, argument = p.system.at_exit.pop()
        p.call(function, argument)


@serve("_exit")
def leave(p: Process, a: Args) -> None:
    """`exit`."""
    run_handlers(p)
    raise ProcessExit(a.i32(0) & 0xFF, immediate=False)


@serve("__exit", "__Exit")
def leave_at_once(_p: Process, a: Args) -> None:
    """`_exit`."""
    raise ProcessExit(a.i32(0) & 0xFF, immediate=True)


@serve("_abort")
def abort(_p: Process, _a: Args) -> None:
    """`abort`."""
    raise Aborted("the process aborted itself")


@serve("___stack_chk_fail", "___assert_rtn")
def check_failed(_p: Process, _a: Args) -> None:
    """A check of the C compiler's or library's failed."""
    raise Aborted("a check of the C library's failed")
