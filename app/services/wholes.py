"""What an institution keeps as a whole, by codes: all of it reads that, and who may on the whole writes."""

from typing import TypeVar

from sqlalchemy.orm import Session

from app.models import Criterion, Decree, Stage, TeamRole
from app.schemas.fields import Shape
from app.schemas.permissions import Permission
from app.services import access, events, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.events import Subject
from app.services.versions import Expected

Row = TypeVar("Row", Criterion, Decree, Stage, TeamRole)


def to_add(
    session: Session,
    actor: Actor,
    institution: str,
    model: type[Row],
    code: str,
    permission: Permission,
) -> Scope:
    """The institution, if the actor may add there what has a code that is free."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    access.require(session, scope, permission, None)
    access.code_is_free(session, scope, model, code)
    return scope


def to_change(
    session: Session,
    actor: Actor,
    institution: str,
    model: type[Row],
    key: str,
    permission: Permission,
    expected: Expected,
) -> tuple[Scope, Row]:
    """The institution and a row, locked, of the version expected, if the actor may change it."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = access.find(session, scope, model, key, lock=True)
    access.require(session, scope, permission, None)
    versions.check(row, expected)
    return scope, row


def one(session: Session, actor: Actor, institution: str, model: type[Row], key: str) -> Row:
    """A row by its code or id, for whoever is of the institution."""
    return access.find(session, access.institution(session, actor, institution), model, key)


def remove(
    session: Session,
    scope: Scope,
    row: Criterion | Decree | Stage | TeamRole,
    subject: Subject,
    told: Shape,
    reason: str | None,
) -> None:
    """Delete a row for good, and tell the trail what it was."""
    session.delete(row)
    kind, before = f"{row.__tablename__}.deleted", told.model_dump(mode="json")
    events.record(session, scope.actor, scope.id, kind, subject, before, reason=reason)
