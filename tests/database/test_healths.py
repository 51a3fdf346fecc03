"""A unit's health as events: after writes, at midnight, and never twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine

from app.db import Database
from app.services import healths
from tests.support.institution import Institution, Json

MORNING = datetime(2022, 3, 30, 3, tzinfo=UTC)  # 10:00 in Jakarta


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that is moved by hand."""
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


async def looked(database: Database, institution: Institution) -> int:
    """Changes that a look finds; -1 where there was no reason for one."""
    found = await institution.expect(200, "GET", institution.path)
    institution_id = UUID(found["id"])
    if institution_id not in await database.read(healths.due):
        return -1
    seen = await database.read(healths.look, institution_id)
    return await database.write(healths.note, seen)


async def told(institution: Institution) -> list[tuple[str, str, str]]:
    events = (await institution.get("events", type="rollup.health_changed"))["items"]
    return [
        (e["subject"], e["changes"]["health"]["before"], e["changes"]["health"]["after"])
        for e in events
    ]


@pytest.fixture
async def planned(clock: time_machine.Traveller, institution: Institution) -> Json:
    """A unit with a plan that is due on the last of March, and one without anything."""
    await institution.unit("A")
    await institution.unit("B")
    plan = [{"title": "M", "due_on": "2022-03-31"}, {"title": "N", "due_on": "2022-12-31"}]
    return await institution.initiative("QW-1", "A", milestones=plan)


async def test_health_changes_with_reports_and_with_the_day(
    institution: Institution, database: Database, planned: Json, clock: time_machine.Traveller
) -> None:
    assert await looked(database, institution) == 0  # what later looks are compared with
    assert await looked(database, institution) == -1
    await institution.report("QW-1", 1, 10)
    assert await looked(database, institution) == 2
    code = institution.code
    first = {("A", "not_started", "on_track"), (code, "not_started", "on_track")}
    assert set(await told(institution)) == first
    assert await looked(database, institution) == -1  # its own events are no reason
    # It is the 31st in Jakarta seven hours before it is in UTC; what is due that day counts then.
    clock.move_to(datetime(2022, 3, 30, 16, 59, tzinfo=UTC))
    assert await looked(database, institution) == -1
    clock.move_to(datetime(2022, 3, 30, 17, 0, tzinfo=UTC))
    assert await looked(database, institution) == 2
    second = {("A", "on_track", "off_track"), (code, "on_track", "off_track")}
    assert set(await told(institution)) == first | second
    newest = (await institution.get("events", sort="-sequence", limit=1))["items"][0]
    assert newest["actor"] == "quickwin"
    assert newest["data"]["as_of"] == "2022-03-31"
    rollup = await institution.rollup("A")
    assert newest["data"]["health"] == rollup["health"] == "off_track"
    assert newest["data"]["percent_complete"] == rollup["percent_complete"]
    await institution.unit("C")
    assert await looked(database, institution) == 0


async def test_a_look_that_was_overtaken_is_passed_over(
    institution: Institution, database: Database, planned: Json
) -> None:
    assert await looked(database, institution) == 0
    found = await institution.expect(200, "GET", institution.path)
    await institution.report("QW-1", 1, 10)
    early = await database.read(healths.look, UUID(found["id"]))
    await institution.patch("initiatives/QW-1", {"status": "on_hold", "reason": "Waits"})
    late = await database.read(healths.look, UUID(found["id"]))
    changed = await database.write(healths.note, late)
    assert await database.write(healths.note, late) == 0
    assert await database.write(healths.note, early) == 0
    assert len(await told(institution)) == changed


async def test_a_deleted_unit_is_forgotten(
    institution: Institution, database: Database, planned: Json
) -> None:
    await institution.report("QW-1", 1, 10)
    await looked(database, institution)
    await institution.delete("initiatives/QW-1")
    await institution.delete("units/A")
    assert await looked(database, institution) == 1  # the root's; nobody asks after the unit
    assert await told(institution) == [(institution.code, "on_track", "not_measurable")]


async def test_thresholds_of_the_policy_count(
    institution: Institution, database: Database, planned: Json, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(days=30))
    await institution.report("QW-1", 1, 80)
    await looked(database, institution)
    policy = {"policy": {"on_track_from": 0.5, "at_risk_from": 0.4}}
    await institution.expect(200, "PATCH", institution.path, policy, if_match="*")
    assert await looked(database, institution) == 2
