"""The ledger that the library wrote, against what was sent."""

from __future__ import annotations

from driver.kinds import COMPUTE, KINDS
from scenarios import ledger
from scenarios.conftest import Loaded, Start
from scenarios.program import gpu, life, work


def test_counters_are_what_was_sent_and_what_the_library_says(loaded: Loaded) -> None:
    world = loaded(records_all=True)
    before = world.ledger().counters
    assert before["method_calls"] == 0
    cls = world.runtime.cls(COMPUTE.class_name)
    encoder = world.runtime.objects.make(cls)
    world.driver.set(encoder, "_impl", world.driver.take_impl())
    for number in range(100):
        world.send(encoder, "setBuffer:offset:atIndex:", number, 2, 3)
    world.send(encoder, "endEncoding")
    world.runtime.objects.release(encoder)
    said = world.stats()["counters"]
    left = world.end()
    assert left.counters["method_calls"] == 101
    assert left.counters["lock_acquisitions"] == 101
    assert left.counters["lock_contentions"] == 0
    assert left.counters["encoders_adopted"] == 1
    assert said == left.counters


def test_the_last_calls_of_each_thread(loaded: Loaded) -> None:
    world = loaded(records_all=True)
    cls = world.runtime.cls(COMPUTE.class_name)
    encoders = []

    def one(selector: str, times: int) -> None:
        encoder = world.runtime.objects.make(cls)
        encoders.append((selector, encoder))
        world.driver.set(encoder, "_impl", world.driver.take_impl())
        for _ in range(times):
            world.send(encoder, selector, 1, 2, 3)
        world.send(encoder, "endEncoding")
        world.runtime.objects.release(encoder)

    world.in_threads(lambda: one("setBuffer:offset:atIndex:", 90), lambda: one("setTexture:atIndex:", 5))
    left = world.end()
    hooked = left.hooked()
    rings = [ring for ring in left.rings if ring.listed + ring.unlisted]
    assert len(rings) == 2
    slots = {entry.slot: selector for (name, selector), entry in hooked.items() if name == COMPUTE.class_name}
    for selector, encoder in encoders:
        ring = next(ring for ring in rings if ring.events[-1].receiver == encoder)
        assert all(event.receiver == encoder and event.phase == ledger.RETURNED for event in ring.events)
        names = [slots[event.slot] for event in ring.events]
        assert names[-1] == "endEncoding"
        assert set(names[:-1]) == {selector}
        assert ring.depth == ring.holds == ring.waits == 0
        assert len(ring.events) == min(ring.listed, 64)


def test_a_process_that_goes_inside_a_call_leaves_it_entered(loaded: Loaded) -> None:
    """The file is mapped shared: what was going on is there however the process goes."""
    world = loaded()
    seen: list[ledger.Ledger] = []
    world.driver.while_inside = lambda method, _receiver: seen.append(world.ledger()) if "setBuffer" in method else None
    with world.runtime.objects.pool():
        life(world, [COMPUTE])
        world.driver.complete_one()
    (ring,) = [ring for ring in seen[0].rings if ring.listed]
    assert ring.depth == 1
    assert ring.holds > 0
    assert ring.events[-1].phase == ledger.ENTERED
    assert seen[0].hooked()[COMPUTE.class_name, "setBuffer:offset:atIndex:"].slot == ring.events[-1].slot
    world.end()


def test_without_a_folder_there_is_no_ledger_and_the_fix_works(loaded: Loaded) -> None:
    world = loaded({"AGX_FIX_LEDGER_DIR": ""}, touches=False)
    with world.runtime.objects.pool():
        for kind in KINDS:
            life(world, [kind])
            world.driver.complete_one()
    assert world.ledgers() == []
    counters = world.stats()["counters"]
    assert counters["encoders_created"] == counters["encoders_released"] == len(KINDS)
    assert world.process.stderr == b""


def test_a_relative_folder_is_refused(start: Start) -> None:
    world = start({"AGX_FIX_LEDGER_DIR": "here"})
    assert world.ledgers() == []
    assert b"AGX_FIX_LEDGER_DIR is not absolute" in world.process.stderr


def test_no_events_where_none_are_wanted(loaded: Loaded) -> None:
    world = loaded({"AGX_FIX_EVENTS": "0"}, touches=False)
    running = 1

    def one() -> None:
        nonlocal running
        for _ in range(3):
            life(world, [COMPUTE])
        running -= 1

    world.in_threads(one, gpu(world, lambda: running == 0))
    left = world.end()
    assert left.counters["method_calls"] > 0
    assert all(not ring.events for ring in left.rings)


def test_work_that_is_inside_an_encoder_shows_as_held(loaded: Loaded) -> None:
    world = loaded()
    depths: list[int] = []
    with world.runtime.objects.pool():
        buffer = world.driver.command_buffer()
        encoder = world.driver.encoder(buffer, COMPUTE)
        world.driver.while_inside = lambda _method, _receiver: depths.append(max(r.depth for r in world.ledger().rings))
        work(world, encoder, COMPUTE)
        world.driver.while_inside = None
        world.send(encoder, "endEncoding")
        world.send(buffer, "commit")
        world.driver.complete_one()
    assert depths == [1] * len(COMPUTE.work)
    world.end()
