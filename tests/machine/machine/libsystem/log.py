"""The unified log (os/log.h): what `os_log` comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process

serve = Table()

#: Kinds of an argument in its descriptor's high half (clang/AST/OSLog.h).
_SCALAR, _STRING = 0, 2


@serve("_os_log_create")
def create(p: Process, a: Args) -> int:
    """The log of a subsystem and category; the same for the same names."""
    names = p.memory.cstring(a.x(0)), p.memory.cstring(a.x(1))
    for address, known in p.system.logs.items():
        if known == names:
            return address
    address = p.memory.alloc(64)
    p.system.logs[address] = names
    return address


@serve("_os_log_type_enabled")
def type_enabled(_p: Process, a: Args) -> int:
    """Whether lines of a type are kept: not those for debugging, nor those that only tell."""
    return int(a.x(1) & 0xFF not in (1, 2))


@serve("__os_log_impl")
def log(p: Process, a: Args) -> None:
    """Writes a line: image, log, type, format, arguments as bytes and their size."""
    kind, form, buffer, size = a.x(2) & 0xFF, p.memory.cstring(a.x(3)), a.x(4), a.u32(5)
    if a.x(1) not in p.system.logs:
        p.contract(f"{a.x(1):#x} is no log")
    if a.x(0) != p.image.base:
        p.contract(f"the image of the log's format is {a.x(0):#x}, not the library at {p.image.base:#x}")
    if buffer % 16:
        p.contract(f"the arguments of the log at {buffer:#x} are not aligned")
    p.system.log.append((kind, _format(p, form, p.memory.read(buffer, size))))


def _format(p: Process, form: str, data: bytes) -> str:
    """The line: each `%...s` and scalar in the order of the arguments."""
    values: list[str] = []
    at = 2
    for _ in range(data[1]):
        kind, length = data[at] >> 4, data[at + 1]
        word = int.from_bytes(data[at + 2 : at + 2 + length], "little")
        if kind == _STRING:
            values.append(p.memory.cstring(word))
        elif kind == _SCALAR:
            values.append(str(word))
        else:
            p.contract(f"the log's argument is of kind {kind}, which the machine does not know")
        at += 2 + length
    if at != len(data):
        p.contract(f"the log's arguments are {at} bytes, but {len(data)} were given")
    line, *rest = form.split("%")
    for piece, value in zip(rest, values, strict=True):
        conversion = piece.index("}") + 1 if piece.startswith("{") else 0
        line += value + piece[conversion + 1 :]
    return line
