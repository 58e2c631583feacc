"""A limit on how many threads of a process use the GPU at once.

    from agxrun.mps import throttle

    with throttle(2):                   # in every thread: at most two are inside at once
        output = model(batch)

    @throttle(2)
    def infer(batch): ...

    async with throttle(2): ...         # also `@throttle(2)` on an `async def`

It is the published advice `threading.Semaphore(2)` around each operation, without the semaphore to hand around. `agxrun
--throttle 2` limits the command buffers in flight instead, without changing the program; both may be used.

What is limited is who is inside, not what the GPU still has to do: PyTorch and MLX return before the GPU is done. Where
that is to be limited as well, the last line inside is `torch.mps.synchronize()` or `mx.eval(...)`.

Importing this imports neither PyTorch nor MLX.
"""

import collections
import functools
import inspect
import os
import sys
import threading

__all__ = ["throttle"]


class throttle:  # noqa: N801 (used as a function is)
    """At most `n` threads and tasks of this process inside at once; a context manager, with or without `async`, and a decorator.

    The limit belongs to the process and to `name`, not to the object: `throttle(2)` written in two places is one limit
    of two. Who waits is let in in the order of coming. Within itself it does nothing: a thread or task that is inside
    enters again without waiting, and gives its place back when it leaves the outermost block.

    An object may be kept, shared between threads, and used again. After a fork the child's limits are all free.

    n: how many, at least 1. The first use of a name decides; another number for the same name raises ValueError.
    name: which limit; programs that use two GPUs, say, have two.
    """

    def __init__(self, n=2, name="gpu"):
        if callable(n):
            raise TypeError("throttle takes a number first (hint: write `@throttle()` or `@throttle(2)`)")
        if isinstance(n, bool) or not isinstance(n, int):
            raise TypeError("throttle takes a whole number, not {!r}".format(n))
        if n < 1:
            raise ValueError("throttle({}) would let nobody in (hint: at least 1)".format(n))
        self._places = _places(name, n)

    def __enter__(self):
        self._places.enter()
        return self

    def __exit__(self, *_):
        self._places.leave()

    async def __aenter__(self):
        await self._places.enter_async()
        return self

    async def __aexit__(self, *_):
        self._places.leave()

    def __call__(self, function):
        """Decorates a function, or a coroutine function."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                "throttle cannot decorate the generator function {!r}, whose body runs after the call "
                "(hint: use `with throttle():` inside)".format(function)
            )
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def limited(*args, **kwargs):
                async with self:
                    return await function(*args, **kwargs)

        else:

            @functools.wraps(function)
            def limited(*args, **kwargs):
                with self:
                    return function(*args, **kwargs)

        return limited


class _Thread:
    """A thread that waits for a place."""

    def __init__(self):
        self.wakes = threading.Lock()
        self.wakes.acquire()

    def wake(self):
        self.wakes.release()


class _Task:
    """A task that waits for a place; it may be woken by another thread than its loop's."""

    def __init__(self, loop):
        self.loop = loop
        self.future = loop.create_future()

    def wake(self):
        try:
            self.loop.call_soon_threadsafe(self._done)
        except RuntimeError:
            # The loop was closed while it waited: nobody will ask for the place again, see `enter_async`.
            return False
        return True

    def _done(self):
        if not self.future.done():
            self.future.set_result(None)


class _Places:
    """So many places, and who waits for one. A place that is left goes to the first who waits, without being free in between."""

    def __init__(self, count):
        self.count = count
        self.renew(forked=False)

    def renew(self, forked):
        """All free: in a new process, where those who were inside are not."""
        self.forked = forked
        self.lock = threading.Lock()
        self.free = self.count
        self.waiting = collections.deque()
        # How often each thread or task that is inside has entered.
        self.depth = {}

    def enter(self):
        owner = _owner()
        waiter = self._ask(owner, lambda: self._thread_of(owner))
        if waiter is not None:
            try:
                waiter.wakes.acquire()
            except BaseException:
                # An interrupt, while this waits.
                self._give_up(waiter)
                raise
            self.depth[owner] = 1

    async def enter_async(self):
        import asyncio

        owner = _owner()
        loop = asyncio.get_running_loop()
        waiter = self._ask(owner, lambda: _Task(loop))
        if waiter is not None:
            try:
                await waiter.future
            except BaseException:
                # Cancelled, maybe after the place had been given.
                self._give_up(waiter)
                raise
            self.depth[owner] = 1

    def _ask(self, owner, waiter_of):
        """Takes a place and returns None, or returns who now waits for one."""
        with self.lock:
            if owner in self.depth:
                self.depth[owner] += 1
                return None
            if self.free:
                self.free -= 1
                self.depth[owner] = 1
                return None
            waiter = waiter_of()
            self.waiting.append(waiter)
            return waiter

    def _thread_of(self, owner):
        """A thread that may wait. Raises RuntimeError where those who are inside could never leave, as it is their loop's."""
        loop = _loop_of(owner)
        if loop is not None and all(_loop_of(inside) is loop for inside in self.depth):
            raise RuntimeError(
                "`with throttle(...)` would wait for ever: only tasks of its own event loop are inside "
                "(hint: `async with` in tasks)"
            )
        return _Thread()

    def _give_up(self, waiter):
        with self.lock:
            if waiter in self.waiting:
                self.waiting.remove(waiter)
            else:
                self._pass_on()

    def leave(self):
        owner = _owner()
        with self.lock:
            if owner not in self.depth:
                # A block that was entered before the fork, and is left in the child as well.
                if self.forked:
                    return
                raise RuntimeError("throttle was left by a thread or task that is not inside")
            self.depth[owner] -= 1
            if not self.depth[owner]:
                del self.depth[owner]
                self._pass_on()

    def _pass_on(self):
        """A place has become free. Called with the lock held."""
        while self.waiting:
            if self.waiting.popleft().wake() is not False:
                return
        self.free += 1


def _owner():
    """Who is inside: the task where one runs, else the thread."""
    # Without asyncio loaded there is no task.
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        if task is not None:
            return task
    return threading.get_ident()


def _loop_of(owner):
    """The event loop of an owner that is a task; None of a thread."""
    return None if isinstance(owner, int) else owner.get_loop()


_registry = {}
_registry_lock = threading.Lock()


def _places(name, count):
    """The one limit of a name."""
    with _registry_lock:
        places = _registry.setdefault(name, _Places(count))
        if places.count != count:
            raise ValueError(
                "throttle({}) of {!r}: this process already has a limit of {} by that name "
                "(hint: use that number everywhere, or give another name)".format(count, name, places.count)
            )
        return places


def _in_child():
    global _registry_lock
    _registry_lock = threading.Lock()
    for places in _registry.values():
        places.renew(forked=True)


os.register_at_fork(after_in_child=_in_child)
