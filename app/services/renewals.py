"""Renewals: a whole year's team, appointed again for another year by one decree."""

from datetime import date
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from app.errors import Conflict
from app.messages import said
from app.models import Appointment, Person, TeamRole, Unit
from app.schemas import appointments as wire
from app.schemas.appointments import PassedOver
from app.services import access, appointments, decrees, events
from app.services.access import Lock, Scope
from app.services.actors import Actor


def renew(session: Session, actor: Actor, institution: str, new: wire.NewRenewal) -> wire.Renewal:
    """Appoint who is in the teams of a unit and all below it to the end of a year, again.

    Sent twice, nobody is appointed twice. Raises `Conflict` for more than `MOST_RENEWED`.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    unit = appointments.unit_of(session, scope, new.unit)
    decree = None if new.decree is None else decrees.refer(session, scope, new.decree, "/decree")
    appointments.may_appoint(session, scope, unit.id)
    from_on, until_on = appointments.period(new.to_year, new.from_on, None)
    there = _there(session, scope, unit, new.to_year)
    rows: list[dict[str, Any]] = []
    passed_over: list[wire.NotRenewed] = []
    already_there = 0
    for old in _of_year(session, scope, unit, new.from_year):
        made: Appointment = old[0]
        if (made.person_id, made.role_id, made.unit_id) in there:
            already_there += 1
        elif cause := _cause(old):
            passed_over.append(
                wire.NotRenewed(person=old.person, role=old.role, unit=old.unit, cause=cause)
            )
        else:
            columns = appointments.columns(
                scope, made.person_id, made.role_id, made.unit_id, new.to_year
            )
            days = {"from_on": from_on, "until_on": until_on}
            rows.append({**columns, **days, "decree_id": decree.id if decree else None})
    if rows:
        session.execute(insert(Appointment), rows)
    renewal = wire.Renewal(
        from_year=new.from_year,
        to_year=new.to_year,
        unit=unit.code,
        decree=decree.code if decree else None,
        appointed=len(rows),
        already_there=already_there,
        passed_over=passed_over,
    )
    if rows:
        subject = events.Subject(unit.id, f"{unit.code}/appointments")
        events.record(
            session, actor, scope.id, "appointments.renewed", subject,
            renewal.model_dump(mode="json"), reason=new.reason, unit_id=unit.id,
        )  # fmt: skip
    return renewal


def _of_year(session: Session, scope: Scope, unit: Unit, year: int) -> list[Row[*tuple[Any, ...]]]:
    statement = (
        appointments.with_codes(scope)
        .add_columns(Person.active, TeamRole.retired_at, Unit.archived_at)
        .where(
            Appointment.year == year,
            Appointment.unit_id.in_(access.below(scope, [str(unit.id)])),
        )
        .order_by(Unit.code_key, TeamRole.code_key, Person.code_key)
        .limit(wire.MOST_RENEWED + 1)
    )
    found = list(session.execute(statement).all())
    if len(found) > wire.MOST_RENEWED:
        detail = said(
            "These are more than {most} appointments: renew a unit at a time.",
            most=wire.MOST_RENEWED,
        )
        raise Conflict(detail)
    return found


def _there(session: Session, scope: Scope, unit: Unit, year: int) -> set[tuple[Any, ...]]:
    """Who has which role in which unit's team already."""
    statement = select(Appointment.person_id, Appointment.role_id, Appointment.unit_id).where(
        access.within(scope, Appointment),
        Appointment.year == year,
        Appointment.unit_id.in_(access.below(scope, [str(unit.id)])),
    )
    return {tuple(row) for row in session.execute(statement)}


def _cause(old: Row[*tuple[Any, ...]]) -> PassedOver | None:
    """Why somebody is not appointed again, if so."""
    made: Appointment = old[0]
    causes = {
        PassedOver.ENDED: made.until_on < date(made.year, 12, 31),
        PassedOver.INACTIVE_PERSON: not old.active,
        PassedOver.RETIRED_ROLE: old.retired_at is not None,
        PassedOver.ARCHIVED_UNIT: old.archived_at is not None,
    }
    return next((cause for cause, holds in causes.items() if holds), None)
