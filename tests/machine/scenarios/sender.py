"""Sends recorded methods through their hooks, with values by which everything that is lost or moved shows."""

from __future__ import annotations

import random

from driver import passing, values
from driver.kinds import COMPUTE
from libobjc.classes import Class, Method
from libobjc.encoding import Signature, parse
from libobjc.placement import place
from scenarios.world import World


class Sender:
    """Sends a method through its hook, and compares both sides."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.runtime = world.runtime
        self.recorder = world.driver.recorder
        self.sent = 0

    def receiver(self, cls: Class) -> int:
        """An instance with an `_impl`."""
        made = self.runtime.objects.make(cls)
        if cls.ivar("_impl"):
            self.world.driver.set(made, "_impl", self.world.driver.take_impl())
        return made

    def send(self, receiver: int, method: Method, seed: int) -> None:
        """One call with values that follow from the seed."""
        source = random.Random(f"{method} {seed}")
        signature = parse(method.encoding)
        wanted = [values.value(of, source) for of in signature.arguments]
        name = str(method)
        result = self._result(signature, method, source)
        self.recorder.results[name] = result
        self.recorder.arrivals.clear()
        memory = self.world.process.memory
        room = memory.alloc(signature.result.size + 16) if signature.result.size > 16 else None
        pairs = list(zip(signature.arguments, wanted, strict=True))
        arguments = [passing.to_argument(of, value) for of, value in pairs]
        returned = self.world.process.call(
            method.implementation, receiver, self.runtime.selector(method.selector), *arguments, indirect=room
        )
        self.sent += 1
        mine = [it for it in self.recorder.arrivals if it.thread is self.world.process.thread]
        assert [it.method for it in mine] == [name]
        assert (mine[0].receiver, mine[0].selector) == (receiver, method.selector), name
        places = place(signature).arguments
        whole = tuple(passing.arrives(of, value, at) for (of, value), at in zip(pairs, places, strict=True))
        assert mine[0].arguments == whole, f"{name} {method.encoding}"
        got = passing.result_value(self.world.process, returned, signature.result, room)
        assert got == passing.extended(signature.result, result), f"{name} {method.encoding}"

    def _result(self, signature: Signature, method: Method, source: random.Random) -> bytes:
        """What comes back: an encoder from what looks like a factory, which the library will look at; else anything."""
        if signature.result.code == "@" and "ommandEncoder" in method.selector:
            self.made = self.receiver(self.runtime.cls(COMPUTE.class_name))
            return self.made.to_bytes(8, "little")
        self.made = 0
        return values.value(signature.result, source)

    def end(self, encoder: int) -> None:
        """Ends and releases an object."""
        ender = self.runtime.objects.class_of(encoder, "the test").method("endEncoding")
        if ender is not None:
            self.world.process.call(ender.implementation, encoder, self.runtime.selector("endEncoding"))
        self.runtime.objects.release(encoder)
