"""Narrow locks: one for each command queue, or each command buffer."""

from __future__ import annotations

import pytest

from driver.kinds import COMPUTE, KINDS, RENDER
from scenarios.conftest import Loaded, Start
from scenarios.program import gpu, life, scoped, work

SEEDS = range(8)


def total(scope: str, loaded: Loaded, seed: int, queues: tuple[int, int]) -> int:
    """Two threads on these queues; how often one was in the driver beside the other. Nothing is lost."""
    world = loaded(scoped(scope), seed=seed)
    running, done = 2, 0

    def one(queue: int) -> None:
        nonlocal running, done
        for _ in range(3):
            worked = life(world, KINDS, queue)
            done += worked
        running -= 1

    world.in_threads(
        lambda: one(queues[0]), lambda: one(queues[1]), gpu(world, lambda: running == 0, milliseconds=0.01)
    )
    assert world.driver.calls == done
    left = world.end()
    assert left.counters["encoders_created"] == 2 * 3 * len(KINDS)
    assert left.counters["lock_order_escapes"] == 0
    return world.driver.overlaps


@pytest.mark.parametrize("scope", ["queue", "buffer"])
def test_threads_on_two_queues_run_beside_each_other(loaded: Loaded, scope: str) -> None:
    assert sum(total(scope, loaded, seed, (0x9000, 0xA0F0)) for seed in SEEDS) > 0


def test_threads_on_one_queue_share_its_lock(loaded: Loaded) -> None:
    """Only the pool is another part of the driver then, and it is used under the queue's lock too."""
    assert sum(total("queue", loaded, seed, (0x9000, 0x9000)) for seed in SEEDS) == 0


def test_threads_on_one_queue_have_a_lock_for_each_command_buffer(loaded: Loaded) -> None:
    assert sum(total("buffer", loaded, seed, (0x9000, 0x9000)) for seed in SEEDS) > 0


@pytest.mark.parametrize("scope", ["queue", "buffer"])
@pytest.mark.parametrize("seed", SEEDS)
def test_one_encoder_in_two_threads(loaded: Loaded, scope: str, seed: int) -> None:
    world = loaded(scoped(scope), seed=seed)
    with world.runtime.objects.pool():
        buffer = world.driver.command_buffer(0x9000)
        encoder = world.driver.encoder(buffer, RENDER)
        world.in_threads(lambda: work(world, encoder, RENDER, 3), lambda: world.send(encoder, "endEncoding"))
        world.send(buffer, "commit")
        world.driver.complete_one()
    left = world.end()
    assert world.driver.calls + left.counters["null_impl_skips"] == 3 * len(RENDER.work)


def test_a_scope_that_does_not_exist_is_told(start: Start) -> None:
    world = start({"AGX_FIX_LOCK_SCOPE": "narrow"})
    world.driver.scope = "global"
    world.driver.load()
    with world.runtime.objects.pool():
        life(world, [COMPUTE])
        world.driver.complete_one()
    world.end()
    assert b"AGX_FIX_LOCK_SCOPE cannot be read; it stays global" in world.process.stderr
