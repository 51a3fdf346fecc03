"""Spot checks of the ledger: a unit at a time, so that each costs little however much there is.

A unit's rows ought to be what its own initiatives contribute, and its children's rows as they
stand. Where that holds for every unit, the whole ledger is right.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Row, select, tuple_
from sqlalchemy.orm import Session

from app.models import Unit
from app.rollup import spots


class Place(NamedTuple):
    """A unit, in the order of its ids."""

    institution_id: UUID
    unit_id: UUID


class Seen(NamedTuple):
    """What one unit's rows were found to be."""

    place: Place
    wrong: int
    """Buckets, milestones and initiatives that differ."""


def after(session: Session, place: Place) -> Seen | None:
    """Look at the next unit behind a place; None where there is none."""
    following = tuple_(Unit.institution_id, Unit.id) > tuple_(*place)
    row = session.execute(_UNITS.where(following).limit(1)).one_or_none()
    return None if row is None else look(session, Place(*row))


def look(session: Session, place: Place) -> Seen:
    """Compare one unit's rows with what they ought to be."""
    found = spots.verify(session, *place)
    return Seen(place, len(found.differences) + len(found.derived))


def some(session: Session, most: int, place: Place) -> Sequence[Place]:
    """At most so many units: those behind a place, and then from the beginning."""
    following = tuple_(Unit.institution_id, Unit.id) > tuple_(*place)
    rows: list[Row[*tuple[UUID, UUID]]] = [*session.execute(_UNITS.where(following).limit(most))]
    if len(rows) < most:
        rows += session.execute(_UNITS.where(~following).limit(most - len(rows)))
    return [Place(*row) for row in rows]


_UNITS = select(Unit.institution_id, Unit.id).order_by(Unit.institution_id, Unit.id)
