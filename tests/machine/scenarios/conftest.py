"""What the scenarios share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
