"""The machine's clock as the system's clocks."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .errno import EINVAL, fail
from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process

serve = Table()

_REALTIME = 0
#: CLOCK_MONOTONIC_RAW, its approximation, CLOCK_MONOTONIC, CLOCK_UPTIME_RAW, its approximation (time.h).
_MONOTONIC = {4, 5, 6, 8, 9}


def _read(p: Process, clock: int) -> int | None:
    if clock == _REALTIME:
        return p.clock.epoch_ns
    return p.clock.now if clock in _MONOTONIC else None


@serve("_clock_gettime")
def clock_gettime(p: Process, a: Args) -> int:
    """A clock's time."""
    now = _read(p, a.u32(0))
    if now is None:
        return fail(p, EINVAL)
    p.memory.write(a.x(1), struct.pack("<QQ", *divmod(now, 1_000_000_000)))
    return 0


@serve("_clock_gettime_nsec_np")
def clock_gettime_nsec(p: Process, a: Args) -> int:
    """A clock's time in nanoseconds."""
    return _read(p, a.u32(0)) or 0


@serve("_clock_getres")
def clock_getres(p: Process, a: Args) -> int:
    """A clock's step."""
    p.memory.write(a.x(1), struct.pack("<QQ", 0, 1_000))
    return 0


@serve("_gettimeofday")
def gettimeofday(p: Process, a: Args) -> int:
    """The time of day."""
    seconds, rest = divmod(p.clock.epoch_ns, 1_000_000_000)
    p.memory.write(a.x(0), struct.pack("<QIxxxx", seconds, rest // 1000))
    return 0


@serve("_mach_absolute_time", "_mach_continuous_time")
def mach_absolute_time(p: Process, _a: Args) -> int:
    """The processor's counter."""
    return p.clock.ticks


@serve("_mach_timebase_info")
def mach_timebase_info(p: Process, a: Args) -> int:
    """What makes nanoseconds of the counter: 125/3 at 24 MHz."""
    p.memory.write(a.x(0), struct.pack("<II", 125, 3))
    return 0


@serve("_nanosleep")
def nanosleep(p: Process, a: Args) -> int:
    """Sleeps: the clock goes on when everybody does."""
    seconds, rest = p.memory.u64(a.x(0)), p.memory.u64(a.x(0) + 8)
    p.block_until(lambda: False, "the end of its sleep", p.clock.now + seconds * 1_000_000_000 + rest)
    return 0


@serve("_usleep")
def usleep(p: Process, a: Args) -> int:
    """Sleeps."""
    p.block_until(lambda: False, "the end of its sleep", p.clock.now + a.u32(0) * 1_000)
    return 0
