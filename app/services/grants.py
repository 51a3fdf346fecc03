"""Grants: who has which role on which unit. Nobody grants, or takes over, more than they hold."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, or_, select
from sqlalchemy.orm import Session

from app.errors import AlreadyGranted, Forbidden, NotFound
from app.keyset import Key, paginate
from app.models import Person, RoleGrant, Unit
from app.models.base import new_id, now, refers
from app.schemas import grants as wire
from app.schemas.pages import Page
from app.schemas.permissions import PERMISSIONS, Permission, Role
from app.services import access, events, naming, rights
from app.services.access import Lock, Scope
from app.services.actors import Actor


def create(session: Session, actor: Actor, institution: str, new: wire.NewGrant) -> wire.Grant:
    """Give a person a role on a unit.

    Raises `Forbidden` for a role that allows more than the actor may do there, and `AlreadyGranted`.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    person = access.refer(session, scope, Person, new.person, "/person")
    unit = (
        access.open_unit(session, scope, new.unit, "/unit")
        if new.unit
        else access.root(session, scope)
    )
    access.require(session, scope, Permission.GRANTS_CHANGE, unit.id)
    if not PERMISSIONS[new.role] <= rights.held_on(session, actor, scope.id, unit.id):
        raise Forbidden("This role allows more than you may do there yourself.")
    same = select(RoleGrant.id).where(
        access.within(scope, RoleGrant),
        RoleGrant.person_id == person.id,
        RoleGrant.unit_id == unit.id,
        RoleGrant.role == new.role,
    )
    if session.execute(same).first():
        raise AlreadyGranted
    row = RoleGrant(**columns(scope, person.id, unit.id, new.role))
    session.add(row)
    made = _grant(row, person.code, unit.code)
    _record(session, actor, scope, "grant.created", made)
    return made


def columns(scope: Scope, person_id: UUID, unit_id: UUID, role: Role) -> dict[str, Any]:
    """A new grant's row."""
    return {
        "institution_id": scope.id,
        "id": new_id(),
        "person_id": person_id,
        "unit_id": unit_id,
        "role": role,
        "granted_by": scope.actor.name,
        "granted_at": now(),
    }


def revoke(
    session: Session, actor: Actor, institution: str, grant_id: UUID, reason: str | None = None
) -> None:
    """Take a role away, from the next request on."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row, person, unit = _find(session, scope, grant_id)
    access.require(session, scope, Permission.GRANTS_CHANGE, row.unit_id)
    session.delete(row)
    _record(session, actor, scope, "grant.revoked", _grant(row, person, unit), reason)


def get(session: Session, actor: Actor, institution: str, grant_id: UUID) -> wire.Grant:
    """One grant."""
    scope = access.institution(session, actor, institution)
    return _grant(*_find(session, scope, grant_id, lock=False))


def page(
    session: Session, actor: Actor, institution: str, query: wire.GrantQuery
) -> Page[wire.Grant]:
    """The actor's own grants, and those on units where they may read grants; oldest first."""
    scope = access.institution(session, actor, institution)
    statement = _with_codes(scope)
    if query.person:
        statement = statement.where(naming.named_any(Person, query.person))
    if query.role:
        statement = statement.where(RoleGrant.role.in_(query.role))
    if query.unit:
        statement = statement.where(RoleGrant.unit_id.in_(access.below(scope, query.unit)))
    found = paginate(session, statement, [Key(RoleGrant.id, descending=False)], query)
    return found.page([_grant(*row[:3]) for row in found.rows])


def covered(session: Session, scope: Scope, person_id: UUID) -> None:
    """Raise `Forbidden` where a person may do anything that the actor may not.

    Whoever can act as somebody, by a token of theirs or by their address, has all their rights.
    """
    rows = session.execute(
        select(RoleGrant.unit_id, RoleGrant.role).where(
            access.within(scope, RoleGrant), RoleGrant.person_id == person_id
        )
    )
    for unit_id, role in rows:
        if not PERMISSIONS[role] <= rights.held_on(session, scope.actor, scope.id, unit_id):
            raise Forbidden("This person may do more than you: somebody above both of you can.")


def _find(
    session: Session, scope: Scope, grant_id: UUID, *, lock: bool = True
) -> Row[RoleGrant, str, str]:
    statement = _with_codes(scope).where(RoleGrant.id == grant_id)
    locked = statement.with_for_update(of=RoleGrant) if lock else statement
    row = session.execute(locked).one_or_none()
    if row is None:
        raise NotFound
    return row


def _with_codes(scope: Scope) -> Select[RoleGrant, str, str]:
    return (
        select(RoleGrant)
        .join(
            Person,
            refers(RoleGrant.person_id, Person),
        )
        .join(
            Unit,
            refers(RoleGrant.unit_id, Unit),
        )
        .where(
            access.within(scope, RoleGrant),
            or_(
                access.seen(scope, RoleGrant, Permission.GRANTS_READ),
                RoleGrant.person_id == scope.actor.id,
            ),
        )
        .add_columns(Person.code, Unit.code)
    )


def _record(
    session: Session,
    actor: Actor,
    scope: Scope,
    kind: str,
    grant: wire.Grant,
    reason: str | None = None,
) -> None:
    data: dict[str, Any] = grant.model_dump(mode="json", include={"person", "role", "unit"})
    subject = events.Subject(grant.id, f"grants/{grant.id}")
    events.record(session, actor, scope.id, kind, subject, data, reason=reason)


def _grant(row: RoleGrant, person: str, unit: str) -> wire.Grant:
    return wire.Grant(
        id=row.id,
        person=person,
        role=row.role,
        unit=unit,
        granted_by=row.granted_by,
        granted_at=row.granted_at,
    )
