"""Curves, explanations, changes, comparisons and groups, held against the brute-force model."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.schemas.comparisons import ChildrenQuery
from app.schemas.curves import Curve, CurveQuery
from app.schemas.explanations import ChangesQuery, ExplanationQuery, Level
from app.schemas.fields import Interval
from app.schemas.groups import Dimension, GroupsQuery
from app.services import changes, comparisons, curves, explanations, groups
from app.services.actors import Actor
from tests.rollup.brute_force import COUNTED, ONE_DAY, Initiative, World, ratio, sums

Number = int | Fraction
VALUE = 10_000
"""A point at 100 %, in the integers that are told."""


class Place(NamedTuple):
    """A unit, an area or all, a year or all, of one institution as the application tells it."""

    session: Session
    actor: Actor
    institution: str
    world: World
    unit: str
    area: str | None
    year: int | None

    def counted(self, unit: str | None = None) -> Iterator[Initiative]:
        """The model's counted initiatives of this place, or of a unit below it."""
        for initiative in self.world.initiatives.values():
            if (
                initiative.status in COUNTED
                and (unit or self.unit) in self.world.path(initiative.unit)
                and (self.area is None or self.area in initiative.areas)
                and (self.year is None or initiative.year == self.year)
            ):
                yield initiative

    def totals(self, day: date, unit: str | None = None) -> tuple[Number, ...]:
        """Budget, planned, earned and verified points on a day."""
        bac, planned, earned, verified = 0, 0, Fraction(0), Fraction(0)
        for initiative in self.counted(unit):
            added = sums(initiative, day)
            bac += added.bac
            planned += added.planned
            earned += added.earned
            verified += added.verified
        return bac, planned, earned, verified


def compare(place: Place, first: date, last: date) -> None:
    """Everything that is told of a place between two days."""
    compare_curve(place, first, last)
    compare_terms(place, last)
    compare_moves(place, first, last)
    compare_siblings(place, first, last)
    compare_groups(place)


def compare_curve(place: Place, first: date, last: date) -> None:
    """Points on their days, on-time rate, and earned schedule by counting months."""
    for interval in (Interval.MONTH, Interval.WEEK):
        asked = {"from": first, "to": last + 9 * ONE_DAY, "as_of": last, "interval": interval}
        query = CurveQuery.model_validate(asked | {"area": place.area, "year": place.year})
        curve = curves.get(*place[:3], place.unit, query)
        assert last in [point.on for point in curve.points]
        for point in curve.points:
            bac, planned, earned, verified = place.totals(point.on)
            assert point.planned == ratio(planned * 100, bac, 2)
            past = point.on <= last
            assert point.earned == (ratio(earned * 100, bac, 2) if past else None)
            assert point.verified == (ratio(verified * 100, bac, 2) if past else None)
        due = [
            milestone
            for initiative in place.counted()
            for milestone in initiative.live()
            if first <= milestone.due_on <= last
        ]
        met = sum(milestone.at(milestone.due_on) == 100 for milestone in due)
        assert (curve.on_time.due, curve.on_time.met) == (len(due), met)
        if interval is Interval.MONTH:
            compare_schedule(place, curve, last)


def compare_schedule(place: Place, curve: Curve, day: date) -> None:
    """ES = C + (EV - PV_C) / (PV_{C+1} - PV_C), month by month from the first planned one."""
    days = sorted(
        milestone.planned_on() for initiative in place.counted() for milestone in initiative.live()
    )
    if not days:
        assert (curve.earned_schedule, curve.reason) == (None, "no_plan")
        return
    assert (curve.planned_start_on, curve.planned_finish_on) == (days[0], days[-1])
    cumulative: list[Number] = [0]
    month = days[0].replace(day=1)
    while month <= days[-1]:
        month = (month + 31 * ONE_DAY).replace(day=1)
        cumulative.append(place.totals(month - ONE_DAY)[1])
    earned = place.totals(day)[2]
    whole = max(n for n, planned in enumerate(cumulative) if planned <= earned)
    expected = Fraction(whole)
    if whole + 1 < len(cumulative):
        step = cumulative[whole + 1] - cumulative[whole]
        expected += Fraction(earned - cumulative[whole]) / step
    assert curve.earned_schedule == ratio(expected, 1, 4)


def compare_terms(place: Place, day: date) -> None:
    """Each child and each own initiative with its values; together they are the total."""
    query = ExplanationQuery(area=place.area, year=place.year, as_of=day, limit=200)
    told = explanations.of_unit(*place[:3], place.unit, query)
    expected: dict[tuple[str, str], tuple[Number, ...]] = {
        ("unit", child): place.totals(day, child) for child in place.world.children(place.unit)
    }
    for initiative in place.counted():
        if initiative.unit == place.unit:
            added = sums(initiative, day)
            expected["initiative", initiative.code] = added[:4]
    values = {
        (term.kind.value, term.code): tuple(
            Fraction(value, VALUE) for value in dict(term.values).values()
        )
        for term in told.items
    }
    assert values == {key: terms for key, terms in expected.items() if terms[0]}
    assert tuple(Fraction(v, VALUE) for v in dict(told.values).values()) == place.totals(day)


def compare_moves(place: Place, first: date, last: date) -> None:
    """What each milestone, initiative and unit earned between the two days."""
    milestones: dict[tuple[str, ...], Number] = {}
    initiatives: defaultdict[tuple[str, ...], Number] = defaultdict(Fraction)
    for initiative in place.counted():
        shares = initiative.shares()
        for milestone in initiative.live():
            move = shares[milestone.number] * (milestone.earns(last) - milestone.earns(first))
            milestones[initiative.code, str(milestone.number)] = move
            initiatives[initiative.code,] += move
    whole = place.totals(last)[2] - place.totals(first)[2]
    units: dict[tuple[str, ...], Number] = {
        (child,): place.totals(last, child)[2] - place.totals(first, child)[2]
        for child in place.world.children(place.unit)
    }
    units[place.unit,] = whole - sum(units.values(), Fraction(0))
    for level, expected in zip(Level, (units, initiatives, milestones), strict=True):
        asked = {"from": first, "to": last, "level": level, "limit": 200}
        query = ChangesQuery.model_validate(asked | {"area": place.area, "year": place.year})
        told = changes.get(*place[:3], place.unit, query)
        moves = {
            ((move.initiative, move.code) if move.initiative else (move.code,)): Fraction(
                move.earned_value, VALUE
            )
            for move in told.items
        }
        assert moves == {key: move for key, move in expected.items() if move}
        assert Fraction(told.earned_value, VALUE) == whole


def compare_siblings(place: Place, first: date, last: date) -> None:
    """What children have added since a day, and their part of the parent."""
    query = ChildrenQuery(area=place.area, year=place.year, as_of=last, since=first)
    whole = place.totals(last)[0]
    for child in comparisons.children(*place[:3], place.unit, query).items:
        now, then = place.totals(last, child.unit), place.totals(first, child.unit)
        assert child.share_of_parent == ratio(now[0] * 100, whole, 2)
        assert child.change is not None
        assert child.change.percent_complete == ratio((now[2] - then[2]) * 100, now[0], 2)
        assert child.change.percent_verified == ratio((now[3] - then[3]) * 100, now[0], 2)
        assert child.change.percent_scheduled == ratio((now[1] - then[1]) * 100, now[0], 2)


def compare_groups(place: Place) -> None:
    """By status and by year, as things stand after all reports."""
    for dimension in (Dimension.STATUS, Dimension.YEAR):
        query = GroupsQuery(dimension=dimension, area=place.area, year=place.year)
        told = groups.get(*place[:3], place.unit, query)
        expected: defaultdict[str, list[Initiative]] = defaultdict(list)
        for initiative in place.counted():
            expected[str(getattr(initiative, dimension))].append(initiative)
        assert {group.key for group in told.items} == expected.keys()
        for group in told.items:
            added = [
                sums(initiative, date.max - 40 * ONE_DAY)
                for initiative in expected[group.key or ""]
            ]
            bac = sum(one.bac for one in added)
            earned = sum((one.earned for one in added), Fraction(0))
            verified = sum((one.verified for one in added), Fraction(0))
            assert group.initiatives == len(added)
            assert group.percent_complete == ratio(earned * 100, bac, 2)
            assert group.percent_verified == ratio(verified * 100, bac, 2)
            assert group.milestones == sum(one.milestones for one in added)
            assert group.done == sum(one.done for one in added)
