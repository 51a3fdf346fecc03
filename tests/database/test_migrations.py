"""Migrations run up, down and up again on both databases, and make what the models say."""

from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import Connection, inspect, text

from app.db import Database
from app.demo import load
from app.models import Base
from app.services import audit, rollups
from app.services.actors import SYSTEM
from app.settings import Settings
from tests.support.migrations import alembic, on_connection
from tests.support.postgres import create_database


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def areas(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM scheme_area")).scalar_one())


@pytest.fixture
async def empty(
    configuration: Settings, request: pytest.FixtureRequest, tmp_path: Path
) -> Database:
    """A database without a schema, of the kind at hand."""
    if configuration.database_url.startswith("sqlite"):
        return Database(Settings(database_url=f"sqlite:///{tmp_path / 'empty.db'}"))
    server: str = request.getfixturevalue("postgres_server")
    return Database(
        Settings(database_url=await create_database(server, f"migrations_{uuid4().hex[:8]}"))
    )


async def test_up_down_and_up_again(empty: Database) -> None:
    await empty.migrate()
    await on_connection(empty, alembic, command.check)
    assert set(Base.metadata.tables) < await on_connection(empty, tables)
    assert await on_connection(empty, areas) == 18
    await on_connection(empty, alembic, command.downgrade, "base")
    assert await on_connection(empty, tables) <= {"alembic_version"}
    await empty.migrate()
    await empty.migrate()
    assert await on_connection(empty, areas) == 18
    await empty.close()


async def test_data_survives_down_and_up(empty: Database) -> None:
    await empty.migrate()

    def counts(connection: Connection) -> list[int]:
        return [
            int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
            for table in ("unit", "initiative", "milestone", "progress_update", "rollup_period")
        ]

    await load.load(empty, 12, 60, lambda _stage, _done, _all: None)
    before = await on_connection(empty, counts)
    assert all(before)
    await on_connection(empty, alembic, command.downgrade, "0004")
    await empty.migrate()
    assert await on_connection(empty, counts) == before
    found = await empty.read(rollups.audit, SYSTEM, "kpu", lambda _done, _all: None)
    assert (found.differences, found.derived) == ([], [])
    # Events that were there before the chain are chained by the migration, as new ones are.
    for institution, least in (("kpu", 100), (None, 0)):
        trail = await empty.read(audit.verify, SYSTEM, institution, [], lambda _done, _all: None)
        assert (trail.wrong, trail.events >= least) == (0, True)
        assert trail.events == trail.head.sequence
    with pytest.raises(Exception, match="never changed or removed"):
        await on_connection(empty, lambda connection: connection.execute(text("DELETE FROM event")))
    await empty.close()
