"""agxrun.mps.throttle: how many are inside, from threads and from tasks."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from agxrun import mps
from agxrun.mps import throttle


@pytest.fixture
def name(request):
    """A limit of this test's own."""
    return request.node.nodeid


class Inside:
    """How many are inside now, and how many were at most."""

    def __init__(self):
        self.lock = threading.Lock()
        self.now = self.most = 0

    def __enter__(self):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_):
        with self.lock:
            self.now -= 1


def run(count, function):
    """`function` in so many threads at once, to the end; what they returned or raised."""
    results = []

    def work():
        try:
            results.append(function())
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "a thread is stuck"
    return results


def wait_until(condition):
    """Waits for what another thread does, without a clock."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0)


def test_so_many_are_inside_and_no_more(name):
    inside = Inside()
    # Two meet inside: each waits for the other, which shows that the limit is not one.
    meet = threading.Barrier(2, timeout=20)
    # Whoever waits inside has one in hand: the other of an even number is taken by another thread.
    turns = iter(range(400))

    def work():
        for _ in turns:
            with throttle(2, name), inside:
                meet.wait()

    assert run(8, work) == [None] * 8
    assert inside.most == 2


def test_written_in_two_places_it_is_one_limit(name):
    with throttle(1, name):
        entered = threading.Event()

        def work():
            with throttle(1, name):
                entered.set()

        thread = threading.Thread(target=work)
        thread.start()
        places = mps._registry[name]
        wait_until(lambda: places.waiting)
        assert not entered.is_set()
    thread.join(20)
    assert entered.is_set()


def test_who_is_inside_enters_again(name):
    limit = throttle(1, name)
    with limit, limit, throttle(1, name):
        assert mps._registry[name].free == 0
    assert mps._registry[name].free == 1


def test_an_exception_gives_the_place_back(name):
    for _ in range(3):
        with pytest.raises(KeyError), throttle(1, name):
            raise KeyError
    assert mps._registry[name].free == 1


def test_a_decorated_function_is_limited_and_keeps_its_name(name):
    inside = Inside()

    @throttle(1, name)
    def infer(a, b=2):
        """Words."""
        with inside:
            return a + b

    assert (infer.__name__, infer.__doc__) == ("infer", "Words.")
    assert run(6, lambda: infer(1, b=3)) == [4] * 6
    assert inside.most == 1


def test_another_number_for_the_same_limit_is_refused(name):
    throttle(2, name)
    with pytest.raises(ValueError, match="already has a limit of 2"):
        throttle(3, name)
    throttle(3, name + " another")


@pytest.mark.parametrize("wrong, error", [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError), (True, TypeError)])
def test_wrong_numbers_are_refused(wrong, error):
    with pytest.raises(error):
        throttle(wrong)


def test_forgotten_brackets_and_generators_are_refused(name):
    with pytest.raises(TypeError, match="@throttle"):
        throttle(len)
    with pytest.raises(TypeError, match="generator"):

        @throttle(1, name)
        def numbers():
            yield 1


def test_leaving_without_being_inside_is_refused(name):
    with pytest.raises(RuntimeError):
        throttle(1, name).__exit__(None, None, None)


def test_tasks_are_limited_as_threads_are(name):
    inside = Inside()

    @throttle(2, name)
    async def decorated():
        with inside:
            await asyncio.sleep(0)

    async def one():
        async with throttle(2, name):
            with inside:
                await asyncio.sleep(0)
        await decorated()

    async def all_of_them():
        await asyncio.gather(*(one() for _ in range(20)))

    asyncio.run(all_of_them())
    assert inside.most == 2
    assert mps._registry[name].free == 2


def test_a_task_waits_for_a_thread_without_holding_up_its_loop(name):
    order = []
    inside, leave = threading.Event(), threading.Event()

    def work():
        with throttle(1, name):
            inside.set()
            assert leave.wait(20)
            order.append("thread")

    async def waits():
        async with throttle(1, name):
            order.append("task")

    async def goes_on():
        # The loop turns while the other task waits.
        while not mps._registry[name].waiting:
            await asyncio.sleep(0)
        leave.set()

    async def both():
        await asyncio.gather(waits(), goes_on())

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(20)
    asyncio.run(both())
    thread.join(20)
    assert order == ["thread", "task"]


def test_a_cancelled_task_leaves_no_place_lost(name):
    async def waits():
        async with throttle(1, name):
            raise AssertionError("it was cancelled while it waited")

    async def cancels():
        async with throttle(1, name):
            waiting = asyncio.ensure_future(waits())
            while not mps._registry[name].waiting:
                await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        again = asyncio.ensure_future(waits())
        async with throttle(1, name):
            await asyncio.sleep(0)
            # It is given the place at the end of this block, and cancelled before it can take it.
        again.cancel()
        with pytest.raises((asyncio.CancelledError, AssertionError)):
            await again

    asyncio.run(cancels())
    assert mps._registry[name].free == 1


def test_a_forked_child_has_free_limits_and_leaves_the_parents_block(name):
    with throttle(1, name):
        child = os.fork()
        if child == 0:
            free = mps._registry[name].free
    if child == 0:
        with throttle(1, name):
            os._exit(0 if free == 1 and mps._registry[name].free == 0 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert mps._registry[name].free == 1


def test_threads_are_let_in_in_the_order_of_coming(name):
    order, threads = [], []
    throttle(1, name)
    waiting = mps._registry[name].waiting

    def work(number):
        with throttle(1, name):
            order.append(number)

    with throttle(1, name):
        for number in range(8):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            wait_until(lambda: len(waiting) == number + 1)
    for thread in threads:
        thread.join(20)
    assert order == list(range(8))


def test_who_has_just_left_waits_behind_those_who_wait(name):
    order = []
    limit = throttle(1, name)
    places = mps._registry[name]

    def work():
        with throttle(1, name):
            order.append("waited")

    thread = threading.Thread(target=work)
    with limit:
        thread.start()
        wait_until(lambda: places.waiting)
    # The place was handed over at the end of the block, and never free.
    with limit:
        order.append("came again")
    thread.join(20)
    assert order == ["waited", "came again"]


def test_tasks_are_let_in_in_the_order_of_coming(name):
    order = []

    async def one(number):
        async with throttle(1, name):
            order.append(number)
            await asyncio.sleep(0)

    async def all_of_them():
        await asyncio.gather(*(one(number) for number in range(20)))

    asyncio.run(all_of_them())
    assert order == list(range(20))


def test_a_task_enters_again_and_another_one_does_not(name):
    async def nested():
        async with throttle(1, name):
            async with throttle(1, name):
                # Of one kind or the other: it is the same task that is inside.
                with throttle(1, name):
                    assert mps._registry[name].depth == {asyncio.current_task(): 3}
            other = asyncio.ensure_future(enter())
            while not mps._registry[name].waiting:
                await asyncio.sleep(0)
            assert not other.done()
        assert await other == "entered"

    async def enter():
        async with throttle(1, name):
            return "entered"

    asyncio.run(nested())
    assert mps._registry[name].free == 1


def test_what_a_decorated_function_raises_comes_out_and_gives_the_place_back(name):
    @throttle(1, name)
    def fails():
        raise KeyError("thread")

    @throttle(1, name)
    async def fails_later():
        await asyncio.sleep(0)
        raise KeyError("task")

    with pytest.raises(KeyError, match="thread"):
        fails()
    with pytest.raises(KeyError, match="task"):
        asyncio.run(fails_later())
    assert (mps._registry[name].free, mps._registry[name].depth) == (1, {})


def test_a_decorated_function_may_call_itself_and_others_of_its_limit(name):
    @throttle(1, name)
    def factorial(n):
        return n * factorial(n - 1) if n else 1

    @throttle(1, name)
    def twice(n):
        return 2 * factorial(n)

    assert run(4, lambda: twice(5)) == [240] * 4


def test_a_method_may_be_decorated(name):
    class Model:
        @throttle(1, name)
        def forward(self, x):
            return self, x

    model = Model()
    assert model.forward(3) == (model, 3)


def test_tasks_of_two_loops_share_a_limit(name):
    inside = Inside()

    async def one():
        for _ in range(20):
            async with throttle(1, name):
                with inside:
                    await asyncio.sleep(0)

    async def all_of_them():
        await asyncio.gather(one(), one())

    assert run(3, lambda: asyncio.run(all_of_them())) == [None] * 3
    assert inside.most == 1
    assert mps._registry[name].free == 1


def test_a_loop_that_ends_while_its_task_waits_takes_no_place(name):
    async def waits():
        async with throttle(1, name):
            raise AssertionError("its loop has ended")

    loop = asyncio.new_event_loop()
    with throttle(1, name):
        task = loop.create_task(waits())
        while not mps._registry[name].waiting:
            loop.run_until_complete(asyncio.sleep(0))
        # The task is still pending, which asyncio would tell on stderr.
        task._log_destroy_pending = False
        loop.close()
    assert mps._registry[name].free == 1


def test_a_blocking_wait_for_a_task_of_the_same_loop_is_an_error_and_not_for_ever(name):
    async def holds(entered, leave):
        async with throttle(1, name):
            entered.set()
            await leave.wait()

    async def blocks():
        entered, leave = asyncio.Event(), asyncio.Event()
        holder = asyncio.ensure_future(holds(entered, leave))
        await entered.wait()
        with pytest.raises(RuntimeError, match="async with"):
            with throttle(1, name):
                raise AssertionError("one is inside already")
        leave.set()
        await holder

    asyncio.run(blocks())
    assert mps._registry[name].free == 1


def test_an_interrupt_while_waiting_leaves_no_place_lost(name):
    program = textwrap.dedent(
        """
        import os, signal, sys, threading
        from agxrun import mps
        entered, leave = threading.Event(), threading.Event()
        def holds():
            with mps.throttle(1):
                entered.set()
                leave.wait()
        def interrupts():
            while not mps._registry["gpu"].waiting:
                pass
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        holder = threading.Thread(target=holds)
        holder.start()
        entered.wait()
        threading.Thread(target=interrupts).start()
        try:
            with mps.throttle(1):
                sys.exit("it got in")
        except KeyboardInterrupt:
            pass
        leave.set()
        holder.join()
        with mps.throttle(1):
            print(mps._registry["gpu"].free, len(mps._registry["gpu"].waiting))
        """
    )
    environ = dict(os.environ, PYTHONPATH=os.path.dirname(os.path.dirname(os.path.abspath(mps.__file__))))
    done = subprocess.run([sys.executable, "-c", program], env=environ, stdout=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"0 0\n")


def test_importing_it_imports_no_framework():
    program = "import sys, agxrun.mps; sys.exit(bool({'torch', 'mlx', 'asyncio', 'ctypes'} & set(sys.modules)))"
    environ = dict(os.environ, PYTHONPATH=os.path.dirname(os.path.dirname(os.path.abspath(mps.__file__))))
    assert subprocess.run([sys.executable, "-S", "-c", program], env=environ).returncode == 0
