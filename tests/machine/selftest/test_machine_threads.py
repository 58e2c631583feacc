"""Threads, locks, time: who runs is chosen by the seed, and whoever cannot is found."""

from __future__ import annotations

import pytest

from machine import ContractError, Deadlock, Process

from . import assembly as asm
from . import library as lib
from .conftest import Make, system


def two_workers(process: Process) -> list[str]:
    """The order in which two threads make ten calls each."""
    order: list[str] = []

    def work() -> None:
        for _ in range(10):
            order.append(process.thread.name)
            system(process, "_getpid")

    process.spawn(work, "a")
    process.spawn(work, "b")
    process.run()
    return order


def test_the_same_seed_is_the_same_run(little: Make) -> None:
    runs = [two_workers(little(seed=7)) for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]
    assert sorted(runs[0]) == ["a"] * 10 + ["b"] * 10


def test_other_seeds_are_other_runs(little: Make) -> None:
    runs = {tuple(two_workers(little(seed=seed))) for seed in range(8)}
    assert len(runs) >= 6
    assert any(run != tuple("a" * 10 + "b" * 10) for run in runs)


#: Adds 1 to *x0, a hundred times, without a lock: ldr, add, str; subs x2, x2, #1; b.ne back.
_COUNT = asm.words(asm.movz(2, 100), asm.ldr(1, 0), asm.add(1, 1, 1), asm.str_(1, 0), 0xF100_0442, 0x54FF_FF81, asm.RET)


def counted(little: Make, seed: int, preempts_after: int | None) -> int:
    """What two threads count to."""
    process = little(lib.Contents(_COUNT, exports={"_count": lib.CODE}), seed=seed)
    process.preempts_after = preempts_after
    total = process.memory.alloc(8)
    for _ in range(2):
        process.spawn(lambda: process.call(process.exports["_count"], total))
    process.run()
    return process.memory.u64(total)


def test_code_without_a_lock_loses_what_it_counts_when_it_is_interrupted(little: Make) -> None:
    assert counted(little, 1, None) == 200
    counts = [counted(little, seed, 20) for seed in (1, 1, 2, 3)]
    assert counts[0] == counts[1]
    assert all(100 <= count < 200 for count in counts)
    assert len(set(counts)) > 1


def test_the_stack_of_each_thread_is_its_own(little: Make) -> None:
    process = little()
    stacks: list[int] = []
    stub = process.stub("where", lambda _p, a: stacks.append(a.sp))
    for _ in range(3):
        process.spawn(lambda: process.call(stub))
    process.run()
    assert len({sp >> 16 for sp in stacks}) == 3


def test_an_error_of_a_thread_is_the_tests(little: Make) -> None:
    process = little()
    process.spawn(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        process.run()


def test_a_lock_keeps_the_other_out(little: Make) -> None:
    for seed in range(10):
        process = little(seed=seed)
        lock = process.memory.alloc(4)
        inside: list[int] = []

        def work(process: Process = process, lock: int = lock, inside: list[int] = inside) -> None:
            system(process, "_os_unfair_lock_lock", lock)
            inside.append(1)
            system(process, "_getpid")
            assert len(inside) == 1
            inside.pop()
            system(process, "_os_unfair_lock_unlock", lock)

        process.spawn(work)
        process.spawn(work)
        process.run()
        assert process.memory.u32(lock) == 0
        process.check_end()


def test_an_unfair_lock_is_not_locked_twice(little: Make) -> None:
    process = little()
    lock = process.memory.alloc(4)
    system(process, "_os_unfair_lock_lock", lock)
    assert system(process, "_os_unfair_lock_trylock", lock).x0 == 0
    with pytest.raises(ContractError, match="locked again by its owner"):
        system(process, "_os_unfair_lock_lock", lock)


def test_an_unfair_lock_is_unlocked_by_its_owner(little: Make) -> None:
    process = little()
    lock = process.memory.alloc(4)
    system(process, "_os_unfair_lock_lock", lock)
    process.spawn(lambda: system(process, "_os_unfair_lock_unlock", lock), "thief")
    with pytest.raises(ContractError, match=r"unlocked by thread 0x1002, but held by thread 0x1001 \(main\)"):
        process.run()


def test_a_free_lock_is_not_unlocked(little: Make) -> None:
    process = little()
    with pytest.raises(ContractError, match="held by nobody"):
        system(process, "_os_unfair_lock_unlock", process.memory.alloc(4))


@pytest.mark.parametrize("take", ["_os_unfair_lock_lock", "_pthread_mutex_lock"])
def test_a_lock_that_is_still_held_is_found(little: Make, take: str) -> None:
    process = little()
    lock = process.memory.alloc(64)
    process.memory.put_u64(lock, 0x32AAABA7 if "mutex" in take else 0)
    process.spawn(lambda: system(process, take, lock), "keeper")
    with pytest.raises(ContractError, match=r"\(keeper\) still holds"):
        process.run()
    process = little()
    lock = process.memory.alloc(64)
    process.memory.put_u64(lock, 0x32AAABA7 if "mutex" in take else 0)
    system(process, take, lock)
    with pytest.raises(ContractError, match=r"\(main\) still holds"):
        process.check_end()


def test_a_deadlock_is_found_at_once_with_every_place(little: Make) -> None:
    """Two threads take two locks in opposite orders, and let each other run between."""
    process = little()
    first, second = process.memory.alloc(4), process.memory.alloc(4)
    got: list[str] = []

    def work(one: int, two: int) -> None:
        system(process, "_os_unfair_lock_lock", one)
        got.append(process.thread.name)
        process.block_until(lambda: len(got) == 2, "the other")
        system(process, "_os_unfair_lock_lock", two)

    process.spawn(lambda: work(first, second), "forth")
    process.spawn(lambda: work(second, first), "back")
    with pytest.raises(Deadlock) as error:
        process.run()
    text = str(error.value)
    assert f"(forth), waits for os_unfair_lock {second:#x}" in text
    assert f"(back), waits for os_unfair_lock {first:#x}" in text
    assert "(main), waits for the other threads to end" in text


def test_a_mutex_must_be_one(little: Make) -> None:
    process = little()
    mutex = process.memory.alloc(64)
    with pytest.raises(ContractError, match="is no mutex: never initialised"):
        system(process, "_pthread_mutex_lock", mutex)
    system(process, "_pthread_mutex_init", mutex, 0)
    system(process, "_pthread_mutex_lock", mutex)
    assert system(process, "_pthread_mutex_trylock", mutex).x0 == 16
    with pytest.raises(ContractError, match="locked again by its owner"):
        system(process, "_pthread_mutex_lock", mutex)
    system(process, "_pthread_mutex_unlock", mutex)
    assert system(process, "_pthread_mutex_destroy", mutex).x0 == 0
    with pytest.raises(ContractError, match="or destroyed"):
        system(process, "_pthread_mutex_lock", mutex)


def test_a_recursive_mutex_counts(little: Make) -> None:
    process = little()
    mutex, attributes = process.memory.alloc(64), process.memory.alloc(16)
    system(process, "_pthread_mutexattr_init", attributes)
    system(process, "_pthread_mutexattr_settype", attributes, 2)
    system(process, "_pthread_mutex_init", mutex, attributes)
    for _ in range(2):
        assert system(process, "_pthread_mutex_lock", mutex).x0 == 0
    entered: list[int] = []

    def work() -> None:
        system(process, "_pthread_mutex_lock", mutex)
        entered.append(1)
        system(process, "_pthread_mutex_unlock", mutex)

    process.spawn(work)
    system(process, "_pthread_mutex_unlock", mutex)
    process.switch()
    assert not entered
    system(process, "_pthread_mutex_unlock", mutex)
    process.run()
    assert entered


def condition(process: Process) -> tuple[int, int]:
    """A mutex and a condition with their static initial values."""
    mutex, it = process.memory.alloc(64), process.memory.alloc(48)
    process.memory.put_u64(mutex, 0x32AAABA7)
    process.memory.put_u64(it, 0x3CB0B1BB)
    return mutex, it


def test_a_condition_wakes_who_sleeps_on_it(little: Make) -> None:
    for seed in range(10):
        process = little(seed=seed)
        mutex, it = condition(process)
        said: list[str] = []

        def wait(process: Process = process, mutex: int = mutex, it: int = it, said: list[str] = said) -> None:
            system(process, "_pthread_mutex_lock", mutex)
            while "go" not in said:
                system(process, "_pthread_cond_wait", it, mutex)
            system(process, "_pthread_mutex_unlock", mutex)
            said.append("gone")

        process.spawn(wait)
        process.spawn(wait)
        system(process, "_pthread_mutex_lock", mutex)
        said.append("go")
        system(process, "_pthread_mutex_unlock", mutex)
        system(process, "_pthread_cond_broadcast", it)
        process.run()
        assert said == ["go", "gone", "gone"]


def test_a_signal_that_nobody_sends_is_a_deadlock(little: Make) -> None:
    process = little()
    mutex, it = condition(process)
    system(process, "_pthread_mutex_lock", mutex)
    with pytest.raises(Deadlock, match=rf"waits for condition {it:#x}"):
        system(process, "_pthread_cond_wait", it, mutex)


def test_a_condition_is_waited_for_with_its_mutex(little: Make) -> None:
    process = little()
    mutex, it = condition(process)
    with pytest.raises(ContractError, match="not at all"):
        system(process, "_pthread_cond_wait", it, mutex)
    system(process, "_pthread_mutex_lock", mutex)
    with pytest.raises(ContractError, match="is no condition"):
        system(process, "_pthread_cond_wait", mutex, mutex)


def test_waiting_takes_no_time_but_the_machines(little: Make) -> None:
    process = little()
    mutex, it = condition(process)
    hour = process.memory.alloc(16)
    process.memory.put_u64(hour, 3600)
    system(process, "_pthread_mutex_lock", mutex)
    before = process.clock.now
    assert system(process, "_pthread_cond_timedwait_relative_np", it, mutex, hour).x0 == 60
    slept = process.clock.now - before
    assert 3600e9 <= slept < 3600.1e9
    system(process, "_pthread_mutex_unlock", mutex)
    process.check_end()


def test_sleepers_wake_in_the_order_of_their_deadlines(little: Make) -> None:
    process = little()
    woken: list[str] = []

    def sleep(seconds: int, name: str) -> None:
        place = process.memory.alloc(16)
        process.memory.put_u64(place, seconds)
        system(process, "_nanosleep", place, 0)
        woken.append(name)

    for seconds, name in ((3, "c"), (1, "a"), (2, "b")):
        process.spawn(lambda seconds=seconds, name=name: sleep(seconds, name))  # type: ignore[misc]
    process.run()
    assert woken == ["a", "b", "c"]


def test_the_clock_is_every_clock(little: Make) -> None:
    process = little()
    place = process.memory.alloc(16)
    for clock, base in ((0, process.clock.BOOTED_NS), (6, 0), (8, 0)):
        system(process, "_clock_gettime", clock, place)
        seconds, rest = process.memory.u64(place), process.memory.u64(place + 8)
        assert abs(seconds * 10**9 + rest - base - process.clock.now) < 1_000
    ticks = system(process, "_mach_absolute_time").x0
    assert abs(ticks * 125 // 3 - process.clock.now) < 1_000


def test_destructors_run_at_a_threads_end(little: Make) -> None:
    process = little()
    ran: list[int] = []
    destructor = process.stub("destructor", lambda _p, a: ran.append(a.x(0)))
    key = process.memory.alloc(8)
    system(process, "_pthread_key_create", key, destructor)

    def work() -> None:
        system(process, "_pthread_setspecific", process.memory.u64(key), 5)
        system(process, "__tlv_atexit", destructor, 6)
        system(process, "__tlv_atexit", destructor, 7)

    process.spawn(work)
    process.run()
    assert ran == [7, 6, 5]


def test_a_started_thread_is_joined(little: Make) -> None:
    process = little()
    place = process.memory.alloc(16)
    body = process.stub("body", lambda _p, a: a.x(0) + 1)
    assert system(process, "_pthread_create", place, 0, body, 41).x0 == 0
    system(process, "_pthread_join", process.memory.u64(place), place + 8)
    assert process.memory.u64(place + 8) == 42


def test_a_semaphore_parks_and_wakes(little: Make) -> None:
    process = little()
    semaphore = system(process, "_dispatch_semaphore_create", 0).x0
    before = process.clock.now
    until = system(process, "_dispatch_time", 0, 2_000_000_000).x0
    assert system(process, "_dispatch_semaphore_wait", semaphore, until).x0 != 0
    assert 2e9 <= process.clock.now - before < 2.1e9
    process.spawn(lambda: system(process, "_dispatch_semaphore_signal", semaphore))
    assert system(process, "_dispatch_semaphore_wait", semaphore, -1).x0 == 0
    process.run()
    system(process, "_dispatch_release", semaphore)
    with pytest.raises(ContractError, match="is no semaphore"):
        system(process, "_dispatch_semaphore_signal", semaphore)
