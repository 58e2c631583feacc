"""Threads: each a greenlet with registers and a stack of its own, switched where the machine says, chosen by a seed.

One runs at a time, so that a run is the same for the same seed. A thread that waits says for what; when none can go on
and none has a deadline, that is a deadlock, found at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import greenlet

from .clock import Clock
from .errors import Deadlock
from .registers import Registers


@dataclass(eq=False)
class Thread:
    """A thread of the emulated process."""

    #: What `pthread_threadid_np` says.
    id: int
    name: str
    registers: Registers
    #: The stack's lowest address and the one after its highest.
    stack: tuple[int, int]
    #: What `pthread_self` says.
    handle: int = 0
    #: The name of the port that stands in an `os_unfair_lock`.
    port: int = 0
    greenlet: greenlet.greenlet | None = None
    #: For what it waits, in words, while it does.
    waits_for: str | None = None
    predicate: Callable[[], bool] | None = None
    deadline: int | None = None
    done: bool = False
    result: int = 0
    #: What it is being served, outermost first: names, for reports.
    serving: list[str] = field(default_factory=list)
    #: How many calls of emulated code it is in, one inside the other.
    depth: int = 0
    #: Address of each image's thread variables.
    variables: dict[int, int] = field(default_factory=dict)
    #: Values of the keys of `pthread_setspecific`.
    specific: dict[int, int] = field(default_factory=dict)
    #: Destructors of thread variables: function and argument.
    at_end: list[tuple[int, int]] = field(default_factory=list)

    @property
    def state(self) -> str:
        """ "done", "blocked" while it waits, else "ready"."""
        if self.done:
            return "done"
        return "blocked" if self.predicate is not None else "ready"

    def snapshot(self) -> object:
        """A copy of what a child of `fork` has for itself."""
        return dict(self.variables), dict(self.specific), list(self.at_end)

    def restore(self, saved: object) -> None:
        """Back to a copy."""
        assert isinstance(saved, tuple)
        variables, specific, at_end = saved
        self.variables, self.specific, self.at_end = dict(variables), dict(specific), list(at_end)


class Scheduler:
    """Who runs."""

    def __init__(self, seed: int, clock: Clock, main: Thread) -> None:
        self._chooser = random.Random(seed)
        self._clock = clock
        self._main = main
        self._root = main.greenlet = greenlet.getcurrent()
        self.threads = [main]
        self.current = main
        self._failure: BaseException | None = None
        #: Puts a thread's place in words; set by the process.
        self.describe: Callable[[Thread], str] = lambda thread: thread.name
        #: How often another thread than the one before was let run.
        self.switches = 0

    def start(self, thread: Thread, run: Callable[[], None]) -> None:
        """Adds a thread, which runs when it is chosen."""

        def body(*_: object) -> None:
            try:
                run()
            except greenlet.GreenletExit:
                raise
            except BaseException as failure:
                self._failure = failure
            thread.done = True
            self.threads.remove(thread)
            following = self._main if self._failure else self._choose()
            self._enter(following)
            greenlet.getcurrent().parent = following.greenlet

        # Under the root, so that a thread may outlive the one that started it.
        thread.greenlet = greenlet.greenlet(body, parent=self._root)
        self.threads.append(thread)

    def switch(self) -> None:
        """A place where another thread may go on."""
        if len(self.threads) > 1:
            self._go(self._choose())

    def block_until(self, predicate: Callable[[], bool], what: str, deadline: int | None = None) -> bool:
        """Lets others run until the predicate holds, or the clock has reached the deadline (in ns); whether it holds."""
        if predicate():
            return True
        thread = self.current
        thread.predicate, thread.waits_for, thread.deadline = predicate, what, deadline
        try:
            self._go(self._choose())
            return predicate()
        finally:
            thread.predicate = thread.waits_for = thread.deadline = None

    def up_to(self, most: int) -> int:
        """A number from 1 on, by the seed."""
        return self._chooser.randint(1, most)

    def begin_again(self, seed: int) -> None:
        """Chooses as if nothing had been chosen."""
        self._chooser = random.Random(seed)
        self._failure = None
        self.switches = 0

    def stop_all(self) -> None:
        """Ends what still runs."""
        for thread in self.threads:
            if thread is not self._main and thread.greenlet is not None and thread.greenlet:
                thread.greenlet.throw(greenlet.GreenletExit)
        self.threads = [self._main]
        self.current = self._main

    def _can_run(self, thread: Thread) -> bool:
        if thread.predicate is None or thread.predicate():
            return True
        return thread.deadline is not None and thread.deadline <= self._clock.now

    def _choose(self) -> Thread:
        ready = [thread for thread in self.threads if self._can_run(thread)]
        if not ready:
            deadlines = [thread.deadline for thread in self.threads if thread.deadline is not None]
            if not deadlines:
                places = "\n".join(f"  {self.describe(thread)}" for thread in self.threads)
                failure = Deadlock(f"no thread can go on:\n{places}")
                if self.current.done:
                    self._failure = failure
                    return self._main
                raise failure
            self._clock.advance_to(min(deadlines))
            ready = [thread for thread in self.threads if self._can_run(thread)]
        return ready[0] if len(ready) == 1 else self._chooser.choice(ready)

    def _enter(self, thread: Thread) -> None:
        if thread is not self.current:
            self.switches += 1
        self.current = thread

    def _go(self, thread: Thread) -> None:
        if thread is self.current:
            return
        self._enter(thread)
        assert thread.greenlet is not None
        thread.greenlet.switch()
        if self._failure is not None and self.current is self._main:
            failure, self._failure = self._failure, None
            raise failure

    # --- fork

    def alone(self) -> object:
        """Leaves only the running thread, as in the child of a fork; what `together` takes."""
        others = self.threads
        main = self._main
        self.threads = [self.current]
        self._main = self.current
        return others, main

    def together(self, saved: object) -> None:
        """Back to the parent's threads."""
        assert isinstance(saved, tuple)
        self.threads, self._main = saved
