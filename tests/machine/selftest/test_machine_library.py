"""The library itself in the machine, in a process without a Metal class: what it does there before there is anything to fix."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from machine import Process, ProcessExit
from machine.abi_arm64 import Args

from .conftest import errno, system

Machine = Callable[..., Process]
ReadLedgers = Callable[[Process], list[dict[str, Any]]]


#: Who asked to be told of classes, in each process.
ASKED: WeakKeyDictionary[Process, list[int]] = WeakKeyDictionary()


@pytest.fixture
def bare(machine: Machine) -> Machine:
    """Processes in which the runtime announces classes, but has none."""

    def make(**options: object) -> Process:
        process = machine(**options)
        ASKED[process] = []

        @process.on("__objc_addWillInitializeClassFunc")
        def add(p: Process, a: Args) -> None:
            ASKED[p].append(a.x(0))

        return process

    return make


def test_the_file_is_laid_out_as_dyld_expects(bare: Machine) -> None:
    process = bare()
    image = process.image
    assert image.rebases > 0
    assert len(image.initialisers) == 1
    assert image.thread_variables
    assert {"__exit", "__Exit", "_dlopen"} == set(process.interposed)
    assert all(replacement in image for replacement in process.interposed.values())
    assert {"_agx_fix_version", "_agx_fix_policy", "_agx_fix_stats_json"} <= set(image.exports)


def test_the_constructor_asks_for_classes_and_says_nothing(bare: Machine) -> None:
    process = bare()
    process.start()
    assert [address in process.image for address in ASKED[process]] == [True]
    assert (process.stdout, process.stderr, process.system_log) == (b"", b"", [])
    assert process.files.open_files == []
    assert len(process.threads) == 1


def test_the_ledger_says_what_the_process_is(bare: Machine, read_ledgers: ReadLedgers) -> None:
    process = bare()
    process.start()
    (ledger,) = read_ledgers(process)
    assert (ledger["pid"], ledger["parent"]) == (process.pid, process.parent_pid)
    assert ledger["executable"] == process.program
    assert (ledger["platform"], ledger["architecture"]) == ("macos", "arm64")
    assert (ledger["policy"], ledger["phase"]) == ("v3", "loaded")
    assert ledger["objc_seen"]
    assert not ledger["metal_seen"]
    assert not ledger["armed"]
    assert ledger["degraded"] == []
    assert ledger["start_ns"] == process.system.started_us * 1_000
    assert ledger["start_ns"] < ledger["load_ns"] < process.clock.epoch_ns
    assert set(ledger["counters"].values()) == {0}


def test_the_ledger_says_how_the_process_ended(bare: Machine, read_ledgers: ReadLedgers) -> None:
    process = bare()
    process.start()
    process.finish()
    (ledger,) = read_ledgers(process)
    assert (ledger["phase"], ledger["exit_route"], ledger["exit_status"]) == ("exited", "exit", None)


@pytest.mark.parametrize("name", ["__exit", "__Exit"])
def test_the_replaced_exit_is_noted(bare: Machine, read_ledgers: ReadLedgers, name: str) -> None:
    process = bare()
    process.start()
    with pytest.raises(ProcessExit) as end:
        process.call(process.outside(name), 7)
    assert (end.value.status, end.value.immediate) == (7, True)
    (ledger,) = read_ledgers(process)
    assert (ledger["exit_route"], ledger["exit_status"]) == ("_exit", 7)


def test_a_child_has_a_ledger_of_its_own(bare: Machine, read_ledgers: ReadLedgers) -> None:
    process = bare()
    process.start()

    def child() -> None:
        process.call(process.outside("__exit"), 3)

    done = process.fork(child)
    process.finish()
    parent, forked = read_ledgers(process)
    assert (parent["pid"], parent["exit_route"], parent["forked_from"]) == (process.pid, "exit", None)
    assert (forked["pid"], forked["exit_status"], forked["forked_from"]) == (done.pid, 3, process.pid)


def test_a_disabled_library_asks_for_nothing(bare: Machine, read_ledgers: ReadLedgers) -> None:
    process = bare(environment={"AGX_FIX_DISABLE": "1"})
    process.start()
    assert ASKED[process] == []
    assert process.call(process.exports["_agx_fix_is_enabled"]).x0 & 0xFF == 0
    (ledger,) = read_ledgers(process)
    assert ledger["disabled"]


@pytest.mark.parametrize(
    ("file", "variable", "policy"),
    [
        ("libagx_fix.dylib", None, "v3"),
        ("libagx_fix_v2_8.dylib", None, "v2.8"),
        ("libagx_fix.dylib", "v2.9", "v2.9"),
        ("libagx_fix_v2_8.dylib", "v1", "v1"),
    ],
)
def test_the_policy_is_by_variable_or_file(
    bare: Machine, read_ledgers: ReadLedgers, file: str, variable: str | None, policy: str
) -> None:
    environment = {"AGX_FIX_VERSION": variable} if variable else {}
    process = bare(environment=environment, installed_as=f"/opt/agxrun/lib/{file}")
    process.start()
    (ledger,) = read_ledgers(process)
    assert ledger["policy"] == policy
    named = process.memory.cstring(process.call(process.exports["_agx_fix_policy"]).x0)
    assert named == policy


def test_a_policy_that_is_none_is_refused_aloud(bare: Machine, read_ledgers: ReadLedgers) -> None:
    process = bare(environment={"AGX_FIX_VERSION": "v9.9"})
    process.start()
    assert ASKED[process] == []
    (ledger,) = read_ledgers(process)
    assert ledger["policy_unknown"]
    assert b"v9.9" in process.stderr
    assert any("v9.9" in line for _, line in process.system_log)


@pytest.mark.parametrize(
    ("call", "number", "name"),
    [("_open", 13, b"EACCES"), ("_pwrite", 28, b"ENOSPC"), ("_mmap", 12, b"ENOMEM")],
)
def test_without_a_ledger_the_library_still_works(
    bare: Machine, call: str, number: int, name: bytes
) -> None:
    process = bare()
    if call == "_mmap":

        @process.on("_mmap")
        def refuse(p: Process, _a: Args) -> int:
            p.memory.put_u32(p.thread.handle + 16, number)
            return -1

    else:
        process.files.failures[call] = number
    process.start()
    assert len(ASKED[process]) == 1
    assert re.search(rb"the ledger .*: %s \(" % name, process.stderr), process.stderr
    assert list(process.ledger_folder.iterdir()) == []
    assert process.files.open_files == []


def test_the_library_keeps_the_programs_errno(bare: Machine) -> None:
    process = bare()
    process.start()
    process.memory.put_u32(system(process, "___error").x0, 77)
    process.call(process.exports["_agx_fix_is_enabled"])
    assert errno(process) == 77


def test_the_interface_in_c_answers(bare: Machine) -> None:
    process = bare()
    process.start()
    assert process.call(process.exports["_agx_fix_is_enabled"]).x0 & 0xFF == 1
    assert process.call(process.exports["_agx_fix_get_method_calls"]).x0 == 0
    version = process.memory.cstring(process.call(process.exports["_agx_fix_version"]).x0)
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", version)


def test_a_run_can_be_repeated(bare: Machine, read_ledgers: ReadLedgers) -> None:
    runs = []
    for _ in range(2):
        process = bare(seed=5)
        process.start()
        process.finish()
        runs.append((process.clock.now, read_ledgers(process)))
    assert runs[0] == runs[1]


def test_thirty_loads_leave_the_same_heap(bare: Machine) -> None:
    """What the constructor keeps is the same each time: nothing of it depends on chance."""
    sizes = set()
    for seed in range(30):
        process = bare(seed=seed)
        process.start()
        sizes.add((len(process.memory.heap.live), process.memory.heap.used))
    assert len(sizes) == 1
