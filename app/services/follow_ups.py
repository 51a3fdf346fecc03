"""Follow-ups: the actions against an obstacle, each with an owner and a day."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import ColumnElement, Select, and_, func, or_
from sqlalchemy.orm import Session

from app.errors import Invalid, NotFound
from app.keyset import Key, paginate, parse_sort
from app.models import FollowUp, Initiative, Obstacle, Person, Unit
from app.models.base import new_id, now, refers
from app.rollup import facts
from app.rollup.ledger import Entry
from app.schemas import obstacles as wire
from app.schemas.fields import LAST_DAY
from app.schemas.obstacles import FollowUpState
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, events, naming, obstacles, register, versions
from app.services.access import Scope
from app.services.actors import Actor
from app.services.obstacles import Found
from app.services.versions import Expected

_SORTS: dict[str, Any] = {
    "created_at": FollowUp.id,  # ids are in the order of creation
    "due_on": func.coalesce(FollowUp.due_on, LAST_DAY, type_=FollowUp.due_on.type),
    "updated_at": FollowUp.updated_at,
}


def create(
    session: Session, actor: Actor, institution: str, obstacle_id: UUID, new: wire.NewFollowUp
) -> wire.FollowUp:
    """Add an action against an obstacle; it is open."""
    found = obstacles.changing(
        session, actor, institution, obstacle_id, Permission.OBSTACLES_REPORT
    )
    at = now()
    row = FollowUp(
        institution_id=found.scope.id,
        id=new_id(),
        obstacle_id=found.row.id,
        action=new.action,
        owner_id=obstacles.owner_of(session, found.scope, new.owner),
        due_on=new.due_on,
        state=FollowUpState.OPEN,
        done_on=None,
        created_at=at,
        updated_at=at,
        version=1,
    )
    session.add(row)
    entry = Entry()
    entry.add(obstacles.counts_of(row))
    obstacles.post(session, found, entry)
    versions.touch(found.row)
    told = new.model_dump(mode="json", exclude_unset=True)
    _record(session, found, row, "follow_up.created", told)
    return _one(session, found.scope, row.obstacle_id, row.id)


def change(
    session: Session,
    actor: Actor,
    institution: str,
    obstacle_id: UUID,
    follow_up_id: UUID,
    changes: wire.FollowUpChanges,
    expected: Expected,
) -> wire.FollowUp:
    """Change an action, or say what became of it; raises `Invalid` for a day that has not come."""
    found = obstacles.changing(
        session, actor, institution, obstacle_id, Permission.OBSTACLES_REPORT
    )
    row = session.get(FollowUp, (found.scope.id, follow_up_id))
    if row is None or row.obstacle_id != obstacle_id:
        raise NotFound
    versions.check(row, expected)
    entry = Entry()
    entry.add(obstacles.counts_of(row), -1)
    for name in changes.model_fields_set & {"action", "due_on", "state"}:
        setattr(row, name, getattr(changes, name))
    if changes.owner is not MISSING:
        row.owner_id = obstacles.owner_of(session, found.scope, changes.owner)
    given = None if changes.done_on is MISSING else changes.done_on
    row.done_on = _done_on(row, given, found.scope.today())
    entry.add(obstacles.counts_of(row))
    obstacles.post(session, found, entry)
    versions.touch(row)
    versions.touch(found.row)
    told = changes.model_dump(mode="json", exclude_unset=True)
    _record(session, found, row, "follow_up.changed", told)
    return _one(session, found.scope, obstacle_id, row.id)


def get(
    session: Session, actor: Actor, institution: str, obstacle_id: UUID, follow_up_id: UUID
) -> wire.FollowUp:
    """One action."""
    scope = access.institution(session, actor, institution)
    return _one(session, scope, obstacle_id, follow_up_id)


def page(
    session: Session,
    actor: Actor,
    institution: str,
    obstacle_id: UUID,
    query: wire.FollowUpsQuery,
) -> Page[wire.FollowUp]:
    """The actions against an obstacle, the oldest first."""
    scope = access.institution(session, actor, institution)
    register.one(session, scope, obstacle_id)
    statement = _with_codes(scope).where(Obstacle.id == obstacle_id)
    if query.state:
        statement = statement.where(FollowUp.state.in_(query.state))
    found = paginate(session, statement, [Key(FollowUp.id, descending=False)], query)
    return found.page([_shape(row, scope.today()) for row in found.rows])


def of_institution(
    session: Session, actor: Actor, institution: str, query: wire.AllFollowUpsQuery
) -> Page[wire.FollowUp]:
    """The actions against all obstacles that the actor sees, filtered and sorted."""
    scope = access.institution(session, actor, institution)
    today = scope.today()
    keys = parse_sort(query.sort, _SORTS, Key(FollowUp.id, descending=True))
    statement = _with_codes(scope).where(*_filters(scope, query, today))
    found = paginate(session, statement, keys, query)
    return found.page([_shape(row, today) for row in found.rows])


def _filters(scope: Scope, query: wire.AllFollowUpsQuery, today: date) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.unit:
        units = access.below(scope, query.unit, subtree=query.subtree)
        conditions.append(or_(Obstacle.unit_id.in_(units), Initiative.unit_id.in_(units)))
    if query.initiative:
        conditions.append(naming.named_any(Initiative, query.initiative))
    if query.owner:
        conditions.append(naming.named_any(Person, query.owner))
    if query.state:
        conditions.append(FollowUp.state.in_(query.state))
    if query.overdue is not None:
        is_overdue = and_(
            facts.IS_OPEN,
            FollowUp.due_on.is_not(None),
            FollowUp.due_on < today,
        )
        conditions.append(is_overdue if query.overdue else ~is_overdue)
    if query.updated_since is not None:
        conditions.append(FollowUp.updated_at >= query.updated_since)
    return conditions


def _done_on(row: FollowUp, given: date | None, today: date) -> date | None:
    if row.state is not FollowUpState.DONE:
        if given is not None:
            raise Invalid.field("/done_on", "not_done", "Only what is done has such a day.")
        return None
    if given is not None and given > today:
        raise Invalid.field("/done_on", "in_future", "This day has not come.")
    return given or row.done_on or today


def _one(session: Session, scope: Scope, obstacle_id: UUID, follow_up_id: UUID) -> wire.FollowUp:
    session.flush()
    here = (Obstacle.id == obstacle_id, FollowUp.id == follow_up_id)
    statement = _with_codes(scope).where(*here)
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound
    return _shape(row, scope.today())


def _with_codes(scope: Scope) -> Select[*tuple[Any, ...]]:
    of = Unit.id == func.coalesce(Obstacle.unit_id, Initiative.unit_id)
    return (
        access.visible(scope, Obstacle)
        .join(FollowUp, refers(FollowUp.obstacle_id, Obstacle))
        .outerjoin(Initiative, refers(Obstacle.initiative_id, Initiative))
        .join(Unit, and_(Unit.institution_id == Obstacle.institution_id, of))
        .outerjoin(Person, refers(FollowUp.owner_id, Person))
        .with_only_columns(
            FollowUp,
            Unit.code.label("unit"),
            Initiative.code.label("initiative"),
            Person.code.label("owner"),
        )
    )


def _record(session: Session, found: Found, row: FollowUp, kind: str, data: dict[str, Any]) -> None:
    subject = events.Subject(row.id, f"obstacles/{row.obstacle_id}/follow-ups/{row.id}")
    events.record(
        session, found.scope.actor, found.scope.id, kind, subject, data, unit_id=found.unit_id
    )


def _shape(row: Any, today: date) -> wire.FollowUp:  # noqa: ANN401  a row of `_with_codes`
    of: FollowUp = row[0]
    is_open = of.state is FollowUpState.OPEN
    return wire.FollowUp(
        id=of.id,
        obstacle=of.obstacle_id,
        unit=row.unit,
        initiative=row.initiative,
        action=of.action,
        owner=row.owner,
        due_on=of.due_on,
        state=of.state,
        done_on=of.done_on,
        overdue_days=register.overdue_days(of.due_on, today, is_open=is_open),
        created_at=of.created_at,
        updated_at=of.updated_at,
        version=of.version,
    )
