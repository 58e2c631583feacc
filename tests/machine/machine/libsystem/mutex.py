"""Mutexes and conditions of POSIX threads. All their state is in the process's memory, as on macOS.

Layout of ours, behind the signature that macOS's headers give (pthread_impl.h): a mutex's type at 8, count at 12, owner's
port at 16; a condition has none, who sleeps on it is in `System.sleepers`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .errno import EBUSY, EDEADLK, EINVAL, EPERM, ETIMEDOUT
from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process
    from ..threads import Thread

serve = Table()

#: `_PTHREAD_MUTEX_SIG_init` and its kin for other types, from 0x32AAABA1 on; `_PTHREAD_COND_SIG_init`.
_STATIC_MUTEX, _STATIC_CONDITION = 0x32AA_ABA7, 0x3CB0_B1BB
_STATIC_TYPES = {0x32AA_ABA7: 0, 0x32AA_ABA1: 1, 0x32AA_ABA2: 2, 0x32AA_ABA3: 0}
#: The same once initialised: "MUTX", "COND", "MTXA".
_MUTEX, _CONDITION, _ATTRIBUTES = 0x4D55_5458, 0x434F_4E44, 0x4D54_5841
_NORMAL, _ERRORCHECK, _RECURSIVE = 0, 1, 2


def _mutex(p: Process, address: int, doing: str) -> int:
    """Sees that a mutex is one; its type."""
    signature = p.memory.u64(address)
    if signature in _STATIC_TYPES:
        p.memory.put_u64(address, _MUTEX)
        p.memory.put_u32(address + 8, _STATIC_TYPES[signature])
        p.memory.put_u64(address + 16, 0)
        p.memory.put_u32(address + 12, 0)
    elif signature != _MUTEX:
        p.contract(
            f"{doing} of {address:#x}, which is no mutex: never initialised, or destroyed (it holds {signature:#x})"
        )
    p.system.mutexes.add(address)
    return p.memory.u32(address + 8)


def _owner(p: Process, address: int) -> int:
    return p.memory.u64(address + 16)


def _take(p: Process, address: int, doing: str, wait: bool) -> int:
    kind = _mutex(p, address, doing)
    if _owner(p, address) == p.thread.port:
        if kind == _RECURSIVE:
            p.memory.put_u32(address + 12, p.memory.u32(address + 12) + 1)
            return 0
        if not wait:
            return EBUSY
        if kind == _ERRORCHECK:
            return EDEADLK
        p.contract(f"mutex {address:#x} is locked again by its owner, who will wait for ever")
    if not wait and _owner(p, address):
        return EBUSY
    p.block_until(lambda: _owner(p, address) == 0, f"mutex {address:#x}, held by port {_owner(p, address):#x}")
    p.memory.put_u64(address + 16, p.thread.port)
    p.memory.put_u32(address + 12, 1)
    return 0


def _give(p: Process, address: int, doing: str) -> int:
    """Gives back one locking; what is left of the count."""
    _mutex(p, address, doing)
    if _owner(p, address) != p.thread.port:
        p.contract(f"{doing} of mutex {address:#x} by thread {p.thread.id:#x}, held by port {_owner(p, address):#x}")
    left = p.memory.u32(address + 12) - 1
    p.memory.put_u32(address + 12, left)
    if left == 0:
        p.memory.put_u64(address + 16, 0)
    return left


@serve("_pthread_mutexattr_init")
def attributes_init(p: Process, a: Args) -> int:
    """Default attributes."""
    p.memory.put_u64(a.x(0), _ATTRIBUTES)
    p.memory.put_u32(a.x(0) + 8, _NORMAL)
    return 0


@serve("_pthread_mutexattr_settype")
def attributes_set_type(p: Process, a: Args) -> int:
    """Normal, error-checking or recursive."""
    if p.memory.u64(a.x(0)) != _ATTRIBUTES:
        p.contract(f"{a.x(0):#x} are no attributes of a mutex")
    if a.u32(1) not in (_NORMAL, _ERRORCHECK, _RECURSIVE):
        return EINVAL
    p.memory.put_u32(a.x(0) + 8, a.u32(1))
    return 0


@serve("_pthread_mutexattr_destroy")
def attributes_destroy(p: Process, a: Args) -> int:
    """The attributes are void."""
    p.memory.put_u64(a.x(0), 0)
    return 0


@serve("_pthread_mutex_init")
def mutex_init(p: Process, a: Args) -> int:
    """A free mutex."""
    attributes = a.x(1)
    p.memory.put_u64(a.x(0), _MUTEX)
    p.memory.put_u32(a.x(0) + 8, p.memory.u32(attributes + 8) if attributes else _NORMAL)
    p.memory.put_u32(a.x(0) + 12, 0)
    p.memory.put_u64(a.x(0) + 16, 0)
    return 0


@serve("_pthread_mutex_destroy")
def mutex_destroy(p: Process, a: Args) -> int:
    """The mutex is void; it may not be held."""
    _mutex(p, a.x(0), "destruction")
    if _owner(p, a.x(0)):
        return EBUSY
    p.system.mutexes.discard(a.x(0))
    p.memory.put_u64(a.x(0), 0)
    return 0


@serve("_pthread_mutex_lock")
def mutex_lock(p: Process, a: Args) -> int:
    """Waits for the mutex."""
    return _take(p, a.x(0), "locking", wait=True)


@serve("_pthread_mutex_trylock")
def mutex_trylock(p: Process, a: Args) -> int:
    """Takes the mutex if it is free."""
    return _take(p, a.x(0), "trying", wait=False)


@serve("_pthread_mutex_unlock")
def mutex_unlock(p: Process, a: Args) -> int:
    """Gives the mutex back."""
    if _mutex(p, a.x(0), "unlocking") == _ERRORCHECK and _owner(p, a.x(0)) != p.thread.port:
        return EPERM
    _give(p, a.x(0), "unlocking")
    return 0


def _condition(p: Process, address: int, doing: str) -> None:
    signature = p.memory.u64(address)
    if signature == _STATIC_CONDITION:
        p.memory.put_u64(address, _CONDITION)
    elif signature != _CONDITION:
        p.contract(
            f"{doing} {address:#x}, which is no condition: never initialised, or destroyed (it holds {signature:#x})"
        )


@serve("_pthread_condattr_init", "_pthread_condattr_destroy")
def condition_attributes(_p: Process, _a: Args) -> int:
    """Attributes of a condition: there are none of interest."""
    return 0


@serve("_pthread_cond_init")
def condition_init(p: Process, a: Args) -> int:
    """A condition on which nobody sleeps."""
    p.memory.put_u64(a.x(0), _CONDITION)
    return 0


@serve("_pthread_cond_destroy")
def condition_destroy(p: Process, a: Args) -> int:
    """The condition is void; nobody may sleep on it."""
    _condition(p, a.x(0), "destruction of")
    if p.system.sleepers.get(a.x(0)):
        return EBUSY
    p.memory.put_u64(a.x(0), 0)
    return 0


def _wait(p: Process, condition: int, mutex: int, deadline: int | None) -> int:
    _condition(p, condition, "waiting for")
    if p.memory.u32(mutex + 12) != 1:
        p.contract(f"waiting for condition {condition:#x} with mutex {mutex:#x} locked more than once, or not at all")
    _give(p, mutex, "waiting with")
    me, system = p.system.next_sleeper, p.system
    system.next_sleeper += 1
    system.sleepers.setdefault(condition, []).append(me)
    signalled = p.block_until(
        lambda: me not in system.sleepers.get(condition, ()), f"condition {condition:#x}", deadline
    )
    if not signalled:
        system.sleepers[condition].remove(me)
    _take(p, mutex, "waking with", wait=True)
    return 0 if signalled else ETIMEDOUT


def _timespec(p: Process, address: int) -> int:
    return p.memory.u64(address) * 1_000_000_000 + p.memory.u64(address + 8)


@serve("_pthread_cond_wait")
def condition_wait(p: Process, a: Args) -> int:
    """Sleeps until signalled."""
    return _wait(p, a.x(0), a.x(1), None)


@serve("_pthread_cond_timedwait")
def condition_timedwait(p: Process, a: Args) -> int:
    """Sleeps until signalled or a time of the real-time clock."""
    return _wait(p, a.x(0), a.x(1), _timespec(p, a.x(2)) - p.clock.BOOTED_NS)


@serve("_pthread_cond_timedwait_relative_np")
def condition_timedwait_relative(p: Process, a: Args) -> int:
    """Sleeps until signalled, at most so long."""
    return _wait(p, a.x(0), a.x(1), p.clock.now + _timespec(p, a.x(2)))


def _signal(count: Callable[[int], int]) -> Callable[[Process, Args], int]:
    def signal(p: Process, a: Args) -> int:
        _condition(p, a.x(0), "signalling")
        sleepers = p.system.sleepers.get(a.x(0), [])
        del sleepers[: count(len(sleepers))]
        return 0

    return signal


serve("_pthread_cond_signal")(_signal(lambda asleep: min(asleep, 1)))
serve("_pthread_cond_broadcast")(_signal(lambda asleep: asleep))


def check_released(p: Process, thread: Thread) -> None:
    """A thread that ends, or a test that is over, holds none."""
    held = [
        address
        for address in sorted(p.system.mutexes)
        if p.memory.is_readable(address, 24) and p.memory.u64(address) == _MUTEX and _owner(p, address) == thread.port
    ]
    if held:
        p.contract(f"thread {thread.id:#x} ({thread.name}) still holds mutex {', '.join(map(hex, held))}")
