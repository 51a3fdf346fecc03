"""What is different between two reports, on the wire."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from app.schemas.fields import Day, Shape
from app.schemas.reports import OverdueMilestone


class Presence(StrEnum):
    """Where something is found: in both reports, or in one of them only."""

    BOTH = "both"
    BEFORE = "before"
    AFTER = "after"


class PercentDifference(Shape):
    """A percent in both reports; null where it is not measurable, or not there."""

    before: float | None
    after: float | None
    change: float | None
    """After less before, percentage points; null where either is null."""


class CountDifference(Shape):
    """A number in both reports; null where it is not there."""

    before: int | None
    after: int | None
    change: int | None
    """After less before; null where either is null."""


class RollupDifference(Shape):
    """A unit or one of its areas, before and after."""

    unit: str
    unit_name: str
    area: str | None
    present: Presence
    percent_complete: PercentDifference
    percent_verified: PercentDifference
    percent_scheduled: PercentDifference
    milestones_done: CountDifference
    milestones_overdue: CountDifference


class OverdueDifference(Shape):
    """Overdue milestones of one report that are not in the other, by initiative and number."""

    came: list[OverdueMilestone]
    """Overdue after, not before."""
    went: list[OverdueMilestone]
    """Overdue before, not after."""


class Side(Shape):
    """One of the two that are compared."""

    report: UUID | None
    """The frozen report; null for the present state."""
    as_of: Day
    version: int
    """The institution's event sequence that it includes."""


class Difference(Shape):
    """What is different between a frozen report and another, or the present state."""

    before: Side
    """The report of the address."""
    after: Side
    """The report `with` which it is compared, or the present state."""
    unit: RollupDifference
    children: list[RollupDifference]
    """By code, without regard to case: a child whose code has changed is found on either side."""
    areas: list[RollupDifference]
    overdue: OverdueDifference


class DifferenceQuery(Shape):
    """What a frozen report is compared with."""

    with_: UUID | None = Field(default=None, alias="with")
    """Id of another report on the same unit and year; the present state if left out."""
