"""Going back: what a test does to a process is undone for the next."""

from __future__ import annotations

import pytest

from machine import ContractError, HeapError, Process

from .conftest import Kept, Make, system
from .test_machine_system import mapped_file, open_file


def disturb(process: Process, shared: int, own: int) -> list[str]:
    """Changes everything that can be changed; the order in which two threads ran."""
    process.memory.put_u64(own, 2)
    process.memory.put_u64(shared, 3)
    system(process, "_free", own)
    open_file(process, "/new", 0x202)
    system(process, "_write", 2, process.memory.put_cstring("text"), 4)
    system(process, "_munmap", shared, 4096)
    process.missing.add("_getpid")
    process.imports["_getppid"] = lambda _p, _a: 1
    order: list[str] = []

    def work() -> None:
        for _ in range(6):
            order.append(process.thread.name)
            system(process, "_geteuid")

    process.spawn(work, "a")
    process.spawn(work, "b")
    process.run()
    return order


def state(process: Process, shared: int, own: int) -> object:
    """What `disturb` changes."""
    return (
        process.memory.u64(own),
        process.memory.u64(shared),
        (process.ledger_folder / "f").read_bytes()[:8],
        sorted(path.name for path in process.files.root.rglob("*")),
        process.files.open_files,
        process.stderr,
        process.clock.now,
        process.missing,
        system(process, "_getppid").x0,
        process.thread_count,
        process.memory.heap.used,
        [region.name for region in process.memory.regions],
    )


def test_everything_is_as_it_was_as_often_as_wanted(little: Make) -> None:
    process = little()
    _, shared = mapped_file(process)
    own = process.memory.alloc(8)
    process.memory.put_u64(own, 1)
    process.memory.put_u64(shared, 1)
    there = process.checkpoint()
    before = state(process, shared, own)
    orders = []
    for seed in (1, 1, 2):
        process.rewind(there, seed)
        assert state(process, shared, own) == before
        process.rewind(there, seed)
        orders.append(disturb(process, shared, own))
        with pytest.raises(HeapError):
            process.memory.u64(own)
    assert orders[0] == orders[1] != orders[2]
    process.rewind(there)
    assert state(process, shared, own) == before


def test_what_a_test_keeps_goes_back_too(little: Make) -> None:
    process = little()
    kept = Kept()
    process.on_fork(kept.save, kept.restore)
    there = process.checkpoint()
    for _ in range(2):
        kept.add(2)
        process.rewind(there)
        assert kept.values == [1]


def test_a_thread_that_still_runs_is_ended(little: Make) -> None:
    process = little()
    there = process.checkpoint()
    process.spawn(lambda: process.block_until(lambda: False, "nothing"), "waiter")
    process.switch()
    with pytest.raises(ContractError, match="only the first thread"):
        process.checkpoint()
    process.rewind(there)
    assert [thread.name for thread in process.threads] == ["main"]
    process.check_end()
