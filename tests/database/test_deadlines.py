"""Work that takes too long, and a database that is busy: an honest answer in time, nothing written."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import DatabaseUnavailable, TimedOut
from app.main import create_app
from app.models import ServiceSecret
from app.services import tokens
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.support.institution import API

FOR_EVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
LOCK = 0x7E57
Limited = Callable[..., Any]


@pytest.fixture
def limited(configuration: Settings) -> Limited:
    """Opens a database of its own with other settings."""

    @asynccontextmanager
    async def opened(**changes: object) -> AsyncIterator[Database]:
        database = Database(configuration.model_copy(update=changes), limited=True)
        yield database
        await database.close()

    return opened


def take_long(session: Session, seconds: float = 30) -> None:
    if session.connection().dialect.name == "sqlite":
        session.execute(text(FOR_EVER))
    else:
        session.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})


def write(session: Session, name: str, then: Callable[[Session], None]) -> None:
    session.add(ServiceSecret(name=name, value="x"))
    session.flush()
    then(session)


def is_there(session: Session, name: str) -> bool:
    return session.get(ServiceSecret, name) is not None


async def test_what_takes_too_long_is_rolled_back(limited: Limited) -> None:
    async with limited(request_seconds=0.5) as database:
        started = time.monotonic()
        for run in (database.write, database.read):
            with pytest.raises(TimedOut):
                await run(take_long)
        with pytest.raises(TimedOut):
            await database.write(write, "late", take_long)
        assert time.monotonic() - started < 15
        # The connections serve on, and nothing was written.
        assert not await database.read(is_there, "late")


async def test_a_slow_thread_commits_nothing_late(limited: Limited) -> None:
    async with limited(request_seconds=0.3) as database:
        if not database.is_sqlite:
            pytest.skip("verbs run in threads on SQLite alone")
        with pytest.raises(TimedOut):
            await database.write(write, "late", lambda _: time.sleep(0.5))
        assert not await database.read(is_there, "late")


async def test_who_waits_too_long_for_a_turn_does_not_get_it(limited: Limited) -> None:
    async with limited(request_seconds=0.3) as database:
        if not database.is_sqlite:
            pytest.skip("writers take turns on SQLite alone")
        waiting = [database.write(write, f"turn-{i}", lambda _: time.sleep(0.2)) for i in range(4)]
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(done[-1], TimedOut)
        for i, result in enumerate(done):
            assert await database.read(is_there, f"turn-{i}") == (result is None)


async def test_statements_and_locks_have_limits_of_their_own(limited: Limited) -> None:
    settings = {"request_seconds": 0, "database_statement_seconds": 0.3, "database_retries": 2}
    async with limited(**settings, database_lock_seconds=0.1) as database:
        if database.is_sqlite:
            pytest.skip("settings of PostgreSQL")
        with pytest.raises(TimedOut):
            await database.write(write, "late", take_long)
        assert not await database.read(is_there, "late")
        lock = text("SELECT pg_advisory_xact_lock(:key)")

        def take(session: Session, seconds: float) -> None:
            session.execute(lock, {"key": LOCK})
            time.sleep(seconds)

        async with limited(request_seconds=0) as other, other.engine.connect() as holder:
            await holder.execute(lock, {"key": LOCK})
            with pytest.raises(DatabaseUnavailable) as refused:
                await database.write(take, 0)
            assert not isinstance(refused.value, TimedOut)
            await holder.rollback()
        await database.write(take, 0)


async def test_only_servers_are_limited(configuration: Settings, limited: Limited) -> None:
    def shown(session: Session) -> list[str]:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        return [session.execute(text(f"SHOW {name}")).scalar_one() for name in names]

    async with limited() as database:
        if database.is_sqlite:
            pytest.skip("settings of PostgreSQL")
        assert await database.read(shown) == ["20s", "10s", "1min"]
    command_line = Database(configuration)
    assert await command_line.read(shown) == ["0", "0", "0"]
    await command_line.close()


async def test_an_exhausted_pool_asks_to_come_again(limited: Limited) -> None:
    async with limited(database_pool_size=1, database_pool_seconds=0.2) as database:
        if database.is_sqlite:
            pytest.skip("SQLite has threads, not a pool")
        busy = [asyncio.create_task(database.read(take_long, 1.5)) for _ in range(2)]
        await asyncio.sleep(0.5)
        with pytest.raises(DatabaseUnavailable) as refused:
            await database.read(take_long, 0)
        assert int(refused.value.headers["Retry-After"]) > 0
        await asyncio.gather(*busy)
        await database.read(take_long, 0)


async def test_writers_that_wait_leave_connections_to_readers(limited: Limited) -> None:
    async with limited(database_pool_size=1, database_pool_seconds=0.6) as database:
        if database.is_sqlite:
            pytest.skip("a reader of SQLite never waits for its writer")
        # The second waits for a place among the writers; one connection stays for whoever reads.
        writers = [asyncio.create_task(database.write(take_long, 1.5)) for _ in range(2)]
        await asyncio.sleep(0.3)
        await database.read(take_long, 0)
        first, second = await asyncio.gather(*writers, return_exceptions=True)
        assert first is None
        assert isinstance(second, DatabaseUnavailable)


async def test_a_slow_read_keeps_no_other_waiting(limited: Limited) -> None:
    async with limited(database_turns=1) as database:
        if database.is_sqlite:
            pytest.skip("SQLite has a thread for each of eight readers")
        slow = asyncio.create_task(database.read(take_long, 2))
        await asyncio.sleep(0.1)
        await database.read(take_long, 0)
        assert not slow.done()
        await slow


async def test_a_client_is_told(configuration: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(session: Session, *_: object) -> None:
        take_long(session)

    monkeypatch.setattr(tokens, "me", slow)
    app = create_app(configuration.model_copy(update={"request_seconds": 0.3}))
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answer = await client.get(f"{API}/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "timeout")
    assert int(answer.headers["retry-after"]) > 0
