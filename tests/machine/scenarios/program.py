"""What a program does with the driver."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from driver import passing, values
from driver.kinds import KINDS, Kind
from libobjc.encoding import parse
from scenarios.world import World

MILLISECOND = 1_000_000
"""In the machine's clock."""


def scoped(scope: str) -> dict[str, str]:
    """The environment for a scope of the library's lock; empty for the default, so that tests share one process."""
    return {} if scope == "global" else {"AGX_FIX_LOCK_SCOPE": scope}


def work(world: World, encoder: int, kind: Kind, times: int = 1) -> int:
    """Sends an encoder methods of its kind; how many calls."""
    cls = world.driver.class_of(encoder)
    source = random.Random(kind.name)
    for selector in kind.work * times:
        method = cls.method(selector)
        if method is None:
            raise ValueError(f"{cls.name} has no {selector}")
        signature = parse(method.encoding)
        arguments = [passing.to_argument(of, values.value(of, source)) for of in signature.arguments]
        world.send(encoder, selector, *arguments)
    return len(kind.work) * times


def life(world: World, kinds: Sequence[Kind] = KINDS, queue: int = 0x9000, factory: str | None = None) -> int:
    """A command buffer with an encoder of each kind, committed; how much work it was. Needs a pool."""
    buffer = world.driver.command_buffer(queue)
    done = 0
    for kind in kinds:
        encoder = world.driver.encoder(buffer, kind, factory)
        done += work(world, encoder, kind)
        world.send(encoder, "endEncoding")
    world.send(buffer, "commit")
    return done


def sleep(world: World, milliseconds: float) -> None:
    """Lets so much of the machine's time pass for this thread."""
    process = world.process
    until = process.clock.now + int(milliseconds * MILLISECOND)
    process.block_until(lambda: False, what="some time to pass", deadline=until)


def gpu(world: World, is_over: Callable[[], bool], milliseconds: float = 1) -> Callable[[], None]:
    """The thread of a queue: each command buffer takes it so long; it ends when nothing is left and it `is_over`."""

    def run() -> None:
        while True:
            world.process.block_until(lambda: bool(world.driver.committed) or is_over(), what="a commit")
            if not world.driver.committed:
                return
            sleep(world, milliseconds)
            world.driver.complete_one()

    return run
