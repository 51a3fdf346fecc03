"""Behind PgBouncer in transaction mode: each transaction may be on another connection."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import DatabaseUnavailable, TimedOut
from app.main import create_app
from app.services import operators
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.support import pgbouncer
from tests.support.application import contract, document
from tests.support.contract import CheckedTransport
from tests.support.institution import API, Institution
from tests.support.postgres import create_database

pytestmark = pgbouncer.NEEDED
CONNECTIONS = 3
"""Of the pooler: fewer than our clients, which so share them."""
SOON = 60.0


class Behind(NamedTuple):
    """An application behind a pooler."""

    app: FastAPI
    settings: Settings
    institution: Institution

    @property
    def database(self) -> Database:
        """The application's own."""
        opened: Database = self.app.state.database
        return opened


@pytest.fixture(scope="module")
async def behind(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Behind]:
    url = await create_database(postgres_server, "behind_a_pooler")
    folder: Path = tmp_path_factory.mktemp("files")
    with pgbouncer.pooled(url, CONNECTIONS) as pooler:
        chosen = Settings(
            database_url=pooler, database_direct_url=url, files_url=str(folder),
            database_statement_seconds=1, request_seconds=60, background=False,
        )  # fmt: skip
        database = Database(chosen)
        await database.migrate()
        await database.write(operators.first_start, OPERATOR)
        await database.close()
        app = create_app(chosen)
        app.openapi_schema = document()
        async with app.router.lifespan_context(app):
            transport = CheckedTransport(
                httpx.ASGITransport(app, raise_app_exceptions=False), contract()
            )
            headers = {"Authorization": f"Bearer {OPERATOR}"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://test", headers=headers
            ) as client:
                institution = Institution("pooled", client, transport)
                await institution.create()
                yield Behind(app, chosen, institution)
                await institution.close()


async def test_many_work_at_once_and_the_sum_is_exact(behind: Behind) -> None:
    institution = behind.institution
    for i in range(4):
        milestones = [{"title": f"Step {n}", "due_on": "2022-06-30"} for n in range(1, 5)]
        await institution.initiative(f"QW-{i}", milestones=milestones)

    async def batch(i: int) -> None:
        items = [
            {"initiative": f"QW-{i}", "milestone": n, "percent_complete": 25, "source": "t",
             "external_id": f"{i}-{n}-{again}", "effective_on": f"2022-02-{again + 1:02}"}
            for n in range(1, 5) for again in range(3)
        ]  # fmt: skip
        path = f"{institution.path}/updates"
        answer = await institution.expect(207, "POST", path, {"items": items})
        assert answer["summary"]["created"] == len(items)

    async def look(i: int) -> None:
        await institution.get("initiatives")
        await institution.get(f"initiatives/QW-{i}")
        await institution.get("rollup")

    for i in range(4):
        await asyncio.gather(batch(i), *(look(i) for _ in range(5)))
    assert (await institution.get("rollup"))["percent_complete"] == 25
    exported = await institution.operator.get(f"{institution.path}/exports/initiatives.csv")
    assert exported.status_code == 200
    assert exported.text.count("\n") == 5


async def test_no_statement_is_left_behind_in_a_connection(behind: Behind) -> None:
    def named(session: Session) -> int:
        counted: int = session.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
        return counted

    found = await asyncio.gather(*(behind.database.read(named) for _ in range(2 * CONNECTIONS)))
    assert set(found) == {0}


async def test_time_limits_hold_and_leave_nothing_behind(behind: Behind) -> None:
    database = Database(behind.settings, limited=True)
    with pytest.raises(TimedOut):
        await database.read(lambda session: session.execute(text("SELECT pg_sleep(60)")))
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")

    def limits(session: Session) -> list[str]:
        return [session.execute(text(f"SHOW {name}")).scalar_one() for name in names]

    assert await database.read(limits) == ["1s", "10s", "1min"]
    await database.close()
    unlimited = Database(behind.settings)
    for _ in range(2 * CONNECTIONS):
        assert await unlimited.read(limits) == ["0", "0", "0"]
    await unlimited.close()


async def test_other_processes_are_heard_past_the_pooler(behind: Behind) -> None:
    other = Database(behind.settings)
    async with other.wakes.listening():
        with other.wakes.waking() as waker:
            async with asyncio.timeout(SOON):
                for i in range(10_000):
                    await behind.institution.unit(f"heard-{i}")
                    if await waker.wait(0.25):
                        break
    await other.close()


async def test_migrations_go_past_the_pooler_or_not_at_all(behind: Behind) -> None:
    past = Database(behind.settings)
    await past.migrate()
    await past.close()
    for changes in (
        {"database_direct_url": None},
        {"database_direct_url": behind.settings.database_url},
    ):
        through = Database(behind.settings.model_copy(update=changes))
        with pytest.raises(DatabaseUnavailable, match="QUICKWIN_DATABASE_DIRECT_URL"):
            await through.migrate()
        await through.close()


async def test_what_takes_minutes_keeps_no_connection_of_the_pooler(behind: Behind) -> None:
    def where(session: Session) -> int:
        pid: int = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        return pid

    reads = (behind.database.read(where) for _ in range(4 * CONNECTIONS))
    servers = set(await asyncio.gather(*reads))
    assert len(servers) <= CONNECTIONS
    assert await behind.database.read_apart(where) not in servers


async def test_a_pooler_may_stay_without_a_way_past_it(behind: Behind) -> None:
    """As long as somebody else migrates: then other processes are not heard, and found by looking."""
    changes = {"database_direct_url": None, "database_statement_cache": 0}
    database = Database(behind.settings.model_copy(update=changes), limited=True)
    for _ in range(2 * CONNECTIONS):
        assert await database.read(lambda session: session.execute(text("SELECT 1")).scalar()) == 1
    await database.close()
    assert (await behind.institution.operator.get(f"{API}/me")).status_code == 200
