"""What the application tells of an institution, held against the brute-force model of it."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from app.models import Initiative, Milestone
from app.rollup import overdue
from app.schemas.comparisons import ChildrenQuery
from app.schemas.rollups import Rollup, RollupQuery
from app.services import access, comparisons, rollups
from app.services.actors import Actor
from tests.rollup.brute_force import ONE_DAY, Snapshot, World


def compare_rollups(
    session: Session,
    actor: Actor,
    world: World,
    institution: str,
    areas: Sequence[str],
    years: Sequence[int | None],
    days: Iterable[date],
) -> None:
    """Every unit × (all areas together, each area) × year × day, in one transaction.

    Each unit's numbers are asked for by themselves and by area; and as a child of the unit above,
    for all areas together and for one area, which differs from unit to unit.
    """
    for day in days:
        expected = world.on(day)
        for year in years:
            query = RollupQuery(year=year, as_of=day)
            for place, unit in enumerate(sorted(world.parents)):
                told = rollups.get(session, actor, institution, unit, query)
                _compare(told, expected)
                scope, node, _, is_whole = access.place(session, actor, institution, unit)
                late = overdue.listed(session, scope.id, node.id, year, day)
                is_today = day == scope.today()
                assert late[:2] == overdue.first(
                    session, scope.id, node.id, year, day, 2, is_today=is_today, is_whole=is_whole
                )
                assert len(late) == told.milestones.overdue, f"{unit}, {year}, {day}"
                by_area = rollups.areas(session, actor, institution, unit, query)
                assert by_area.adds_up is False
                assert {told.area for told in by_area.items} >= set(areas)
                for told in by_area.items:
                    _compare(told, expected)
                area = areas[(place + day.day) % len(areas)]
                for asked in (query, query.model_copy(update={"area": area})):
                    among = ChildrenQuery(**dict(asked), since=day - 40 * ONE_DAY)
                    below = comparisons.children(session, actor, institution, unit, among)
                    assert [told.unit for told in below.items] == world.children(unit)
                    for told in below.items:
                        assert told.area == asked.area
                        _compare(told, expected)
                told = rollups.get(session, actor, institution, unit, asked)
                assert (told.unit, told.area, told.as_of) == (unit, area, day)
                _compare(told, expected)


def _compare(told: Rollup, snapshot: Snapshot) -> None:
    expected = snapshot.rollup(told.unit, told.area, told.year)
    numbers = told.model_dump(mode="json", include=set(expected))
    assert numbers == expected, f"{told.unit}, {told.area}, {told.year}, {snapshot.day}"


def compare_derived(session: Session, actor: Actor, world: World, institution: str) -> None:
    """The derived columns of every milestone: share, percent, verified, done_on, reports."""
    scope = access.institution(session, actor, institution)
    found = session.execute(
        select(
            Initiative.code,
            Milestone.number,
            Milestone.share,
            Milestone.percent,
            Milestone.verified,
            Milestone.done_on,
            Milestone.reports,
        )
        .join(
            Initiative,
            and_(
                Initiative.institution_id == Milestone.institution_id,
                Initiative.id == Milestone.initiative_id,
            ),
        )
        .where(access.within(scope, Milestone))
    )
    stored: dict[tuple[str, int], tuple[Any, ...]] = {
        (code, number): tuple(columns) for code, number, *columns in found
    }
    expected: dict[tuple[str, int], tuple[Any, ...]] = {}
    for code, initiative in world.initiatives.items():
        shares = initiative.shares()
        for number, milestone in initiative.milestones.items():
            expected[code, number] = (
                shares.get(number, 0),
                milestone.at(date.max) * 100,
                milestone.at(date.max, verified=True) * 100,
                milestone.done_on(),
                len(milestone.reports),
            )
    assert stored.keys() == expected.keys()
    different = {
        key: (stored[key], expected[key]) for key in stored if stored[key] != expected[key]
    }
    assert not different, different
