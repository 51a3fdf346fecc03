"""Who is asking, and where they hold which permission."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, FromClause, Join, Row, Select, and_, bindparam, select
from sqlalchemy.orm import Session

from app.errors import InvalidToken
from app.models import ApiToken, Person, RoleGrant, Unit
from app.models.base import now
from app.models.base import table as table_of
from app.schemas.fields import Language
from app.schemas.permissions import PERMISSIONS, Permission, Role

Reach = frozenset[UUID] | None
"""Units, each with all below it; None is everywhere."""


_USED_AGAIN = timedelta(minutes=10)
"""How long the last use of a token may lag behind: not every read becomes a write."""


class Holding(NamedTuple):
    """A role on a unit."""

    unit_id: UUID
    is_root: bool
    role: Role


class Actor(NamedTuple):
    """Who is asking."""

    id: UUID
    """The person, or the token that acts for nobody in particular."""
    name: str
    """The person's code, or the token's name."""
    operator: bool
    """Operators stand above institutions: they hold every permission everywhere."""
    institution_id: UUID | None
    token_id: UUID | None
    token_name: str
    """`oidc`, without an id, where the OIDC issuer vouches for the person."""
    holdings: tuple[Holding, ...] = ()
    scopes: frozenset[Permission] | None = None
    """What the token is limited to; None is all that its person may do."""
    last_used_at: datetime | None = None
    """When the token is known to have been used last."""
    expires_at: datetime | None = None
    """When the token ends; None if never."""
    language: Language | None = None
    """What the person reads, if they have said it."""

    def allowed(self, role: Role) -> frozenset[Permission]:
        """What a role allows this actor; reading comes with whatever is left of it."""
        held = PERMISSIONS[role]
        if self.scopes is None:
            return held
        narrowed = held & self.scopes
        return narrowed | {Permission.PLANS_READ} if narrowed else narrowed

    def reach(self, permission: Permission) -> Reach:
        """Where the actor holds a permission."""
        if self.operator:
            return None
        places = [held for held in self.holdings if permission in self.allowed(held.role)]
        if any(held.is_root for held in places):
            return None
        return frozenset(held.unit_id for held in places)


SYSTEM = Actor(
    id=UUID(int=0),
    name="quickwin",
    operator=True,
    institution_id=None,
    token_id=UUID(int=0),
    token_name="quickwin",  # noqa: S106  a name, not a secret
)
"""The command line, which acts with the rights of whoever may read the database."""


def digest(token: str) -> str:
    """How a token is kept: SHA-256, hex."""
    return hashlib.sha256(token.encode()).hexdigest()


_TOKEN = table_of(ApiToken).c
_PERSON = table_of(Person).c
_GRANT = table_of(RoleGrant).c
_UNIT = table_of(Unit).c
HELD = (_GRANT.unit_id, _UNIT.parent_id, _GRANT.role)
"""Columns that `holdings` reads."""


def granted(source: FromClause, institution_id: Column[UUID], person_id: Column[UUID]) -> Join:
    """People with their grants: a row for each, and one without a unit where there is none."""
    grants, units = table_of(RoleGrant), table_of(Unit)
    theirs = and_(_GRANT.institution_id == institution_id, _GRANT.person_id == person_id)
    where = and_(_UNIT.institution_id == _GRANT.institution_id, _UNIT.id == _GRANT.unit_id)
    return source.outerjoin(grants, theirs).outerjoin(units, where)


def holdings(rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[Holding, ...]:
    """The roles in rows of one person."""
    return tuple(
        Holding(row.unit_id, row.parent_id is None, row.role)
        for row in rows
        if row.unit_id is not None
    )


_ACTORS: Select[*tuple[Any, ...]] = select(
    _TOKEN.id,
    _TOKEN.name,
    _TOKEN.institution_id,
    _TOKEN.person_id,
    _TOKEN.expires_at,
    _TOKEN.revoked_at,
    _TOKEN.scopes,
    _TOKEN.last_used_at,
    _PERSON.code,
    _PERSON.active,
    _PERSON.language,
    *HELD,
).select_from(
    granted(
        table_of(ApiToken).outerjoin(
            table_of(Person),
            and_(_PERSON.institution_id == _TOKEN.institution_id, _PERSON.id == _TOKEN.person_id),
        ),
        _TOKEN.institution_id,
        _TOKEN.person_id,
    )
)
_BY_DIGEST = _ACTORS.where(_TOKEN.digest == bindparam("digest"))
_BY_ID = _ACTORS.where(_TOKEN.id == bindparam("id"))


def identify(token_digest: str) -> Callable[[Session], Actor]:
    """Resolve the actor of a token within the transaction of the call that it authorises.

    Raises `InvalidToken` for a token that is unknown, expired, revoked or of an inactive person.
    """
    return _resolver(_BY_DIGEST, {"digest": token_digest})


def again(token_id: UUID) -> Callable[[Session], Actor]:
    """Resolve the actor of a token that was used before, for work that is done later.

    Raises `InvalidToken` as `identify` does: a token that ended since authorises nothing more.
    """
    return _resolver(_BY_ID, {"id": token_id})


def _resolver(
    statement: Select[*tuple[Any, ...]], key: dict[str, Any]
) -> Callable[[Session], Actor]:
    def resolve(session: Session) -> Actor:
        rows = session.connection().execute(statement, key).all()
        if not rows:
            raise InvalidToken
        row = rows[0]
        if row.active is False or not is_valid(row.revoked_at, row.expires_at):
            raise InvalidToken
        return Actor(
            id=row.person_id or row.id,
            name=row.code or row.name,
            operator=row.institution_id is None,
            institution_id=row.institution_id,
            token_id=row.id,
            token_name=row.name,
            holdings=holdings(rows),
            scopes=None if row.scopes is None else frozenset(map(Permission, row.scopes)),
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
            language=row.language,
        )

    return resolve


def is_valid(revoked_at: datetime | None, expires_at: datetime | None) -> bool:
    """Whether a token is neither revoked nor over."""
    return revoked_at is None and (expires_at is None or expires_at > now())


def is_use_news(actor: Actor) -> bool:
    """Whether the last use of the actor's token is worth keeping."""
    return actor.last_used_at is None or now() - actor.last_used_at > _USED_AGAIN
