"""What can go wrong in the machine, each with the emulated back trace in its text."""


class MachineError(Exception):
    """Anything that ends a run."""

    #: The text says where the emulated code was.
    has_place = False


class ContractError(MachineError):
    """A function of the system was used in a way that its documentation forbids."""


class HeapError(ContractError):
    """The heap was misused: a block used after it was freed, freed twice, or left at an edge."""


class Fault(MachineError):
    """An instruction could not be executed: what would be a signal."""


class Aborted(MachineError):
    """The program called `abort`."""


class Deadlock(MachineError):
    """Every thread waits for something that cannot happen any more."""


class UnknownImport(MachineError):
    """The library called a function that no handler serves."""


class ProcessExit(Exception):
    """The program ended itself.

    `status` is what it said; `immediate` tells `_exit` from `exit`.
    """

    def __init__(self, status: int, immediate: bool) -> None:
        super().__init__(f"the process ended with status {status}")
        self.status = status
        self.immediate = immediate


class ForeignException(Exception):
    """An exception that left the library's frames.

    `object` is the address of its `_Unwind_Exception`; `payload` is what the test gave to `Process.throw`.
    """

    def __init__(self, thrown: int, payload: object) -> None:
        super().__init__(f"an exception left the library: {payload if payload is not None else hex(thrown)}")
        self.object = thrown
        self.payload = payload
