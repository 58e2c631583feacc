"""The process that a test drives: see `Process`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from . import checkpoint as checkpoints
from . import forking, libsystem, loading
from .abi_arm64 import COUNT, Args, Argument, Jump, Leave, Result, check_kept, put
from .abi_arm64 import place as place_arguments
from .clock import Clock
from .cpu import Cpu
from .errors import ContractError, Fault, ForeignException, MachineError, UnknownImport
from .libsystem import unwind
from .libsystem.files import Files
from .libsystem.state import System
from .macho import Image
from .memory import READ, WRITE, Memory
from .places import Places
from .registers import FP, LR, PC, SP, Registers
from .stubs import Handler, Stub, Stubs
from .threads import Scheduler, Thread

#: Where the library is mapped; below it lies the header of the program.
_LIBRARY_BASE = 0x1_0400_0000
_PROGRAM_BASE = 0x1_0000_0000
_STACKS, _STACK_SIZE, _STACK_STRIDE = 0x5_0000_0000, 0x8_0000, 0x10_0000
_RED_ZONE = 128


class Process:
    """A process into which the library was loaded, as by `DYLD_INSERT_LIBRARIES`; nothing of it has run.

    `library` is the file; the process sees it as `installed_as`. `seed` decides which thread goes on at every call into
    the system. `folder` is the root of the process's file system; without one, a temporary folder.
    """

    def __init__(
        self,
        library: Path,
        environment: Mapping[str, str] | None = None,
        seed: int = 1,
        installed_as: str = "/opt/agxrun/lib/libagx_fix.dylib",
        program: str = "/opt/program/bin/python3",
        folder: Path | None = None,
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="agx-machine-") if folder is None else None
        root = folder or Path(self._temporary.name if self._temporary else "")
        self.clock = Clock()
        self.cpu = Cpu(self.clock)
        self.memory = Memory(self.cpu)
        self.stubs = Stubs()
        self._return = self.stubs.add("<return>", None)
        #: Who serves what the library imports, by the symbol's name (`_malloc`). A test may replace any.
        self.imports: dict[str, Handler] = dict(libsystem.HANDLERS)
        #: Addresses of imported data. What is no data is taken for a function.
        self.data: dict[str, int] = {}
        #: Symbols that this system does not have: `dlsym` does not find them, a weak import of them is null.
        self.missing: set[str] = set()
        self.program = program
        self.pid, self.parent_pid = 4242, 4200
        self.files = Files(root)
        self.system = System()
        self.environment = self._environment(environment or {})
        self.image: Image = loading.load(library, installed_as, self.memory, _LIBRARY_BASE)
        self.places = Places(self.image, self.memory, self.stubs)
        self.thread_count = 0
        self.scheduler = Scheduler(seed, self.clock, self._new_thread("main"))
        self.scheduler.describe = self.places.describe_thread
        self.memory.heap.trace = self.trace
        self.memory.heap.describe = self.places.describe
        self.cpu.watch(Memory.HEAP_START, Memory.HEAP_SIZE, self.memory.heap.misuse)
        self._bound = False
        #: What a test keeps beside the process (`on_fork`).
        self.forkable: list[forking.Forkable] = []
        libsystem.prepare(self, _PROGRAM_BASE)

    def _environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The test's variables, and where the ledger belongs."""
        self.ledger_folder = self.files.make_folder("/var/agxrun/ledger")
        return {"PATH": "/usr/bin:/bin", "AGX_FIX_LEDGER_DIR": "/var/agxrun/ledger", **given}

    # --- what a test sees

    @property
    def exports(self) -> dict[str, int]:
        """Addresses of the library's symbols."""
        return self.image.exports

    @property
    def thread(self) -> Thread:
        """The thread that runs."""
        return self.scheduler.current

    @property
    def threads(self) -> list[Thread]:
        """The threads that have not ended."""
        return self.scheduler.threads

    @property
    def stdout(self) -> bytes:
        """What was written to descriptor 1."""
        return bytes(self.files.stdout)

    @property
    def stderr(self) -> bytes:
        """What was written to descriptor 2."""
        return bytes(self.files.stderr)

    @property
    def system_log(self) -> list[tuple[int, str]]:
        """What was logged through `os_log`: type and line."""
        return self.system.log

    def on(self, *names: str) -> Callable[[Handler], Handler]:
        """Decorates a handler of imports."""

        def register(handler: Handler) -> Handler:
            for name in names:
                self.imports[name] = handler
            return handler

        return register

    def stub(self, name: str, handler: Handler) -> int:
        """A function of the outside world: its address, which the library can call."""
        return self.stubs.add(name, handler)

    def start(self) -> None:
        """Runs the library's initialisers, as dyld does."""
        loading.start(self)

    def finish(self) -> None:
        """What happens when `main` returns: the handlers of `atexit`, last registered first."""
        libsystem.run_exit_handlers(self)

    def load_image(self, name: str) -> int:
        """An image is loaded: the callbacks of `_dyld_register_func_for_add_image` are told; the header's address."""
        return loading.load_image(self, name)

    @property
    def interposed(self) -> dict[str, int]:
        """The library's replacements (`__interpose`): a symbol, and what every other image calls instead of it."""
        return loading.interposed(self)

    def outside(self, name: str) -> int:
        """The address that another image has for a symbol: the library's replacement, or the original."""
        return self.interposed.get(name) or self.stubs.imported(name)

    def jump(self, address: int) -> Jump:
        """For a handler to return: other code goes on in its place, with all registers as they are."""
        return Jump(address)

    # --- calls

    def call(self, address: int, *arguments: Argument, indirect: int | None = None) -> Result:
        """Calls code on the running thread; `indirect` is where a large structure is to be returned."""
        self.bind()
        thread = self.thread
        registers = thread.registers
        saved = registers.snapshot()
        below = registers.x(SP) - _RED_ZONE if thread.depth else thread.stack[1]
        put(place_arguments(arguments), registers, self.memory, below & ~15)
        if indirect is not None:
            registers.set_x(8, indirect)
        if not thread.depth:
            registers.set_x(FP, 0)
        registers.set_x(LR, self._return)
        registers.set_x(PC, address)
        before = registers.kept()
        thread.depth += 1
        try:
            self.run_until_return(thread)
            if registers.kept() != before:
                check_kept(before, registers, self.places.where(address))
            return Result.of(registers)
        finally:
            thread.depth -= 1
            registers.restore(saved)

    def run_until_return(self, thread: Thread) -> None:
        """Runs the thread, serving what it calls, until the innermost call of a test or handler returns."""
        while True:
            try:
                called = self.cpu.run(thread.registers, self._slice())
            except MachineError as error:
                raise self._told(error) from None
            if called is None:
                self.scheduler.switch()
                continue
            if called == self._return:
                return
            stub = self.stubs.at(called)
            if stub is None:
                raise Fault(f"the code calls {called:#x}, which is nothing")
            self._serve(thread, stub)

    def _serve(self, thread: Thread, stub: Stub) -> None:
        registers = thread.registers
        registers.set_x(PC, stub.address)
        if registers.x(SP) % 16:
            self.contract(f"sp {registers.x(SP):#x} is not a multiple of 16 at a call of {stub.name}")
        handler = stub.handler or self.imports.get(stub.name)
        if handler is None or (stub.handler is None and stub.name in self.missing):
            raise self._told(UnknownImport(f"nothing serves {stub.name}({self._words(registers)})"))
        self.clock.tick()
        arguments = Args(self, registers)
        thread.serving.append(stub.name)
        try:
            returned = handler(self, arguments)
        except ForeignException as thrown:
            returned = unwind.throw(self, thrown.object, thrown.payload)
        except MachineError as error:
            raise self._told(error) from error.__cause__
        finally:
            thread.serving.pop()
        if isinstance(returned, Leave):
            raise returned.exception
        if stub.name in libsystem.KEEPS_REGISTERS:
            arguments.finish_keeping(returned)
        else:
            arguments.finish(returned)
        if stub.name not in libsystem.NO_SWITCH:
            self.scheduler.switch()

    @staticmethod
    def _words(registers: Registers) -> str:
        return ", ".join(f"x{number}={registers.x(number):#x}" for number in range(COUNT))

    def throw(self, payload: object) -> NoReturn:
        """Throws an exception that is not Rust's out of the handler that calls this, as `objc_exception_throw` does."""
        raise ForeignException(unwind.make(self), payload)

    # --- threads

    #: Other threads may go on not only where the code calls something, but after every few instructions, at most so many:
    #: shows what code without locks does. Slower.
    preempts_after: int | None = None

    def _new_thread(self, name: str) -> Thread:
        self.thread_count += 1
        start = _STACKS + self.thread_count * _STACK_STRIDE
        self.memory.map(start, _STACK_SIZE, f"stack of {name}", READ | WRITE)
        registers = Registers()
        for number in range(19, 29):
            registers.set_x(number, 0xCA11_0000_0000_0000 | number)
        for number in range(8, 16):
            registers.set_d_bits(number, 0xFCA1_1000_0000_0000 | number)
        thread = Thread(0x1000 + self.thread_count, name, registers, (start, start + _STACK_SIZE - 256))
        thread.handle = self.memory.alloc(64)
        thread.port = 0x103 + 0x100 * self.thread_count
        return thread

    def spawn(self, function: Callable[[], object], name: str = "worker") -> Thread:
        """A new thread that runs a function of the test; it begins when it is chosen."""
        self.bind()
        thread = self._new_thread(name)

        def run() -> None:
            result = function()
            thread.result = result if isinstance(result, int) else 0
            libsystem.end_thread(self, thread)

        self.scheduler.start(thread, run)
        return thread

    def run(self) -> None:
        """Lets the other threads run until every one has ended."""
        threads, me = self.scheduler, self.thread
        threads.block_until(lambda: threads.threads == [me], "the other threads to end")

    def _slice(self) -> int:
        """How many instructions the thread may execute before another may go on; 0: until it calls something."""
        if self.preempts_after is None or len(self.threads) == 1:
            return 0
        return self.scheduler.up_to(self.preempts_after)

    def switch(self) -> None:
        """A place where another thread may go on."""
        self.scheduler.switch()

    def block_until(self, predicate: Callable[[], bool], what: str = "something", deadline: int | None = None) -> bool:
        """Lets others run until the predicate holds or the clock has reached the deadline (ns); whether it holds."""
        return self.scheduler.block_until(predicate, what, deadline)

    # --- fork

    #: This is the child of a `fork`, for as long as it runs.
    is_forked_child = False

    def on_fork(self, save: Callable[[], object], restore: Callable[[object], None]) -> None:
        """State that is the process's: a child begins with a copy, and the parent goes on with what it had.

        `restore` may be called more than once with the same state, and must leave it as it is.
        """
        self.forkable.append((save, restore))

    def fork(self, child: Callable[[], object]) -> forking.Child:
        """Forks on the running thread; the child runs to its end before the parent goes on."""
        self.bind()
        return forking.fork(self, child, self.forkable)

    def checkpoint(self) -> checkpoints.Checkpoint:
        """The state now, to go back to; only the first thread may exist, and no call may be under way."""
        return checkpoints.take(self)

    def rewind(self, to: checkpoints.Checkpoint, seed: int = 1) -> None:
        """Goes back to a state, with another seed. What was registered with `on_fork` since is forgotten."""
        checkpoints.rewind(self, to, seed)

    # --- reports

    def where(self, address: int) -> str:
        """A place in words."""
        return self.places.where(address)

    def trace(self) -> tuple[int, ...]:
        """Where the running thread is: return addresses, innermost first; nothing outside emulated code."""
        return self.places.trace(self.thread.registers) if self.thread.depth else ()

    def _told(self, error: MachineError) -> MachineError:
        """The error with the place where the thread is, which only the first to see it adds."""
        if error.has_place:
            return error
        told = type(error)(f"{error}\n  on {self.places.describe_thread(self.thread)}")
        told.has_place = True
        return told

    def contract(self, message: str) -> NoReturn:
        """A contract is broken: ends the run, with the emulated back trace."""
        raise self._told(ContractError(message))

    # --- beginning and end

    def bind(self) -> None:
        """Binds the library's imports; done once, at the first call at the latest."""
        if not self._bound:
            self._bound = True
            loading.bind(self)

    def check_end(self) -> None:
        """What must hold when a test is over: no lock is held, and every thread has ended."""
        libsystem.check_end(self)

    def close(self) -> None:
        """Ends the threads and gives files back."""
        self.scheduler.stop_all()
        self.files.close_all()
        if self._temporary is not None:
            self._temporary.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
