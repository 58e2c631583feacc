"""Two threads and a GPU, switched at every call into the system, in many orders."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from driver.kinds import BLIT, COMPUTE, KINDS, RENDER, Kind
from machine.errors import MachineError
from scenarios.conftest import Loaded, Start
from scenarios.ledger import Ledger
from scenarios.program import gpu, life, scoped, work
from scenarios.world import World

SEEDS = range(12)


def run_threads(world: World, *, rounds: int, queues: tuple[int, int], kinds: Sequence[Kind] = KINDS) -> int:
    """Two threads that live the life of command buffers of every kind; the work that they did."""
    running = 2
    done = 0

    def one(queue: int) -> None:
        nonlocal running, done
        for _ in range(rounds):
            worked = life(world, kinds, queue)
            done += worked
        running -= 1

    world.in_threads(
        lambda: one(queues[0]), lambda: one(queues[1]), gpu(world, lambda: running == 0, milliseconds=0.01)
    )
    return done


def check(world: World, done: int) -> Ledger:
    """No call was lost, no encoder kept."""
    assert world.driver.calls == done
    left = world.end()
    assert left.counters["null_impl_skips"] == 0
    assert left.counters["encoders_adopted"] == 0
    assert left.counters["dropped_events"] == 0
    return left


@pytest.mark.parametrize("seed", SEEDS)
def test_two_threads(loaded: Loaded, seed: int) -> None:
    world = loaded(seed=seed)
    done = run_threads(world, rounds=3, queues=(0x9000, 0xA000))
    left = check(world, done)
    assert left.counters["encoders_created"] == 2 * 3 * len(KINDS)
    assert left.counters["lock_contentions"] > 0
    assert world.driver.overlaps == 0, "one lock for the process"


@pytest.mark.parametrize("scope", ["global", "buffer"])
@pytest.mark.parametrize("seed", range(6))
def test_two_threads_between_any_two_instructions(loaded: Loaded, seed: int, scope: str) -> None:
    """Not only where the system is called: a thread loses the processor after 1 to 40 instructions."""
    world = loaded(scoped(scope), seed=seed)
    world.process.preempts_after = 40
    done = run_threads(world, rounds=1, queues=(0x9000, 0xA000))
    world.process.preempts_after = None
    left = check(world, done)
    assert left.counters["encoders_created"] == 2 * len(KINDS)


@pytest.mark.parametrize("seed", range(3))
def test_first_messages_race(start: Start, seed: int) -> None:
    """No class has had a message: `+initialize` of each is met by both threads."""
    world = start(seed=seed)
    world.driver.load_metal()
    world.driver.load_driver()
    left = check(world, run_threads(world, rounds=1, queues=(0x9000, 0xA000), kinds=[COMPUTE]))
    assert left.counters["hooks_unhooked"] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_one_encoder_in_two_threads(loaded: Loaded, seed: int) -> None:
    """A program that hands its encoder to another thread, which ends it while the first still calls."""
    world = loaded(seed=seed)
    objects = world.runtime.objects
    with objects.pool():
        buffer = world.driver.command_buffer()
        encoder = world.driver.encoder(buffer, RENDER)
        world.in_threads(lambda: work(world, encoder, RENDER, 3), lambda: world.send(encoder, "endEncoding"))
        world.send(buffer, "commit")
        world.driver.complete_one()
    left = world.end()
    late = left.counters["calls_after_end"]
    assert world.driver.calls + left.counters["null_impl_skips"] == 3 * len(RENDER.work)
    assert 0 <= late <= 3 * len(RENDER.work)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_pool_goes_while_another_thread_calls(loaded: Loaded, seed: int) -> None:
    """The published fault: `destroyImpl` in one thread while another is in a method of the same encoder."""
    world = loaded(seed=seed)
    with world.runtime.objects.pool():
        buffer = world.driver.command_buffer()
        encoder = world.driver.encoder(buffer, COMPUTE)
        world.in_threads(
            lambda: work(world, encoder, COMPUTE, 3),
            lambda: world.send(encoder, "destroyImpl"),
            lambda: life(world, [BLIT], 0xB000),
        )
        world.send(encoder, "endEncoding")
        world.send(buffer, "commit")
        world.driver.complete_one()
        world.driver.complete_one()
    left = world.end()
    done = world.driver.calls - len(BLIT.work)
    assert done + left.counters["null_impl_skips"] == 3 * len(COMPUTE.work), "each call is made or counted"


def test_without_the_library_s_hooks_the_same_program_breaks(loaded: Loaded) -> None:
    """The scenarios can fail: with nothing hooked the driver's contract is broken in some order."""
    broken = 0
    for seed in range(6):
        world = loaded({"AGX_FIX_DISABLE": "1"}, seed=seed)
        try:
            run_threads(world, rounds=2, queues=(0x9000, 0xA000))
        except MachineError:
            broken += 1
    assert broken == 6
