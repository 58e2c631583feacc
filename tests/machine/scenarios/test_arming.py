"""When the hooks come: with the runtime's announcement of classes, and by the nets below it."""

from __future__ import annotations

import pytest

from driver import table
from driver.kinds import BUFFER, COMPUTE, FAMILY, KINDS
from libobjc.functions import ANNOUNCER
from machine.process import Args, Process
from scenarios import ledger
from scenarios.conftest import Loaded, Start
from scenarios.world import World


def hooked(world: World, class_name: str, selector: str) -> bool:
    """Whether a class's own method runs the library's code."""
    code = world.runtime.cls(class_name).methods[selector].implementation
    return world.is_ours(code)


def life(world: World) -> None:
    """One compute encoder, from factory to commit."""

    def run() -> None:
        buffer = world.driver.command_buffer()
        encoder = world.driver.encoder(buffer, COMPUTE)
        world.send(encoder, "setComputePipelineState:", 7)
        world.send(encoder, "endEncoding")
        world.send(buffer, "commit")
        world.driver.complete_one()

    world.in_pool(run)()


def test_a_process_without_metal_gets_a_ledger_and_no_hooks(start: Start) -> None:
    world = start()
    world.runtime.new("NSObject")
    assert world.hooks() == 0
    left = world.end(leaks=True)
    assert (left.phase, left.degraded) == (ledger.EXITED, 0)
    assert left.flags == ledger.OBJC_SEEN
    assert (left.platform, left.architecture) == (2, 2)
    assert left.path == world.process.program
    assert left.policy == "v3"
    assert not left.census
    assert world.process.stderr == b""


def test_metal_and_the_driver_come_late(start: Start) -> None:
    world = start()
    world.driver.load_metal()
    world.driver.load_driver()
    assert world.hooks() == 0, "no message was sent to any class"
    world.runtime.send(world.runtime.cls(COMPUTE.class_name).address, "alloc")
    assert hooked(world, COMPUTE.class_name, "setComputePipelineState:")
    assert hooked(world, "_MTLCommandEncoder", "endEncoding"), "the base classes come along"
    assert not hooked(world, BUFFER, "commit"), "nobody has messaged that class yet"
    life(world)
    assert hooked(world, BUFFER, "commit")
    left = world.ledger()
    assert left.phase == ledger.ARMED
    assert left.flags == ledger.OBJC_SEEN | ledger.METAL_SEEN
    assert left.degraded == 0
    assert left.counters["class_scans"] == 0


def test_no_callback_is_registered_that_comes_too_early_or_under_the_lock(loaded: Loaded) -> None:
    """dyld's come before the runtime has mapped the classes, `objc_addLoadImageFunc`'s with its lock held."""
    world = loaded()
    assert world.process.system.image_callbacks == []
    assert world.runtime.load_image_callbacks == ()


def test_hooks_stand_before_initialize_runs(start: Start) -> None:
    world = start()
    world.driver.load_metal()
    seen: list[bool] = []

    def initialize(_process: Process, a: Args) -> None:
        cls = world.runtime.need_class(a.x(0), "initialize")
        if cls.name == "AGXG99XFamilyComputeContext":
            seen.append(hooked(world, cls.name, "work:"))

    code = world.process.stub("+[AGXG99XFamilyComputeContext initialize]", initialize)
    work = world.driver.recorder.code("-[AGXG99XFamilyComputeContext work:]", "v24@0:8Q16")
    world.runtime.define(
        "AGXG99XFamilyComputeContext",
        "IOGPUMetalComputeCommandEncoder",
        [("work:", "v24@0:8Q16", work)],
        class_methods=[("initialize", "v16@0:8", code)],
    )
    world.runtime.send(world.runtime.cls("AGXG99XFamilyComputeContext").address, "alloc")
    assert seen == [True]


def test_classes_that_are_initialised_already_are_announced_at_once(start: Start) -> None:
    world = start(starts=False)
    world.driver.load()
    world.process.start()
    for kind in KINDS:
        assert hooked(world, kind.class_name, "endEncoding"), kind.name
    life(world)
    world.end()


@pytest.mark.parametrize("has_open_from", [True, False])
def test_without_the_announcement_the_class_list_is_scanned_after_each_dlopen(
    start: Start, has_open_from: bool
) -> None:
    world = start(announces=False, starts=False)
    process = world.process
    opened: list[tuple[str, int]] = []

    def open_driver(_process: Process, a: Args) -> int:
        path = process.memory.cstring(a.x(0))
        opened.append((path, a.x(2) if has_open_from else 0))
        if "AGXMetal" in path:
            world.driver.load_metal()
            world.driver.load_driver()
            return 0x1234
        return 0

    process.imports["_dlopen_from" if has_open_from else "_dlopen"] = open_driver
    if not has_open_from:
        process.missing.add("_dlopen_from")
    process.start()
    assert world.ledger().degraded & ledger.NO_TRIGGER
    dlopen = process.outside("_dlopen")
    assert process.call(dlopen, process.memory.put_cstring("/nowhere"), 2).x0 == 0
    assert process.call(dlopen, process.memory.put_cstring("/AGXMetalG16X"), 2).x0 == 0x1234
    assert [path for path, _ in opened] == ["/nowhere", "/AGXMetalG16X"]
    if has_open_from:
        assert opened[0][1] == opened[1][1] != 0, "the caller's address, for its @rpath"
    assert hooked(world, COMPUTE.class_name, "setComputePipelineState:")
    assert hooked(world, BUFFER, "commit")
    life(world)
    left = world.end()
    assert left.counters["class_scans"] == 2, "one at load, one after the image that could be opened"


def test_with_the_announcement_dlopen_is_only_passed_on(start: Start) -> None:
    world = start()
    process = world.process
    process.imports["_dlopen_from"] = lambda _process, _a: 0x77
    assert process.call(process.outside("_dlopen"), process.memory.put_cstring("/some"), 1).x0 == 0x77
    assert world.ledger().counters["class_scans"] == 0


def test_a_runtime_that_does_not_announce_leaves_the_ledger_unarmed(start: Start) -> None:
    world = start()
    world.runtime.announces = False
    world.driver.load()
    life(world)
    assert world.hooks() == 0
    left = world.end()
    assert not left.flags & ledger.METAL_SEEN
    assert left.counters["hooks_installed"] == 0


@pytest.mark.parametrize(("value", "hooks"), [("1", False), ("yes", False), ("0", True), ("", True)])
def test_disable_goes_by_its_value(start: Start, value: str, hooks: bool) -> None:
    world = start({"AGX_FIX_DISABLE": value})
    world.driver.load(touches=False)
    life(world)
    assert (world.hooks() > 0) == hooks
    left = world.end()
    assert bool(left.flags & ledger.DISABLED) != hooks
    assert (left.counters["method_calls"] > 0) == hooks


def test_a_policy_that_does_not_exist_is_told_and_hooks_nothing(start: Start) -> None:
    world = start({"AGX_FIX_VERSION": "v9"})
    world.driver.load()
    assert world.hooks() == 0
    assert b"there is no policy `v9`" in world.process.stderr
    assert world.end(leaks=True).flags & ledger.POLICY_UNKNOWN


def test_methods_that_are_added_later_are_hooked_with_the_next_class(start: Start) -> None:
    world = start()
    world.driver.load_metal()
    world.driver.load_driver()
    compute = world.runtime.cls(COMPUTE.class_name)
    world.send(compute.address, "self")
    code = world.driver.recorder.code(f"-[{compute.name} addedLater:]", "v24@0:8Q16")
    world.runtime.add_method(compute, "addedLater:", "v24@0:8Q16", code)
    assert not hooked(world, compute.name, "addedLater:")
    world.send(world.runtime.cls(BUFFER).address, "self")
    assert hooked(world, compute.name, "addedLater:")


def test_a_hook_that_somebody_replaces_is_told(loaded: Loaded) -> None:
    world = loaded()
    method = world.runtime.cls(COMPUTE.class_name).methods["setComputePipelineState:"]
    method.implementation = world.driver.recorder.code("somebody else's", method.encoding)
    left = world.end(leaks=True)
    assert left.counters["hooks_replaced"] == 1
    assert (
        b"somebody replaced the hook of -[AGXG16XFamilyComputeContext setComputePipelineState:]" in world.process.stderr
    )


def test_the_census_names_every_method_of_every_class_that_it_went_through(loaded: Loaded) -> None:
    world = loaded(records_all=True)
    left = world.ledger()
    assert left.counters["hooks_unhooked"] == 0
    assert [it for it in left.census if it.state == ledger.UNHOOKED] == []
    in_runtime = {
        (cls.name, selector)
        for cls in world.runtime.classes()
        for selector, method in cls.methods.items()
        if world.is_ours(method.implementation)
    }
    assert set(left.hooked()) == in_runtime
    assert len(in_runtime) == left.counters["hooks_installed"] == world.hooks()
    gone_through = {it.class_name for it in left.census if it.selector != "*"}
    for dumped in table.classes():
        if dumped.name in gone_through:
            named = {it.selector for it in left.census if it.class_name == dumped.name}
            assert set(world.runtime.cls(dumped.name).methods) <= named, dumped.name
    assert all(name in gone_through for name in ("MPSCommandBuffer", BUFFER, FAMILY + "SampledRenderContext"))
    wrappers = {it.class_name for it in left.census if it.selector == "*"}
    assert wrappers == {it.name for it in table.classes() if "MTLToolsObject" in table.lineage(it.name)}


def test_the_announcer_is_asked_for_by_name(start: Start) -> None:
    world = start(starts=False)
    asked: list[int] = []
    world.process.imports[ANNOUNCER] = lambda _process, a: asked.append(a.x(0))
    world.process.start()
    assert len(asked) == 1
    assert world.is_ours(asked[0])
