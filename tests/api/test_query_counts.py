"""What reads cost: as many statements for 40 items as for 2, and few for a roll-up."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import Database
from tests.support.institution import API, Institution

LISTS = [
    "units", "people", "initiatives", "updates", "events", "tokens", "initiatives/QW-0",
    "initiatives/QW-0/milestones", "initiatives/QW-0/milestones/1/updates",
    "initiatives/QW-0/ratings", "units/top/ratings", "deletions",
]  # fmt: skip
ROLLUPS = [f"{at}rollup{part}" for at in ("", "units/top/") for part in ("", "/children", "/areas")]
ASKED: list[dict[str, Any]] = [
    {}, {"year": 2022}, {"area": "oversight"}, {"as_of": "2022-05-31"},
    {"year": 2022, "area": "oversight", "as_of": "2022-05-31"},
]  # fmt: skip


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The statements that the application runs meanwhile."""
    heard: list[str] = []
    engine = (
        database.engine.sync_engine if isinstance(database.engine, AsyncEngine) else database.engine
    )

    def hear(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if not sql.startswith("BEGIN"):
            heard.append(sql)

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(engine, "before_cursor_execute", hear)


async def fill(institution: Institution, start: int, end: int) -> None:
    """Units, people, initiatives, milestones and reports: one of each for every number."""
    if not start:
        await institution.unit("top")
        await institution.initiative("QW-0", "top")
    for i in range(start, end):
        await institution.unit(f"u{i}", "top")
        await institution.post("people", {"code": f"p{i}", "name": f"P {i}", "unit": f"u{i}"})
        await institution.milestone("QW-0", "2022-06-30")
        await institution.report("QW-0", 1, i, "2022-06-01")
        for noun in ("initiatives/QW-0", "units/top"):
            await institution.post(f"{noun}/ratings", {"rating": "red", "reason": f"{i}"})
        await institution.post("people", {"code": f"d{i}", "name": f"D {i}", "unit": "top"})
        await institution.delete(f"people/d{i}")
        if i:
            await institution.initiative(
                f"QW-{i}", f"u{i}", areas=["oversight", "accountability"], tags=["x", f"t{i}"],
                milestones=[{"title": "M", "due_on": "2022-06-30"}],
            )  # fmt: skip
            await institution.report(f"QW-{i}", 1, i, "2022-06-01")


async def count(
    institution: Institution, database: Database, path: str, asked: dict[str, Any]
) -> int:
    with statements(database) as heard:
        await institution.get(path, **asked)
    return len(heard)


async def test_costs_do_not_grow_with_the_rows(
    institution: Institution, database: Database
) -> None:
    questions: list[tuple[str, dict[str, Any]]] = [
        *((path, asked) for path in LISTS for asked in ({}, {"limit": 200}) if "QW-0" not in path),
        ("initiatives", {"rating": "red", "rating_differs": True}),
        *((path, {}) for path in LISTS if "QW-0" in path),
        *((path, asked) for path in ROLLUPS for asked in ASKED),
    ]
    await fill(institution, 0, 2)
    few = {str(q): await count(institution, database, *q) for q in questions}
    await fill(institution, 2, 40)
    many = {str(q): await count(institution, database, *q) for q in questions}
    assert many == few
    assert max(many.values()) <= 11
    items = (await institution.get("initiatives", limit=200))["items"]
    assert len(items) == 40
    assert len((await institution.rollup("top", "/children"))["items"]) == 40


@pytest.mark.parametrize("asked", ASKED, ids=str)
async def test_a_rollup_is_at_most_five_statements(
    institution: Institution, database: Database, asked: dict[str, Any]
) -> None:
    await fill(institution, 0, 3)
    for path in ("rollup", "units/top/rollup", "units/u2/rollup"):
        assert await count(institution, database, path, asked) <= 5


async def test_what_is_known_costs_no_more(institution: Institution, database: Database) -> None:
    await fill(institution, 0, 2)
    path = f"{institution.path}/units/top/rollup"
    tag = (await institution.operator.get(path)).headers["etag"]
    with statements(database) as heard:
        answer = await institution.operator.get(path, headers={"If-None-Match": tag})
    assert (answer.status_code, len(heard) <= 5) == (304, True)


@pytest.mark.parametrize("path", ["schemes", "schemes/rb-2020/areas", "institutions"])
async def test_catalogues_cost_the_same_for_any_page(
    institution: Institution, database: Database, path: str
) -> None:
    counts = []
    for limit in (1, 200):
        with statements(database) as heard:
            await institution.expect(200, "GET", f"{API}/{path}", parameters={"limit": limit})
        counts.append(len(heard))
    assert counts[0] == counts[1] <= 4
