"""Large imports are jobs: they go on in the background, can be cancelled, and survive a killed server."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import importer
from app.db import Database
from app.models import Event, Import
from app.models import Institution as InstitutionRow
from app.models.base import new_id
from app.services import import_jobs, rollups
from app.services.actors import SYSTEM
from app.services.import_jobs import Job
from app.settings import Settings
from tests.api.test_import_files import bomb, lying
from tests.conftest import OPERATOR
from tests.support.institution import Institution, Json
from tests.support.server import Server, serving
from tests.support.sheets import XLSX, send, workbook

COUNT = 700
"""More rows than are dealt with at once."""
MOST_MEMORY = 20
"""MB; what the hostile files unpack to is 90 and 30."""


def plan(weight: int = 1) -> bytes:
    return workbook(
        [
            {"Kode": f"QW-{n}", "Judul": f"Layanan {n}", "Unit kerja": "A", "Tahun": 2025,
             "Bobot": weight, "B06": 40, "B12": 100}
            for n in range(COUNT)
        ]
    )  # fmt: skip


@pytest.fixture
async def ready(institution: Institution) -> Institution:
    await institution.unit("A")
    return institution


async def queued(institution: Institution, file: bytes, mode: str = "apply", **more: Any) -> str:
    """Submit a large file; the address of its import."""
    answer = await send(institution, file, mode, **more)
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "queued"
    return str(answer.headers["location"])


async def until(ask: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait for something to be true."""
    end = time.monotonic() + seconds
    while not (found := await ask()):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    return found


async def finished(institution: Institution, location: str) -> Json:
    async def ask() -> Json | None:
        made = await institution.expect(200, "GET", location)
        return made if made["finished_at"] else None

    made: Json = await until(ask)
    return made


async def initiatives(institution: Institution) -> int:
    return int((await institution.get("initiatives", limit=1, include_total=True))["total"])


async def test_a_large_plan_is_applied_in_the_background(
    ready: Institution, database: Database, configuration: Settings
) -> None:
    async def finish(location: str) -> Json:
        await importer.take_one(database, configuration, asyncio.Event())
        return await finished(ready, location)

    location = await queued(ready, plan(), "check")
    checked = await finish(location)
    assert (checked["status"], checked["counts"]["create"]) == ("checked", COUNT)
    assert await initiatives(ready) == 0
    made = await finish(await queued(ready, plan()))
    assert (made["status"], made["done_rows"], len(made["rows"])) == ("applied", COUNT, COUNT)
    assert await initiatives(ready) == COUNT
    again = await finish(await queued(ready, plan()))
    assert again["counts"] == {"create": 0, "change": 0, "unchanged": COUNT, "error": 0}
    listed = (await ready.get("imports", mode="apply"))["items"]
    assert [each["status"] for each in listed] == ["applied", "applied"]
    changed = await finish(await queued(ready, plan(weight=2)))
    assert changed["counts"]["change"] == COUNT
    assert (await ready.rollup(year=2025))["initiatives"]["total"] == 0  # proposed: not counted
    conflict = await ready.expect(409, "DELETE", location)
    assert conflict["code"] == "import_finished"


async def claimed(database: Database, seconds: float = 600) -> Job:
    """The job that waits, taken by this test."""
    job: Job = await until(lambda: database.write(import_jobs.claim, new_id(), seconds))
    return job


async def done(configuration: Settings, *jobs: Job) -> None:
    """Do jobs, all at once."""
    works = [importer.Work(configuration, job, threading.Event()) for job in jobs]
    await asyncio.gather(*(asyncio.to_thread(asyncio.run, work.done()) for work in works))


async def test_a_cancelled_import_writes_nothing(
    ready: Institution, database: Database, configuration: Settings
) -> None:
    location = await queued(ready, plan())
    job = await claimed(database)
    await ready.expect(204, "DELETE", location)
    await done(configuration, job)
    made = await finished(ready, location)
    assert (made["status"], made["counts"]) == ("cancelled", None)
    assert await initiatives(ready) == 0
    await ready.expect(404, "GET", f"{location}/annotated.xlsx")


async def test_of_two_who_work_on_it_one_applies_it(
    ready: Institution, database: Database, configuration: Settings
) -> None:
    location = await queued(ready, plan())
    first = await claimed(database, 0)
    second = await claimed(database)
    assert first.id == second.id
    await done(configuration, first, second)
    assert (await finished(ready, location))["status"] == "applied"
    assert await initiatives(ready) == COUNT
    assert await database.read(written, ready, "import.applied") == 1


async def test_a_job_is_done_with_the_rights_of_then(
    ready: Institution, database: Database, configuration: Settings
) -> None:
    async with await ready.person("planner", "planner", "A") as planner:
        lost = await queued(ready, plan(), client=planner)
        ended = await queued(ready, plan(), client=planner)
        for each in (await ready.get("grants", limit=200))["items"]:
            if each["person"] == "planner":
                await ready.delete(f"grants/{each['id']}")
        await done(configuration, await claimed(database))
        made = await finished(ready, lost)
        assert (made["status"], made["counts"]["error"]) == ("refused", COUNT)
        for each in (await ready.get("tokens", limit=200))["items"]:
            if each["person"] == "planner":
                await ready.delete(f"tokens/{each['id']}")
        await done(configuration, await claimed(database))
        made = await finished(ready, ended)
        assert (made["status"], made["problem"]["code"]) == ("failed", "unauthorized")
    assert await initiatives(ready) == 0


async def test_a_server_killed_within_an_apply_leaves_it_to_another(
    ready: Institution, database: Database, configuration: Settings, tmp_path: Path,
) -> None:  # fmt: skip
    url = configuration.database_url
    with serving(url, tmp_path / "log", token=OPERATOR, import_lease_seconds=1) as server:
        await check_memory(server, ready)
        location = await queued(ready, plan())

        async def is_running() -> bool:
            return bool((await ready.expect(200, "GET", location))["status"] == "running")

        await until(is_running)
        await asyncio.sleep(0.3)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    assert await is_running()
    assert await initiatives(ready) == 0
    await done(configuration, await claimed(database))
    made = await finished(ready, location)
    assert (made["status"], made["counts"]["create"]) == ("applied", COUNT)
    assert await initiatives(ready) == COUNT
    assert await database.read(written, ready, "initiative.created") == COUNT
    assert await database.read(attempts, location) == 2
    findings = await database.read(rollups.audit, SYSTEM, ready.code, lambda _done, _total: None)
    assert not findings.differences
    assert not findings.derived


async def check_memory(server: Server, institution: Institution) -> None:
    """What is hostile fills the memory of its reader, not that of the server."""
    address = f"{server.url}{institution.path}/imports?mode=apply"
    headers = {"Authorization": f"Bearer {OPERATOR}", "Content-Type": XLSX}
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        await client.post(address, content=b"code")
        before = highest_memory(server)
        for file, status in ((bomb(), 413), (lying(), 422)):
            assert (await client.post(address, content=file)).status_code == status
    assert highest_memory(server) - before < MOST_MEMORY


def highest_memory(server: Server) -> int:
    """The most memory that a server had so far, MB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def written(session: Session, institution: Institution, kind: str) -> int:
    """How many events of a kind an institution has."""
    of_it = select(func.count()).select_from(Event).join(
        InstitutionRow, InstitutionRow.id == Event.institution_id
    )  # fmt: skip
    statement = of_it.where(InstitutionRow.code == institution.code, Event.type == kind)
    return session.scalars(statement).one()


def attempts(session: Session, location: str) -> int:
    key = UUID(location.rpartition("/")[2])
    return session.scalars(select(Import.attempts).where(Import.id == key)).one()
