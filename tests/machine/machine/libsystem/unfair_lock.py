"""`os_unfair_lock` (os/lock.h): a word that holds the owner's port.

On macOS, to lock it again on the same thread, or to unlock another thread's, ends the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process
    from ..threads import Thread

serve = Table()


@serve("_os_unfair_lock_lock", "_os_unfair_lock_lock_with_options", "_os_unfair_lock_lock_with_flags")
def lock(p: Process, a: Args) -> None:
    """Waits for the lock without end."""
    word = a.x(0)
    p.system.unfair_locks.add(word)
    if p.memory.u32(word) == p.thread.port:
        p.contract(f"os_unfair_lock {word:#x} is locked again by its owner: macOS would end the process")
    p.block_until(lambda: p.memory.u32(word) == 0, f"os_unfair_lock {word:#x}, held by {_holder(p, word)}")
    p.memory.put_u32(word, p.thread.port)


@serve("_os_unfair_lock_trylock")
def trylock(p: Process, a: Args) -> int:
    """Takes the lock if it is free."""
    word = a.x(0)
    p.system.unfair_locks.add(word)
    if p.memory.u32(word):
        return 0
    p.memory.put_u32(word, p.thread.port)
    return 1


@serve("_os_unfair_lock_unlock")
def unlock(p: Process, a: Args) -> None:
    """Gives the lock back."""
    word = a.x(0)
    if p.memory.u32(word) != p.thread.port:
        p.contract(
            f"os_unfair_lock {word:#x} is unlocked by thread {p.thread.id:#x}, but held by {_holder(p, word)}: "
            "macOS would end the process"
        )
    p.memory.put_u32(word, 0)


@serve("_os_unfair_lock_assert_owner")
def assert_owner(p: Process, a: Args) -> None:
    """Ends the process unless the caller holds the lock."""
    if p.memory.u32(a.x(0)) != p.thread.port:
        p.contract(f"os_unfair_lock {a.x(0):#x} is not the caller's")


def _holder(p: Process, word: int) -> str:
    port = p.memory.u32(word)
    names = [f"thread {thread.id:#x} ({thread.name})" for thread in p.scheduler.threads if thread.port == port]
    return names[0] if names else ("nobody" if port == 0 else f"port {port:#x}, which is no living thread's")


def check_released(p: Process, thread: Thread) -> None:
    """A thread that ends, or a test that is over, holds none."""
    held = [word for word in sorted(p.system.unfair_locks) if p.memory.u32(word) == thread.port]
    if held:
        p.contract(f"thread {thread.id:#x} ({thread.name}) still holds os_unfair_lock {', '.join(map(hex, held))}")
