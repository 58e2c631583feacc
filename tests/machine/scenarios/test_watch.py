"""Long waits for the library's lock, told on the machine's clock."""

from __future__ import annotations

import pytest

from driver.kinds import BLIT, COMPUTE
from machine import Aborted
from scenarios.conftest import Loaded
from scenarios.program import life, sleep
from scenarios.world import World

DETECT = {"AGX_FIX_DEADLOCK_DETECT": "1", "AGX_FIX_LOCK_WARN_MS": "100", "AGX_FIX_LOCK_LOG_INTERVAL_MS": "200"}


def wait_long(world: World) -> None:
    """One thread is inside the driver for a second, another one wants to get in."""
    inside = False

    def hold(method: str, _receiver: int) -> None:
        nonlocal inside
        if "setComputePipelineState" in method:
            inside = True
            sleep(world, 1000)

    def second() -> None:
        world.process.block_until(lambda: inside, what="the first thread to be inside")
        life(world, [BLIT])

    world.driver.while_inside = hold
    world.in_threads(lambda: life(world, [COMPUTE]), second)
    world.driver.complete_one()
    world.driver.complete_one()


def test_a_long_wait_is_told_and_counted(loaded: Loaded) -> None:
    world = loaded({**DETECT, "AGX_FIX_LOCK_TIMEOUT_MS": "500"}, touches=False)
    wait_long(world)
    left = world.end()
    assert left.counters["lock_long_waits"] == 1
    assert left.counters["lock_timeouts"] == 1
    assert 900 <= left.counters["lock_max_wait_ms"] <= 1100
    assert world.process.stderr.count(b"\n") >= 4, "the warning, its repetitions, and the limit"


def test_nothing_is_told_where_nobody_asked(loaded: Loaded) -> None:
    world = loaded()
    wait_long(world)
    left = world.end()
    assert left.counters["lock_long_waits"] == 0
    assert left.counters["lock_contentions"] > 0
    assert world.process.stderr == b""


def test_the_process_is_ended_at_the_limit_where_that_was_asked_for(loaded: Loaded) -> None:
    options = {"AGX_FIX_LOCK_TIMEOUT_MS": "500", "AGX_FIX_LOCK_ABORT_ON_TIMEOUT": "1"}
    world = loaded({**DETECT, **options}, touches=False)
    with pytest.raises(Aborted):
        wait_long(world)
