"""The bulk form of the verbs, for loaders: the same rules and the same arithmetic, many at once.

A batch is one transaction. What it refers to is resolved in a few statements, and each bucket of the
ledger is written once.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.bulk import bulk_insert
from app.models import (
    Initiative,
    Person,
    RoleGrant,
)
from app.models.base import table as table_of
from app.rollup import ledger
from app.schemas.grants import NewGrant
from app.schemas.people import NewPerson
from app.schemas.permissions import Permission
from app.schemas.plans import Plan
from app.schemas.units import NewUnit
from app.services import (
    access,
    directory,
    events,
    grants,
    insertion,
    people,
    windows,
)
from app.services import units as tree
from app.services.access import Lock
from app.services.actors import Actor
from app.services.insertion import Loaded


def add_units(session: Session, actor: Actor, institution: str, new: Sequence[NewUnit]) -> None:
    """Add many units, parents first."""
    scope = access.institution(session, actor, institution, Lock.ALONE)
    for unit in new:
        tree.add(session, actor, scope, unit)


def add_people(session: Session, actor: Actor, institution: str, new: Sequence[NewPerson]) -> None:
    """Add many people."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    access.require(session, scope, Permission.PEOPLE_CHANGE, None)
    directory.check_codes(session, scope, Person, [person.code for person in new])
    known = directory.read(session, scope).units
    rows = [
        people.columns(
            scope,
            person,
            directory.open_party(known, person.unit, f"/{i}/unit", "unit").id
            if person.unit
            else None,
        )
        for i, person in enumerate(new)
    ]
    bulk_insert(session, table_of(Person), rows)
    for person, row in zip(new, rows, strict=True):
        subject = events.Subject(row["id"], person.code)
        unit_id = row["unit_id"]
        events.record(session, actor, scope.id, "person.created", subject, person, unit_id=unit_id)


def add_grants(session: Session, actor: Actor, institution: str, new: Sequence[NewGrant]) -> None:
    """Add many grants of roles, each given once."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    access.require(session, scope, Permission.GRANTS_CHANGE, None)
    known = directory.read(session, scope)
    root = access.root(session, scope)
    rows = []
    for i, grant in enumerate(new):
        person = directory.open_party(known.people, grant.person, f"/{i}/person", "person")
        unit_id = (
            directory.open_party(known.units, grant.unit, f"/{i}/unit", "unit").id
            if grant.unit
            else root.id
        )
        row = grants.columns(scope, person.id, unit_id, grant.role)
        rows.append(row)
        subject = events.Subject(row["id"], f"grants/{row['id']}")
        events.record(session, actor, scope.id, "grant.created", subject, grant)
    bulk_insert(session, table_of(RoleGrant), rows)


def add_plans(session: Session, actor: Actor, institution: str, batch: Sequence[Plan]) -> Loaded:
    """Add initiatives as they stand, with their milestones and reports.

    Raises what the single verbs raise, with pointers that begin with the place in the batch.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    access.require(session, scope, Permission.INITIATIVES_CHANGE, None)
    directory.check_codes(session, scope, Initiative, [plan.initiative.code for plan in batch])
    known = directory.read(session, scope)
    windows.rely_on(session, scope)

    def told(plan: Plan, initiative: dict[str, Any]) -> None:
        subject = events.Subject(initiative["id"], initiative["code"])
        counts = {
            "milestones": len(plan.initiative.milestones or ()), "updates": len(plan.reports),
        }  # fmt: skip
        unit_id = initiative["unit_id"]
        events.record(
            session, actor, scope.id, "initiative.loaded", subject, counts, unit_id=unit_id
        )

    with ledger.gathered(session, scope.id):
        return insertion.insert_plans(session, scope, known, batch, told)
