"""What belongs to an initiative: the areas that it serves, its owners and its tags."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from app.bulk import bulk_insert
from app.errors import Invalid
from app.given import portions
from app.messages import unknown
from app.models import Base, InitiativeArea, InitiativeOwner, InitiativeTag, Person
from app.models.base import refers
from app.models.base import table as table_of
from app.schemas import initiatives as wire
from app.schemas.fields import OwnerRole, PersonKind
from app.services import access, alterations, naming, parts, relations, schemes
from app.services.access import Scope

Given = dict[type[Base], list[dict[str, Any]]]
"""Rows in place of those that there are, by their model."""
Present = Mapping[tuple[UUID | str, OwnerRole], UUID]
"""Owners of an initiative, each by id and by code, with their role."""
People = Mapping[UUID | str, Person]
"""People whom the actor sees, each by id and by code."""
_AT_ONCE = 500
_ROLE_ORDER = list(OwnerRole)


def may_own(
    session: Session,
    scope: Scope,
    given: Sequence[wire.Owner],
    present: Present | None = None,
    people: People | None = None,
) -> list[tuple[UUID, OwnerRole]]:
    """Ids and roles of people who may own an initiative; raises `Invalid` below `/owners`.

    Who is among those who are `present` stays in their role: what was read can be sent back,
    whether the actor sees them, and whether they are active any more. The others are among
    `people`, where those were read before, for many initiatives at once.
    """
    found: dict[UUID, OwnerRole] = {}
    for i, owner in enumerate(given):
        pointer = f"/owners/{i}/person"
        person_id = (present or {}).get((naming.key_of(owner.person), owner.role))
        if person_id is None:
            person_id = _new_owner(_person(session, scope, owner, pointer, people), pointer)
        if person_id in found:
            raise repeated_owner(pointer)
        found[person_id] = owner.role
    return list(found.items())


def people(session: Session, scope: Scope, keys: Iterable[str]) -> People:
    """Those of some codes and ids whom the actor sees."""
    found: dict[UUID | str, Person] = {}
    for some in portions(list({naming.key_of(key) for key in keys}), _AT_ONCE):
        ids = [key for key in some if isinstance(key, UUID)]
        codes = [key for key in some if isinstance(key, str)]
        named = or_(Person.id.in_(ids), Person.code_key.in_(codes))
        for person in session.scalars(access.visible(scope, Person).where(named)):
            found |= {person.id: person, person.code_key: person}
    return found


def _person(
    session: Session, scope: Scope, owner: wire.Owner, pointer: str, people: People | None
) -> Person:
    if people is None:
        return access.refer(session, scope, Person, owner.person, pointer)
    person = people.get(naming.key_of(owner.person))
    if person is None:
        raise Invalid.field(pointer, *unknown(Person.__tablename__))
    return person


def _new_owner(person: Person, pointer: str) -> UUID:
    if person.kind is PersonKind.SERVICE:
        raise Invalid.field(pointer, "service_owner", "A program cannot own an initiative.")
    if not person.active:
        raise Invalid.field(pointer, "inactive_person", "This person is not active.")
    return person.id


def present(
    session: Session, scope: Scope, initiative_ids: Collection[UUID]
) -> defaultdict[UUID, dict[tuple[UUID | str, OwnerRole], UUID]]:
    """`Present` of some initiatives."""
    statement = (
        select(InitiativeOwner.initiative_id, Person.id, Person.code_key, InitiativeOwner.role)
        .join(InitiativeOwner, refers(InitiativeOwner.person_id, Person))
        .where(
            access.within(scope, InitiativeOwner),
            InitiativeOwner.initiative_id.in_(initiative_ids),
        )
    )
    found: defaultdict[UUID, dict[tuple[UUID | str, OwnerRole], UUID]] = defaultdict(dict)
    for initiative_id, person_id, code, role in session.execute(statement):
        found[initiative_id] |= {(person_id, role): person_id, (code, role): person_id}
    return found


def repeated_owner(pointer: str) -> Invalid:
    """What to say of a person who is named twice."""
    return Invalid.field(pointer, "repeated_owner", "A person has one role.")


def roles(session: Session, scope: Scope, initiative_id: UUID) -> list[OwnerRole]:
    """Roles that an initiative has owners in."""
    return list(
        session.scalars(
            select(InitiativeOwner.role).where(
                access.within(scope, InitiativeOwner),
                InitiativeOwner.initiative_id == initiative_id,
            )
        )
    )


def change(
    session: Session, scope: Scope, initiative_id: UUID, changes: wire.InitiativeChanges
) -> None:
    """Replace what a change gives; raises `Invalid` for who or what is not there."""
    given: Given = {}
    if changes.areas is not MISSING:
        given |= serving(schemes.area_ids(session, changes.areas, "/areas"))
    if changes.owners is not MISSING:
        there = present(session, scope, [initiative_id])[initiative_id]
        given |= owned_by(may_own(session, scope, changes.owners, there))
    if changes.tags is not MISSING:
        given |= tagged(changes.tags)
    put(session, scope, initiative_id, given)


def hand_over(
    session: Session, scope: Scope, given: Mapping[UUID, Sequence[tuple[UUID, OwnerRole]]]
) -> None:
    """Give many initiatives other owners, and tell the trail."""
    if not given:
        return
    ids = list(given)
    gone = delete(InitiativeOwner).where(
        access.within(scope, InitiativeOwner), InitiativeOwner.initiative_id.in_(ids)
    )
    rows = [
        {"institution_id": scope.id, "initiative_id": id_, "person_id": person_id, "role": role}
        for id_, people in given.items()
        for person_id, role in people
    ]
    with relations.noted(session, scope, ids):
        session.execute(gone.execution_options(synchronize_session=False))
        bulk_insert(session, table_of(InitiativeOwner), rows)


def serving(area_ids: Iterable[UUID]) -> Given:
    """The areas that an initiative serves, as they are kept."""
    return {InitiativeArea: [{"area_id": area_id} for area_id in area_ids]}


def owned_by(people: Iterable[tuple[UUID, OwnerRole]]) -> Given:
    """The owners of an initiative, as they are kept."""
    return {InitiativeOwner: [{"person_id": id_, "role": role} for id_, role in people]}


def tagged(given: Iterable[str]) -> Given:
    """The tags of an initiative, as they are kept."""
    return {InitiativeTag: [{"tag": tag} for tag in dict.fromkeys(given)]}


def put(session: Session, scope: Scope, initiative_id: UUID, given: Given) -> None:
    """Replace what is given, and tell the trail; the rest stays."""
    if not given:
        return
    with relations.noted(session, scope, [initiative_id]):
        for model, rows in given.items():
            parts.replace(session, scope, model, {"initiative_id": initiative_id}, rows)


def add(session: Session, scope: Scope, initiative_id: UUID, given: Given) -> None:
    """As `put`, to an initiative that is new and has none."""
    for model, rows in given.items():
        parts.add(session, scope, model, {"initiative_id": initiative_id}, rows)
    after = relations.told(session, scope, [initiative_id])[initiative_id]
    alterations.note(session, initiative_id, relations.nothing(), after)
