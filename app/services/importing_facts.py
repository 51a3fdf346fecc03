"""What an import is checked against: what its rows may refer to, and what is there by their codes."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.given import portions
from app.models import (
    Designation,
    Initiative,
    InitiativeArea,
    InitiativeOwner,
    InitiativeTag,
    Milestone,
    Person,
    ReformArea,
    Unit,
)
from app.models.base import code_key, refers
from app.schemas.fields import InitiativeStatus, OwnerRole, PersonKind
from app.schemas.milestones import Milestone as WireMilestone
from app.schemas.permissions import Permission
from app.services import access, milestones, policies
from app.services.access import Scope
from app.spreadsheets.columns import plain

_AT_ONCE = 500
"""Codes or ids in one statement."""


class Named(NamedTuple):
    """Something that a cell may name."""

    id: UUID
    code: str
    name: str
    is_open: bool = True
    """Whether it takes anything new: not archived, active, no program."""


class Names:
    """What cells of one column may name, by code or name."""

    def __init__(self, found: Iterable[Named], aliases: Iterable[tuple[str, Named]] = ()) -> None:
        self.by_code = {code_key(each.code): each for each in found}
        self.by_name: dict[str, list[Named]] = {}
        for name, each in [(each.name, each) for each in self.by_code.values()] + list(aliases):
            same = self.by_name.setdefault(plain(name), [])
            if each not in same:
                same.append(each)


class Standing(NamedTuple):
    """An initiative that is there, as an import sees it."""

    id: UUID
    code: str
    version: int
    title: str
    description: str | None
    unit: Named
    year: int
    status: InitiativeStatus
    weight: int
    start_on: date | None
    due_on: date | None
    expected_result: str | None
    baseline: int | None
    """Number of its newest baseline; null while there is none."""
    areas: list[str]
    owners: dict[str, OwnerRole]
    tags: list[str]
    plan: list[WireMilestone]
    decrees: list[UUID]
    """The one that designated it, if any."""


class Facts(NamedTuple):
    """Everything that rows are checked against."""

    units: Names
    people: Names
    areas: Names
    may_change: frozenset[UUID]
    """Units where the actor may change initiatives."""
    may_plan: frozenset[UUID]
    """Units where the actor may change milestones."""
    known: dict[str, Standing]
    """What is there by the codes of the rows, as far as the actor sees it."""
    taken: frozenset[str]
    """Codes, as they are compared, of what is there and the actor does not see."""
    decree_required: bool
    """Whether an initiative becomes active by a decree alone; a spreadsheet names none."""


def read(session: Session, scope: Scope, codes: Sequence[str]) -> Facts:
    """All that an import with these codes needs to know, in a few statements."""
    units = Names(_units(session, scope))
    keys = sorted({code_key(code) for code in codes})
    known = _standing(session, scope, keys, units)
    held = [
        frozenset(session.scalars(select(Unit.id).where(access.within(scope, Unit), may)))
        for may in (
            access.seen(scope, Unit, Permission.INITIATIVES_CHANGE),
            access.seen(scope, Unit, Permission.MILESTONES_CHANGE),
        )
    ]
    taken = {
        key
        for some in portions(keys, _AT_ONCE)
        for key in session.scalars(
            select(Initiative.code_key).where(
                access.within(scope, Initiative), Initiative.code_key.in_(some)
            )
        )
    }
    may_change, may_plan = held
    return Facts(
        units,
        people(session, scope),
        areas(session),
        may_change,
        may_plan,
        known,
        frozenset(taken - known.keys()),
        policies.policy(scope).decree_required,
    )


def _units(session: Session, scope: Scope) -> list[Named]:
    return [
        Named(unit.id, unit.code, unit.name, unit.archived_at is None)
        for unit in session.scalars(access.visible(scope, Unit).order_by(Unit.code_key))
    ]


def people(session: Session, scope: Scope) -> Names:
    """The people whom the actor sees."""
    found = session.scalars(access.visible(scope, Person).order_by(Person.code_key)).all()
    named = {
        person.code: Named(
            person.id, person.code, person.name,
            person.active and person.kind is PersonKind.PERSON,
        )
        for person in found
    }  # fmt: skip
    addresses = [(person.email, named[person.code]) for person in found if person.email]
    return Names(named.values(), addresses)


def areas(session: Session) -> Names:
    """All reform areas, by every name that they have."""
    found = session.scalars(select(ReformArea).order_by(ReformArea.code_key)).all()
    named = {area.code: Named(area.id, area.code, area.name_id) for area in found}
    return Names(
        named.values(),
        [
            (name, named[area.code])
            for area in found
            for name in (area.name_en, *area.aliases)
        ],
    )  # fmt: skip


def _standing(
    session: Session, scope: Scope, keys: Sequence[str], units: Names
) -> dict[str, Standing]:
    by_id = {unit.id: unit for unit in units.by_code.values()}
    known: dict[str, Standing] = {}
    for some in portions(keys, _AT_ONCE):
        rows = session.scalars(
            access.visible(scope, Initiative).where(Initiative.code_key.in_(some))
        ).all()
        found = {
            row.id: Standing(
                row.id, row.code, row.version, row.title, row.description, by_id[row.unit_id],
                row.year, row.status, row.weight, row.start_on, row.due_on, row.expected_result,
                row.baseline, [], {}, [], [], [],
            )
            for row in rows
        }  # fmt: skip
        _fill(session, scope, found)
        known |= {code_key(standing.code): standing for standing in found.values()}
        session.expunge_all()  # a few at a time: what is read here is changed later, if at all
    return known


def _fill(session: Session, scope: Scope, found: dict[UUID, Standing]) -> None:
    """Read what belongs to some initiatives."""
    ids = list(found)
    for initiative_id, code in session.execute(
        select(InitiativeArea.initiative_id, ReformArea.code)
        .join(ReformArea, ReformArea.id == InitiativeArea.area_id)
        .where(access.within(scope, InitiativeArea), InitiativeArea.initiative_id.in_(ids))
        .order_by(ReformArea.code_key)
    ):
        found[initiative_id].areas.append(code)
    for initiative_id, code, role in session.execute(
        select(InitiativeOwner.initiative_id, Person.code, InitiativeOwner.role)
        .join(Person, refers(InitiativeOwner.person_id, Person))
        .where(access.within(scope, InitiativeOwner), InitiativeOwner.initiative_id.in_(ids))
        .order_by(Person.code_key)
    ):
        found[initiative_id].owners[code] = role
    for initiative_id, decree_id in session.execute(
        select(Designation.initiative_id, Designation.decree_id).where(
            access.within(scope, Designation), Designation.initiative_id.in_(ids)
        )
    ):
        found[initiative_id].decrees.append(decree_id)
    for initiative_id, tag in session.execute(
        select(InitiativeTag.initiative_id, InitiativeTag.tag)
        .where(access.within(scope, InitiativeTag), InitiativeTag.initiative_id.in_(ids))
        .order_by(InitiativeTag.tag)
    ):
        found[initiative_id].tags.append(tag)
    today = scope.today()
    for row in session.scalars(
        select(Milestone)
        .where(access.within(scope, Milestone), Milestone.initiative_id.in_(ids))
        .order_by(Milestone.number)
    ):
        standing = found[row.initiative_id]
        standing.plan.append(milestones.shape(row, standing.weight, today))
