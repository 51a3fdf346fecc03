"""What reports moved between two dates, by milestone and by initiative.

The cost grows with the milestones that have a report in between, in the subtree that is asked for.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    select,
)

from app.models import Initiative, Milestone, ProgressUpdate, Unit
from app.models.base import refers
from app.models.hints import on_sqlite
from app.rollup.points import FULL
from app.schemas.fields import Technique


def of_milestones(
    institution_id: UUID, initiatives: Select[UUID], first: date, last: date
) -> Subquery:
    """Milestones of these initiatives that earned or lost something: with before, after, value."""
    reported = _reported(institution_id, initiatives, first, last)
    found = (
        select(
            Milestone.initiative_id,
            Initiative.code.label("initiative"),
            Initiative.title.label("initiative_title"),
            Initiative.weight,
            Unit.code.label("unit"),
            Milestone.number,
            Milestone.title,
            Milestone.share,
            Milestone.technique,
            reported.c.before,
            reported.c.after,
        )
        .join(reported, reported.c.milestone_id == Milestone.id)
        .join(Initiative, refers(Milestone.initiative_id, Initiative))
        .join(Unit, refers(Initiative.unit_id, Unit))
        .where(
            Milestone.institution_id == institution_id,
            on_sqlite(Milestone.initiative_id.in_(initiatives)),
            Milestone.dropped_at.is_(None),
        )
        .subquery("found")
    )
    value = found.c.share * (_counted(found.c, "after") - _counted(found.c, "before"))
    moves = select(found, value.label("value")).subquery("moves")
    return select(moves).where(moves.c.value != 0).subquery("milestone_moves")


def of_initiatives(
    institution_id: UUID, initiatives: Select[UUID], first: date, last: date
) -> Subquery:
    """The same by initiative; `value` is what it has earned, of `weight`."""
    moves = of_milestones(institution_id, initiatives, first, last).c
    value = cast(func.sum(moves.value), BigInteger)
    return (
        select(
            moves.initiative_id,
            moves.initiative,
            moves.initiative_title,
            moves.weight,
            moves.unit,
            value.label("value"),
        )
        .group_by(
            moves.initiative_id,
            moves.initiative,
            moves.initiative_title,
            moves.weight,
            moves.unit,
        )
        .having(value != 0)
        .subquery("initiative_moves")
    )


def _reported(institution_id: UUID, initiatives: Select[UUID], first: date, last: date) -> Subquery:
    """Milestones with a report in between, and the basis points that held at both ends.

    One pass over their reports: the latest of those up to `first`, and the latest behind it.
    """
    is_behind = case((ProgressUpdate.effective_on > first, 1), else_=0)
    of_these = (
        ProgressUpdate.institution_id == institution_id,
        ProgressUpdate.initiative_id.in_(initiatives),
    )
    moved = select(ProgressUpdate.milestone_id).where(
        *of_these, ProgressUpdate.effective_on > first, ProgressUpdate.effective_on <= last
    )
    latest_first = (ProgressUpdate.effective_on.desc(), ProgressUpdate.sequence.desc())
    ranked = (
        select(
            ProgressUpdate.milestone_id,
            ProgressUpdate.percent,
            is_behind.label("is_behind"),
            func.row_number()
            .over(partition_by=(ProgressUpdate.milestone_id, is_behind), order_by=latest_first)
            .label("place"),
        )
        .where(
            *of_these,
            ProgressUpdate.effective_on <= last,
            ProgressUpdate.milestone_id.in_(moved),
        )
        .subquery("ranked")
    )
    ends = (
        func.coalesce(func.max(case((ranked.c.is_behind == side, ranked.c.percent))), 0).label(name)
        for side, name in enumerate(("before", "after"))
    )
    return (
        select(ranked.c.milestone_id, *ends)
        .where(ranked.c.place == 1)
        .group_by(ranked.c.milestone_id)
        .subquery("reported")
    )


def _counted(columns: Any, name: str) -> ColumnElement[int]:  # noqa: ANN401  any column collection
    partial = and_(columns.technique == Technique.BINARY, columns[name] < FULL)
    return cast(case((partial, literal(0)), else_=columns[name]), BigInteger)
