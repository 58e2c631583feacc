"""How the driver's encoders live: made for a command buffer, ended once, their `_impl` given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from machine.abi_arm64 import Struct

from .kinds import BLIT, COMPUTE, KINDS, RENDER, Kind
from .register import Behaviour, Behaviours, Super

if TYPE_CHECKING:
    from machine.process import Args

    from .metal import Driver

CONFIG_SIZE = 56
"""Bytes of `EncoderComputeServiceConfig`."""


def behaviours(driver: Driver) -> Behaviours:
    """The behaviour of all encoder classes."""
    found: dict[tuple[str, str], Behaviour] = {}
    for base in ("_MTLCommandEncoder", "_MTLParallelRenderCommandEncoder"):
        found[base, "endEncoding"] = lambda _above, a: _end(driver, a.x(0))
        found[base, "commandBuffer"] = lambda _above, a: driver.get(a.x(0), "_commandBuffer")
    found["_MTLCommandEncoder", "initWithCommandBuffer:"] = lambda _above, a: _init(driver, a)
    for base, selector in (
        ("_MTLParallelRenderCommandEncoder", "initWithCommandBuffer:renderPassDescriptor:"),
        ("IOGPUMetalRenderCommandEncoder", "initWithCommandBuffer:descriptor:"),
    ):
        found[base, selector] = lambda _above, a: _init(driver, a)
    for kind in KINDS:
        found[kind.class_name, kind.initialiser] = _initialiser(driver, kind)
        found[kind.class_name, "endEncoding"] = _ender(driver, kind)
        found[kind.class_name, "dealloc"] = _dealloc(driver)
    for kind in (COMPUTE, RENDER):
        found[kind.class_name, "destroyImpl"] = lambda _above, a: driver.give_impl(a.x(0))
    found[COMPUTE.class_name, "deferredEndEncoding"] = _destroy
    found[RENDER.class_name, "deferredEndEncoding:"] = _destroy
    found[BLIT.class_name, "deferredEndEncoding"] = lambda _above, a: driver.give_impl(a.x(0))
    found["AGXG16XFamilyThreadedRenderPass", "renderCommandEncoder"] = lambda _above, a: _sub_encoder(driver, a.x(0))
    return found


def make(driver: Driver, buffer: int, kind: Kind, *, current: bool = True) -> int:
    """A new encoder of a command buffer: autoreleased, and the only one that is open unless it is not `current`."""
    send = driver.runtime.send
    made = send(driver.runtime.cls(kind.class_name).address, "alloc").x0
    extra: list[object] = []
    if kind is COMPUTE:
        extra = [Struct(bytes(range(1, CONFIG_SIZE + 1)))]
    elif kind.initialiser.count(":") == 2:
        extra = [0]
    send(made, kind.initialiser, buffer, *extra)
    if current:
        send(buffer, "setCurrentCommandEncoder:", made)
    return driver.runtime.objects.autorelease(made)


def _init(driver: Driver, a: Args) -> int:
    driver.set(a.x(0), "_commandBuffer", a.x(2))
    return a.x(0)


def _initialiser(driver: Driver, kind: Kind) -> Behaviour:
    """Takes an `_impl` from the pool, under no lock of the driver's own."""

    def run(above: Super, a: Args) -> int:
        itself, buffer = a.x(0), a.x(2)
        if kind is COMPUTE:
            config = driver.process.memory.read(a.x(3), CONFIG_SIZE)
            if config != bytes(range(1, CONFIG_SIZE + 1)):
                driver.process.contract(f"the configuration did not arrive: {config.hex()}")
        if above(a) is None:
            base = driver.runtime.cls("IOGPUMetalCommandEncoder").methods["initWithCommandBuffer:"]
            driver.process.call(base.implementation, itself, driver.runtime.selector(base.selector), buffer)
        with driver.only_one(kind.initialiser, itself, pool=True):
            driver.set(itself, "_impl", driver.take_impl())
        return itself

    return run


def _end(driver: Driver, encoder: int) -> None:
    if driver.get(encoder, "_ended"):
        driver.process.contract(f"endEncoding of {driver.class_of(encoder).name} {encoder:#x}, which has ended")
    driver.set(encoder, "_ended", 1)
    buffer = driver.get(encoder, "_commandBuffer")
    if driver.get(buffer, "_currentCommandEncoder") == encoder:
        driver.runtime.send(buffer, "setCurrentCommandEncoder:", 0)


def _ender(driver: Driver, kind: Kind) -> Behaviour:
    def run(above: Super, a: Args) -> None:
        encoder = a.x(0)
        with driver.only_one(f"-[{kind.class_name} endEncoding]", encoder):
            above(a)
        if kind.deferred:
            buffer = driver.get(encoder, "_commandBuffer")
            flush(driver, buffer)
            driver.set(buffer, "_previousEncoder", driver.runtime.objects.retain(encoder))

    return run


def flush(driver: Driver, buffer: int) -> None:
    """Ends the encoder for good that a command buffer kept for coalescing: it gives its `_impl` back."""
    kept = driver.get(buffer, "_previousEncoder")
    if kept:
        driver.set(buffer, "_previousEncoder", 0)
        kind = next(kind for kind in KINDS if kind.class_name == driver.class_of(kept).name)
        driver.runtime.send(kept, kind.deferred, *[0] * kind.deferred.count(":"))
        driver.runtime.objects.release(kept)


def _destroy(above: Super, a: Args) -> None:
    above.runtime.send(a.x(0), "destroyImpl")


def _dealloc(driver: Driver) -> Behaviour:
    def run(above: Super, a: Args) -> None:
        encoder = a.x(0)
        if not driver.get(encoder, "_ended"):
            driver.process.contract(
                f"{driver.class_of(encoder).name} {encoder:#x}: Command encoder released without endEncoding"
            )
        impl = driver.get(encoder, "_impl")
        if impl:
            driver.impls.append(impl)
        above(a)

    return run


def _sub_encoder(driver: Driver, parallel: int) -> int:
    return make(driver, driver.get(parallel, "_commandBuffer"), RENDER, current=False)
