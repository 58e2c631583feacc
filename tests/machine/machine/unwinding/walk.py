"""Walking from a frame to its caller, as libunwind does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import MachineError
from ..registers import FP, LR, PC, SP, Registers
from . import compact, dwarf

if TYPE_CHECKING:
    from ..macho import Image
    from ..memory import Memory

_D = 64


class NoTable(MachineError):
    """An exception met code of the library that cannot be left: the process would end there."""


@dataclass(frozen=True)
class Frame:
    """A frame's function; addresses, 0 for none."""

    start: int
    lsda: int
    personality: int
    encoding: int
    description: dwarf.Description | None


class Cursor:
    """A frame: its registers as they will be when what it called is gone. pc is where it goes on."""

    def __init__(self, image: Image, memory: Memory, registers: bytes) -> None:
        self._image = image
        self._memory = memory
        self.registers = Registers()
        self.registers.restore(registers)

    def copy(self) -> Cursor:
        """One that can be moved apart."""
        return Cursor(self._image, self._memory, self.registers.snapshot())

    @property
    def pc(self) -> int:
        """Where the frame goes on."""
        return self.registers.x(PC)

    @property
    def sp(self) -> int:
        """The frame's stack pointer, by which it is known."""
        return self.registers.x(SP)

    def frame(self) -> Frame | None:
        """The function; None outside the library."""
        address = self.pc - 1  # in the call, which may be the last instruction
        if address not in self._image:
            return None
        base = self._image.base
        entry = _table(self._image, self._memory).find(address - base)
        if entry is None:
            raise NoTable(
                f"an exception meets {address - base:#x} in {self._image.path}, which has no unwind information"
            )
        if entry.encoding & compact.MODE_MASK == compact.DWARF:
            start, size = self._image.eh_frame
            section = self._memory.read(start, size)
            it = dwarf.read(section, start, entry.encoding & 0xFF_FFFF, self._memory.u64)
            if not it.start <= address < it.end:
                raise NoTable(f"the entry of __eh_frame for {address - base:#x} is of another function")
            return Frame(it.start, it.lsda, it.personality, entry.encoding, it)
        personality = self._memory.u64(base + entry.personality) if entry.personality else 0
        return Frame(base + entry.start, base + entry.lsda if entry.lsda else 0, personality, entry.encoding, None)

    def step(self, frame: Frame) -> None:
        """Goes to the caller."""
        if frame.description is not None:
            self._by_rules(dwarf.rules_at(frame.description, self.pc - 1))
            return
        mode = frame.encoding & compact.MODE_MASK
        registers, load = self.registers, self._memory.u64
        if mode == compact.FRAME:
            fp = registers.x(FP)
            self._restore_pairs(frame.encoding, fp - 8)
            registers.set_x(SP, fp + 16)
            registers.set_x(PC, load(fp + 8))
            registers.set_x(FP, load(fp))
        elif mode == compact.FRAMELESS:
            end = registers.x(SP) + (frame.encoding >> 12 & 0xFFF) * 16
            self._restore_pairs(frame.encoding, end)
            registers.set_x(SP, end)
            registers.set_x(PC, registers.x(LR))
        else:
            raise NoTable(f"the function at {frame.start:#x} has the compact encoding {frame.encoding:#x}")

    def _restore_pairs(self, encoding: int, place: int) -> None:
        for bit, first, second in compact.PAIRS:
            if encoding & bit:
                self._set(first, self._memory.u64(place))
                self._set(second, self._memory.u64(place - 8))
                place -= 16

    def _by_rules(self, rules: dwarf.Rules) -> None:
        before = self.registers.x(rules.register) + rules.offset
        values = {register: self._memory.u64(before + offset) for register, offset in rules.saved.items()}
        for register, value in values.items():
            self._set(register, value)
        self.registers.set_x(SP, before)
        self.registers.set_x(PC, self.registers.x(LR))

    def _set(self, register: int, value: int) -> None:
        if register >= _D:
            self.registers.set_d_bits(register - _D, value)
        else:
            self.registers.set_x(register, value)


_tables: dict[tuple[int, str], compact.CompactTable] = {}


def _table(image: Image, memory: Memory) -> compact.CompactTable:
    start, size = image.unwind_info
    if not size:
        raise NoTable(f"{image.path} has no __unwind_info")
    key = (id(image), image.path)
    if key not in _tables:
        _tables.clear()  # one image at a time
        _tables[key] = compact.CompactTable(memory.read(start, size))
    return _tables[key]
