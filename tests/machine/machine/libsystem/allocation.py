"""malloc and its kin (malloc/malloc.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..heap import UNWRITTEN
from .errno import EINVAL
from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process

serve = Table()


def _fresh(p: Process, size: int, align: int = 16) -> int:
    """A block whose contents are nobody's."""
    address = p.memory.alloc(size, align)
    p.memory.write(address, bytes([UNWRITTEN]) * size)
    return address


@serve("_malloc")
def malloc(p: Process, a: Args) -> int:
    """A block."""
    return _fresh(p, a.x(0))


@serve("_calloc")
def calloc(p: Process, a: Args) -> int:
    """A block of zeros."""
    return p.memory.alloc(a.x(0) * a.x(1))


@serve("_realloc")
def realloc(p: Process, a: Args) -> int:
    """Another block with the old one's contents; the old one is gone, so that a use of it is seen."""
    old, size = a.x(0), a.x(1)
    address = _fresh(p, size)
    if old:
        block = p.memory.heap.block(old)
        if block is None:
            p.memory.free(old)  # which says what is wrong
        else:
            p.memory.write(address, p.memory.read(old, min(size, block.size)))
            p.memory.free(old)
    return address


@serve("_free")
def free(p: Process, a: Args) -> None:
    """Gives a block back; null is nothing."""
    if a.x(0):
        p.memory.free(a.x(0))


@serve("_posix_memalign")
def posix_memalign(p: Process, a: Args) -> int:
    """A block at an alignment."""
    align = a.x(1)
    if align < 8 or align & (align - 1):
        return EINVAL
    p.memory.put_u64(a.x(0), _fresh(p, a.x(2), align))
    return 0


@serve("_aligned_alloc")
def aligned_alloc(p: Process, a: Args) -> int:
    """A block at an alignment."""
    return _fresh(p, a.x(1), a.x(0))


@serve("_malloc_size", "_malloc_good_size")
def malloc_size(p: Process, a: Args) -> int:
    """The size of a block; 0 of what is none."""
    block = p.memory.heap.block(a.x(0))
    return block.size if block else 0
