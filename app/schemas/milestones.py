"""Milestones on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.schemas.fields import (
    Day,
    Instant,
    MilestoneStatus,
    Name,
    Reason,
    Shape,
    Technique,
    Text,
    Weight,
    example,
)

MOST_MILESTONES, HIGHEST_NUMBER = 200, 9999
MilestoneNumber = Annotated[int, Field(strict=True, ge=1, le=HIGHEST_NUMBER)]


class NewMilestone(Shape):
    """A new milestone."""

    model_config = example({"title": "Pelatihan operator", "due_on": "2022-06-30", "weight": 2})

    title: Name
    due_on: Day
    number: MilestoneNumber | None = None
    """Its number in the initiative; the next one if left out."""
    description: Text | None = None
    weight: Weight = 1
    technique: Technique = Technique.PERCENT
    baseline_due_on: Day | None = None
    """Date in the baselined plan; from then on the planned value follows it, not `due_on`. In an
    initiative that has a baseline it makes a new version."""
    reason: Reason | None = None


class MilestoneChanges(Shape):
    """A merge patch of a milestone.

    Once there is a `baseline_due_on`, or a baseline of the initiative, a change of dates, weight or
    status owes a reason.
    """

    model_config = example({"due_on": "2022-09-30", "reason": "Pengadaan terlambat"})

    title: Name | MISSING = MISSING
    description: Text | MISSING | None = MISSING
    weight: Weight | MISSING = MISSING
    technique: Technique | MISSING = MISSING
    due_on: Day | MISSING = MISSING
    baseline_due_on: Day | MISSING | None = MISSING
    """Another date makes a new version of the initiative's baseline, if there is one."""
    status: MilestoneStatus | MISSING = MISSING
    """`dropped` takes it out of the plan (owes a reason), `pending` brings it back."""
    reason: Reason | MISSING = MISSING


class Milestone(Shape):
    """A milestone of an initiative, with its numbers of today."""

    id: UUID
    number: int
    title: str
    description: str | None
    weight: int
    technique: Technique
    due_on: Day
    baseline_due_on: Day | None
    """Date in the newest baseline."""
    first_baseline_due_on: Day | None
    """Date in the first baseline that has it."""
    slippage_days: int | None
    """Days from `first_baseline_due_on` to `due_on`; negative: earlier. Null without a baseline, and
    when dropped."""
    current_slippage_days: int | None
    """The same from `baseline_due_on`."""
    percent_complete: float
    """As last reported; 0 without a report."""
    percent_verified: float
    """As last verified; 0 without a verified report."""
    status: MilestoneStatus
    done_on: Day | None
    """Since when it is at 100 %."""
    share: float
    """Part of the initiative that it carries, percent; 0 when dropped."""
    overdue_days: int
    """Days past `due_on` without being done, today in the institution's time zone."""
    reports: int
    """How many reports there are."""
    created_at: Instant
    updated_at: Instant
    version: int
