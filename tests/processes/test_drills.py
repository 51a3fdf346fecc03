"""The drill: a service is backed up under load and comes back on an empty machine, whatever is killed."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import asyncpg
import httpx
import pytest
from anyio import to_thread
from sqlalchemy import text

from app.db import Database
from app.keeping import restoring
from app.keeping.container import Reader, Refused
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.support.documents import PDF
from tests.support.institution import Institution
from tests.support.postgres import create_database, programs
from tests.support.server import environment, serving
from tests.support.typed import quickwin

PROGRAMS = {"postgres_programs": str(programs())}
CODE = "drill"
KILLED = """
import os, signal
from app import cli
from app.keeping import container, postgres
left, copy = [int(os.environ.pop("QUICKWIN_TEST_COPIES"))], container.copy
def half(source, target):
    left[0] -= 1
    if left[0]:
        return copy(source, target)
    target.write(source.read(2_000))
    os.kill(os.getpid(), signal.SIGKILL)
container.copy = postgres.copy = half
cli.main()
"""
"""`quickwin`, which is killed in the middle of the copy of this number."""


class Machine:
    """Where a service is, or comes to be: a database, a folder of files, and one of backups."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.settings = {"files_url": str(folder / "files"), **PROGRAMS}
        folder.mkdir()

    async def killed(self, copies: int, *arguments: str) -> None:
        """Run `quickwin`, which is killed in the middle of a copy."""
        seen = environment(self.url, None, test_copies=copies, **self.settings)
        command = [sys.executable, "-c", KILLED, *arguments]
        process = await asyncio.create_subprocess_exec(*command, env=seen)
        assert await process.wait() == -9

    def refusal(self, *arguments: str) -> str:
        """What a command says that is refused."""
        done = quickwin(self.url, *arguments, **self.settings)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), done
        return done.stderr

    def done(self, *arguments: str) -> str:
        """What a command says that is done."""
        done = quickwin(self.url, *arguments, **self.settings)
        assert done.returncode == 0, done
        return done.stdout


@pytest.fixture(params=["sqlite", "postgresql"])
async def machines(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Machine, Machine]:
    """One for the service, and an empty one."""
    if request.param == "sqlite":
        urls = [f"sqlite:///{tmp_path / name / 'q.db'}" for name in ("here", "there")]
    else:
        server: str = request.getfixturevalue("postgres_server")
        urls = [await create_database(server, f"drill_{uuid4().hex[:8]}") for _ in range(2)]
    return Machine(urls[0], tmp_path / "here"), Machine(urls[1], tmp_path / "there")


async def test_a_drill(machines: tuple[Machine, Machine], tmp_path: Path) -> None:
    here, there = machines
    file = tmp_path / "quickwin.backup"
    log = tmp_path / "log"
    with serving(here.url, log, files_url=here.settings["files_url"], token=OPERATOR) as server:
        before, after = await back_up_under_load(here, server.url, file)
    assert here.done("backup", "--check", str(file)).startswith(f"{file} is whole: 2 parts")
    with Reader(file) as backup:
        manifest = backup.manifest
    head = next(head for head in manifest.heads if head.institution == CODE)
    assert before["version"] <= head.sequence <= after["version"]

    await a_killed_restore_is_not_ready(there, file)
    assert "0 differences" in there.done("restore", str(file))
    assert await counted(there) == manifest.tables
    anchor = f"{head.sequence}:{head.digest}"
    assert "all in order" in there.done(
        "audit", "verify", "--institution", CODE, "--anchor", anchor
    )
    assert " 0 differences" in there.done("rollups", "verify")
    (kept,) = [path for path in (there.folder / "files").rglob("*") if path.is_file()]
    assert kept.read_bytes() == PDF
    assert "not empty" in there.refusal("restore", str(file))
    kept.write_bytes(b"no PDF")
    assert "0 differences" in there.done("restore", str(file), "--replace")
    assert kept.read_bytes() == PDF
    kept.unlink()
    made = quickwin(there.url, "backup", str(tmp_path / "without"), **there.settings)
    assert (made.returncode, "1 uploaded files are not there" in made.stderr) == (0, True), made


async def test_what_others_have_in_the_database_is_left_alone(
    postgres_server: str, tmp_path: Path
) -> None:
    """Neither is it backed up, nor emptied; a table that came with an extension, as PostGIS's, too."""
    here, there = [
        Machine(
            await create_database(postgres_server, f"shared_{uuid4().hex[:8]}"), tmp_path / name
        )
        for name in ("here", "there")
    ]
    for machine in (here, there):
        await executed(
            machine.url,
            "CREATE SCHEMA theirs",
            "CREATE TABLE theirs.unit (id integer)",
            "CREATE TABLE spatial_ref_sys (srid integer PRIMARY KEY)",
            "ALTER EXTENSION plpgsql ADD TABLE spatial_ref_sys",
            f"INSERT INTO theirs.unit VALUES ({1 if machine is here else 2})",
            f"INSERT INTO spatial_ref_sys VALUES ({1 if machine is here else 2})",
        )
    here.done("token", "create", "kept")
    file = tmp_path / "quickwin.backup"
    here.done("backup", str(file))
    assert "0 differences" in there.done("restore", str(file))
    assert "not empty" in there.refusal("restore", str(file))
    there.done("token", "create", "later")
    assert "0 differences" in there.done("restore", str(file), "--replace")
    assert await executed(there.url, "SELECT name FROM api_token") == ["kept"]
    for table in ("theirs.unit", "spatial_ref_sys"):
        assert await executed(there.url, f"SELECT * FROM {table}") == [2]


async def executed(url: str, *statements: str) -> list[Any]:
    """What the last of some statements answers, as the owner of the server."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for statement in statements:
            found = await connection.fetch(statement)
        return [row[0] for row in found]
    finally:
        await connection.close()


class Reports:
    """Somebody who reports, one report after the other."""

    def __init__(self, institution: Institution) -> None:
        self.acknowledged, self.is_over = 0, False
        self._institution = institution

    async def go_on(self) -> None:
        """Until it is over; each report is acknowledged."""
        while not self.is_over:
            path = "initiatives/QW-1/milestones/1/updates"
            body = {"percent_complete": self.acknowledged % 101, "effective_on": "2022-06-01"}
            await self._institution.post(path, body)
            self.acknowledged += 1
            await asyncio.sleep(0.02)  # what is tested is that it goes on, not how fast


async def back_up_under_load(
    here: Machine, url: str, file: Path
) -> tuple[dict[str, int], dict[str, int]]:
    """Back up while reports come in, once killed in the middle; the roll-ups before and after."""
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        institution = Institution(CODE, client, httpx.AsyncHTTPTransport())
        await institution.create()
        await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
        sent = await client.post(
            f"{institution.path}/files?name=sk.pdf",
            content=PDF,
            headers={"Content-Type": "application/pdf"},
        )
        assert sent.status_code == 201, sent.text
        reports = Reports(institution)
        writing = asyncio.create_task(reports.go_on())
        try:
            await here.killed(1, "backup", str(file))
            assert not file.exists()
            before, written = await institution.rollup(), reports.acknowledged
            await to_thread.run_sync(here.done, "backup", str(file))
            assert reports.acknowledged > written, "nobody wrote meanwhile"
        finally:
            reports.is_over = True
            await writing
        after = await institution.rollup()
        await institution.close()
    return before, after


async def a_killed_restore_is_not_ready(there: Machine, file: Path) -> None:
    """It is begun anew, whether it was killed in the middle or something was wrong at the end."""
    await there.killed(3, "restore", str(file))  # two copies have checked the parts
    if there.url.startswith("sqlite"):
        assert not (there.folder / "q.db").exists()
    else:
        assert "has not ended" in there.refusal("rollups", "verify")
    with mock.patch.object(restoring, "verify", side_effect=Refused("a finding")):
        assert "a finding" in there.refusal("restore", str(file))
    if there.url.startswith("sqlite"):
        assert [path.name for path in there.folder.iterdir()] == ["files"]
    else:
        assert "has not ended" in there.refusal("token", "create", "x")


async def counted(there: Machine) -> dict[str, int]:
    """Rows by table, as the database counts them."""
    database = Database(Settings(database_url=there.url))
    try:
        return await database.read(
            lambda session: {
                name: session.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0
                for name in json.loads(session.scalar(text(NAMES[database.is_sqlite])) or "")
            }
        )
    finally:
        await database.close()


NAMES = {
    True: "SELECT json_group_array(name) FROM sqlite_master WHERE type = 'table'",
    False: "SELECT CAST(json_agg(tablename) AS text) FROM pg_tables WHERE schemaname = 'public'",
}
