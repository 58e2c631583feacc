"""`fork`: the child runs on a copy, to its end, and then the parent goes on as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import ProcessExit
from .libsystem.state import SHARED

if TYPE_CHECKING:
    from .process import Process

#: Saves something of the process, and puts it back.
Forkable = tuple[Callable[[], object], Callable[[object], None]]


@dataclass(frozen=True)
class Child:
    """A child that has ended."""

    pid: int
    #: What the child's function returned; None if the process ended itself.
    result: object
    #: The end that the child asked for, if it did.
    exit: ProcessExit | None


def fork(process: Process, child: Callable[[], object], more: list[Forkable]) -> Child:
    """Runs the handlers of `pthread_atfork`, and the child, which has the calling thread only.

    The thread's id and port are new in the child. Files are shared, and stay as the child leaves them.
    """
    system, thread = process.system, process.thread
    for prepare, _, _ in reversed(system.at_fork):
        if prepare:
            process.call(prepare)
    own = process.pid, process.parent_pid, thread.id, thread.port, process.is_forked_child
    saved = [(restore, save()) for save, restore in [*_own(process), *more]]
    process.pid, process.parent_pid, process.is_forked_child = system.next_pid, process.pid, True
    system.next_pid += 1
    thread.id, thread.port = thread.id + 0x10_0000, thread.port + 0x10_0000
    result, ended, pid = None, None, process.pid
    try:
        for _, _, in_child in list(system.at_fork):
            if in_child:
                process.call(in_child)
        result = child()
    except ProcessExit as end:
        ended = end
    finally:
        for restore, state in reversed(saved):
            restore(state)
        process.pid, process.parent_pid, thread.id, thread.port, process.is_forked_child = own
    for _, in_parent, _ in list(system.at_fork):
        if in_parent:
            process.call(in_parent)
    return Child(pid, result, ended)


def _own(process: Process) -> list[Forkable]:
    """The machine's own state."""
    registers = process.thread.registers
    return [
        (process.memory.snapshot, process.memory.restore),  # type: ignore[list-item]
        (process.scheduler.alone, process.scheduler.together),
        (process.files.snapshot, process.files.restore),
        (process.system.snapshot, lambda saved: process.system.restore(saved, SHARED)),
        (process.thread.snapshot, process.thread.restore),
        (registers.snapshot, registers.restore),
    ]
