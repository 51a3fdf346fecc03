"""Obstacles: what holds initiatives and units up. Open and overdue ones are counted in roll-ups."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Invalid, NotFound, StatusConflict
from app.models import FollowUp, Initiative, InitiativeArea, Obstacle, Person
from app.models.base import new_id, now
from app.rollup import contribution, ledger
from app.rollup.contribution import COUNTED, NOTHING, Contribution
from app.rollup.hindrances import Hindrance
from app.rollup.ledger import Bucket, Entry
from app.schemas import obstacles as wire
from app.schemas.obstacles import FollowUpState, ObstacleState
from app.schemas.permissions import Permission
from app.services import access, events, register, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.versions import Expected


class Found(NamedTuple):
    """An obstacle that may be changed, and the unit that it belongs to; its rows are locked."""

    scope: Scope
    row: Obstacle
    initiative: Initiative | None
    unit_id: UUID


def create(
    session: Session, actor: Actor, institution: str, new: wire.NewObstacle
) -> wire.Obstacle:
    """Say what holds an initiative up, or a unit; it is open. Raises `Invalid` for references."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    initiative, unit_id = _noun(session, scope, new)
    access.require(session, scope, Permission.OBSTACLES_REPORT, unit_id)
    at = now()
    row = Obstacle(
        institution_id=scope.id,
        id=new_id(),
        initiative_id=None if initiative is None else initiative.id,
        unit_id=None if initiative is not None else unit_id,
        year=None if initiative is not None else new.year or scope.today().year,
        title=new.title,
        description=new.description,
        severity=new.severity,
        state=ObstacleState.OPEN,
        owner_id=owner_of(session, scope, new.owner),
        due_on=new.due_on,
        raised_by=actor.name,
        created_at=at,
        updated_at=at,
        version=1,
    )
    found = Found(scope, row, initiative, unit_id)
    with _recorded(session, found, is_new=True):
        ask(found, new.decision_asked)
        session.add(row)
    record(session, found, "obstacle.created", new.model_dump(mode="json", exclude_unset=True))
    return register.one(session, scope, row.id)


def change(
    session: Session,
    actor: Actor,
    institution: str,
    obstacle_id: UUID,
    changes: wire.ObstacleChanges,
    expected: Expected,
) -> wire.Obstacle:
    """Change an obstacle; a resolved one takes nothing but to be reopened, or how it was resolved.

    Raises `StatusConflict` for a change of state, or of a resolved one, that is not possible.
    """
    found = changing(session, actor, institution, obstacle_id, Permission.OBSTACLES_REPORT)
    row = found.row
    versions.check(row, expected)
    with recorded(session, found):
        if changes.state is not MISSING:
            _become(row, changes.state, has_reason=changes.reason is not MISSING)
        for name in changes.model_fields_set & {"title", "description", "severity", "due_on"}:
            setattr(row, name, getattr(changes, name))
        if changes.owner is not MISSING:
            row.owner_id = owner_of(session, found.scope, changes.owner)
        if changes.resolution is not MISSING:
            if changes.resolution is not None and row.state is not ObstacleState.RESOLVED:
                detail = "Only a resolved obstacle has a resolution."
                raise Invalid.field("/resolution", "not_resolved", detail)
            row.resolution = changes.resolution
        if changes.decision_asked is not MISSING:
            ask(found, changes.decision_asked)
        versions.touch(row)
    told = changes.model_dump(mode="json", exclude_unset=True)
    record(session, found, "obstacle.changed", told)
    return register.one(session, found.scope, row.id)


def delete(
    session: Session,
    actor: Actor,
    institution: str,
    obstacle_id: UUID,
    expected: Expected,
    reason: str | None = None,
) -> None:
    """Remove an obstacle that was raised by mistake, with its follow-ups; its event keeps it."""
    found = changing(session, actor, institution, obstacle_id, Permission.OBSTACLES_DECIDE)
    versions.check(found.row, expected)
    before = register.one(session, found.scope, obstacle_id).model_dump(mode="json")
    with _recorded(session, found, is_gone=True) as entry:
        for follow_up in session.scalars(
            select(FollowUp).where(
                access.within(found.scope, FollowUp), FollowUp.obstacle_id == obstacle_id
            )
        ):
            entry.add(counts_of(follow_up), -1)
        session.delete(found.row)
    record(session, found, "obstacle.deleted", before, reason)


def changing(
    session: Session,
    actor: Actor,
    institution: str,
    obstacle_id: UUID,
    permission: Permission | None,
) -> Found:
    """An obstacle that the actor may change, with its rows locked: the initiative's first."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    seen = access.visible(scope, Obstacle).where(Obstacle.id == obstacle_id)
    # Only where it is: who waits for the locks looks at the row itself after that, if it is there.
    noun = session.execute(seen.with_only_columns(Obstacle.initiative_id)).one_or_none()
    if noun is None:
        raise NotFound
    initiative = None
    if noun.initiative_id is not None:
        initiative = access.find(session, scope, Initiative, str(noun.initiative_id), lock=True)
    row = access.find(session, scope, Obstacle, str(obstacle_id), lock=True)
    unit_id = row.unit_id if initiative is None else initiative.unit_id
    assert unit_id is not None  # noqa: S101  a constraint of the table
    if permission is not None:
        access.require(session, scope, permission, unit_id)
    return Found(scope, row, initiative, unit_id)


@contextmanager
def recorded(session: Session, found: Found) -> Iterator[None]:
    """Around a change of an obstacle: the roll-ups get what it counts after, less before."""
    with _recorded(session, found):
        yield


def counts_of(row: FollowUp) -> Contribution:
    """What a follow-up adds to roll-ups, where its obstacle does."""
    if row.state is not FollowUpState.OPEN:
        return NOTHING
    return contribution.of_hindrance(
        Hindrance(is_follow_up=True, is_waiting=False, due_on=row.due_on)
    )


def post(session: Session, found: Found, entry: Entry) -> None:
    """Add to the roll-ups in which an obstacle counts."""
    if entry:
        ledger.post(session, found.scope.id, [(at, entry) for at in _buckets(session, found)])


def ask(found: Found, question: str | None) -> None:
    """Ask for a decision, whatever was decided before; None takes the question back."""
    row = found.row
    if row.state is ObstacleState.RESOLVED:
        raise StatusConflict("This obstacle is resolved: there is nothing left to decide.")
    row.decided = row.decided_by = row.decided_at = None
    row.asked = question
    row.asked_by = None if question is None else found.scope.actor.name
    row.asked_at = None if question is None else now()


def owner_of(session: Session, scope: Scope, key: str | None) -> UUID | None:
    """The person who sees to something; raises `Invalid`."""
    return None if key is None else access.refer(session, scope, Person, key, "/owner").id


def record(
    session: Session, found: Found, kind: str, data: dict[str, Any], reason: str | None = None
) -> None:
    """Record an event of an obstacle."""
    subject = events.Subject(found.row.id, f"obstacles/{found.row.id}")
    events.record(
        session, found.scope.actor, found.scope.id, kind, subject, data, reason=reason,
        unit_id=found.unit_id,
    )  # fmt: skip


def _noun(session: Session, scope: Scope, new: wire.NewObstacle) -> tuple[Initiative | None, UUID]:
    """The initiative of a new obstacle, locked, if it is one's, and the unit that it belongs to."""
    if new.initiative is None:
        return None, access.open_unit(session, scope, new.unit or "", "/unit").id
    named = access.refer(session, scope, Initiative, new.initiative, "/initiative", lock=True)
    return named, named.unit_id


def _become(row: Obstacle, state: ObstacleState, *, has_reason: bool) -> None:
    if row.state is state:
        return
    if row.state is ObstacleState.RESOLVED:
        if state is not ObstacleState.OPEN:
            raise StatusConflict("A resolved obstacle is reopened first.")
        if not has_reason:
            raise Invalid.field("/reason", "reason_owed", "Reopening owes a reason.")
        row.resolved_at = row.resolution = None
    if state is ObstacleState.RESOLVED:
        row.resolved_at = now()
    row.state = state


@contextmanager
def _recorded(
    session: Session, found: Found, *, is_new: bool = False, is_gone: bool = False
) -> Iterator[Entry]:
    # An obstacle adds by itself: no milestone and no other obstacle need be read.
    entry = Entry()
    entry.add(NOTHING if is_new else _counts(found.row), -1)
    yield entry
    entry.add(NOTHING if is_gone else _counts(found.row))
    post(session, found, entry)


def _counts(row: Obstacle) -> Contribution:
    if row.state is ObstacleState.RESOLVED:
        return NOTHING
    is_waiting = row.asked_at is not None and row.decided_at is None
    return contribution.of_hindrance(
        Hindrance(is_follow_up=False, is_waiting=is_waiting, due_on=row.due_on)
    )


def _buckets(session: Session, found: Found) -> list[Bucket]:
    """Where it counts: where its initiative does, if that does; or in its unit, in no area."""
    initiative = found.initiative
    if initiative is None:
        assert found.row.year is not None  # noqa: S101  a constraint of the table
        return list(ledger.buckets(found.unit_id, (), found.row.year))
    if initiative.status not in COUNTED:
        return []
    served = select(InitiativeArea.area_id).where(
        access.within(found.scope, InitiativeArea), InitiativeArea.initiative_id == initiative.id
    )
    return list(ledger.buckets(initiative.unit_id, session.scalars(served), initiative.year))
