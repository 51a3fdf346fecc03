"""What a transaction demands of its actor, noted so that it can be demanded again."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Forbidden, NotFound
from app.models import UnitClosure
from app.schemas.permissions import Permission
from app.services.actors import Actor, Reach

_DEMANDS = "demands"


class Demand(NamedTuple):
    """A permission without which a transaction does not go on."""

    institution_id: UUID | None = None
    """Null for what operators alone may do."""
    permission: Permission | None = None
    unit_id: UUID | None = None
    """The unit on which it is held; null for the institution as a whole."""


def operator_only(session: Session, actor: Actor) -> None:
    """Raise `Forbidden` unless the actor is an operator."""
    demand(session, actor, Demand())


def demand(session: Session, actor: Actor, wanted: Demand) -> None:
    """Raise `Forbidden` unless the actor holds what is wanted."""
    session.info.setdefault(_DEMANDS, []).append(wanted)
    if not _holds(session, actor, wanted):
        raise Forbidden


def demanded(session: Session) -> list[Demand]:
    """What this transaction has demanded of its actor so far."""
    return list(session.info.get(_DEMANDS, ()))


def demand_again(session: Session, actor: Actor, demands: Sequence[Demand]) -> None:
    """Demand of today's actor what an earlier transaction demanded.

    Raises `NotFound` where they see the unit no more, and `Forbidden` where they may do less.
    """
    for wanted in demands:
        read = wanted._replace(permission=Permission.PLANS_READ)
        if wanted.institution_id is not None and not _holds(session, actor, read):
            raise NotFound
        demand(session, actor, wanted)


def _holds(session: Session, actor: Actor, wanted: Demand) -> bool:
    if wanted.institution_id is None or wanted.permission is None:
        return actor.operator
    if not actor.operator and actor.institution_id != wanted.institution_id:
        return False
    reach = actor.reach(wanted.permission)
    return covers(session, wanted.institution_id, reach, wanted.unit_id)


def held_on(
    session: Session, actor: Actor, institution_id: UUID, unit_id: UUID
) -> frozenset[Permission]:
    """Everything that an actor may do on a unit."""
    if actor.operator:
        return frozenset(Permission)
    above = set(
        session.scalars(
            select(UnitClosure.ancestor_id).where(
                UnitClosure.institution_id == institution_id,
                UnitClosure.descendant_id == unit_id,
                UnitClosure.ancestor_id.in_({held.unit_id for held in actor.holdings}),
            )
        )
    )
    roles = {held.role for held in actor.holdings if held.unit_id in above}
    return frozenset().union(*(actor.allowed(role) for role in roles))


def covers(session: Session, institution_id: UUID, reach: Reach, unit_id: UUID | None) -> bool:
    """Whether a unit is in reach; without a unit, whether everything is."""
    if reach is None or unit_id in reach:
        return True
    if not reach or unit_id is None:
        return False
    above = select(UnitClosure.ancestor_id).where(
        UnitClosure.institution_id == institution_id,
        UnitClosure.descendant_id == unit_id,
        UnitClosure.ancestor_id.in_(reach),
    )
    return session.execute(above.limit(1)).first() is not None
