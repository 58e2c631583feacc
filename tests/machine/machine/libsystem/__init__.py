"""libSystem and dyld as the library sees them: who serves which import, by subject.

A handler does what the manual page says, and what the library may rely on. Where macOS would let wrong use pass silently,
or crash in a way that is hard to read, a handler breaks the run instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    allocation,
    dispatch,
    dyld,
    ending,
    environment,
    files,
    identity,
    log,
    mapping,
    mutex,
    pthread,
    strings,
    thread_variables,
    time,
    unfair_lock,
    unwind,
)

if TYPE_CHECKING:
    from ..process import Process
    from ..stubs import Handler
    from ..threads import Thread

_PARTS = (
    allocation,
    dispatch,
    dyld,
    ending,
    environment,
    files,
    identity,
    log,
    mapping,
    mutex,
    pthread,
    strings,
    thread_variables,
    time,
    unfair_lock,
    unwind,
)

#: All imports that are served.
HANDLERS: dict[str, Handler] = {name: handler for part in _PARTS for name, handler in part.serve.items()}

#: What changes no register but x0, x16, x17 and lr.
KEEPS_REGISTERS = {"__tlv_bootstrap"}
#: What is called so often, and concerns one thread so much, that no other is let run there.
NO_SWITCH = {"__tlv_bootstrap", "___error", "_memcpy", "_memmove", "_memset", "_bzero", "_memcmp", "_strlen"}


def prepare(process: Process, program_base: int) -> None:
    """Makes what has to be there before the library is bound."""
    environment.prepare(process)
    dyld.prepare(process, program_base)
    identity.prepare(process)


def end_thread(process: Process, thread: Thread) -> None:
    """A thread is about to end: its destructors run, and it must hold nothing."""
    pthread.run_destructors(process, thread)
    unfair_lock.check_released(process, thread)
    mutex.check_released(process, thread)


def run_exit_handlers(process: Process) -> None:
    """`exit` without the end of the process."""
    ending.run_handlers(process)


def check_end(process: Process) -> None:
    """What must hold when a test is over."""
    for thread in process.scheduler.threads:
        if thread is not process.thread:
            process.contract(f"a thread has not ended: {process.places.describe_thread(thread)}")
        unfair_lock.check_released(process, thread)
        mutex.check_released(process, thread)
