"""Shows whether the library's lock is held inside a method: a second thread tries to get in."""

from __future__ import annotations

from driver.kinds import COMPUTE
from driver.recorder import Arrival
from scenarios.world import World

WORK = "setComputePipelineState:"


class Probe:
    """A thread with an encoder of its own, on which it sends a work method when it is asked to."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._wanted = self._trying = self._over = self._entered = False
        self._encoder = world.runtime.objects.make(world.runtime.cls(COMPUTE.class_name))
        offset = world.runtime.cls(COMPUTE.class_name).ivar("_impl")
        assert offset is not None
        world.process.memory.put_u64(self._encoder + offset.offset, world.driver.take_impl())
        self.was_kept_out = False
        self._thread = world.process.spawn(self._run, name="probe")

    def _run(self) -> None:
        process = self._world.process
        while True:
            process.block_until(lambda: self._wanted or self._over, what="the probe to be wanted")
            if self._over:
                return
            self._trying = True
            self._world.send(self._encoder, WORK, 1)
            self._trying = self._wanted = False

    def during(self, arrival: Arrival) -> None:
        """Tries to get in while the current thread is inside a method. To be called from the recorder."""
        process = self._world.process
        if process.thread is self._thread:
            self._entered = True
            return
        self._entered, self._wanted = False, True
        stuck = "the probe to enter or to be stuck"
        process.block_until(lambda: self._entered or (self._trying and self._thread.waits_for is not None), what=stuck)
        self.was_kept_out = not self._entered

    def ask(self) -> None:
        """Nobody is inside a method: the probe must get in."""
        self._wanted = True
        self.wait()

    def wait(self) -> None:
        """The method is over: the probe must get in now."""
        self._world.process.block_until(lambda: not self._wanted, what="the probe to get through")

    def stop(self) -> None:
        """Ends the thread and its encoder."""
        self._world.send(self._encoder, "endEncoding")
        self._over = True
        self._world.process.run()
        self._world.runtime.objects.release(self._encoder)
