"""Who is asking, and what they may see. Every query of the services begins here.

Today a token is an operator's, who sees every institution, or a person's, who sees their own.
"""

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, cast, func, or_, select
from sqlalchemy.orm import Session

from app.errors import CodeTaken, Forbidden, Invalid, NotFound, Unauthorized
from app.models import (
    ApiToken,
    Base,
    Institution,
    InstitutionClock,
    Person,
    Unit,
    UnitClosure,
)
from app.models.base import code_key, now
from app.models.base import table as table_of

Model = TypeVar("Model", bound=Base)


class Actor(NamedTuple):
    """Who is asking."""

    id: UUID
    """The person, or the token that acts for nobody in particular."""
    name: str
    """The person's code, or the token's name."""
    operator: bool
    institution_id: UUID | None
    token_id: UUID
    token_name: str


class Scope(NamedTuple):
    """An institution that the actor may see: every query of a request is bound to it."""

    id: UUID
    code: str
    name: str
    time_zone: str
    policy: dict[str, Any]
    scheme_id: UUID

    def today(self) -> date:
        """The present day in the institution's time zone."""
        return self.day_of(now())

    def day_of(self, instant: datetime) -> date:
        """The day of an instant in the institution's time zone."""
        return instant.astimezone(ZoneInfo(self.time_zone)).date()


class Lock(Enum):
    """How a transaction holds the institution's tree of units, until it ends."""

    NONE = "none"
    SHARED = "shared"
    """The tree stays as it is; held by every write below the tree."""
    ALONE = "alone"
    """The tree changes; waits for all who share it, and goes before those who come later."""


def digest(token: str) -> str:
    """How a token is kept: SHA-256, hex."""
    return hashlib.sha256(token.encode()).hexdigest()


_TOKEN = table_of(ApiToken).c
_PERSON = table_of(Person).c
_ACTOR = (
    select(
        _TOKEN.id,
        _TOKEN.name,
        _TOKEN.institution_id,
        _TOKEN.person_id,
        _TOKEN.expires_at,
        _TOKEN.revoked_at,
        _PERSON.code,
        _PERSON.active,
    )
    .select_from(
        table_of(ApiToken).outerjoin(
            table_of(Person),
            and_(_PERSON.institution_id == _TOKEN.institution_id, _PERSON.id == _TOKEN.person_id),
        )
    )
    .where(_TOKEN.digest == bindparam("digest"))
)


def identify(token_digest: str) -> Callable[[Session], Actor]:
    """Resolve the actor of a token within the transaction of the call that it authorises.

    Raises `Unauthorized` for a token that is unknown, expired, revoked or of an inactive person.
    """

    def resolve(session: Session) -> Actor:
        row = session.connection().execute(_ACTOR, {"digest": token_digest}).one_or_none()
        if row is None or not _holds(
            row.revoked_at, row.expires_at, active=row.active is not False
        ):
            raise Unauthorized
        return Actor(
            id=row.person_id or row.id,
            name=row.code or row.name,
            operator=row.institution_id is None,
            institution_id=row.institution_id,
            token_id=row.id,
            token_name=row.name,
        )

    return resolve


def _holds(revoked_at: datetime | None, expires_at: datetime | None, *, active: bool) -> bool:
    return active and revoked_at is None and (expires_at is None or expires_at > now())


def operator_only(actor: Actor) -> None:
    """Raise `Forbidden` unless the actor is an operator."""
    if not actor.operator:
        raise Forbidden


_INSTITUTION = table_of(Institution).c
_CLOCK = table_of(InstitutionClock).c
_SCOPE = select(
    _INSTITUTION.id,
    _INSTITUTION.code,
    _INSTITUTION.name,
    _INSTITUTION.time_zone,
    _INSTITUTION.policy,
    _INSTITUTION.scheme_id,
)
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
    value, connection = key_of(key), session.connection()
    held = lock if connection.dialect.name == "postgresql" else Lock.NONE
    statement = _SCOPES[held, isinstance(value, UUID)]
    row = connection.execute(statement, {"key": value}).one_or_none()
    if row is None or not (actor.operator or actor.institution_id == row.id):
        raise NotFound
    return Scope(*row[: len(Scope._fields)])


def institutions(actor: Actor) -> Select[Institution]:
    """All institutions that the actor may see."""
    everything = select(Institution)
    return (
        everything if actor.operator else everything.where(Institution.id == actor.institution_id)
    )


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


_UNIT = table_of(Unit).c
_PLACE = (
    _SCOPE.add_columns(
        _UNIT.id.label("unit_id"),
        _UNIT.code.label("unit"),
        _UNIT.name.label("unit_name"),
        _CLOCK.sequence,
    )
    .join(table_of(InstitutionClock), _CLOCK.institution_id == _INSTITUTION.id)
    .join(table_of(Unit), _UNIT.institution_id == _INSTITUTION.id)
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
    key = key_of(institution)
    unit_key = None if unit is None else key_of(unit)
    statement = _PLACES[isinstance(key, UUID), None if unit_key is None else type(unit_key)]
    asked = {"key": key} if unit_key is None else {"key": key, "unit_key": unit_key}
    row = session.connection().execute(statement, asked).one_or_none()
    if row is None or not (actor.operator or actor.institution_id == row.id):
        raise NotFound
    *scope, unit_id, code, name, sequence = row
    return Place(Scope(*scope), Node(unit_id, code, name), sequence)


def visible(scope: Scope, model: type[Model]) -> Select[Model]:
    """Rows of a tenant table that the actor of the scope may see: the start of every query."""
    return select(model).where(within(scope, model))


def within(scope: Scope, model: type[Base]) -> ColumnElement[bool]:
    """The condition behind `visible`, for statements that select columns or join tables."""
    return table_of(model).c.institution_id == scope.id


def key_of(key: str) -> UUID | str:
    """An id, or else a code as it is compared: codes cannot look like ids."""
    try:
        if len(key) == 36:  # noqa: PLR2004  a UUID's length
            return UUID(key)
    except ValueError:
        pass
    return code_key(key)


def named(model: Any, key: str) -> ColumnElement[bool]:  # noqa: ANN401  a mapped class or an alias of one
    """A row by its code or its id."""
    value = key_of(key)
    column = model.id if isinstance(value, UUID) else model.code_key
    return column == value  # type: ignore[no-any-return]


def named_any(model: Any, keys: list[str]) -> ColumnElement[bool]:  # noqa: ANN401  as in `named`
    """Rows by their codes or ids."""
    return or_(*(named(model, key) for key in keys))


def below(scope: Scope, keys: list[str], *, subtree: bool = True) -> Select[UUID]:
    """Ids of the named units, with all below them unless `subtree` is false."""
    if not subtree:
        return select(Unit.id).where(within(scope, Unit), named_any(Unit, keys))
    return (
        select(UnitClosure.descendant_id)
        .join(
            Unit,
            and_(
                Unit.institution_id == UnitClosure.institution_id,
                Unit.id == UnitClosure.ancestor_id,
            ),
        )
        .where(within(scope, UnitClosure), named_any(Unit, keys))
    )


def find(
    session: Session, scope: Scope, model: type[Model], key: str, *, lock: bool = False
) -> Model:
    """A row of the scope by its code or id, locked on request; raises `NotFound`."""
    statement = visible(scope, model).where(named(model, key))
    row = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotFound
    return row


def refer(session: Session, scope: Scope, model: type[Model], key: str, pointer: str) -> Model:
    """A row of the scope that a body refers to; raises `Invalid` at `pointer`."""
    row = session.scalars(visible(scope, model).where(named(model, key))).one_or_none()
    if row is None:
        noun = model.__tablename__.replace("_", " ")
        raise Invalid.field(pointer, f"unknown_{model.__tablename__}", f"There is no such {noun}.")
    return row


def code_is_free(session: Session, scope: Scope, model: type[Base], code: str) -> None:
    """Raise `CodeTaken` when a row of the scope has this code."""
    taken = select(table_of(model).c.id).where(within(scope, model), named(model, code))
    if session.execute(taken).first():
        raise CodeTaken


def open_unit(session: Session, scope: Scope, key: str, pointer: str) -> Unit:
    """A unit that a body refers to and that takes new records; raises `Invalid` at `pointer`."""
    unit = refer(session, scope, Unit, key, pointer)
    if unit.archived_at is not None:
        raise Invalid.field(pointer, "archived_unit", "This unit is archived, or merged away.")
    return unit
