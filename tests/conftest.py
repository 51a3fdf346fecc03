"""Every test runs on SQLite and on PostgreSQL, each in an institution of its own.

Tests commit for real: what a commit shows (the event clock, locks, retries) is part of what they
test. An institution of its own keeps each test alone, as it keeps each tenant.
"""

import gc
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app import distribution
from app.db import Database
from app.main import COLLECTED_AFTER, create_app
from app.services import actors, operators
from app.settings import Settings
from tests.support.application import contract, document, sum_up_late
from tests.support.contract import CheckedTransport
from tests.support.institution import Institution
from tests.support.originals import Originals
from tests.support.postgres import create_database, running_postgres

CITUS = os.environ.get("TEST_CITUS_URL", "")
"""A database of a Citus cluster with its machines: then the suite runs on it alone."""
LONGEST, LONG = "test_soak", {"rollup", "processes", "database"}
"""A file, and folders."""
OPERATOR = "operator-token-of-the-tests-0123456789"
_FOR_TESTS: dict[str, Any] = {
    "rate_limit_failures": 0,
    "rate_limit_public": 0,
    "background": False,  # a test does what is done in the background when it wants it
    "webhook_networks": ("127.0.0.0/8",),
}
_numbers = itertools.count(1)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many tests wait for a server, a browser or a database.

    And one for minutes of traffic, if asked for: the test of it does nothing else but wait.
    """
    return (os.cpu_count() or 1) + 1 + bool(os.environ.get("QUICKWIN_SOAK_MINUTES"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, and its like: begun last, one alone would keep the others waiting."""
    items.sort(key=lambda item: (item.path.stem != LONGEST, item.path.parent.name not in LONG))


def pytest_collection_finish() -> None:
    """Look for garbage from here on, and only among what tests make, as a server does."""
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)
    gc.enable()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server that the tests brought themselves."""
    given = os.environ.get("QUICKWIN_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with running_postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Originals:
    """Databases to copy."""
    return Originals(tmp_path_factory)


@pytest.fixture(scope="session", params=["citus"] if CITUS else ["sqlite", "postgresql"])
async def configuration(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, originals: Originals
) -> Settings:
    """Settings of a migrated database, once for each kind; on Citus, laid out over its machines."""
    files: dict[str, Any] = {"files_url": str(tmp_path_factory.mktemp("files"))}
    if request.param == "sqlite":
        file: Path = tmp_path_factory.mktemp("sqlite") / "quickwin.db"
        chosen = Settings(database_url=originals.migrated(file), **files, **_FOR_TESTS)
    elif request.param == "citus":
        chosen = Settings(database_url=CITUS, database_pool_size=10, **files, **_FOR_TESTS)
    else:
        server: str = request.getfixturevalue("postgres_server")
        chosen = Settings(
            database_url=await create_database(server, f"quickwin_{os.getpid()}_{next(_numbers)}"),
            database_pool_size=10,
            **files,
            **_FOR_TESTS,
        )
    database = Database(chosen)
    await database.migrate()
    if request.param == "citus":
        assert isinstance(database.direct, AsyncEngine)
        await distribution.lay_out(database.direct, shards=8)
    await database.write(operators.first_start, OPERATOR)
    await database.close()
    return chosen


@pytest.fixture(scope="session")
async def app(configuration: Settings) -> AsyncIterator[FastAPI]:
    """The application, started."""
    application = create_app(configuration)
    application.openapi_schema = document()
    async with application.router.lifespan_context(application):
        sum_up_late(application)
        yield application


@pytest.fixture(scope="session")
def database(app: FastAPI) -> Database:
    """The application's own database."""
    opened: Database = app.state.database
    return opened


@pytest.fixture(scope="session")
def checked(app: FastAPI) -> CheckedTransport:
    """The application as a transport that checks every answer against the OpenAPI document."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return CheckedTransport(transport, contract())


class Clients(NamedTuple):
    """Somebody with a token, and somebody without."""

    operator: httpx.AsyncClient
    nobody: httpx.AsyncClient


@pytest.fixture(scope="session")
async def clients(checked: CheckedTransport) -> AsyncIterator[Clients]:
    """Clients of the application."""
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    async with (
        httpx.AsyncClient(transport=checked, base_url="http://test", headers=headers) as operator,
        httpx.AsyncClient(transport=checked, base_url="http://test") as nobody,
    ):
        yield Clients(operator, nobody)


@asynccontextmanager
async def _founded(
    clients: Clients, checked: CheckedTransport, database: Database
) -> AsyncIterator[Institution]:
    made = Institution(f"t{os.getpid()}-{next(_numbers)}", clients.operator, checked)
    await made.found(database, actors.identify(actors.digest(OPERATOR)))
    yield made
    await made.close()


@pytest.fixture
async def institution(
    clients: Clients, checked: CheckedTransport, database: Database
) -> AsyncIterator[Institution]:
    """A new institution with two people, a reporter and a verifier, who have tokens."""
    async with _founded(clients, checked, database) as made:
        yield made


@pytest.fixture(scope="module")
async def shared(
    clients: Clients, checked: CheckedTransport, database: Database
) -> AsyncIterator[Institution]:
    """As `institution`, one for the tests of a module that only read, or are refused."""
    async with _founded(clients, checked, database) as made:
        yield made
