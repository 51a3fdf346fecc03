"""Comparisons: siblings beside each other, fairly ranked."""

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app.errors import Invalid
from app.keyset import sort_directions
from app.models.base import code_key
from app.rollup import queries
from app.rollup.contribution import Change
from app.rollup.figures import Figures, share_of
from app.schemas import comparisons as wire
from app.schemas.institutions import Policy
from app.schemas.rollups import Rollup
from app.services import policies, rollups
from app.services.actors import Actor
from app.services.rollups import Asked

_TEXTS: dict[str, Callable[[wire.ComparedRollup], Any]] = {
    "code": lambda item: code_key(item.unit),
    "name": lambda item: item.unit_name.lower(),
}
_NUMBERS: dict[str, Callable[[wire.ComparedRollup], Any]] = {
    "percent_complete": lambda item: item.percent_complete,
    "percent_verified": lambda item: item.percent_verified,
    "verification_gap": lambda item: item.verification_gap,
    "percent_scheduled": lambda item: item.percent_scheduled,
    "schedule_variance": lambda item: item.schedule_variance,
    "schedule_performance_index": lambda item: item.schedule_performance_index,
    "weight": lambda item: item.weight,
    "share_of_parent": lambda item: item.share_of_parent,
    "coverage": lambda item: item.coverage.percent,
    "initiatives": lambda item: item.initiatives.total,
    "milestones": lambda item: item.milestones.total,
    "done": lambda item: item.milestones.done,
    "overdue": lambda item: item.milestones.overdue,
    "due_next_30_days": lambda item: item.milestones.due_next_30_days,
    "change": lambda item: item.change.percent_complete if item.change else None,
}


class Course(NamedTuple):
    """How a percent complete came to be what it is, of the budget now."""

    before: float | None
    """At the end of the day from which change is counted."""
    change: float | None
    """Percentage points since, rounded once."""


class Family(NamedTuple):
    """A unit and those directly below it, from the same reads of the ledger."""

    rollup: Rollup
    children: wire.RollupChildren
    figures: Figures
    """What the unit's own roll-up is made of."""
    courses: dict[str, Course]
    """By code, of the unit and of those below it; empty where no day is asked for since."""


def children(
    session: Session, actor: Actor, institution: str, unit: str | None, query: wire.ChildrenQuery
) -> wire.RollupChildren:
    """The roll-up of each direct child of a unit, sorted and ranked."""
    return family(session, actor, institution, unit, query).children


def family(
    session: Session, actor: Actor, institution: str, unit: str | None, query: wire.ChildrenQuery
) -> Family:
    """A unit's roll-up and its children's."""
    _directions(query)  # what is wrong with the question is told before what is not there
    return family_of(session, rollups.resolve(session, actor, institution, unit, query), query)


def family_of(session: Session, asked: Asked, query: wire.ChildrenQuery) -> Family:
    """As `family`, of what is resolved."""
    directions = _directions(query)
    if query.since is not None and query.since > asked.as_of:
        raise Invalid.parameter("since", "since_after_as_of", "since cannot be after as_of.")
    below = rollups.children(session, asked)
    area_id = asked.area[0]
    ids = [asked.unit.id, *(child.id for child in below)]
    found = rollups.figures(session, asked, ids, [area_id])
    whole = found.get((asked.unit.id, area_id), Figures())
    then = (
        queries.changes(session, asked.scope.id, ids, [area_id], asked.year, query.since)
        if query.since is not None
        else {}
    )
    policy = policies.policy(asked.scope)
    items = [
        _compared(
            rollups.shape(asked, child, asked.area[1], figures := found.get(key, Figures())),
            figures,
            whole.totals.bac,
            _progress(figures, then.get(key, Change()), query.since),
            policy,
        )
        for child in below
        if (key := (child.id, area_id))
    ]
    return Family(
        rollups.shape(asked, asked.unit, asked.area[1], whole),
        wire.RollupChildren(items=_ranked(_sorted(items, directions), directions)),
        whole,
        {
            node.code: _course(found.get(key, Figures()), then.get(key, Change()))
            for node in (asked.unit, *below)
            if (key := (node.id, area_id))
        }
        if query.since is not None
        else {},
    )


def areas_since(
    session: Session, asked: Asked, since: date | None
) -> tuple[list[Rollup], dict[str, Course]]:
    """A unit's roll-up for each area, and how each came about, by its code."""
    found = rollups.by_area(session, asked)
    items = [rollups.shape(asked, asked.unit, each.code, each.figures) for each in found]
    if since is None:
        return items, {}
    unit_id, ids = asked.unit.id, [each.id for each in found]
    then = queries.changes(session, asked.scope.id, [unit_id], ids, asked.year, since)
    return items, {
        each.code: _course(each.figures, then.get((unit_id, each.id), Change())) for each in found
    }


def _directions(query: wire.ChildrenQuery) -> dict[str, bool]:
    return sort_directions(query.sort, _TEXTS | _NUMBERS)


def _compared(
    rollup: Rollup,
    figures: Figures,
    whole: int,
    progress: wire.Progress | None,
    policy: Policy,
) -> wire.ComparedRollup:
    reason = None
    if not figures.totals.bac:
        reason = "not_measurable"
    elif figures.measured < policy.ranked_from_initiatives:
        reason = "small"
    elif figures.measured < policy.ranked_from_coverage * figures.initiatives:
        reason = "uncovered"
    return wire.ComparedRollup(
        **dict(rollup),
        share_of_parent=share_of(figures.totals.bac, whole),
        change=progress,
        comparable=reason is None,
        not_comparable=reason,
        rank=None,
    )


def _course(figures: Figures, then: Change) -> Course:
    bac = figures.totals.bac
    return Course(
        before=share_of(then.earned, bac),
        change=share_of(figures.to_date.earned - then.earned, bac),
    )


def _progress(figures: Figures, then: Change, since: date | None) -> wire.Progress | None:
    if since is None:
        return None
    present, bac = figures.to_date, figures.totals.bac
    return wire.Progress(
        since=since,
        percent_complete=share_of(present.earned - then.earned, bac),
        percent_verified=share_of(present.verified - then.verified, bac),
        percent_scheduled=share_of(present.planned - then.planned, bac),
    )


def _sorted(
    items: list[wire.ComparedRollup], directions: dict[str, bool]
) -> list[wire.ComparedRollup]:
    """By every field, the last one first: a stable sort keeps what came before. Missing ones last."""
    for name, descending in reversed(directions.items()):
        value = (_TEXTS | _NUMBERS)[name]
        known = sorted(
            (item for item in items if value(item) is not None), key=value, reverse=descending
        )
        items = [*known, *(item for item in items if value(item) is None)]
    return items


def _ranked(
    items: list[wire.ComparedRollup], directions: dict[str, bool]
) -> list[wire.ComparedRollup]:
    """With the places of those that are comparable, by the first number of the sort."""
    name = next((name for name in directions if name in _NUMBERS), "percent_complete")
    value = _NUMBERS[name]
    numbers = sorted(
        (value(item) for item in items if item.comparable and value(item) is not None),
        reverse=directions.get(name, True),
    )
    return [
        item.model_copy(update={"rank": numbers.index(value(item)) + 1})
        if item.comparable and value(item) is not None
        else item
        for item in items
    ]
