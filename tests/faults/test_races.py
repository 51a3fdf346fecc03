"""Many at once on the same rows: each change counts once, and nobody meets a deadlock."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import Database
from app.services import rollups
from app.services.actors import SYSTEM
from tests.faults.storm import INITIATIVES, plan
from tests.support.institution import Institution


@contextmanager
def deadlocks(database: Database) -> Iterator[list[str]]:
    """Deadlocks that the database reports meanwhile, also those that a second try would hide."""
    found: list[str] = []
    engine = (
        database.engine.sync_engine if isinstance(database.engine, AsyncEngine) else database.engine
    )

    def hear(context: Any) -> None:
        if getattr(context.original_exception, "sqlstate", None) == "40P01":
            found.append(str(context.statement))

    event.listen(engine, "handle_error", hear)
    try:
        yield found
    finally:
        event.remove(engine, "handle_error", hear)


async def audited(institution: Institution, database: Database) -> None:
    found = await database.read(rollups.audit, SYSTEM, institution.code, lambda _done, _all: None)
    assert (found.differences, found.derived) == ([], [])


@pytest.mark.parametrize("reading", ["once", "each"])
async def test_a_hundred_patches_of_one_version(institution: Institution, reading: str) -> None:
    """Each success is one step of the version; whoever saw an older one is told so."""
    await institution.initiative("QW-0")
    path = f"{institution.path}/initiatives/QW-0"
    first = (await institution.operator.get(path)).headers["etag"]

    async def patch(n: int) -> int:
        tag = first
        if reading == "each":
            await asyncio.sleep(n / 500)
            tag = (await institution.operator.get(path)).headers["etag"]
        body, headers = {"title": f"Title {n}"}, {"If-Match": tag}
        return (await institution.operator.patch(path, json=body, headers=headers)).status_code

    before = (await institution.get("initiatives/QW-0"))["version"]
    statuses = await asyncio.gather(*(patch(n) for n in range(100)))
    after = (await institution.get("initiatives/QW-0"))["version"]
    assert set(statuses) <= {200, 412}
    assert statuses.count(200) == after - before >= 1
    if reading == "once":
        assert statuses.count(200) == 1


async def test_overlapping_batches_do_not_cross(
    institution: Institution, database: Database
) -> None:
    await plan(institution)
    order = random.Random(7)

    def batch(n: int) -> list[dict[str, Any]]:
        items = [
            {"initiative": f"QW-{i % INITIATIVES}", "milestone": 1 + i // INITIATIVES % 2,
             "percent_complete": (n * 40 + i) % 101, "effective_on": f"2022-0{1 + i % 9}-1{n % 10}"}
            for i in range(40)
        ]  # fmt: skip
        order.shuffle(items)
        return items

    async def send(n: int) -> int:
        path = f"{institution.path}/updates"
        answer = await institution.expect(207, "POST", path, {"items": batch(n)})
        return int(answer["summary"]["created"])

    before = (await institution.rollup())["version"]
    with deadlocks(database) as found:
        made = await asyncio.gather(*(send(n) for n in range(12)))
    assert (made, found) == ([40] * 12, [])
    assert (await institution.rollup())["version"] == before + 480
    await audited(institution, database)


async def test_moves_do_not_cross_reports(institution: Institution, database: Database) -> None:
    await plan(institution)

    async def report(n: int) -> None:
        for i in range(10):
            code, day = f"QW-{(n + i) % INITIATIVES}", f"2022-0{1 + i % 9}-1{n % 10}"
            await institution.report(code, 1 + i % 2, (n * 10 + i) % 101, day)

    async def move() -> None:
        for target in ("B", "A") * 5:
            path = f"{institution.path}/units/A1/move"
            await institution.expect(200, "POST", path, {"parent": target})

    with deadlocks(database) as found:
        await asyncio.gather(*(report(n) for n in range(8)), move())
    assert found == []
    feed = await institution.get("updates", limit=1, include_total=True)
    assert feed["total"] == 80
    await audited(institution, database)


async def test_what_is_deleted_meanwhile_is_not_there(
    institution: Institution, database: Database
) -> None:
    """Who waits for the locks of a deletion finds nothing then, and is told so."""
    path, severity = f"{institution.path}/obstacles", {"severity": "high"}
    for n in range(20):
        await institution.initiative(f"QW-{n}")
        about = {"initiative": f"QW-{n}", "title": "Held up", "due_on": "2022-05-01"}
        made = [await institution.post("obstacles", about | severity) for _ in range(2)]
        one, other = (f"{path}/{each['id']}" for each in made)
        any_version = {"If-Match": "*"}
        asked = [
            institution.operator.delete(one, headers=any_version),
            institution.operator.patch(one, json={"severity": "low"}, headers=any_version),
            institution.operator.post(f"{one}/follow-ups", json={"title": "See to it"}),
            institution.operator.delete(
                f"{institution.path}/initiatives/QW-{n}", headers=any_version
            ),
            institution.operator.patch(other, json={"severity": "low"}, headers=any_version),
            institution.operator.post(path, json=about | severity),
        ]
        answers = await asyncio.gather(*asked)
        assert {answer.status_code for answer in answers} <= {200, 201, 204, 404, 409, 422}, answers
    await audited(institution, database)
