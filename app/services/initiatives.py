"""Initiatives: created, changed and replaced with all that follows for the roll-up."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.models import (
    Initiative,
    InitiativeArea,
    InitiativeOwner,
    InitiativeTag,
    Person,
    Unit,
)
from app.models.base import code_key, new_id, now
from app.rollup import ledger
from app.rollup.contribution import Standing
from app.schemas import initiatives as wire
from app.schemas.fields import InitiativeStatus, OwnerRole, PersonKind
from app.schemas.permissions import Permission
from app.services import (
    access,
    alterations,
    designation,
    events,
    lifecycle,
    milestones,
    plans,
    portfolio,
    schemes,
    versions,
)
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.versions import Expected

_PLAIN = {
    "title", "year", "description", "kind", "origin", "status", "weight", "start_on", "due_on",
    "expected_result",
}  # fmt: skip
_ROLLED_UP = {"unit", "year", "areas", "status", "weight"}


def create(
    session: Session, actor: Actor, institution: str, new: wire.NewInitiative
) -> wire.InitiativeWithPlan:
    """Add an initiative as it stands, with its milestones."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    return _create(session, actor, scope, new)


def replace(
    session: Session,
    actor: Actor,
    institution: str,
    code: str,
    new: wire.NewInitiative,
    expected: Expected,
) -> tuple[wire.InitiativeWithPlan, bool]:
    """Create the initiative of this code, or make it what is given; says whether it is new.

    What is left out gets its default, but for the status and the milestones, which stay. Of given
    milestones those with a known number are changed, new ones added, and the others removed; one
    that has reports must be dropped with a reason first.
    """
    if code_key(new.code) != code_key(code):
        raise Invalid.field("/code", "code_mismatch", "The code differs from the address.")
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = session.scalars(
        access.visible(scope, Initiative).where(access.named(Initiative, code)).with_for_update()
    ).one_or_none()
    if row is None:
        return _create(session, actor, scope, new), True
    may_change(session, scope, row.unit_id)
    versions.check(row, expected)
    given = {name: getattr(new, name) for name in _PLAIN | {"unit", "areas", "owners", "tags"}}
    if new.status is None:
        del given["status"]
    given |= {
        name: value
        for name in new.model_fields_set.intersection(designation.FIELDS)
        if (value := getattr(new, name)) is not None or name == "decree"
    }
    if new.reason is not None:
        given["reason"] = new.reason
    apply(
        session, scope, row, wire.InitiativeChanges.model_construct(_fields_set=set(given), **given)
    )
    if new.milestones is not None:
        present = plans.present(session, scope, [row.id])[row.id]
        plans.replace(session, actor, scope, row, present, new.milestones, new.reason)
    events.record(session, actor, scope.id, "initiative.replaced", subject(row), new)
    session.flush()
    return portfolio.one(session, scope, row.id), False


def change(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    changes: wire.InitiativeChanges,
    expected: Expected,
) -> wire.InitiativeWithPlan:
    """Change an initiative."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = access.find(session, scope, Initiative, key, lock=True)
    may_change(session, scope, row.unit_id)
    versions.check(row, expected)
    apply(session, scope, row, changes)
    events.record(session, actor, scope.id, "initiative.changed", subject(row), changes)
    session.flush()
    return portfolio.one(session, scope, row.id)


def _create(
    session: Session, actor: Actor, scope: Scope, new: wire.NewInitiative
) -> wire.InitiativeWithPlan:
    unit = access.open_unit(session, scope, new.unit, "/unit")
    may_change(session, scope, unit.id)
    access.code_is_free(session, scope, Initiative, new.code)
    row = Initiative(**columns(scope, new, unit.id))
    owners = _owners(session, scope, new.owners)
    lifecycle.check_dates(row.start_on, row.due_on)
    lifecycle.check_owners(row.status, new.owners)
    area_ids = schemes.area_ids(session, new.areas, "/areas")
    decree = designation.named(session, scope, new.decree)
    decreed = designation.of_new(scope, new, row.status, decree)
    with ledger.recorded(session, scope.id, row.id):
        session.add(row)
        session.flush()
        _set_areas(session, scope, row.id, area_ids)
        _set_owners(session, scope, row.id, owners)
        _set_tags(session, scope, row.id, new.tags)
        designation.put(session, scope, row.id, None, decreed)
        for i, milestone in enumerate(new.milestones or ()):
            milestones.add(session, scope, row.id, milestone, f"/milestones/{i}")
    events.record(session, actor, scope.id, "initiative.created", subject(row), new)
    return portfolio.one(session, scope, row.id)


def columns(scope: Scope, new: wire.NewInitiative, unit_id: UUID) -> dict[str, Any]:
    """A new initiative's own row."""
    at = now()
    status = new.status or InitiativeStatus.PROPOSED
    return {
        "institution_id": scope.id,
        "id": new_id(),
        "code": new.code,
        "code_key": code_key(new.code),
        "title": new.title,
        "description": new.description,
        "unit_id": unit_id,
        "year": new.year,
        "kind": new.kind,
        "origin": new.origin,
        "status": status,
        "weight": new.weight,
        "start_on": new.start_on,
        "due_on": new.due_on,
        "expected_result": new.expected_result,
        "cancelled_on": designation.cancelled_on(scope, status, new.cancelled_on),
        "last_reported_at": None,
        **Standing()._asdict(),
        "created_at": at,
        "updated_at": at,
        "version": 1,
    }


def apply(session: Session, scope: Scope, row: Initiative, changes: wire.InitiativeChanges) -> None:
    """Apply checked changes to a locked initiative that the actor may change, with its roll-up."""
    given = {name: getattr(changes, name) for name in changes.model_fields_set & _PLAIN}
    lifecycle.check_dates(given.get("start_on", row.start_on), given.get("due_on", row.due_on))
    status = given.get("status", row.status)
    if status is not row.status:
        plan = milestones.plan(session, scope, row)
        lifecycle.check_transition(
            row.status, status, plan, has_reason=changes.reason is not MISSING
        )
    if changes.owners is not MISSING:
        lifecycle.check_owners(status, changes.owners)
    elif status is not row.status:
        lifecycle.check_has_accountable(status, _roles(session, scope, row.id))
    if status is not row.status or changes.cancelled_on is not MISSING:
        on = None if changes.cancelled_on is MISSING else changes.cancelled_on
        given["cancelled_on"] = designation.cancelled_on(scope, status, on)
    decreed = designation.of_changed(session, scope, row, changes)
    unit_id = _new_unit(session, scope, row, changes)

    def assign() -> None:
        row.unit_id = unit_id
        designation.put(session, scope, row.id, *decreed)
        for name, value in given.items():
            setattr(row, name, value)
        if changes.areas is not MISSING:
            _set_areas(session, scope, row.id, schemes.area_ids(session, changes.areas, "/areas"))
        if changes.owners is not MISSING:
            _set_owners(session, scope, row.id, _owners(session, scope, changes.owners))
        if changes.tags is not MISSING:
            _set_tags(session, scope, row.id, changes.tags)
        versions.touch(row)

    if changes.model_fields_set & _ROLLED_UP:
        with ledger.recorded(session, scope.id, row.id):
            assign()
    else:
        assign()


def _new_unit(
    session: Session, scope: Scope, row: Initiative, changes: wire.InitiativeChanges
) -> UUID:
    """The unit after the change; an archived one takes nothing new, but keeps what it has."""
    if changes.unit is MISSING or (
        access.refer(session, scope, Unit, changes.unit, "/unit").id == row.unit_id
    ):
        return row.unit_id
    unit = access.open_unit(session, scope, changes.unit, "/unit")
    may_change(session, scope, unit.id)
    return unit.id


def may_change(session: Session, scope: Scope, unit_id: UUID) -> None:
    """Raise `Forbidden` unless the actor may change initiatives of a unit."""
    access.require(session, scope, Permission.INITIATIVES_CHANGE, unit_id)


def _owners(
    session: Session, scope: Scope, owners: Sequence[wire.Owner]
) -> list[tuple[UUID, OwnerRole]]:
    found: dict[UUID, OwnerRole] = {}
    for i, owner in enumerate(owners):
        pointer = f"/owners/{i}/person"
        person = access.refer(session, scope, Person, owner.person, pointer)
        if person.kind is PersonKind.SERVICE:
            raise Invalid.field(pointer, "service_owner", "A program cannot own an initiative.")
        if not person.active:
            raise Invalid.field(pointer, "inactive_person", "This person is not active.")
        if person.id in found:
            raise repeated_owner(pointer)
        found[person.id] = owner.role
    return list(found.items())


def repeated_owner(pointer: str) -> Invalid:
    """What to say of a person who is named twice."""
    return Invalid.field(pointer, "repeated_owner", "A person has one role.")


def _roles(session: Session, scope: Scope, initiative_id: UUID) -> list[OwnerRole]:
    return list(
        session.scalars(
            select(InitiativeOwner.role).where(
                access.within(scope, InitiativeOwner),
                InitiativeOwner.initiative_id == initiative_id,
            )
        )
    )


def _set_areas(session: Session, scope: Scope, of: UUID, area_ids: Iterable[UUID]) -> None:
    _set(session, scope, of, InitiativeArea, [{"area_id": area_id} for area_id in area_ids])


def _set_owners(
    session: Session, scope: Scope, of: UUID, owners: Iterable[tuple[UUID, OwnerRole]]
) -> None:
    rows = [{"person_id": person_id, "role": role} for person_id, role in owners]
    _set(session, scope, of, InitiativeOwner, rows)


def _set_tags(session: Session, scope: Scope, of: UUID, tags: Iterable[str]) -> None:
    _set(session, scope, of, InitiativeTag, [{"tag": tag} for tag in dict.fromkeys(tags)])


def _set(
    session: Session,
    scope: Scope,
    initiative_id: UUID,
    model: type[InitiativeArea | InitiativeOwner | InitiativeTag],
    rows: list[dict[str, Any]],
) -> None:
    """Replace what belongs to an initiative."""
    before = portfolio.belongings(session, scope, initiative_id)
    session.execute(
        delete(model)
        .where(access.within(scope, model), model.initiative_id == initiative_id)
        .execution_options(synchronize_session=False)
    )
    if rows:
        shared = {"institution_id": scope.id, "initiative_id": initiative_id}
        session.execute(insert(model), [{**shared, **row} for row in rows])
    after = portfolio.belongings(session, scope, initiative_id)
    alterations.note(session, initiative_id, before, after)


def subject(row: Initiative) -> events.Subject:
    """What an event about an initiative names."""
    return events.Subject(row.id, row.code)
