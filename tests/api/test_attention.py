"""What needs attention today: counts that equal the lists behind them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.db import Database
from app.models import Initiative
from app.models.base import now
from tests.support.institution import Institution


def day(institution_today: Any, offset: int) -> str:
    return str(institution_today + timedelta(days=offset))


@pytest.fixture(scope="module")
async def busy(shared: Institution, database: Database) -> Institution:
    """Initiatives that are late, nearly due, silent and finished, in two units."""
    today = (now() + timedelta(hours=7)).date()  # Jakarta's
    await shared.unit("a")
    await shared.unit("a1", "a")
    await shared.unit("b")
    offsets = {"late": (-40, -2, 5), "soon": (0, 30, 31), "done": (-9,), "held": (-7,)}
    for code, unit in (("late", "a1"), ("soon", "a"), ("done", "b"), ("held", "b")):
        plan = [
            {"title": "M", "due_on": day(today, offset), "technique": technique}
            for offset, technique in zip(
                offsets[code], ("percent", "binary", "percent"), strict=False
            )
        ]
        await shared.initiative(
            code, unit, areas=["oversight"] if code == "late" else [], milestones=plan
        )
    await shared.report("late", 1, 75)
    await shared.report("late", 2, 60)
    await shared.report("done", 1, 100)
    await shared.patch("initiatives/held", {"status": "on_hold", "reason": "Waiting"})
    await shared.initiative(
        "out", "b", status="proposed", milestones=[{"title": "M", "due_on": "2022-01-01"}]
    )

    def grow_old(session: Session) -> None:
        for code, column in (("soon", "created_at"), ("late", "last_reported_at")):
            session.execute(
                update(Initiative)
                .where(
                    Initiative.code == code,
                    Initiative.unit_id.in_([units["a"], units["a1"]]),
                )
                .values({column: now() - timedelta(days=46)})
            )

    found = await shared.get("units")
    units = {item["code"]: UUID(item["id"]) for item in found["items"]}
    await database.write(grow_old)
    return shared


async def test_counts(busy: Institution) -> None:
    told = await busy.rollup(None, "/attention")
    assert told["stale"] == {"after_days": 45, "initiatives": 2, "never_reported": 1}
    third = 1_000_000 * 10_000 // 3
    late = told["overdue"]
    assert (late["milestones"], late["initiatives"], late["longest_days"]) == (3, 2, 40)
    # A quarter of a third, a whole third (binary), and all of the one that is on hold; of four.
    assert late["value"] == pytest.approx(third * 1.25 + 10_000_000_000, rel=1e-5)
    assert late["percent"] == 35.42
    due = told["due"]
    assert (due["milestones"], due["initiatives"], due["days"]) == (3, 2, 30)
    rollup = await busy.rollup()
    assert rollup["milestones"]["overdue"] == late["milestones"]
    assert rollup["milestones"]["due_next_30_days"] == due["milestones"]


@pytest.mark.parametrize("unit", [None, "a", "a1", "b"])
@pytest.mark.parametrize("asked", [{}, {"area": "oversight"}, {"year": 2023}])
async def test_counts_are_those_of_the_lists(
    busy: Institution, unit: str | None, asked: dict[str, Any]
) -> None:
    told = await busy.rollup(unit, "/attention", **asked, days=31)
    filters = {**asked, "unit": unit or busy.code, "include_total": True}
    late = await busy.get("milestones", **filters, overdue=True)
    assert late["total"] == told["overdue"]["milestones"]
    assert sum(item["late_value"] for item in late["items"]) == told["overdue"]["value"]
    assert (
        max([i["overdue_days"] for i in late["items"]], default=0)
        == (told["overdue"]["longest_days"])
    )
    coming = await busy.get("milestones", **filters, due_within=31)
    assert coming["total"] == told["due"]["milestones"]
    stale = await busy.get("initiatives", **filters, stale=True)
    assert stale["total"] == told["stale"]["initiatives"]
    due = await busy.get("initiatives", **filters, due_within=31)
    assert due["total"] == told["due"]["initiatives"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            {},
            [
                "out/1",
                "late/1",
                "done/1",
                "held/1",
                "late/2",
                "soon/1",
                "late/3",
                "soon/2",
                "soon/3",
            ],
        ),
        ({"sort": "-due_on", "limit": 2}, ["soon/3", "soon/2"]),
        ({"sort": "initiative,-due_on", "unit": "a1"}, ["late/3", "late/2", "late/1"]),
        ({"unit": "a", "subtree": False}, ["soon/1", "soon/2", "soon/3"]),
        ({"status": ["done", "in_progress"]}, ["late/1", "done/1", "late/2"]),
        ({"status": "pending", "counted": False}, ["out/1"]),
        ({"overdue": True}, ["late/1", "held/1", "late/2"]),
        ({"overdue": True, "area": "oversight"}, ["late/1", "late/2"]),
        ({"due_within": 0}, ["soon/1"]),
        ({"due_before": "2022-01-02"}, ["out/1"]),
        ({"due_after": "2022-01-01", "owner": "reporter", "unit": "b"}, ["done/1", "held/1"]),
        ({"owner": "verifier"}, []),
    ],
)
async def test_milestones_of_all_initiatives(
    busy: Institution, asked: dict[str, Any], expected: list[str]
) -> None:
    items = (await busy.get("milestones", **asked))["items"]
    assert [f"{item['initiative']}/{item['number']}" for item in items] == expected


@pytest.mark.parametrize(
    ("path", "asked", "name"),
    [
        ("rollup/attention", {"days": -1}, "days"),
        ("rollup/attention", {"days": 3661}, "days"),
        ("rollup/attention", {"days": "1e3"}, "days"),
        ("rollup/attention", {"as_of": "2022-01-01"}, "as_of"),
        ("milestones", {"sort": "number"}, "sort"),
        ("milestones", {"status": "late"}, "status"),
        ("milestones", {"due_within": 1.5}, "due_within"),
        ("initiatives", {"due_within": True}, "due_within"),
    ],
)
async def test_bad_questions(
    institution: Institution, path: str, asked: dict[str, Any], name: str
) -> None:
    address = f"{institution.path}/{path}"
    content = await institution.expect(422, "GET", address, parameters=asked)
    assert {at["parameter"] for at in content["errors"]} == {name}
