"""Classes that no dump has: under Metal's newer roots, known by their protocols alone, and wrappers."""

from __future__ import annotations

import pytest

from libobjc.classes import Class
from scenarios.conftest import Start
from scenarios.world import World

WORK = ("setSomething:atIndex:", "v32@0:8@16Q24")
END = ("endEncoding", "v16@0:8")


def define(
    world: World, name: str, superclass: str, *, ivars: tuple[str, ...] = ("_impl",), protocols: tuple[str, ...] = ()
) -> Class:
    """An encoder's class with two methods, after its first message."""
    methods = [(it, encoding, world.driver.recorder.code(f"-[{name} {it}]", encoding)) for it, encoding in (WORK, END)]
    cls = world.runtime.define(name, superclass, methods, ivars=ivars, protocols=protocols)
    world.send(cls.address, "self")
    return cls


def is_hooked(world: World, cls: Class) -> bool:
    """Whether all methods of a class are hooked; none or all must be."""
    hooked = {world.is_ours(method.implementation) for method in cls.methods.values()}
    assert len(hooked) == 1
    return hooked.pop()


@pytest.fixture
def world(start: Start) -> World:
    """Metal is loaded, and its first class announced: from then on protocols are asked for."""
    world = start(records_all=True)
    world.driver.load_metal()
    world.send(world.runtime.cls("_MTLObjectWithLabel").address, "self")
    return world


def test_metal_4(world: World) -> None:
    world.runtime.define("_MTL4CommandEncoder", "_MTLObjectWithLabel")
    cls = define(world, "AGXG18PFamilyComputeContext_mtlnext", "_MTL4CommandEncoder")
    assert is_hooked(world, cls)


@pytest.mark.parametrize("protocol", ["MTLCommandEncoder", "MTL4CommandEncoder"])
def test_an_encoder_known_by_its_protocol(world: World, protocol: str) -> None:
    cls = define(world, "NobodysEncoder", "NSObject", protocols=(protocol,))
    assert is_hooked(world, cls)
    made = world.runtime.objects.make(cls)
    world.driver.set(made, "_impl", world.driver.take_impl())
    world.send(made, "setSomething:atIndex:", 1, 2)
    assert world.runtime.objects.count(made) == 2, "adopted"
    world.send(made, "endEncoding")
    world.runtime.objects.release(made)
    world.end()


def test_a_subclass_of_one_that_conforms(world: World) -> None:
    define(world, "NobodysEncoder", "NSObject", protocols=("MTLCommandEncoder",))
    assert is_hooked(world, define(world, "NobodysOtherEncoder", "NobodysEncoder", ivars=()))


def test_what_conforms_to_nothing_is_left_alone(world: World) -> None:
    world.runtime.protocol("MTLCommandEncoder")
    assert not is_hooked(world, define(world, "SomeController", "NSObject", protocols=("NSCopying",)))


def test_a_wrapper_is_left_alone_and_in_the_census(world: World) -> None:
    """By the variable in which it keeps the driver's object, which is hooked itself."""
    cls = define(world, "SomeWrapper", "NSObject", ivars=("_baseObject",), protocols=("MTLCommandEncoder",))
    assert not is_hooked(world, cls)
    assert [it.selector for it in world.ledger().census if it.class_name == cls.name] == ["*"]


def test_before_metal_nobody_is_asked_for_protocols(start: Start) -> None:
    world = start(records_all=True)
    asked: list[str] = []
    serve = world.process.imports["_objc_getProtocol"]

    def ask(process: object, a: object) -> int | None:
        asked.append("protocol")
        return serve(process, a)  # type: ignore[arg-type,return-value]

    world.process.imports["_objc_getProtocol"] = ask  # type: ignore[assignment]
    define(world, "SomeController", "NSObject", protocols=("NSCopying",))
    assert asked == []
    assert world.ledger().counters["classes_seen"] == 2
