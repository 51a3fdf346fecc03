"""Baselines on the wire: the plan as it was agreed on, in versions, and how two plans differ."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.schemas.fields import Day, Digits, Instant, Reason, Shape, Technique, example

MOST_BASELINES = 1_000
"""Versions of one initiative."""


class NewBaseline(Shape):
    """A new version: the plan as it stands now."""

    model_config = example({"reason": "Pengadaan diulang, disetujui rapat Tim RB"})

    reason: Reason


class BaselineMilestone(Shape):
    """A milestone as a plan has it."""

    id: UUID
    number: int
    title: str
    weight: int
    technique: Technique
    due_on: Day


class Baseline(Shape):
    """One version of an initiative's baseline; it never changes."""

    number: int
    """1 is the first."""
    current: bool
    """Whether it is the newest, whose dates decide what is scheduled."""
    reason: str | None
    """Null for the plan as it stood when the initiative became active."""
    taken_at: Instant
    taken_by: str
    """Code of the person, or name of the token, that took it."""
    weight: int | None
    """The initiative's own; null in a version from before it was kept."""
    due_on: Day | None
    """The initiative's own; null too where it had none."""
    milestones: int
    finish_on: Day | None
    """The latest date of its milestones."""


class BaselineWithPlan(Baseline):
    """One version, with the plan as it was."""

    plan: list[BaselineMilestone]
    """Its milestones, by number."""


class ComparisonQuery(Shape):
    """What a version is compared with."""

    to: Annotated[int, Field(ge=1, le=MOST_BASELINES), Digits] | None = None
    """Number of another version; the present plan, if left out."""


class MovedMilestone(Shape):
    """A milestone that is due on another day."""

    id: UUID
    number: int
    title: str
    before: Day
    after: Day
    days: int
    """How many days later; negative: earlier."""


class ReweightedMilestone(Shape):
    """A milestone that counts otherwise."""

    id: UUID
    number: int
    title: str
    before: int
    after: int


class ComparedWeight(Shape):
    """How much an initiative counts, in both."""

    before: int
    after: int


class ComparedDueDate(Shape):
    """When an initiative itself is due, in both."""

    before: Day | None
    after: Day | None
    days: int | None
    """How many days later; negative: earlier. Null where it has no date in one of them."""


class ComparedInitiative(Shape):
    """What was agreed on of the initiative itself, in both."""

    weight: ComparedWeight
    due_on: ComparedDueDate


class BaselineComparison(Shape):
    """What became of a version, up to another one or to the present plan."""

    number: int
    to: int | None
    """Null: the present plan."""
    initiative: ComparedInitiative | None
    """Null where one of them is from before this was kept."""
    added: list[BaselineMilestone]
    dropped: list[BaselineMilestone]
    """Those that the later plan has not: dropped, deleted, or left out."""
    moved: list[MovedMilestone]
    reweighted: list[ReweightedMilestone]
    unchanged: int
    """Milestones of both plans with the same date and weight."""
    finish_days: int | None
    """How many days later the last milestone is due; null where a plan has none."""
