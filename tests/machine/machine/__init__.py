"""A computer that runs an arm64 Mach-O library on any system: see `Process`.

lief reads the file, unicorn executes its instructions, and Python stands for everything outside it: the kernel,
libSystem and dyld. Nothing outside exists unless a handler serves it, so that whatever the library relies on is named.
"""

from .abi_arm64 import F32, I8, I16, I32, U8, U16, U32, Args, Jump, Result, Struct
from .errors import (
    Aborted,
    ContractError,
    Deadlock,
    Fault,
    ForeignException,
    HeapError,
    MachineError,
    ProcessExit,
    UnknownImport,
)
from .process import Process
from .threads import Thread

__all__ = [
    "F32",
    "I8",
    "I16",
    "I32",
    "U8",
    "U16",
    "U32",
    "Aborted",
    "Args",
    "ContractError",
    "Deadlock",
    "Fault",
    "ForeignException",
    "HeapError",
    "Jump",
    "MachineError",
    "Process",
    "ProcessExit",
    "Result",
    "Struct",
    "Thread",
    "UnknownImport",
]
