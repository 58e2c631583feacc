"""Originals that throw: the exception passes through the library's frames, which give the lock back on its way."""

from __future__ import annotations

import pytest

from driver.kinds import BLIT, COMPUTE, RENDER
from driver.recorder import Arrival
from machine import ForeignException
from machine.abi_arm64 import Struct
from scenarios.conftest import Loaded
from scenarios.probe import Probe
from scenarios.program import life, scoped, work
from scenarios.sender import Sender
from scenarios.world import World

METHODS = (
    ("AGXG16XFamilyComputeContext", "setComputePipelineState:"),
    ("AGXG16XFamilyComputeContext", "destroyImpl"),
    ("AGXG16XFamilyBlitContext", "endEncoding"),
    (
        "AGXG16XFamilyBlitContext",
        "copyFromTexture:sourceSlice:sourceLevel:sourceOrigin:sourceSize:toTexture:destinationSlice:destinationLevel:"
        "destinationOrigin:options:",
    ),
    ("AGXG16XFamilyRenderContext", "setBlendColorRed:green:blue:alpha:"),
    ("AGXG16XFamilyRenderContext", "setViewport:"),
    ("AGXG16XFamilyCommandBuffer", "computeCommandEncoder"),
    ("AGXG16XFamilyCommandBuffer", "commit"),
    ("AGXG16XFamilyCommandBuffer", "encodeSignalEvent:value:"),
    ("_MTLCommandBuffer", "commitAndWaitUntilSubmitted"),
    ("_MTLCommandBuffer", "didCompleteWithStartTime:endTime:error:"),
)


@pytest.mark.parametrize("scope", ["global", "queue"])
@pytest.mark.parametrize(("class_name", "selector"), METHODS, ids=[selector[:30] for _, selector in METHODS])
def test_the_lock_is_free_after_an_exception(loaded: Loaded, class_name: str, selector: str, scope: str) -> None:
    """Through every kind of forwarder: plain, with words of the stack, and with floating registers."""
    world = loaded(scoped(scope), records_all=True)
    sender = Sender(world)
    method = world.runtime.cls(class_name).methods[selector]
    receiver = sender.receiver(method.owner)

    def throw(arrival: Arrival) -> None:
        world.process.throw(arrival.selector)

    for _ in range(3):
        world.driver.recorder.during = throw
        with pytest.raises(ForeignException) as thrown:
            sender.send(receiver, method, 1)
        assert thrown.value.payload == selector
        world.driver.recorder.during = None
        world.runtime.objects.release(sender.made)
    probe = Probe(world)
    sender.send(receiver, method, 2)
    probe.ask()
    probe.stop()
    sender.end(receiver)
    if sender.made:
        sender.end(sender.made)
    left = world.end()
    assert all(ring.depth == ring.holds == 0 for ring in left.rings)


def test_an_exception_through_a_nested_call(loaded: Loaded) -> None:
    """Thrown three hooks deep; the encoder goes on and ends as any other."""
    world = loaded()

    def throw(method: str, _receiver: int) -> None:
        if "setViewport" in method:
            world.process.throw("deep")

    def nest(method: str, receiver: int) -> None:
        if "setRenderPipelineState" in method:
            world.driver.while_inside = throw
            world.send(receiver, "setViewport:", Struct(bytes(48)))

    with world.runtime.objects.pool():
        buffer = world.driver.command_buffer()
        encoder = world.driver.encoder(buffer, RENDER)
        world.driver.while_inside = nest
        with pytest.raises(ForeignException):
            world.send(encoder, "setRenderPipelineState:", 1)
        world.driver.while_inside = None
        work(world, encoder, RENDER)
        world.send(encoder, "endEncoding")
        world.send(buffer, "commit")
        world.driver.complete_one()
        world.in_threads(lambda: _life(world), lambda: _life(world))
    left = world.end()
    assert left.counters["encoders_created"] == 5
    assert all(ring.depth == ring.holds == 0 for ring in left.rings)


def _life(world: World) -> None:
    life(world, [COMPUTE, BLIT])
    world.driver.complete_one()


def test_a_factory_that_throws_tracks_nothing(loaded: Loaded) -> None:
    world = loaded()

    def throw(method: str, _receiver: int) -> None:
        if "factory" in method:
            world.process.throw("no encoder")

    with world.runtime.objects.pool():
        buffer = world.driver.command_buffer()
        world.driver.while_inside = throw
        with pytest.raises(ForeignException):
            world.driver.encoder(buffer, COMPUTE)
        world.driver.while_inside = None
        life(world, [COMPUTE])
        world.driver.complete_one()
    left = world.end()
    assert left.counters["encoders_created"] == 1
