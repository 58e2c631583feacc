"""Values by which a misplaced register, a lost stack slot or a lost extension shows: every byte of every value differs."""

from __future__ import annotations

import random
import struct

from libobjc.encoding import FLOATS, Type


def value(of: Type, source: random.Random) -> bytes:
    """A value of a type, as it stands in memory; padding is zero."""
    image = bytearray(of.size)
    for offset, leaf in of.leaves():
        image[offset : offset + leaf.size] = _scalar(leaf, source)
    return bytes(image)


def _scalar(of: Type, source: random.Random) -> bytes:
    if of.code in FLOATS:
        # Exact in both widths, never a NaN, whose bits a processor may change.
        number = source.randrange(1, 1 << 20) / 64 * source.choice((1, -1))
        return struct.pack("<f" if of.code == "f" else "<d", number)
    if of.code == "B":
        return bytes([source.randrange(2)])
    # The highest bit is set half of the time, so that a wrong extension shows.
    return source.randbytes(of.size)
