"""Memory and strings (string.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import errno
from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process

serve = Table()


def _compare(first: bytes, second: bytes) -> int:
    return (first > second) - (first < second)


@serve("_memcpy")
def memcpy(p: Process, a: Args) -> int:
    """Copies; the two may not overlap."""
    to, source, size = a.x(0), a.x(1), a.x(2)
    if to < source + size and source < to + size and to != source:
        p.contract(f"memcpy of {size} bytes from {source:#x} to {to:#x}, which overlap")
    p.memory.write(to, p.memory.read(source, size))
    return to


@serve("_memmove")
def memmove(p: Process, a: Args) -> int:
    """Copies."""
    p.memory.write(a.x(0), p.memory.read(a.x(1), a.x(2)))
    return a.x(0)


@serve("_memset")
def memset(p: Process, a: Args) -> int:
    """Fills."""
    p.memory.write(a.x(0), bytes([a.x(1) & 0xFF]) * a.x(2))
    return a.x(0)


@serve("_bzero")
def bzero(p: Process, a: Args) -> None:
    """Fills with zeros."""
    p.memory.write(a.x(0), bytes(a.x(1)))


@serve("_memset_pattern4", "_memset_pattern8", "_memset_pattern16")
def memset_pattern(p: Process, a: Args) -> None:
    """Fills with a pattern, whose size is in the function's name."""
    size = int(p.thread.serving[-1].rsplit("pattern", 1)[1])
    pattern, length = p.memory.read(a.x(1), size), a.x(2)
    p.memory.write(a.x(0), (pattern * (length // size + 1))[:length])


@serve("_memcmp", "_bcmp")
def memcmp(p: Process, a: Args) -> int:
    """Compares bytes."""
    return _compare(p.memory.read(a.x(0), a.x(2)), p.memory.read(a.x(1), a.x(2)))


@serve("_memchr")
def memchr(p: Process, a: Args) -> int:
    """The first such byte."""
    at = p.memory.read(a.x(0), a.x(2)).find(a.x(1) & 0xFF)
    return a.x(0) + at if at >= 0 else 0


@serve("_strlen")
def strlen(p: Process, a: Args) -> int:
    """Length."""
    return len(p.memory.cbytes(a.x(0)))


@serve("_strnlen")
def strnlen(p: Process, a: Args) -> int:
    """Length, up to a limit."""
    return len(p.memory.cbytes(a.x(0), a.x(1)))


@serve("_strcmp")
def strcmp(p: Process, a: Args) -> int:
    """Compares strings."""
    return _compare(p.memory.cbytes(a.x(0)), p.memory.cbytes(a.x(1)))


@serve("_strncmp")
def strncmp(p: Process, a: Args) -> int:
    """Compares strings, up to a limit."""
    return _compare(p.memory.cbytes(a.x(0), a.x(2)), p.memory.cbytes(a.x(1), a.x(2)))


@serve("_strchr")
def strchr(p: Process, a: Args) -> int:
    """The first such byte of a string."""
    at = (p.memory.cbytes(a.x(0)) + b"\0").find(a.x(1) & 0xFF)
    return a.x(0) + at if at >= 0 else 0


@serve("_strerror_r")
def strerror_r(p: Process, a: Args) -> int:
    """The text of an error number."""
    text = errno.text(a.i32(0)).encode()[: a.x(2) - 1]
    p.memory.write(a.x(1), text + b"\0")
    return 0


@serve("___error")
def error(p: Process, _a: Args) -> int:
    """The address of the thread's `errno`."""
    return p.thread.handle + errno.ERRNO_AT
