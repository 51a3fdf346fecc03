"""Initiatives: created, changed and replaced with all that follows for the roll-up."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.models import (
    Initiative,
    Unit,
)
from app.models.base import code_key, new_id, now
from app.rollup import ledger
from app.rollup.contribution import COUNTED, Standing
from app.schemas import initiatives as wire
from app.schemas.fields import InitiativeStatus
from app.schemas.milestones import NewMilestone
from app.schemas.permissions import Permission
from app.services import (
    access,
    baselines,
    belongings,
    deletions,
    designation,
    events,
    judgements,
    lifecycle,
    links,
    milestones,
    naming,
    plans,
    portfolio,
    proofs,
    schemes,
    stage_links,
    versions,
)
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.plans import Replacement
from app.services.versions import Expected

_PLAIN = {
    "title", "year", "description", "kind", "origin", "status", "weight", "start_on", "due_on",
    "expected_result", "public",
}  # fmt: skip
_ROLLED_UP = {"unit", "year", "areas", "status", "weight"}
_KEPT = ("status", "stages", "public")
"""What a PUT keeps where it leaves it out."""


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

    What is left out gets its default, but for the status, the stages, what is public, what it is
    linked to and the milestones, which stay. Of given milestones those with a known number are
    changed, new ones added, and the others removed; one that has reports must be dropped with a
    reason first.
    """
    if code_key(new.code) != code_key(code):
        raise Invalid.field("/code", "code_mismatch", "The code differs from the address.")
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = session.scalars(
        access.visible(scope, Initiative).where(naming.named(Initiative, code)).with_for_update()
    ).one_or_none()
    if row is None:
        return _create(session, actor, scope, new), True
    may_change(session, scope, row.unit_id)
    versions.check(row, expected)
    whole = _PLAIN | {"unit", "areas", "owners", "tags", "stages"}
    given = {name: getattr(new, name) for name in whole | links.given(new)}
    for name in _KEPT:
        if given[name] is None:
            del given[name]
    given |= {
        name: value
        for name in new.model_fields_set.intersection(designation.FIELDS)
        if (value := getattr(new, name)) is not None or name == "decree"
    }
    if new.reason is not None:
        given["reason"] = new.reason
    changes = wire.InitiativeChanges.model_construct(_fields_set=set(given), **given)
    apply(session, scope, row, changes, _replacement(session, scope, row.id, new.milestones))
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
    owners = belongings.may_own(session, scope, new.owners)
    lifecycle.check_dates(row.start_on, row.due_on)
    lifecycle.check_creation(row.status, has_reason=new.reason is not None)
    lifecycle.check_owners(row.status, new.owners)
    area_ids = schemes.area_ids(session, new.areas, "/areas")
    belonging = (
        belongings.serving(area_ids) | belongings.owned_by(owners) | belongings.tagged(new.tags)
    )
    decree = designation.named(session, scope, new.decree)
    decreed = designation.of_new(scope, new, row.status, decree)
    linked = links.resolve(links.Known(session, scope), links.of_new(new))
    with ledger.recorded(session, scope.id, row.id):
        session.add(row)
        session.flush()
        belongings.add(session, scope, row.id, belonging)
        designation.put(session, scope, row.id, None, decreed)
        links.put(session, scope, row.id, linked)
        if new.stages:
            stage_links.replace(session, scope, row.id, new.stages)
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
        "public": bool(new.public),
        "last_reported_at": None,
        "baseline": None,
        "template_id": None,
        **Standing()._asdict(),
        "created_at": at,
        "updated_at": at,
        "version": 1,
    }


def apply(
    session: Session,
    scope: Scope,
    row: Initiative,
    changes: wire.InitiativeChanges,
    replacement: Replacement | None = None,
) -> None:
    """Apply checked changes to a locked initiative that the actor may change, with its roll-up.

    Milestones are made the given ones, if there are any given. What becomes active and did not
    count before gets its first baseline, of the plan that it has then.
    """
    given = {name: getattr(changes, name) for name in changes.model_fields_set & _PLAIN}
    lifecycle.check_dates(given.get("start_on", row.start_on), given.get("due_on", row.due_on))
    reason = None if changes.reason is MISSING else changes.reason
    baselines.check_fields(row, given, reason)
    status = given.get("status", row.status)
    is_designated = status is InitiativeStatus.ACTIVE and row.status not in COUNTED
    if status is not row.status:
        plan = milestones.plan(session, scope, row)
        lifecycle.check_transition(row.status, status, plan, has_reason=reason is not None)
        if status is InitiativeStatus.COMPLETED:
            proofs.check_completion(session, scope, row.id)
    if changes.owners is not MISSING:
        lifecycle.check_owners(status, changes.owners)
    elif status is not row.status:
        lifecycle.check_has_accountable(status, belongings.roles(session, scope, row.id))
    if status is not row.status or changes.cancelled_on is not MISSING:
        on = None if changes.cancelled_on is MISSING else changes.cancelled_on
        given["cancelled_on"] = designation.cancelled_on(scope, status, on)
    decreed = designation.of_changed(session, scope, row, changes)
    unit_id = _new_unit(session, scope, row, changes)
    asked = {
        name: getattr(changes, name) for name in links.FIELDS.keys() & changes.model_fields_set
    }
    linked = links.resolve(links.Known(session, scope), asked)

    def assign() -> None:
        deletions.follow(session, scope, row, unit_id)
        row.unit_id = unit_id
        designation.put(session, scope, row.id, *decreed)
        judgements.lapse(session, scope, row, status)
        for name, value in given.items():
            setattr(row, name, value)
        belongings.change(session, scope, row.id, changes)
        links.put(session, scope, row.id, linked)
        if changes.stages is not MISSING:
            stage_links.replace(session, scope, row.id, changes.stages)
        versions.touch(row)

    if changes.model_fields_set & _ROLLED_UP:
        with ledger.recorded(session, scope.id, row.id):
            assign()
    else:
        assign()
    if replacement is not None:
        plans.replace(session, scope.actor, scope, row, replacement, reason)
    if is_designated:
        baselines.take_first(session, scope, row)


def _replacement(
    session: Session, scope: Scope, initiative_id: UUID, plan: Sequence[NewMilestone] | None
) -> Replacement | None:
    if plan is None:
        return None
    return Replacement(plans.present(session, scope, [initiative_id])[initiative_id], plan)


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


def subject(row: Initiative) -> events.Subject:
    """What an event about an initiative names."""
    return events.Subject(row.id, row.code)
