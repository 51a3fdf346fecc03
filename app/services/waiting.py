"""Waiting: dependencies with both their sides, as far as one sees them, and which are late."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Row,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from app.models import Dependency, Initiative, Milestone
from app.rollup.points import FULL
from app.schemas import dependencies as wire
from app.schemas.fields import InitiativeStatus
from app.schemas.permissions import Permission
from app.services import access
from app.services.access import Scope

PREDECESSOR, SUCCESSOR = aliased(Initiative), aliased(Initiative)
_BEFORE, _AFTER = aliased(Milestone), aliased(Milestone)
_OVER = (InitiativeStatus.COMPLETED, InitiativeStatus.CANCELLED)


def seen(session: Session, scope: Scope) -> Select[*tuple[Any, ...]]:
    """Dependencies of which the actor sees either side."""
    statement = _all(session, scope)
    columns = statement.selected_columns
    return statement.where(or_(columns.predecessor_seen, columns.successor_seen))


def of_initiative(session: Session, scope: Scope, initiative_id: UUID) -> Select[*tuple[Any, ...]]:
    """Dependencies of an initiative that the actor sees, on either side."""
    return _all(session, scope).where(
        or_(Dependency.predecessor_id == initiative_id, Dependency.successor_id == initiative_id)
    )


def shape(row: Row[*tuple[Any, ...]]) -> wire.Dependency:
    """A dependency as it is answered."""
    dependency: Dependency = row[0]
    return wire.Dependency(
        id=dependency.id,
        predecessor=_end(row, "predecessor"),
        successor=_end(row, "successor"),
        lag_days=dependency.lag_days,
        late=row.late,
        created_at=dependency.created_at,
        created_by=dependency.created_by,
    )


def _end(row: Row[*tuple[Any, ...]], side: str) -> wire.End:
    told = row._mapping  # noqa: SLF001  SQLAlchemy's public name of it
    is_seen = told[f"{side}_seen"]
    return wire.End(
        initiative=told[f"{side}_code"],
        milestone=told[f"{side}_number"],
        **{
            name: told[f"{side}_{name}"] if is_seen else None
            for name in ("title", "due_on", "over")
        },
    )


def _all(session: Session, scope: Scope) -> Select[*tuple[Any, ...]]:
    sides: list[tuple[str, Any, Any]] = [
        ("predecessor", PREDECESSOR, _BEFORE),
        ("successor", SUCCESSOR, _AFTER),
    ]
    statement: Select[*tuple[Any, ...]] = select(Dependency).where(access.within(scope, Dependency))
    for side, initiative, milestone in sides:
        to_initiative = getattr(Dependency, f"{side}_id")
        to_milestone = getattr(Dependency, f"{side}_milestone_id")
        statement = (
            statement.join(
                initiative,
                and_(initiative.institution_id == scope.id, initiative.id == to_initiative),
            )
            .outerjoin(
                milestone, and_(milestone.institution_id == scope.id, milestone.id == to_milestone)
            )
            .add_columns(
                initiative.code.label(f"{side}_code"),
                initiative.unit_id.label(f"{side}_unit_id"),
                milestone.number.label(f"{side}_number"),
                func.coalesce(milestone.title, initiative.title).label(f"{side}_title"),
                _due_on(scope, initiative, milestone).label(f"{side}_due_on"),
                _is_over(initiative, milestone).label(f"{side}_over"),
                _is_seen(scope, to_initiative).label(f"{side}_seen"),
            )
        )
    return statement.add_columns(_is_late(session, scope).label("late"))


def _is_seen(scope: Scope, initiative_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    if scope.actor.reach(Permission.PLANS_READ) is None:
        return true()
    own = select(Initiative.id).where(
        access.within(scope, Initiative), access.seen(scope, Initiative)
    )
    return initiative_id.in_(own)


def _due_on(scope: Scope, initiative: Any, milestone: Any) -> ColumnElement[date]:  # noqa: ANN401  aliases
    last = (
        select(func.max(Milestone.due_on))
        .where(
            access.within(scope, Milestone),
            Milestone.initiative_id == initiative.id,
            Milestone.dropped_at.is_(None),
        )
        .scalar_subquery()
    )
    return func.coalesce(milestone.due_on, last, initiative.due_on, type_=Date())


def _is_over(initiative: Any, milestone: Any) -> ColumnElement[bool]:  # noqa: ANN401  aliases
    """Whether nothing is left to wait for: it is done, or has left the plan."""
    part = or_(milestone.percent == FULL, milestone.dropped_at.is_not(None))
    whole = and_(initiative.milestones > 0, initiative.done == initiative.milestones)
    is_over = case(
        (initiative.status.in_(_OVER), true()), (milestone.id.is_not(None), part), else_=whole
    )
    return cast(is_over, Boolean)


def _is_late(session: Session, scope: Scope) -> ColumnElement[bool]:
    due_on = _due_on(scope, PREDECESSOR, _BEFORE)
    wanted_by = _due_on(scope, SUCCESSOR, _AFTER)
    is_late = or_(due_on < literal(scope.today()), _later(session, due_on) > wanted_by)
    waits = and_(~_is_over(PREDECESSOR, _BEFORE), ~_is_over(SUCCESSOR, _AFTER))
    # Without a date there is nothing to be late for.
    return and_(waits, func.coalesce(is_late, literal(value=False)))


def _later(session: Session, day: ColumnElement[date]) -> ColumnElement[date]:
    """The day after the lag."""
    if session.connection().dialect.name == "sqlite":
        days = cast(Dependency.lag_days, String).concat(" days")
        return func.date(day, days, type_=Date())
    return day + Dependency.lag_days
