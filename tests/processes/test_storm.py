"""Many writers at once, and a server killed in the middle: nothing lost, nothing half done."""

import asyncio
import itertools
import signal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.db import Database
from app.rollup.audit import Findings
from app.services import audit as chained
from app.services import rollups
from app.services.actors import SYSTEM
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.support.institution import API, Institution
from tests.support.server import serving

WRITERS = 8
MOST_REPORTS = 150


async def audit(database: Database, code: str) -> Findings:
    return await database.read(rollups.audit, SYSTEM, code, lambda _done, _total: None)


async def plan(institution: Institution, initiatives: int, milestones: int = 2) -> None:
    """Units A (with A1, A2) and B, and initiatives spread over them."""
    for unit, parent in (("A", None), ("A1", "A"), ("A2", "A"), ("B", None)):
        await institution.unit(unit, parent)
    for i in range(initiatives):
        plans = [{"title": "Step", "due_on": "2022-06-30"}] * milestones
        unit = ("A1", "A2", "B")[i % 3]
        await institution.initiative(f"QW-{i}", unit, milestones=plans, weight=1 + i % 7)


async def test_eight_writers_lose_nothing(institution: Institution, database: Database) -> None:
    await plan(institution, 6)
    before = (await institution.rollup())["version"]

    async def write(writer: int) -> int:
        reports = 0
        for i in range(12):
            # Each writer reports on every initiative in its own order: rows collide on purpose.
            code = f"QW-{(writer + i) % 6}"
            await institution.report(
                code, 1 + i % 2, (writer * 12 + i) % 101, f"2022-0{1 + i % 5}-03"
            )
            reports += 1
        return reports

    async def move() -> None:
        for target in ("B", "A", "B", "A"):
            body = {"parent": target}
            await institution.expect(200, "POST", f"{institution.path}/units/A1/move", body)

    moving = asyncio.create_task(move())
    written = await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    await moving
    assert sum(written) == 96
    assert (await institution.rollup())["version"] == before + 96 + 4
    feed = await institution.get("updates", limit=1, include_total=True)
    assert feed["total"] == 96
    findings = await audit(database, institution.code)
    assert not findings.differences
    assert not findings.derived


async def test_units_merge_under_eight_writers(
    institution: Institution, database: Database
) -> None:
    """Whoever changes the tree has a turn, and each acknowledged report counts where it belongs."""
    await plan(institution, WRITERS)
    before = (await institution.rollup())["version"]
    acknowledged: set[str] = set()
    reorganised = asyncio.Event()

    async def write(writer: int) -> None:
        for i in range(MOST_REPORTS):
            if i >= 12 and reorganised.is_set():
                return
            code, day = f"QW-{(writer + i) % WRITERS}", f"2022-0{1 + i % 5}-0{1 + i % 9}"
            report = await institution.report(code, 1 + i % 2, (writer * 12 + i) % 101, day)
            acknowledged.add(report["id"])

    async def reorganise() -> int:
        steps = 0
        for n, (unit, into) in enumerate((("A2", "A1"), ("B", "A"), ("A1", institution.code))):
            await institution.unit(f"new{n}", "A")
            for verb, where, to in (
                ("move", "A1", {"parent": institution.code}),
                ("move", "A1", {"parent": "A"}),
                ("merge", unit, {"into": into}),
                ("merge", f"new{n}", {"into": "A"}),
            ):
                path = f"{institution.path}/units/{where}/{verb}"
                await institution.expect(200, "POST", path, to)
                steps += 1 if verb == "move" else 2
            steps += 1
        reorganised.set()
        return steps

    *_, steps = await asyncio.gather(*(write(writer) for writer in range(WRITERS)), reorganise())
    assert len(acknowledged) < WRITERS * MOST_REPORTS, "it had no turn while they wrote"
    assert (await institution.rollup())["version"] == before + len(acknowledged) + steps
    kept: set[str] = set()
    page: dict[str, Any] = {"next_cursor": None}
    while not kept or page["next_cursor"]:
        asked = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
        page = await institution.get("updates", limit=200, **asked)
        kept |= {item["id"] for item in page["items"]}
    assert kept == acknowledged
    units = {item["unit"] for item in (await institution.get("initiatives"))["items"]}
    assert units == {"A", institution.code}
    findings = await audit(database, institution.code)
    assert not findings.differences
    assert not findings.derived


async def test_one_external_id_is_one_report(institution: Institution) -> None:
    await plan(institution, 1)
    path = f"{institution.path}/initiatives/QW-0/milestones/1/updates"
    body = {"percent_complete": 30, "source": "sakti", "external_id": "2022/77"}
    answers = await asyncio.gather(*(institution.operator.post(path, json=body) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_opposite_moves_make_no_cycle(institution: Institution, database: Database) -> None:
    for unit in ("A", "B"):
        await institution.unit(unit)
    moves = [("A", "B"), ("B", "A")] * 5
    answers = await asyncio.gather(
        *(
            institution.operator.post(f"{institution.path}/units/{unit}/move", json={"parent": to})
            for unit, to in moves
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 409}
    paths = [item["path"] for item in (await institution.get("units"))["items"]]
    assert all(path.startswith(institution.code) for path in paths)
    assert not (await audit(database, institution.code)).differences


async def storm(client: httpx.AsyncClient, path: str, acknowledged: list[str]) -> None:
    """Report until the server is gone; keep the ids that it acknowledged."""
    for i in itertools.count():
        body: dict[str, Any] = {
            "percent_complete": i % 101,
            "effective_on": f"2022-0{1 + i % 9}-1{i % 10}",
            "source": "storm",
            "external_id": uuid4().hex,
        }
        try:
            answer = await client.post(path.format(milestone=1 + i % 2), json=body)
        except httpx.TransportError:
            return
        assert answer.status_code == 201, answer.text
        acknowledged.append(answer.json()["id"])


@pytest.mark.parametrize("kill_after", [0.7])
async def test_a_killed_server_keeps_every_acknowledged_report(
    institution: Institution,
    database: Database,
    configuration: Settings,
    tmp_path: Path,
    kill_after: float,
) -> None:
    url, log = configuration.database_url, tmp_path / "log"
    await plan(institution, WRITERS)
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    acknowledged: list[str] = []
    with serving(url, log, token=OPERATOR, background=False) as server:
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:
            paths = [
                f"{institution.path}/initiatives/QW-{writer}/milestones/{{milestone}}/updates"
                for writer in range(WRITERS)
            ]
            writers = [asyncio.create_task(storm(client, path, acknowledged)) for path in paths]
            async with asyncio.timeout(60):
                while not acknowledged:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(kill_after)
            server.process.send_signal(signal.SIGKILL)
            await asyncio.gather(*writers)

    with serving(url, log, token=OPERATOR, background=False) as server:
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:
            kept: set[str] = set()
            cursor: dict[str, str] = {}
            while True:
                page = await client.get(
                    f"{institution.path}/updates", params={"limit": 200, **cursor}
                )
                kept |= {item["id"] for item in page.json()["items"]}
                if page.json()["next_cursor"] is None:
                    break
                cursor = {"cursor": page.json()["next_cursor"]}
            rolled_up = await client.get(f"{API}/institutions/{institution.code}/rollup")
    assert set(acknowledged) <= kept
    assert len(kept) <= len(acknowledged) + WRITERS
    assert rolled_up.status_code == 200
    findings = await audit(database, institution.code)
    assert not findings.differences
    assert not findings.derived
    trail = await database.read(
        chained.verify, SYSTEM, institution.code, [], lambda _done, _all: None
    )
    assert (trail.wrong, trail.events) == (0, trail.head.sequence)
    assert trail.events >= len(acknowledged)
