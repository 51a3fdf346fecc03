"""Deletions: what a verb is about to delete is kept whole, listed, and purged in the end.

Everything else is unaware of them: what is deleted is gone from its tables, and so from every
number, list and unique code. `restoring` puts it back.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, Select, Text, and_, cast, func, or_, select, update
from sqlalchemy.orm import Session, undefer

from app import expiry, rows
from app.errors import NotFound
from app.keyset import Key, paginate
from app.models import Deletion, Initiative, Milestone, Person, Unit
from app.models.base import new_id, now, refers
from app.models.base import table as table_of
from app.schemas import deletions as wire
from app.schemas.deletions import DeletedNoun
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, events, naming, policies
from app.services.access import Scope
from app.services.actors import Actor

PURGED_AT_ONCE = 100
"""Deletions that one transaction of the purge removes: others write in between."""
MAY_DELETE = {
    DeletedNoun.UNIT: Permission.UNITS_CHANGE,
    DeletedNoun.PERSON: Permission.PEOPLE_CHANGE,
    DeletedNoun.INITIATIVE: Permission.INITIATIVES_CHANGE,
    DeletedNoun.MILESTONE: Permission.MILESTONES_CHANGE,
}
"""What deleting takes, on the unit that a thing comes back to; and so does restoring it."""
_NEWEST_FIRST = [Key(Deletion.deleted_at, descending=True), Key(Deletion.id, descending=True)]


class Doomed(NamedTuple):
    """What is about to be deleted; its row is locked by the caller."""

    row: Unit | Person | Initiative | Milestone
    subject: events.Subject
    name: str
    unit_id: UUID | None
    """The unit that it would come back to."""


def keep(
    session: Session,
    actor: Actor,
    scope: Scope,
    doomed: Doomed,
    reason: str | None,
    *links: Column[Any],
) -> datetime:
    """Keep a row, and all that is deleted with it, for as long as the policy says: until when.

    `links` are columns that refer to the row without a cascade, and whose rows the caller deletes.
    """
    at = now()
    until = at + timedelta(days=policies.policy(scope).restorable_days)
    table = table_of(type(doomed.row))
    content = rows.gather(session, scope.id, table, doomed.row.id, *links)
    session.add(
        Deletion(
            institution_id=scope.id,
            id=new_id(),
            noun=DeletedNoun(table.name),
            subject=doomed.subject.name,
            subject_id=doomed.subject.id,
            name=doomed.name,
            unit_id=doomed.unit_id,
            reason=reason,
            deleted_at=at,
            deleted_by=actor.name,
            restorable_until=until,
            restored_at=None,
            restored_by=None,
            content=rows.to_json(content),
        )
    )
    return until


def get(session: Session, actor: Actor, institution: str, deletion_id: UUID) -> wire.Deletion:
    """One deletion."""
    scope = access.institution(session, actor, institution)
    row = session.execute(_listed(scope).where(Deletion.id == deletion_id)).one_or_none()
    if row is None:
        raise NotFound
    return _shape(*row)


def page(
    session: Session, actor: Actor, institution: str, query: wire.DeletionQuery
) -> Page[wire.Deletion]:
    """Deletions whose time is not over, filtered; newest first."""
    scope = access.institution(session, actor, institution)
    statement = _listed(scope)
    if query.noun:
        statement = statement.where(Deletion.noun.in_(query.noun))
    if query.subject:
        keys = [naming.key_of(subject) for subject in query.subject]
        ids = [key for key in keys if isinstance(key, UUID)]
        names = [key for key in keys if isinstance(key, str)]
        statement = statement.where(
            or_(Deletion.subject_id.in_(ids), func.lower(Deletion.subject).in_(names))
        )
    if query.unit:
        statement = statement.where(Deletion.unit_id.in_(access.below(scope, query.unit)))
    if query.since is not None:
        statement = statement.where(Deletion.deleted_at >= query.since)
    if query.restored is not None:
        statement = statement.where(Deletion.restored_at.is_not(None) == query.restored)
    found = paginate(session, statement, _NEWEST_FIRST, query)
    return found.page([_shape(*row[:2]) for row in found.rows])


def noun_of(session: Session, scope: Scope, deletion_id: UUID) -> DeletedNoun:
    """What a deletion is of, which decides how the tree is held; raises `NotFound`."""
    return _one(session, _visible(scope), deletion_id).noun


def take(session: Session, scope: Scope, deletion_id: UUID) -> Deletion:
    """A deletion with its content, locked, as it is now; raises `NotFound`."""
    statement = _visible(scope).with_for_update().options(undefer(Deletion.content))
    return _one(session, statement.execution_options(populate_existing=True), deletion_id)


def follow(session: Session, scope: Scope, initiative: Initiative, unit_id: UUID) -> None:
    """Have what was taken out of an initiative come back to the unit that it moves to, if it does."""
    if initiative.unit_id == unit_id:
        return
    of_initiative = Deletion.content[(Milestone.__tablename__, 0, "initiative_id")].as_string()
    session.execute(
        update(Deletion)
        .where(
            access.within(scope, Deletion),
            Deletion.noun == DeletedNoun.MILESTONE,
            Deletion.restorable_until > now(),
            of_initiative == str(initiative.id),
        )
        .values(unit_id=unit_id)
        .execution_options(synchronize_session=False)
    )


def hold(session: Session, scope: Scope, row_id: UUID) -> bool:
    """Whether what can still be restored refers to a row: it has to stay for that."""
    content = cast(Deletion.content, Text)
    statement = select(Deletion.id).where(
        access.within(scope, Deletion),
        Deletion.restorable_until > now(),
        content.contains(str(row_id)),
    )
    return session.execute(statement.limit(1)).first() is not None


def purge(session: Session) -> int:
    """Remove some deletions whose time is over, for good; answers how many.

    Call it again while it answers `PURGED_AT_ONCE`. What somebody else holds is passed over.
    """
    return EXPIRED.remove(session, now(), PURGED_AT_ONCE)


EXPIRED = expiry.Expiring(table_of(Deletion), table_of(Deletion).c.restorable_until)


def _visible(scope: Scope) -> Select[Deletion]:
    """What the actor might have deleted; purged or not, what cannot be restored any more is not there."""
    might = or_(
        *(
            and_(Deletion.noun == noun, access.seen(scope, Deletion, permission))
            for noun, permission in MAY_DELETE.items()
        )
    )
    return select(Deletion).where(
        access.within(scope, Deletion), might, Deletion.restorable_until > now()
    )


def _one(session: Session, statement: Select[Deletion], deletion_id: UUID) -> Deletion:
    row = session.scalars(statement.where(Deletion.id == deletion_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def _listed(scope: Scope) -> Select[Deletion, str | None]:
    return _visible(scope).outerjoin(Unit, refers(Deletion.unit_id, Unit)).add_columns(Unit.code)


def _shape(row: Deletion, unit: str | None) -> wire.Deletion:
    return wire.Deletion(
        id=row.id,
        noun=row.noun,
        subject=row.subject,
        subject_id=row.subject_id,
        name=row.name,
        unit=unit,
        reason=row.reason,
        deleted_at=row.deleted_at,
        deleted_by=row.deleted_by,
        restorable_until=row.restorable_until,
        restored_at=row.restored_at,
        restored_by=row.restored_by,
    )
