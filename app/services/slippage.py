"""Slippage: how far a plan has moved from what was agreed on; pure."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from app.models import Milestone
from app.schemas.baselines import (
    BaselineComparison,
    BaselineMilestone,
    ComparedDueDate,
    ComparedInitiative,
    ComparedWeight,
    MovedMilestone,
    ReweightedMilestone,
)


class Agreed(NamedTuple):
    """What a version, or the present, has of an initiative and its milestones."""

    weight: int | None
    """Null in a version from before the initiative's own were kept."""
    due_on: date | None
    plan: Sequence[BaselineMilestone]


def days(due_on: date | None, first: date | None, current: date | None) -> dict[str, Any]:
    """Days after the first and the newest baseline, as answers name them; null without either day."""
    return {
        "slippage_days": _between(first, due_on),
        "current_slippage_days": _between(current, due_on),
    }


def of_milestone(row: Milestone) -> dict[str, Any]:
    """What a milestone's answer says of baselines; one that was dropped does not slip."""
    due_on = row.due_on if row.dropped_at is None else None
    first = row.first_baseline_due_on or row.baseline_due_on
    return {
        "baseline_due_on": row.baseline_due_on,
        "first_baseline_due_on": first,
        **days(due_on, first, row.baseline_due_on),
    }


def finish(plan: Sequence[BaselineMilestone]) -> date | None:
    """The latest date of a plan."""
    return max((milestone.due_on for milestone in plan), default=None)


def compared(
    number: int,
    to: int | None,
    earlier: Agreed,
    later: Agreed,
) -> BaselineComparison:
    """What became of version `number`, up to another or to the present."""
    before, after = ({m.id: m for m in agreed.plan} for agreed in (earlier, later))
    both = [(before[m.id], m) for m in later.plan if m.id in before]
    return BaselineComparison(
        number=number,
        to=to,
        initiative=_initiatives(earlier, later),
        added=[m for m in later.plan if m.id not in before],
        dropped=[m for m in earlier.plan if m.id not in after],
        moved=[
            MovedMilestone(
                id=m.id,
                number=m.number,
                title=m.title,
                before=was.due_on,
                after=m.due_on,
                days=(m.due_on - was.due_on).days,
            )
            for was, m in both
            if m.due_on != was.due_on
        ],
        reweighted=[
            ReweightedMilestone(
                id=m.id, number=m.number, title=m.title, before=was.weight, after=m.weight
            )
            for was, m in both
            if m.weight != was.weight
        ],
        unchanged=sum((m.due_on, m.weight) == (was.due_on, was.weight) for was, m in both),
        finish_days=_between(finish(earlier.plan), finish(later.plan)),
    )


def _initiatives(earlier: Agreed, later: Agreed) -> ComparedInitiative | None:
    if earlier.weight is None or later.weight is None:
        return None
    before, after = earlier.due_on, later.due_on
    return ComparedInitiative(
        weight=ComparedWeight(before=earlier.weight, after=later.weight),
        due_on=ComparedDueDate(before=before, after=after, days=_between(before, after)),
    )


def _between(first: date | None, last: date | None) -> int | None:
    return None if first is None or last is None else (last - first).days
