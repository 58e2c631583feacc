"""`errno`, with macOS's numbers (sys/errno.h), which are not those of the system that the test runs on."""

from __future__ import annotations

import errno as host
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..process import Process

EPERM, ENOENT, EINTR, EIO, EBADF, ENOMEM, EACCES, EBUSY, EEXIST, EINVAL = 1, 2, 4, 5, 9, 12, 13, 16, 17, 22
ENOTDIR, EISDIR, ENOSPC, EAGAIN, ETIMEDOUT, ELOOP, ENAMETOOLONG, EDEADLK, ENOSYS = 20, 21, 28, 35, 60, 62, 63, 11, 78

_FROM_HOST = {
    getattr(host, name): value
    for name, value in {
        "EPERM": EPERM,
        "ENOENT": ENOENT,
        "EIO": EIO,
        "EBADF": EBADF,
        "ENOMEM": ENOMEM,
        "EACCES": EACCES,
        "EEXIST": EEXIST,
        "ENOTDIR": ENOTDIR,
        "EISDIR": EISDIR,
        "EINVAL": EINVAL,
        "ENOSPC": ENOSPC,
        "ELOOP": ELOOP,
        "ENAMETOOLONG": ENAMETOOLONG,
        "EROFS": 30,
        "ENFILE": 23,
        "EMFILE": 24,
        "EFBIG": 27,
        "ESPIPE": 29,
        "EPIPE": 32,
        "ENOTEMPTY": 66,
    }.items()
}
_NAMES = {value: os.strerror(number) for number, value in _FROM_HOST.items()}


def from_host(error: OSError) -> int:
    """macOS's number for an error of the host's system call."""
    return _FROM_HOST.get(error.errno or 0, EIO)


def text(number: int) -> str:
    """What `strerror` says."""
    return _NAMES.get(number, f"Unknown error: {number}")


def fail(process: Process, number: int) -> int:
    """Sets the thread's `errno`, and returns -1."""
    process.memory.put_u32(process.thread.handle + ERRNO_AT, number)
    return -1


#: Where in a thread's block its `errno` is.
ERRNO_AT = 16
