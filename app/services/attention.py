"""What needs attention today: stale initiatives, late milestones, and what is due next."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    cast,
    distinct,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from app.keyset import Key, paginate, parse_sort
from app.models import Initiative, Milestone, Unit
from app.models.base import refers
from app.rollup.contribution import COUNTED
from app.rollup.contribution import earned as counted_points
from app.rollup.figures import share_of
from app.rollup.points import FULL
from app.rollup.queries import counted_percent
from app.schemas import attention as wire
from app.schemas.fields import MilestoneStatus
from app.schemas.pages import Page
from app.schemas.rollups import RollupQuery
from app.services import access, policies, rollups, selection
from app.services import milestones as plans
from app.services.access import Scope
from app.services.actors import Actor
from app.services.rollups import Asked

_LIVE = Milestone.dropped_at.is_(None)
_OPEN = and_(_LIVE, Milestone.done_on.is_(None), Initiative.status.in_(COUNTED))
"""Said by `done_on`, as the index of what is open is."""
_STATUS = {
    MilestoneStatus.DROPPED: Milestone.dropped_at.is_not(None),
    MilestoneStatus.DONE: and_(_LIVE, Milestone.percent == FULL),
    MilestoneStatus.IN_PROGRESS: and_(_LIVE, Milestone.percent.between(1, FULL - 1)),
    MilestoneStatus.PENDING: and_(_LIVE, Milestone.percent == 0),
}
_SORTS: dict[str, Any] = {
    "due_on": Milestone.due_on,
    "initiative": Initiative.code_key,
    "title": Milestone.title,
    "weight": Milestone.weight,
    "percent_complete": Milestone.percent,
}


def get(
    session: Session, actor: Actor, institution: str, unit: str | None, query: wire.AttentionQuery
) -> wire.Attention:
    """Counts for a unit with all below it.

    The cost grows with the initiatives of the subtree and with its unfinished milestones.
    """
    plain = RollupQuery(year=query.year, area=query.area)
    asked = rollups.resolve(session, actor, institution, unit, plain)
    key = (asked.unit.id, asked.area[0])
    whole = rollups.figures(session, asked, [key[0]], [key[1]]).get(key)
    bac = whole.totals.bac if whole else 0
    until = asked.as_of + timedelta(days=query.days)
    late, coming = _deadlines(session, asked, until)
    return wire.Attention(
        institution=asked.scope.code,
        unit=asked.unit.code,
        unit_name=asked.unit.name,
        year=asked.year,
        area=asked.area[1],
        as_of=asked.as_of,
        version=asked.version,
        stale=_stale(session, asked),
        overdue=wire.Overdue(
            **_told(late, bac),
            longest_days=(asked.as_of - late.earliest).days if late.earliest else 0,
        ),
        due=wire.Due(**_told(coming, bac), days=query.days),
    )


def milestones(
    session: Session, actor: Actor, institution: str, query: wire.MilestonesQuery
) -> Page[wire.PlannedMilestone]:
    """The milestones of all initiatives, filtered and sorted."""
    return milestones_of(session, access.institution(session, actor, institution), query)


def milestones_of(
    session: Session, scope: Scope, query: wire.MilestonesQuery
) -> Page[wire.PlannedMilestone]:
    """As `milestones`, of an institution that is found already."""
    statement = (
        access.visible(scope, Milestone)
        .join(Initiative, refers(Milestone.initiative_id, Initiative))
        .join(
            Unit,
            refers(Initiative.unit_id, Unit),
        )
        .where(*_filters(scope, query))
        .add_columns(
            Initiative.code, Initiative.title, Initiative.weight, Initiative.status, Unit.code
        )
    )
    if _is_of_the_longest(query):
        statement = statement.where(Milestone.initiative_id.in_(_owing(scope, query)))
    last = [Key(Initiative.code_key, descending=False), Key(Milestone.number, descending=False)]
    found = paginate(session, statement, parse_sort(query.sort, _SORTS, *last), query)
    return found.page([_planned(row, scope.today()) for row in found.rows])


def silent(session: Session, asked: Asked, most: int) -> int:
    """How many initiatives have gone silent in a unit with all below it; counted up to `most`."""
    conditions = [*rollups.initiatives(asked), selection.is_stale(asked.scope)]
    found = select(Initiative.id).where(*conditions).limit(most).subquery()
    return session.execute(select(func.count()).select_from(found)).scalar_one()


def _stale(session: Session, asked: Asked) -> wire.Stale:
    silent = func.sum(case((Initiative.last_reported_at.is_(None), 1), else_=0))
    count, never = session.execute(
        select(func.count(), func.coalesce(silent, 0)).where(
            *rollups.initiatives(asked), selection.is_stale(asked.scope)
        )
    ).one()
    days = policies.policy(asked.scope).stale_after_days
    return wire.Stale(after_days=days, initiatives=count, never_reported=never)


def _deadlines(session: Session, asked: Asked, until: date) -> list[Any]:
    """Overdue ones, and those that are due up to a day, with one statement."""
    is_late = case((Milestone.due_on < asked.as_of, 1), else_=0)
    left = Milestone.share * (FULL - counted_percent(Milestone.percent))
    rows = session.execute(
        select(
            is_late.label("is_late"),
            func.count().label("milestones"),
            func.count(distinct(Initiative.id)).label("initiatives"),
            cast(func.sum(left), BigInteger).label("value"),
            func.min(Milestone.due_on).label("earliest"),
        )
        .select_from(Milestone)
        .join(Initiative, refers(Milestone.initiative_id, Initiative))
        .where(
            *rollups.initiatives(asked),
            access.within(asked.scope, Milestone),
            _OPEN,
            Milestone.due_on <= until,
        )
        .group_by(is_late)
    )
    found = {row.is_late: row for row in rows}
    return [found.get(1, _NONE), found.get(0, _NONE)]


class _None:
    milestones = initiatives = value = 0
    earliest: date | None = None


_NONE = _None()


def _told(found: Any, bac: int) -> dict[str, Any]:  # noqa: ANN401  a row of `_deadlines`
    return {
        "milestones": found.milestones,
        "initiatives": found.initiatives,
        "value": found.value,
        "percent": share_of(found.value, bac),
    }


def _filters(scope: Scope, query: wire.MilestonesQuery) -> list[ColumnElement[bool]]:
    today = scope.today()
    conditions = selection.places(scope, query)
    if query.year:
        conditions.append(Initiative.year.in_(query.year))
    if query.status:
        conditions.append(_any(query.status))
    if query.counted is not None:
        is_counted = Initiative.status.in_(COUNTED)
        conditions.append(is_counted if query.counted else ~is_counted)
    if query.overdue is not None:
        is_overdue = and_(_OPEN, Milestone.due_on < today)
        conditions.append(is_overdue if query.overdue else ~is_overdue)
    if query.due_within is not None:
        until = today + timedelta(days=query.due_within)
        conditions += [_OPEN, Milestone.due_on.between(today, until)]
    if query.due_before is not None:
        conditions.append(Milestone.due_on < query.due_before)
    if query.due_after is not None:
        conditions.append(Milestone.due_on > query.due_after)
    if query.updated_since is not None:
        conditions.append(Milestone.updated_at >= query.updated_since)
    return conditions


def _is_of_the_longest(query: wire.MilestonesQuery) -> bool:
    """Whether just what is overdue for longest is asked for, from its beginning."""
    placed = {"unit", "subtree", "area", "owner", "year", "limit"}
    beside = query.model_dump(exclude=placed, exclude_defaults=True)
    return beside == {"overdue": True}


def _owing(scope: Scope, query: wire.MilestonesQuery) -> Select[UUID]:
    """As many initiatives as are asked for milestones, by their next due dates.

    Each comes with its own first milestone, so the first few milestones of all are of the first few
    of these, and no milestone of any other is read.
    """
    conditions = [*selection.places(scope, query), Initiative.status.in_(COUNTED)]
    if query.year:
        conditions.append(Initiative.year.in_(query.year))
    return (
        access.visible(scope, Initiative)
        .with_only_columns(Initiative.id)
        .where(*conditions, Initiative.next_due_on < scope.today())
        .order_by(Initiative.next_due_on, Initiative.code_key)
        .limit(query.limit + 1)
        .correlate(None)
    )


def _any(statuses: list[MilestoneStatus]) -> ColumnElement[bool]:
    return or_(*(_STATUS[status] for status in statuses))


def _planned(row: Row[*tuple[Any, ...]], today: date) -> wire.PlannedMilestone:
    milestone, initiative, title, weight, status, unit = row[:6]
    shape = plans.shape(milestone, weight, today)
    is_late = shape.overdue_days > 0 and status in COUNTED
    left = FULL - counted_points(milestone.technique, milestone.percent)
    return wire.PlannedMilestone(
        **dict(shape),
        initiative=initiative,
        initiative_title=title,
        unit=unit,
        late_value=milestone.share * left if is_late else 0,
    )
