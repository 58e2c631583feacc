"""Classes, methods and instance variables, as the runtime keeps them.

What may change while a program runs (a method's code, a class's stage) stands in emulated memory, so that a child of `fork`
has its own. The rest is written once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from machine.memory import Memory
    from machine.threads import Thread

POINTER = 8
_METACLASS, _SUPERCLASS, _STAGE = 0, 8, 32
CLASS_SIZE = 64
_IMPLEMENTATION = 16
METHOD_SIZE = 24

LOADED, INITIALISING, INITIALISED = range(3)
"""The stages of a class: known, inside `+initialize`, ready for messages."""


@dataclass(frozen=True)
class Ivar:
    """An instance variable: its offset in bytes; `address` is the opaque `Ivar`."""

    name: str
    offset: int
    address: int


@dataclass(eq=False)
class Method:
    """A method of a class's own list; `address` is the opaque `Method`."""

    owner: Class
    selector: str
    encoding: str
    address: int
    _memory: Memory = field(repr=False, compare=False)

    @property
    def implementation(self) -> int:
        """The address of its code."""
        return self._memory.u64(self.address + _IMPLEMENTATION)

    @implementation.setter
    def implementation(self, code: int) -> None:
        self._memory.put_u64(self.address + _IMPLEMENTATION, code)

    def __str__(self) -> str:
        return f"{'+' if self.owner.is_meta else '-'}[{self.owner.name} {self.selector}]"


@dataclass(eq=False)
class Class:
    """A class or a metaclass. `size` is an instance's, in bytes."""

    name: str
    superclass: Class | None
    is_meta: bool
    address: int
    size: int
    _memory: Memory = field(repr=False)
    metaclass: Class | None = None
    methods: dict[str, Method] = field(default_factory=dict)
    ivars: dict[str, Ivar] = field(default_factory=dict)
    protocols: set[str] = field(default_factory=set)
    initialiser: Thread | None = None
    """The thread inside its `+initialize`."""

    @property
    def stage(self) -> int:
        """LOADED, INITIALISING or INITIALISED."""
        return self._memory.u64(self.address + _STAGE)

    @stage.setter
    def stage(self, stage: int) -> None:
        self._memory.put_u64(self.address + _STAGE, stage)

    def write_head(self) -> None:
        """Writes what other code may read of a class: its metaclass and its superclass."""
        meta = self.metaclass.address if self.metaclass else 0
        above = self.superclass.address if self.superclass else 0
        self._memory.put_u64(self.address + _METACLASS, meta)
        self._memory.put_u64(self.address + _SUPERCLASS, above)

    def lineage(self) -> Iterator[Class]:
        """The class and its superclasses, the class first."""
        at: Class | None = self
        while at is not None:
            yield at
            at = at.superclass

    def method(self, selector: str) -> Method | None:
        """The method that a message would run: its own or an inherited one."""
        for cls in self.lineage():
            if selector in cls.methods:
                return cls.methods[selector]
        return None

    def ivar(self, name: str) -> Ivar | None:
        """An instance variable of its own or a superclass's."""
        for cls in self.lineage():
            if name in cls.ivars:
                return cls.ivars[name]
        return None

    def __repr__(self) -> str:
        return f"<{'metaclass' if self.is_meta else 'class'} {self.name}>"
