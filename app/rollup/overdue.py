"""Which milestones are overdue: the list behind the count of a roll-up."""

from datetime import date
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Subquery,
    and_,
    bindparam,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models import (
    Initiative,
    InitiativeArea,
    Milestone,
    ProgressUpdate,
    RollupPeriod,
    Unit,
    UnitClosure,
)
from app.models.base import refers
from app.models.hints import on_sqlite
from app.models.rollups import ALL_AREAS, Span
from app.rollup.contribution import COUNTED
from app.rollup.points import FULL


class Overdue(NamedTuple):
    """A live milestone of a counted initiative that is past its due date and not at 100 %."""

    initiative: str
    initiative_title: str
    unit: str
    milestone: int
    milestone_title: str
    due_on: date
    basis_points: int
    """As reported by the date that is asked for."""


def listed(
    session: Session, institution_id: UUID, unit_id: UUID, year: int | None, as_of: date
) -> list[Overdue]:
    """The overdue milestones of a unit with all below it, the longest overdue first.

    As many as the roll-up of the same unit, year and date counts: the plan as it stands now, and
    the reports effective by then.
    """
    asked = {"institution": institution_id, "unit": unit_id, "year": year, "as_of": as_of}
    rows = session.connection().execute(_every(every_year=year is None), asked)
    return [Overdue(*row[: len(Overdue._fields)]) for row in rows]


def first(
    session: Session,
    institution_id: UUID,
    unit_id: UUID,
    year: int | None,
    as_of: date,
    most: int,
    *,
    is_today: bool,
    is_whole: bool,
    area_id: UUID = ALL_AREAS,
) -> list[Overdue]:
    """The first of what is listed, as many as wanted; `is_whole` says that the unit is the root.

    Of one reform area, where that is asked for, they are those of the initiatives that serve it.

    Of today (`is_today`) they are among the milestones of as many initiatives, those whose next due
    dates are the earliest, and no report is read. Of the whole on a day that is past they are read
    off indexes in the order of their dates, whatever there is in all; of one year from its first
    due date on, which the ledger knows.
    """
    asked = {"institution": institution_id, "unit": unit_id, "year": year, "as_of": as_of}
    statement = _first(
        every_year=year is None,
        every_area=area_id == ALL_AREAS,
        is_whole=is_whole,
        is_today=is_today,
    )
    rows = session.connection().execute(statement, asked | {"most": most, "area": area_id})
    return [Overdue(*row[: len(Overdue._fields)]) for row in rows]


_REPORTED = (
    select(ProgressUpdate.percent)
    .where(
        ProgressUpdate.institution_id == bindparam("institution"),
        ProgressUpdate.milestone_id == Milestone.id,
        # So PostgreSQL looks only where the initiative counts: most of what is open for long has none.
        ProgressUpdate.initiative_id == Initiative.id,
        ProgressUpdate.effective_on <= bindparam("as_of"),
    )
    .order_by(ProgressUpdate.effective_on.desc(), ProgressUpdate.sequence.desc())
    .limit(1)
    .correlate(Milestone, Initiative)
    .scalar_subquery()
)
_IS_SERVING = Initiative.id.in_(
    select(InitiativeArea.initiative_id).where(
        InitiativeArea.institution_id == bindparam("institution"),
        InitiativeArea.area_id == bindparam("area"),
    )
)
_IS_BELOW = Initiative.unit_id.in_(
    select(UnitClosure.descendant_id).where(
        UnitClosure.institution_id == bindparam("institution"),
        UnitClosure.ancestor_id == bindparam("unit"),
    )
)
_FIRST_DUE = (
    select(func.min(RollupPeriod.starts_on))
    .where(
        RollupPeriod.institution_id == bindparam("institution"),
        RollupPeriod.unit_id == bindparam("unit"),
        RollupPeriod.area_id == bindparam("area"),
        RollupPeriod.year == bindparam("year"),
        RollupPeriod.span == int(Span.DAY),
        RollupPeriod.due > 0,
    )
    .scalar_subquery()
)
_IS_OPEN = Milestone.done_on.is_(None)
# Follows from what was reported by then, but without a look at the reports of what is done.
_WAS_OPEN = or_(_IS_OPEN, Milestone.done_on > bindparam("as_of"))
# Whatever was overdue on any day and is done by now was done late: there is an index of these.
_DONE_LATER = and_(Milestone.done_on > Milestone.due_on, Milestone.done_on > bindparam("as_of"))


@cache
def _every(*, every_year: bool) -> Select[*tuple[Any, ...]]:
    late = _below(_late(_WAS_OPEN, _reported(), every_year=every_year))
    return _ordered(late.subquery("late"))


@cache
def _first(
    *, every_year: bool, every_area: bool, is_whole: bool, is_today: bool
) -> Select[*tuple[Any, ...]]:
    most: BindParameter[int] = bindparam("most")

    def late_by(
        is_open: ColumnElement[bool], percent: InstrumentedAttribute[int] | ColumnElement[int]
    ) -> Select[*tuple[Any, ...]]:
        late = _late(is_open, percent, every_year=every_year)
        return late if every_area else late.where(_IS_SERVING)

    if is_today:
        late = late_by(_IS_OPEN, Milestone.percent)
        among = _owing(every_year=every_year, is_whole=is_whole)
        among = (among if every_area else among.where(_IS_SERVING)).limit(most)
        late = late.where(Milestone.initiative_id.in_(among))
        return _ordered(late.subquery("late")).limit(most)
    percent = _reported()
    if not is_whole:
        late = _below(late_by(_WAS_OPEN, percent))
        return _ordered(late.subquery("late")).limit(most)
    kinds = [late_by(kind, percent) for kind in (_IS_OPEN, _DONE_LATER)]
    if not every_year:
        kinds = [late.where(Milestone.due_on >= _FIRST_DUE) for late in kinds]
    parts = [select(_ordered(late.subquery()).limit(most).subquery()) for late in kinds]
    return _ordered(union_all(*parts).subquery("late")).limit(most)


def _owing(*, every_year: bool, is_whole: bool) -> Select[UUID]:
    """Initiatives by their next due dates, of which some have passed.

    Each comes with its own first milestone, so the first few milestones of all are of the first few
    of these: in the order of the list, by day and by code.
    """
    owing = (
        select(Initiative.id)
        .where(
            Initiative.institution_id == bindparam("institution"),
            Initiative.status.in_(COUNTED),
            Initiative.next_due_on < bindparam("as_of"),
        )
        .order_by(Initiative.next_due_on, Initiative.code_key)
        .correlate(None)
    )
    if not every_year:
        owing = owing.where(Initiative.year == bindparam("year"))
    if is_whole:
        return owing
    return owing.where(_IS_BELOW)


def _reported() -> ColumnElement[int]:
    return func.coalesce(_REPORTED, 0)


def _late(
    is_open: ColumnElement[bool],
    percent: InstrumentedAttribute[int] | ColumnElement[int],
    *,
    every_year: bool,
) -> Select[*tuple[Any, ...]]:
    late = (
        select(
            Initiative.code,
            Initiative.title.label("initiative_title"),
            Unit.code.label("unit"),
            Milestone.number,
            Milestone.title,
            Milestone.due_on,
            percent.label("percent"),
            Initiative.code_key,
        )
        .select_from(Milestone)
        .join(Initiative, refers(Milestone.initiative_id, Initiative))
        .join(Unit, refers(Initiative.unit_id, Unit))
        .where(
            Milestone.institution_id == bindparam("institution"),
            Initiative.status.in_(COUNTED),
            Milestone.dropped_at.is_(None),
            Milestone.due_on < bindparam("as_of"),
            is_open,
        )
    )
    return late if every_year else late.where(Initiative.year == bindparam("year"))


def _below(late: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Of the unit that is asked for, and all below it."""
    below = select(Initiative.id).where(
        Initiative.institution_id == bindparam("institution"), _IS_BELOW
    )
    return late.join(UnitClosure, refers(UnitClosure.descendant_id, Unit)).where(
        UnitClosure.institution_id == bindparam("institution"),
        UnitClosure.ancestor_id == bindparam("unit"),
        on_sqlite(Milestone.initiative_id.in_(below.correlate(None))),
    )


def _ordered(late: Subquery) -> Select[*tuple[Any, ...]]:
    return (
        select(*late.c)
        .where(late.c.percent < FULL)
        .order_by(late.c.due_on, late.c.code_key, late.c.number)
    )
