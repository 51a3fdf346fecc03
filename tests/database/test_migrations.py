"""Migrations run up, down and up again on both databases, and make what the models say."""

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import Database
from app.demo import load
from app.models import Base
from app.services import audit, rollups
from app.services.actors import SYSTEM
from app.settings import Settings
from migrations import filling
from tests.support.migrations import alembic, on_connection, scripts, step_to
from tests.support.postgres import create_database

MILESTONES = int(os.environ.get("QUICKWIN_TEST_MILESTONES", "0"))
SMALL = 1_000
BEFORE_FOLLOW_UPS = "0037"
"""What is open before is counted when the ledger is to count it."""
PLANS = "0003"
"""From here on there are initiatives, milestones and reports."""
STAMPS = {"alembic_version", "schema_floor"}


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


def follow_ups(connection: Connection) -> int:
    counted = connection.execute(text("SELECT sum(follow_ups) FROM rollup_total")).scalar_one()
    return int(counted)


Content = dict[tuple[str, str], tuple[int, int]]
"""Rows and a digest of the values, whatever their order, by table and column."""


def content(connection: Connection) -> Content:
    found: Content = {}
    for (_, table), columns in inspect(connection).get_multi_columns().items():
        if table in STAMPS:
            continue
        names = [column["name"] for column in columns]
        listed = ", ".join(f'"{name}"' for name in names)
        rows, sums = 0, [0] * len(names)
        for row in connection.exec_driver_sql(f'SELECT {listed} FROM "{table}"'):
            rows += 1
            for at, value in enumerate(row):
                sums[at] += hash(value if value.__hash__ else repr(value))
        found.update({(table, name): (rows, each) for name, each in zip(names, sums, strict=True)})
    return found


def counted(connection: Connection) -> Content:
    """As `content`, by counts alone, at a size where more would take hours."""
    found: Content = {}
    for (_, table), columns in inspect(connection).get_multi_columns().items():
        if table not in STAMPS:
            rows = connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one()
            found.update({(table, column["name"]): (rows, 0) for column in columns})
    return found


def lost(before: Content, after: Content) -> dict[tuple[str, str], object]:
    """What is there before and after, and not the same."""
    both = before.keys() & after.keys()
    return {each: (before[each], after[each]) for each in both if before[each] != after[each]}


@pytest.mark.skipif(
    not MILESTONES,
    reason="minutes: QUICKWIN_TEST_MILESTONES says how many (100000, or 60 in detail)",
)
async def test_each_step_loses_only_what_it_must(empty: Database) -> None:
    """With data, down step by step and up again; prints the seconds of each."""
    await empty.migrate()
    await load.load(empty, max(12, MILESTONES // 20), MILESTONES, lambda _stage, _done, _all: None)
    look = content if MILESTONES <= SMALL else counted
    revisions = [script.revision for script in scripts()]
    whole, before = await on_connection(empty, content), await on_connection(empty, look)
    turn = revisions.index(PLANS)
    for down, steps in (
        (True, pairwise(revisions[turn:][::-1])),
        (False, pairwise(revisions[turn:])),
    ):
        for source, target in steps:
            started = time.perf_counter()
            await step_to(empty, target, down=down)
            seconds = time.perf_counter() - started
            print(f"{empty.engine.name} {source} to {target}: {seconds:.2f} s")  # noqa: T201  its answer
            after = await on_connection(empty, look)
            assert lost(before, after) == {}, (source, target)
            before = after
        kept = await on_connection(empty, content)
        assert lost(whole, kept) == {}
        whole = kept  # what went with its columns does not come back
    found = await empty.read(rollups.audit, SYSTEM, "kpu", lambda _done, _all: None)
    assert (found.differences, found.derived) == ([], [])
    await on_connection(empty, alembic, command.downgrade, "base")
    await empty.close()


@contextmanager
def portions(database: Database) -> Iterator[list[int]]:
    """For each portion of initiatives that is filled meanwhile, how many locks keep all others waiting."""
    found = list[int]()

    def see(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE initiative SET"):
            held = connection.exec_driver_sql(
                "SELECT count(*) FROM pg_locks WHERE relation = 'initiative'::regclass "
                "AND mode = 'AccessExclusiveLock'"
            )
            found.append(held.scalar_one())

    assert isinstance(database.engine, AsyncEngine)
    event.listen(database.engine.sync_engine, "before_cursor_execute", see)
    yield found
    event.remove(database.engine.sync_engine, "before_cursor_execute", see)


async def test_data_survives_down_and_up(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await empty.migrate()

    def counts(connection: Connection) -> list[int]:
        return [
            int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
            for table in ("unit", "initiative", "milestone", "progress_update", "rollup_period")
        ]

    await load.load(empty, 12, 60, lambda _stage, _done, _all: None)
    before = await on_connection(empty, counts)
    assert all(before)
    await on_connection(empty, alembic, command.downgrade, BEFORE_FOLLOW_UPS)
    await empty.migrate()
    found = await empty.read(rollups.audit, SYSTEM, "kpu", lambda _done, _all: None)
    assert (found.differences, found.derived) == ([], [])
    assert await on_connection(empty, follow_ups) > 0
    await on_connection(empty, alembic, command.downgrade, "0004")
    if empty.is_sqlite:
        await empty.migrate()
    else:
        monkeypatch.setattr(filling, "AT_ONCE", 5)
        with portions(empty) as filled:
            await empty.migrate()
        assert filled == [0] * 2 * math.ceil(before[1] / 5)  # what 0035 adds, and 0039
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
