"""Publications: what was told to the public of an initiative, kept by who may change the initiative."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.errors import Invalid, NotFound
from app.keyset import Key, paginate
from app.models import Initiative, Publication
from app.models.base import new_id, now
from app.schemas import publications as wire
from app.schemas.pages import ChangesPaging, Page
from app.services import access, events, initiatives, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.versions import Expected

NEWEST_FIRST = [
    Key(Publication.published_on, descending=True), Key(Publication.id, descending=True),
]  # fmt: skip


def create(
    session: Session, actor: Actor, institution: str, initiative: str, new: wire.NewPublication
) -> wire.Publication:
    """Keep what was told of an initiative."""
    scope, parent = _changing(session, actor, institution, initiative)
    at = now()
    row = Publication(
        institution_id=scope.id,
        id=new_id(),
        initiative_id=parent.id,
        title=new.title,
        said=new.said,
        published_on=_told_on(scope, new.published_on),
        channel=new.channel,
        url=new.url,
        created_at=at,
        updated_at=at,
        version=1,
    )
    session.add(row)
    _record(session, scope, "publication.created", parent, row, new)
    session.flush()
    return _shape(row)


def change(
    session: Session,
    actor: Actor,
    institution: str,
    initiative: str,
    publication_id: UUID,
    changes: wire.PublicationChanges,
    expected: Expected,
) -> wire.Publication:
    """Correct what was kept."""
    scope, parent = _changing(session, actor, institution, initiative)
    row = _one(session, _of(scope, parent).with_for_update(), publication_id)
    versions.check(row, expected)
    if changes.published_on is not MISSING:
        _told_on(scope, changes.published_on)
    for name in changes.model_fields_set - {"reason"}:
        setattr(row, name, getattr(changes, name))
    versions.touch(row)
    _record(session, scope, "publication.changed", parent, row, changes)
    session.flush()
    return _shape(row)


def remove(
    session: Session,
    actor: Actor,
    institution: str,
    initiative: str,
    publication_id: UUID,
    expected: Expected,
    reason: str | None = None,
) -> None:
    """Forget a publication, for good; its event keeps what it was."""
    scope, parent = _changing(session, actor, institution, initiative)
    row = _one(session, _of(scope, parent).with_for_update(), publication_id)
    versions.check(row, expected)
    before = _shape(row).model_dump(mode="json")
    session.delete(row)
    _record(session, scope, "publication.deleted", parent, row, before, reason)


def get(
    session: Session, actor: Actor, institution: str, initiative: str, publication_id: UUID
) -> wire.Publication:
    """One publication."""
    scope = access.institution(session, actor, institution)
    parent = access.find(session, scope, Initiative, initiative)
    return _shape(_one(session, _of(scope, parent), publication_id))


def page(
    session: Session, actor: Actor, institution: str, initiative: str, paging: ChangesPaging
) -> Page[wire.Publication]:
    """What was told of an initiative, newest first."""
    scope = access.institution(session, actor, institution)
    parent = access.find(session, scope, Initiative, initiative)
    statement = _of(scope, parent)
    if paging.updated_since is not None:
        statement = statement.where(Publication.updated_at >= paging.updated_since)
    found = paginate(session, statement, NEWEST_FIRST, paging)
    return found.page([_shape(row[0]) for row in found.rows])


def _changing(
    session: Session, actor: Actor, institution: str, initiative: str
) -> tuple[Scope, Initiative]:
    scope = access.institution(session, actor, institution, Lock.SHARED)
    parent = access.find(session, scope, Initiative, initiative, lock=True)
    initiatives.may_change(session, scope, parent.unit_id)
    return scope, parent


def _told_on(scope: Scope, published_on: date | None) -> date:
    today = scope.today()
    if published_on is not None and published_on > today:
        detail = "What was told cannot be dated on a day that has not come."
        raise Invalid.field("/published_on", "in_future", detail)
    return published_on or today


def _of(scope: Scope, parent: Initiative) -> Select[Publication]:
    return access.visible(scope, Publication).where(Publication.initiative_id == parent.id)


def _one(session: Session, statement: Select[Publication], publication_id: UUID) -> Publication:
    row = session.scalars(statement.where(Publication.id == publication_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def _record(
    session: Session,
    scope: Scope,
    kind: str,
    parent: Initiative,
    row: Publication,
    data: wire.NewPublication | wire.PublicationChanges | dict[str, Any],
    reason: str | None = None,
) -> None:
    subject = events.Subject(row.id, f"{parent.code}/publications/{row.id}")
    events.record(
        session, scope.actor, scope.id, kind, subject, data, reason=reason, unit_id=parent.unit_id
    )


def _shape(row: Publication) -> wire.Publication:
    return wire.Publication(
        id=row.id,
        title=row.title,
        said=row.said,
        published_on=row.published_on,
        channel=row.channel,
        url=row.url,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
