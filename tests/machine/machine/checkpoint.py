"""Going back to an earlier state of a process: many tests begin with the same loaded driver, which takes long to load."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .memory import WRITE, Snapshot

if TYPE_CHECKING:
    from .libsystem.state import System
    from .process import Process
    from .registers import Registers
    from .stubs import Handler, Stubs
    from .threads import Thread


@dataclass
class Checkpoint:
    """Everything that `rewind` puts back."""

    memory: Snapshot
    #: Contents of the file system, and of the files that are mapped.
    tree: dict[Path, bytes]
    shared: dict[int, bytes]
    parts: list[object]
    tables: tuple[dict[str, Handler], dict[str, int], set[str]]
    output: tuple[bytes, bytes, dict[str, int]]
    #: Time, process, parent, how many threads there have been.
    numbers: tuple[int, int, int, int]
    files: object
    #: The states of what the test registered with `on_fork`.
    own: list[object]


def take(process: Process) -> Checkpoint:
    """Notes the state of a process in which only its first thread exists, and calls nothing."""
    _check_quiet(process)
    memory, files = process.memory, process.files
    shared = {
        region.start: region.buffer[:] for region in memory.regions if region.shared and region.protection & WRITE
    }
    return Checkpoint(
        memory=memory.snapshot(),
        tree=_tree(process.files.root),
        shared=shared,
        parts=[part.snapshot() for part in _parts(process)],
        tables=(dict(process.imports), dict(process.data), set(process.missing)),
        output=(bytes(files.stdout), bytes(files.stderr), dict(files.failures)),
        numbers=(process.clock.now, process.pid, process.parent_pid, process.thread_count),
        files=files.snapshot(),
        own=[save() for save, _ in process.forkable],
    )


def rewind(process: Process, to: Checkpoint, seed: int) -> None:
    """Goes back, with another seed; threads that still run are ended."""
    process.scheduler.stop_all()
    process.memory.restore(to.memory)
    for start, data in to.shared.items():
        region = process.memory.region_at(start)
        assert region is not None
        region.buffer[:] = data
    process.files.restore(to.files)
    to.files = process.files.snapshot()
    _restore_tree(process.files.root, to.tree)
    _restore_rest(process, to)
    process.scheduler.begin_again(seed)
    for (_, restore), state in zip(process.forkable, to.own, strict=False):  # what was registered since has no state
        restore(state)
    del process.forkable[len(to.own) :]


def _check_quiet(process: Process) -> None:
    if process.threads != [process.thread] or process.thread.depth or process.is_forked_child:
        process.contract("a checkpoint can be taken when only the first thread exists, and calls nothing")


def _parts(process: Process) -> list[System | Stubs | Thread | Registers]:
    """What knows how to copy itself."""
    return [process.system, process.stubs, process.thread, process.thread.registers]


def _restore_rest(process: Process, to: Checkpoint) -> None:
    for part, state in zip(_parts(process), to.parts, strict=True):
        part.restore(state)
    imports, data, missing = to.tables
    process.imports, process.data, process.missing = dict(imports), dict(data), set(missing)
    files = process.files
    files.stdout[:], files.stderr[:] = to.output[:2]
    files.failures = dict(to.output[2])
    process.clock.now, process.pid, process.parent_pid, process.thread_count = to.numbers


def _tree(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and not path.is_symlink()}


def _restore_tree(root: Path, tree: dict[Path, bytes]) -> None:
    """In place: a file that is mapped must stay the same file."""
    for path in root.rglob("*"):
        if path.is_symlink() or (path.is_file() and path not in tree):
            path.unlink()
    for path, data in tree.items():
        if not path.is_file() or path.read_bytes() != data:
            with path.open("r+b" if path.exists() else "wb") as file:
                file.write(data)
                file.truncate()
