"""Units: the tree of an institution. Whoever changes the tree holds it alone."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import Select, func, insert, literal, select
from sqlalchemy.orm import Session, aliased

from app.errors import RootUnit, UnitMerged
from app.keyset import Key, paginate, parse_sort
from app.models import Unit, UnitClosure, UnitMerger
from app.models.base import code_key, new_id, now, refers
from app.models.texts import has
from app.schemas import units as wire
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, events, naming, ratings, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.versions import Expected


def create(session: Session, actor: Actor, institution: str, new: wire.NewUnit) -> wire.Unit:
    """Add a unit below another; below the root if none is named."""
    scope = access.institution(session, actor, institution, Lock.ALONE)
    row = add(session, actor, scope, new)
    return shape(session, scope, row)


def add(session: Session, actor: Actor, scope: Scope, new: wire.NewUnit) -> Unit:
    """Add a unit to a tree that the caller holds alone."""
    parent = (
        access.open_unit(session, scope, new.parent, "/parent")
        if new.parent
        else access.root(session, scope)
    )
    access.require(session, scope, Permission.UNITS_CHANGE, parent.id)
    access.code_is_free(session, scope, Unit, new.code)
    at = now()
    row = Unit(
        institution_id=scope.id,
        id=new_id(),
        parent_id=parent.id,
        code=new.code,
        code_key=code_key(new.code),
        name=new.name,
        kind=new.kind,
        reference_code=new.reference_code,
        archived_at=None,
        created_at=at,
        updated_at=at,
        version=1,
    )
    session.add(row)
    session.flush()
    link(session, scope, row.id, parent.id)
    events.record(session, actor, scope.id, "unit.created", subject(row), new)
    return row


def link(session: Session, scope: Scope, unit_id: UUID, parent_id: UUID) -> None:
    """Enter a new unit into the closure, below its parent and all above that."""
    above = select(
        UnitClosure.institution_id,
        literal(unit_id, Unit.id.type),
        UnitClosure.ancestor_id,
        UnitClosure.distance + 1,
    ).where(access.within(scope, UnitClosure), UnitClosure.descendant_id == parent_id)
    columns = ["institution_id", "descendant_id", "ancestor_id", "distance"]
    session.execute(insert(UnitClosure).from_select(columns, above))
    session.execute(
        insert(UnitClosure).values(
            institution_id=scope.id, descendant_id=unit_id, ancestor_id=unit_id, distance=0
        )
    )


def change(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    changes: wire.UnitChanges,
    expected: Expected,
) -> wire.Unit:
    """Rename, recode, archive or restore a unit."""
    scope = access.institution(session, actor, institution, Lock.ALONE)
    row = access.find(session, scope, Unit, key, lock=True)
    access.require(session, scope, Permission.UNITS_CHANGE, row.id)
    versions.check(row, expected)
    before = row.code
    if changes.code is not MISSING and code_key(changes.code) != row.code_key:
        access.code_is_free(session, scope, Unit, changes.code)
    for name in changes.model_fields_set & {"code", "name", "kind", "reference_code"}:
        setattr(row, name, getattr(changes, name))
    row.code_key = code_key(row.code)
    _archive(session, row, changes)
    versions.touch(row)
    events.record(session, actor, scope.id, "unit.changed", subject(row), changes)
    session.flush()
    if row.code != before:
        versions.touch_named_by(session, row, access.below(scope, [str(row.id)]))
    return shape(session, scope, row)


def _archive(session: Session, row: Unit, changes: wire.UnitChanges) -> None:
    was_archived = row.archived_at is not None
    if changes.archived is not MISSING:
        row.archived_at = (row.archived_at or now()) if changes.archived else None
    elif changes.archived_at is not MISSING:
        row.archived_at = changes.archived_at
    if row.archived_at is not None and row.parent_id is None:
        raise RootUnit
    if was_archived and row.archived_at is None:
        not_merged(session, row)


def get(session: Session, actor: Actor, institution: str, key: str) -> wire.Unit:
    """One unit."""
    scope = access.institution(session, actor, institution)
    return shape(session, scope, access.find(session, scope, Unit, key))


def page(
    session: Session, actor: Actor, institution: str, query: wire.UnitQuery
) -> Page[wire.Unit]:
    """Units, filtered and sorted."""
    scope = access.institution(session, actor, institution)
    statement = access.visible(scope, Unit)
    if query.parent:
        above = aliased(Unit)
        parents = select(above.id).where(
            above.institution_id == scope.id, naming.named_any(above, query.parent)
        )
        statement = statement.where(Unit.parent_id.in_(parents))
    if query.under:
        statement = statement.where(Unit.id.in_(access.below(scope, query.under)))
    if query.kind:
        statement = statement.where(Unit.kind.in_(query.kind))
    if query.archived is not None:
        is_open = Unit.archived_at.is_(None)
        statement = statement.where(~is_open if query.archived else is_open)
    if query.updated_since is not None:
        statement = statement.where(Unit.updated_at >= query.updated_since)
    if query.q is not None:
        statement = statement.where(has(query.q, Unit.name, Unit.code_key))
    keys = parse_sort(query.sort, _SORTS, Key(Unit.code_key, descending=False))
    found = paginate(session, statement, keys, query)
    return found.page(_units(session, scope, [row[0] for row in found.rows]))


_SORTS = {
    "code": Unit.code_key,
    "name": Unit.name,
    "created_at": Unit.created_at,
    "updated_at": Unit.updated_at,
}


def node(session: Session, scope: Scope, key: str | None) -> access.Node | None:
    """A unit by its names, the root if none is named; None where the actor sees no such unit."""
    wanted = Unit.parent_id.is_(None) if key is None else naming.named(Unit, key)
    columns = Unit.id, Unit.code, Unit.name
    statement = access.visible(scope, Unit).with_only_columns(*columns).where(wanted)
    row = session.execute(statement).one_or_none()
    return None if row is None else access.Node(*row)


def foremost(session: Session, actor: Actor, institution: str) -> access.Node | None:
    """The unit to which an actor is led who may not read all: the highest of those where they may.

    An archived one where there is no other. None for who may read all, and for who may read nothing.
    """
    reach = actor.reach(Permission.PLANS_READ)
    if reach is None:
        return None
    scope = access.institution(session, actor, institution)
    depth = (
        select(func.count())
        .select_from(UnitClosure)
        .where(access.within(scope, UnitClosure), refers(UnitClosure.descendant_id, Unit))
        .scalar_subquery()
    )
    row = session.execute(
        access.visible(scope, Unit)
        .with_only_columns(Unit.id, Unit.code, Unit.name)
        .where(Unit.id.in_(reach))
        .order_by(Unit.archived_at.is_not(None), depth, Unit.code_key)
        .limit(1)
    ).one_or_none()
    return None if row is None else access.Node(*row)


def ancestors(session: Session, scope: Scope, unit_id: UUID) -> list[access.Node]:
    """The units above one that the actor may see, the topmost first."""
    statement = (
        select(Unit.id, Unit.code, Unit.name)
        .join(UnitClosure, refers(UnitClosure.ancestor_id, Unit))
        .where(
            access.within(scope, Unit),
            access.seen(scope, Unit),
            UnitClosure.descendant_id == unit_id,
            UnitClosure.distance > 0,
        )
        .order_by(UnitClosure.distance.desc())
    )
    return [access.Node(*row) for row in session.execute(statement)]


def names(session: Session, scope: Scope, codes: Collection[str]) -> dict[str, str]:
    """What the units of some codes are called, as far as the actor may see them; by code."""
    statement = select(Unit.code, Unit.name).where(
        access.within(scope, Unit),
        access.seen(scope, Unit),
        Unit.code_key.in_(map(code_key, codes)),
    )
    return {row.code: row.name for row in session.execute(statement)} if codes else {}


def not_merged(session: Session, row: Unit) -> None:
    """Raise `UnitMerged` for a unit that has been merged into another."""
    if session.get(UnitMerger, (row.institution_id, row.id)) is not None:
        raise UnitMerged


def subject(row: Unit) -> events.Subject:
    """What an event about a unit names."""
    return events.Subject(row.id, row.code)


def shape(session: Session, scope: Scope, row: Unit) -> wire.Unit:
    """A unit as it is answered."""
    return _units(session, scope, [row])[0]


def _units(session: Session, scope: Scope, rows: Sequence[Unit]) -> list[wire.Unit]:
    paths: defaultdict[UUID, list[str]] = defaultdict(list)
    ancestors: Select[*tuple[Any, ...]] = (
        select(UnitClosure.descendant_id, Unit.code)
        .join(
            Unit,
            refers(UnitClosure.ancestor_id, Unit),
        )
        .where(
            access.within(scope, UnitClosure),
            UnitClosure.descendant_id.in_([row.id for row in rows]),
        )
        .order_by(UnitClosure.distance.desc())
    )
    for unit_id, code in session.execute(ancestors):
        paths[unit_id].append(code)
    successors = _successors(session, scope, rows)
    return [
        wire.Unit(
            id=row.id,
            code=row.code,
            name=row.name,
            kind=row.kind,
            parent=paths[row.id][-2] if row.parent_id else None,
            path="/".join(paths[row.id]),
            depth=len(paths[row.id]) - 1,
            reference_code=row.reference_code,
            archived_at=row.archived_at,
            merged_into=successors.get(row.id),
            rating=ratings.latest(row),
            created_at=row.created_at,
            updated_at=row.updated_at,
            version=row.version,
        )
        for row in rows
    ]


def _successors(session: Session, scope: Scope, rows: Sequence[Unit]) -> dict[UUID, str]:
    """Codes of the units that others were merged into; asks only where there may be such."""
    archived = [row.id for row in rows if row.archived_at is not None]
    if not archived:
        return {}
    named = session.execute(
        select(UnitMerger.unit_id, Unit.code)
        .join(
            Unit,
            refers(UnitMerger.into_id, Unit),
        )
        .where(access.within(scope, UnitMerger), UnitMerger.unit_id.in_(archived))
    )
    return {unit_id: code for unit_id, code in named}  # noqa: C416  dict() does not take rows' types
