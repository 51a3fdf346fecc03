"""Events: every write records what happened, in its own transaction.

Events wait in the session until just before the commit. Only then the institution's clock is
advanced, so its row, for which all writers of the institution queue, is held as briefly as can be;
and since it is held until the commit, the sequence has no gaps and follows the order of commits.
"""

from collections import defaultdict
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import bindparam, event, insert, select, update
from sqlalchemy.orm import Session

from app.models import Event, InstitutionClock
from app.models.base import new_id, now
from app.models.base import table as table_of
from app.schemas import events as wire
from app.schemas.permissions import Permission
from app.services import access, rights
from app.services.actors import Actor

CATALOGUE = UUID(int=0)
"""The feed of writes above institutions: schemes, areas and operators' tokens."""
_WAITING = "events"

_ADVANCE = (
    update(table_of(InstitutionClock))
    .where(InstitutionClock.institution_id == bindparam("institution"))
    .values(sequence=InstitutionClock.sequence + bindparam("count"))
    .returning(InstitutionClock.sequence)
)
_INSERT = insert(table_of(Event))
_HOLD = (
    select(InstitutionClock.sequence)
    .where(InstitutionClock.institution_id == bindparam("institution"))
    .with_for_update()
)


class Subject(NamedTuple):
    """What an event is about."""

    id: UUID
    name: str
    """Its code or address."""


def record(
    session: Session,
    actor: Actor,
    institution_id: UUID,
    kind: str,
    subject: Subject,
    data: dict[str, Any] | BaseModel | None = None,
    *,
    reason: str | None = None,
) -> None:
    """Note that something happened; it is written with the commit.

    `data` is JSON-ready, or a shape of which the fields that were given are kept.
    """
    if isinstance(data, BaseModel):
        data = data.model_dump(mode="json", exclude_unset=True)
    data = dict(data or {})
    if reason is not None:
        data["reason"] = reason
    session.info.setdefault(_WAITING, []).append(
        {
            "institution_id": institution_id,
            "id": new_id(),
            "type": kind,
            "at": now(),
            "actor": actor.name,
            "actor_id": actor.id,
            "subject": subject.name,
            "subject_id": subject.id,
            "data": data,
        }
    )


@event.listens_for(Session, "before_commit")
def write(session: Session) -> None:
    """Write the events that wait, last in the transaction; called by the commit itself."""
    waiting: list[dict[str, Any]] = session.info.pop(_WAITING, [])
    if not waiting:
        return
    session.flush()
    connection = session.connection()
    by_institution: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in waiting:
        by_institution[row["institution_id"]].append(row)
    for institution_id, rows in sorted(by_institution.items()):
        last = connection.execute(
            _ADVANCE, {"institution": institution_id, "count": len(rows)}
        ).scalar_one()
        for sequence, row in enumerate(rows, start=last - len(rows) + 1):
            row["sequence"] = sequence
        connection.execute(_INSERT, rows)


def hold(session: Session, institution_id: UUID) -> int:
    """Keep the institution as it is until this transaction ends, and answer its sequence.

    Every writer advances the clock just before its commit. Whoever holds the clock therefore sees
    one and the same state in all further statements, without the conflicts of a snapshot that
    writes: the other writers do not fail, they wait. Take locks on the tree of units before.
    """
    return session.connection().execute(_HOLD, {"institution": institution_id}).scalar_one()


def feed(session: Session, actor: Actor, institution: str, after: int, limit: int) -> wire.Events:
    """The institution's events behind `after`, oldest first."""
    scope = access.institution(session, actor, institution)
    access.require(session, scope, Permission.EVENTS_READ, None)
    return _stretch(session, scope.id, after, limit)


def catalogue_feed(session: Session, actor: Actor, after: int, limit: int) -> wire.Events:
    """Events above institutions; for operators."""
    rights.operator_only(session, actor)
    return _stretch(session, CATALOGUE, after, limit)


def _stretch(session: Session, institution_id: UUID, after: int, limit: int) -> wire.Events:
    rows = session.scalars(
        select(Event)
        .where(Event.institution_id == institution_id, Event.sequence > after)
        .order_by(Event.sequence)
        .limit(limit)
    ).all()
    return wire.Events(
        items=[
            wire.Event(
                sequence=row.sequence,
                id=row.id,
                type=row.type,
                at=row.at,
                actor=row.actor,
                subject=row.subject,
                data=row.data,
            )
            for row in rows
        ],
        next_after=rows[-1].sequence if rows else after,
    )
