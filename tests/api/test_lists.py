"""Lists: pages by key, sorts, filters, totals, and what they cost."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import Database
from tests.support.institution import Institution


async def pages(institution: Institution, path: str, **asked: Any) -> AsyncIterator[list[Any]]:
    """Page after page, by the Link header."""
    answer = await institution.operator.get(f"{institution.path}/{path}", params=asked)
    while True:
        yield answer.json()["items"]
        if answer.json()["next_cursor"] is None:
            assert "link" not in answer.headers
            return
        link = answer.headers["link"]
        assert link.endswith('>; rel="next"')
        answer = await institution.operator.get(link[1 : link.index(">")])


@pytest.mark.parametrize(
    "sort",
    [
        "code",
        "-code",
        "year,-weight",
        "-due_on,title",
        "-last_reported_at",
        "-status,created_at",
        "start_on,-updated_at",
    ],
)
async def test_pages_hold_everything_once(institution: Institution, sort: str) -> None:
    for i in range(11):
        due_on = f"2022-0{1 + i % 3}-01" if i % 4 else None
        await institution.initiative(f"QW-{i}", year=2022 + i % 2, weight=1 + i % 3, due_on=due_on)
    whole = (await institution.get("initiatives", sort=sort, limit=200))["items"]
    paged = [
        item["code"]
        async for page in pages(institution, "initiatives", sort=sort, limit=3)
        for item in page
    ]
    assert paged == [item["code"] for item in whole]
    assert len(set(paged)) == 11
    keys = [(item["year"], -item["weight"]) for item in whole]
    if sort == "year,-weight":
        assert keys == sorted(keys)


async def test_rows_that_come_between_pages_hide_nothing(institution: Institution) -> None:
    for i in range(6):
        await institution.unit(f"u{i}5")
    seen = []
    fresh = iter(("u00", "u31", "u99", "u98", "u97"))
    async for page in pages(institution, "units", limit=2, parent=institution.code):
        seen += [item["code"] for item in page]
        new = next(fresh, None)
        if new:
            await institution.unit(new)
    assert len(seen) == len(set(seen))
    assert {f"u{i}5" for i in range(6)} <= set(seen)


async def test_totals_are_counted_on_request(institution: Institution) -> None:
    for i in range(4):
        await institution.unit(f"u{i}")
    assert (await institution.get("units", limit=2))["total"] is None
    assert (await institution.get("units", limit=2, include_total=True))["total"] == 5


@pytest.fixture
async def portfolio(institution: Institution) -> Institution:
    """Initiatives of every sort."""
    for unit, parent in (("A", None), ("A1", "A"), ("B", None)):
        await institution.unit(unit, parent)
    late = [{"title": "M", "due_on": "2022-06-30"}]
    coming = [{"title": "M", "due_on": "2199-06-30"}]
    await institution.initiative("late", "A", milestones=late, due_on="2022-07-01", tags=["x"])
    await institution.initiative("done", "A1", milestones=late, areas=["oversight"])
    await institution.report("done", 1, 100, "2022-06-01")
    await institution.initiative("coming", "B", year=2023, milestones=coming, due_on="2199-07-01")
    await institution.initiative(
        "held", "B", status="on_hold", milestones=late, areas=["oversight"]
    )
    await institution.report("held", 1, 90, "2022-06-01")
    await institution.initiative("empty", "A", kind="innovation", origin="mandated")
    proposed = [{"person": "verifier", "role": "supporting"}]
    await institution.initiative("idea", "A", status="proposed", owners=proposed, milestones=late)
    return institution


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {"late", "done", "coming", "held", "empty", "idea"}),
        ({"unit": "A"}, {"late", "done", "empty", "idea"}),
        ({"unit": "A", "subtree": False}, {"late", "empty", "idea"}),
        ({"unit": ["A1", "B"]}, {"done", "coming", "held"}),
        ({"area": "oversight"}, {"done", "held"}),
        ({"year": 2023}, {"coming"}),
        ({"status": ["on_hold", "proposed"]}, {"held", "idea"}),
        ({"kind": "innovation"}, {"empty"}),
        ({"origin": "mandated"}, {"empty"}),
        ({"owner": "verifier"}, {"idea"}),
        ({"tag": "x"}, {"late"}),
        ({"health": "off_track"}, {"late"}),
        ({"health": "at_risk"}, {"held"}),
        ({"health": ["completed", "not_started"]}, {"done", "coming"}),
        ({"health": "not_measurable"}, {"empty", "idea"}),
        ({"overdue": True}, {"late", "held"}),
        ({"overdue": False}, {"done", "coming", "empty", "idea"}),
        ({"stale": True}, set()),
        ({"stale": False, "unit": "B"}, {"coming", "held"}),
        ({"due_before": "2022-07-02"}, {"late"}),
        ({"due_after": "2022-07-01"}, {"coming"}),
        ({"updated_since": "2022-01-01T00:00:00+07:00", "unit": "B"}, {"coming", "held"}),
        ({"updated_since": "2199-01-01T00:00:00Z"}, set()),
        ({"q": "INITIATIVE l"}, {"late"}),
        ({"q": "%"}, set()),
        ({"q": "_"}, set()),
    ],
)
async def test_filters(portfolio: Institution, asked: dict[str, Any], expected: set[str]) -> None:
    found = await portfolio.get("initiatives", **asked, include_total=True)
    assert {item["code"] for item in found["items"]} == expected
    assert found["total"] == len(expected)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that run meanwhile."""
    heard: list[str] = []
    engine = (
        database.engine.sync_engine if isinstance(database.engine, AsyncEngine) else database.engine
    )

    def hear(_c: Any, _cursor: Any, sql: str, *_: Any) -> None:
        heard.append(sql)

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(engine, "before_cursor_execute", hear)


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("units", 5), ("people", 4), ("initiatives", 8), ("updates", 4), ("events", 4),
        ("initiatives/QW-0", 9), ("rollup", 5), ("rollup/children", 6), ("rollup/areas", 7),
        ("units/u0/rollup", 5),
    ],
)  # fmt: skip
async def test_statements_do_not_grow_with_the_rows(
    institution: Institution, database: Database, path: str, most: int
) -> None:
    counts = []
    for start, end in ((0, 2), (2, 14)):
        for i in range(start, end):
            await institution.unit(f"u{i}")
            await institution.initiative(
                f"QW-{i}", f"u{i}", milestones=[{"title": "M", "due_on": "2022-06-30"}]
            )
            await institution.report(f"QW-{i}", 1, 50, "2022-06-01")
        with counted(database) as heard:
            await institution.get(path)
        counts.append(len([sql for sql in heard if not sql.startswith("BEGIN")]))
    assert counts[0] == counts[1]
    assert counts[1] <= most
