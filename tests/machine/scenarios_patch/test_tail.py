"""`destroyImpl`, as it was published, as agxrun rebuilds it, and with the published edits.

The free list of `tests/patch/driver.s` has room for eight. What others can see of a `destroyImpl` is what `_impl` holds when
the lock is given back.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from machine.errors import Fault

from .conftest import ROOM, Driver

Make = Callable[[str], Driver]

LOCK, UNLOCK, FREE = "_os_unfair_lock_lock", "_os_unfair_lock_unlock", "_free"
REBUILT = ("rebuilt-arm64", "rebuilt-arm64e", "published-rebuilt")
ORIGINAL = ("original-arm64", "original-arm64e", "published-original")


@pytest.mark.parametrize("image", ORIGINAL)
@pytest.mark.parametrize("full", [False, True])
def test_the_original_unlocks_while_impl_still_points(driver: Make, image: str, full: bool) -> None:
    it = driver(image)
    it.fill(ROOM if full else 0)
    impl = it.destroy()
    freed = [(FREE, impl, impl)] if full else []
    assert it.calls == [(LOCK, it.lock, impl), (UNLOCK, it.lock, impl), *freed]
    assert it.impl == 0
    assert it.alive(impl) is not full


@pytest.mark.parametrize("image", REBUILT)
def test_rebuilt_it_gives_away_and_stores_null_before_it_unlocks(driver: Make, image: str) -> None:
    it = driver(image)
    before = it.fill(3)
    impl = it.destroy()
    # `free` of NULL does nothing (ISO C, 7.22.3.3).
    assert it.calls == [(LOCK, it.lock, impl), (UNLOCK, it.lock, 0), (FREE, 0, 0)]
    assert it.impl == 0
    assert it.pooled == [*before, impl]
    assert it.alive(impl)


@pytest.mark.parametrize("image", REBUILT)
def test_rebuilt_it_frees_once_where_the_list_is_full(driver: Make, image: str) -> None:
    it = driver(image)
    before = it.fill(ROOM)
    impl = it.destroy()
    assert it.calls == [(LOCK, it.lock, impl), (UNLOCK, it.lock, 0), (FREE, impl, 0)]
    assert it.impl == 0
    assert it.pooled == before
    assert not it.alive(impl)


@pytest.mark.parametrize("image", REBUILT)
def test_rebuilt_it_loses_nothing_over_many_objects(driver: Make, image: str) -> None:
    it = driver(image)
    impls = [it.destroy() for _ in range(3 * ROOM)]
    assert it.pooled == impls[:ROOM]
    living = {block.address for block in it.process.memory.heap.live}
    assert living.intersection(impls) == set(impls[:ROOM])


@pytest.mark.parametrize("image", REBUILT)
def test_rebuilt_it_bears_an_impl_that_is_null_already(driver: Make, image: str) -> None:
    it = driver(image)
    it.fill(ROOM)
    it.process.call(it.process.exports["_compute_destroy"], it.object, 0)
    assert it.calls == [(LOCK, it.lock, 0), (UNLOCK, it.lock, 0), (FREE, 0, 0)]


def test_as_published_it_stores_null_before_it_unlocks(driver: Make) -> None:
    it = driver("published")
    before = it.fill(3)
    impl = it.destroy()
    assert it.calls == [(LOCK, it.lock, impl), (UNLOCK, it.lock, 0)]
    assert it.impl == 0
    assert it.pooled == [*before, impl]


def test_as_published_it_leaks_where_the_list_is_full(driver: Make) -> None:
    it = driver("published")
    before = it.fill(ROOM)
    impl = it.destroy()
    assert it.calls == [(LOCK, it.lock, impl), (UNLOCK, it.lock, 0)]
    assert it.impl == 0
    assert it.pooled == before
    # Nobody has it any more, and it is alive.
    assert it.alive(impl)


@pytest.mark.parametrize("image", [*REBUILT, "published"])
def test_a_reader_that_comes_later_still_dereferences_null(driver: Make, image: str) -> None:
    """What the patch cannot do: `setComputePipelineState:` tests nothing."""
    it = driver(image)
    it.destroy()
    with pytest.raises(Fault, match="writes to 0x5c8"):
        it.process.call(it.process.exports["_compute_set"], it.object, 0, 1)
