"""What an actor may see and do. Every query of the services begins here.

A row belongs to a unit, by itself or through what it hangs on. Who holds any role on that unit, or
on one above it, sees the row; for everybody else it is not there. `visible` is the query that knows
this; `within` is the institution alone, for statements about what was found before.
"""

from datetime import date, datetime
from enum import Enum
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, bindparam, cast, func, or_, select, true
from sqlalchemy.orm import Session

from app.errors import CodeTaken, Invalid, NotFound
from app.messages import unknown
from app.models import (
    Appointment,
    Base,
    Deletion,
    Event,
    FrozenReport,
    Indicator,
    Initiative,
    Institution,
    InstitutionClock,
    Milestone,
    Obstacle,
    Person,
    ProgressUpdate,
    Publication,
    RoleGrant,
    Unit,
    UnitClosure,
    Webhook,
)
from app.models.base import day_in, now, refers
from app.models.base import table as table_of
from app.schemas.permissions import Permission
from app.services import naming, rights
from app.services.actors import Actor
from app.services.rights import Demand

Model = TypeVar("Model", bound=Base)


class Scope(NamedTuple):
    """An institution that the actor may see: every query of a request is bound to it."""

    id: UUID
    code: str
    name: str
    time_zone: str
    policy: dict[str, Any]
    scheme_id: UUID
    windows: dict[str, Any]
    actor: Actor

    def today(self) -> date:
        """The present day in the institution's time zone."""
        return self.day_of(now())

    def day_of(self, instant: datetime) -> date:
        """The day of an instant in the institution's time zone."""
        return day_in(self.time_zone, instant)


class Lock(Enum):
    """How a transaction holds the institution's tree of units, until it ends."""

    NONE = "none"
    SHARED = "shared"
    """The tree stays as it is; held by every write below the tree."""
    ALONE = "alone"
    """The tree changes; waits for all who share it, and goes before those who come later."""


def require(session: Session, scope: Scope, permission: Permission, unit_id: UUID | None) -> None:
    """Raise `Forbidden` unless the actor holds a permission on a unit that they see.

    Without a unit, on the institution as a whole.
    """
    rights.demand(session, scope.actor, Demand(scope.id, permission, unit_id))


_INSTITUTION = table_of(Institution).c
_CLOCK = table_of(InstitutionClock).c
_SCOPE: Select[*tuple[Any, ...]] = select(
    _INSTITUTION.id,
    _INSTITUTION.code,
    _INSTITUTION.name,
    _INSTITUTION.time_zone,
    _INSTITUTION.policy,
    _INSTITUTION.scheme_id,
    _INSTITUTION.windows,
)
_SCOPE_COLUMNS = len(Scope._fields) - 1  # all but the actor
_TREE = func.hashtextextended(cast(_INSTITUTION.id, Text), 0)
# Advisory locks queue. A row's do not: whoever shares it joins those who share it already, past one
# who waits to have it alone; under steady reports a unit was never moved. SQLite has one writer.
_LOCKED = {
    Lock.NONE: _SCOPE,
    Lock.SHARED: _SCOPE.add_columns(func.pg_advisory_xact_lock_shared(_TREE)),
    Lock.ALONE: _SCOPE.add_columns(func.pg_advisory_xact_lock(_TREE)),
}
# Every request passes here: the statements are built once, and run below the ORM.
_SCOPES = {
    (lock, by_id): statement.where(
        _INSTITUTION.id == bindparam("key") if by_id else _INSTITUTION.code_key == bindparam("key")
    )
    for lock, statement in _LOCKED.items()
    for by_id in (False, True)
}


def institution(session: Session, actor: Actor, key: str, lock: Lock = Lock.NONE) -> Scope:
    """The institution of a code or id, if the actor may see it; else raises `NotFound`."""
    value, connection = naming.key_of(key), session.connection()
    held = lock if connection.dialect.name == "postgresql" else Lock.NONE
    statement = _SCOPES[held, isinstance(value, UUID)]
    row = connection.execute(statement, {"key": value}).one_or_none()
    if row is None or not (actor.operator or actor.institution_id == row.id):
        raise NotFound
    return Scope._make((*row[:_SCOPE_COLUMNS], actor))


def institutions(actor: Actor) -> Select[Institution]:
    """All institutions that the actor may see."""
    every = select(Institution)
    return every if actor.operator else every.where(Institution.id == actor.institution_id)


class Node(NamedTuple):
    """A unit by its names."""

    id: UUID
    code: str
    name: str


class Place(NamedTuple):
    """A unit of an institution, and the institution's event sequence, from one statement."""

    scope: Scope
    unit: Node
    version: int
    is_whole: bool


_UNIT = table_of(Unit).c
_PLACE = (
    _SCOPE.add_columns(
        _UNIT.id.label("unit_id"),
        _UNIT.code.label("unit"),
        _UNIT.name.label("unit_name"),
        _CLOCK.sequence,
        _UNIT.parent_id,
    )
    .join(table_of(InstitutionClock), _CLOCK.institution_id == _INSTITUTION.id)
    .join(table_of(Unit), _UNIT.institution_id == _CLOCK.institution_id)  # said for Citus
)
_PLACES = {
    (by_id, unit): _PLACE.where(
        _INSTITUTION.id == bindparam("key") if by_id else _INSTITUTION.code_key == bindparam("key"),
        condition,
    )
    for by_id in (False, True)
    for unit, condition in (
        (None, _UNIT.parent_id.is_(None)),
        (UUID, _UNIT.id == bindparam("unit_key")),
        (str, _UNIT.code_key == bindparam("unit_key")),
    )
}


def place(session: Session, actor: Actor, institution: str, unit: str | None) -> Place:
    """A unit that the actor may see, the root if none is named; else raises `NotFound`."""
    key = naming.key_of(institution)
    unit_key = None if unit is None else naming.key_of(unit)
    statement = _PLACES[isinstance(key, UUID), None if unit_key is None else type(unit_key)]
    asked = {"key": key} if unit_key is None else {"key": key, "unit_key": unit_key}
    row = session.connection().execute(statement, asked).one_or_none()
    if row is None or not (actor.operator or actor.institution_id == row.id):
        raise NotFound
    *columns, unit_id, code, name, sequence, parent_id = row
    scope = Scope._make((*columns, actor))
    if not sees(session, scope, unit_id):
        raise NotFound
    return Place(scope, Node(unit_id, code, name), sequence, parent_id is None)


def visible(scope: Scope, model: type[Model]) -> Select[Model]:
    """Rows of a tenant table that the actor of the scope may see: the start of every query."""
    return select(model).where(within(scope, model), seen(scope, model))


def seen(
    scope: Scope, model: type[Base], permission: Permission = Permission.PLANS_READ
) -> ColumnElement[bool]:
    """Whether a row belongs to a unit where the actor holds a permission; reading, if none is named.

    True for rows of models that belong to no unit by themselves: they are found through those that do.
    """
    reach = scope.actor.reach(permission)
    if reach is None:
        return true()
    return _belongs(scope, model, _with_all_below(scope, reach))


def sees(session: Session, scope: Scope, unit_id: UUID) -> bool:
    """Whether the actor of the scope sees what belongs to a unit."""
    return rights.covers(session, scope.id, scope.actor.reach(Permission.PLANS_READ), unit_id)


def _with_all_below(scope: Scope, reach: frozenset[UUID]) -> Select[UUID]:
    return select(UnitClosure.descendant_id).where(
        within(scope, UnitClosure), UnitClosure.ancestor_id.in_(reach)
    )


def _belongs(scope: Scope, model: type[Base], units: Select[UUID]) -> ColumnElement[bool]:
    if model is Unit:
        return Unit.id.in_(units)
    if model is Person:
        return or_(Person.unit_id.in_(units), Person.id == scope.actor.id)
    if model in _OF_UNITS:
        return table_of(model).c.unit_id.in_(units)
    parents = select(Initiative.id).where(within(scope, Initiative), Initiative.unit_id.in_(units))
    if model is Obstacle:
        return or_(Obstacle.unit_id.in_(units), Obstacle.initiative_id.in_(parents))
    if model in _OF_INITIATIVES:
        return table_of(model).c.initiative_id.in_(parents)
    return true()


_OF_UNITS = {
    Initiative, Indicator, FrozenReport, RoleGrant, Deletion, Event, Webhook, Appointment,
}  # fmt: skip
_OF_INITIATIVES = {Milestone, ProgressUpdate, Publication}


def within(scope: Scope, model: type[Base]) -> ColumnElement[bool]:
    """Whether a row is of the institution: for what hangs on rows that were found by `visible`."""
    return table_of(model).c.institution_id == scope.id


def below(scope: Scope, keys: list[str], *, subtree: bool = True) -> Select[UUID]:
    """Ids of the named units, with all below them unless `subtree` is false."""
    if not subtree:
        return select(Unit.id).where(within(scope, Unit), naming.named_any(Unit, keys))
    return (
        select(UnitClosure.descendant_id)
        .join(Unit, refers(UnitClosure.ancestor_id, Unit))
        .where(within(scope, UnitClosure), naming.named_any(Unit, keys))
    )


def find(
    session: Session, scope: Scope, model: type[Model], key: str, *, lock: bool = False
) -> Model:
    """A row of the scope by its code or id, locked on request; raises `NotFound`."""
    statement = visible(scope, model).where(naming.named(model, key))
    row = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotFound
    return row


def refer(
    session: Session,
    scope: Scope,
    model: type[Model],
    key: str,
    pointer: str,
    *,
    lock: bool = False,
) -> Model:
    """As `find`, of what a body refers to; raises `Invalid` at `pointer`."""
    try:
        return find(session, scope, model, key, lock=lock)
    except NotFound:
        raise Invalid.field(pointer, *unknown(model.__tablename__)) from None


def code_is_free(session: Session, scope: Scope, model: type[Base], code: str) -> None:
    """Raise `CodeTaken` when a row of the scope has this code, whoever sees it.

    To be asked once it is clear that the actor may create: nobody else learns what codes there are.
    """
    taken = select(table_of(model).c.id).where(within(scope, model), naming.named(model, code))
    if session.execute(taken).first():
        raise CodeTaken


def open_unit(session: Session, scope: Scope, key: str, pointer: str) -> Unit:
    """A unit that a body refers to and that takes new records; raises `Invalid` at `pointer`."""
    unit = refer(session, scope, Unit, key, pointer)
    if unit.archived_at is not None:
        raise Invalid.field(pointer, "archived_unit", "This unit is archived, or merged away.")
    return unit


def root(session: Session, scope: Scope) -> Unit:
    """The unit that stands for the institution."""
    return session.scalars(select(Unit).where(within(scope, Unit), Unit.parent_id.is_(None))).one()
