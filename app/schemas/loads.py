"""What somebody owns, on the wire: their load today, and their record."""

from typing import Annotated

from pydantic import Field

from app.schemas.fields import Day, Digits, Shape


class LoadQuery(Shape):
    """Which years are asked for."""

    year: Annotated[list[Annotated[int, Field(ge=1900, le=2199), Digits]], Field(max_length=50)] = (
        Field(default_factory=list)
    )
    """Years of initiatives, and of units' obstacles; all if left out."""


class OpenInitiatives(Shape):
    """Initiatives that are active or on hold, by the role that the person has in each."""

    total: int
    accountable: int
    responsible: int
    supporting: int


class OpenMilestones(Shape):
    """Live milestones below 100 % of initiatives that count: active, on hold or completed."""

    open: int
    overdue: int
    due_next_30_days: int
    """From today on."""


class OwnedObstacles(Shape):
    """Obstacles that the person sees to, whether of an initiative or of a unit as a whole."""

    total: int
    open: int
    """Not resolved."""
    overdue: int
    """Not resolved, and past the day by which they were to be."""


class OpenFollowUps(Shape):
    """Actions against obstacles that the person does."""

    open: int
    overdue: int
    """Open, and past their day."""


class YearInitiatives(Shape):
    """Initiatives of a year."""

    total: int
    undecided: int
    """Proposed or shortlisted."""
    open: int
    """Active or on hold."""
    completed: int
    cancelled: int


class YearMilestones(OpenMilestones):
    """Live milestones of a year's initiatives that count."""

    done_on_time: int
    """At 100 % by the day they were due: by the baseline, where there is one."""
    done_late: int
    percent_on_time: float | None
    """Of those that are done; null where none is."""


class YearRecord(Shape):
    """What a person owned in a year, in any role."""

    year: int
    """Of the initiatives."""
    initiatives: YearInitiatives
    milestones: YearMilestones


class Load(Shape):
    """What a person has to do, and how it went before; as far as you may see it."""

    person: str
    """Code of the person."""
    name: str
    as_of: Day
    """Today, in the institution's time zone."""
    initiatives: OpenInitiatives
    milestones: OpenMilestones
    obstacles: OwnedObstacles
    follow_ups: OpenFollowUps
    years: list[YearRecord]
    """The latest first; years without an initiative of theirs are left out."""
