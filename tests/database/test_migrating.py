"""Migrations beside a database at work: nobody waits behind one, and what was cut off is made whole."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from unittest import mock
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import Connection, event, text

from app import distribution
from app.db import Database
from app.demo import compose
from app.demo import load as demo_loader
from app.errors import DatabaseUnavailable
from app.migrating import SchemaLocked
from app.revisions import SchemaAhead
from app.services import institutions
from app.services.actors import SYSTEM
from app.settings import Settings
from tests.support.migrations import on_connection, scripts, step_to
from tests.support.postgres import create_database

PATIENCE = 60
INDEX = "ix_progress_update_returned"
STATE = (
    "SELECT c.oid, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    f"WHERE c.relname = '{INDEX}'"
)


@pytest.fixture(scope="module")
async def url(postgres_server: str) -> str:
    """A migrated PostgreSQL."""
    made = await create_database(postgres_server, f"migrating_{uuid4().hex[:8]}")
    database = opened(made)
    await database.migrate()
    await database.close()
    return made


def opened(url: str, retries: int = 0) -> Database:
    return Database(
        Settings(database_url=url, migration_lock_seconds=0.5, migration_retries=retries)
    )


async def connected(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(
        url.replace("+asyncpg", ""), server_settings={"application_name": "a long report"}
    )


def execute(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(text(statement))


def revision(connection: Connection) -> str:
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def floor(connection: Connection) -> str:
    return str(connection.execute(text("SELECT revision FROM schema_floor")).scalar_one())


async def until(is_so: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await is_so():
            await asyncio.sleep(0.02)


async def test_who_is_in_the_way_is_told(url: str) -> None:
    database, reader = opened(url), await connected(url)
    await step_to(database, "0029", down=True)
    reading = reader.transaction()
    await reading.start()
    await reader.fetch("SELECT count(*) FROM person")  # 0030 changes this table
    with pytest.raises(SchemaLocked) as refused:
        await database.migrate()
    told = str(refused.value.detail)
    assert f"session {reader.get_server_pid()} (user quickwin, a long report" in told
    assert "idle in transaction" in told
    assert await on_connection(database, revision) == "0029"
    await reading.rollback()
    await database.migrate()
    assert await on_connection(database, revision) == scripts()[-1].revision
    await reader.close()
    await database.close()


async def test_others_pass_while_a_migration_waits(url: str) -> None:
    database, reader, other = opened(url, 1_000), await connected(url), await connected(url)
    await step_to(database, "0029", down=True)
    reading = reader.transaction()
    await reading.start()
    await reader.fetch("SELECT count(*) FROM person")
    migrating = asyncio.create_task(database.migrate())
    await until(
        lambda: other.fetchval(
            "SELECT true FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))",
            reader.get_server_pid(),
        )
    )
    async with asyncio.timeout(PATIENCE):
        await other.fetch("SELECT count(*) FROM person")
    assert not migrating.done()
    await reading.rollback()
    async with asyncio.timeout(PATIENCE):
        await migrating
    assert await on_connection(database, revision) == scripts()[-1].revision
    for each in (reader, other):
        await each.close()
    await database.close()


async def test_of_several_servers_one_loads_the_demo(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = opened(url), opened(url)
    begun, waited = asyncio.Event(), asyncio.Event()
    asked: list[str] = []

    async def load(database: Database, *_: object) -> None:
        """Takes until the other one has asked twice whether it is its turn."""
        begun.set()
        async with asyncio.timeout(PATIENCE):
            await waited.wait()
        await database.write(institutions.create, SYSTEM, compose.institution())

    @event.listens_for(second.engine.sync_engine, "before_cursor_execute")  # type: ignore[union-attr]
    def count(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)
        if sum("pg_try_advisory_xact_lock" in each for each in asked) == 2:
            waited.set()

    monkeypatch.setattr(demo_loader, "load", load)
    loading = asyncio.create_task(demo_loader.load_once(first, lambda *_: None))
    async with asyncio.timeout(PATIENCE):
        await begun.wait()
        begun.clear()
        await asyncio.gather(loading, demo_loader.load_once(second, lambda *_: None))
    assert not begun.is_set()  # the second found what the first had made
    assert await second.read(demo_loader.is_loaded)
    for each in (first, second):
        await each.close()


@pytest.mark.parametrize("is_valid", [False, True])
async def test_an_index_that_was_cut_off_is_made_whole(url: str, is_valid: bool) -> None:  # noqa: FBT001  pytest's
    database, looking = opened(url), await connected(url)
    await step_to(database, "0030", down=True)
    assert await looking.fetchrow(STATE) is None
    await looking.execute(f"CREATE INDEX {INDEX} ON progress_update (id)")
    left = await looking.fetchval(f"SELECT '{INDEX}'::regclass::oid")
    await looking.execute(f"UPDATE pg_index SET indisvalid = {is_valid} WHERE indexrelid = {left}")
    await database.migrate()
    oid, valid = await looking.fetchrow(STATE)
    assert valid
    assert (oid == left) is is_valid  # one that somebody made before is not made twice
    if is_valid:
        await step_to(database, "0030", down=True)
        await database.migrate()
    await looking.close()
    await database.close()


async def test_columns_of_a_migration_that_was_cut_off_are_no_hindrance(url: str) -> None:
    """What a migration does before it makes an index is kept, though its revision is not."""
    database, looking = opened(url), await connected(url)
    await step_to(database, "0034", down=True)
    columns = "next_due_on date", "planned bigint NOT NULL DEFAULT 0"
    for column in columns:
        await looking.execute(f"ALTER TABLE initiative ADD COLUMN {column}")
    await database.migrate()
    assert await on_connection(database, revision) == scripts()[-1].revision
    for name in ("ix_initiative_next_due", "ix_milestone_late"):
        assert await looking.fetchval(f"SELECT '{name}'::regclass::oid") is not None
    await looking.close()
    await database.close()


async def test_tables_that_were_not_laid_out_are_so_at_the_next_start(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Citus a start that is cut off behind its migrations leaves tables on one machine."""
    database = opened(url)
    await step_to(database, "0039", down=True)
    lay_out = mock.AsyncMock(side_effect=[ConnectionResetError, None])
    monkeypatch.setattr(distribution, "is_laid_out", lambda _: True)
    monkeypatch.setattr(distribution, "lay_out", lay_out)
    with pytest.raises(DatabaseUnavailable):
        await database.migrate()
    assert await on_connection(database, revision) == scripts()[-1].revision
    await database.migrate()
    assert lay_out.await_count == 2
    await database.close()


async def test_servers_that_start_together_wait_for_an_index(url: str) -> None:
    """A wait for the lock must not be what an index waits for."""
    first = opened(url)
    await step_to(first, "0028", down=True)
    several = [opened(url) for _ in range(3)]
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(each.migrate() for each in several))
    assert await on_connection(first, revision) == scripts()[-1].revision
    for each in (first, *several):
        await each.close()


@pytest.fixture
async def schema(configuration: Settings, url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated database of the kind at hand."""
    if configuration.database_url.startswith("sqlite"):
        made = Database(Settings(database_url=f"sqlite:///{tmp_path / 'schema.db'}"))
    else:
        made = opened(url)
    await made.migrate()
    yield made
    await made.close()


async def test_a_release_runs_on_schemas_that_serve_it(schema: Database) -> None:
    newest, oldest = scripts()[-1].revision, await on_connection(schema, floor)
    assert oldest == max(getattr(script.module, "oldest_release", "") for script in scripts())

    def of_the_future(connection: Connection, oldest: str) -> None:
        execute(
            connection,
            "UPDATE alembic_version SET version_num = '9999'",
            f"UPDATE schema_floor SET revision = '{oldest}'",
        )

    await on_connection(schema, of_the_future, newest)
    await schema.migrate()
    assert await on_connection(schema, revision) == "9999"
    await on_connection(schema, of_the_future, "9998")
    with pytest.raises(SchemaAhead):
        await schema.migrate()
    await on_connection(
        schema,
        execute,
        f"UPDATE alembic_version SET version_num = '{newest}'",
        f"UPDATE schema_floor SET revision = '{oldest}'",
    )
