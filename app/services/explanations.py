"""Explanations: the terms of a number, which add up to it exactly."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.given import portions
from app.keyset import paginate_sorted
from app.models import Initiative, Milestone, Unit
from app.rollup import contribution, facts, queries
from app.rollup.contribution import COUNTED, Change, Totals
from app.rollup.figures import Figures, Thresholds, share_of, total
from app.rollup.points import BAC_PER_WEIGHT, FULL
from app.schemas import explanations as wire
from app.schemas.fields import InitiativeStatus
from app.services import access, events, rollups
from app.services.actors import Actor
from app.services.rollups import Asked

_AT_ONCE = 500


class _Part(NamedTuple):
    """A term before it is answered."""

    kind: wire.Kind
    id: UUID
    code: str
    name: str
    figures: Figures
    """Of an initiative of today the planned value is read only when it gets on a page."""

    def key(self) -> list[Any]:
        """Largest earned value first, then the largest budget; unique by kind and code."""
        return [-self.figures.to_date.earned, -self.figures.totals.bac, self.kind, self.code]


def of_unit(
    session: Session, actor: Actor, institution: str, unit: str | None, query: wire.ExplanationQuery
) -> wire.Explanation:
    """The terms of a unit's number: its children, and its own initiatives one by one.

    The cost grows with the children and the unit's own initiatives, not with what is below; for
    a past date also with the reports of the own initiatives.
    """
    asked = rollups.resolve(session, actor, institution, unit, query)
    area_id = asked.area[0]
    children = rollups.children(session, asked)
    found = rollups.figures(
        session, asked, [asked.unit.id, *(child.id for child in children)], [area_id]
    )
    whole = found.get((asked.unit.id, area_id), Figures())
    parts = [
        _Part(wire.Kind.UNIT, child.id, child.code, child.name, figures)
        for child in children
        if (figures := found.get((child.id, area_id))) and figures.totals.bac
    ]
    parts += _own(session, asked)
    page = paginate_sorted(session, f"explain {asked.unit.id}", parts, _Part.key, query)
    return wire.Explanation(
        institution=asked.scope.code,
        unit=asked.unit.code,
        unit_name=asked.unit.name,
        year=asked.year,
        area=asked.area[1],
        coverage=rollups.coverage(whole),
        left_out=_left_out(session, asked),
        reason=whole.reason,
        items=[
            _term(part, whole, asked.thresholds) for part in _planned(session, asked, page.rows)
        ],
        next_cursor=page.next_cursor,
        total=page.total,
        **_whole(whole, asked.as_of, asked.version),
    )


def of_initiative(
    session: Session,
    actor: Actor,
    institution: str,
    initiative: str,
    query: wire.InitiativeExplanationQuery,
) -> wire.InitiativeExplanation:
    """The terms of an initiative's number: its live milestones, on a date."""
    scope = access.institution(session, actor, institution)
    row = access.find(session, scope, Initiative, initiative)
    as_of = query.as_of or scope.today()
    if as_of > scope.today():
        raise Invalid.parameter("as_of", "in_future", "as_of cannot be in the future.")
    (fact,) = facts.read(session, scope.id, [row.id])
    names = session.execute(
        select(Milestone.number, Milestone.title, Milestone.dropped_at, Unit.code)
        .join(Unit, (Unit.institution_id == Milestone.institution_id) & (Unit.id == row.unit_id))
        .where(access.within(scope, Milestone), Milestone.initiative_id == row.id)
    ).all()
    titles = {number: title for number, title, *_ in names}
    shares = contribution.shares(fact.initiative)
    parts = [
        _Part(
            wire.Kind.MILESTONE,
            stored.id,
            str(stored.number),
            titles[stored.number],
            Figures(
                Totals(bac=share * FULL),
                _on(contribution.of_milestone(plan, share), as_of),
            ),
        )
        for plan, stored, share in zip(fact.initiative.milestones, fact.stored, shares, strict=True)
    ]
    whole = total([part.figures for part in parts])
    unit = access.find(session, scope, Unit, str(row.unit_id))
    weights = {
        str(s.number): m.weight
        for s, m in zip(fact.stored, fact.initiative.milestones, strict=True)
    }
    version = events.last(session, scope.id)
    return wire.InitiativeExplanation(
        institution=scope.code,
        initiative=row.code,
        unit=unit.code,
        counted=row.status in COUNTED,
        dropped=sum(dropped_at is not None for _, _, dropped_at, _ in names),
        items=[
            _term(part, whole, None).model_copy(update={"weight": weights[part.code]})
            for part in sorted(parts, key=_Part.key)
        ],
        **_whole(whole, as_of, version),
    )


def _own(session: Session, asked: Asked) -> list[_Part]:
    """The unit's own initiatives that are counted and measured."""
    rows = session.execute(
        select(
            Initiative.id,
            Initiative.code,
            Initiative.title,
            Initiative.weight,
            Initiative.earned,
            Initiative.verified,
        ).where(
            *rollups.initiatives(asked, subtree=False),
            Initiative.status.in_(COUNTED),
            Initiative.milestones > 0,
        )
    ).all()
    past = {}
    if asked.as_of != asked.scope.today():
        past = on_date(session, asked, [row.id for row in rows])
    return [
        _Part(
            wire.Kind.INITIATIVE,
            row.id,
            row.code,
            row.title,
            Figures(
                Totals(bac=row.weight * BAC_PER_WEIGHT),
                past.get(row.id, Change(earned=row.earned, verified=row.verified)),
            ),
        )
        for row in rows
    ]


def on_date(session: Session, asked: Asked, ids: Sequence[UUID]) -> dict[UUID, Change]:
    """What initiatives have planned, earned and verified on a past date, from their reports."""
    found = {}
    for some in portions(ids, _AT_ONCE):
        for fact in facts.read(session, asked.scope.id, some):
            changes = contribution.of_initiative(fact.initiative).changes
            found[fact.id] = _on(changes, asked.as_of)
    return found


def _planned(session: Session, asked: Asked, parts: Sequence[_Part]) -> list[_Part]:
    """The parts of a page, with the planned value of initiatives of today."""
    if asked.as_of != asked.scope.today():
        return list(parts)
    ids = [part.id for part in parts if part.kind is wire.Kind.INITIATIVE]
    found = queries.initiative_figures(session, asked.scope.id, ids, asked.as_of) if ids else {}
    return [
        part._replace(figures=found[part.id].figures) if part.id in found else part
        for part in parts
    ]


def _on(changes: dict[date, Change], day: date) -> Change:
    past = (change for on, change in changes.items() if on <= day)
    return Change(*map(sum, zip(Change(), *past, strict=True)))


def _left_out(session: Session, asked: Asked) -> wire.LeftOut:
    bare = func.sum(case((Initiative.milestones == 0, 1), else_=0))
    rows = session.execute(
        select(Initiative.status, func.count(), bare)
        .where(*rollups.initiatives(asked, subtree=False))
        .group_by(Initiative.status)
    ).all()
    by_status = {status: count for status, count, _ in rows}
    return wire.LeftOut(
        unmeasured=sum(without for status, _, without in rows if status in COUNTED),
        proposed=by_status.get(InitiativeStatus.PROPOSED, 0),
        shortlisted=by_status.get(InitiativeStatus.SHORTLISTED, 0),
        cancelled=by_status.get(InitiativeStatus.CANCELLED, 0),
    )


def _whole(whole: Figures, as_of: date, version: int) -> dict[str, Any]:
    return {
        "as_of": as_of,
        "version": version,
        "percent_complete": whole.percent_complete,
        "percent_verified": whole.percent_verified,
        "percent_scheduled": whole.percent_scheduled,
        "values": _values(whole),
    }


def _values(figures: Figures) -> wire.Values:
    return wire.Values(
        bac=figures.totals.bac,
        planned_value=figures.to_date.planned,
        earned_value=figures.to_date.earned,
        verified_value=figures.to_date.verified,
    )


def _term(part: _Part, whole: Figures, thresholds: Thresholds | None) -> wire.Term:
    figures = part.figures
    return wire.Term(
        kind=part.kind,
        code=part.code,
        name=part.name,
        weight=figures.weight,
        values=_values(figures),
        percent_complete=figures.percent_complete,
        percent_verified=figures.percent_verified,
        percent_scheduled=figures.percent_scheduled,
        health=figures.health(thresholds) if thresholds else None,
        share=share_of(figures.totals.bac, whole.totals.bac),
        contribution=share_of(figures.to_date.earned, whole.totals.bac),
    )
