"""What every test of the machine gets: the library that was built, and a fresh process for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from machine import Process  # noqa: E402 - its folder is on the path only now

_BUILT = Path(__file__).parents[2] / "target/macos/arm64/libagx_fix.dylib"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--library`: the file that is executed."""
    parser.addoption("--library", type=Path, default=_BUILT, help="the arm64 library (default: %(default)s)")


@pytest.fixture(scope="session")
def library(request: pytest.FixtureRequest) -> Path:
    """The library's file."""
    path: Path = request.config.getoption("--library")
    if not path.is_file():
        pytest.fail(f"there is no {path} (hint: scripts/macos/build.sh makes it; --library names another)")
    return path


@pytest.fixture
def machine(library: Path, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Makes processes with the library: `machine(environment={...}, seed=1)`.

    When a test has passed, what must hold at the end is checked for each of them.
    """
    made: list[Process] = []

    def make(**options: object) -> Process:
        folder = tmp_path / f"process-{len(made)}"
        folder.mkdir()
        process = Process(**{"library": library, "folder": folder, **options})  # type: ignore[arg-type]
        made.append(process)
        return process

    yield make
    try:
        for process in made:
            process.check_end()
    finally:
        for process in made:
            process.close()
