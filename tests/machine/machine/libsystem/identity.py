"""What the kernel says about the process and the machine (unistd.h, libproc.h, sys/proc_info.h)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .errno import EINVAL, fail
from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process

serve = Table()

#: `PROC_PIDTBSDINFO`, and the size of `struct proc_bsdinfo`, whose last members are the start in seconds and microseconds.
_BSD_INFO, _BSD_INFO_SIZE, _PID_AT, _PARENT_AT, _START_AT = 3, 136, 12, 16, 120
#: How long before the library's load the process began.
_AGE_NS = 5_000_000
#: `_SC_PAGESIZE`, `_SC_NPROCESSORS_ONLN`, `_SC_CLK_TCK`, `_SC_GETPW_R_SIZE_MAX` of unistd.h.
_CONFIGURATION = {29: 0x4000, 58: 8, 57: 8, 3: 100, 71: 4096}
_CHUNK = 8


def prepare(p: Process) -> None:
    """Data of the kernel's interface."""
    p.data["_mach_task_self_"] = p.memory.alloc(8)
    p.memory.put_u32(p.data["_mach_task_self_"], 0x203)
    p.system.started_us = (p.clock.epoch_ns - _AGE_NS) // 1_000


@serve("_getpid")
def getpid(p: Process, _a: Args) -> int:
    """The process."""
    return p.pid


@serve("_getppid")
def getppid(p: Process, _a: Args) -> int:
    """Its parent."""
    return p.parent_pid


@serve("_getuid", "_geteuid")
def getuid(_p: Process, _a: Args) -> int:
    """The user."""
    return 501


@serve("_getgid", "_getegid")
def getgid(_p: Process, _a: Args) -> int:
    """The group."""
    return 20


@serve("_proc_pidpath")
def proc_pidpath(p: Process, a: Args) -> int:
    """The executable's path and its length; 0 on failure."""
    path, size = p.program.encode(), a.u32(2)
    if a.u32(0) != p.pid or size < 1024 or len(path) >= size:
        fail(p, EINVAL)
        return 0
    p.memory.write(a.x(1), path + b"\0")
    return len(path)


@serve("_proc_pidinfo")
def proc_pidinfo(p: Process, a: Args) -> int:
    """What the kernel knows of a process; the size that it wrote, 0 on failure."""
    if a.u32(0) != p.pid or a.u32(1) != _BSD_INFO or a.u32(4) < _BSD_INFO_SIZE:
        fail(p, EINVAL)
        return 0
    info = bytearray(_BSD_INFO_SIZE)
    struct.pack_into("<II", info, _PID_AT, p.pid, p.parent_pid)
    struct.pack_into("<QQ", info, _START_AT, *divmod(p.system.started_us, 1_000_000))
    p.memory.write(a.x(3), bytes(info))
    return _BSD_INFO_SIZE


@serve("_sysconf")
def sysconf(p: Process, a: Args) -> int:
    """A limit of the system."""
    value = _CONFIGURATION.get(a.u32(0))
    if value is None:
        p.contract(f"sysconf({a.u32(0)}) is asked, which the machine does not know")
    return value or 0


def _random(p: Process, size: int) -> bytes:
    """Bytes that are the same in every run (xorshift64*)."""
    data = bytearray()
    while len(data) < size:
        state = p.system.random_state
        state ^= state >> 12
        state = (state ^ state << 25) & (1 << 64) - 1
        state ^= state >> 27
        p.system.random_state = state
        data += (state * 0x2545_F491_4F6C_DD1D & (1 << 64) - 1).to_bytes(_CHUNK, "little")
    return bytes(data[:size])


@serve("_CCRandomGenerateBytes", "_getentropy")
def fill_randomly(p: Process, a: Args) -> int:
    """Random bytes."""
    p.memory.write(a.x(0), _random(p, a.x(1)))
    return 0


@serve("_arc4random_buf")
def arc4random_buf(p: Process, a: Args) -> None:
    """Random bytes."""
    p.memory.write(a.x(0), _random(p, a.x(1)))
