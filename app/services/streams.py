"""Streams: what somebody who follows an institution's feed may see of each new event.

New events are read once for all who follow. Whom one is shown to is then decided here, by the
filters and the rights of `feeds`, so that a stream shows what the feed would.
"""

from collections import defaultdict
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Event, UnitClosure
from app.models.base import table as table_of
from app.schemas import events as wire
from app.schemas.permissions import Permission
from app.services import access, events, feeds
from app.services.actors import Actor, Reach

_EVENT = table_of(Event).c
_RIGHTS = ("grant.", "institution.", "person.", "session.ended", "token.", "unit.")
"""What begins so can change what somebody sees, or what a filter's codes name."""

_UNSEEN = ("access.", "file.", "session.", "token.", "webhook.")
"""What begins so is on no page."""


class Watch(NamedTuple):
    """What somebody sees of an institution's events, as it was at a sequence."""

    institution_id: UUID
    sequence: int
    reach: Reach
    """Units on whose events, and on those of all below, they may look."""
    units: frozenset[UUID] | None
    """Units that they ask for; None for all."""


class Told(NamedTuple):
    """An event, with its unit and all units above that, as the tree was when it was read."""

    event: wire.Event
    above: frozenset[UUID]

    @property
    def moves_rights(self) -> bool:
        """Whether a `Watch` from before this event may show too much, or too little, after it."""
        return self.event.type.startswith(_RIGHTS)


def watch(session: Session, actor: Actor, institution: str, query: wire.EventFilter) -> Watch:
    """What the actor sees now; raises `Forbidden` where they may read no events at all."""
    scope = feeds.scope(session, actor, institution)
    sequence = events.last(session, scope.id)
    units = None
    if query.unit:
        units = frozenset(session.scalars(access.below(scope, query.unit, subtree=False)))
    return Watch(scope.id, sequence, actor.reach(Permission.EVENTS_READ), units)


def glance(session: Session, actor: Actor, institution: str, unit: str | None) -> Watch:
    """Where the actor reads plans now, in a unit with all below it: not what events say of them."""
    if unit is not None:
        scope, node, sequence, _ = access.place(session, actor, institution, unit)
        units: frozenset[UUID] | None = frozenset({node.id})
    else:
        scope, units = access.institution(session, actor, institution), None
        sequence = events.last(session, scope.id)
    return Watch(scope.id, sequence, actor.reach(Permission.PLANS_READ), units)


def news(session: Session, institution_id: UUID, after: int, most: int) -> list[Told]:
    """The next events of an institution behind a sequence, for all who follow it."""
    rows = session.connection().execute(
        select(table_of(Event))
        .where(_EVENT.institution_id == institution_id, _EVENT.sequence > after)
        .order_by(_EVENT.sequence)
        .limit(most)
    )
    found = [wire.Event.model_validate(dict(row)) for row in rows.mappings()]
    above: defaultdict[UUID | None, set[UUID]] = defaultdict(set)
    if units := {event.unit_id for event in found} - {None}:
        closure = select(UnitClosure.descendant_id, UnitClosure.ancestor_id).where(
            UnitClosure.institution_id == institution_id, UnitClosure.descendant_id.in_(units)
        )
        for unit_id, ancestor_id in session.execute(closure):
            above[unit_id].add(ancestor_id)
    return [Told(event, frozenset(above.get(event.unit_id, ()))) for event in found]


def shows(watch: Watch, query: wire.EventFilter, told: Told) -> bool:
    """Whether somebody who watches is shown an event."""
    return _is_within(watch, told) and feeds.matches(query, told.event)


def is_seen(watch: Watch, told: Told) -> bool:
    """Whether an event may change what somebody's page shows."""
    return not told.event.type.startswith(_UNSEEN) and _is_within(watch, told)


def _is_within(watch: Watch, told: Told) -> bool:
    return (watch.reach is None or not watch.reach.isdisjoint(told.above)) and (
        watch.units is None or not watch.units.isdisjoint(told.above)
    )
