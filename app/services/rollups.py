"""Roll-ups: the numbers of a unit and of its reform areas, and their audit."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.models import Initiative, InitiativeArea, Institution, ReformArea, RollupTotal, Unit
from app.models.base import day_in, now
from app.models.rollups import ALL_AREAS
from app.rollup import audit as verification
from app.rollup import derived, queries
from app.rollup.figures import Figures, Thresholds
from app.rollup.points import percent
from app.schemas import rollups as wire
from app.services import access, events, naming, policies, schemes
from app.services.access import Lock, Node, Scope
from app.services.actors import Actor


class Asked(NamedTuple):
    """A roll-up's question, resolved: what every verb about roll-ups begins with."""

    scope: Scope
    unit: Node
    area: tuple[UUID, str | None]
    year: int | None
    as_of: date
    version: int
    thresholds: Thresholds
    is_whole: bool = False
    """Whether the unit is known to be the root."""


class OfArea(NamedTuple):
    """A unit's sums in one reform area."""

    id: UUID
    code: str
    figures: Figures


def get(
    session: Session, actor: Actor, institution: str, unit: str | None, query: wire.RollupQuery
) -> wire.Rollup:
    """The roll-up of a unit with all below it; of the institution if no unit is named."""
    asked = resolve(session, actor, institution, unit, query)
    found = figures(session, asked, [asked.unit.id], [asked.area[0]])
    return shape(asked, asked.unit, asked.area[1], found.get((asked.unit.id, asked.area[0])))


def areas(
    session: Session, actor: Actor, institution: str, unit: str | None, query: wire.RollupQuery
) -> wire.RollupAreas:
    """The roll-up of a unit for each area of the institution's scheme, and for others in use."""
    return areas_of(session, resolve(session, actor, institution, unit, query))


def areas_of(session: Session, asked: Asked) -> wire.RollupAreas:
    """As `areas`, of what is resolved."""
    return wire.RollupAreas(
        items=[
            shape(asked, asked.unit, each.code, each.figures) for each in by_area(session, asked)
        ],
        adds_up=False,
    )


def by_area(session: Session, asked: Asked) -> list[OfArea]:
    """The sums of what `areas` tells."""
    listed = _listed_areas(session, asked)
    unit_id = asked.unit.id
    found = figures(session, asked, [unit_id], [area_id for area_id, _ in listed])
    return [
        OfArea(area_id, code, found.get((unit_id, area_id), Figures())) for area_id, code in listed
    ]


def children(session: Session, asked: Asked) -> list[Node]:
    """The units directly below the one that is asked for, by code."""
    rows = session.execute(
        select(Unit.id, Unit.code, Unit.name)
        .where(access.within(asked.scope, Unit), Unit.parent_id == asked.unit.id)
        .order_by(Unit.code_key)
    )
    return [Node(*row) for row in rows]


def initiatives(asked: Asked, *, subtree: bool = True) -> list[ColumnElement[bool]]:
    """Conditions of the initiatives that are asked for, whatever their status."""
    conditions = [access.within(asked.scope, Initiative)]
    if subtree:
        below = access.below(asked.scope, [str(asked.unit.id)])
        conditions.append(Initiative.unit_id.in_(below))
    else:
        conditions.append(Initiative.unit_id == asked.unit.id)
    if asked.year is not None:
        conditions.append(Initiative.year == asked.year)
    if asked.area[0] != ALL_AREAS:
        serving = select(InitiativeArea.initiative_id).where(
            access.within(asked.scope, InitiativeArea), InitiativeArea.area_id == asked.area[0]
        )
        conditions.append(Initiative.id.in_(serving))
    return conditions


def audit(
    session: Session, actor: Actor, institution: str, progress: verification.Progress
) -> verification.Findings:
    """Recompute an institution's ledger from its facts, and name what differs."""
    scope = access.institution(session, actor, institution)
    return verification.verify(session, scope.id, progress)


def institutions(session: Session) -> list[UUID]:
    """Those of which something is kept that is of a day."""
    return list(session.scalars(select(Institution.id).order_by(Institution.id)))


def renew(session: Session, institution_id: UUID) -> int:
    """Bring up to the present day what is kept of initiatives' plans; how many, 0 when all are."""
    zone = session.scalar(select(Institution.time_zone).where(Institution.id == institution_id))
    return 0 if zone is None else derived.renew(session, institution_id, day_in(zone, now()))


def mend(session: Session, actor: Actor, institution: str, findings: verification.Findings) -> None:
    """Write what an audit found missing; readers see it by a new version."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    verification.mend(session, scope.id, findings)
    data = {"buckets": len(findings.differences), "milestones": len(findings.derived)}
    subject = events.Subject(scope.id, scope.code)
    events.record(session, actor, scope.id, "rollup.mended", subject, data)


def resolve(
    session: Session, actor: Actor, institution: str, unit_key: str | None, query: wire.RollupQuery
) -> Asked:
    """What is asked for, if the actor may see it; raises `NotFound`, or `Invalid` for parameters."""
    scope, unit, version, is_whole = access.place(session, actor, institution, unit_key)
    today = scope.today()
    if query.as_of is not None and query.as_of > today:
        detail = "as_of cannot be in the future."
        raise Invalid.parameter("as_of", "in_future", detail)
    return Asked(
        scope,
        unit,
        resolve_area(session, query.area),
        query.year,
        query.as_of or today,
        version,
        policies.thresholds(scope),
        is_whole,
    )


def resolve_area(session: Session, key: str | None) -> tuple[UUID, str | None]:
    """Id and code of a named reform area, or the key of all; raises `Invalid`."""
    if key is None:
        return ALL_AREAS, None
    found = session.execute(
        select(ReformArea.id, ReformArea.code).where(naming.named(ReformArea, key))
    ).one_or_none()
    if found is None:
        raise Invalid.parameter("area", "unknown_area", "There is no such reform area.")
    return found.id, found.code


def _listed_areas(session: Session, asked: Asked) -> Sequence[tuple[UUID, str]]:
    if asked.area[1] is not None:
        return [(asked.area[0], asked.area[1])]
    listed = dict(schemes.areas_of(session, asked.scope.scheme_id))
    others = session.execute(
        select(ReformArea.id, ReformArea.code)
        .where(
            ReformArea.id.in_(
                select(RollupTotal.area_id).where(
                    access.within(asked.scope, RollupTotal), RollupTotal.unit_id == asked.unit.id
                )
            ),
            ReformArea.id.not_in(listed),
        )
        .order_by(ReformArea.code_key)
    )
    return [*listed.items(), *((row.id, row.code) for row in others)]


def figures(
    session: Session, asked: Asked, unit_ids: Sequence[UUID], area_ids: Sequence[UUID]
) -> dict[tuple[UUID, UUID], Figures]:
    """Sums for each (unit, area), of the year and on the date that are asked for."""
    return queries.figures(session, asked.scope.id, unit_ids, area_ids, asked.year, asked.as_of)


def shape(asked: Asked, unit: Node, area: str | None, found: Figures | None) -> wire.Rollup:
    """A roll-up as it is answered."""
    return wire.Rollup(
        institution=asked.scope.code,
        unit=unit.code,
        unit_name=unit.name,
        year=asked.year,
        area=area,
        as_of=asked.as_of,
        version=asked.version,
        **numbers(found or Figures(), asked.thresholds),
    )


def coverage(found: Figures) -> wire.Coverage:
    """How much of what should be measured is measured."""
    return wire.Coverage(
        initiatives=found.initiatives,
        measured=found.measured,
        percent=percent(found.measured, found.initiatives) if found.initiatives else None,
    )


def numbers(found: Figures, thresholds: Thresholds) -> dict[str, Any]:
    """The numbers of `wire.Numbers` that follow from sums."""
    totals, to_date = found.totals, found.to_date
    return {
        "percent_complete": found.percent_complete,
        "percent_verified": found.percent_verified,
        "verification_gap": found.verification_gap,
        "percent_scheduled": found.percent_scheduled,
        "schedule_variance": found.schedule_variance,
        "schedule_performance_index": found.schedule_performance_index,
        "health": found.health(thresholds),
        "weight": found.weight,
        "coverage": coverage(found),
        "initiatives": wire.InitiativeTotals(
            total=found.initiatives,
            active=totals.active,
            on_hold=totals.on_hold,
            completed=totals.completed,
            unmeasured=totals.unmeasured,
        ),
        "milestones": wire.MilestoneTotals(
            total=totals.milestones,
            done=to_date.done,
            overdue=to_date.overdue,
            due_next_30_days=to_date.due_soon,
        ),
        "obstacles": wire.ObstacleTotals(
            open=totals.obstacles, overdue=to_date.obstructed, waiting=totals.waiting
        ),
        "follow_ups": wire.FollowUpTotals(open=totals.follow_ups, overdue=to_date.neglected),
        "reason": found.reason,
    }
