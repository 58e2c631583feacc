"""Files: the process's tree is a folder of the test's (fcntl.h, unistd.h)."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errno import EBADF, EINVAL, ENAMETOOLONG, fail, from_host
from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process

serve = Table()

#: macOS's bits of `open`, and the host's for each.
_FLAGS = {
    0x1: os.O_WRONLY,
    0x2: os.O_RDWR,
    0x4: os.O_NONBLOCK,
    0x8: os.O_APPEND,
    0x100: os.O_NOFOLLOW,
    0x200: os.O_CREAT,
    0x400: os.O_TRUNC,
    0x800: os.O_EXCL,
    0x10_0000: os.O_DIRECTORY,
    0x100_0000: os.O_CLOEXEC,
}
_CREATE = 0x200
_PATH_MAX = 1024
_STAT_SIZE, _STAT_MODE_AT, _STAT_SIZE_AT = 144, 4, 96
_FCNTL_GET_FLAGS, _FCNTL_SET_FLAGS, _FCNTL_GET_STATUS = 1, 2, 3


@dataclass
class OpenFile:
    """An open file of the host, and how many descriptors, of parent and child, stand for it."""

    host: int
    path: str
    references: int = 1

    def fileno(self) -> int:
        """The host's descriptor."""
        return self.host

    def release(self) -> None:
        """One descriptor less."""
        self.references -= 1
        if self.references == 0:
            os.close(self.host)


class Files:
    """The descriptors of the process, and its file system below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._open: dict[int, OpenFile] = {}
        #: Errors to come: a symbol, and macOS's number of the error that its next call fails with.
        self.failures: dict[str, int] = {}

    def make_folder(self, path: str) -> Path:
        """A folder of the process's tree; where the test finds it."""
        folder = self.host_path(path)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def host_path(self, path: str) -> Path:
        """Where the test finds a path of the process; `..` does not lead out."""
        inside = os.path.normpath("/" + path).lstrip("/")
        return self.root / inside

    def get(self, descriptor: int) -> OpenFile | None:
        """An open file."""
        return self._open.get(descriptor)

    @property
    def open_files(self) -> list[str]:
        """Paths of what is open."""
        return [file.path for file in self._open.values()]

    def add(self, host: int, path: str) -> int:
        """A new descriptor: the lowest that is free."""
        descriptor = next(number for number in range(3, 1 << 20) if number not in self._open)
        self._open[descriptor] = OpenFile(host, path)
        return descriptor

    def close(self, descriptor: int) -> bool:
        """Closes a descriptor; whether it was open."""
        file = self._open.pop(descriptor, None)
        if file is not None:
            file.release()
        return file is not None

    def close_all(self) -> None:
        """Closes everything."""
        for descriptor in list(self._open):
            self.close(descriptor)

    def snapshot(self) -> object:
        """A child's descriptors stand for the same files."""
        for file in self._open.values():
            file.references += 1
        return dict(self._open)

    def restore(self, saved: object) -> None:
        """The child's are closed."""
        assert isinstance(saved, dict)
        self.close_all()
        self._open = saved


def _planned(p: Process) -> int | None:
    """An error that the test has planned for this call."""
    return p.files.failures.pop(p.thread.serving[-1], None)


@serve("_open", "_open$NOCANCEL")
def open_file(p: Process, a: Args) -> int:
    """Opens; the mode is the first of the variadic arguments, which Apple's arm64 has on the stack."""
    path, flags = p.memory.cstring(a.x(0)), a.u32(1)
    planned = _planned(p)
    if planned is not None:
        return fail(p, planned)
    if len(path) >= _PATH_MAX:
        return fail(p, ENAMETOOLONG)
    unknown = flags & ~sum(_FLAGS)
    if unknown:
        p.contract(f"open of {path} with the flags {unknown:#x}, which the machine does not know")
    mode = a.stack(0) & 0o7777 if flags & _CREATE else 0
    host_flags = sum(theirs for ours, theirs in _FLAGS.items() if flags & ours) | os.O_CLOEXEC
    try:
        host = os.open(p.files.host_path(path), host_flags, mode)
    except OSError as error:
        return fail(p, from_host(error))
    return p.files.add(host, path)


@serve("_close", "_close$NOCANCEL")
def close(p: Process, a: Args) -> int:
    """Closes."""
    return 0 if p.files.close(a.i32(0)) else fail(p, EBADF)


def _write(p: Process, descriptor: int, data: bytes, offset: int | None) -> int:
    planned = _planned(p)
    if planned is not None:
        return fail(p, planned)
    if descriptor in (1, 2):
        (p.files.stdout if descriptor == 1 else p.files.stderr).extend(data)
        return len(data)
    file = p.files.get(descriptor)
    if file is None:
        return fail(p, EBADF)
    try:
        return os.write(file.host, data) if offset is None else os.pwrite(file.host, data, offset)
    except OSError as error:
        return fail(p, from_host(error))


@serve("_write", "_write$NOCANCEL")
def write(p: Process, a: Args) -> int:
    """Writes at the file's position."""
    return _write(p, a.i32(0), p.memory.read(a.x(1), a.x(2)), None)


@serve("_pwrite", "_pwrite$NOCANCEL")
def pwrite(p: Process, a: Args) -> int:
    """Writes at an offset."""
    return _write(p, a.i32(0), p.memory.read(a.x(1), a.x(2)), a.x(3))


@serve("_writev", "_writev$NOCANCEL")
def writev(p: Process, a: Args) -> int:
    """Writes several pieces: address and length of each."""
    pieces = [struct.unpack("<QQ", p.memory.read(a.x(1) + 16 * index, 16)) for index in range(a.u32(2))]
    return _write(p, a.i32(0), b"".join(p.memory.read(address, size) for address, size in pieces), None)


@serve("_read", "_read$NOCANCEL")
def read(p: Process, a: Args) -> int:
    """Reads at the file's position."""
    file = p.files.get(a.i32(0))
    if file is None:
        return fail(p, EBADF)
    data = os.read(file.host, a.x(2))
    p.memory.write(a.x(1), data)
    return len(data)


@serve("_lseek")
def lseek(p: Process, a: Args) -> int:
    """Moves the file's position."""
    file = p.files.get(a.i32(0))
    return fail(p, EBADF) if file is None else os.lseek(file.host, a.i(1), a.i32(2))


@serve("_ftruncate")
def ftruncate(p: Process, a: Args) -> int:
    """Cuts the file, or makes it longer."""
    file = p.files.get(a.i32(0))
    if file is None:
        return fail(p, EBADF)
    try:
        os.ftruncate(file.host, a.i(1))
    except OSError as error:
        return fail(p, from_host(error))
    return 0


@serve("_unlink")
def unlink(p: Process, a: Args) -> int:
    """Takes a name away."""
    try:
        p.files.host_path(p.memory.cstring(a.x(0))).unlink()
    except OSError as error:
        return fail(p, from_host(error))
    return 0


@serve("_fstat", "_fstat$INODE64")
def fstat(p: Process, a: Args) -> int:
    """Mode and size of a file; the rest is zeros."""
    file = p.files.get(a.i32(0))
    if file is None:
        return fail(p, EBADF)
    found = os.fstat(file.host)
    data = bytearray(_STAT_SIZE)
    struct.pack_into("<H", data, _STAT_MODE_AT, found.st_mode & 0xFFFF)
    struct.pack_into("<Q", data, _STAT_SIZE_AT, found.st_size)
    p.memory.write(a.x(1), bytes(data))
    return 0


@serve("_fcntl", "_fcntl$NOCANCEL")
def fcntl(p: Process, a: Args) -> int:
    """Flags of a descriptor."""
    if a.i32(0) not in (0, 1, 2) and p.files.get(a.i32(0)) is None:
        return fail(p, EBADF)
    return 0 if a.i32(1) in (_FCNTL_GET_FLAGS, _FCNTL_SET_FLAGS, _FCNTL_GET_STATUS) else fail(p, EINVAL)


@serve("_getcwd")
def getcwd(p: Process, a: Args) -> int:
    """The current folder, which is the root."""
    p.memory.write(a.x(0), b"/\0")
    return a.x(0)
