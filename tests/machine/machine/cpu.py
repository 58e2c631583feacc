"""The processor: executes until the code calls something outside, and says what.

Everything outside has an address in the range of stubs. A stub is two instructions: it leaves its own address in x16,
which any call may change (AAPCS64, 6.1.1), and branches to one place at which unicorn was told to stop. So no hook runs
when something is called, and whoever serves the call may start the processor again.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Callable

from unicorn import (
    UC_ARCH_ARM64,
    UC_HOOK_INSN,
    UC_HOOK_MEM_INVALID,
    UC_HOOK_MEM_READ,
    UC_HOOK_MEM_WRITE,
    UC_MODE_ARM,
)
from unicorn import arm64_const as names
from unicorn import unicorn_const as codes
from unicorn.unicorn_py3.unicorn import Uc, uclib

from .clock import Clock
from .errors import Fault, HeapError
from .registers import NUMBERS, PC, Registers
from .watchdog import Watchdog

STUBS, STUBS_SIZE, STUB_SIZE = 0x7_0000_0000, 0x40_0000, 16
_STOP = STUBS + STUBS_SIZE - STUB_SIZE
_ADR_X16_HERE = 0x1000_0010
_CNTVCT_EL0 = (3, 3, 14, 0, 2)
_ACCESS = {
    codes.UC_MEM_READ_UNMAPPED: "reads from",
    codes.UC_MEM_WRITE_UNMAPPED: "writes to",
    codes.UC_MEM_FETCH_UNMAPPED: "jumps to",
    codes.UC_MEM_READ_PROT: "reads from",
    codes.UC_MEM_WRITE_PROT: "writes to",
    codes.UC_MEM_FETCH_PROT: "jumps to",
}


def _stub_code() -> mmap.mmap:
    """The instructions of every stub: `adr x16, .` and `b STOP`."""
    code = mmap.mmap(-1, STUBS_SIZE)
    for at in range(0, STUBS_SIZE - STUB_SIZE, STUB_SIZE):
        words = (_STOP - (STUBS + at + 4)) >> 2
        code[at : at + 8] = struct.pack("<II", _ADR_X16_HERE, 0x1400_0000 | words)
    return code


_CODE = _stub_code()


class Cpu:
    """An arm64 processor with the instructions of M1 and later (atomics above all)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._uc = Uc(UC_ARCH_ARM64, UC_MODE_ARM)
        self._uc.ctl_set_cpu_model(names.UC_CPU_ARM64_MAX)
        self._uc.reg_write(names.UC_ARM64_REG_CPACR_EL1, 3 << 20)  # floating point is not trapped
        self._handle = self._uc._uch
        self._bad_access: tuple[int, int, int] | None = None
        self._misuse: HeapError | None = None
        self._watchdog = Watchdog(self._uc.emu_stop)
        self._uc.hook_add(UC_HOOK_MEM_INVALID, self._on_bad_access)
        self._uc.hook_add(UC_HOOK_INSN, self._on_system_register, None, 1, 0, names.UC_ARM64_INS_MRS)
        self._uc.mem_map_ptr(STUBS, STUBS_SIZE, 5, ctypes.addressof(ctypes.c_char.from_buffer(_CODE)))

    # --- memory

    def map(self, start: int, size: int, host: int, protection: int) -> None:
        """Maps memory at `host` of this process; the bits of `protection` are those of `memory`."""
        self._uc.mem_map_ptr(start, size, protection, host)

    def unmap(self, start: int, size: int) -> None:
        """Takes a mapping away."""
        self._uc.mem_unmap(start, size)

    def protect(self, start: int, size: int, protection: int) -> None:
        """Changes what may be done with memory."""
        self._uc.mem_protect(start, size, protection)

    def watch(self, start: int, size: int, misuse: Callable[[int, int], HeapError | None]) -> None:
        """Asks about every access to a range: what is wrong with it ends the run."""

        def on_access(uc: Uc, _access: int, address: int, length: int, _value: int, _data: object) -> None:
            wrong = misuse(address, length)
            if wrong is not None and self._misuse is None:
                self._misuse = wrong
                uc.emu_stop()

        self._uc.hook_add(UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, on_access, None, start, start + size - 1)

    # --- running

    def run(self, registers: Registers, limit: int = 0) -> int | None:
        """Executes from pc until something outside is called: the address of its stub, with the registers as they are then.

        None if so many instructions were executed before; 0 is no limit.
        """
        self._bad_access = self._misuse = None
        count = len(NUMBERS)
        uclib.uc_reg_write_batch(self._handle, NUMBERS, registers.pointers, count)
        with self._watchdog:
            status = uclib.uc_emu_start(self._handle, registers.x(PC), _STOP, 0, limit)
        uclib.uc_reg_read_batch(self._handle, NUMBERS, registers.pointers, count)
        if self._misuse is not None:
            raise self._misuse
        if status != codes.UC_ERR_OK:
            raise Fault(self._describe(status))
        if registers.x(PC) == _STOP:
            return registers.x(16)
        if self._watchdog.has_stopped or not limit:
            raise Fault(f"the code ran for {self._watchdog.limit_s} s without calling anything: an endless loop")
        return None

    def _describe(self, status: int) -> str:
        if self._bad_access is not None:
            access, address, size = self._bad_access
            kind = _ACCESS.get(access, "uses")
            return f"the code {kind} {address:#x} ({size} bytes), where nothing allows it"
        if status == codes.UC_ERR_EXCEPTION:
            return "the code raises an exception of the processor (a trap, or an instruction that does not exist)"
        return f"the processor stopped: {uclib.uc_strerror(status).decode()}"

    def _on_bad_access(self, _uc: Uc, access: int, address: int, size: int, _value: int, _data: object) -> bool:
        self._bad_access = (access, address, size)
        return False

    def _on_system_register(self, uc: Uc, register: int, which: object, _data: object) -> bool:
        """The virtual counter follows the machine's clock, so that a run can be repeated."""
        if tuple(getattr(which, part) for part in ("op0", "op1", "crn", "crm", "op2")) != _CNTVCT_EL0:
            return False
        self._clock.tick()
        uc.reg_write(register, self._clock.ticks)
        return True
