"""What needs attention, on the wire: stale initiatives, late milestones, and what is due next."""

from typing import Annotated

from pydantic import Field

from app.schemas.fields import Day, Digits, Instant, MilestoneStatus, Reference, Shape
from app.schemas.milestones import Milestone
from app.schemas.pages import Paging, Sort
from app.schemas.rollups import RollupYear

DaysAhead = Annotated[int, Field(ge=0, le=3660), Digits]


class AttentionQuery(Shape):
    """What is asked for. Always of today."""

    year: RollupYear | None = None
    """Initiatives of this year; all years if left out."""
    area: Reference | None = None
    """Code of a reform area: initiatives that serve it, in full."""
    days: DaysAhead = 30
    """How far ahead `due` looks, today included."""


class Stale(Shape):
    """Active initiatives that are not finished and have been silent for too long."""

    after_days: int
    """`policy.stale_after_days`."""
    initiatives: int
    never_reported: int
    """Those of them without any report."""


class Deadlines(Shape):
    """Unfinished milestones of counted initiatives, and what they still have to earn."""

    milestones: int
    initiatives: int
    value: int
    """Points × basis points that are not earned yet."""
    percent: float | None
    """The same in percent of the budget at completion: points late, or to come."""


class Overdue(Deadlines):
    """Past their due date."""

    longest_days: int
    """Days since the earliest due date of them; 0 without any."""


class Due(Deadlines):
    """Due from today on."""

    days: int


class Attention(Shape):
    """What of a unit with all below it needs attention today."""

    institution: str
    unit: str
    unit_name: str
    year: int | None
    area: str | None
    as_of: Day
    version: int
    stale: Stale
    overdue: Overdue
    due: Due


class PlannedMilestone(Milestone):
    """A milestone with the initiative that it belongs to."""

    initiative: str
    """Code of its initiative."""
    initiative_title: str
    unit: str
    """Code of the initiative's unit."""
    late_value: int
    """Points × basis points that it should have earned by now; 0 unless it is overdue."""


class MilestonesFilter(Shape):
    """How an institution's milestones are filtered. Filters join by AND."""

    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them."""
    subtree: bool = True
    """False: the named units alone."""
    area: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    year: Annotated[list[RollupYear], Field(max_length=50)] = Field(default_factory=list)
    owner: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of people who own its initiative, in any role."""
    status: list[MilestoneStatus] = Field(default_factory=list)
    counted: bool | None = None
    """Whether the initiative's status lets it into roll-ups."""
    overdue: bool | None = None
    """Whether it is live, counted, past its due date and not done."""
    due_within: DaysAhead | None = None
    """Live, counted, not done, and due from today to this many days ahead."""
    due_before: Day | None = None
    due_after: Day | None = None
    updated_since: Instant | None = None
    """Changed at or after this instant."""


class MilestonesQuery(MilestonesFilter, Paging):
    """How an institution's milestones are filtered and sorted. Filters join by AND."""

    sort: Sort = "due_on"
    """Fields by comma, `-` for descending: due_on, initiative, title, weight, percent_complete."""
