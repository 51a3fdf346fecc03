"""Wakes: at once within a process, between processes by PostgreSQL, and after a lost connection."""

import asyncio
from contextlib import AsyncExitStack, suppress
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db import Database
from app.models import Institution as InstitutionRow
from app.settings import Settings
from app.wakes import Wakes
from tests.support.institution import Institution

SOON = 10.0
LISTENERS = text("""
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
     WHERE datname = current_database() AND query LIKE '%quickwin_events%' AND pid <> pg_backend_pid()
""")


def say(session: Session, nonsense: str) -> None:
    """What whoever comes into the database may say."""
    session.execute(text("SELECT pg_notify('quickwin_events', :said)"), {"said": nonsense})


async def id_of(database: Database, institution: Institution) -> UUID:
    def find(session: Session) -> UUID:
        return next(row.id for row in session.query(InstitutionRow) if row.code == institution.code)

    return await database.read(find)


async def test_a_commit_wakes_who_waits_for_its_institution(
    institution: Institution, database: Database
) -> None:
    wakes = database.wakes
    with (
        wakes.waking(await id_of(database, institution)) as mine,
        wakes.waking() as any_of_them,
        wakes.waking(uuid4()) as other,
    ):
        await institution.get("units")  # reads wake nobody
        assert not await any_of_them.wait(0.05)
        await institution.unit("A")
        assert await mine.wait(SOON)
        assert await any_of_them.wait(SOON)
        assert not await other.wait(0.05)
        await institution.unit("B")
        await institution.unit("C")
        assert await mine.wait(SOON)  # kept while nobody waited, once
        assert not await mine.wait(0.05)
    assert not wakes._wakers  # noqa: SLF001  what ends is forgotten


async def test_other_processes_are_heard_and_found_again(
    institution: Institution, configuration: Settings, database: Database
) -> None:
    if database.is_sqlite:
        return  # nobody is heard there
    other = Database(configuration)
    institution_id = await id_of(database, institution)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(other.close)
        await stack.enter_async_context(other.wakes.listening())
        waker = stack.enter_context(other.wakes.waking(institution_id))

        async def heard(name: str) -> bool:
            """Whether a write of this process is heard in the other, which may be connecting yet."""
            for i in range(40):
                await institution.unit(f"{name}{i}")
                if await waker.wait(0.25):
                    return True
            return False

        assert await heard("first")
        await database.read(lambda session: session.execute(LISTENERS).scalar_one())
        assert await heard("again")
        for nonsense in ("", "x", str(institution_id)[:-1]):
            await database.write(say, nonsense)
        await asyncio.sleep(0.1)
        assert await heard("still")


async def test_nobody_is_heard_behind_a_pooler(configuration: Settings) -> None:
    pooled = Database(Settings(**configuration.model_dump() | {"database_statement_cache": 0}))
    async with pooled.wakes.listening():
        with pooled.wakes.waking() as waker:
            pooled.wakes.announce([uuid4()])
            assert await waker.wait(0)
    await pooled.close()


async def test_a_wait_ends_by_itself() -> None:
    with Wakes(None).waking() as waker, suppress(TimeoutError):
        async with asyncio.timeout(SOON):
            assert not await waker.wait(0.01)
