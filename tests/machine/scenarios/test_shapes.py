"""Every way in which arguments and results can travel, also those that no class of the dump has."""

from __future__ import annotations

import random

import pytest

from libobjc.classes import Class
from scenarios.conftest import Start
from scenarios.sender import Sender
from scenarios.world import World

INTEGERS = ("c", "C", "B", "s", "S", "i", "I", "q", "Q", "@", "^v")
FLOATING = (
    "f",
    "d",
    "{?=f}",
    "{?=ff}",
    "{?=fff}",
    "{?=ffff}",
    "{?=d}",
    "{?=dd}",
    "{?=ddd}",
    "{?=dddd}",
    "{?={?=ff}{?=ff}}",
)
IN_REGISTERS = ("{_NSRange=QQ}", "{?=cS}", "{?=III}", "{?=Qd}", "{?=fQ}", "{?=fi}", "{?=cccccccccc}", "{?=IIII}")
IN_MEMORY = ("{?=QQQ}", "{?=IIIII}", "{?=fffff}", "{?=dddddd}", "{?={?=QQQ}{?=QQQ}}", "{Config=@@@i@iIBB}")
RESULTS = ("v", *INTEGERS, *FLOATING, *IN_REGISTERS, *IN_MEMORY)

SHAPES = (
    "v@:QQQQQQ",
    "v@:QQQQQQBSIBd{?=III}I",
    "v@:QQQQQQccccccccI",
    "v@:QQQQQQcscicqB",
    "v@:QQQQQQ{?=cS}c{?=cS}I",
    "v@:QQQQQQ{?=III}I",
    "v@:QQQQQQ{?=III}{?=III}{?=III}IIIB",
    "v@:QQQQQ{_NSRange=QQ}Q",
    "v@:QQQQQQ{?=QQQ}{?=QQQ}{?=QQQ}",
    "v@:ddddddddd",
    "v@:fffffffffff",
    "v@:fdfdfdfdfdfdfB",
    "v@:dddddd{?=dddd}f",
    "v@:dddddddddd{?=fff}f{?=ff}d",
    "v@:QdQfQdQfQdQfQdQfQdQfQdQf",
    "{?=QQQ}@:QQQQQQQQQQdd",
    "{?=dddd}@:QQQQQQQQQQdddddddddd",
    "d@:{?=QQQ}{?=dd}f{?=ffff}Bc",
    "v@:" + "Q" * 70,
    "v@:" + "QB" * 30,
    "v@:@QQ{?=QQQ}{?=QQQ}@QQ{?=QQQ}Q",
)


def with_methods(world: World, encodings: list[str]) -> Class:
    """A driver's compute encoder with a method of each encoding; they take arguments, and so count as work."""
    world.driver.load_metal()
    name = "AGXG99XFamilyComputeContext"
    methods = []
    for number, encoding in enumerate(encodings):
        selector = f"work{number}:"
        methods.append((selector, encoding, world.driver.recorder.code(f"-[{name} {selector}]", encoding)))
    cls = world.runtime.define(name, "IOGPUMetalComputeCommandEncoder", methods, ivars=("_impl",))
    world.send(cls.address, "self")
    return cls


def drive(world: World, encodings: list[str]) -> None:
    """Sends each method twice and ends."""
    cls = with_methods(world, encodings)
    sender = Sender(world)
    receiver = sender.receiver(cls)
    for method in cls.methods.values():
        assert world.is_ours(method.implementation), f"{method.encoding} is not hooked"
        for seed in (1, 2):
            sender.send(receiver, method, seed)
    sender.end(receiver)
    left = world.end()
    assert left.counters["hooks_unhooked"] == 0
    # The encoder's end is a call, too.
    assert left.counters["method_calls"] == sender.sent + 1


def test_results_of_every_kind(start: Start) -> None:
    drive(start(records_all=True), [result + "@:Q" for result in RESULTS])


def test_arguments_of_every_kind(start: Start) -> None:
    drive(start(records_all=True), ["v@:" + argument for argument in RESULTS[1:]])


def test_arguments_of_every_kind_on_the_stack(start: Start) -> None:
    drive(start(records_all=True), ["v@:QQQQQQdddddddd" + argument + "B" for argument in RESULTS[1:]])


def test_more_arguments_than_registers(start: Start) -> None:
    drive(start(records_all=True), list(SHAPES))


@pytest.mark.parametrize("seed", range(4))
def test_signatures_that_nobody_thought_of(start: Start, seed: int) -> None:
    source = random.Random(seed)
    kinds = (INTEGERS, FLOATING, IN_REGISTERS, IN_MEMORY)
    encodings = [
        source.choice(RESULTS)
        + "@:"
        + "".join(source.choice(source.choice(kinds)) for _ in range(source.randrange(1, 16)))
        for _ in range(40)
    ]
    drive(start(records_all=True), encodings)


def test_a_method_that_cannot_be_forwarded_is_left_alone_and_said_so(start: Start) -> None:
    world = start(records_all=True)
    world.driver.load_metal()
    code = world.process.stub("bits", lambda _process, _a: None)
    world.runtime.define(
        "AGXG99XFamilyComputeContext",
        "IOGPUMetalComputeCommandEncoder",
        [("bits:", "v@:{?=b8b24I}", code), ("union:", "v@:(?=id)", code), ("wide:", "v@:T", code)],
    )
    cls = world.runtime.cls("AGXG99XFamilyComputeContext")
    world.send(cls.address, "self")
    assert [method.implementation for method in cls.methods.values()] == [code] * 3
    assert world.counter("hooks_unhooked") == 3
