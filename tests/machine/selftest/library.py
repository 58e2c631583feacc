"""Makes small Mach-O libraries, laid out by hand from mach-o/loader.h: independent of the linker that makes the real one."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

TEXT, DATA, LINKEDIT, PAGE = 0x0, 0x4000, 0x8000, 0x4000
CODE, UNWIND_INFO, EH_FRAME = 0x1000, 0x2000, 0x3000
#: Where in the data each part begins.
GOT, INITIALISERS, INTERPOSE, THREAD_VARS, THREAD_DATA, OWN_DATA = (DATA + 0x400 * n for n in range(6))

_SEGMENT, _DYLD_INFO, _ID_DYLIB, _SYMTAB, _LOAD_DYLIB = 0x19, 0x8000_0022, 0x0D, 0x02, 0x0C
_THREAD_VARIABLES, _THREAD_REGULAR, _INITIALISER, _INTERPOSING = 0x13, 0x11, 0x9, 0xD


@dataclass
class Contents:
    """What a library holds; offsets are in the image."""

    code: bytes
    #: Each has a word from `GOT` on.
    imports: Sequence[str] = ()
    weak: frozenset[str] = frozenset()
    exports: Mapping[str, int] = field(default_factory=dict)
    data: bytes = b""
    #: Words of the data that hold an offset in the image.
    rebased: Sequence[int] = ()
    initialisers: Sequence[int] = ()
    #: Replacement and index of the import that it replaces.
    interposed: Sequence[tuple[int, int]] = ()
    #: Offsets of thread variables in `thread_data`.
    thread_variables: Sequence[int] = ()
    thread_data: bytes = b""
    unwind_info: bytes = b""
    eh_frame: bytes = b""


def got(index: int) -> int:
    """Where the address of an import is."""
    return GOT + 8 * index


def _uleb(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        if not value:
            out.append(low)
            return bytes(out)
        out.append(low | 0x80)


def _bind(address: int, name: str, weak: bool) -> bytes:
    """REBASE of dyld's bind opcodes: ordinal 1, symbol, pointer, place, do."""
    return bytes([0x11, 0x40 | weak]) + name.encode() + b"\0\x51" + bytes([0x71]) + _uleb(address - DATA) + b"\x90"


def _rebase(address: int) -> bytes:
    return b"\x11" + bytes([0x21]) + _uleb(address - DATA) + b"\x51"


def _exports(exports: Mapping[str, int]) -> bytes:
    """A trie whose root has one edge for each symbol."""
    leaves = {name: b"\0" + _uleb(address) for name, address in exports.items()}
    leaves = {name: bytes([len(leaf)]) + leaf + b"\0" for name, leaf in leaves.items()}
    size = 2 + sum(len(name) + 1 + 2 for name in leaves)
    root, at = bytearray([0, len(leaves)]), size
    for name, leaf in leaves.items():
        root += name.encode() + b"\0" + bytes([at & 0x7F | 0x80, at >> 7])
        at += len(leaf)
    return bytes(root) + b"".join(leaves.values())


def _section(name: str, segment: str, address: int, size: int, kind: int) -> bytes:
    return struct.pack(
        "<16s16sQQIIIIIIII", name.encode(), segment.encode(), address, size, address, 3, 0, 0, kind, 0, 0, 0
    )


def _segment(name: str, start: int, size: int, file_size: int, protection: int, sections: Sequence[bytes]) -> bytes:
    head = struct.pack(
        "<II16sQQQQIIII",
        _SEGMENT,
        72 + 80 * len(sections),
        name.encode(),
        start,
        size,
        start,
        file_size,
        protection,
        protection,
        len(sections),
        0,
    )
    return head + b"".join(sections)


def build(it: Contents) -> bytes:
    """The file."""
    data = bytearray(PAGE)

    def put(at: int, piece: bytes) -> None:
        data[at - DATA : at - DATA + len(piece)] = piece

    words = {INITIALISERS + 8 * index: target for index, target in enumerate(it.initialisers)}
    binds = {got(index): name for index, name in enumerate(it.imports)}
    for index, (replacement, original) in enumerate(it.interposed):
        words[INTERPOSE + 16 * index] = replacement
        binds[INTERPOSE + 16 * index + 8] = it.imports[original]
    for index, offset in enumerate(it.thread_variables):
        binds[THREAD_VARS + 24 * index] = "__tlv_bootstrap"
        put(THREAD_VARS + 24 * index + 16, struct.pack("<Q", offset))
    for at, target in words.items():
        put(at, struct.pack("<Q", target))
    put(THREAD_DATA, it.thread_data)
    put(OWN_DATA, it.data)

    rebases = b"".join(_rebase(at) for at in [*words, *it.rebased]) + b"\0"
    binding = b"".join(_bind(at, name, name in it.weak) for at, name in binds.items()) + b"\0"
    trie = _exports(it.exports)
    sections = [
        _section("__got", "__DATA", GOT, 8 * len(it.imports), 6),
        _section("__mod_init_func", "__DATA", INITIALISERS, 8 * len(it.initialisers), _INITIALISER),
        _section("__interpose", "__DATA", INTERPOSE, 16 * len(it.interposed), _INTERPOSING),
        _section("__thread_vars", "__DATA", THREAD_VARS, 24 * len(it.thread_variables), _THREAD_VARIABLES),
        _section("__thread_data", "__DATA", THREAD_DATA, len(it.thread_data), _THREAD_REGULAR),
        _section("__data", "__DATA", OWN_DATA, len(it.data), 0),
    ]
    text_sections = [
        _section("__text", "__TEXT", CODE, len(it.code), 0x8000_0400),
        _section("__unwind_info", "__TEXT", UNWIND_INFO, len(it.unwind_info), 0),
        _section("__eh_frame", "__TEXT", EH_FRAME, len(it.eh_frame), 0),
    ]
    linkedit = rebases + binding + trie
    info = struct.pack(
        "<12I",
        _DYLD_INFO,
        48,
        LINKEDIT,
        len(rebases),
        LINKEDIT + len(rebases),
        len(binding),
        0,
        0,
        0,
        0,
        LINKEDIT + len(rebases) + len(binding),
        len(trie),
    )
    system = b"/usr/lib/libSystem.B.dylib\0".ljust(32, b"\0")
    name = b"@rpath/little.dylib\0".ljust(24, b"\0")
    commands = [
        _segment("__TEXT", TEXT, PAGE, PAGE, 5, text_sections),
        _segment("__DATA", DATA, PAGE, PAGE, 3, sections),
        _segment("__LINKEDIT", LINKEDIT, PAGE, len(linkedit), 1, []),
        struct.pack("<6I", _ID_DYLIB, 24 + len(name), 24, 0, 0, 0) + name,
        struct.pack("<6I", _LOAD_DYLIB, 24 + len(system), 24, 0, 0, 0) + system,
        info,
        struct.pack("<6I", _SYMTAB, 24, LINKEDIT, 0, LINKEDIT, 0),
    ]
    body = b"".join(commands)
    header = struct.pack("<8I", 0xFEED_FACF, 0x0100_000C, 0, 6, len(commands), len(body), 0x85, 0)
    text = (header + body).ljust(CODE, b"\0") + it.code
    text = text.ljust(UNWIND_INFO, b"\0") + it.unwind_info
    text = text.ljust(EH_FRAME, b"\0") + it.eh_frame
    return text.ljust(PAGE, b"\0") + bytes(data) + linkedit
