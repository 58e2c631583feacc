"""The rest of the system: files, mappings, fork, the log, what dyld says, the end."""

from __future__ import annotations

import struct

import pytest

from machine import Aborted, ContractError, Process, ProcessExit, UnknownImport
from machine.abi_arm64 import Args

from .conftest import Kept, Make, errno, system

_READ_WRITE, _CREATE, _EXCLUSIVE = 0x2, 0x200, 0x800


def open_file(process: Process, path: str, flags: int, mode: int = 0o600) -> int:
    """`open`, whose mode is on the stack as variadic arguments are."""
    registers = (process.memory.put_cstring(path), flags, 0, 0, 0, 0, 0, 0)
    descriptor = system(process, "_open", *registers, mode).x0
    return descriptor - (1 << 64) if descriptor >> 63 else descriptor


def test_a_file_is_written_where_the_test_finds_it(little: Make) -> None:
    process = little()
    file = open_file(process, "/var/agxrun/ledger/f", _READ_WRITE | _CREATE | _EXCLUSIVE, 0o640)
    assert file == 3
    text = process.memory.put_cstring("hello")
    assert system(process, "_pwrite", file, text, 5, 2).x0 == 5
    found = process.ledger_folder / "f"
    assert found.read_bytes() == b"\0\0hello"
    assert found.stat().st_mode & 0o777 == 0o640
    assert system(process, "_close", file).x0 == 0
    assert process.files.open_files == []


def test_errors_have_macoss_numbers(little: Make) -> None:
    process = little()
    assert (open_file(process, "/absent", 0), errno(process)) == (-1, 2)
    (process.files.root / "link").symlink_to("target")
    assert (open_file(process, "/link", 0x100), errno(process)) == (-1, 62)  # ELOOP, which is 40 on Linux
    process.files.failures["_open"] = 28
    assert (open_file(process, "/var/agxrun/ledger/f", _READ_WRITE | _CREATE), errno(process)) == (-1, 28)
    with pytest.raises(ContractError, match="which the machine does not know"):
        open_file(process, "/f", 0x8000_0000)


def test_paths_do_not_lead_out_of_the_tests_folder(little: Make) -> None:
    process = little()
    file = open_file(process, "/../../outside", _READ_WRITE | _CREATE)
    assert file == 3
    assert (process.files.root / "outside").exists()


def mapped_file(process: Process) -> tuple[int, int]:
    """A file of a page, and where it is mapped, shared."""
    file = open_file(process, "/var/agxrun/ledger/f", _READ_WRITE | _CREATE)
    system(process, "_ftruncate", file, 4096)
    address = system(process, "_mmap", 0, 4096, 3, 1, file, 0).x0
    assert address % 0x4000 == 0
    return file, address


def test_a_shared_mapping_is_the_file(little: Make) -> None:
    process = little()
    file, address = mapped_file(process)
    system(process, "_close", file)
    process.memory.write(address + 100, b"kept")
    assert (process.ledger_folder / "f").read_bytes()[100:104] == b"kept"
    assert system(process, "_munmap", address, 4096).x0 == 0
    with pytest.raises(ContractError, match="are not mapped"):
        process.memory.u8(address)


def test_a_child_has_its_memory_and_shares_its_files(little: Make) -> None:
    process = little()
    _, shared = mapped_file(process)
    own = process.memory.alloc(8)
    process.memory.put_u64(own, 1)

    def child() -> tuple[int, int, bool]:
        process.memory.put_u64(own, 2)
        process.memory.put_u64(shared, 3)
        block = process.memory.alloc(8)
        system(process, "_free", own)
        system(process, "_munmap", shared, 4096)
        return block, process.pid, process.is_forked_child

    done = process.fork(child)
    assert done.result == (process.memory.alloc(8), done.pid, True)
    assert done.pid != process.pid
    assert not process.is_forked_child
    assert process.memory.u64(own) == 1
    assert process.memory.u64(shared) == 3
    assert process.fork(lambda: process.memory.u64(own)).result == 1


def test_a_child_has_the_calling_thread_only(little: Make) -> None:
    process = little()
    lock = process.memory.alloc(4)
    system(process, "_os_unfair_lock_lock", lock)
    waiter = process.spawn(lambda: system(process, "_os_unfair_lock_lock", lock) and None, "waiter")
    process.switch()

    def child() -> int:
        assert [thread.name for thread in process.threads] == ["main"]
        # The lock holds the parent's port: the child neither has it nor gets it.
        with pytest.raises(ContractError, match="which is no living thread's"):
            system(process, "_os_unfair_lock_unlock", lock)
        return process.thread.id

    assert process.fork(child).result != process.thread.id
    system(process, "_os_unfair_lock_unlock", lock)
    with pytest.raises(ContractError, match="still holds"):
        process.run()
    assert waiter.done


def test_fork_handlers_run_around_it(little: Make) -> None:
    process = little()
    order: list[str] = []
    for name in ("1", "2"):
        stubs = [
            process.stub(word, lambda _p, _a, word=word, name=name: order.append(word + name))  # type: ignore[misc]
            for word in ("before", "parent", "child")
        ]
        system(process, "_pthread_atfork", *stubs)
    process.fork(lambda: order.append("run"))
    assert order == ["before2", "before1", "child1", "child2", "run", "parent1", "parent2"]


def test_what_a_test_keeps_is_forked_too(little: Make) -> None:
    process = little()
    state = Kept()
    process.on_fork(state.save, state.restore)
    assert process.fork(lambda: state.add(2)).result == [1, 2]
    assert state.values == [1]


def test_the_end_of_a_child_is_not_the_parents(little: Make) -> None:
    process = little()
    done = process.fork(lambda: system(process, "__exit", 3))
    assert done.exit is not None
    assert (done.exit.status, done.exit.immediate) == (3, True)
    with pytest.raises(ProcessExit) as end:
        system(process, "_exit", 4)
    assert (end.value.status, end.value.immediate) == (4, False)
    with pytest.raises(Aborted):
        system(process, "_abort")


def test_exit_handlers_run_last_first(little: Make) -> None:
    process = little()
    ran: list[str] = []
    for name in ("first", "second"):
        system(process, "_atexit", process.stub(name, lambda _p, _a, name=name: ran.append(name)))  # type: ignore[misc]
    process.finish()
    assert ran == ["second", "first"]


def test_standard_error_is_kept(little: Make) -> None:
    process = little()
    text = process.memory.put_cstring("to stderr")
    pieces = process.memory.alloc(32)
    process.memory.write(pieces, struct.pack("<4Q", text, 3, text + 3, 6))
    assert system(process, "_writev", 2, pieces, 2).x0 == 9
    system(process, "_write", 1, text, 2)
    assert (process.stderr, process.stdout) == (b"to stderr", b"to")


def test_a_line_of_the_log_is_put_together(little: Make) -> None:
    process = little()
    log = system(process, "_os_log_create", process.memory.put_cstring("a"), process.memory.put_cstring("b")).x0
    form, text = process.memory.put_cstring("say %{public}s!"), process.memory.put_cstring("something")
    buffer = process.memory.alloc(16)
    process.memory.write(buffer, struct.pack("<BBBBQ", 2, 1, 0x22, 8, text))
    system(process, "__os_log_impl", process.image.base, log, 0x10, form, buffer, 12)
    assert process.system_log == [(0x10, "say something!")]
    with pytest.raises(ContractError, match="image of the log's format"):
        system(process, "__os_log_impl", 1, log, 0x10, form, buffer, 12)


def test_the_environment_is_the_tests(little: Make) -> None:
    process = little(environment={"ONE": "1", "EMPTY": ""})
    value = system(process, "_getenv", process.memory.put_cstring("ONE")).x0
    assert process.memory.cstring(value) == "1"
    assert process.memory.cstring(system(process, "_getenv", process.memory.put_cstring("EMPTY")).x0) == ""
    assert system(process, "_getenv", process.memory.put_cstring("ON")).x0 == 0
    listed = process.memory.u64(system(process, "__NSGetEnviron").x0)
    assert process.memory.cstring(process.memory.u64(listed)).startswith("PATH=")


def test_dlsym_finds_what_is_there(little: Make) -> None:
    process = little()
    default = -2
    found = system(process, "_dlsym", default, process.memory.put_cstring("getpid")).x0
    assert process.call(found).x0 == process.pid
    process.missing.add("_getpid")
    assert system(process, "_dlsym", default, process.memory.put_cstring("getpid")).x0 == 0
    error = system(process, "_dlerror").x0
    assert process.memory.cstring(error) == "image or symbol not found"
    with pytest.raises(ContractError, match="no handle of dlopen"):
        system(process, "_dlsym", 5, process.memory.put_cstring("getpid"))
    with pytest.raises(UnknownImport, match="_getpid"):
        system(process, "_getpid")


def test_randomness_is_the_same_in_every_run(little: Make) -> None:
    drawn = []
    for _ in range(2):
        process = little()
        place = process.memory.alloc(16)
        system(process, "_CCRandomGenerateBytes", place, 16)
        drawn.append(process.memory.read(place, 16))
    assert drawn[0] == drawn[1] != bytes(16)


def test_a_handler_of_the_tests_comes_first(little: Make) -> None:
    process = little()

    @process.on("_getpid", "_getppid")
    def mine(_p: Process, _a: Args) -> int:
        return 1

    assert system(process, "_getpid").x0 == system(process, "_getppid").x0 == 1
