"""`dispatch_semaphore`, by which Rust's standard library parks threads, and `dispatch_once`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process

serve = Table()

_FOREVER = (1 << 64) - 1


@serve("_dispatch_semaphore_create")
def create(p: Process, a: Args) -> int:
    """A semaphore with a count."""
    address = p.memory.alloc(64)
    p.system.semaphores[address] = a.i(0)
    return address


def _known(p: Process, address: int) -> int:
    if address not in p.system.semaphores:
        p.contract(f"{address:#x} is no semaphore, or was released")
    return address


@serve("_dispatch_semaphore_wait")
def wait(p: Process, a: Args) -> int:
    """Takes one, waiting for it; not 0 when the time is over."""
    it, counts = _known(p, a.x(0)), p.system.semaphores
    deadline = None if a.x(1) == _FOREVER else a.x(1) * 125 // 3
    if not p.block_until(lambda: counts[it] > 0, f"semaphore {it:#x}", deadline):
        return 49  # KERN_OPERATION_TIMED_OUT
    counts[it] -= 1
    return 0


@serve("_dispatch_semaphore_signal")
def signal(p: Process, a: Args) -> int:
    """Gives one."""
    p.system.semaphores[_known(p, a.x(0))] += 1
    return 0


@serve("_dispatch_release")
def release(p: Process, a: Args) -> None:
    """The semaphore is void."""
    del p.system.semaphores[_known(p, a.x(0))]
    p.memory.free(a.x(0))


@serve("_dispatch_time")
def dispatch_time(p: Process, a: Args) -> int:
    """A time so many nanoseconds after another (0: now), in ticks of the processor's counter."""
    since = p.clock.ticks if a.x(0) == 0 else a.x(0)
    return _FOREVER if since == _FOREVER else since + a.i(1) * 3 // 125
