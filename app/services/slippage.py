"""Slippage: how far a plan has moved from what was agreed on; pure."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from app.models import Milestone
from app.schemas.baselines import (
    BaselineComparison,
    BaselineMilestone,
    MovedMilestone,
    ReweightedMilestone,
)


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
    earlier: Sequence[BaselineMilestone],
    later: Sequence[BaselineMilestone],
) -> BaselineComparison:
    """What became of the plan of version `number`, up to that of another or to the present one."""
    before, after = ({m.id: m for m in plan} for plan in (earlier, later))
    both = [(before[m.id], m) for m in later if m.id in before]
    return BaselineComparison(
        number=number,
        to=to,
        added=[m for m in later if m.id not in before],
        dropped=[m for m in earlier if m.id not in after],
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
        finish_days=_between(finish(earlier), finish(later)),
    )


def _between(first: date | None, last: date | None) -> int | None:
    return None if first is None or last is None else (last - first).days
