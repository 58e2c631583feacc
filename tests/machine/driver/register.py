"""Registers the dump's classes: behaviour where a selector has one, the superclass's for an override, else a recorder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from libobjc.classes import Class
from libobjc.runtime import MethodSpec, Runtime

from . import table
from .kinds import FAMILY
from .recorder import Recorder

if TYPE_CHECKING:
    from machine.process import Args, Process

Behaviour = Callable[["Super", "Args"], int | None]
"""What a method does: gets its arguments, and a way to `super`; returns x0."""
Behaviours = Mapping[tuple[str, str], Behaviour]
"""By class and selector, from the class that has it on downwards."""

NEEDED = frozenset(
    {"init", "dealloc", "class", "retain", "release", "autorelease", "retainCount", "respondsToSelector:"}
)
"""Selectors without which neither runtime nor model works: never recorders."""

IVARS: dict[str, tuple[str, ...]] = {
    "_MTLObjectWithLabel": ("_label",),
    "_MTLCommandEncoder": ("_device", "_commandBuffer", "_ended"),
    "_MTLParallelRenderCommandEncoder": ("_lock", "_commandBuffer", "_ended"),
    "_MTLSWRaytracingAccelerationStructureCommandEncoder": ("_computeEncoder", "_commandBuffer", "_ended"),
    "_MTLCommandBuffer": ("_device", "_queue", "_currentCommandEncoder", "_status"),
    FAMILY + "ComputeContext": ("_spare", "_impl"),
    FAMILY + "BlitContext": ("_spare", "_spare2", "_impl"),
    FAMILY + "RenderContext": ("_impl",),
    FAMILY + "ResourceStateContext": ("_impl",),
    FAMILY + "ThreadedRenderPass": ("_impl",),
    FAMILY + "CommandBuffer": ("_impl", "_previousEncoder"),
    "MPSCommandBuffer": ("_prefetch", "_commandBuffer"),
    "MTLToolsObject": ("_baseObject",),
}
"""Instance variables: names as dumped where the fix library looks at them; offsets differ from class to class."""
PROTOCOLS: dict[str, tuple[str, ...]] = {
    "_MTLCommandEncoder": ("MTLCommandEncoder",),
    "_MTLParallelRenderCommandEncoder": ("MTLCommandEncoder", "MTLParallelRenderCommandEncoder"),
    "_MTLCommandBuffer": ("MTLCommandBuffer",),
    "MPSCommandBuffer": ("MTLCommandBuffer",),
    "MTLToolsCommandBuffer": ("MTLCommandBuffer",),
    "MTLToolsCommandEncoder": ("MTLCommandEncoder",),
}


class Super:
    """The superclass's method, as `[super ...]` finds it."""

    def __init__(self, runtime: Runtime, superclass: str, selector: str) -> None:
        self.runtime = runtime
        self._superclass = superclass
        self._selector = selector

    @property
    def process(self) -> Process:
        """The process."""
        return self.runtime.process

    def __call__(self, a: Args) -> int | None:
        """Passes the integer registers on; the result's x0. Nothing happens where no superclass has the method."""
        method = self.runtime.cls(self._superclass).method(self._selector)
        if method is None:
            return None
        return self.process.call(method.implementation, *(a.x(index) for index in range(8))).x0


def register(runtime: Runtime, recorder: Recorder, behaviours: Behaviours, only: Callable[[str], bool]) -> list[Class]:
    """Registers those classes of the dump whose name is wanted. Called while an image is mapped."""
    made = []
    for dumped in table.classes():
        if not only(dumped.name):
            continue
        methods = [
            (selector, encoding, _code(runtime, recorder, behaviours, dumped, selector, encoding))
            for selector, encoding in dumped.methods
            if _has_code(behaviours, dumped, selector)
        ]
        own = IVARS.get(dumped.name, ())
        cls = runtime.define(
            dumped.name, dumped.superclass, methods, ivars=own, protocols=PROTOCOLS.get(dumped.name, ())
        )
        made.append(cls)
    return made


def _above(behaviours: Behaviours, name: str, selector: str) -> bool:
    return any((ancestor, selector) in behaviours for ancestor in table.lineage(name))


def _has_code(behaviours: Behaviours, dumped: table.Dumped, selector: str) -> bool:
    return selector not in NEEDED or _above(behaviours, dumped.name, selector)


def _code(
    runtime: Runtime, recorder: Recorder, behaviours: Behaviours, dumped: table.Dumped, selector: str, encoding: str
) -> int:
    name = f"-[{dumped.name} {selector}]"
    if not _above(behaviours, dumped.name, selector):
        return recorder.code(name, encoding)
    behaviour = behaviours.get((dumped.name, selector))
    above = Super(runtime, dumped.superclass, selector)

    def run(_process: Process, a: Args) -> int | None:
        return above(a) if behaviour is None else behaviour(above, a)

    return runtime.process.stub(name, run)


def spec(runtime: Runtime, name: str, encoding: str, run: Callable[[Args], int | None]) -> MethodSpec:
    """A method of the model's own, `name` being "-[Class selector]"."""
    selector = name.rstrip("]").split(" ", 1)[1]
    return selector, encoding, runtime.process.stub(name, lambda _process, a: run(a))
