"""The modelled runtime by itself: what it promises, and that it notices when its contract is broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driver.kinds import BLIT, COMPUTE
from driver.metal import Driver
from libobjc.functions import install
from libobjc.objects import CLASS_MASK
from libobjc.runtime import Runtime
from machine.errors import ContractError, HeapError
from machine.process import Args, Process
from selftest.library import Contents, build

BREAKPOINT = (0xD4200000).to_bytes(4, "little")
"""The only instruction of a library that is never called: `brk #0`."""


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    """A runtime in a process whose library does nothing."""
    library = tmp_path / "libempty.dylib"
    library.write_bytes(build(Contents(BREAKPOINT)))
    with Process(library) as process:
        yield install(process)


def call(runtime: Runtime, function: str, *arguments: int) -> int:
    """Calls a function of the runtime's as emulated code does."""
    return runtime.process.call(runtime.process.outside("_" + function), *arguments).x0


def test_objects_count_in_their_first_word(runtime: Runtime) -> None:
    made = runtime.new("NSObject")
    word = runtime.process.memory.u64(made)
    assert call(runtime, "objc_retain", made) == made
    changed = runtime.process.memory.u64(made)
    assert changed != word
    assert changed & CLASS_MASK == word & CLASS_MASK == runtime.cls("NSObject").address
    assert call(runtime, "object_getClass", made) == runtime.cls("NSObject").address
    assert runtime.send(made, "retainCount").x0 == 2
    call(runtime, "objc_release", made)
    runtime.send(made, "release")
    assert made not in runtime.objects.living


def test_a_release_too_many_is_noticed(runtime: Runtime) -> None:
    made = runtime.new("NSObject")
    call(runtime, "objc_release", made)
    with pytest.raises(ContractError, match="NSObject and is freed"):
        call(runtime, "objc_release", made)
    with pytest.raises(HeapError):
        runtime.process.memory.u64(made)


def test_pools_release_what_is_in_them(runtime: Runtime) -> None:
    with runtime.objects.pool():
        outer = runtime.objects.autorelease(runtime.new("NSObject"))
        token = call(runtime, "objc_autoreleasePoolPush")
        inner = runtime.new("NSObject")
        call(runtime, "objc_autorelease", inner)
        call(runtime, "objc_autoreleasePoolPop", token)
        assert inner not in runtime.objects.living
        assert outer in runtime.objects.living
    assert not runtime.objects.living
    homeless = runtime.new("NSObject")
    with pytest.raises(ContractError, match="without a pool"):
        runtime.objects.autorelease(homeless)


def subclass(runtime: Runtime, log: list[str]) -> None:
    """Two classes with `+initialize`, which say when it runs."""

    def initialize(_process: Process, a: Args) -> None:
        log.append("initialize " + runtime.need_class(a.x(0), "initialize").name)

    code = runtime.process.stub("+initialize", initialize)
    for name, above in (("Base", "NSObject"), ("Derived", "Base")):
        runtime.define(name, above, class_methods=[("initialize", "v16@0:8", code)])


def announce(runtime: Runtime, log: list[str]) -> None:
    """Registers a will-initialise callback, which says what it is told."""

    def told(_process: Process, a: Args) -> None:
        log.append("announce " + runtime.need_class(a.x(1), "told").name)

    call(runtime, "_objc_addWillInitializeClassFunc", runtime.process.stub("told", told), 0)


def test_classes_are_announced_before_initialize_superclass_first(runtime: Runtime) -> None:
    runtime.new("NSObject")
    log: list[str] = []
    subclass(runtime, log)
    announce(runtime, log)
    assert log == ["announce NSObject"], "what is initialised already is announced at once"
    log.clear()
    runtime.new("Derived")
    runtime.new("Derived")
    assert log == ["announce Base", "initialize Base", "announce Derived", "initialize Derived"]


@pytest.mark.parametrize("seed", range(5))
def test_one_thread_initialises_and_the_other_waits(runtime: Runtime, seed: int) -> None:
    log: list[str] = []
    process = runtime.process

    def initialize(_process: Process, _a: Args) -> None:
        log.append("begins")
        for _ in range(seed + 1):
            process.switch()
        log.append("ends")

    runtime.define(
        "Slow", "NSObject", class_methods=[("initialize", "v16@0:8", process.stub("+initialize", initialize))]
    )

    def use() -> None:
        runtime.new("Slow")
        log.append("used")

    process.spawn(use)
    process.spawn(use)
    process.run()
    assert log == ["begins", "ends", "used", "used"]


def test_a_class_must_not_be_messaged_while_it_is_announced(runtime: Runtime) -> None:
    runtime.define("Fresh", "NSObject")

    def told(_process: Process, a: Args) -> None:
        if a.x(1) == runtime.cls("Fresh").address:
            runtime.send(a.x(1), "self")

    call(runtime, "_objc_addWillInitializeClassFunc", runtime.process.stub("told", told), 0)
    with pytest.raises(ContractError, match="Fresh"):
        runtime.new("Fresh")


TAKES_THE_LOCK = (
    "class_copyMethodList",
    "class_getInstanceVariable",
    "class_getInstanceMethod",
    "class_conformsToProtocol",
    "class_replaceMethod",
)


@pytest.mark.parametrize("function", TAKES_THE_LOCK)
def test_load_image_callbacks_hold_the_lock(runtime: Runtime, function: str) -> None:
    process = runtime.process
    root = runtime.cls("NSObject")
    second = runtime.selector("self") if "Method" in function else process.memory.put_cstring("_ivar")
    if "Protocol" in function:
        second = runtime.protocol("Any")
    if function == "class_copyMethodList":
        second = 0

    def loaded(_process: Process, _a: Args) -> None:
        call(runtime, function, root.address, second, second, second)

    call(runtime, "objc_addLoadImageFunc", process.stub("loaded", loaded))
    with pytest.raises(ContractError, match=f"{function} takes the runtime lock, which this thread holds"):
        runtime.load_image("/some.dylib", lambda: None)


def test_harmless_functions_may_be_called_in_load_image_callbacks(runtime: Runtime) -> None:
    names: list[str] = []

    def loaded(process: Process, _a: Args) -> None:
        names.append(process.memory.cstring(call(runtime, "class_getName", runtime.cls("Late").address)))
        assert call(runtime, "class_getSuperclass", runtime.cls("Late").address) == runtime.cls("NSObject").address

    call(runtime, "objc_addLoadImageFunc", runtime.process.stub("loaded", loaded))
    runtime.load_image("/late.dylib", lambda: runtime.define("Late", "NSObject"))
    assert names == ["Late"]


def test_dyld_tells_of_an_image_before_its_classes_are_there(runtime: Runtime) -> None:
    found: list[bool] = []

    def added(_process: Process, _a: Args) -> None:
        found.append(runtime.find_class("Late") is not None)

    call(runtime, "_dyld_register_func_for_add_image", runtime.process.stub("added", added))
    found.clear()
    runtime.load_image("/late.dylib", lambda: runtime.define("Late", "NSObject"))
    assert found == [False]


def test_methods(runtime: Runtime) -> None:
    process, memory = runtime.process, runtime.process.memory
    first, second = (
        process.stub(name, lambda _process, _a, value=value: value) for name, value in (("one", 1), ("two", 2))
    )
    cls = runtime.define("Some", "NSObject", [("work", "Q16@0:8", first)], ivars=("_impl",))
    count = memory.alloc(8)
    methods = call(runtime, "class_copyMethodList", cls.address, count)
    assert memory.u32(count) == 1
    method = memory.u64(methods)
    assert memory.cstring(call(runtime, "sel_getName", call(runtime, "method_getName", method))) == "work"
    assert memory.cstring(call(runtime, "method_getTypeEncoding", method)) == "Q16@0:8"
    made = runtime.new("Some")
    assert runtime.send(made, "work").x0 == 1
    assert call(runtime, "method_setImplementation", method, second) == first
    assert runtime.send(made, "work").x0 == 2
    added = call(runtime, "class_addMethod", cls.address, runtime.selector("more"), first, runtime.string("Q16@0:8"))
    assert (added & 0xFF, runtime.send(made, "more").x0) == (1, 1)
    assert (
        call(runtime, "class_addMethod", cls.address, runtime.selector("more"), second, runtime.string("Q")) & 0xFF == 0
    )
    assert call(runtime, "class_getMethodImplementation", cls.address, runtime.selector("work")) == second
    ivar = call(runtime, "class_getInstanceVariable", cls.address, memory.put_cstring("_impl"))
    assert call(runtime, "ivar_getOffset", ivar) == 8
    assert call(runtime, "class_getInstanceSize", cls.address) == 16
    with pytest.raises(ContractError, match="unrecognized selector nothing"):
        runtime.send(made, "nothing")


def test_the_dump_s_classes_stand_as_dumped(runtime: Runtime) -> None:
    driver = Driver(runtime)
    driver.load()
    above = [it.name for it in runtime.cls("AGXG16XFamilySampledComputeContext").lineage()]
    assert above == [
        "AGXG16XFamilySampledComputeContext",
        "AGXG16XFamilyComputeContext",
        "IOGPUMetalComputeCommandEncoder",
        "IOGPUMetalCommandEncoder",
        "_MTLCommandEncoder",
        "_MTLObjectWithLabel",
        "NSObject",
    ]


def test_the_model_of_the_driver_notices_what_the_driver_asserts(runtime: Runtime) -> None:
    driver = Driver(runtime)
    driver.load()
    objects = runtime.objects
    token = objects.push_pool()
    buffer = driver.command_buffer()
    encoder = driver.encoder(buffer, COMPUTE)
    with pytest.raises(ContractError, match="already encoding"):
        driver.encoder(buffer, BLIT)
    with pytest.raises(ContractError, match="uncommitted encoder"):
        runtime.send(buffer, "commit")
    with pytest.raises(ContractError, match="uncommitted encoder"):
        runtime.send(buffer, "encodeSignalEvent:value:", 1, 2)
    runtime.send(encoder, "endEncoding")
    with pytest.raises(ContractError, match="has ended"):
        runtime.send(encoder, "endEncoding")
    driver.set(encoder, "_impl", 0)
    with pytest.raises(ContractError, match="0x5c8"):
        runtime.send(encoder, "setComputePipelineState:", 1)
    runtime.send(buffer, "commit")
    with pytest.raises(ContractError, match="already committed"):
        runtime.send(buffer, "commit")
    driver.complete_one()
    objects.pop_pool(token)
    assert not objects.living
