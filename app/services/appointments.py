"""Appointments: who is what in a unit's reform team, a year at a time. They allow nothing."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from app.errors import AlreadyGranted, Invalid, NotFound
from app.keyset import Key, paginate, parse_sort
from app.models import Appointment, Decree, Person, TeamRole, Unit
from app.models.base import new_id, now, refers
from app.schemas import appointments as wire
from app.schemas.fields import PersonKind
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, decrees, events, naming, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.versions import Expected

_SORTS: dict[str, Any] = {
    "year": Appointment.year,
    "unit": Unit.code_key,
    "role": TeamRole.code_key,
    "person": Person.code_key,
    "from_on": Appointment.from_on,
    "until_on": Appointment.until_on,
    "created_at": Appointment.created_at,
}


def create(
    session: Session, actor: Actor, institution: str, new: wire.NewAppointment
) -> wire.Appointment:
    """Appoint a person; raises `AlreadyGranted` where they have the role in that unit and year."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    person = access.refer(session, scope, Person, new.person, "/person")
    unit = unit_of(session, scope, new.unit)
    role = access.refer(session, scope, TeamRole, new.role, "/role")
    decree = None if new.decree is None else decrees.refer(session, scope, new.decree, "/decree")
    may_appoint(session, scope, unit.id)
    if person.kind is PersonKind.SERVICE:
        raise Invalid.field("/person", "service_member", "A program is in no team.")
    if not person.active:
        raise Invalid.field("/person", "inactive_person", "This person is not active.")
    if role.retired_at is not None:
        raise Invalid.field("/role", "retired_role", "Nobody is appointed to this role any more.")
    same = select(Appointment.id).where(
        access.within(scope, Appointment),
        Appointment.person_id == person.id,
        Appointment.role_id == role.id,
        Appointment.unit_id == unit.id,
        Appointment.year == new.year,
    )
    if session.execute(same).first():
        detail = "This person has this role in this unit's team of that year already."
        raise AlreadyGranted(detail)
    from_on, until_on = period(new.year, new.from_on, new.until_on)
    row = Appointment(
        **columns(scope, person.id, role.id, unit.id, new.year),
        decree_id=decree.id if decree else None,
        from_on=from_on,
        until_on=until_on,
    )
    session.add(row)
    subject = events.Subject(row.id, f"appointments/{row.id}")
    events.record(session, actor, scope.id, "appointment.created", subject, new)
    session.flush()
    return _appointment(_find(session, scope, row.id))


def columns(
    scope: Scope, person_id: UUID, role_id: UUID, unit_id: UUID, year: int
) -> dict[str, Any]:
    """What a new appointment's row has whatever its days and its decree."""
    at = now()
    return {
        "institution_id": scope.id,
        "id": new_id(),
        "person_id": person_id,
        "role_id": role_id,
        "unit_id": unit_id,
        "year": year,
        "created_at": at,
        "updated_at": at,
        "version": 1,
    }


def change(
    session: Session,
    actor: Actor,
    institution: str,
    appointment_id: UUID,
    changes: wire.AppointmentChanges,
    expected: Expected,
) -> wire.Appointment:
    """Change an appointment's days or its decree."""
    scope, row = _changing(session, actor, institution, appointment_id)
    versions.check(row, expected)
    if changes.decree is None:
        row.decree_id = None
    elif changes.decree is not MISSING:
        row.decree_id = decrees.refer(session, scope, changes.decree, "/decree").id
    row.from_on, row.until_on = period(
        row.year,
        row.from_on if changes.from_on is MISSING else changes.from_on,
        row.until_on if changes.until_on is MISSING else changes.until_on,
    )
    versions.touch(row)
    subject = events.Subject(row.id, f"appointments/{row.id}")
    events.record(session, actor, scope.id, "appointment.changed", subject, changes)
    session.flush()
    return _appointment(_find(session, scope, row.id))


def remove(
    session: Session,
    actor: Actor,
    institution: str,
    appointment_id: UUID,
    expected: Expected,
    reason: str | None = None,
) -> None:
    """Take back an appointment that was a mistake; who leaves gets another last day instead."""
    scope, row = _changing(session, actor, institution, appointment_id)
    versions.check(row, expected)
    before = _appointment(_find(session, scope, row.id)).model_dump(mode="json")
    session.delete(row)
    subject = events.Subject(row.id, f"appointments/{row.id}")
    events.record(session, actor, scope.id, "appointment.deleted", subject, before, reason=reason)


def get(session: Session, actor: Actor, institution: str, appointment_id: UUID) -> wire.Appointment:
    """One appointment."""
    scope = access.institution(session, actor, institution)
    return _appointment(_find(session, scope, appointment_id))


def page(
    session: Session, actor: Actor, institution: str, query: wire.AppointmentsQuery
) -> Page[wire.Appointment]:
    """Appointments, filtered and sorted."""
    scope = access.institution(session, actor, institution)
    statement = with_codes(scope)
    named: tuple[tuple[Any, list[str]], ...] = (
        (Person, query.person), (TeamRole, query.role), (Decree, query.decree),
    )  # fmt: skip
    for model, keys in named:
        if keys:
            statement = statement.where(naming.named_any(model, keys))
    if query.unit:
        units = access.below(scope, query.unit, subtree=query.subtree)
        statement = statement.where(Appointment.unit_id.in_(units))
    if query.year:
        statement = statement.where(Appointment.year.in_(query.year))
    if query.on is not None:
        statement = statement.where(
            Appointment.from_on <= query.on, Appointment.until_on >= query.on
        )
    if query.updated_since is not None:
        statement = statement.where(Appointment.updated_at >= query.updated_since)
    last = Key(Appointment.id, descending=False)
    found = paginate(session, statement, parse_sort(query.sort, _SORTS, last), query)
    return found.page([_appointment(row) for row in found.rows])


def unit_of(session: Session, scope: Scope, key: str | None) -> Unit:
    """The unit whose team a body speaks of: the root if it names none."""
    return (
        access.root(session, scope)
        if key is None
        else access.open_unit(session, scope, key, "/unit")
    )


def may_appoint(session: Session, scope: Scope, unit_id: UUID) -> None:
    """Raise `Forbidden` unless the actor may say who is in a unit's team."""
    access.require(session, scope, Permission.PEOPLE_CHANGE, unit_id)


def period(year: int, from_on: date | None, until_on: date | None) -> tuple[date, date]:
    """First and last day, the whole year if none is given; raises `Invalid` for days outside it."""
    first, last = from_on or date(year, 1, 1), until_on or date(year, 12, 31)
    for name, day in (("from_on", first), ("until_on", last)):
        if day.year != year:
            detail = "An appointment is for one year: this day is not in it."
            raise Invalid.field(f"/{name}", "outside_year", detail)
    if last < first:
        raise Invalid.field("/until_on", "until_before_from", "until_on cannot be before from_on.")
    return first, last


def with_codes(scope: Scope) -> Select[*tuple[Any, ...]]:
    """Appointments that the actor sees, with the codes of what they refer to."""
    return (
        access.visible(scope, Appointment)
        .join(Person, refers(Appointment.person_id, Person))
        .join(TeamRole, refers(Appointment.role_id, TeamRole))
        .join(Unit, refers(Appointment.unit_id, Unit))
        .outerjoin(Decree, refers(Appointment.decree_id, Decree))
        .add_columns(
            Person.code.label("person"),
            TeamRole.code.label("role"),
            Unit.code.label("unit"),
            Decree.code.label("decree"),
        )
    )


def _changing(
    session: Session, actor: Actor, institution: str, appointment_id: UUID
) -> tuple[Scope, Appointment]:
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = access.find(session, scope, Appointment, str(appointment_id), lock=True)
    may_appoint(session, scope, row.unit_id)
    return scope, row


def _find(session: Session, scope: Scope, appointment_id: UUID) -> Row[*tuple[Any, ...]]:
    statement = with_codes(scope).where(Appointment.id == appointment_id)
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound
    return row


def _appointment(row: Row[*tuple[Any, ...]]) -> wire.Appointment:
    made: Appointment = row[0]
    return wire.Appointment(
        id=made.id,
        person=row.person,
        role=row.role,
        unit=row.unit,
        year=made.year,
        decree=row.decree,
        from_on=made.from_on,
        until_on=made.until_on,
        created_at=made.created_at,
        updated_at=made.updated_at,
        version=made.version,
    )
