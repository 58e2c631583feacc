"""mmap and its kin (sys/mman.h). A shared mapping of a file is the file: what is written is on the disk at once."""

from __future__ import annotations

import mmap as host
import os
from typing import TYPE_CHECKING

from ..memory import EXECUTE, HOST_PAGE, READ, WRITE, page_up
from .errno import EBADF, EINVAL, fail
from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process

serve = Table()

_SHARED, _FIXED, _ANONYMOUS = 0x1, 0x10, 0x1000
_PLACES = 0x3_0000_0000


def _protection(bits: int) -> int:
    return bits & (READ | WRITE | EXECUTE)  # PROT_READ, PROT_WRITE, PROT_EXEC are the same bits


@serve("_mmap")
def mmap(p: Process, a: Args) -> int:
    """Maps a file or zeros; where is ours to choose."""
    size, protection, flags, descriptor, offset = a.x(1), a.u32(2), a.u32(3), a.i32(4), a.x(5)
    if size == 0 or offset % 0x4000 or flags & _FIXED:
        return fail(p, EINVAL)
    place = p.memory.free_place(page_up(size), _PLACES)
    if flags & _ANONYMOUS:
        p.memory.map(place, page_up(size), "anonymous mapping", _protection(protection))
        return place
    file = p.files.get(descriptor)
    if file is None:
        return fail(p, EBADF)
    there = os.fstat(file.fileno()).st_size - offset
    length = min(page_up(size, HOST_PAGE), page_up(max(there, 0), HOST_PAGE))
    if length == 0:
        return fail(p, EINVAL)
    shared = bool(flags & _SHARED)
    buffer = host.mmap(
        file.fileno(),
        length,
        host.MAP_SHARED if shared else host.MAP_PRIVATE,
        host.PROT_READ | host.PROT_WRITE,
        offset=offset,
    )
    p.memory.map(place, length, f"mapping of {file.path}", _protection(protection), buffer, shared)
    return place


@serve("_munmap")
def munmap(p: Process, a: Args) -> int:
    """Takes a whole mapping away."""
    region = p.memory.region_at(a.x(0))
    if region is None or page_up(region.size) != page_up(a.x(1)):
        p.contract(f"munmap of {a.x(1)} bytes at {a.x(0):#x}, which is not one mapping")
        return -1
    p.memory.unmap(region)
    return 0


@serve("_mprotect")
def mprotect(p: Process, a: Args) -> int:
    """Changes what may be done with a whole mapping."""
    region = p.memory.region_at(a.x(0))
    if region is None or page_up(region.size) != page_up(a.x(1)):
        p.contract(f"mprotect of {a.x(1)} bytes at {a.x(0):#x}, which is not one mapping")
        return -1
    p.memory.protect(region, _protection(a.u32(2)))
    return 0


@serve("_msync", "_madvise")
def nothing_to_do(_p: Process, _a: Args) -> int:
    """The mapping is the file already."""
    return 0
