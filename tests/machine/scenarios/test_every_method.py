"""Every hooked method of every class of the dump: arguments and results arrive as they were sent, and the lock is held."""

from __future__ import annotations

import pytest

from driver import table
from libobjc.classes import Method
from scenarios.conftest import Loaded
from scenarios.probe import Probe
from scenarios.program import scoped
from scenarios.sender import Sender
from scenarios.world import World

UNLOCKED = ("didComplete", "commitAndWait")
"""Methods whose original runs without the lock: the program's handlers, and waiting for the GPU."""


def hooked_methods(world: World) -> list[Method]:
    """All hooked methods, in the order of the dump."""
    found = []
    for dumped in table.classes():
        own = world.runtime.cls(dumped.name).methods.values()
        found += [it for it in own if world.is_ours(it.implementation)]
    return found


@pytest.mark.parametrize(("scope", "seeds"), [("global", (1, 2, 3)), ("queue", (4,)), ("buffer", (5,))])
def test_arguments_and_results_arrive(loaded: Loaded, scope: str, seeds: tuple[int, ...]) -> None:
    world = loaded(scoped(scope), records_all=True)
    sender = Sender(world)
    methods = hooked_methods(world)
    assert len(methods) > 700
    for method in methods:
        for seed in seeds:
            receiver = sender.receiver(method.owner)
            sender.send(receiver, method, seed)
            sender.end(receiver)
            if sender.made:
                sender.end(sender.made)
    left = world.end()
    assert left.counters["method_calls"] >= sender.sent
    assert left.counters["null_impl_skips"] == 0
    assert left.counters["odd_receivers"] == 0


def test_the_lock_is_held_in_each_original_and_free_after_it(loaded: Loaded) -> None:
    world = loaded(records_all=True)
    sender = Sender(world)
    probe = Probe(world)
    wrong = []
    for method in hooked_methods(world):
        receiver = sender.receiver(method.owner)
        world.driver.recorder.during = probe.during
        sender.send(receiver, method, 1)
        world.driver.recorder.during = None
        probe.wait()
        is_open = method.selector.startswith(UNLOCKED)
        if probe.was_kept_out == is_open:
            wrong.append(f"{method}: the probe was {'kept out' if probe.was_kept_out else 'let in'}")
        sender.end(receiver)
        if sender.made:
            sender.end(sender.made)
    probe.stop()
    assert not wrong, "\n".join(wrong)
    world.end()
