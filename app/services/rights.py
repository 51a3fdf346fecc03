"""What a transaction demands of its actor, noted so that it can be demanded again."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select
from sqlalchemy.orm import Session

from app.errors import Forbidden, NotFound
from app.given import Statement
from app.models import UnitClosure
from app.schemas.permissions import Permission
from app.services.actors import Actor, Reach

DEMANDS = "demands"
"""Key of `Session.info`: what the transaction has demanded, in order."""


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
    session.info.setdefault(DEMANDS, []).append(wanted)
    if not _holds(session, actor, wanted):
        raise Forbidden


def demanded(session: Session) -> list[Demand]:
    """What this transaction has demanded of its actor so far."""
    return list(session.info.get(DEMANDS, ()))


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


def sort_out(
    session: Session,
    actor: Actor,
    institution_id: UUID,
    permission: Permission,
    unit_ids: frozenset[UUID],
) -> tuple[frozenset[UUID], frozenset[UUID]]:
    """Those of some units that the actor sees, and those on which they hold a permission.

    It counts as demanded where it is held: what the others are for is refused, not done.
    """
    seen, held = (
        _covered(session, institution_id, actor.reach(wanted), unit_ids)
        for wanted in (Permission.PLANS_READ, permission)
    )
    session.info.setdefault(DEMANDS, []).extend(
        Demand(institution_id, permission, unit_id) for unit_id in sorted(held)
    )
    return seen, held


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
    if unit_id is None:
        return reach is None
    return bool(_covered(session, institution_id, reach, frozenset({unit_id})))


def _covered(
    session: Session, institution_id: UUID, reach: Reach, unit_ids: frozenset[UUID]
) -> frozenset[UUID]:
    """Those of some units that are in reach."""
    if reach is None or unit_ids <= reach:
        return unit_ids
    if not reach:
        return frozenset()
    asked = [{"unit": unit_id} for unit_id in unit_ids]
    found = _BELOW.run(session, asked, institution=institution_id, reach=list(reach))
    return frozenset(unit_id for (unit_id,) in found)


_BELOW = Statement(
    lambda asked: (
        select(UnitClosure.descendant_id)
        .join(asked, UnitClosure.descendant_id == asked.c.unit)
        .where(
            UnitClosure.institution_id == bindparam("institution"),
            UnitClosure.ancestor_id.in_(bindparam("reach", expanding=True)),
        )
    ),
    unit=Uuid(),
)
