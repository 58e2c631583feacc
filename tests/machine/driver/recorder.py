"""Methods that record what they get, and return what they were told to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from libobjc.encoding import Signature, parse
from libobjc.placement import Placement, place

from .passing import received, return_value

if TYPE_CHECKING:
    from machine.process import Args, Process
    from machine.threads import Thread


@dataclass
class Arrival:
    """One call of a recorder: what arrived, and in which thread."""

    method: str
    receiver: int
    selector: str
    arguments: tuple[bytes, ...]
    thread: Thread


@dataclass
class Recorder:
    """All recorders of a process. `during` runs inside each recorded method, before it returns."""

    process: Process
    selector_name: Callable[[int], str]
    arrivals: list[Arrival] = field(default_factory=list)
    results: dict[str, bytes] = field(default_factory=dict)
    """What a method returns, by its name; zeros where nothing is told."""
    during: Callable[[Arrival], None] | None = None

    def code(self, name: str, encoding: str) -> int:
        """A method's code."""
        signature = parse(encoding)
        placement = place(signature)
        return self.process.stub(name, lambda _process, a: self._arrived(name, signature, placement, a))

    def _arrived(self, name: str, signature: Signature, placement: Placement, a: Args) -> None:
        process = self.process
        pairs = zip(signature.arguments, placement.arguments, strict=True)
        arguments = tuple(received(process, a, of, at) for of, at in pairs)
        arrival = Arrival(name, a.x(0), self.selector_name(a.x(1)), arguments, process.thread)
        self.arrivals.append(arrival)
        if self.during is not None:
            self.during(arrival)
        of = signature.result
        return_value(process, a, of, self.results.get(name, bytes(of.size)))
