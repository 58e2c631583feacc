"""What the scenarios share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from machine.checkpoint import Checkpoint
from scenarios.world import World

Start = Callable[..., World]


@pytest.fixture
def start(library: Path) -> Iterator[Start]:
    """Starts processes with the library; what `World` takes. They are closed after the test."""
    worlds: list[World] = []

    def one(environment: dict[str, str] | None = None, **options: object) -> World:
        world = World(library, environment, **options)  # type: ignore[arg-type]
        worlds.append(world)
        return world

    yield one
    for world in worlds:
        world.process.close()


class Loaded:
    """Processes in which Metal and the driver are loaded: one for each set of options, taken back to that for each test."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._worlds: dict[tuple[object, ...], tuple[World, Checkpoint]] = {}

    def __call__(
        self, environment: dict[str, str] | None = None, *, seed: int = 1, touches: bool = True, **options: object
    ) -> World:
        """The process for an environment and what else `World` takes; the seed is the test's own.

        Unless it `touches` every class, those are hooked that a test uses, as it uses them: faster, if few tests share it.
        """
        key = (*sorted((environment or {}).items()), *sorted(options.items()), touches)
        if key not in self._worlds:
            world = World(self._library, environment, **options)  # type: ignore[arg-type]
            world.driver.load(touches=touches)
            self._worlds[key] = world, world.process.checkpoint()
        world, checkpoint = self._worlds[key]
        world.process.rewind(checkpoint, seed)
        world.process.preempts_after = None
        return world

    def close(self) -> None:
        """Closes them all."""
        for world, _ in self._worlds.values():
            world.process.close()


@pytest.fixture(scope="session")
def loaded(library: Path) -> Iterator[Loaded]:
    """See `Loaded`."""
    worlds = Loaded(library)
    yield worlds
    worlds.close()
