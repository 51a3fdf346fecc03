"""Servers of the release before go on beside the new ones: first the schema is changed, then they are."""

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.db import Database
from app.keeping import retention
from app.main import create_app
from app.services import audit, rollups
from app.services.actors import SYSTEM
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.support import releases
from tests.support.institution import API
from tests.support.migrations import contractions, on_connection, scripts, shape
from tests.support.postgres import create_database
from tests.support.server import environment, serving

AT = f"{API}/institutions/kpu"
REPORTS = f"{AT}/initiatives/QW-1/milestones"
HEADERS = {"Authorization": f"Bearer {OPERATOR}"}
PATIENCE = 60
SHAPE = """
import sys
from sqlalchemy import create_engine
from app.models import Base
Base.metadata.create_all(create_engine(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release before."""
    made = tmp_path_factory.mktemp("previous")
    try:
        releases.unpack(releases.previous(), made)
    except releases.Unknown as error:
        pytest.skip(f"the previous release is not known: {error}")
    return made


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
    answer = await client.request(method, path, json=body, headers={"If-Match": "*"})
    assert answer.is_success, (path, answer.text)
    return answer.json()


async def percent(client: httpx.AsyncClient) -> float:
    return float((await ask(client, "GET", f"{AT}/rollup"))["percent_complete"])


async def plan(client: httpx.AsyncClient) -> None:
    await ask(client, "POST", f"{API}/institutions", {"code": "kpu", "name": "KPU"})
    await ask(client, "POST", f"{AT}/units", {"code": "32", "name": "Jawa Barat"})
    await ask(client, "POST", f"{AT}/people", {"code": "ani", "name": "Ani"})
    for code in ("QW-1", "QW-2"):
        body = {
            "code": code, "title": code, "unit": "32", "year": 2026, "areas": ["accountability"],
            "status": "active", "owners": [{"person": "ani", "role": "accountable"}],
        }  # fmt: skip
        await ask(client, "POST", f"{AT}/initiatives", body)
        for _ in range(2):
            due = {"title": "Milestone", "due_on": "2026-11-01"}
            await ask(client, "POST", f"{AT}/initiatives/{code}/milestones", due)


async def work(old: httpx.AsyncClient, new: httpx.AsyncClient) -> None:
    """What is told to one is seen by the other."""
    assert await percent(old) == await percent(new) == 0
    for on, other, number in ((old, new, 1), (new, old, 2)):
        told = {"percent_complete": 50, "source": "sakti", "external_id": "2026/7"}
        await ask(on, "POST", f"{REPORTS}/{number}/updates", told)
        await ask(other, "POST", f"{REPORTS}/{number}/updates", told)  # sent again elsewhere
        assert await percent(other) == await percent(on) == 12.5 * number
        listed = await ask(other, "GET", f"{AT}/initiatives?limit=10")
        assert {item["code"] for item in listed["items"]} == {"QW-1", "QW-2"}
    batch = {
        "items": [
            {"initiative": "QW-2", "milestone": number, "percent_complete": 100}
            for number in (1, 2)
        ]
    }
    await ask(old, "POST", f"{AT}/updates", batch)
    assert await percent(old) == await percent(new) == 75
    for client in (old, new):
        for path in (
            "rollup/children",
            "rollup/s-curve",
            "initiatives/QW-2",
            "events?after=0",
            "rollup/attention",
        ):
            await ask(client, "GET", f"{AT}/{path}")
        await ask(client, "PATCH", f"{AT}/units/32", {"name": "West Java"})


async def test_the_release_before_works_on_the_schema(
    folder: Path, postgres_server: str, tmp_path: Path
) -> None:
    """On PostgreSQL: servers of two releases do not share a file."""
    url = await create_database(postgres_server, "previous_release")
    settings = Settings(database_url=url, files_url=str(tmp_path / "files"), background=False)
    database = Database(settings)
    with serving(
        url, tmp_path / "log", token=OPERATOR, folder=folder, files_url=tmp_path / "files"
    ) as server:
        async with httpx.AsyncClient(base_url=server.url, headers=HEADERS, timeout=PATIENCE) as old:
            await plan(old)
            await database.migrate()
            app = create_app(settings)
            transport = httpx.ASGITransport(app)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(
                    transport=transport, base_url="http://test", headers=HEADERS
                ) as new,
            ):
                await work(old, new)
            ready = await ask(old, "GET", "/health/ready")
            assert ready["schema_revision"] in {"newer", "current"}
    # What the release before does not know, it does not keep: each process begins with this.
    for institution_id in await database.read(rollups.institutions):
        await retention.exhaust(database, partial(rollups.renew, institution_id=institution_id))
    started = subprocess.run(
        [sys.executable, "-m", "app", "token", "create", "again"], cwd=folder,
        env=environment(url, None), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "schema_floor" in (folder / "app" / "revisions.py").read_text(encoding="utf-8"):
        assert started.returncode == 0, (
            started.stderr
        )  # begun anew, it finds whom the schema serves
    found = await database.read(rollups.audit, SYSTEM, "kpu", lambda _done, _all: None)
    assert (found.differences, found.derived) == ([], [])
    trail = await database.read(audit.verify, SYSTEM, "kpu", [], lambda _done, _all: None)
    assert trail.wrong == 0
    await database.close()


async def test_what_its_models_name_is_there(folder: Path, tmp_path: Path) -> None:
    made, migrated = (f"sqlite:///{tmp_path / name}" for name in ("models.db", "migrated.db"))
    told = subprocess.run(
        [sys.executable, "-c", SHAPE, made], cwd=folder, env=environment(made, None),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    models, database = (Database(Settings(database_url=url)) for url in (made, migrated))
    await database.migrate()
    named, there = [await on_connection(each, shape) for each in (models, database)]
    assert len(named) > 50
    assert contractions(named, there) == [], scripts()[-1].revision
    for each in (models, database):
        await each.close()
