"""What is kept of the facts beside the ledger: milestones' shares, and where initiatives stand."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from app.models import Initiative, Milestone, ProgressUpdate
from app.models.base import now
from app.models.base import table as table_of
from app.rollup import contribution, facts, months
from app.rollup.contribution import NEVER, Standing
from app.rollup.points import FULL
from app.schemas.fields import FIRST_DAY

_AT_ONCE = 500
_LATELY = timedelta(hours=2)
"""Twice the time between two rounds."""


def keep(session: Session, institution_id: UUID, of: Iterable[facts.Fact]) -> None:
    """Keep the shares of the milestones and the standing of each initiative."""
    changed: list[dict[str, Any]] = []
    today = now().date()  # some day around the present one: what it is off is seen by who reads
    for fact in of:
        states = contribution.states(fact.initiative)
        standing = contribution.standing(fact.initiative, states, today)
        if standing != fact.standing:
            set_standing(session, institution_id, fact.id, standing)
        changed += [
            {"institution": institution_id, "milestone": stored.id, "points": state.share}
            for stored, state in zip(fact.stored, states, strict=True)
            if stored.share != state.share
        ]
    if changed:
        session.connection().execute(_SET_SHARE, changed)
        session.expire_all()


def set_standing(
    session: Session, institution_id: UUID, initiative_id: UUID, standing: Standing
) -> None:
    """Keep where an initiative stands."""
    given = {f"new_{name}": number for name, number in standing._asdict().items()}
    session.connection().execute(
        _SET_STANDING, {"institution": institution_id, "initiative": initiative_id, **given}
    )


def renew(session: Session, institution_id: UUID, today: date) -> int:
    """Bring what is kept of initiatives' plans up to a day; answers how many it were, of 500 at most.

    Nobody waits for the day: what is not of it is read from the milestones, and only takes longer.
    What changed lately is compared too, for a server of the release before may have changed it.
    """
    since = now() - _LATELY
    found = session.scalars(
        select(Initiative.id)
        .where(
            Initiative.institution_id == institution_id,
            or_(
                Initiative.planned_until <= today,
                Initiative.reported_months.is_(None),
                and_(Initiative.updated_at >= since, or_(*_differs())),
            ),
        )
        .order_by(Initiative.id)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True),
        {"institution": institution_id},
    ).all()
    if found:
        asked = {"institution": institution_id, "initiatives": found, "today": today}
        session.connection().execute(_RENEW, asked)
    return len(found)


_planned_on = func.coalesce(Milestone.baseline_due_on, Milestone.due_on)


def _of_live(number: Any) -> Any:  # noqa: ANN401  an aggregate of any type
    return (
        select(number)
        .where(
            Milestone.institution_id == bindparam("institution"),
            Milestone.initiative_id == Initiative.id,
            Milestone.dropped_at.is_(None),
        )
        .correlate(table_of(Initiative))
        .scalar_subquery()
    )


NEXT_DUE_ON = _of_live(func.min(case((Milestone.percent < FULL, Milestone.due_on))))
LAST_DONE_ON = _of_live(func.max(Milestone.done_on))
"""Of the initiative at hand; `institution` is to be bound."""
_bits, _are_kept = months.kept(table_of(Initiative).c.year, ProgressUpdate.effective_on)
_reported_months = (
    select(_bits)
    .where(
        ProgressUpdate.institution_id == bindparam("institution"),
        ProgressUpdate.initiative_id == Initiative.id,
        _are_kept,
    )
    .correlate(table_of(Initiative))
    .scalar_subquery()
)


def _planned_by(day: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401  a column or a parameter
    """The value that is planned on a day, since when, and until when."""
    is_planned = _planned_on <= day
    points = func.sum(case((is_planned, Milestone.share), else_=0))
    return (
        _of_live(cast(func.coalesce(points, 0) * FULL, BigInteger)),
        _of_live(func.coalesce(func.max(case((is_planned, _planned_on))), FIRST_DAY)),
        _of_live(func.coalesce(func.min(case((~is_planned, _planned_on))), NEVER)),
    )


def _differs() -> list[ColumnElement[bool]]:
    value, _, until = _planned_by(Initiative.planned_from)
    return [
        Initiative.next_due_on.is_distinct_from(NEXT_DUE_ON),
        Initiative.last_done_on.is_distinct_from(LAST_DONE_ON),
        Initiative.reported_months != _reported_months,
        Initiative.planned != value,
        Initiative.planned_until != until,
    ]


def _renewed() -> dict[str, Any]:
    found = _planned_by(bindparam("today", type_=Milestone.due_on.type))
    names = ("planned", "planned_from", "planned_until")
    return {
        "next_due_on": NEXT_DUE_ON,
        "last_done_on": LAST_DONE_ON,
        "reported_months": _reported_months,
        **dict(zip(names, found, strict=True)),
    }


_RENEW = (
    update(table_of(Initiative))
    .where(
        Initiative.institution_id == bindparam("institution"),
        Initiative.id.in_(bindparam("initiatives", expanding=True)),
    )
    .values(_renewed())
)
_SET_STANDING = (
    update(table_of(Initiative))
    .where(
        Initiative.institution_id == bindparam("institution"),
        Initiative.id == bindparam("initiative"),
    )
    .values({name: bindparam(f"new_{name}") for name in Standing._fields})
)
_SET_SHARE = (
    update(table_of(Milestone))
    .where(
        Milestone.institution_id == bindparam("institution"), Milestone.id == bindparam("milestone")
    )
    .values(share=bindparam("points"))
)
