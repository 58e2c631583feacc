"""Objective-C type encodings: `v40@0:8@16Q24Q32` (Apple's "Type Encodings").

Written apart from the library's own reader (fixdylib/policy/src/encoding.rs), so that the two can disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

INTEGERS = {
    "c": 1,
    "C": 1,
    "B": 1,
    "s": 2,
    "S": 2,
    "i": 4,
    "I": 4,
    "l": 4,
    "L": 4,
    "q": 8,
    "Q": 8,
}
"""Codes of integers with their sizes in bytes; `l` is four bytes in every encoding."""
FLOATS = {"f": 4, "d": 8}
POINTERS = "@#:*^"
_QUALIFIERS = "rnNoORVA"
_CLOSING = {"{": "}", "(": ")"}


class Unreadable(ValueError):
    """An encoding that cannot be read, or holds something that this model does not know how to pass."""


@dataclass(frozen=True)
class Type:
    """A type with its size and alignment in bytes.

    `code` is the encoding's letter; `{` for a structure, `v` for nothing. `parts` are a structure's fields.
    """

    code: str
    size: int
    align: int
    parts: tuple[Type, ...] = ()

    def leaves(self, at: int = 0) -> Iterator[tuple[int, Type]]:
        """The scalars with their offsets."""
        if self.code != "{":
            yield at, self
            return
        offset = at
        for part in self.parts:
            offset = aligned(offset, part.align)
            yield from part.leaves(offset)
            offset += part.size

    @property
    def homogeneous(self) -> int:
        """Members of a homogeneous floating-point aggregate, or of a floating-point scalar: 1 to 4; 0 for other types."""
        codes = [leaf.code for _, leaf in self.leaves()]
        same = len(set(codes)) == 1 and codes[0] in FLOATS
        return len(codes) if same and len(codes) <= 4 else 0


@dataclass(frozen=True)
class Signature:
    """A method's types; the receiver and the selector are not among the arguments."""

    result: Type
    arguments: tuple[Type, ...]


def aligned(offset: int, align: int) -> int:
    """The next multiple of `align`."""
    return -(-offset // align) * align


def parse(encoding: str) -> Signature:
    """Reads a method's encoding; raises Unreadable."""
    reader = _Reader(encoding)
    types = []
    while not reader.is_done():
        types.append(reader.type())
        reader.digits()
    if len(types) < 3 or types[1].code not in "@#" or types[2].code != ":":
        raise Unreadable(f"{encoding!r} is not a method's")
    return Signature(types[0], tuple(types[3:]))


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def is_done(self) -> bool:
        return self._at == len(self._text)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        if self.is_done():
            raise Unreadable(f"{self._text!r} ends too early")
        self._at += 1
        return self._text[self._at - 1]

    def digits(self) -> int:
        start = self._at
        while self._peek().isdigit():
            self._at += 1
        return int(self._text[start : self._at] or 0)

    def type(self) -> Type:
        """One type, its qualifiers skipped."""
        while self._peek() and self._peek() in _QUALIFIERS:
            self._at += 1
        code = self._next()
        if code == "v":
            return Type("v", 0, 1)
        if code in INTEGERS:
            return Type(code, INTEGERS[code], INTEGERS[code])
        if code in FLOATS:
            return Type(code, FLOATS[code], FLOATS[code])
        if code in POINTERS:
            self._pointer(code)
            return Type(code, 8, 8)
        if code == "{":
            return self._structure()
        raise Unreadable(f"{code!r} in {self._text!r}")

    def _pointer(self, code: str) -> None:
        """What stands behind a pointer's letter and is not looked at."""
        if code == "@":
            if self._peek() == "?":
                self._at += 1
            elif self._peek() == '"':
                self._at = self._text.index('"', self._at + 1) + 1
        elif code == "^":
            self._skip()

    def _skip(self) -> None:
        """A pointee, which may hold what cannot be passed: bit fields, unions, flexible arrays."""
        while self._peek() and self._peek() in _QUALIFIERS:
            self._at += 1
        code = self._next()
        if code in "{([":
            depth = 1
            while depth:
                letter = self._next()
                depth += (letter in "{([") - (letter in "})]")
        elif code == "^":
            self._skip()
        elif code == "b":
            self.digits()

    def _structure(self) -> Type:
        while self._next() != "=":
            if self._peek() == "}":
                raise Unreadable(f"a structure without fields in {self._text!r}")
        parts = []
        while self._peek() != "}":
            parts.append(self.type())
        self._at += 1
        align = max((part.align for part in parts), default=1)
        size = 0
        for part in parts:
            size = aligned(size, part.align) + part.size
        return Type("{", aligned(size, align), align, tuple(parts))
