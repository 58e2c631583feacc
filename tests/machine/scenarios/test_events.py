"""Events while encoders are open, and the throttle: waits on the machine's clock."""

from __future__ import annotations

import pytest

from driver.kinds import BLIT, COMPUTE
from scenarios.conftest import Loaded
from scenarios.program import MILLISECOND, gpu, life, sleep, work
from scenarios.world import World

EVENTS = [("encodeSignalEvent:value:", "event_signals"), ("encodeWaitForEvent:value:", "event_waits")]


@pytest.mark.parametrize(("selector", "counter"), EVENTS)
def test_the_caller_s_own_encoder_is_ended(loaded: Loaded, selector: str, counter: str) -> None:
    world = loaded()

    def run() -> None:
        buffer = world.driver.command_buffer()
        encoder = world.driver.encoder(buffer, COMPUTE)
        work(world, encoder, COMPUTE)
        world.send(buffer, selector, 0x1234, 7)
        assert world.driver.get(encoder, "_ended") == 1
        world.send(buffer, "commit")
        world.driver.complete_one()

    world.in_pool(run)()
    left = world.end()
    assert left.counters[counter] == 1, "calls of super are not counted again"
    assert left.counters["event_forced_ends"] == 1
    assert left.counters["event_encoder_waits"] == 0


class Two:
    """A command buffer, one thread that keeps an encoder of it open, and one that signals an event on it."""

    def __init__(self, world: World, open_for_ms: float) -> None:
        self.world = world
        self.waited_ms = -1.0
        self._open_for_ms = open_for_ms
        self._opened = self.signalled = False
        with world.runtime.objects.pool():
            self.buffer = world.driver.command_buffer()
            world.in_threads(self._encode, self._signal)
            world.send(self.buffer, "commit")
            world.driver.complete_one()

    def _encode(self) -> None:
        encoder = self.world.driver.encoder(self.buffer, BLIT)
        work(self.world, encoder, BLIT)
        self._opened = True
        sleep(self.world, self._open_for_ms)
        if not self.world.driver.get(encoder, "_ended"):
            work(self.world, encoder, BLIT)
            self.world.send(encoder, "endEncoding")

    def _signal(self) -> None:
        process = self.world.process
        process.block_until(lambda: self._opened, what="the encoder")
        before = process.clock.now
        self.world.send(self.buffer, "encodeSignalEvent:value:", 0x1234, 7)
        self.waited_ms = (process.clock.now - before) / MILLISECOND


@pytest.mark.parametrize("seed", range(5))
def test_another_thread_s_encoder_is_waited_for(loaded: Loaded, seed: int) -> None:
    world = loaded(seed=seed)
    two = Two(world, open_for_ms=300)
    assert 290 < two.waited_ms < 400
    left = world.end()
    assert left.counters["event_encoder_waits"] == 1
    assert left.counters["event_wait_timeouts"] == 0
    assert left.counters["event_forced_ends"] == 0


@pytest.mark.parametrize("limit", [50, 2000])
def test_the_wait_is_bounded(loaded: Loaded, limit: int) -> None:
    world = loaded({"AGX_FIX_EVENT_WAIT_MS": str(limit)}, touches=False)
    two = Two(world, open_for_ms=60_000)
    assert limit <= two.waited_ms < limit + 50
    left = world.end()
    assert left.counters["event_wait_timeouts"] == 1
    assert left.counters["event_forced_ends"] == 1
    assert b"waited for encoder" in world.process.stderr


def test_commits_wait_while_as_many_as_allowed_are_in_flight(loaded: Loaded) -> None:
    world = loaded({"AGX_FIX_MAX_INFLIGHT": "2"}, touches=False)
    most = 0
    left_to_do = 2

    def run() -> None:
        nonlocal most, left_to_do
        for _ in range(6):
            life(world, [COMPUTE])
            most = max(most, len(world.driver.committed))
        left_to_do -= 1

    world.in_threads(run, run, gpu(world, lambda: left_to_do == 0, milliseconds=5))
    assert most == 2
    left = world.end()
    assert left.counters["in_flight_most"] == 2
    assert left.counters["throttle_waits"] >= 8
    assert left.counters["throttle_let_through"] == 0
    assert left.counters["commits"] == 12


def test_a_commit_is_let_through_when_nothing_completes(loaded: Loaded) -> None:
    world = loaded({"AGX_FIX_MAX_INFLIGHT": "1", "AGX_FIX_THROTTLE_WAIT_MS": "70"}, touches=False)
    process = world.process

    def run() -> None:
        life(world, [COMPUTE])
        before = process.clock.now
        life(world, [COMPUTE])
        assert 70 <= (process.clock.now - before) / MILLISECOND < 100
        world.driver.complete_one()
        world.driver.complete_one()

    world.in_threads(run)
    left = world.end()
    assert left.counters["throttle_waits"] == left.counters["throttle_let_through"] == 1
    assert b"was let through above AGX_FIX_MAX_INFLIGHT" in process.stderr
