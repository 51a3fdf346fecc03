"""`quickwin doctor`: what is broken, one thing after another, is named with what to do about it."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Connection, text

from app import checks
from app.db import Database
from app.main import create_app
from app.services import actors, operators
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.database.test_tampering import lift, restore
from tests.support.application import contract, document
from tests.support.contract import CheckedTransport
from tests.support.institution import Institution
from tests.support.migrations import on_connection
from tests.support.postgres import create_database, free_port
from tests.support.typed import quickwin

SECRET = "geheim-4711"


class Doctor:
    """Asks the doctor, and reads what they say."""

    def __init__(self, url: str, **settings: str) -> None:
        self._url, self._settings = url, settings

    def __call__(self, *flags: str) -> tuple[int, dict[str, tuple[str, str, str]]]:
        """The exit status; and the worst of each check: its level, what is told and the cure."""
        done = quickwin(self._url, "doctor", "--json", *flags, **self._settings)
        assert done.stderr == ""
        told = json.loads(done.stdout)
        assert told["ok"] == (done.returncode == 0)
        found = {
            each["check"]: (each["level"], each["told"], each["cure"]) for each in told["findings"]
        }
        assert all(bool(cure) == (level != "ok") for level, _, cure in found.values())
        return done.returncode, found


async def execute(database: Database, *statements: str) -> None:
    def work(connection: Connection) -> None:
        lift(connection)
        for statement in statements:
            connection.execute(text(statement))
        restore(connection)

    await on_connection(database, work)


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database that nobody else breaks."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'quickwin.db'}"
    server: str = request.getfixturevalue("postgres_server")
    return await create_database(server, f"doctor_{uuid4().hex[:8]}")


async def test_one_thing_after_another_is_broken(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "files"
    doctor = Doctor(url, files_url=str(files))
    if url.startswith("sqlite"):
        status, found = doctor()
        assert (status, found["database"][:2]) == (1, ("problem", "The file is not there."))
        assert not (tmp_path / "quickwin.db").exists()
    settings: dict[str, Any] = {"database_url": url, "files_url": str(files), "background": False}
    database = Database(Settings(**settings))
    if not database.is_sqlite:
        status, found = doctor()
        assert (status, found["schema"][:2]) == (1, ("problem", "There is none."))
        assert "roll-ups" not in found
    await database.migrate()
    await database.write(operators.first_start, OPERATOR)
    app = create_app(Settings(**settings))
    app.openapi_schema = document()
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    async with app.router.lifespan_context(app):
        transport = CheckedTransport(httpx.ASGITransport(app), contract())
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test", headers=headers
        ) as operator:
            institution = Institution("kpu", operator, transport)
            await institution.found(database, actors.identify(actors.digest(OPERATOR)))
            await institution.initiative(
                "QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}]
            )
            await institution.report("QW-1", 1, 40, "2022-06-01")
            await institution.post("webhooks", {"url": "https://x.example/", "unit": "kpu"})
            await institution.unit("A")
            await institution.close()
    files.mkdir(exist_ok=True)
    healthy = await everything_is_well(doctor)
    monkeypatch.setattr(checks, "CLOCK_SECONDS", -1.0)
    monkeypatch.setattr(checks, "WEBHOOK_SECONDS", 0.0)
    monkeypatch.setattr(checks, "LEAST_FREE", 2.0)
    status, found = doctor()
    assert status == 0  # these are warnings
    warned = {name for name, (level, *_) in found.items() if level == "warning"}
    assert warned == {"webhooks", "files"} | (set() if database.is_sqlite else {"clock"})
    await each_problem_is_named(doctor, database, files, healthy)
    await database.close()


async def everything_is_well(doctor: Doctor) -> set[str]:
    status, found = doctor()
    assert {level for level, *_ in found.values()} == {"ok"}, found
    assert status == 0
    assert "2 units were looked at" in found["roll-ups"][1]
    status, full = doctor("--full")
    assert status == 0
    assert "1 initiatives were recomputed" in full["roll-ups"][1]
    assert set(full) == set(found)
    return set(found)


async def each_problem_is_named(
    doctor: Doctor, database: Database, files: Path, every: set[str]
) -> None:
    def problems(*flags: str) -> set[str]:
        status, found = doctor(*flags)
        assert set(found) == every
        named = {name for name, (level, *_) in found.items() if level == "problem"}
        assert status == (1 if named else 0)
        return named

    await execute(database, "UPDATE rollup_total SET bac = bac + 1")
    assert problems() == problems("--full") == {"roll-ups"}
    await execute(database, "UPDATE rollup_total SET bac = bac - 1")
    last = "sequence = (SELECT max(sequence) FROM event AS other WHERE other.institution_id = event.institution_id)"
    await execute(database, f"UPDATE event SET actor = 'x' || actor WHERE {last}")
    assert problems() == problems("--full") == {"trail"}
    await execute(database, "UPDATE event SET actor = substr(actor, 2) WHERE actor LIKE 'x%'")
    assert problems() == set()
    (files / "unfinished").rmdir()
    (files / "unfinished").write_text("in the way")
    assert problems() == {"files"}
    (files / "unfinished").unlink()
    await execute(database, "UPDATE alembic_version SET version_num = '9999'")
    assert doctor()[1]["schema"][0] == "warning"
    await execute(database, "UPDATE schema_floor SET revision = '9999'")
    status, found = doctor()
    assert (status, found["schema"][0]) == (1, "problem")
    assert "Install that release" in found["schema"][2]
    await execute(database, "UPDATE alembic_version SET version_num = '0001'")
    status, found = doctor()
    assert (status, found["schema"][0]) == (1, "problem")
    assert "quickwin db upgrade" in found["schema"][2]


def test_a_database_that_is_away_is_said_to_be() -> None:
    url = f"postgresql://u:{SECRET}@127.0.0.1:{free_port()}/x"
    told = quickwin(url, "doctor")
    assert told.returncode == 1
    assert "PROBLEM  database  It cannot be reached: " in told.stdout
    assert " → See that it runs" in told.stdout
    assert SECRET not in told.stdout + told.stderr


def test_settings_that_are_wrong_are_findings() -> None:
    told = quickwin("sqlite://", "doctor", database_pool_size=SECRET, databse_url=SECRET)
    assert told.returncode == 1
    assert "PROBLEM  settings  QUICKWIN_DATABASE_POOL_SIZE: " in told.stdout
    assert "Allowed: a whole number from 1 to 200" in told.stdout
    assert "QUICKWIN_DATABSE_URL is no setting." in told.stdout
    assert "Did you mean QUICKWIN_DATABASE_URL?" in told.stdout
    assert "database  " not in told.stdout.replace("settings", "")
    assert SECRET not in told.stdout + told.stderr
