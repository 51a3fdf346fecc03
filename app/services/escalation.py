"""Escalation: obstacles are handed to a unit above, which decides what was asked."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Invalid, StatusConflict
from app.models import Unit, UnitClosure
from app.models.base import now, refers
from app.schemas import obstacles as wire
from app.schemas.obstacles import ObstacleState
from app.schemas.permissions import Permission
from app.services import access, naming, obstacles, register, versions
from app.services.actors import Actor
from app.services.obstacles import Found


def escalate(
    session: Session, actor: Actor, institution: str, obstacle_id: UUID, asked: wire.Escalation
) -> wire.Obstacle:
    """Hand an obstacle to a unit above its own; who may decide there decides from now on.

    Raises `Invalid` for a unit that is not above, and `StatusConflict` for a resolved obstacle.
    """
    found = obstacles.changing(
        session, actor, institution, obstacle_id, Permission.OBSTACLES_REPORT
    )
    row = found.row
    if row.state is ObstacleState.RESOLVED:
        raise StatusConflict("This obstacle is resolved.")
    with obstacles.recorded(session, found):
        row.escalated_to_id = _above(session, found, asked.to)
        row.escalated_by, row.escalated_at = actor.name, now()
        row.escalation_reason = asked.reason
        if asked.decision_asked is not None:
            obstacles.ask(found, asked.decision_asked)
        versions.touch(row)
    told = asked.model_dump(mode="json", exclude_unset=True)
    obstacles.record(session, found, "obstacle.escalated", told)
    return register.one(session, found.scope, row.id)


def decide(
    session: Session, actor: Actor, institution: str, obstacle_id: UUID, new: wire.NewDecision
) -> wire.Obstacle:
    """Answer what was asked, where the obstacle was handed to; else where it is.

    Raises `StatusConflict` where nothing waits for a decision.
    """
    found = obstacles.changing(session, actor, institution, obstacle_id, None)
    row = found.row
    place = row.escalated_to_id or found.unit_id
    access.require(session, found.scope, Permission.OBSTACLES_DECIDE, place)
    if row.state is ObstacleState.RESOLVED or row.asked_at is None or row.decided_at is not None:
        raise StatusConflict("Nothing waits for a decision here.")
    with obstacles.recorded(session, found):
        row.decided, row.decided_by, row.decided_at = new.decision, actor.name, now()
        versions.touch(row)
    obstacles.record(session, found, "obstacle.decided", new.model_dump(mode="json"))
    return register.one(session, found.scope, row.id)


def _above(session: Session, found: Found, key: str | None) -> UUID:
    """A unit above the obstacle's, which the actor need not see: the path tells its code anyway.

    Without a key the next one above where the obstacle is now.
    """
    below = found.unit_id if key is not None else found.row.escalated_to_id or found.unit_id
    statement = (
        select(Unit.id)
        .join(UnitClosure, refers(UnitClosure.ancestor_id, Unit))
        .where(
            access.within(found.scope, Unit),
            access.within(found.scope, UnitClosure),
            UnitClosure.descendant_id == below,
            UnitClosure.distance > 0,
        )
        .order_by(UnitClosure.distance)
    )
    if key is not None:
        statement = statement.where(naming.named(Unit, key))
    unit_id = session.scalars(statement.limit(1)).one_or_none()
    if unit_id is None:
        raise Invalid.field("/to", "unknown_unit", "There is no such unit above.")
    return unit_id
