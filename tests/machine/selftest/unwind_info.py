"""Makes `__unwind_info` and `__eh_frame` by hand (mach-o/compact_unwind_encoding.h; DWARF 4, 6.4)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

FRAME, FRAMELESS, DWARF = 0x0400_0000, 0x0200_0000, 0x0300_0000
X19_X20 = 0x1
_LSDA, _FIRST_PERSONALITY = 0x4000_0000, 0x1000_0000


@dataclass(frozen=True)
class Function:
    """Where it begins, how it is left, and its LSDA, with a personality, if it has one; offsets in the image."""

    start: int
    encoding: int
    lsda: int = 0

    @property
    def word(self) -> int:
        """The encoding with its flags."""
        return self.encoding | (_LSDA | _FIRST_PERSONALITY if self.lsda else 0)


def section(functions: Sequence[Function], end: int, personality: int, compressed: bool) -> bytes:
    """The table; `personality` is where its address is. Compressed pages have half of their encodings in the common table."""
    words = list(dict.fromkeys(one.word for one in functions))
    common = words[: len(words) // 2] if compressed else []
    common_at = 28
    personalities_at = common_at + 4 * len(common)
    index_at = personalities_at + 4
    lsda_at = index_at + 2 * 12
    lsdas = [struct.pack("<II", one.start, one.lsda) for one in functions if one.lsda]
    page_at = lsda_at + 8 * len(lsdas)
    first = functions[0].start
    head = struct.pack("<7I", 1, common_at, len(common), personalities_at, 1, index_at, 2)
    index = struct.pack("<6I", first, page_at, lsda_at, end, 0, page_at)
    if compressed:
        order = [*common, *(word for word in words if word not in common)]
        own = order[len(common) :]
        entries = b"".join(struct.pack("<I", order.index(one.word) << 24 | one.start - first) for one in functions)
        own_words = struct.pack(f"<{len(own)}I", *own)
        page = struct.pack("<IHHHH", 3, 12 + len(own_words), len(functions), 12, len(own)) + own_words + entries
    else:
        page = struct.pack("<IHH", 2, 8, len(functions))
        page += b"".join(struct.pack("<II", one.start, one.word) for one in functions)
    common_words = struct.pack(f"<{len(common)}I", *common)
    return head + common_words + struct.pack("<I", personality) + index + b"".join(lsdas) + page


def eh_frame(at: int, function: int, size: int, personality: int, lsda: int, program: bytes) -> tuple[bytes, int]:
    """A section at `at` with one function, whose personality's address is at `personality`; and its entry's offset."""
    augmentation = bytearray(b"\x9b")  # indirect, relative to itself, four bytes signed
    head = struct.pack("<IB", 0, 1) + b"zPLR\0" + b"\x01\x78\x1e"  # factors 1 and -8, return address in x30
    place = at + 4 + len(head) + 1 + 1
    augmentation += struct.pack("<i", personality - place) + b"\x10\x10"
    common = head + bytes([len(augmentation)]) + augmentation + b"\x0c\x1f\x00"  # sp is sp + 0
    common += bytes(-len(common) % 4)
    common = struct.pack("<I", len(common)) + common
    entry_at = at + len(common)
    start_at = entry_at + 8
    entry = struct.pack("<I", entry_at + 4 - at) + struct.pack("<qQ", function - start_at, size)
    entry += b"\x08" + struct.pack("<q", lsda - (start_at + 17)) + program
    entry += bytes(-len(entry) % 4)
    return common + struct.pack("<I", len(entry)) + entry, len(common)
