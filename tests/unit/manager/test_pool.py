"""How a pool is woken."""

import asyncio

from tests.support.eventually import eventually
from tests.unit.manager.pools import is_poked, make_pool


async def test_a_poke_during_a_pass_is_kept() -> None:
    pool = make_pool()
    pool.begin_pass()
    pool.poke()
    assert await is_poked(pool)


async def test_a_pass_answers_all_pokes_before_it() -> None:
    pool = make_pool()
    pool.poke()
    pool.begin_pass()
    assert not await is_poked(pool)


async def test_a_poke_ends_a_sleep() -> None:
    pool = make_pool()
    sleeping = asyncio.create_task(pool.sleep(3600))
    await asyncio.sleep(0)
    pool.poke()
    await asyncio.wait_for(sleeping, timeout=10)


async def test_a_poke_for_later_comes() -> None:
    pool = make_pool()
    pool.poke_later(0.01)
    assert not await is_poked(pool)
    await eventually(lambda: is_poked(pool))


async def test_a_pass_answers_a_poke_for_later_before_it_comes() -> None:
    pool = make_pool()
    pool.poke_later(0.01)
    pool.begin_pass()
    await pool.sleep(0.05)
    assert not await is_poked(pool)
