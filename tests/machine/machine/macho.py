"""What dyld does with a library's file: maps its segments, rebases, binds, finds its initialisers and thread variables."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import lief

from .errors import MachineError
from .memory import EXECUTE, READ, WRITE, Memory, Region, page_up

lief.logging.disable()

#: `VM_PROT_*` of mach/vm_prot.h in the order of `READ`, `WRITE`, `EXECUTE`.
_PROTECTIONS = ((1, READ), (2, WRITE), (4, EXECUTE))
#: `SG_READ_ONLY` of mach-o/loader.h: read-only once dyld is done with it.
_READ_ONLY_AFTER_FIXUPS = 0x10


@dataclass(frozen=True)
class Bind:
    """A place that takes the address of a symbol of another image."""

    address: int
    name: str
    addend: int
    weak: bool


@dataclass
class Image:
    """A loaded library; every address is where it lies in the machine."""

    path: str
    base: int
    end: int
    slide: int
    binds: list[Bind]
    rebases: int
    exports: dict[str, int]
    initialisers: list[int] = field(default_factory=list)
    #: The initial contents of a thread's variables: address and bytes.
    thread_template: tuple[int, int] = (0, 0)
    #: Addresses of the thread variables' descriptors, 24 bytes each.
    thread_variables: range = range(0)
    #: `__interpose`: addresses of pairs of a replacement and what it replaces.
    interposing: range = range(0)
    #: `__unwind_info`: address and bytes.
    unwind_info: tuple[int, int] = (0, 0)
    eh_frame: tuple[int, int] = (0, 0)
    regions: list[tuple[Region, int]] = field(default_factory=list)

    def __contains__(self, address: int) -> bool:
        return self.base <= address < self.end


def _parse(path: Path) -> lief.MachO.Binary:
    fat = lief.MachO.parse(str(path))
    if fat is None:
        raise MachineError(f"{path} is no Mach-O file")
    binary = fat.take(lief.MachO.Header.CPU_TYPE.ARM64)
    if binary is None:
        raise MachineError(f"{path} has no arm64 slice")
    return binary


def _protection(bits: int) -> int:
    return sum(ours for theirs, ours in _PROTECTIONS if bits & theirs)


def _map(binary: lief.MachO.Binary, memory: Memory, slide: int) -> list[tuple[Region, int]]:
    """Maps the segments writable; with each region the protection that it gets in the end."""
    regions = []
    for segment in binary.segments:
        if segment.name == "__PAGEZERO" or not segment.virtual_size:
            continue
        start = segment.virtual_address + slide
        region = memory.map(start, page_up(segment.virtual_size), str(segment.name), READ | WRITE)
        content = bytes(segment.content)[: segment.file_size]
        region.buffer[: len(content)] = content
        protection = _protection(int(segment.init_protection))
        if int(segment.flags) & _READ_ONLY_AFTER_FIXUPS or segment.name == "__DATA_CONST":
            protection &= ~WRITE
        regions.append((region, protection))
    return regions


def _rebase(binary: lief.MachO.Binary, memory: Memory, slide: int) -> int:
    count = 0
    for relocation in binary.relocations:
        place = relocation.address + slide
        # Chained, the word holds more than the address.
        target = relocation.target if isinstance(relocation, lief.MachO.RelocationFixup) else memory.u64(place)
        memory.put_u64(place, target + slide)
        count += 1
    return count


def _binds(binary: lief.MachO.Binary, slide: int) -> Iterable[Bind]:
    for binding in binary.bindings:
        symbol = binding.symbol
        if symbol is None:
            raise MachineError(f"a binding at {binding.address:#x} names no symbol")
        addend = getattr(binding, "sign_extended_addend", binding.addend)
        yield Bind(binding.address + slide, str(symbol.name), addend, bool(binding.weak_import))


def _sections(binary: lief.MachO.Binary, *names: str) -> Iterable[lief.MachO.Section]:
    return (section for section in binary.sections if section.name in names and section.size)


def _initialisers(binary: lief.MachO.Binary, memory: Memory, slide: int, base: int) -> list[int]:
    found = []
    for section in _sections(binary, "__mod_init_func"):
        start = section.virtual_address + slide
        found += [memory.u64(start + at) for at in range(0, section.size, 8)]
    for section in _sections(binary, "__init_offsets"):
        start = section.virtual_address + slide
        found += [base + memory.u32(start + at) for at in range(0, section.size, 4)]
    return found


def _exports(binary: lief.MachO.Binary, base: int) -> dict[str, int]:
    """By the trie of exports, which counts from the image's start."""
    found = [(symbol.name, symbol.export_info) for symbol in binary.symbols]
    return {str(name): base + export.address for name, export in found if export is not None}


def _span(sections: Iterable[lief.MachO.Section], slide: int) -> tuple[int, int]:
    """From the first to the end of the last of sections that lie together: address and bytes."""
    parts = [(section.virtual_address, section.virtual_address + section.size) for section in sections]
    if not parts:
        return 0, 0
    start, end = min(parts)[0], max(end for _, end in parts)
    return start + slide, end - start


def load(path: Path, installed_as: str, memory: Memory, base: int) -> Image:
    """Maps a file at an address and rebases it; nothing is bound yet."""
    binary = _parse(path)
    segments = [segment for segment in binary.segments if segment.name != "__PAGEZERO"]
    slide = base - min(segment.virtual_address for segment in segments)
    end = max(segment.virtual_address + segment.virtual_size for segment in segments) + slide
    regions = _map(binary, memory, slide)
    variables, variables_size = _span(_sections(binary, "__thread_vars"), slide)
    interposing, interposing_size = _span(_sections(binary, "__interpose"), slide)
    image = Image(
        path=installed_as,
        base=base,
        end=page_up(end),
        slide=slide,
        binds=[],
        rebases=_rebase(binary, memory, slide),
        exports=_exports(binary, base),
        thread_template=_span(_sections(binary, "__thread_data", "__thread_bss"), slide),
        thread_variables=range(variables, variables + variables_size, 24),
        interposing=range(interposing, interposing + interposing_size, 16),
        unwind_info=_span(_sections(binary, "__unwind_info"), slide),
        eh_frame=_span(_sections(binary, "__eh_frame"), slide),
        regions=regions,
    )
    image.binds.extend(_binds(binary, slide))
    image.initialisers = _initialisers(binary, memory, slide, base)
    return image


def bind(image: Image, memory: Memory, resolve: Callable[[Bind], int]) -> None:
    """Gives each place the address of its symbol, then takes away the right to write where the file says so."""
    for one in image.binds:
        address = resolve(one)
        memory.write(one.address, struct.pack("<Q", (address + one.addend if address else 0) & (1 << 64) - 1))
    for region, protection in image.regions:
        memory.protect(region, protection)
