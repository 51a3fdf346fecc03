"""Roll-ups on the wire."""

from typing import Annotated

from pydantic import Field

from app.schemas.fields import Day, Digits, Health, Reference, Shape


class Coverage(Shape):
    """How much of what should be measured is measured."""

    initiatives: int
    """Counted initiatives: active, on hold or completed."""
    measured: int
    """Those with at least one live milestone."""
    percent: float | None
    """Measured ÷ initiatives; null where there are none."""


class InitiativeTotals(Shape):
    """Counted initiatives by status."""

    total: int
    active: int
    on_hold: int
    completed: int
    unmeasured: int
    """Without a live milestone: in `coverage`, not in the percents."""


class MilestoneTotals(Shape):
    """Live milestones of counted initiatives."""

    total: int
    done: int
    overdue: int
    """Past `due_on` and not at 100 % on `as_of`."""
    due_next_30_days: int
    """Not at 100 %, and due on `as_of` or in the 30 days after it."""


class ObstacleTotals(Shape):
    """Obstacles of counted initiatives, and of units as a whole where no area is asked for."""

    open: int
    """Not resolved now, whatever `as_of` is."""
    overdue: int
    """Of these, those that were past their `due_on` on `as_of`."""
    waiting: int
    """Of these, those that wait for a decision now."""


class FollowUpTotals(Shape):
    """Actions against obstacles, of those that are resolved too, where the obstacles count."""

    open: int
    """Open now, whatever `as_of` is."""
    overdue: int
    """Of these, those that were past their `due_on` on `as_of`."""


class _Address(Shape):
    institution: str
    unit: str
    """Code of the unit; the root unit for the institution."""
    unit_name: str


class Numbers(Shape):
    """What a roll-up tells: one ratio of sums over milestones, exact."""

    year: int | None
    """Null: all years."""
    area: str | None
    """Null: all areas, each initiative once."""
    as_of: Day
    version: int
    """The institution's event sequence: every write up to it is included."""
    percent_complete: float | None
    """Earned ÷ budget at completion; null where nothing is measurable."""
    percent_verified: float | None
    verification_gap: float | None = None
    """Complete less verified, percentage points: what is told, and nobody else has confirmed."""
    percent_scheduled: float | None
    schedule_variance: float | None
    """Complete less scheduled, percentage points."""
    schedule_performance_index: float | None
    """Earned ÷ planned; null while nothing is planned."""
    health: Health
    weight: int
    """Sum of the weights of the measured initiatives."""
    coverage: Coverage
    initiatives: InitiativeTotals
    milestones: MilestoneTotals
    obstacles: ObstacleTotals | None = None
    """Null only in reports that were frozen before obstacles were counted."""
    follow_ups: FollowUpTotals | None = None
    """Null only in reports that were frozen before follow-ups were counted."""
    reason: str | None
    """Why percents are null: `no_initiatives` or `no_milestones`."""


class Rollup(Numbers, _Address):
    """The numbers of a unit with all below it: one ratio of sums over milestones, exact."""


class RollupAreas(Shape):
    """The roll-up of a unit for each reform area."""

    items: list[Rollup]
    adds_up: bool
    """Always false: an initiative counts in full under each area that it serves."""


RollupYear = Annotated[int, Field(ge=1900, le=2199), Digits]


class RollupQuery(Shape):
    """What of a roll-up, or of several, is asked for."""

    year: RollupYear | None = None
    """Initiatives of this year; all years if left out."""
    area: Reference | None = None
    """Code of a reform area: initiatives that serve it, in full."""
    as_of: Day | None = None
    """Reports effective by this day, with the plan as it stands now; today if left out."""
