"""Reorganising: units are moved and merged with all that they have; no initiative is read.

A unit's rows of the ledger hold all that is at it and below it. So both verbs take just these rows
from the ancestors that it leaves to those that it joins; an ancestor of both keeps what it has.
"""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.orm import Session, aliased

from app.errors import RootUnit, UnitCycle
from app.models import (
    Deletion,
    Indicator,
    Initiative,
    Obstacle,
    Person,
    Unit,
    UnitClosure,
    UnitMerger,
)
from app.models.base import now
from app.rollup import ledger
from app.schemas import units as wire
from app.schemas.permissions import Permission
from app.services import access, events, units, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.versions import Expected


def move(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    target: wire.UnitMove,
    expected: Expected,
) -> wire.Unit:
    """Move a unit with all below it under another; its numbers go along.

    Raises `RootUnit` for the root and `UnitCycle` for a parent that is the unit or below it.
    """
    scope = access.institution(session, actor, institution, Lock.ALONE)
    row = access.find(session, scope, Unit, key, lock=True)
    access.require(session, scope, Permission.UNITS_CHANGE, row.parent_id)
    versions.check(row, expected)
    former_id = _parent_of(row)
    parent = access.open_unit(session, scope, target.parent, "/parent")
    access.require(session, scope, Permission.UNITS_CHANGE, parent.id)
    _carry(session, scope, row.id, former_id, parent.id)
    _relink(session, scope, row.id, parent.id, nearest=0)
    row.parent_id = parent.id
    versions.touch(row)
    versions.touch_below(session, row, access.below(scope, [str(row.id)]))
    former = session.get_one(Unit, (scope.id, former_id))
    data = {"from": former.code, "parent": parent.code}
    subject = units.subject(row)
    events.record(session, actor, scope.id, "unit.moved", subject, data, reason=target.reason)
    session.flush()
    return units.shape(session, scope, row)


def merge(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    target: wire.UnitMerge,
    expected: Expected,
) -> wire.Unit:
    """Merge a unit into another: all that it has goes there, and it stays archived for good.

    Its own initiatives, obstacles and people, deleted ones too, go to the other unit, and the units
    directly below it, archived ones too, are put below the other, since an archived unit has
    nothing live below it.
    The merged unit keeps its code, its place in the tree and its events, so that old references
    are still answered; it is empty, and its past numbers are the other's from now on. Units that
    were merged into it before still name it: `merged_into` leads on from one to the next.

    Raises `RootUnit` for the root, `UnitMerged` for a unit that was merged before, and `UnitCycle`
    for a target that is the unit itself or below it: nothing can take over what it is part of.
    """
    scope = access.institution(session, actor, institution, Lock.ALONE)
    row = access.find(session, scope, Unit, key, lock=True)
    access.require(session, scope, Permission.UNITS_CHANGE, row.parent_id)
    versions.check(row, expected)
    former_id = _parent_of(row)
    units.not_merged(session, row)
    into = access.open_unit(session, scope, target.into, "/into")
    access.require(session, scope, Permission.UNITS_CHANGE, into.id)
    _carry(session, scope, row.id, former_id, into.id)
    ledger.forget(session, scope.id, row.id)
    versions.touch_below(session, row, access.below(scope, [str(row.id)]))
    _relink(session, scope, row.id, into.id, nearest=1)
    taken = _hand_over(session, scope, row.id, into.id)
    session.add(UnitMerger(institution_id=scope.id, unit_id=row.id, into_id=into.id))
    row.archived_at = row.archived_at or now()
    versions.touch(row)
    for kind, subject, data in (
        ("unit.merged", units.subject(row), {"into": into.code}),
        ("unit.absorbed", units.subject(into), {"unit": row.code}),
    ):
        data = {**data, **taken._asdict()}  # noqa: PLW2901  what both say
        events.record(
            session,
            actor,
            scope.id,
            kind,
            subject,
            data,
            reason=target.reason,
            unit_id=subject.id,
        )
    session.flush()
    return units.shape(session, scope, row)


def _parent_of(row: Unit) -> UUID:
    if row.parent_id is None:
        raise RootUnit
    return row.parent_id


def _carry(session: Session, scope: Scope, unit_id: UUID, former_id: UUID, parent_id: UUID) -> None:
    """Take a unit's numbers from its former parent and all above it to a new one and all above it.

    Raises `UnitCycle` where the new one is the unit itself or below it.
    """
    joins = _ancestors(session, scope, parent_id)
    if unit_id in joins:
        raise UnitCycle
    leaves = _ancestors(session, scope, former_id)
    ledger.move(
        session,
        scope.id,
        unit_id,
        leaves=[ancestor for ancestor in leaves if ancestor not in joins],
        joins=[ancestor for ancestor in joins if ancestor not in leaves],
    )


def _ancestors(session: Session, scope: Scope, unit_id: UUID) -> list[UUID]:
    """The unit and all above it, the root last."""
    return list(
        session.scalars(
            select(UnitClosure.ancestor_id)
            .where(access.within(scope, UnitClosure), UnitClosure.descendant_id == unit_id)
            .order_by(UnitClosure.distance)
        )
    )


def _relink(
    session: Session, scope: Scope, unit_id: UUID, parent_id: UUID, *, nearest: int
) -> None:
    """Put the units `nearest` steps below a unit, with all below them, directly under a parent.

    0 is the unit itself: it moves. 1 are its children: they leave it.
    """
    of_scope = access.within(scope, UnitClosure)
    subtree = select(UnitClosure.descendant_id).where(of_scope, UnitClosure.ancestor_id == unit_id)
    _cut(
        session,
        of_scope,
        UnitClosure.descendant_id.in_(subtree.where(UnitClosure.distance >= nearest)),
        UnitClosure.ancestor_id.not_in(subtree),
    )
    upper, lower = aliased(UnitClosure), aliased(UnitClosure)
    pairs = (
        select(
            upper.institution_id,
            lower.descendant_id,
            upper.ancestor_id,
            upper.distance + lower.distance + 1 - nearest,
        )
        .join(lower, lower.institution_id == upper.institution_id)
        .where(
            upper.institution_id == scope.id,
            lower.institution_id == scope.id,
            upper.descendant_id == parent_id,
            lower.ancestor_id == unit_id,
            lower.distance >= nearest,
        )
    )
    columns = ["institution_id", "descendant_id", "ancestor_id", "distance"]
    session.execute(insert(UnitClosure).from_select(columns, pairs))
    if nearest:
        _cut(session, of_scope, UnitClosure.ancestor_id == unit_id, UnitClosure.distance >= nearest)


def _cut(session: Session, *conditions: Any) -> None:  # noqa: ANN401  conditions of any column
    session.execute(
        delete(UnitClosure).where(*conditions).execution_options(synchronize_session=False)
    )


class _Taken(NamedTuple):
    """How much went from one unit to another; 10,000 initiatives are one event, not as many."""

    initiatives: int
    people: int
    units: int


def _hand_over(session: Session, scope: Scope, from_id: UUID, to_id: UUID) -> _Taken:
    """Put a unit's own initiatives, people and children into another, each by one statement."""
    at = now()

    def put(model: Any, column: str, *, counted: bool) -> int:  # noqa: ANN401  a mapped class
        values = {"version": model.version + 1, "updated_at": at} if counted else {}
        done = session.execute(
            update(model)
            .where(access.within(scope, model), getattr(model, column) == from_id)
            .values({column: to_id, **values})
            .execution_options(synchronize_session=False)
        )
        assert isinstance(done, CursorResult)  # noqa: S101  what an UPDATE answers
        return done.rowcount

    put(Deletion, "unit_id", counted=False)  # what comes back comes back there
    put(Indicator, "unit_id", counted=True)
    for column in ("unit_id", "escalated_to_id"):
        put(Obstacle, column, counted=True)
    return _Taken(
        put(Initiative, "unit_id", counted=True),
        put(Person, "unit_id", counted=True),
        put(Unit, "parent_id", counted=False),  # the children's new paths are counted already
    )
