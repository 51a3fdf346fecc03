"""Copies of a template: one proposed initiative for each of many units, all of them or none.

They are made as loaders make initiatives, so that all regencies of a country take one call. A call
can be sent again: what is there already, of this template for this unit and year, stays as it is.
"""

from calendar import isleap
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from app.errors import CodeTaken, Invalid
from app.given import portions
from app.messages import said
from app.models import Initiative, Template, Unit, UnitClosure
from app.models.base import CODE_LENGTH, code_key
from app.rollup import ledger
from app.schemas import templates as wire
from app.schemas.fields import LAST_DAY, InitiativeStatus
from app.schemas.initiatives import NewInitiative
from app.schemas.milestones import NewMilestone
from app.schemas.permissions import Permission
from app.schemas.plans import Plan
from app.schemas.templates import MOST_COPIES, PLACEHOLDER, TemplateMilestone
from app.services import (
    access,
    announcing,
    belongings,
    events,
    insertion,
    lifecycle,
    naming,
    rights,
    schemes,
    templates,
)
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.directory import Directory, Party

_AT_ONCE = 500
"""Codes that one statement lists."""
_LEAP_DAY, _DAY_BEFORE = "02-29", "02-28"


class _Present(NamedTuple):
    """An initiative that has a code which a copy is to have."""

    unit_id: UUID
    year: int
    template_id: UUID | None


def copy(
    session: Session, actor: Actor, institution: str, key: str, new: wire.NewCopies
) -> wire.Copies:
    """Copy a template into units where the actor may change initiatives.

    Raises `CodeTaken` where something else has the code of a copy; then there is none at all.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    template = access.find(session, scope, Template, key)
    units = _units(session, scope, new)
    ids = frozenset(unit.id for unit in units)
    permission = Permission.INITIATIVES_CHANGE
    _, held = rights.sort_out(session, actor, scope.id, permission, ids)
    for unit in units:
        if unit.id not in held:
            access.require(session, scope, permission, unit.id)
    codes = {unit.id: _code(new, unit) for unit in units}
    missing = _missing(session, scope, template, new, units, codes)
    pattern = _pattern(session, scope, template, new)
    batch = [
        Plan(
            pattern.model_copy(update={"code": codes[unit.id], "unit": unit.code}),
            [],
            {},
            template.id,
        )
        for unit in missing
    ]
    _insert(session, actor, scope, _directory(session, scope, pattern, missing), batch)
    made = {unit.id for unit in missing}
    data = {"created": len(made), "present": len(units) - len(made)}
    asked = new.model_dump(mode="json", exclude_unset=True, exclude={"units"})
    events.record(
        session, actor, scope.id, "template.copied", templates.subject(template), asked | data
    )
    return wire.Copies(
        **data,
        items=[
            wire.CopyOf(unit=unit.code, code=codes[unit.id], created=unit.id in made)
            for unit in units
        ],
    )


def _units(session: Session, scope: Scope, new: wire.NewCopies) -> list[Unit]:
    """The units that are named and those below, each once, by code."""
    found: dict[UUID, Unit] = {}
    by_key: dict[UUID | str, Unit] = {}
    for some in portions(new.units, _AT_ONCE):
        for unit in _visible(session, scope, naming.named_any(Unit, list(some))):
            by_key[unit.id] = by_key[unit.code_key] = unit
    for i, reference in enumerate(new.units):
        named = by_key.get(naming.key_of(reference))
        if named is None:
            raise Invalid.field(f"/units/{i}", "unknown_unit", "There is no such unit.")
        if named.archived_at is not None:
            detail = "This unit is archived, or merged away."
            raise Invalid.field(f"/units/{i}", "archived_unit", detail)
        found[named.id] = named
    if new.below is not None:
        top = access.refer(session, scope, Unit, new.below, "/below")
        below: list[ColumnElement[bool]] = [
            Unit.id.in_(_below(scope, top)),
            Unit.archived_at.is_(None),
        ]
        if kinds := {*new.kinds, new.kind} - {None}:
            below.append(Unit.kind.in_(kinds))
        found |= {unit.id: unit for unit in _visible(session, scope, *below)}
        if not found:
            raise Invalid.field("/below", "no_units", "There is no such unit below this one.")
    if len(found) > MOST_COPIES:
        detail = said("A call makes at most {most} copies.", most=MOST_COPIES)
        raise Invalid.field("/below", "too_many_units", detail)
    return sorted(found.values(), key=lambda unit: unit.code_key)


def _below(scope: Scope, top: Unit) -> Select[UUID]:
    return select(UnitClosure.descendant_id).where(
        access.within(scope, UnitClosure),
        UnitClosure.ancestor_id == top.id,
        UnitClosure.descendant_id != top.id,
    )


def _visible(session: Session, scope: Scope, *conditions: ColumnElement[bool]) -> Sequence[Unit]:
    statement = access.visible(scope, Unit).where(*conditions).limit(MOST_COPIES + 1)
    return session.scalars(statement).all()


def _code(new: wire.NewCopies, unit: Unit) -> str:
    code = new.code.replace(PLACEHOLDER, unit.code)
    if len(code) > CODE_LENGTH:
        detail = said(
            "With the code of a unit this is longer than {most} characters.", most=CODE_LENGTH
        )
        raise Invalid.field("/code", "code_too_long", detail)
    return code


def _missing(
    session: Session,
    scope: Scope,
    template: Template,
    new: wire.NewCopies,
    units: Sequence[Unit],
    codes: dict[UUID, str],
) -> list[Unit]:
    """Units that have no copy yet; raises `CodeTaken` where another initiative has its code."""
    present: dict[str, _Present] = {}
    for some in portions([code_key(code) for code in codes.values()], _AT_ONCE):
        rows = session.execute(
            select(
                Initiative.code_key, Initiative.unit_id, Initiative.year, Initiative.template_id
            ).where(access.within(scope, Initiative), Initiative.code_key.in_(some))
        )
        present |= {row.code_key: _Present(row.unit_id, row.year, row.template_id) for row in rows}
    missing = []
    for unit in units:
        there = present.get(code_key(codes[unit.id]))
        if there is None:
            missing.append(unit)
        elif there != _Present(unit.id, new.year, template.id):
            raise CodeTaken
    return missing


def _pattern(
    session: Session, scope: Scope, template: Template, new: wire.NewCopies
) -> NewInitiative:
    """What all copies have in common; their unit and code are put in later."""
    kept = [TemplateMilestone.model_validate(each) for each in template.milestones]
    milestones = [
        NewMilestone(
            title=each.title,
            number=each.number,
            description=each.description,
            weight=each.weight,
            technique=each.technique,
            due_on=_due_on(each, new),
        )
        for each in kept
    ]
    if new.start_on is not None and any(each.due_on < new.start_on for each in milestones):
        detail = "A milestone would be due before this day."
        raise Invalid.field("/start_on", "due_before_start", detail)
    lifecycle.check_owners(InitiativeStatus.PROPOSED, new.owners)
    common = NewInitiative(
        code=template.code,
        title=template.title,
        unit=scope.code,
        year=new.year,
        areas=templates.area_codes(session, scope, [template.id])[template.id],
        description=template.description,
        kind=template.kind,
        origin=template.origin,
        weight=template.weight,
        owners=new.owners,
        start_on=new.start_on,
        due_on=max((milestone.due_on for milestone in milestones), default=None),
        expected_result=template.expected_result,
        tags=template.tags,
        milestones=milestones,
    )
    return common if new.reason is None else common.model_copy(update={"reason": new.reason})


def _due_on(milestone: TemplateMilestone, new: wire.NewCopies) -> date:
    if milestone.due_month_day is not None:
        day = milestone.due_month_day
        if day == _LEAP_DAY and not isleap(new.year):
            day = _DAY_BEFORE
        return date.fromisoformat(f"{new.year}-{day}")
    if new.start_on is None:
        detail = "A milestone of this template is due so many days after the start."
        raise Invalid.field("/start_on", "start_owed", detail)
    due_on = new.start_on + timedelta(days=milestone.due_after_days or 0)
    if due_on > LAST_DAY:
        detail = "A milestone would be due after the last day that there is."
        raise Invalid.field("/start_on", "due_too_late", detail)
    return due_on


def _directory(
    session: Session, scope: Scope, pattern: NewInitiative, units: Sequence[Unit]
) -> Directory:
    """What copies refer to: all of it is known to be there, and open."""
    owners = belongings.may_own(session, scope, pattern.owners)
    area_ids = schemes.area_ids(session, pattern.areas, "/areas")
    return Directory(
        {unit.code_key: Party(unit.id, unit.code, is_open=True) for unit in units},
        {
            code_key(owner.person): Party(person_id, owner.person, is_open=True)
            for owner, (person_id, _) in zip(pattern.owners, owners, strict=True)
        },
        {code_key(code): area_id for code, area_id in zip(pattern.areas, area_ids, strict=True)},
        scope.today(),
        decrees={},  # a copy is proposed, or shortlisted
    )


def _insert(
    session: Session, actor: Actor, scope: Scope, known: Directory, batch: Sequence[Plan]
) -> None:
    """Make the initiatives, each with the event of a creation."""

    def told(plan: Plan, row: dict[str, Any]) -> None:
        announcing.created(session, actor, scope, plan.initiative, row)

    with ledger.gathered(session, scope.id):
        insertion.insert_plans(session, scope, known, batch, told)
