"""The life of command buffers and encoders of every kind, in one thread: made, used, ended, committed, done."""

from __future__ import annotations

import pytest

from driver.kinds import BLIT, COMPUTE, KINDS, MPS_BUFFER, PARALLEL, RENDER, Kind
from scenarios.conftest import Loaded
from scenarios.program import work

FACTORIES = [(kind, factory) for kind in KINDS for factory in kind.factories]


@pytest.mark.parametrize(("kind", "factory"), FACTORIES, ids=[factory for _, factory in FACTORIES])
def test_an_encoder_from_each_factory(loaded: Loaded, kind: Kind, factory: str) -> None:
    world = loaded()
    sent = 0

    def run() -> None:
        nonlocal sent
        for _ in range(3):
            buffer = world.driver.command_buffer(0x9000)
            encoder = world.driver.encoder(buffer, kind, factory)
            assert world.runtime.objects.count(encoder) == 2, "the pool's and the library's"
            sent += work(world, encoder, kind)
            world.send(encoder, "endEncoding")
            kept = 1 if kind.deferred else 0
            assert world.runtime.objects.count(encoder) == 1 + kept, "given back at its end"
            world.send(buffer, "commit")
            world.driver.complete_one()

    world.in_pool(run)()
    assert world.driver.calls == sent
    left = world.end()
    assert left.counters["encoders_created"] == 3
    assert left.counters["agx_encoder_creates"] == 3
    assert left.counters["commits"] == 3
    for name in ("encoders_adopted", "null_impl_skips", "commit_forced_ends", "calls_after_end", "passed_untouched"):
        assert left.counters[name] == 0, name


def test_a_parallel_encoder_hands_out_encoders_of_its_own(loaded: Loaded) -> None:
    world = loaded()

    def run() -> None:
        buffer = world.driver.command_buffer()
        parallel = world.driver.encoder(buffer, PARALLEL)
        parts = [world.send(parallel, "renderCommandEncoder").x0 for _ in range(3)]
        for part in parts:
            work(world, part, RENDER)
        for part in parts:
            world.send(part, "endEncoding")
        world.send(parallel, "endEncoding")
        world.send(buffer, "commit")
        world.driver.complete_one()

    world.in_pool(run)()
    left = world.end()
    assert left.counters["encoders_created"] == 4
    assert left.counters["parallel_encoder_creates"] == 3


def test_an_encoder_survives_its_pool_until_it_ends(loaded: Loaded) -> None:
    world = loaded()
    objects = world.runtime.objects
    with objects.pool():
        buffer = world.driver.command_buffer()
        with objects.pool():
            encoder = world.driver.encoder(buffer, COMPUTE)
        assert objects.count(encoder) == 1, "only the library's retain is left"
        work(world, encoder, COMPUTE)
        world.send(encoder, "endEncoding")
        assert objects.count(encoder) == 1, "only the command buffer's is left, which keeps it for coalescing"
        world.send(buffer, "commit")
        assert encoder not in objects.living
        world.driver.complete_one()
    world.end()


def test_an_open_encoder_is_ended_at_the_commit(loaded: Loaded) -> None:
    world = loaded()

    def run() -> None:
        buffer = world.driver.command_buffer()
        for kind in (COMPUTE, BLIT):
            work(world, encoder := world.driver.encoder(buffer, kind), kind)
            if kind is COMPUTE:
                world.send(encoder, "endEncoding")
        world.send(buffer, "commit")
        assert world.driver.get(encoder, "_ended") == 1
        world.driver.complete_one()

    world.in_pool(run)()
    assert world.end().counters["commit_forced_ends"] == 1


def test_a_second_commit_and_a_late_handler_are_told_and_reach_the_driver(loaded: Loaded) -> None:
    world = loaded(records_all=True)
    buffer = world.runtime.objects.make(world.runtime.cls("AGXG16XFamilyCommandBuffer"))
    for selector in ("commit", "commit"):
        world.send(buffer, selector)
    world.send(buffer, "addCompletedHandler:", 5)
    arrived = [it.selector for it in world.driver.recorder.arrivals]
    assert arrived == ["commit", "commit", "addCompletedHandler:"]
    left = world.ledger()
    assert left.counters["commits"] == 2
    assert left.counters["commit_after_commit"] == 1
    assert left.counters["handler_after_commit"] == 1
    assert b"was committed before" in world.process.stderr
    assert b"is committed already" in world.process.stderr


def test_destroy_impl_ends_an_encoder(loaded: Loaded) -> None:
    world = loaded()
    objects = world.runtime.objects
    with objects.pool():
        buffer = world.driver.command_buffer()
        encoder = world.driver.encoder(buffer, COMPUTE)
        world.send(encoder, "destroyImpl")
        assert world.driver.get(encoder, "_impl") == 0
        assert objects.count(encoder) == 1, "its end like any other: given back"
        world.send(encoder, "endEncoding")
        world.send(buffer, "commit")
        world.driver.complete_one()
    world.end()


@pytest.mark.parametrize("mask", [True, False])
def test_work_without_an_impl_is_not_done_and_counted(loaded: Loaded, mask: bool) -> None:
    world = loaded(class_mask=mask)
    objects = world.runtime.objects
    with objects.pool():
        buffer = world.driver.command_buffer()
        encoder = world.driver.encoder(buffer, COMPUTE)
        work(world, encoder, COMPUTE)
        done = world.driver.calls
        impl = world.driver.get(encoder, "_impl")
        world.driver.set(encoder, "_impl", 0)
        for _ in range(2):
            work(world, encoder, COMPUTE)
        assert world.driver.calls == done, "the driver would have read through NULL"
        world.driver.set(encoder, "_impl", impl)
        work(world, encoder, COMPUTE)
        assert world.driver.calls == done + len(COMPUTE.work)
        world.send(encoder, "endEncoding")
        world.send(buffer, "commit")
        world.driver.complete_one()
    left = world.end()
    assert left.counters["null_impl_skips"] == 2 * len(COMPUTE.work)
    skipped = {it.selector: it.skipped for it in left.census if it.skipped and it.class_name == COMPUTE.class_name}
    assert skipped == dict.fromkeys(COMPUTE.work, 2)
    assert world.process.stderr.count(b"work was dropped") == 1
    logged = [line for _, line in world.process.system_log if "work was dropped" in line]
    assert len(logged) == 1, "the system's log has it, too"


def test_an_encoder_that_no_factory_handed_out_is_adopted(loaded: Loaded) -> None:
    world = loaded()
    objects = world.runtime.objects
    with objects.pool():
        buffer = world.driver.command_buffer()
        made = world.send(world.runtime.cls(BLIT.class_name).address, "alloc").x0
        world.send(made, BLIT.initialiser, buffer, 0)
        assert objects.count(made) == 1
        work(world, made, BLIT)
        assert objects.count(made) == 2
        world.send(made, "endEncoding")
        objects.release(made)
        world.send(buffer, "commit")
        world.driver.complete_one()
    assert world.end().counters["encoders_adopted"] == 1


def test_an_encoder_that_the_program_lets_go_of_open_is_given_back(loaded: Loaded) -> None:
    """The driver's own assertion comes then, as it does without the library."""
    world = loaded()
    objects = world.runtime.objects
    with objects.pool():
        buffer = world.driver.command_buffer()
        with objects.pool():
            encoder = world.driver.encoder(buffer, BLIT)
        world.driver.set(buffer, "_currentCommandEncoder", 0)
        world.driver.set(encoder, "_ended", 1)
        second = world.driver.encoder(buffer, BLIT)
        assert encoder not in objects.living
        world.send(second, "endEncoding")
        world.send(buffer, "commit")
        world.driver.complete_one()
    left = world.end()
    assert left.counters["encoders_abandoned"] == 1


def test_the_proxy_of_mps(loaded: Loaded) -> None:
    world = loaded()

    def run() -> None:
        proxy = world.driver.mps_command_buffer(world.driver.command_buffer())
        assert world.driver.class_of(proxy).name == MPS_BUFFER
        for _ in range(3):
            encoder = world.send(proxy, "computeCommandEncoderWithDispatchType:", 0).x0
            work(world, encoder, COMPUTE)
            world.send(encoder, "endEncoding")
            world.send(proxy, "commitAndContinue")
            world.driver.complete_one()
        encoder = world.send(proxy, "blitCommandEncoder").x0
        work(world, encoder, BLIT)
        world.send(encoder, "endEncoding")
        world.send(world.driver.get(proxy, "_commandBuffer"), "commit")
        world.driver.complete_one()

    world.in_pool(run)()
    left = world.end()
    assert left.counters["encoders_created"] == 4
    assert left.counters["mps_encoder_creates"] == 3
    assert left.counters["commit_and_continues"] == 3
    assert left.counters["commits"] == 4


def test_a_receiver_of_another_class_is_passed_on_untouched(loaded: Loaded) -> None:
    world = loaded(records_all=True)
    method = world.runtime.cls(COMPUTE.class_name).methods["setComputePipelineState:"]
    stranger = world.runtime.new("NSObject")
    selector = world.runtime.selector(method.selector)
    for receiver in (stranger, 0, 0x8000_0000_0000_0011):
        world.process.call(method.implementation, receiver, selector, 9)
    arrived = [it.receiver for it in world.driver.recorder.arrivals if it.selector == method.selector]
    assert arrived == [stranger, 0, 0x8000_0000_0000_0011]
    assert world.counter("odd_receivers") == 3
    assert world.runtime.objects.count(stranger) == 1
