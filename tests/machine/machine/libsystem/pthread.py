"""Threads: who is who, values of their own, fork handlers (pthread.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errno import EINVAL
from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process
    from ..threads import Thread

serve = Table()

#: How often destructors that make new values are called again (`PTHREAD_DESTRUCTOR_ITERATIONS`).
_ROUNDS = 4
_NAME_AT = 32


@serve("_pthread_self")
def pthread_self(p: Process, _a: Args) -> int:
    """The thread's handle."""
    return p.thread.handle


@serve("_pthread_threadid_np")
def thread_id(p: Process, a: Args) -> int:
    """The system-wide id of a thread; 0 asks for the caller's."""
    threads = [thread for thread in p.scheduler.threads if thread.handle == a.x(0)] if a.x(0) else [p.thread]
    if not threads:
        return 3  # ESRCH
    p.memory.put_u64(a.x(1), threads[0].id)
    return 0


@serve("_pthread_mach_thread_np", "_mach_thread_self")
def port(p: Process, _a: Args) -> int:
    """The thread's port."""
    return p.thread.port


@serve("_pthread_main_np")
def is_main(p: Process, _a: Args) -> int:
    """Whether this is the first thread."""
    return int(p.thread.name == "main")


@serve("_pthread_get_stackaddr_np")
def stack_address(p: Process, _a: Args) -> int:
    """The stack's highest address."""
    return p.thread.stack[1]


@serve("_pthread_get_stacksize_np")
def stack_size(p: Process, _a: Args) -> int:
    """The stack's size in bytes."""
    return p.thread.stack[1] - p.thread.stack[0]


@serve("_pthread_setname_np")
def set_name(p: Process, a: Args) -> int:
    """Names the thread."""
    p.thread.name = p.memory.cstring(a.x(0))
    return 0


@serve("_pthread_getname_np")
def get_name(p: Process, a: Args) -> int:
    """The thread's name."""
    p.memory.write(a.x(1), p.thread.name.encode()[: a.x(2) - 1] + b"\0")
    return 0


@serve("_sched_yield", "_pthread_yield_np")
def sched_yield(_p: Process, _a: Args) -> int:
    """Lets another go on, as every call does."""
    return 0


@serve("_pthread_key_create")
def key_create(p: Process, a: Args) -> int:
    """A key under which every thread has a value of its own."""
    key = 256 + len(p.system.keys)
    p.system.keys[key] = a.x(1)
    p.memory.put_u64(a.x(0), key)
    return 0


@serve("_pthread_key_delete")
def key_delete(p: Process, a: Args) -> int:
    """The key is void; its values are forgotten, not destroyed."""
    p.system.keys[a.x(0)] = 0
    for thread in p.scheduler.threads:
        thread.specific.pop(a.x(0), None)
    return 0


@serve("_pthread_setspecific")
def set_specific(p: Process, a: Args) -> int:
    """The thread's value of a key."""
    if a.x(0) not in p.system.keys:
        return EINVAL
    p.thread.specific[a.x(0)] = a.x(1)
    return 0


@serve("_pthread_getspecific")
def get_specific(p: Process, a: Args) -> int:
    """The thread's value of a key."""
    return p.thread.specific.get(a.x(0), 0)


@serve("__tlv_atexit")
def at_thread_exit(p: Process, a: Args) -> None:
    """A function to be called when the thread ends."""
    p.thread.at_end.append((a.x(0), a.x(1)))


@serve("_pthread_atfork")
def at_fork(p: Process, a: Args) -> int:
    """Functions around `fork`."""
    p.system.at_fork.append((a.x(0), a.x(1), a.x(2)))
    return 0


@serve("_pthread_create")
def create(p: Process, a: Args) -> int:
    """Starts a thread."""
    place, function, argument = a.x(0), a.x(2), a.x(3)
    thread = p.spawn(lambda: p.call(function, argument).x0, "pthread")
    p.memory.put_u64(place, thread.handle)
    return 0


@serve("_pthread_join")
def join(p: Process, a: Args) -> int:
    """Waits for a thread's end."""
    found = [thread for thread in p.scheduler.threads if thread.handle == a.x(0)]
    for thread in found:
        p.block_until(lambda: thread.done, f"the end of {thread.name}")  # noqa: B023 - called before the next turn
    if a.x(1):
        p.memory.put_u64(a.x(1), found[0].result if found else 0)
    return 0


@serve("_pthread_detach", "_pthread_attr_init", "_pthread_attr_setstacksize", "_pthread_attr_destroy")
def nothing_to_do(_p: Process, _a: Args) -> int:
    """What has no consequence here."""
    return 0


def run_destructors(p: Process, thread: Thread) -> None:
    """What macOS calls when a thread ends: of thread variables, last registered first, then of keys."""
    while thread.at_end:
        function, argument = thread.at_end.pop()
        p.call(function, argument)
    for _ in range(_ROUNDS):
        values = [(key, value) for key, value in thread.specific.items() if value and p.system.keys.get(key)]
        if not values:
            return
        for key, value in values:
            thread.specific[key] = 0
            p.call(p.system.keys[key], value)
