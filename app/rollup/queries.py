"""Reads of the ledger, and the numbers of single initiatives. Two statements answer any roll-up."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Table,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from app.given import Statement
from app.models import Initiative, Milestone, RollupPeriod, RollupTotal
from app.models.base import table as table_of
from app.models.hints import by_given
from app.models.rollups import Span
from app.rollup.contribution import COUNTED, Change, Totals
from app.rollup.figures import TEN_THOUSANDTHS, Figures, Thresholds
from app.rollup.points import BAC_PER_WEIGHT, FULL
from app.schemas.fields import Health, Technique


def figures(
    session: Session,
    institution_id: UUID,
    unit_ids: Sequence[UUID],
    area_ids: Sequence[UUID],
    year: int | None,
    as_of: date,
) -> dict[tuple[UUID, UUID], Figures]:
    """Sums for each (unit, area) on a date; a pair with nothing in it is left out."""
    found = across(session, [institution_id], unit_ids, area_ids, year, as_of)
    return {(unit_id, area_id): sums for (_, unit_id, area_id), sums in found.items()}


def across(
    session: Session,
    institution_ids: Sequence[UUID],
    unit_ids: Sequence[UUID],
    area_ids: Sequence[UUID],
    year: int | None,
    as_of: date,
) -> dict[tuple[UUID, UUID, UUID], Figures]:
    """The same in several institutions, by (institution, unit, area): a copy shares its unit ids."""
    asked = {
        "institutions": institution_ids,
        "units": unit_ids,
        "areas": area_ids,
        "year": year,
    }
    rows = session.connection().execute(_TOTALS[year is None], asked)
    totals = {(row[0], row[1], row[2]): Totals(*row[3:]) for row in rows}
    changed = _changes(session, asked, as_of)
    return {
        key: Figures(totals.get(key, Totals()), changed.get(key, Change()))
        for key in totals.keys() | changed.keys()
    }


def changes(
    session: Session,
    institution_id: UUID,
    unit_ids: Sequence[UUID],
    area_ids: Sequence[UUID],
    year: int | None,
    as_of: date,
) -> dict[tuple[UUID, UUID], Change]:
    """The dated sums alone, for each (unit, area) on a date."""
    asked = {
        "institutions": [institution_id],
        "units": unit_ids,
        "areas": area_ids,
        "year": year,
    }
    found = _changes(session, asked, as_of)
    return {(unit_id, area_id): change for (_, unit_id, area_id), change in found.items()}


def _changes(
    session: Session, asked: dict[str, Any], as_of: date
) -> dict[tuple[UUID, UUID, UUID], Change]:
    dates = {"as_of": as_of, "month": as_of.replace(day=1)}
    rows = session.connection().execute(_TO_DATE[asked["year"] is None], asked | dates)
    return {(row[0], row[1], row[2]): Change(*row[3:]) for row in rows}


def _of_buckets(table: Table) -> ColumnElement[bool]:
    return and_(
        table.c.institution_id.in_(bindparam("institutions", expanding=True)),
        table.c.unit_id.in_(bindparam("units", expanding=True)),
        table.c.area_id.in_(bindparam("areas", expanding=True)),
    )


def sums(columns: Any, names: tuple[str, ...]) -> list[ColumnElement[int]]:  # noqa: ANN401  any column collection
    """Sums of columns that a statement groups."""
    # PostgreSQL adds bigints up to a numeric; the sums fit 64 bits (see points.py).
    return [cast(func.sum(columns[name]), BigInteger) for name in names]


def _totals(*, every_year: bool) -> Select[*tuple[Any, ...]]:
    table = table_of(RollupTotal)
    keys = (table.c.institution_id, table.c.unit_id, table.c.area_id)
    statement = select(*keys, *sums(table.c, Totals._fields)).where(_of_buckets(table))
    if not every_year:
        statement = statement.where(table.c.year == bindparam("year"))
    return statement.group_by(*keys)


def _to_date(*, every_year: bool) -> Select[*tuple[Any, ...]]:
    table = table_of(RollupPeriod)
    columns = [table.c[name] for name in ("institution_id", "unit_id", "area_id", *Change._fields)]
    months = select(*columns).where(
        _of_buckets(table),
        table.c.span == literal(int(Span.MONTH)),
        table.c.starts_on < bindparam("month"),
    )
    days = select(*columns).where(
        _of_buckets(table),
        table.c.span == literal(int(Span.DAY)),
        table.c.starts_on.between(bindparam("month"), bindparam("as_of")),
    )
    if not every_year:
        months = months.where(table.c.year == bindparam("year"))
        days = days.where(table.c.year == bindparam("year"))
    steps = union_all(months, days).subquery("steps")
    keys = (steps.c.institution_id, steps.c.unit_id, steps.c.area_id)
    return select(*keys, *sums(steps.c, Change._fields)).group_by(*keys)


_TOTALS = {every: _totals(every_year=every) for every in (True, False)}
_TO_DATE = {every: _to_date(every_year=every) for every in (True, False)}


class InitiativeFigures(NamedTuple):
    """The numbers of one initiative today, whether or not its status counts."""

    figures: Figures
    overdue: int
    next_due_on: date | None
    finish_on: date | None
    """When its last live milestone is due."""


def initiative_figures(
    session: Session, institution_id: UUID, initiative_ids: Sequence[UUID], today: date
) -> dict[UUID, InitiativeFigures]:
    """Numbers of some initiatives from their milestones; one without live milestones is left out."""
    asked = [{"id": id_} for id_ in initiative_ids]
    rows = _INITIATIVES.run(session, asked, institution=institution_id, today=today)
    return {
        row.initiative_id: InitiativeFigures(
            Figures(
                Totals(bac=row.points * FULL, milestones=row.total),
                Change(row.planned, row.earned, row.verified, done=row.done),
            ),
            row.overdue,
            row.next_due_on,
            row.finish_on,
        )
        for row in rows
    }


_live = Milestone.dropped_at.is_(None)
_open = and_(_live, Milestone.percent < FULL)


def counted_percent(basis_points: Any) -> ColumnElement[int]:  # noqa: ANN401  a column of basis points
    """Basis points that count for the milestone at hand: a binary one earns only at 100 %."""
    partial = and_(Milestone.technique == Technique.BINARY, basis_points < FULL)
    return cast(case((partial, 0), else_=basis_points), BigInteger)


def _value(basis_points: Any) -> ColumnElement[int]:  # noqa: ANN401  a column of basis points
    # A dropped milestone has no share.
    counted = counted_percent(basis_points)
    return cast(func.coalesce(func.sum(Milestone.share * counted), 0), BigInteger)


def _planned(today: ColumnElement[date]) -> ColumnElement[int]:
    planned_on = func.coalesce(Milestone.baseline_due_on, Milestone.due_on)
    points = func.sum(case((planned_on <= today, Milestone.share), else_=0))
    return cast(func.coalesce(points, 0) * FULL, BigInteger)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _overdue(today: ColumnElement[date]) -> ColumnElement[int]:
    return _count(and_(_open, Milestone.due_on < today))


_today = bindparam("today", type_=Milestone.due_on.type)
_INITIATIVES = Statement(
    lambda asked: (
        select(
            Milestone.initiative_id,
            cast(func.sum(Milestone.share), BigInteger).label("points"),
            _planned(_today).label("planned"),
            _value(Milestone.percent).label("earned"),
            _value(Milestone.verified).label("verified"),
            _count(_live).label("total"),
            _count(and_(_live, Milestone.percent == FULL)).label("done"),
            _overdue(_today).label("overdue"),
            func.min(case((_open, Milestone.due_on))).label("next_due_on"),
            func.max(case((_live, Milestone.due_on))).label("finish_on"),
        )
        .join(asked, Milestone.initiative_id == asked.c.id)
        .where(
            Milestone.institution_id == bindparam("institution"),
            by_given(Milestone.initiative_id, asked),
        )
        .group_by(Milestone.initiative_id)
        .having(_count(_live) > 0)
    ),
    id=Uuid(),
)


def _of_initiative(institution_id: UUID, number: ColumnElement[int]) -> ColumnElement[int]:
    """A number over the milestones of the initiative at hand, for filters over initiatives."""
    return (
        select(number)
        .where(
            Milestone.institution_id == institution_id,
            Milestone.initiative_id == Initiative.id,
        )
        .correlate(Initiative)
        .scalar_subquery()
    )


_VALUE_PER_WEIGHT = literal(BAC_PER_WEIGHT, BigInteger)


def health_of_initiative(
    institution_id: UUID, today: date, thresholds: Thresholds
) -> ColumnElement[str]:
    """`figures.health` in SQL, for the initiative at hand; a test holds the two equal."""
    day = literal(today)
    is_known = and_(Initiative.planned_from <= day, Initiative.planned_until > day)
    planned = case(
        (is_known, Initiative.planned), else_=_of_initiative(institution_id, _planned(day))
    )
    earned = Initiative.earned
    index = earned * TEN_THOUSANDTHS
    return case(
        (Initiative.status.not_in(COUNTED), Health.NOT_MEASURABLE.value),
        (Initiative.milestones == 0, Health.NOT_MEASURABLE.value),
        (earned == cast(Initiative.weight, BigInteger) * _VALUE_PER_WEIGHT, Health.COMPLETED.value),
        (and_(planned == 0, earned == 0), Health.NOT_STARTED.value),
        (planned == 0, Health.ON_TRACK.value),
        (index >= planned * thresholds.on_track_from, Health.ON_TRACK.value),
        (index >= planned * thresholds.at_risk_from, Health.AT_RISK.value),
        else_=Health.OFF_TRACK.value,
    )


def any_overdue(today: date) -> ColumnElement[bool]:
    """Whether the initiative at hand has an overdue milestone."""
    next_due_on = Initiative.next_due_on
    return and_(next_due_on.is_not(None), next_due_on < today)


def any_due(institution_id: UUID, first: date, last: date) -> ColumnElement[bool]:
    """Whether the initiative at hand has an unfinished milestone that is due within some days."""
    # Said by `done_on`, as the index of what is open is.
    due = select(Milestone.initiative_id).where(
        Milestone.institution_id == institution_id,
        Milestone.dropped_at.is_(None),
        Milestone.done_on.is_(None),
        Milestone.due_on.between(first, last),
    )
    next_due_on = Initiative.next_due_on
    return and_(
        next_due_on.is_not(None),
        next_due_on <= last,
        or_(next_due_on >= first, Initiative.id.in_(due)),
    )
