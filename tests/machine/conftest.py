"""What every test of the machine gets: the library that was built, and a fresh process for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from machine import Process

_TARGET = Path(__file__).parents[2] / "target"
_BUILT = _TARGET / "macos/arm64/libagx_fix.dylib"
_READER = _TARGET / "debug/examples/ledger_json"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--library`: the file that is executed; `--ledger-reader`: the example `ledger_json` of the package `agx-ledger`;
    `--patch-images`: what `agxrun patch` made of drivers."""
    parser.addoption("--library", type=Path, default=_BUILT, help="the arm64 library (default: %(default)s)")
    parser.addoption("--patch-images", type=Path, help="the folder with the drivers that tests/patch makes")
    parser.addoption("--ledger-reader", type=Path, default=_READER, help="reads ledgers (default: %(default)s)")


@pytest.fixture(scope="session")
def library(request: pytest.FixtureRequest) -> Path:
    """The library's file."""
    path: Path = request.config.getoption("--library")
    if not path.is_file():
        pytest.fail(f"there is no {path} (hint: scripts/macos/build.sh makes it; --library names another)")
    return path


@pytest.fixture(scope="session")
def read_ledgers(request: pytest.FixtureRequest) -> Callable[[Process], list[dict[str, Any]]]:
    """Reads the ledgers that a process and its children have written, oldest process first, as agxrun would read them."""
    reader: Path = request.config.getoption("--ledger-reader")
    if not reader.is_file():
        pytest.fail(f"there is no {reader} (hint: cargo build -p agx-ledger --example ledger_json)")

    def read(process: Process) -> list[dict[str, Any]]:
        done = subprocess.run([reader, process.ledger_folder], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        ledgers: list[dict[str, Any]] = json.loads(done.stdout)
        return ledgers

    return read


_OUTCOME = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes whether the test passed, for what `machine` does after it."""
    report = yield
    if report.when == "call":
        item.stash[_OUTCOME] = report.passed
    return report


@pytest.fixture
def machine(library: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Process]]:
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
        for process in made if request.node.stash.get(_OUTCOME, False) else []:
            process.check_end()
    finally:
        for process in made:
            process.close()
