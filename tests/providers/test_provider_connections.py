"""The connection pool: who gets a connection, when, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.providers.exchange import Exchange, Line, ReadMetric, until
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_manager.providers.connection_pool import ConnectionPool, Connector
from vmpooler_manager.providers.errors import NotFound, TransientError


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


MakePool = Callable[..., ConnectionPool[Line]]


@pytest.fixture
def make_pool(exchange: Exchange, measured: ConnectionMetrics) -> MakePool:
    def make(*, size: int = 1, timeout: float = 30.0, **options: Any) -> ConnectionPool[Line]:
        return ConnectionPool(
            "vcenter-1",
            Connector(exchange.connect, exchange.disconnect, **options),
            size=size,
            timeout=timedelta(seconds=timeout),
            metrics=measured,
        )

    return make


@asynccontextmanager
async def in_use(pool: ConnectionPool[Line]) -> AsyncIterator[Line]:
    """Take a connection that must be free, or nearly so."""
    async with asyncio.timeout(5), pool.connection() as line:
        yield line


async def use(pool: ConnectionPool[Line]) -> int:
    async with pool.connection() as line:
        return line.number


class TestSharing:
    async def test_no_connection_is_made_before_it_is_needed(
        self, make_pool: MakePool, exchange: Exchange
    ) -> None:
        make_pool(size=3)
        assert exchange.made == []

    async def test_a_connection_is_used_again(self, make_pool: MakePool, exchange: Exchange) -> None:
        pool = make_pool(size=3)
        assert [await use(pool) for _ in range(3)] == [1, 1, 1]
        assert len(exchange.made) == 1

    async def test_never_more_than_the_size_are_in_use(
        self, make_pool: MakePool, exchange: Exchange, metric: ReadMetric
    ) -> None:
        pool = make_pool(size=2)
        async with in_use(pool) as first, in_use(pool) as second:
            waiter = asyncio.create_task(use(pool))
            await until(lambda: metric("waiting") == 1)
            assert (first.number, second.number) == (1, 2)
        assert await waiter in (1, 2)
        assert len(exchange.made) == 2

    async def test_those_who_wait_are_served_in_the_order_in_which_they_came(
        self, make_pool: MakePool, metric: ReadMetric
    ) -> None:
        pool = make_pool()
        served: list[int] = []

        async def wait(place: int) -> None:
            async with pool.connection():
                served.append(place)
                await asyncio.sleep(0)

        async with in_use(pool):
            waiters = []
            for place in range(5):
                waiters.append(asyncio.create_task(wait(place)))
                await until(lambda: metric("waiting") == len(waiters))
        await asyncio.gather(*waiters)
        assert served == [0, 1, 2, 3, 4]

    async def test_a_newcomer_does_not_overtake_those_who_wait(
        self, make_pool: MakePool, metric: ReadMetric
    ) -> None:
        pool = make_pool()
        served: list[str] = []

        async def wait(name: str) -> None:
            async with pool.connection():
                served.append(name)

        async with in_use(pool):
            waiter = asyncio.create_task(wait("waiter"))
            await until(lambda: metric("waiting") == 1)
        await wait("newcomer")
        await waiter
        assert served == ["waiter", "newcomer"]

    async def test_a_size_below_one_is_refused(self, make_pool: MakePool) -> None:
        with pytest.raises(ValueError, match=r"'vcenter-1'.*at least 1.*not 0"):
            make_pool(size=0)


class TestStarvation:
    async def test_waiting_too_long_is_a_transient_error_that_names_pool_size_and_wait(
        self, make_pool: MakePool
    ) -> None:
        pool = make_pool(size=1, timeout=0.11)
        async with in_use(pool):
            with pytest.raises(TransientError, match=r"'vcenter-1' \(size 1\) after waiting \d+\.\d s"):
                await use(pool)

    async def test_the_pool_serves_on_after_somebody_gave_up(self, make_pool: MakePool) -> None:
        pool = make_pool(timeout=0.01)
        async with in_use(pool):
            with pytest.raises(TransientError):
                await use(pool)
        async with in_use(pool) as line:
            assert line.number == 1


class TestCancellation:
    async def test_a_cancelled_waiter_is_passed_over(self, make_pool: MakePool, metric: ReadMetric) -> None:
        pool = make_pool()
        async with in_use(pool):
            cancelled = asyncio.create_task(use(pool))
            patient = asyncio.create_task(use(pool))
            await until(lambda: metric("waiting") == 2)
            cancelled.cancel()
        assert await asyncio.wait_for(patient, 5) == 1
        assert cancelled.cancelled()

    async def test_a_place_passed_on_to_a_waiter_cancelled_in_the_same_moment_goes_to_the_next(
        self, make_pool: MakePool, metric: ReadMetric
    ) -> None:
        pool = make_pool()
        async with in_use(pool):
            cancelled = asyncio.create_task(use(pool))
            patient = asyncio.create_task(use(pool))
            await until(lambda: metric("waiting") == 2)
        cancelled.cancel()
        assert await asyncio.wait_for(patient, 5) == 1
        assert cancelled.cancelled()

    async def test_a_cancelled_user_gives_its_place_back(
        self, make_pool: MakePool, exchange: Exchange
    ) -> None:
        pool = make_pool()
        taken = asyncio.Event()

        async def hang() -> None:
            async with pool.connection():
                taken.set()
                await asyncio.Event().wait()

        user = asyncio.create_task(hang())
        await taken.wait()
        user.cancel()
        async with in_use(pool) as line:
            assert line.number == 2
        assert exchange.made[0].ended

    async def test_cancelling_while_a_connection_is_made_gives_the_place_back(
        self, make_pool: MakePool, metric: ReadMetric
    ) -> None:
        pool = make_pool()
        maker = asyncio.create_task(use(pool))
        await until(lambda: metric("in_use") == 1)
        maker.cancel()
        async with in_use(pool) as line:
            assert line.number == 1

    async def test_cancelling_at_any_step_loses_no_place(
        self, make_pool: MakePool, exchange: Exchange
    ) -> None:
        pool = make_pool(size=2, is_alive=exchange.is_alive)
        for steps in range(12):
            tasks = [asyncio.create_task(use(pool)) for _ in range(5)]
            for _ in range(steps):
                await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        async with in_use(pool), in_use(pool):
            pass


class TestBrokenConnections:
    async def test_a_dead_connection_is_replaced_before_it_is_used(
        self, make_pool: MakePool, exchange: Exchange
    ) -> None:
        pool = make_pool(is_alive=exchange.is_alive)
        await use(pool)
        exchange.made[0].alive = False
        assert await use(pool) == 2
        assert exchange.made[0].ended

    async def test_a_connection_is_kept_after_an_error_that_the_driver_understood(
        self, make_pool: MakePool, exchange: Exchange
    ) -> None:
        pool = make_pool()
        with pytest.raises(NotFound):
            async with pool.connection():
                raise NotFound("no such VM")
        assert await use(pool) == 1
        assert not exchange.made[0].ended

    async def test_a_connection_is_dropped_after_an_error_that_nobody_understood(
        self, make_pool: MakePool, exchange: Exchange
    ) -> None:
        pool = make_pool()
        with pytest.raises(ConnectionResetError):
            async with pool.connection():
                raise ConnectionResetError
        assert await use(pool) == 2
        assert exchange.made[0].ended

    async def test_a_driver_may_say_which_errors_break_a_connection(
        self, make_pool: MakePool, exchange: Exchange
    ) -> None:
        pool = make_pool(is_broken=lambda error: isinstance(error, TransientError))
        with pytest.raises(TransientError):
            async with pool.connection():
                raise TransientError("session lost")
        assert await use(pool) == 2
        assert exchange.made[0].ended

    async def test_a_connection_that_can_not_be_made_gives_its_place_back(
        self, make_pool: MakePool, exchange: Exchange
    ) -> None:
        pool = make_pool()
        exchange.refuses = True
        with pytest.raises(TransientError, match="no line"):
            await use(pool)
        exchange.refuses = False
        async with in_use(pool) as line:
            assert line.number == 1

    async def test_a_check_that_fails_drops_the_connection_and_gives_the_place_back(
        self, make_pool: MakePool, exchange: Exchange
    ) -> None:
        async def is_alive(line: Line) -> bool:
            raise TransientError("no answer")

        pool = make_pool(is_alive=is_alive)
        await use(pool)
        with pytest.raises(TransientError, match="no answer"):
            await use(pool)
        assert exchange.made[0].ended
        async with in_use(pool) as line:
            assert line.number == 2


class TestClosing:
    async def test_idle_connections_end_at_once(self, make_pool: MakePool, exchange: Exchange) -> None:
        pool = make_pool()
        await use(pool)
        await pool.close()
        assert exchange.made[0].ended

    async def test_a_connection_in_use_ends_when_its_block_ends(
        self, make_pool: MakePool, exchange: Exchange
    ) -> None:
        pool = make_pool()
        async with in_use(pool) as line:
            await pool.close()
            assert not line.ended
        assert line.ended

    async def test_those_who_wait_are_told(self, make_pool: MakePool, metric: ReadMetric) -> None:
        pool = make_pool()
        async with in_use(pool):
            waiter = asyncio.create_task(use(pool))
            await until(lambda: metric("waiting") == 1)
            await pool.close()
            with pytest.raises(TransientError, match="'vcenter-1' is closed"):
                await waiter

    async def test_a_closed_pool_gives_no_connection(self, make_pool: MakePool) -> None:
        pool = make_pool()
        await pool.close()
        with pytest.raises(TransientError, match="'vcenter-1' is closed"):
            await use(pool)


class TestMetrics:
    async def test_the_size_is_known_from_the_start(self, make_pool: MakePool, metric: ReadMetric) -> None:
        make_pool(size=3)
        assert (metric("size"), metric("in_use"), metric("waiting")) == (3, 0, 0)

    async def test_use_and_queue_are_counted_while_they_last(
        self, make_pool: MakePool, metric: ReadMetric
    ) -> None:
        pool = make_pool(size=2)
        async with in_use(pool):
            assert (metric("in_use"), metric("available")) == (1, 1)
            async with in_use(pool):
                waiter = asyncio.create_task(use(pool))
                await until(lambda: metric("waiting") == 1)
                assert (metric("in_use"), metric("available")) == (2, 0)
            await waiter
        assert (metric("in_use"), metric("available"), metric("waiting")) == (0, 2, 0)

    async def test_every_wait_is_measured_also_those_in_vain(
        self, make_pool: MakePool, metric: ReadMetric
    ) -> None:
        pool = make_pool(timeout=0.02)
        async with in_use(pool):
            with pytest.raises(TransientError):
                await use(pool)
        assert metric("waited_seconds_count") == 2
        assert 0.01 < (metric("waited_seconds_sum") or 0) < 10
