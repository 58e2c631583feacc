"""`__eh_frame`: how to leave a function, as a program (DWARF 4, 6.4; "Linux Standard Base", 10.6)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

#: Encodings of an address: the format in the low half, what it is relative to in the high.
_OMIT, _ABSOLUTE, _UDATA4, _UDATA8, _SDATA4, _SDATA8 = 0xFF, 0x00, 0x03, 0x04, 0x0B, 0x0C
_RELATIVE_TO_ITSELF, _INDIRECT = 0x10, 0x80


class Reader:
    """Bytes with a position; the first is at the address `base`."""

    def __init__(self, data: bytes, base: int, at: int = 0) -> None:
        self.data, self.base, self.at = data, base, at

    def take(self, form: str) -> int:
        """A number of `struct`'s format."""
        (value,) = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return int(value)

    def uleb(self) -> int:
        """An unsigned LEB128."""
        value = shift = 0
        while True:
            byte = self.take("B")
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def sleb(self) -> int:
        """A signed LEB128."""
        start = self.at
        value = self.uleb()
        bits = 7 * (self.at - start)
        return value - (1 << bits) if value >> (bits - 1) else value

    def text(self) -> str:
        """A string up to its NUL."""
        end = self.data.index(0, self.at)
        text = self.data[self.at : end].decode()
        self.at = end + 1
        return text

    def pointer(self, encoding: int, load: Callable[[int], int]) -> int:
        """An address in an encoding; 0 for none."""
        if encoding == _OMIT:
            return 0
        here = self.base + self.at
        forms = {_ABSOLUTE: "Q", _UDATA4: "I", _UDATA8: "Q", _SDATA4: "i", _SDATA8: "q"}
        value = self.take(forms[encoding & 0x0F])
        if value and encoding & 0x70 == _RELATIVE_TO_ITSELF:
            value = value + here & (1 << 64) - 1
        return load(value) if value and encoding & _INDIRECT else value


@dataclass
class Description:
    """What the section says of a function; addresses, 0 for none."""

    start: int
    end: int
    lsda: int
    personality: int
    code_factor: int
    data_factor: int
    #: The programs: everybody's, then this function's.
    programs: tuple[bytes, bytes]


def read(data: bytes, base: int, offset: int, load: Callable[[int], int]) -> Description:
    """The entry at an offset in the section; `load` reads a word of the process."""
    entry = Reader(data, base, offset)
    length = entry.take("I")
    end = entry.at + length
    back = entry.at
    common = Reader(data, base, back - entry.take("I"))
    common_end = common.take("I") + common.at
    common.take("I")
    version = common.take("B")
    if version != 1:
        raise ValueError(f"an entry of __eh_frame is of version {version}")
    augmentation = common.text()
    code_factor, data_factor = common.uleb(), common.sleb()
    common.uleb()  # the register of the return address, which is x30
    pointers, lsda_encoding, personality = _ABSOLUTE, _OMIT, 0
    if augmentation.startswith("z"):
        common.uleb()
        for letter in augmentation[1:]:
            if letter == "P":
                personality = common.pointer(common.take("B"), load)
            elif letter == "L":
                lsda_encoding = common.take("B")
            elif letter == "R":
                pointers = common.take("B")
            else:
                raise ValueError(f"an entry of __eh_frame has the augmentation {augmentation!r}")
    start = entry.pointer(pointers, load)
    size = entry.pointer(pointers & 0x0F, load)
    lsda = 0
    if augmentation.startswith("z"):
        extra = entry.uleb()
        behind = entry.at + extra
        lsda = entry.pointer(lsda_encoding, load)
        entry.at = behind
    programs = data[common.at : common_end], data[entry.at : end]
    return Description(start, start + size, lsda, personality, code_factor, data_factor, programs)


@dataclass
class Rules:
    """Where the caller's state is: its sp is a register plus an offset, its registers lie at offsets from that."""

    register: int = 31
    offset: int = 0
    saved: dict[int, int] = field(default_factory=dict)

    def copy(self) -> Rules:
        """One that can be changed apart."""
        return Rules(self.register, self.offset, dict(self.saved))


def rules_at(it: Description, address: int) -> Rules:
    """The rules at an address of the function."""
    rules = Rules()
    location = _run(it, it.programs[0], rules, Rules(), it.start, None)
    initial = rules.copy()
    _run(it, it.programs[1], rules, initial, location, address)
    return rules


def _run(it: Description, program: bytes, rules: Rules, initial: Rules, location: int, until: int | None) -> int:
    """Runs a program up to an address."""
    code = Reader(program, 0)
    remembered: list[Rules] = []
    while code.at < len(program):
        byte = code.take("B")
        high, low = byte & 0xC0, byte & 0x3F
        if high == 0x40 or byte in (0x02, 0x03, 0x04):  # advance
            step = low if high == 0x40 else code.take({2: "B", 3: "H", 4: "I"}[byte])
            location += step * it.code_factor
            if until is not None and location > until:
                return location
        elif high == 0x80:  # saved at an offset
            rules.saved[low] = code.uleb() * it.data_factor
        elif high == 0xC0:  # as in the beginning
            _as_initial(rules, initial, low)
        else:
            _extended(byte, code, it, rules, initial, remembered)
    return location


def _as_initial(rules: Rules, initial: Rules, register: int) -> None:
    rules.saved.pop(register, None)
    if register in initial.saved:
        rules.saved[register] = initial.saved[register]


def _extended(byte: int, code: Reader, it: Description, rules: Rules, initial: Rules, remembered: list[Rules]) -> None:
    match byte:
        case 0x00:  # nothing
            pass
        case 0x05:  # saved at an offset
            register = code.uleb()
            rules.saved[register] = code.uleb() * it.data_factor
        case 0x11:  # the same, signed
            register = code.uleb()
            rules.saved[register] = code.sleb() * it.data_factor
        case 0x06:  # as in the beginning
            _as_initial(rules, initial, code.uleb())
        case 0x07 | 0x08:  # undefined; the same value
            rules.saved.pop(code.uleb(), None)
        case 0x0A:
            remembered.append(rules.copy())
        case 0x0B:
            before = remembered.pop()
            rules.register, rules.offset, rules.saved = before.register, before.offset, before.saved
        case 0x0C:  # sp by register and offset
            rules.register, rules.offset = code.uleb(), code.uleb()
        case 0x0D:
            rules.register = code.uleb()
        case 0x0E:
            rules.offset = code.uleb()
        case _:
            raise ValueError(f"__eh_frame has the instruction {byte:#x}, which the machine does not know")
