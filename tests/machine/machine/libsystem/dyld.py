"""What dyld says (dlfcn.h, mach-o/dyld.h)."""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import TYPE_CHECKING

from .. import loading
from .table import Table

if TYPE_CHECKING:
    from ..abi_arm64 import Args
    from ..process import Process

serve = Table()

#: Handles that stand for a search: RTLD_NEXT, RTLD_DEFAULT, RTLD_SELF, RTLD_MAIN_ONLY.
_SEARCHES = {(1 << 64) - n for n in (1, 2, 3, 5)}
_NOT_FOUND = "image or symbol not found"


def prepare(p: Process, program_base: int) -> None:
    """The program's own image."""
    p.memory.map(program_base, 0x4000, "program", 1)
    p.system.images[program_base] = p.program


@serve("_dladdr")
def dladdr(p: Process, a: Args) -> int:
    """The image and the export before an address: `dli_fname`, `dli_fbase`, `dli_sname`, `dli_saddr`."""
    address, image = a.x(0), p.image
    if address not in image:
        return 0
    exports = sorted((start, name) for name, start in image.exports.items())
    index = bisect_right(exports, (address, "\x7f")) - 1
    start, name = exports[index] if index >= 0 else (0, "")
    path = _kept(p, image.path)
    symbol = _kept(p, name.removeprefix("_")) if name else 0
    p.memory.write(a.x(1), struct.pack("<4Q", path, image.base, symbol, start))
    return 1


def _kept(p: Process, text: str) -> int:
    """A string of dyld's, which lives as long as the process."""
    known = p.data.get(f"text {text}")
    if known is None:
        known = p.data[f"text {text}"] = p.memory.put_cstring(text)
    return known


@serve("_dlsym")
def dlsym(p: Process, a: Args) -> int:
    """A symbol of any image: the library's own, or what this system has."""
    name = "_" + p.memory.cstring(a.x(1))
    if a.x(0) not in _SEARCHES and a.x(0) not in p.system.images:
        p.contract(f"{a.x(0):#x} is no handle of dlopen")
    found = 0
    if name not in p.missing:
        found = p.exports.get(name) or p.data.get(name) or 0
        if not found and name in p.imports:
            found = loading.resolve(p, name)
    p.system.dl_error = None if found else _NOT_FOUND
    return found


@serve("_dlerror")
def dlerror(p: Process, _a: Args) -> int:
    """The last failure in words, once."""
    text, p.system.dl_error = p.system.dl_error, None
    return _kept(p, text) if text else 0


@serve("_dlopen", "_dlopen_from")
def dlopen(p: Process, a: Args) -> int:
    """Loads an image; its handle, or 0. What is loaded is the test's to say (`System.opener`)."""
    path = p.memory.cstring(a.x(0)) if a.x(0) else p.program
    handle = p.system.opener(path) if p.system.opener else loading.load_image(p, path)
    p.system.dl_error = None if handle else _NOT_FOUND
    return handle or 0


@serve("_dlclose")
def dlclose(_p: Process, _a: Args) -> int:
    """Images stay."""
    return 0


@serve("__dyld_register_func_for_add_image")
def register_for_add_image(p: Process, a: Args) -> None:
    """Tells of every image that is there, and of each that comes."""
    callback = a.x(0)
    p.system.image_callbacks.append(callback)
    for header in [p.image.base, *p.system.images]:
        p.call(callback, header, 0)


@serve("__dyld_image_count")
def image_count(p: Process, _a: Args) -> int:
    """How many images there are."""
    return 1 + len(p.system.images)


@serve("__dyld_get_image_name")
def image_name(p: Process, a: Args) -> int:
    """An image's path."""
    names = [*p.system.images.values(), p.image.path]
    return _kept(p, names[a.u32(0)]) if a.u32(0) < len(names) else 0


@serve("__dyld_get_image_header")
def image_header(p: Process, a: Args) -> int:
    """An image's header."""
    headers = [*p.system.images, p.image.base]
    return headers[a.u32(0)] if a.u32(0) < len(headers) else 0


@serve("__dyld_get_image_vmaddr_slide")
def image_slide(p: Process, a: Args) -> int:
    """How far an image lies from where it was linked to."""
    return p.image.slide if a.u32(0) == len(p.system.images) else 0


@serve("__NSGetExecutablePath")
def executable_path(p: Process, a: Args) -> int:
    """The program's path; -1, and the size that is needed, where the buffer is too small."""
    path = p.program.encode() + b"\0"
    if p.memory.u32(a.x(1)) < len(path):
        p.memory.put_u32(a.x(1), len(path))
        return -1
    p.memory.write(a.x(0), path)
    return 0
