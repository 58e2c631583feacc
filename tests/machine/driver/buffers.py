"""How the driver's command buffers live: one encoder at a time, no event while it is open, one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .encoders import flush, make
from .kinds import BUFFER, KINDS, MPS_BUFFER, Kind
from .register import Behaviour, Behaviours, Super

if TYPE_CHECKING:
    from machine.process import Args

    from .metal import Driver

COMMITTED, COMPLETED = 2, 4
"""Values of `_status` (MTLCommandBuffer.h); 0 before the commit."""


def behaviours(driver: Driver) -> Behaviours:
    """The behaviour of all command buffer classes."""
    found: dict[tuple[str, str], Behaviour] = {
        ("_MTLCommandBuffer", "initWithQueue:retainedReferences:"): lambda _above, a: _init(driver, a),
        ("_MTLCommandBuffer", "setCurrentCommandEncoder:"): lambda _above, a: driver.set(
            a.x(0), "_currentCommandEncoder", a.x(2)
        ),
        ("_MTLCommandBuffer", "commit"): lambda _above, a: _commit(driver, a.x(0)),
        ("_MTLCommandBuffer", "commitAndReset"): lambda _above, a: _commit_and_reset(driver, a.x(0)),
        ("_MTLCommandBuffer", "commitAndWaitUntilSubmitted"): lambda _above, a: _commit_and_wait(driver, a.x(0)),
        ("_MTLCommandBuffer", "addCompletedHandler:"): lambda _above, a: _add_handler(driver, a),
        ("_MTLCommandBuffer", "didCompleteWithStartTime:endTime:error:"): lambda _above, a: _complete(driver, a.x(0)),
        ("_MTLCommandBuffer", "waitUntilCompleted"): lambda _above, a: _wait(driver, a.x(0)),
        (BUFFER, "commitEncoder"): lambda _above, a: flush(driver, a.x(0)),
        (BUFFER, "dealloc"): _dealloc(driver),
        (MPS_BUFFER, "initWithCommandBuffer:"): lambda _above, a: _init_mps(driver, a),
        (MPS_BUFFER, "forwardingTargetForSelector:"): lambda _above, a: driver.get(a.x(0), "_commandBuffer"),
        (MPS_BUFFER, "commitAndContinue"): lambda _above, a: _commit_and_continue(driver, a.x(0)),
        (MPS_BUFFER, "dealloc"): _dealloc_mps(driver),
        (MPS_BUFFER, "computeCommandEncoderWithDispatchType:"): lambda _above, a: _mps_encoder(driver, a),
    }
    for selector in ("encodeSignalEvent:value:", "encodeWaitForEvent:value:"):
        found["IOGPUMetalCommandBuffer", selector] = lambda _above, a: _event(driver, a.x(0))
    for kind in KINDS:
        for factory in kind.factories:
            found[BUFFER, factory] = _factory(driver, kind)
    return found


def _init(driver: Driver, a: Args) -> int:
    driver.set(a.x(0), "_queue", a.x(2))
    return a.x(0)


def _factory(driver: Driver, kind: Kind) -> Behaviour:
    def run(_above: Super, a: Args) -> int:
        buffer = a.x(0)
        _assert_nothing_open(driver, buffer, "A command encoder is already encoding to this command buffer")
        if driver.get(buffer, "_status"):
            driver.process.contract(f"encoder asked of command buffer {buffer:#x} after commit")
        with driver.only_one(f"a factory for {kind.name}", buffer):
            flush(driver, buffer)
            return make(driver, buffer, kind)

    return run


def _assert_nothing_open(driver: Driver, buffer: int, sentence: str) -> None:
    """The published assertions of the driver, which end the process."""
    if driver.get(buffer, "_currentCommandEncoder"):
        driver.process.contract(f"command buffer {buffer:#x}: failed assertion `{sentence}'")


def _commit(driver: Driver, buffer: int) -> None:
    _assert_nothing_open(driver, buffer, "commit command buffer with uncommitted encoder")
    if driver.get(buffer, "_status"):
        driver.process.contract(
            f"command buffer {buffer:#x}: failed assertion `commit an already committed command buffer'"
        )
    with driver.only_one("commit", buffer):
        driver.runtime.send(buffer, "commitEncoder")
        driver.set(buffer, "_status", COMMITTED)
        driver.runtime.objects.retain(buffer)
        driver.committed.append(buffer)


def _commit_and_reset(driver: Driver, buffer: int) -> None:
    _assert_nothing_open(driver, buffer, "commit command buffer with uncommitted encoder")


def _commit_and_wait(driver: Driver, buffer: int) -> int:
    _commit(driver, buffer)
    driver.process.block_until(lambda: driver.get(buffer, "_status") == COMPLETED, what="commitAndWaitUntilSubmitted")
    return 1


def _event(driver: Driver, buffer: int) -> None:
    _assert_nothing_open(driver, buffer, "encodeSignalEvent:value: with uncommitted encoder")
    driver.process.switch()
    _assert_nothing_open(driver, buffer, "encodeSignalEvent:value: with uncommitted encoder")


def _add_handler(driver: Driver, a: Args) -> None:
    if driver.get(a.x(0), "_status"):
        driver.process.contract(f"command buffer {a.x(0):#x}: failed assertion `completed handler after commit'")
    driver.handlers.setdefault(a.x(0), []).append(a.x(2))


def _complete(driver: Driver, buffer: int) -> None:
    driver.set(buffer, "_status", COMPLETED)
    for handler in driver.handlers.pop(buffer, []):
        driver.process.call(handler, buffer)


def _wait(driver: Driver, buffer: int) -> None:
    driver.process.block_until(lambda: driver.get(buffer, "_status") == COMPLETED, what="waitUntilCompleted")


def _init_mps(driver: Driver, a: Args) -> int:
    driver.set(a.x(0), "_commandBuffer", driver.runtime.objects.retain(a.x(2)))
    return a.x(0)


def _dealloc(driver: Driver) -> Behaviour:
    def run(above: Super, a: Args) -> None:
        flush(driver, a.x(0))
        above(a)

    return run


def _dealloc_mps(driver: Driver) -> Behaviour:
    def run(above: Super, a: Args) -> None:
        driver.runtime.objects.release(driver.get(a.x(0), "_commandBuffer"))
        above(a)

    return run


def _mps_encoder(driver: Driver, a: Args) -> int:
    inner = driver.get(a.x(0), "_commandBuffer")
    return driver.runtime.send(inner, "computeCommandEncoderWithDispatchType:", a.x(2)).x0


def _commit_and_continue(driver: Driver, proxy: int) -> None:
    inner = driver.get(proxy, "_commandBuffer")
    driver.runtime.send(inner, "commit")
    following = driver.command_buffer(driver.get(inner, "_queue"))
    driver.set(proxy, "_commandBuffer", driver.runtime.objects.retain(following))
    driver.runtime.objects.release(inner)
