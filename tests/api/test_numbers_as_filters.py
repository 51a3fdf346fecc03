"""Filters by numbers of today: they find what the numbers say, whatever is kept of them."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine

from app.db import Database
from app.keeping import retention
from app.models.base import now
from app.rollup.contribution import NEVER
from app.schemas.fields import FIRST_DAY, Health
from app.services import rollups
from app.services.actors import SYSTEM
from tests.support.institution import Institution
from tests.support.kept import Kept

# Percent of two milestones, of equal weight, that are due so many days from today.
PLANS = {
    "ahead": ((20, 50), (40, 0)),
    "early": ((20, 0), (40, 0)),
    "even": ((-3, 100), (25, 0)),
    "behind": ((-3, 85), (25, 0)),
    "late": ((-60, 40), (-2, 0)),
    "lately": ((1, 0), (2, 0)),
    "whole": ((-9, 100), (-1, 100)),
    "resting": ((-9, 0), (31, 0)),
}


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """Initiatives of each health; one that has no plan, and one that does not count."""
    today = _today()
    for code, plan in PLANS.items():
        milestones = [
            {"title": "M", "due_on": str(today + timedelta(days=offset))} for offset, _ in plan
        ]
        await institution.initiative(code, milestones=milestones)
        for number, (_, percent) in enumerate(plan, start=1):
            if percent:
                await institution.report(code, number, percent)
    await institution.initiative("unplanned")
    await institution.initiative("asked", status="proposed", milestones=milestones)
    await institution.patch("initiatives/resting", {"status": "on_hold", "reason": "Waiting"})
    return institution


async def listed(institution: Institution, **asked: Any) -> set[str]:
    return {item["code"] for item in (await institution.get("initiatives", **asked))["items"]}


async def agree(institution: Institution) -> dict[str, str]:
    """See that each filter finds what the numbers of the initiatives say; answers their healths."""
    items = (await institution.get("initiatives"))["items"]
    for health in Health:
        assert await listed(institution, health=health) == {
            item["code"] for item in items if item["health"] == health
        }
    for overdue in (True, False):
        assert await listed(institution, overdue=overdue) == {
            item["code"]
            for item in items
            if bool(item["milestones"]["overdue"] and item["status"] != "proposed") == overdue
        }
    for days in (0, 2, 30):
        due = (await institution.get("milestones", due_within=days, limit=200))["items"]
        assert await listed(institution, due_within=days) == {item["initiative"] for item in due}
    return {item["code"]: item["health"] for item in items}


def _today() -> date:
    return (now() + timedelta(hours=7)).date()


@pytest.fixture
def kept(planned: Institution, database: Database) -> Kept:
    """What is kept of those above."""
    return Kept(planned, database)


async def test_filters_find_what_the_numbers_say(planned: Institution, kept: Kept) -> None:
    before = await agree(planned)
    assert set(before.values()) == {str(health) for health in Health}
    # A report that finishes a milestone, one that opens it again, and a plan that moves.
    await planned.report("late", 1, 100)
    await planned.report("even", 1, 90)
    await planned.patch("initiatives/early/milestones/1", {"due_on": "2022-01-01"})
    await agree(planned)
    # As a release leaves it that does not know what is kept: of rows that are new to it, and of others.
    await kept.spoil({"planned": 1, "planned_from": FIRST_DAY, "planned_until": FIRST_DAY})
    unknown = await agree(planned)
    assert unknown["early"] == "off_track"
    assert await kept.renew() == len(unknown)
    assert await kept.renew() == 0
    assert await agree(planned) == unknown
    await kept.spoil({"next_due_on": None}, "late")
    await kept.spoil({"planned": 0}, "even")
    await kept.spoil({"planned_until": NEVER}, "behind")
    await kept.spoil({"last_done_on": FIRST_DAY}, "early")
    assert await kept.renew() == 4
    assert await agree(planned) == unknown


async def test_days_go_by(planned: Institution, kept: Kept, database: Database) -> None:
    with time_machine.travel(now() + timedelta(days=2, minutes=1)):
        later = await agree(planned)
        assert later["lately"] == "off_track"
        assert await kept.first_until() <= now().date()
        for institution_id in await database.read(rollups.institutions):
            await retention.exhaust(database, partial(rollups.renew, institution_id=institution_id))
        assert await agree(planned) == later
        assert await kept.first_until() > _today()
        found = await database.read(rollups.audit, SYSTEM, planned.code, lambda _done, _all: None)
        assert (found.differences, found.derived) == ([], [])
