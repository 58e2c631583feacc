"""Thread variables: the code asks through a descriptor of three words - function, key, offset (mach-o/loader.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process

serve = Table()


@serve("__tlv_bootstrap")
def address_of_variable(p: Process, a: Args) -> int:
    """The address of the calling thread's copy; made, with the initial contents, when it first asks."""
    descriptor, image = a.x(0), p.image
    if descriptor not in image.thread_variables:
        p.contract(f"{descriptor:#x} is no descriptor of a thread variable")
    variables = p.thread.variables.get(image.base)
    if variables is None:
        start, size = image.thread_template
        variables = p.memory.alloc(size, 64)
        p.memory.write(variables, p.memory.read(start, size))
        p.thread.variables[image.base] = variables
    return variables + p.memory.u64(descriptor + 16)
