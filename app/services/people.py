"""People of an institution."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from app.errors import NotFound, SubjectTaken
from app.keyset import Key, paginate
from app.models import Person, Unit
from app.models.base import code_key, email_key, new_id, now, refers
from app.models.texts import has
from app.schemas import people as wire
from app.schemas.fields import Language
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, events, grants, naming, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.versions import Expected


def create(session: Session, actor: Actor, institution: str, new: wire.NewPerson) -> wire.Person:
    """Add a person."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    unit = access.open_unit(session, scope, new.unit, "/unit") if new.unit else None
    _may_change(session, scope, unit.id if unit else None)
    access.code_is_free(session, scope, Person, new.code)
    subject_is_free(session, new.oidc_subject)
    row = Person(**columns(scope, new, unit.id if unit else None))
    session.add(row)
    events.record(session, actor, scope.id, "person.created", events.Subject(row.id, row.code), new)
    return _person(row, unit.code if unit else None)


def columns(scope: Scope, new: wire.NewPerson, unit_id: UUID | None) -> dict[str, Any]:
    """A new person's row."""
    at = now()
    return {
        "institution_id": scope.id,
        "id": new_id(),
        "code": new.code,
        "code_key": code_key(new.code),
        "name": new.name,
        "email": new.email,
        "email_key": None if new.email is None else email_key(new.email),
        "oidc_subject": new.oidc_subject,
        "position": new.position,
        "unit_id": unit_id,
        "kind": new.kind,
        "language": new.language,
        "active": new.active,
        "created_at": at,
        "updated_at": at,
        "version": 1,
    }


def change(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    changes: wire.PersonChanges,
    expected: Expected,
) -> wire.Person:
    """Change a person."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = access.find(session, scope, Person, key, lock=True)
    _may_change(session, scope, row.unit_id)
    grants.covered(session, scope, row.id)
    versions.check(row, expected)
    if changes.oidc_subject is not MISSING and changes.oidc_subject != row.oidc_subject:
        subject_is_free(session, changes.oidc_subject)
    for name in changes.model_fields_set - {"unit", "reason"}:
        setattr(row, name, getattr(changes, name))
    row.email_key = None if row.email is None else email_key(row.email)
    if changes.unit is None:
        row.unit_id = None
    elif changes.unit is not MISSING:
        row.unit_id = access.open_unit(session, scope, changes.unit, "/unit").id
    _may_change(session, scope, row.unit_id)
    versions.touch(row)
    subject = events.Subject(row.id, row.code)
    events.record(session, actor, scope.id, "person.changed", subject, changes)
    session.flush()
    return get(session, actor, institution, str(row.id))


def read_in(session: Session, actor: Actor, language: Language) -> None:
    """Note what language the actor reads; one's own, so that no right is needed for it."""
    row = session.get(Person, (actor.institution_id, actor.id)) if actor.institution_id else None
    if row is not None and row.language != language:
        row.language = language
        versions.touch(row)
        subject = events.Subject(row.id, row.code)
        events.record(
            session, actor, row.institution_id, "person.changed", subject, {"language": language}
        )


def subject_is_free(session: Session, subject: str | None) -> None:
    """Raise `SubjectTaken` when a person of any institution has this subject."""
    taken = select(Person.institution_id).where(Person.oidc_subject == subject)
    if subject is not None and session.execute(taken).first():
        raise SubjectTaken


def get(session: Session, actor: Actor, institution: str, key: str) -> wire.Person:
    """One person."""
    scope = access.institution(session, actor, institution)
    return _one(session, scope, naming.named(Person, key))


def by_id(session: Session, scope: Scope, person_id: UUID) -> wire.Person:
    """One person, by their id."""
    return _one(session, scope, Person.id == person_id)


def names(session: Session, scope: Scope, codes: Collection[str]) -> dict[str, str]:
    """What the people of some codes are called, as far as the actor may see them; by code."""
    statement = select(Person.code, Person.name).where(
        access.within(scope, Person),
        access.seen(scope, Person),
        Person.code_key.in_(map(code_key, codes)),
    )
    return {row.code: row.name for row in session.execute(statement)} if codes else {}


def _one(session: Session, scope: Scope, condition: ColumnElement[bool]) -> wire.Person:
    row = session.execute(_with_unit(scope).where(condition)).one_or_none()
    if row is None:
        raise NotFound
    return _person(*row)


def page(
    session: Session, actor: Actor, institution: str, query: wire.PersonQuery
) -> Page[wire.Person]:
    """People, filtered; by code."""
    scope = access.institution(session, actor, institution)
    statement = _with_unit(scope)
    if query.unit:
        statement = statement.where(Person.unit_id.in_(access.below(scope, query.unit)))
    if query.kind:
        statement = statement.where(Person.kind.in_(query.kind))
    if query.active is not None:
        statement = statement.where(Person.active.is_(query.active))
    if query.updated_since is not None:
        statement = statement.where(Person.updated_at >= query.updated_since)
    if query.q is not None:
        statement = statement.where(has(query.q, Person.name, Person.code_key))
    found = paginate(session, statement, [Key(Person.code_key, descending=False)], query)
    return found.page([_person(*row[:2]) for row in found.rows])


def _may_change(session: Session, scope: Scope, unit_id: UUID | None) -> None:
    access.require(session, scope, Permission.PEOPLE_CHANGE, unit_id)


def _with_unit(scope: Scope) -> Select[Person, str | None]:
    return (
        access.visible(scope, Person)
        .outerjoin(Unit, refers(Person.unit_id, Unit))
        .add_columns(Unit.code)
    )


def _person(row: Person, unit: str | None) -> wire.Person:
    return wire.Person(
        id=row.id,
        code=row.code,
        name=row.name,
        email=row.email,
        oidc_subject=row.oidc_subject,
        position=row.position,
        unit=unit,
        kind=row.kind,
        language=row.language,
        active=row.active,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
