"""Whose turn it is when a clone slot may be free."""

from tests.unit.manager.pools import is_poked, make_pool
from vmpooler_manager.lifecycle.clone_slots import SlotQueue


async def test_the_pool_that_waits_longest_is_poked_first() -> None:
    queue, first, second = SlotQueue(), make_pool("first"), make_pool("second")
    queue.wait(first)
    queue.wait(second)
    queue.freed()
    assert [await is_poked(first), await is_poked(second)] == [True, False]
    queue.freed()
    assert await is_poked(second)


async def test_a_pool_waits_once_however_often_it_asks() -> None:
    queue, asking, other = SlotQueue(), make_pool("asking"), make_pool("other")
    for pool in (asking, asking, other):
        queue.wait(pool)
    queue.freed()
    queue.freed()
    assert await is_poked(other)


async def test_a_pool_that_was_poked_waits_again_only_when_it_asks_again() -> None:
    queue, pool = SlotQueue(), make_pool()
    queue.wait(pool)
    queue.freed()
    pool.begin_pass()
    queue.freed()
    assert not await is_poked(pool)


async def test_a_pool_that_left_is_not_poked() -> None:
    queue, leaving, staying = SlotQueue(), make_pool("leaving"), make_pool("staying")
    queue.wait(leaving)
    queue.wait(staying)
    queue.leave(leaving)
    queue.freed()
    assert [await is_poked(leaving), await is_poked(staying)] == [False, True]


def test_a_slot_that_nobody_waits_for_is_no_trouble() -> None:
    queue = SlotQueue()
    queue.freed()
    queue.leave(make_pool())
