"""Every policy: arms, lives the life of compute, blit and render encoders once, and fails as it is known to."""

from __future__ import annotations

import pytest

from driver.kinds import BLIT, COMPUTE, KINDS, RENDER
from machine.errors import ContractError, Deadlock
from scenarios.conftest import Loaded, Start
from scenarios.program import life, sleep, work
from scenarios.world import World

PUBLISHED = ("v1", "v2", "v2.2", "v2.3", "v2.4", "v2.4nr", "v2.5", "v2.6", "v2.7", "v2.8", "v2.9")
POLICIES = (*PUBLISHED, "v3")


def run(world: World) -> int:
    """One command buffer of each kind; the work."""
    done = 0
    with world.runtime.objects.pool():
        for kind in KINDS:
            done += life(world, [kind])
            world.driver.complete_one()
    return done


@pytest.mark.parametrize("policy", POLICIES)
def test_the_life_once(loaded: Loaded, policy: str) -> None:
    world = loaded({"AGX_FIX_VERSION": policy})
    assert world.hooks() > 0
    done = run(world)
    assert world.driver.calls == done
    leaks = policy == "v2.4nr"
    alive = len(world.runtime.objects.living)
    assert (alive > 0) == leaks, "the version that never gives a retain back"
    left = world.end(leaks=True)
    assert left.policy == policy
    counters = left.counters
    assert counters["method_calls"] > 0
    for name in ("dropped_untracked", "dropped_ended", "null_impl_skips", "caught_panics"):
        assert counters[name] == 0, name
    if policy not in ("v1", "v2.4nr"):
        assert counters["encoders_created"] == counters["encoders_released"]
    assert (counters["encoders_created"] == 0) == (policy == "v1")


@pytest.mark.parametrize("policy", POLICIES)
def test_by_the_file_s_name(start: Start, policy: str) -> None:
    name = "libagx_fix_" + policy.replace(".", "_").replace("4nr", "4_nr") + ".dylib"
    world = start(installed_as=f"/opt/agxrun/lib/{name}")
    assert world.ledger().policy == policy


def test_versions_hook_more_and_more(loaded: Loaded) -> None:
    hooks = {}
    for policy in POLICIES:
        world = loaded({"AGX_FIX_VERSION": policy})
        hooks[policy] = world.hooks()
    assert hooks["v1"] < hooks["v2"] < hooks["v2.3"] < hooks["v2.9"] < hooks["v3"]
    assert hooks["v3"] > 700


def nested(world: World) -> None:
    """A method that sends its encoder another hooked message."""
    with world.runtime.objects.pool():
        buffer = world.driver.command_buffer()
        encoder = world.driver.encoder(buffer, COMPUTE)

        def once(_method: str, _receiver: int) -> None:
            world.driver.while_inside = None
            world.send(encoder, "setBuffer:offset:atIndex:", 1, 2, 3)

        world.driver.while_inside = once
        world.send(encoder, "setComputePipelineState:", 1)
        world.send(encoder, "endEncoding")
        world.send(buffer, "commit")
        world.driver.complete_one()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_nested_call(loaded: Loaded, policy: str) -> None:
    """Only the first version's lock is not re-entrant."""
    world = loaded({"AGX_FIX_VERSION": policy})
    if policy == "v1":
        with pytest.raises((Deadlock, ContractError)):
            nested(world)
    else:
        nested(world)
        world.end(leaks=True)


def test_v2_6_keeps_destroy_impl_from_running(loaded: Loaded) -> None:
    world = loaded({"AGX_FIX_VERSION": "v2.6"})
    run(world)
    assert world.end().counters["destroys_blocked"] > 0


def test_v2_9_drops_the_work_of_an_encoder_that_it_did_not_see_made(loaded: Loaded) -> None:
    world = loaded({"AGX_FIX_VERSION": "v2.9"})
    with world.runtime.objects.pool():
        buffer = world.driver.command_buffer()
        made = world.send(world.runtime.cls(BLIT.class_name).address, "alloc").x0
        world.send(made, BLIT.initialiser, buffer, 0)
        work(world, made, BLIT)
        assert world.driver.calls == 0
        world.send(made, "endEncoding")
        world.runtime.objects.release(made)
        world.send(buffer, "commit")
        world.driver.complete_one()
    left = world.end(leaks=True)
    assert left.counters["dropped_untracked"] == len(BLIT.work)
    assert b"work was dropped" in world.process.stderr


def event(world: World) -> None:
    """An event while another thread's encoder is open for 300 ms."""
    with world.runtime.objects.pool():
        buffer = world.driver.command_buffer()
        opened = False

        def encode() -> None:
            nonlocal opened
            encoder = world.driver.encoder(buffer, RENDER)
            opened = True
            sleep(world, 300)
            world.send(encoder, "endEncoding")

        def signal() -> None:
            world.process.block_until(lambda: opened, what="the encoder")
            world.send(buffer, "encodeSignalEvent:value:", 1, 2)

        world.in_threads(encode, signal)
        world.send(buffer, "commit")
        world.driver.complete_one()


@pytest.mark.parametrize(("policy", "holds"), [("v2.7", False), ("v2.8", False), ("v2.9", True), ("v3", True)])
def test_an_event_with_an_open_encoder(loaded: Loaded, policy: str, holds: bool) -> None:
    """v2.7 does not wait, v2.8 escapes after 100 ms: the driver's assertion comes."""
    world = loaded({"AGX_FIX_VERSION": policy})
    if holds:
        event(world)
        world.end()
    else:
        with pytest.raises(ContractError, match="encodeSignalEvent:value: with uncommitted encoder"):
            event(world)
