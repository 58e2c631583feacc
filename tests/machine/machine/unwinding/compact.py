"""`__unwind_info`: how to leave each function, in one word (mach-o/compact_unwind_encoding.h)."""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass

_HEADER = struct.Struct("<7I")
_INDEX = struct.Struct("<3I")
_REGULAR, _COMPRESSED = 2, 3
_HAS_LSDA = 0x4000_0000
_PERSONALITY_SHIFT = 28

#: `UNWIND_ARM64_MODE_MASK` and its values.
MODE_MASK, FRAMELESS, DWARF, FRAME = 0x0F00_0000, 0x0200_0000, 0x0300_0000, 0x0400_0000
#: The pairs of registers that a frame saves, in the order in which they lie below it: bit, first, second. From 64 on: d.
PAIRS = (
    (0x001, 19, 20),
    (0x002, 21, 22),
    (0x004, 23, 24),
    (0x008, 25, 26),
    (0x010, 27, 28),
    (0x100, 64 + 8, 64 + 9),
    (0x200, 64 + 10, 64 + 11),
    (0x400, 64 + 12, 64 + 13),
    (0x800, 64 + 14, 64 + 15),
)


@dataclass(frozen=True)
class Entry:
    """A function; offsets are from the image's start, 0 for none."""

    start: int
    encoding: int
    lsda: int
    #: Where the personality function's address is.
    personality: int


class CompactTable:
    """The section's contents."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        version, self._common_at, self._common, self._personalities_at, self._personalities, index_at, count = (
            _HEADER.unpack_from(data)
        )
        if version != 1:
            raise ValueError(f"__unwind_info is of version {version}, not 1")
        self._index = [_INDEX.unpack_from(data, index_at + _INDEX.size * number) for number in range(count)]

    def _u32(self, at: int) -> int:
        return int(struct.unpack_from("<I", self._data, at)[0])

    def find(self, offset: int) -> Entry | None:
        """The function that an offset is in."""
        number = bisect_right([start for start, _, _ in self._index], offset) - 1
        if not 0 <= number < len(self._index) - 1:
            return None
        first, page, lsda_at = self._index[number]
        if not page:
            return None
        start, encoding = self._in_page(page, first, offset)
        if not encoding:
            return None
        lsda = self._lsda(lsda_at, self._index[number + 1][2], start) if encoding & _HAS_LSDA else 0
        which = encoding >> _PERSONALITY_SHIFT & 3
        personality = self._u32(self._personalities_at + 4 * (which - 1)) if which else 0
        return Entry(start, encoding, lsda, personality)

    def _in_page(self, page: int, first: int, offset: int) -> tuple[int, int]:
        kind, entries_at, count = struct.unpack_from("<IHH", self._data, page)
        at = page + entries_at
        if kind == _REGULAR:
            entries = [struct.unpack_from("<II", self._data, at + 8 * number) for number in range(count)]
            start, encoding = entries[bisect_right([start for start, _ in entries], offset) - 1]
            return start, encoding
        if kind != _COMPRESSED:
            raise ValueError(f"a page of __unwind_info is of kind {kind}")
        words = [self._u32(at + 4 * number) for number in range(count)]
        word = words[bisect_right([first + (word & 0xFF_FFFF) for word in words], offset) - 1]
        which = word >> 24
        if which < self._common:
            encoding = self._u32(self._common_at + 4 * which)
        else:
            own_at = struct.unpack_from("<H", self._data, page + 8)[0]
            encoding = self._u32(page + own_at + 4 * (which - self._common))
        return first + (word & 0xFF_FFFF), encoding

    def _lsda(self, at: int, end: int, start: int) -> int:
        for place in range(at, end, 8):
            if self._u32(place) == start:
                return self._u32(place + 4)
        return 0
