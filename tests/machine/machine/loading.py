"""dyld's part in a process: binding, initialisers, replacements, and telling of images."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

from . import macho
from .errors import MachineError

if TYPE_CHECKING:
    from .memory import Memory
    from .process import Process

#: `mach_header_64` of an arm64 library without load commands (mach-o/loader.h).
_HEADER = struct.pack("<8I", 0xFEED_FACF, 0x0100_000C, 0, 6, 0, 0, 0, 0)


def load(library: Path, installed_as: str, memory: Memory, base: int) -> macho.Image:
    """Maps the library."""
    if not library.is_file():
        raise MachineError(f"there is no {library} (hint: scripts/macos/build.sh makes it)")
    return macho.load(library, installed_as, memory, base)


def resolve(process: Process, name: str) -> int:
    """The address of a symbol for the library; 0 if this system does not have it."""
    if name in process.missing:
        return 0
    return process.data.get(name) or process.stubs.imported(name)


def bind(process: Process) -> None:
    """Binds the library's imports."""
    memory, image = process.memory, process.image

    def address_of(bind: macho.Bind) -> int:
        address = resolve(process, bind.name)
        if not address and not bind.weak:
            raise MachineError(f"symbol not found: {bind.name}, which {image.path} needs")
        return address

    macho.bind(image, memory, address_of)


def start(process: Process) -> None:
    """Calls the initialisers with what dyld passes: argc, argv, envp, apple."""
    process.bind()
    memory = process.memory
    argv = memory.alloc(16)
    memory.put_u64(argv, memory.put_cstring(process.program))
    apple = memory.alloc(16)
    memory.put_u64(apple, memory.put_cstring(f"executable_path={process.program}"))
    environ = memory.u64(process.data["_environ"])
    for initialiser in process.image.initialisers:
        process.call(initialiser, 1, argv, environ, apple)


def interposed(process: Process) -> dict[str, int]:
    """The library's replacements: name of a symbol, address of what every other image gets for it."""
    process.bind()
    found = {}
    for pair in process.image.interposing:
        replacement, original = process.memory.u64(pair), process.memory.u64(pair + 8)
        stub = process.stubs.at(original)
        if stub is None:
            raise MachineError(f"__interpose names {original:#x}, which is no import")
        found[stub.name] = replacement
    return found


def load_image(process: Process, name: str) -> int:
    """Makes an image without contents, and tells those who asked."""
    header = process.memory.alloc(len(_HEADER), 16)
    process.memory.write(header, _HEADER)
    process.system.images[header] = name
    for callback in list(process.system.image_callbacks):
        process.call(callback, header, 0)
    return header
