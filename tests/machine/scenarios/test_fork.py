"""`fork` at bad moments: inside a hook, and while another thread has the library's lock."""

from __future__ import annotations

import pytest

from driver.kinds import BLIT, COMPUTE, KINDS
from scenarios import ledger
from scenarios.conftest import Loaded, Start
from scenarios.program import life, scoped, work
from scenarios.world import World


def child_life(world: World) -> int:
    """What a child does: a life of its own, with an empty GPU. How much work it was."""
    world.driver.committed.clear()
    before = world.driver.calls
    with world.runtime.objects.pool():
        life(world, KINDS, 0xC000)
        world.driver.complete_one()
    world.process.finish()
    return world.driver.calls - before


def check_child(world: World, pid: int, done: int) -> None:
    """The child's own ledger, and that it had nothing of its parent's."""
    assert done == sum(len(kind.work) for kind in KINDS)
    left = next(it for it in world.ledgers() if it.pid == pid)
    assert left.forked_from == world.process.pid
    assert left.phase == ledger.EXITED
    assert left.counters["encoders_created"] == left.counters["encoders_released"] == len(KINDS)
    assert left.counters["caught_panics"] == 0
    assert left.hooked().keys() == world.ledger().hooked().keys()


@pytest.mark.parametrize("scope", ["global", "queue", "buffer"])
def test_fork_inside_an_original(loaded: Loaded, scope: str) -> None:
    """The forking thread has the lock, in the child too: it goes on there as if nothing was held."""
    world = loaded(scoped(scope))
    children = []

    def fork_once(method: str, _receiver: int) -> None:
        if not children and "setBuffer:" in method:
            children.append(None)
            world.driver.while_inside = None
            inside, world.driver.inside = world.driver.inside, []
            children[0] = world.process.fork(lambda: child_life(world))
            world.driver.inside = inside

    world.driver.while_inside = fork_once
    with world.runtime.objects.pool():
        buffer = world.driver.command_buffer(0x9000)
        encoder = world.driver.encoder(buffer, COMPUTE)
        work(world, encoder, COMPUTE)
        world.send(encoder, "endEncoding")
        world.send(buffer, "commit")
        world.driver.complete_one()
    assert children[0] is not None
    check_child(world, children[0].pid, children[0].result)
    left = world.end()
    assert left.counters["encoders_created"] == 1
    assert world.driver.calls == len(COMPUTE.work)


@pytest.mark.parametrize("seed", range(4))
def test_fork_while_another_thread_has_the_lock(loaded: Loaded, seed: int) -> None:
    world = loaded(seed=seed)
    inside = forked = False
    children = []

    def hold(_method: str, _receiver: int) -> None:
        nonlocal inside
        if world.process.thread.name == "worker 0" and not forked:
            inside = True
            world.process.block_until(lambda: forked, what="the fork")

    def fork() -> None:
        nonlocal forked
        world.process.block_until(lambda: inside, what="the other thread to be inside")
        kept, world.driver.inside = world.driver.inside, []
        children.append(world.process.fork(lambda: child_life(world)))
        world.driver.inside = kept
        forked = True
        life(world, [BLIT], 0xA000)

    world.driver.while_inside = hold
    world.in_threads(lambda: life(world, [COMPUTE]), fork)
    world.driver.complete_one()
    world.driver.complete_one()
    check_child(world, children[0].pid, children[0].result)
    assert world.end().counters["encoders_created"] == 2


def test_a_child_that_ends_with_exit_says_so(loaded: Loaded) -> None:
    world = loaded()
    child = world.process.fork(lambda: world.process.call(world.process.outside("__exit"), 3))
    assert child.exit is not None
    assert (child.exit.status, child.exit.immediate) == (3, True)
    left = next(it for it in world.ledgers() if it.pid == child.pid)
    assert (left.phase, left.exit_route, left.exit_status) == (ledger.EXITED, 2, 3)
    assert world.ledger().phase == ledger.ARMED
    world.end()


def test_classes_that_come_in_the_child_are_not_announced_there(start: Start) -> None:
    """objc4 skips the callbacks in the child of a multithreaded fork: what was not hooked before stays unhooked."""
    world = start()
    world.driver.load_metal()
    world.driver.load_driver()

    def child() -> int:
        with world.runtime.objects.pool():
            life(world, [COMPUTE])
            world.driver.complete_one()
        return world.hooks()

    assert world.process.fork(child).result == 0
    with world.runtime.objects.pool():
        life(world, [COMPUTE])
        world.driver.complete_one()
    assert world.hooks() > 0
    world.end()
