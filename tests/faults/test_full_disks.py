"""A disk that is full: a clear 503, reads go on, nothing is damaged, and writes recover."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from app.db import Database
from app.main import create_app
from app.services import operators, rollups
from app.services.actors import SYSTEM
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.faults.storm import plan
from tests.support.application import contract
from tests.support.contract import CheckedTransport
from tests.support.institution import Institution, Json
from tests.support.postgres import create_database, running_postgres

MEGABYTES = 48


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own that is soon full."""
    place = Path(tempfile.mkdtemp(prefix="quickwin-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=0777", "none", str(place)]
    if (
        shutil.which("mount") is None
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        place.rmdir()
        pytest.skip("a file system can be mounted by root alone")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
        place.rmdir()


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Nothing is left on a disk."""
    stuffing = disk / "stuffing"
    with stuffing.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    assert os.statvfs(disk).f_bavail * 4096 < 1 << 16
    try:
        yield
    finally:
        stuffing.unlink()


@asynccontextmanager
async def institution_on(url: str) -> AsyncIterator[tuple[Institution, Database]]:
    """An institution with a plan, in the application over a database."""
    # Without background work: what fills the disk is what the test writes, on one connection.
    chosen = Settings(database_url=url, background=False)
    bare = Database(chosen)
    await bare.migrate()
    await bare.write(operators.first_start, OPERATOR)
    await bare.close()
    app = create_app(chosen)
    async with app.router.lifespan_context(app):
        plain = httpx.ASGITransport(app, raise_app_exceptions=False)
        transport = CheckedTransport(plain, contract())
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test", headers=headers
        ) as operator:
            made = Institution("full", operator, transport)
            await made.create()
            await plan(made)
            yield made, app.state.database
            await made.close()


async def write(institution: Institution, n: int) -> httpx.Response:
    """A batch whose notes take a quarter of a megabyte."""
    items = [
        {"initiative": f"QW-{i % 8}", "milestone": 1, "percent_complete": 5, "note": os.urandom(2_500).hex(),
         "source": "full", "external_id": f"{n}-{i}"}
        for i in range(50)
    ]  # fmt: skip
    return await institution.operator.post(f"{institution.path}/updates", json={"items": items})


async def until_full(institution: Institution) -> tuple[int, Json]:
    """Write until it is refused: how many batches were taken, and the problem."""
    for n in range(400):
        answer = await write(institution, n)
        if answer.status_code != 207:
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) > 0
            problem: Json = answer.json()
            return n, problem
    pytest.fail("it was never full")


async def is_whole(institution: Institution, database: Database, batches: int) -> None:
    """Exactly what was acknowledged is there, and reads go on."""
    feed = await institution.get("updates", limit=1, include_total=True)
    assert feed["total"] == batches * 50
    found = await database.read(rollups.audit, SYSTEM, institution.code, lambda _done, _all: None)
    assert (found.differences, found.derived) == ([], [])


async def test_sqlite_on_a_full_disk(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk / 'quickwin.db'}"
    async with institution_on(url) as (institution, database):
        with filled(small_disk):
            taken, problem = await until_full(institution)
            assert problem["code"] == "storage_full"
            await is_whole(institution, database, taken)
        assert (await write(institution, taken)).status_code == 207
        await is_whole(institution, database, taken + 1)
        check = await database.read(lambda s: s.execute(text("PRAGMA integrity_check")).all())
        assert [row[0] for row in check] == ["ok"]


async def test_sqlite_at_its_most_pages(tmp_path: Path) -> None:
    """The same without a disk of its own: SQLite's limit of pages is met by the same error."""
    async with institution_on(f"sqlite:///{tmp_path / 'quickwin.db'}") as (institution, database):

        def limit(session: Any, more: int) -> None:
            # A limit belongs to a connection; the pool has just one writer at a time.
            pages = session.execute(text("PRAGMA page_count")).scalar_one()
            session.execute(text(f"PRAGMA max_page_count = {pages + more}"))

        await database.write(limit, 200)
        taken, problem = await until_full(institution)
        assert problem["code"] == "storage_full"
        await is_whole(institution, database, taken)
        await database.write(limit, 100_000)
        assert (await write(institution, taken)).status_code == 207
        await is_whole(institution, database, taken + 1)


async def test_postgresql_on_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    """The tables are on the small disk, the log of writes is not: as with a volume for data."""
    with running_postgres(tmp_path) as server:
        space = small_disk / "tables"
        space.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(space, "nobody")
        connection = await asyncpg.connect(server.replace("+asyncpg", ""))
        await connection.execute(f"CREATE TABLESPACE small LOCATION '{space}'")
        await connection.close()
        url = await create_database(server, "full", tablespace="small")
        async with institution_on(url) as (institution, database):
            with filled(small_disk):
                taken, problem = await until_full(institution)
                assert problem["code"] == "storage_full"
                await is_whole(institution, database, taken)
            assert (await write(institution, taken)).status_code == 207
            await is_whole(institution, database, taken + 1)
