"""The loader: what dyld does before and while the library's own code first runs."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from machine import Args, MachineError, Process

from . import assembly as asm
from . import library as lib
from .conftest import Make


def calls(slot: int, at: int = lib.CODE) -> bytes:
    """A function that calls an import and returns what it returned."""
    return asm.words(*asm.ENTER, asm.adr(9, at + 8, lib.got(slot)), asm.ldr(9, 9), asm.blr(9), *asm.LEAVE)


def test_an_import_is_bound_by_name(little: Make) -> None:
    process = little(lib.Contents(calls(1), ["_getppid", "_getpid"], exports={"_ask": lib.CODE}))
    assert process.call(process.exports["_ask"]).x0 == process.pid


def test_imported_data_is_the_tests(little: Make) -> None:
    code = asm.words(asm.adr(9, lib.CODE, lib.got(0)), asm.ldr(9, 9), asm.ldr(0, 9), asm.RET)
    process = little(lib.Contents(code, ["_some_data"], exports={"_read": lib.CODE}))
    process.data["_some_data"] = process.memory.alloc(8)
    process.memory.put_u64(process.data["_some_data"], 77)
    assert process.call(process.exports["_read"]).x0 == 77


def test_addresses_are_rebased(little: Make) -> None:
    data = struct.pack("<QQ", 0, lib.OWN_DATA)
    code = asm.words(asm.adr(9, lib.CODE, lib.OWN_DATA), asm.ldr(0, 9, 8), asm.RET)
    contents = lib.Contents(code, exports={"_read": lib.CODE}, data=data, rebased=[lib.OWN_DATA + 8])
    process = little(contents)
    assert process.call(process.exports["_read"]).x0 == process.image.base + lib.OWN_DATA
    assert process.image.slide == process.image.base != 0


def test_a_weak_import_that_the_system_lacks_is_null(little: Make) -> None:
    code = asm.words(asm.adr(9, lib.CODE, lib.got(0)), asm.ldr(0, 9), asm.RET)
    process = little(lib.Contents(code, ["_new"], frozenset({"_new"}), {"_read": lib.CODE}))
    process.missing.add("_new")
    assert process.call(process.exports["_read"]).x0 == 0


def test_another_import_that_the_system_lacks_is_an_error(little: Make) -> None:
    process = little(lib.Contents(asm.words(asm.RET), ["_new"]))
    process.missing.add("_new")
    with pytest.raises(MachineError, match=r"symbol not found: _new, which /opt/little.dylib needs"):
        process.start()


def test_initialisers_run_in_order_with_dylds_arguments(little: Make) -> None:
    code = calls(0) + calls(1, lib.CODE + len(calls(0)))
    second = lib.CODE + len(calls(0))
    process = little(lib.Contents(code, ["_first", "_second"], initialisers=[lib.CODE, second]))
    seen: list[tuple[str, int, str]] = []
    for name in ("_first", "_second"):

        def note(p: Process, a: Args, name: str = name) -> None:
            seen.append((name, a.x(0), p.memory.cstring(p.memory.u64(a.x(1)))))

        process.imports[name] = note
    process.start()
    assert seen == [("_first", 1, process.program), ("_second", 1, process.program)]


def test_thread_variables_are_each_threads_own(little: Make) -> None:
    """The function adds 1 to the second variable and returns it."""
    code = asm.words(
        *asm.ENTER,
        asm.adr(0, lib.CODE + 8, lib.THREAD_VARS + 24),
        asm.ldr(8, 0),
        asm.blr(8),
        asm.ldr(9, 0),
        asm.add(9, 9, 1),
        asm.str_(9, 0),
        asm.mov(0, 9),
        *asm.LEAVE,
    )
    initial = struct.pack("<QQ", 5, 40)
    contents = lib.Contents(code, exports={"_count": lib.CODE}, thread_variables=[0, 8], thread_data=initial)
    process = little(contents)
    count = process.exports["_count"]
    assert [process.call(count).x0 for _ in range(2)] == [41, 42]
    other: list[int] = []
    process.spawn(lambda: other.append(process.call(count).x0))
    process.run()
    assert other == [41]
    assert process.call(count).x0 == 43
    assert process.fork(lambda: process.call(count).x0).result == 44
    assert process.call(count).x0 == 44


def test_a_thread_variable_takes_no_register_from_its_user(little: Make) -> None:
    """Compilers count on x1 to x15 and the vector registers."""
    code = asm.words(
        *asm.ENTER,
        asm.movz(5, 55),
        asm.adr(0, lib.CODE + 12, lib.THREAD_VARS),
        asm.ldr(8, 0),
        asm.blr(8),
        asm.mov(0, 5),
        *asm.LEAVE,
    )
    contents = lib.Contents(code, exports={"_keep": lib.CODE}, thread_variables=[0], thread_data=bytes(8))
    process = little(contents)
    result = process.call(process.exports["_keep"], 1.5)
    assert (result.x0, result.d0) == (55, 1.5)


def test_replacements_are_for_every_image_but_the_librarys(little: Make) -> None:
    replacement = asm.words(asm.movz(0, 99), asm.RET)
    code = calls(0) + replacement
    at = lib.CODE + len(calls(0))
    contents = lib.Contents(code, ["_getpid", "_getppid"], exports={"_ask": lib.CODE}, interposed=[(at, 0)])
    process = little(contents)
    assert process.call(process.outside("_getpid")).x0 == 99
    assert process.call(process.exports["_ask"]).x0 == process.pid
    assert process.call(process.outside("_getppid")).x0 == process.parent_pid
    assert list(process.interposed) == ["_getpid"]


def test_a_file_that_is_no_library_is_named(tmp_path: Path) -> None:
    file = tmp_path / "text.dylib"
    file.write_text("no library")
    with pytest.raises(MachineError, match=r"text\.dylib is no Mach-O file"):
        Process(file)
    with pytest.raises(MachineError, match=r"there is no .*absent\.dylib"):
        Process(tmp_path / "absent.dylib")


def test_images_are_told_to_who_asked(little: Make) -> None:
    process = little()
    told: list[int] = []
    callback = process.stub("callback", lambda _p, a: told.append(a.x(0)))
    process.call(process.stubs.imported("__dyld_register_func_for_add_image"), callback)
    assert process.image.base in told
    header = process.load_image("/System/Library/Frameworks/Metal.framework/Metal")
    assert told[-1] == header
    assert process.memory.u32(header) == 0xFEEDFACF
