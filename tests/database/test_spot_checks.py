"""Spot checks of the ledger find what a whole audit finds, a unit at a time."""

import asyncio
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import update

from app import worker
from app.db import Database
from app.models import RollupPeriod
from app.models.base import table as table_of
from app.models.rollups import ALL_AREAS, Span
from app.rollup import spots
from app.seen import COUNTS
from app.services import rollups, spot_checks
from app.services.actors import SYSTEM
from app.services.spot_checks import Place
from app.settings import Settings
from tests.support.institution import Institution


async def places(database: Database, institution: Institution) -> dict[str, Place]:
    """The institution's units, by their codes."""
    units = (await institution.get("units", limit=200))["items"]
    institution_id = (await institution.operator.get(institution.path)).json()["id"]
    return {unit["code"]: Place(UUID(institution_id), UUID(unit["id"])) for unit in units}


async def planned(institution: Institution) -> None:
    await institution.unit("A")
    await institution.unit("A1", parent="A")
    for code, unit in (("QW-1", "A1"), ("QW-2", "A"), ("QW-3", institution.code)):
        milestones = [
            {"title": "M", "due_on": "2022-06-30"},
            {"title": "N", "due_on": "2023-01-31"},
        ]
        await institution.initiative(code, unit=unit, milestones=milestones)
        await institution.report(code, 1, 40, "2022-06-01")


async def damage(database: Database, place: Place) -> None:
    """One number of one unit."""
    table = table_of(RollupPeriod)
    statement = (
        update(table)
        .where(table.c.unit_id == place.unit_id, table.c.starts_on == date(2022, 6, 1))
        .where(table.c.span == Span.DAY, table.c.area_id == ALL_AREAS)
        .values(earned=table.c.earned + 1)
    )
    await database.write(lambda session: session.connection().execute(statement))


async def mend(database: Database, institution: Institution) -> None:
    found = await database.read(rollups.audit, SYSTEM, institution.code, lambda *_: None)
    await database.write(rollups.mend, SYSTEM, institution.code, found)


async def test_what_is_right_is_found_right_and_what_is_wrong_wrong(
    institution: Institution, database: Database
) -> None:
    await planned(institution)
    units = await places(database, institution)
    assert len(units) == 3
    for place in units.values():
        found = await database.read(spots.verify, *place)
        assert (found.initiatives, found.differences, found.derived) == (1, [], [])
    await damage(database, units["A"])
    wrong = {
        code: (await database.read(spot_checks.look, place)).wrong for code, place in units.items()
    }
    # That of A itself, and A's parent, whose rows are not A's any more with its own.
    assert wrong == {"A1": 0, "A": 1, institution.code: 1}


async def test_the_background_work_goes_round_and_tells(
    institution: Institution,
    database: Database,
    configuration: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await planned(institution)
    units = await places(database, institution)
    await damage(database, units["A1"])

    def of_this_one(session: object, place: Place) -> spot_checks.Seen | None:
        following = [each for each in sorted(units.values()) if each > place]
        return spot_checks.look(session, following[0]) if following else None  # type: ignore[arg-type]

    monkeypatch.setattr(spot_checks, "after", of_this_one)
    monkeypatch.setattr(worker, "AUDIT_SECONDS", 0.0)
    monkeypatch.setattr(worker, "_AUDIT_RESTS", 0)
    before, stop = COUNTS.units_audited, asyncio.Event()
    COUNTS.drift = None
    task = asyncio.create_task(worker.audit(database, configuration, stop))
    async with asyncio.timeout(60):
        while COUNTS.units_audited < before + 7:
            await asyncio.sleep(0.01)
        assert COUNTS.drift == 2
        assert f"unit {units['A1'].unit_id}" in caplog.text
        await mend(database, institution)
        while COUNTS.drift:
            await asyncio.sleep(0.01)
    stop.set()
    await task


async def test_some_begin_where_they_are_told(institution: Institution, database: Database) -> None:
    everywhere = await database.read(spot_checks.some, 1_000_000, Place(UUID(int=0), UUID(int=0)))
    middle = everywhere[len(everywhere) // 2]
    found = await database.read(spot_checks.some, len(everywhere) + 5, middle)
    assert sorted(found) == sorted(everywhere)
    assert found[-1] == middle
    assert await database.read(spot_checks.after, everywhere[-1]) is None
    following = await database.read(spot_checks.after, Place(UUID(int=0), UUID(int=0)))
    assert following is not None
    assert following.place == everywhere[0]
