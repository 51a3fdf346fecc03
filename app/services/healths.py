"""Healths: a unit's health changes with reports, with plans, and at midnight; here it is noticed.

Nobody who writes waits for it. A look reads the healths of all units from one snapshot, which tells
up to which event it is; then what differs from the last look is written, with an event for each.
"""

from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, delete, select
from sqlalchemy.orm import Session

from app.bulk import bulk_insert
from app.given import portions
from app.models import Event, HealthWatch, Institution, InstitutionClock, Unit, UnitHealth
from app.models.base import day_in, now
from app.models.base import table as table_of
from app.models.rollups import ALL_AREAS
from app.rollup import queries
from app.rollup.figures import Figures
from app.schemas.fields import Health
from app.services import events, policies
from app.services.actors import SYSTEM

CHANGED = "rollup.health_changed"
_UNITS_AT_ONCE = 1_000
_INSTITUTION = table_of(Institution).c
_CLOCK = table_of(InstitutionClock).c
_WATCH = table_of(HealthWatch).c
_EVENT = table_of(Event).c
# In the order of the index: of `exists` PostgreSQL expects an early hit, and reads all events for it.
_NEWS = (
    select(_EVENT.sequence)
    .where(
        _EVENT.institution_id == _CLOCK.institution_id,
        _EVENT.sequence > _WATCH.sequence,
        _EVENT.type != CHANGED,
    )
    .order_by(_EVENT.sequence)
    .limit(1)
    .scalar_subquery()
)
_WATCHED: Select[*tuple[Any, ...]] = (
    select(
        _INSTITUTION.id, _INSTITUTION.time_zone, _WATCH.day, _NEWS.is_not(None).label("has_news")
    )
    .select_from(table_of(InstitutionClock))
    .join(table_of(Institution), _CLOCK.institution_id == _INSTITUTION.id)
    # By what they are distributed by: Citus concludes nothing from a third table.
    .outerjoin(table_of(HealthWatch), _WATCH.institution_id == _CLOCK.institution_id)
)
_SEEN: Select[*tuple[Any, ...]] = (
    select(_CLOCK.sequence, _INSTITUTION.time_zone, _INSTITUTION.policy)
    .join(table_of(Institution), _CLOCK.institution_id == _INSTITUTION.id)
    .where(_INSTITUTION.id == bindparam("institution"))
)


class Looked(NamedTuple):
    """A unit as a look finds it."""

    code: str
    health: Health
    figures: Figures


class Look(NamedTuple):
    """All units of an institution, at one moment."""

    institution_id: UUID
    sequence: int
    """Every event up to this one is in it."""
    day: date
    units: dict[UUID, Looked]


def due(session: Session) -> list[UUID]:
    """Institutions in which something was written since the last look, or a day has begun."""
    return [
        row.id
        for row in session.connection().execute(_WATCHED)
        if row.has_news or row.day != day_in(row.time_zone, now())
    ]


def look(session: Session, institution_id: UUID) -> Look:
    """The healths of all units as they are now; to be run on one snapshot."""
    sequence, time_zone, policy = session.execute(_SEEN, {"institution": institution_id}).one()
    today = day_in(time_zone, now())
    limits = policies.limits(policies.read(policy))
    named = select(Unit.id, Unit.code).where(Unit.institution_id == institution_id)
    codes = {unit_id: code for unit_id, code in session.execute(named)}  # noqa: C416  as rows are typed
    found: dict[UUID, Looked] = {}
    for ids in portions(list(codes), _UNITS_AT_ONCE):
        sums = queries.figures(session, institution_id, ids, [ALL_AREAS], None, today)
        for unit_id in ids:
            figures = sums.get((unit_id, ALL_AREAS), Figures())
            found[unit_id] = Looked(codes[unit_id], figures.health(limits), figures)
    return Look(institution_id, sequence, today, found)


def note(session: Session, seen: Look) -> int:
    """Keep what a look found; answers how many units have another health than before.

    The first look at an institution that is there already is what later ones are compared with; it
    tells nothing. A look that was overtaken by a later one is passed over.
    """
    watch = session.get(HealthWatch, seen.institution_id, with_for_update=True)
    if watch is not None and (watch.sequence, watch.day) >= (seen.sequence, seen.day):
        return 0
    known = _known(session, seen.institution_id)
    changed = {
        unit_id: (known.get(unit_id, Health.NOT_MEASURABLE), unit)
        for unit_id, unit in seen.units.items()
        if known.get(unit_id, Health.NOT_MEASURABLE) is not unit.health
    }
    _keep(session, seen, [*changed, *(known.keys() - seen.units.keys())])
    if watch is None:
        session.add(
            HealthWatch(institution_id=seen.institution_id, sequence=seen.sequence, day=seen.day)
        )
        return 0
    watch.sequence, watch.day = seen.sequence, seen.day
    for unit_id, (before, unit) in changed.items():
        _record(session, seen, unit_id, before, unit)
    return len(changed)


def _known(session: Session, institution_id: UUID) -> dict[UUID, Health]:
    kept = select(UnitHealth.unit_id, UnitHealth.health).where(
        UnitHealth.institution_id == institution_id
    )
    return {unit_id: health for unit_id, health in session.execute(kept)}  # noqa: C416  as rows are typed


def _keep(session: Session, seen: Look, unit_ids: list[UUID]) -> None:
    for some in portions(unit_ids, _UNITS_AT_ONCE):
        session.execute(
            delete(UnitHealth)
            .where(UnitHealth.institution_id == seen.institution_id, UnitHealth.unit_id.in_(some))
            .execution_options(synchronize_session=False)
        )
    rows = [
        {
            "institution_id": seen.institution_id,
            "unit_id": unit_id,
            "health": seen.units[unit_id].health,
        }
        for unit_id in unit_ids
        if unit_id in seen.units and seen.units[unit_id].health is not Health.NOT_MEASURABLE
    ]
    bulk_insert(session, table_of(UnitHealth), rows)


def _record(session: Session, seen: Look, unit_id: UUID, before: Health, unit: Looked) -> None:
    data = {
        "health": unit.health,
        "as_of": seen.day.isoformat(),
        "version": seen.sequence,
        "percent_complete": unit.figures.percent_complete,
        "percent_scheduled": unit.figures.percent_scheduled,
        "schedule_performance_index": unit.figures.schedule_performance_index,
    }
    events.record(
        session, SYSTEM, seen.institution_id, CHANGED, events.Subject(unit_id, unit.code), data,
        unit_id=unit_id, changes={"health": {"before": before, "after": unit.health}},
    )  # fmt: skip
