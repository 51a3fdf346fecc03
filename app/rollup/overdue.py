"""Which milestones are overdue: the list behind the count of a roll-up."""

from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, func, or_, select
from sqlalchemy.orm import Session

from app.models import Initiative, Milestone, ProgressUpdate, Unit, UnitClosure
from app.models.base import refers
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
    session: Session,
    institution_id: UUID,
    unit_id: UUID,
    year: int | None,
    as_of: date,
    most: int | None = None,
) -> list[Overdue]:
    """The overdue milestones of a unit with all below it, the longest overdue first.

    As many as the roll-up of the same unit, year and date counts: the plan as it stands now, and
    the reports effective by then; `most` cuts the list off.
    """
    asked = {"institution": institution_id, "unit": unit_id, "year": year, "as_of": as_of}
    statement = _OVERDUE[year is None]
    rows = session.connection().execute(statement if most is None else statement.limit(most), asked)
    return [Overdue(*row[:-1]) for row in rows]


_REPORTED = (
    select(ProgressUpdate.percent)
    .where(
        ProgressUpdate.institution_id == bindparam("institution"),
        ProgressUpdate.milestone_id == Milestone.id,
        ProgressUpdate.effective_on <= bindparam("as_of"),
    )
    .order_by(ProgressUpdate.effective_on.desc(), ProgressUpdate.sequence.desc())
    .limit(1)
    .correlate(Milestone)
    .scalar_subquery()
)


def _overdue(*, every_year: bool) -> Select[*tuple[Any, ...]]:
    late = (
        select(
            Initiative.code,
            Initiative.title.label("initiative_title"),
            Unit.code.label("unit"),
            Milestone.number,
            Milestone.title,
            Milestone.due_on,
            func.coalesce(_REPORTED, 0).label("percent"),
            Initiative.code_key,
        )
        .select_from(UnitClosure)
        .join(
            Unit,
            refers(UnitClosure.descendant_id, Unit),
        )
        .join(
            Initiative,
            refers(Initiative.unit_id, Unit),
        )
        .join(
            Milestone,
            refers(Milestone.initiative_id, Initiative),
        )
        .where(
            UnitClosure.institution_id == bindparam("institution"),
            UnitClosure.ancestor_id == bindparam("unit"),
            Initiative.status.in_(COUNTED),
            Milestone.dropped_at.is_(None),
            Milestone.due_on < bindparam("as_of"),
            # Follows from the percent below, but without a look at the reports of what is done.
            or_(Milestone.done_on.is_(None), Milestone.done_on > bindparam("as_of")),
        )
    )
    if not every_year:
        late = late.where(Initiative.year == bindparam("year"))
    rows = late.subquery("late")
    return (
        select(*rows.c)
        .where(rows.c.percent < FULL)
        .order_by(rows.c.due_on, rows.c.code_key, rows.c.number)
    )


_OVERDUE = {every: _overdue(every_year=every) for every in (True, False)}
