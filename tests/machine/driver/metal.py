"""The driver as a whole: its images, its pool of `_impl`s, what one thread at a time may do, and what a GPU says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from libobjc.classes import Class
from libobjc.runtime import Runtime

from . import buffers, encoders
from .kinds import BUFFER, FAMILY, MPS_BUFFER, Kind
from .recorder import Arrival, Recorder
from .register import Behaviours, register

if TYPE_CHECKING:
    from machine.process import Process
    from machine.threads import Thread

IMPL_SIZE = 0x600


class Driver:
    """Metal's frameworks and the driver's bundle in one process."""

    def __init__(self, runtime: Runtime, *, records_all: bool = False, scope: str = "global") -> None:
        self.runtime = runtime
        self.process: Process = runtime.process
        self.recorder = Recorder(self.process, runtime.selector_name)
        self.records_all = records_all
        self.scope = scope
        """What the library's lock grants: nobody else inside the `global` driver, the same `queue`, or the same `buffer`."""
        self.impls: list[int] = []
        """`_impl`s that nobody has."""
        self.committed: list[int] = []
        """Command buffers that the GPU has not done, oldest first."""
        self.handlers: dict[int, list[int]] = {}
        """Completion handlers, by command buffer: addresses of functions that take it."""
        self.inside: list[tuple[Thread, object, str]] = []
        """Threads in the driver, with the part that they are in and the method."""
        self.overlaps = 0
        """How often a thread came in while another one was in another part."""
        self.calls = 0
        """Work that arrived."""
        self.while_inside: Callable[[str, int], None] | None = None
        """Called inside each method that must be alone, with its name and its receiver."""
        if not records_all:
            self.recorder.during = self._work
        self.process.on_fork(self._saved, self._restore)

    def _behaviours(self) -> Behaviours:
        return {} if self.records_all else {**encoders.behaviours(self), **buffers.behaviours(self)}

    # Images

    def load_metal(self) -> None:
        """Loads Metal, IOGPU and MPS: the classes whose names do not begin with the driver's family."""
        self._load(
            "/System/Library/Frameworks/Metal.framework/Versions/A/Metal", lambda name: not name.startswith(FAMILY)
        )

    def load_driver(self) -> None:
        """Loads the driver's bundle, as the first device does."""
        self._load("/System/Library/Extensions/AGXMetalG16X.bundle/AGXMetalG16X", lambda name: name.startswith(FAMILY))

    def _load(self, image: str, wanted: Callable[[str], bool]) -> None:
        def define() -> None:
            register(self.runtime, self.recorder, self._behaviours(), wanted)

        self.runtime.load_image(image, define)

    def load(self, *, touches: bool = True) -> None:
        """Both, and a first message to each class, as making an object of each would send it."""
        self.load_metal()
        self.load_driver()
        if touches:
            self.touch_all()

    def touch_all(self) -> None:
        """Sends each class a first message."""
        for cls in self.runtime.classes():
            self.runtime.send(cls.address, "self")

    # Instance variables

    def get(self, receiver: int, ivar: str) -> int:
        """An instance variable."""
        return self.process.memory.u64(receiver + self._offset(receiver, ivar))

    def set(self, receiver: int, ivar: str, value: int) -> None:
        """Sets one."""
        self.process.memory.put_u64(receiver + self._offset(receiver, ivar), value)

    def has(self, receiver: int, ivar: str) -> bool:
        """Whether an object has one."""
        return self.class_of(receiver).ivar(ivar) is not None

    def class_of(self, receiver: int) -> Class:
        """An object's class."""
        return self.runtime.objects.class_of(receiver, "the driver")

    def _offset(self, receiver: int, ivar: str) -> int:
        found = self.class_of(receiver).ivar(ivar)
        if found is None:
            raise KeyError(f"{self.class_of(receiver).name} has no {ivar}")
        return found.offset

    # What a program does

    def command_buffer(self, queue: int = 0) -> int:
        """A new command buffer of a queue, which is any address; autoreleased."""
        made = self.runtime.send(self.runtime.cls(BUFFER).address, "alloc").x0
        self.runtime.send(made, "initWithQueue:retainedReferences:", queue, 1)
        return self.runtime.objects.autorelease(made)

    def mps_command_buffer(self, inner: int) -> int:
        """`MPSCommandBuffer` around another; autoreleased."""
        made = self.runtime.send(self.runtime.cls(MPS_BUFFER).address, "alloc").x0
        self.runtime.send(made, "initWithCommandBuffer:", inner)
        return self.runtime.objects.autorelease(made)

    def encoder(self, buffer: int, kind: Kind, factory: str | None = None) -> int:
        """An encoder of a command buffer, from its first factory or the one that is named."""
        selector = factory or kind.factories[0]
        arguments = [0] * selector.count(":")
        return self.runtime.send(buffer, selector, *arguments).x0

    def complete_one(self) -> None:
        """The GPU has done the oldest command buffer, and tells it so."""
        buffer = self.committed.pop(0)
        self.runtime.send(buffer, "didCompleteWithStartTime:endTime:error:", 1, 2, 0)
        self.runtime.objects.release(buffer)

    # What the driver's code relies on

    @contextmanager
    def only_one(self, method: str, receiver: int, *, pool: bool = False) -> Iterator[None]:
        """A part of the driver in which a second thread does damage; other threads may go on meanwhile.

        It is the receiver's queue or command buffer where there is one lock for each, or the `pool` that all share.
        """
        process = self.process
        me, part = process.thread, self._part(receiver, pool)
        others = [(where, name) for thread, where, name in self.inside if thread is not me]
        for where, name in others:
            if where == part:
                process.contract(f"{method} runs while another thread is inside {name}")
        self.overlaps += bool(others)
        entry = (me, part, method)
        self.inside.append(entry)
        try:
            process.switch()
            if self.while_inside is not None:
                self.while_inside(method, receiver)
            yield
        finally:
            self.inside.remove(entry)

    def _part(self, receiver: int, pool: bool) -> object:
        if self.scope == "global" or pool:
            return "the device"
        buffer = self.get(receiver, "_commandBuffer") if self.has(receiver, "_commandBuffer") else receiver
        return self.get(buffer, "_queue") if self.scope == "queue" else buffer

    def _work(self, arrival: Arrival) -> None:
        """What a recorded method of an encoder does: it loads `_impl` and uses it, with neither lock nor NULL test."""
        self.calls += 1
        if not self.has(arrival.receiver, "_impl"):
            return
        impl = self.get(arrival.receiver, "_impl")
        self.process.memory.u64(impl + 0x5C8)
        with self.only_one(arrival.method, arrival.receiver):
            self.process.memory.u64(impl + 0x5C8)

    def take_impl(self) -> int:
        """An `_impl` out of the pool."""
        return self.impls.pop() if self.impls else self.process.memory.alloc(IMPL_SIZE)

    def give_impl(self, encoder: int) -> None:
        """Gives an encoder's `_impl` back: into the pool first, NULL later, and another thread may come in between."""
        impl = self.get(encoder, "_impl")
        if impl == 0:
            return
        with self.only_one("destroyImpl", encoder, pool=True):
            self.impls.append(impl)
            self.process.switch()
            self.set(encoder, "_impl", 0)

    # fork, and going back to a checkpoint

    def _saved(self) -> object:
        handlers = {buffer: list(them) for buffer, them in self.handlers.items()}
        lists = [list(it) for it in (self.impls, self.committed, self.inside, self.recorder.arrivals)]
        return lists, handlers, self.calls, self.overlaps, self.while_inside, self.scope

    def _restore(self, saved: object) -> None:
        lists, handlers, self.calls, self.overlaps, self.while_inside, self.scope = saved  # type: ignore[misc]
        self.impls, self.committed, self.inside, self.recorder.arrivals = (list(it) for it in lists)
        self.handlers = {buffer: list(them) for buffer, them in handlers.items()}
        self.recorder.results.clear()
        self.recorder.during = None if self.records_all else self._work
