"""The PostgreSQL that other tests lean on: it starts, serves, and leaves nothing behind."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.support import postgres
from tests.support.postgres import PostgresError, create_database, running_postgres

PROJECT = Path(__file__).parents[2]

# Prints where the server is and where its data lies, then waits to be killed.
VICTIM = """
import asyncio, sys, time
from pathlib import Path
from tests.support.postgres import running_postgres
from tests.unit.test_postgres_support import ask
with running_postgres(Path(sys.argv[1])) as url:
    print(url, asyncio.run(ask(url, "SHOW data_directory")), flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for the tests that only ask it something."""
    with running_postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


async def ask(url: str, question: str) -> object:
    """Return the one value that a query answers."""
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.scalar(text(question))
    finally:
        await engine.dispose()


def is_running(process: int) -> bool:
    """Say whether there is a process of this number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def is_listening(url: str) -> bool:
    """Say whether anything listens where the server did; its process may linger as a zombie."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", make_url(url).port or 0)) == 0


async def test_it_answers(server: str) -> None:
    assert await ask(server, "SELECT 1") == 1


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("max_connections", "100"),
        ("shared_buffers", "256MB"),
        ("server_encoding", "UTF8"),
        ("lc_messages", "C"),
    ],
)
async def test_it_is_set_up_for_tests(server: str, setting: str, value: str) -> None:
    assert await ask(server, f"SHOW {setting}") == value


async def test_a_new_database_is_separate(server: str) -> None:
    name = 'a "strange" 100% name'
    url = await create_database(server, name)
    assert await ask(url, "SELECT current_database()") == name
    assert await ask(server, "SELECT current_database()") == "postgres"


async def test_a_new_database_copies_its_template(server: str) -> None:
    template = await create_database(server, "original")
    engine = create_async_engine(template, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE mark AS SELECT 7 AS value"))
    await engine.dispose()
    copy = await create_database(server, "copy", template="original")
    assert await ask(copy, "SELECT value FROM mark") == 7


async def test_a_durable_server_keeps_its_promises_and_leaves_nothing(tmp_path: Path) -> None:
    with running_postgres(tmp_path, durable=True) as url:
        assert await ask(url, "SHOW fsync") == "on"
        assert await ask(url, "SHOW synchronous_commit") == "on"
        assert await ask(url, "SHOW full_page_writes") == "on"
        data = Path(str(await ask(url, "SHOW data_directory")))
        number = await ask(url, "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)")
        assert is_running(int(str(number)))
    assert not is_running(int(str(number)))
    assert not is_listening(url)
    assert not data.parent.exists()


def test_a_failed_start_shows_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgres.SETTINGS, "max_connections", "many")
    with (
        pytest.raises(PostgresError, match='invalid value for parameter "max_connections"'),
        running_postgres(tmp_path),
    ):
        pytest.fail("The server started.")


def test_a_killed_test_process_takes_the_server_along(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, tmp_path], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as victim:
        assert victim.stdout is not None
        url, data = victim.stdout.readline().split()
        assert is_listening(url)
        victim.kill()
    deadline = time.monotonic() + 15
    while Path(data).parent.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_listening(url)
    assert not Path(data).parent.exists()
