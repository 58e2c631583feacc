"""`AGX_FIX_CENSUS`: what became of each call, which threads shared an encoder, and whether every hook stands at the exit."""

from __future__ import annotations

import pytest

from driver.kinds import COMPUTE, KINDS, RENDER
from scenarios import ledger
from scenarios.conftest import Loaded, Start
from scenarios.ledger import Ledger
from scenarios.program import life, scoped, work
from scenarios.world import World

CENSUS = {"AGX_FIX_CENSUS": "1"}


def threads_of(left: Ledger) -> list[int]:
    """Encoders of one, two, three and more threads."""
    names = ("one_thread", "two_threads", "three_threads", "many_threads")
    return [left.counters[f"encoders_{name}"] for name in names]


@pytest.mark.parametrize("scope", ["global", "queue", "buffer"])
def test_a_life_leaves_every_hook_and_every_call_in_its_place(loaded: Loaded, scope: str) -> None:
    world = loaded({**CENSUS, **scoped(scope)})
    with world.runtime.objects.pool():
        done = life(world)
        world.driver.complete_one()
    left = world.end()
    assert left.flags & ledger.CENSUS_ASKED
    assert left.flags & ledger.CENSUS_TAKEN
    assert left.counters["census_methods"] == len(left.hooked())
    assert left.counters["census_late"] == left.counters["hooks_replaced"] == 0
    assert threads_of(left) == [len(KINDS), 0, 0, 0]
    assert left.counters["encoders_seen_late"] == left.counters["encoders_unfollowed"] == 0
    assert all(entry.calls == entry.left for entry in left.census)
    assert sum(entry.calls for entry in left.census) >= done
    assert not any(entry.threw or entry.shared or entry.overlapped for entry in left.census)


def test_without_it_nothing_is_tallied(loaded: Loaded) -> None:
    world = loaded({"AGX_FIX_CENSUS": "off"})
    with world.runtime.objects.pool():
        life(world)
        world.driver.complete_one()
    left = world.end()
    assert not left.flags & (ledger.CENSUS_ASKED | ledger.CENSUS_TAKEN)
    assert threads_of(left) == [0, 0, 0, 0]
    assert not any(entry.calls or entry.left for entry in left.census)


def shared(world: World) -> Ledger:
    """An encoder that two threads call, made by the first one."""
    with world.runtime.objects.pool():
        buffer = world.driver.command_buffer()
        encoder = world.driver.encoder(buffer, RENDER)
        world.in_threads(lambda: work(world, encoder, RENDER, 3), lambda: work(world, encoder, RENDER, 3))
        world.send(encoder, "endEncoding")
        world.send(buffer, "commit")
        world.driver.complete_one()
    return world.end()


@pytest.mark.parametrize("seed", range(6))
def test_threads_that_share_an_encoder_are_counted(loaded: Loaded, seed: int) -> None:
    """Who made it is one of them."""
    left = shared(loaded(CENSUS, seed=seed))
    assert threads_of(left) == [0, 0, 1, 0]
    assert left.counters["encoder_threads_most"] == 3
    assert sum(entry.shared for entry in left.census) == 1
    met = sum(entry.overlapped for entry in left.census)
    assert (met > 0) == (left.counters["encoders_overlapped"] == 1)


def test_threads_that_meet_in_an_encoder_are_seen_in_some_order(loaded: Loaded) -> None:
    met = 0
    for seed in range(6):
        world = loaded(CENSUS, seed=seed)
        world.process.preempts_after = 40
        left = shared(world)
        world.process.preempts_after = None
        met += left.counters["encoders_overlapped"]
        assert threads_of(left) == [0, 0, 1, 0]
    assert met > 0


def test_a_replaced_hook_is_named(loaded: Loaded) -> None:
    world = loaded(CENSUS)
    method = world.runtime.cls(COMPUTE.class_name).methods["setComputePipelineState:"]
    method.implementation = world.driver.recorder.code("somebody else's", method.encoding)
    left = world.end(leaks=True)
    assert left.counters["hooks_replaced"] == 1
    assert left.counters["census_methods"] == len(left.hooked())
    replaced = [(it.class_name, it.selector) for it in left.census if it.flags & ledger.REPLACED]
    assert replaced == [(COMPUTE.class_name, "setComputePipelineState:")]


def test_a_method_that_is_added_last_of_all_is_found_and_left_as_it_is(loaded: Loaded) -> None:
    world = loaded(CENSUS)
    compute = world.runtime.cls(COMPUTE.class_name)
    code = world.driver.recorder.code(f"-[{compute.name} addedLast:]", "v24@0:8Q16")
    method = world.runtime.add_method(compute, "addedLast:", "v24@0:8Q16", code)
    left = world.end(leaks=True)
    late = [(it.class_name, it.selector, it.state) for it in left.census if it.flags & ledger.LATE]
    assert late == [(COMPUTE.class_name, "addedLast:", ledger.UNHOOKED)]
    assert left.counters["census_late"] == 1
    assert method.implementation == code


def test_a_class_that_had_no_message_has_not_come_past_the_hooks(start: Start) -> None:
    """It is announced before its first one: until then there is nothing to hook, and nothing that could be called."""
    world = start(CENSUS)
    world.driver.load_metal()
    world.driver.load_driver()
    with world.runtime.objects.pool():
        life(world, [COMPUTE])
        world.driver.complete_one()
    left = world.end()
    assert left.flags & ledger.CENSUS_TAKEN
    assert left.counters["census_late"] == 0
