"""The environment (crt_externs.h, stdlib.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process

serve = Table()


def prepare(p: Process) -> None:
    """Lays the variables out as a new process has them; `_environ` is where the list's address is."""
    texts = [p.memory.put_cstring(f"{name}={value}") for name, value in p.environment.items()]
    block = p.memory.alloc(8 * len(texts) + 8)
    for index, address in enumerate(texts):
        p.memory.put_u64(block + 8 * index, address)
    p.data["_environ"] = p.memory.alloc(8)
    p.memory.put_u64(p.data["_environ"], block)


@serve("__NSGetEnviron")
def get_environ(p: Process, _a: Args) -> int:
    """Where the list's address is."""
    return p.data["_environ"]


@serve("_getenv")
def getenv(p: Process, a: Args) -> int:
    """A variable's value, in the list itself; null without one."""
    wanted = p.memory.cbytes(a.x(0)) + b"="
    at = p.memory.u64(p.data["_environ"])
    while text := p.memory.u64(at):
        if p.memory.cbytes(text).startswith(wanted):
            return text + len(wanted)
        at += 8
    return 0
