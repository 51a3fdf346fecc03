"""What belongs to an initiative: the areas that it serves, its owners and its tags."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.models import InitiativeArea, InitiativeOwner, InitiativeTag, Person, ReformArea
from app.models.base import refers
from app.schemas import initiatives as wire
from app.schemas.fields import OwnerRole, PersonKind
from app.services import access, alterations, schemes
from app.services.access import Scope

_ROLE_ORDER = list(OwnerRole)


def told(session: Session, scope: Scope, initiative_id: UUID) -> dict[str, Any]:
    """Areas, owners and tags of one initiative, JSON-ready."""
    ids = [initiative_id]
    return {
        "areas": areas(session, scope, ids)[initiative_id],
        "owners": [
            owner.model_dump(mode="json") for owner in owners(session, scope, ids)[initiative_id]
        ],
        "tags": tags(session, scope, ids)[initiative_id],
    }


def areas(session: Session, scope: Scope, ids: list[UUID]) -> defaultdict[UUID, list[str]]:
    """Codes of the reform areas that initiatives serve, by initiative."""
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for initiative_id, code in session.execute(
        select(InitiativeArea.initiative_id, ReformArea.code)
        .join(ReformArea, ReformArea.id == InitiativeArea.area_id)
        .where(access.within(scope, InitiativeArea), InitiativeArea.initiative_id.in_(ids))
        .order_by(ReformArea.code_key)
    ):
        found[initiative_id].append(code)
    return found


def owners(session: Session, scope: Scope, ids: list[UUID]) -> defaultdict[UUID, list[wire.Owner]]:
    """Owners of initiatives, the accountable one first, by initiative."""
    found: defaultdict[UUID, list[wire.Owner]] = defaultdict(list)
    for initiative_id, person, role in session.execute(
        select(InitiativeOwner.initiative_id, Person.code, InitiativeOwner.role)
        .join(
            Person,
            refers(InitiativeOwner.person_id, Person),
        )
        .where(access.within(scope, InitiativeOwner), InitiativeOwner.initiative_id.in_(ids))
        .order_by(Person.code_key)
    ):
        found[initiative_id].append(wire.Owner(person=person, role=role))
    for each in found.values():
        each.sort(key=lambda owner: _ROLE_ORDER.index(owner.role))
    return found


def tags(session: Session, scope: Scope, ids: list[UUID]) -> defaultdict[UUID, list[str]]:
    """Tags of initiatives, by initiative."""
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for initiative_id, tag in session.execute(
        select(InitiativeTag.initiative_id, InitiativeTag.tag)
        .where(access.within(scope, InitiativeTag), InitiativeTag.initiative_id.in_(ids))
        .order_by(InitiativeTag.tag)
    ):
        found[initiative_id].append(tag)
    return found


def may_own(
    session: Session, scope: Scope, given: Sequence[wire.Owner]
) -> list[tuple[UUID, OwnerRole]]:
    """Ids and roles of people who may own an initiative; raises `Invalid` below `/owners`."""
    found: dict[UUID, OwnerRole] = {}
    for i, owner in enumerate(given):
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
    if changes.areas is not MISSING:
        area_ids = schemes.area_ids(session, changes.areas, "/areas")
        set_areas(session, scope, initiative_id, area_ids)
    if changes.owners is not MISSING:
        set_owners(session, scope, initiative_id, may_own(session, scope, changes.owners))
    if changes.tags is not MISSING:
        set_tags(session, scope, initiative_id, changes.tags)


def set_areas(session: Session, scope: Scope, of: UUID, area_ids: Iterable[UUID]) -> None:
    """Replace the areas that an initiative serves."""
    _set(session, scope, of, InitiativeArea, [{"area_id": area_id} for area_id in area_ids])


def set_owners(
    session: Session, scope: Scope, of: UUID, given: Iterable[tuple[UUID, OwnerRole]]
) -> None:
    """Replace the owners of an initiative."""
    rows = [{"person_id": person_id, "role": role} for person_id, role in given]
    _set(session, scope, of, InitiativeOwner, rows)


def set_tags(session: Session, scope: Scope, of: UUID, given: Iterable[str]) -> None:
    """Replace the tags of an initiative."""
    _set(session, scope, of, InitiativeTag, [{"tag": tag} for tag in dict.fromkeys(given)])


def _set(
    session: Session,
    scope: Scope,
    initiative_id: UUID,
    model: type[InitiativeArea | InitiativeOwner | InitiativeTag],
    rows: list[dict[str, Any]],
) -> None:
    before = told(session, scope, initiative_id)
    session.execute(
        delete(model)
        .where(access.within(scope, model), model.initiative_id == initiative_id)
        .execution_options(synchronize_session=False)
    )
    if rows:
        shared = {"institution_id": scope.id, "initiative_id": initiative_id}
        session.execute(insert(model), [{**shared, **row} for row in rows])
    after = told(session, scope, initiative_id)
    alterations.note(session, initiative_id, before, after)
