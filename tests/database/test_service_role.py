"""On PostgreSQL the service runs as a role that may write rows, and cannot touch a table."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from uuid import uuid4

import asyncpg
import httpx
import pytest
from sqlalchemy import make_url

from app import db
from app.db import Database
from app.main import create_app
from app.services import operators
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.support.institution import API
from tests.support.postgres import create_database
from tests.support.server import quickwin

ROLE = "quickwin service"
PASSWORD = "service"


@pytest.fixture
async def owned(postgres_server: str) -> str:
    """The owner's URL of an empty database on a server that has the service's role."""
    url = await create_database(postgres_server, f"owned_{uuid4().hex[:8]}")
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    with suppress(asyncpg.DuplicateObjectError):  # it is the server's, and another test's
        await connection.execute(f"CREATE ROLE \"{ROLE}\" LOGIN PASSWORD '{PASSWORD}'")
    await connection.close()
    return url


def as_service(url: str) -> str:
    """The same database, for the service."""
    return make_url(url).set(username=ROLE, password=PASSWORD).render_as_string(hide_password=False)


async def test_the_service_needs_no_right_to_tables(owned: str) -> None:
    too_early = quickwin(as_service(owned), "db", "upgrade")
    assert too_early.returncode == 1
    assert "as the owner of the tables" in " ".join(too_early.stderr.split())

    upgraded = quickwin(owned, "db", "upgrade", "--service-role", ROLE)
    assert upgraded.returncode == 0, upgraded.stderr

    settings = Settings(database_url=as_service(owned))
    database = Database(settings)
    await database.migrate()  # finds the schema up to date
    await database.write(operators.first_start, OPERATOR)
    await database.close()
    app = create_app(settings)
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client,
    ):
        body = {"code": "kpu", "name": "KPU"}
        assert (await client.post(f"{API}/institutions", json=body)).status_code == 201
        unit = {"code": "32", "name": "Jawa Barat"}
        assert (await client.post(f"{API}/institutions/kpu/units", json=unit)).status_code == 201
        feed = (await client.get(f"{API}/institutions/kpu/events")).json()
        assert [event["type"] for event in feed["items"]] == [
            "institution.created",
            "unit.created",
        ]

    connection = await asyncpg.connect(as_service(owned).replace("+asyncpg", ""))
    for statement in (
        "DROP TABLE unit", "ALTER TABLE unit ADD COLUMN more int", "CREATE TABLE mine (id int)",
        "TRUNCATE unit", "DELETE FROM event", "UPDATE event SET actor = 'nobody'",
        "DELETE FROM frozen_report", "UPDATE frozen_report SET title = ''",
        "UPDATE alembic_version SET version_num = '0001'", "DROP INDEX ix_unit_institution_id_parent_id",
    ):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_rights_are_given_by_one_at_a_time(
    owned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL fails a statement that changes the rights on what another is changing."""
    giving, most = 0, 0

    def slowly(_role: str) -> Iterator[str]:
        nonlocal giving, most
        giving += 1
        most = max(most, giving)
        yield "SELECT pg_sleep(0.8)"
        giving -= 1

    monkeypatch.setattr(db, "service_role_grants", slowly)
    several = [Database(Settings(database_url=owned)) for _ in range(2)]
    await several[0].migrate()
    await asyncio.gather(*(each.migrate(service_role=ROLE) for each in several))
    assert (giving, most) == (0, 1)
    for each in several:
        await each.close()


def test_sqlite_has_no_roles() -> None:
    told = quickwin("sqlite:///:memory:", "db", "upgrade", "--service-role", ROLE)
    assert told.returncode == 2
    assert "SQLite has no roles" in told.stderr
