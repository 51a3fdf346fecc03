"""Roll-ups: the numbers of a unit, of its children and of its reform areas."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.models import ReformArea, RollupTotal, Unit
from app.models.rollups import ALL_AREAS
from app.rollup import audit as verification
from app.rollup import queries
from app.rollup.figures import Figures, Thresholds
from app.rollup.points import percent
from app.schemas import rollups as wire
from app.services import access, events, portfolio, schemes
from app.services.access import Actor, Lock, Node, Scope


class Asked(NamedTuple):
    """A roll-up's question, resolved: what every verb about roll-ups begins with."""

    scope: Scope
    unit: Node
    area: tuple[UUID, str | None]
    year: int | None
    as_of: date
    version: int
    thresholds: Thresholds


def get(
    session: Session, actor: Actor, institution: str, unit: str | None, query: wire.RollupQuery
) -> wire.Rollup:
    """The roll-up of a unit with all below it; of the institution if no unit is named."""
    asked = resolve(session, actor, institution, unit, query)
    figures = _figures(session, asked, [asked.unit.id], [asked.area[0]])
    return _shape(asked, asked.unit, asked.area[1], figures.get((asked.unit.id, asked.area[0])))


def children(
    session: Session, actor: Actor, institution: str, unit: str | None, query: wire.RollupQuery
) -> wire.RollupChildren:
    """The roll-up of each direct child of a unit, by code."""
    asked = resolve(session, actor, institution, unit, query)
    below = [
        Node(*row)
        for row in session.execute(
            select(Unit.id, Unit.code, Unit.name)
            .where(access.within(asked.scope, Unit), Unit.parent_id == asked.unit.id)
            .order_by(Unit.code_key)
        )
    ]
    area_id, area = asked.area
    figures = _figures(session, asked, [child.id for child in below], [area_id])
    return wire.RollupChildren(
        items=[_shape(asked, child, area, figures.get((child.id, area_id))) for child in below]
    )


def areas(
    session: Session, actor: Actor, institution: str, unit: str | None, query: wire.RollupQuery
) -> wire.RollupAreas:
    """The roll-up of a unit for each area of the institution's scheme, and for others in use."""
    asked = resolve(session, actor, institution, unit, query)
    listed = _listed_areas(session, asked)
    unit_id = asked.unit.id
    figures = _figures(session, asked, [unit_id], [area_id for area_id, _ in listed])
    return wire.RollupAreas(
        items=[
            _shape(asked, asked.unit, code, figures.get((unit_id, area_id)))
            for area_id, code in listed
        ],
        adds_up=False,
    )


def audit(
    session: Session, actor: Actor, institution: str, progress: verification.Progress
) -> verification.Findings:
    """Recompute an institution's ledger from its facts, and name what differs."""
    scope = access.institution(session, actor, institution)
    return verification.verify(session, scope.id, progress)


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
    scope, unit, version = access.place(session, actor, institution, unit_key)
    today = scope.today()
    if query.as_of is not None and query.as_of > today:
        detail = "as_of cannot be in the future."
        raise Invalid.parameter("as_of", "in_future", detail)
    return Asked(
        scope,
        unit,
        _area(session, query.area),
        query.year,
        query.as_of or today,
        version,
        portfolio.thresholds(scope),
    )


def _area(session: Session, key: str | None) -> tuple[UUID, str | None]:
    if key is None:
        return ALL_AREAS, None
    found = session.execute(
        select(ReformArea.id, ReformArea.code).where(access.named(ReformArea, key))
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


def _figures(
    session: Session, asked: Asked, unit_ids: Sequence[UUID], area_ids: Sequence[UUID]
) -> dict[tuple[UUID, UUID], Figures]:
    return queries.figures(session, asked.scope.id, unit_ids, area_ids, asked.year, asked.as_of)


def _shape(asked: Asked, unit: Node, area: str | None, figures: Figures | None) -> wire.Rollup:
    figures = figures or Figures()
    totals, to_date = figures.totals, figures.to_date
    return wire.Rollup(
        institution=asked.scope.code,
        unit=unit.code,
        unit_name=unit.name,
        year=asked.year,
        area=area,
        as_of=asked.as_of,
        version=asked.version,
        percent_complete=figures.percent_complete,
        percent_verified=figures.percent_verified,
        percent_scheduled=figures.percent_scheduled,
        schedule_variance=figures.schedule_variance,
        schedule_performance_index=figures.schedule_performance_index,
        health=figures.health(asked.thresholds),
        weight=figures.weight,
        coverage=wire.Coverage(
            initiatives=figures.initiatives,
            measured=figures.measured,
            percent=percent(figures.measured, figures.initiatives) if figures.initiatives else None,
        ),
        initiatives=wire.InitiativeTotals(
            total=figures.initiatives,
            active=totals.active,
            on_hold=totals.on_hold,
            completed=totals.completed,
            unmeasured=totals.unmeasured,
        ),
        milestones=wire.MilestoneTotals(
            total=totals.milestones,
            done=to_date.done,
            overdue=to_date.overdue,
            due_next_30_days=to_date.due_soon,
        ),
        reason=figures.reason,
    )
