"""Obstacles and follow-ups on the wire."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import MISSING, Field, StringConstraints, model_validator

from app.schemas.fields import (
    Day,
    Instant,
    Name,
    Reason,
    Reference,
    Shape,
    Text,
    Year,
    example,
)
from app.schemas.pages import ChangesPaging, Paging, Sort

Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
"""Text that says something, at most 10,000 characters."""


class Severity(StrEnum):
    """How much an obstacle holds up: up to `critical`, by which the plan fails."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class ObstacleState(StrEnum):
    """Where an obstacle is: `open` until somebody works on it, then `resolved`; it may be reopened."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"


class FollowUpState(StrEnum):
    """What became of an action."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class NewObstacle(Shape):
    """What holds an initiative up, or a unit as a whole: one of the two is named."""

    model_config = example(
        {
            "initiative": "QW-2022-014",
            "title": "Server provinsi belum tersedia",
            "severity": "high",
            "due_on": "2022-10-31",
            "decision_asked": "Pakai server pusat sampai akhir tahun?",
        }
    )

    initiative: Reference | None = None
    """Code of the initiative."""
    unit: Reference | None = None
    """Code of the unit."""
    year: Year | None = None
    """Of a unit's obstacle, in whose roll-ups it counts; the present one if left out."""
    title: Name
    description: Text | None = None
    severity: Severity = Severity.MEDIUM
    owner: Reference | None = None
    """Code of the person who sees to it."""
    due_on: Day | None = None
    """By when it is to be resolved."""
    decision_asked: Question | None = None
    """The decision that is needed from those above."""

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.initiative is None) == (self.unit is None):
            message = "an obstacle is of an initiative or of a unit"
            raise ValueError(message)
        if self.initiative is not None and self.year is not None:
            message = "an initiative's obstacle has the year of the initiative"
            raise ValueError(message)
        return self


class ObstacleChanges(Shape):
    """A merge patch of an obstacle."""

    model_config = example({"state": "resolved", "resolution": "Server dipinjamkan KPU pusat"})

    title: Name | MISSING = MISSING
    description: Text | MISSING | None = MISSING
    severity: Severity | MISSING = MISSING
    state: ObstacleState | MISSING = MISSING
    """A resolved one becomes `open` again, with a reason."""
    resolution: Text | MISSING | None = MISSING
    """How it was resolved; only of a resolved one."""
    owner: Reference | MISSING | None = MISSING
    due_on: Day | MISSING | None = MISSING
    decision_asked: Question | MISSING | None = MISSING
    """Asks anew, for another decision than the one that was given; null takes the question back."""
    reason: Reason | MISSING = MISSING


class Escalation(Shape):
    """Hands an obstacle to a unit above."""

    model_config = example({"to": "kpu", "reason": "Di luar wewenang provinsi"})

    to: Reference | None = None
    """Code of a unit above the obstacle's; the root unit is the centre. If left out,
    the next one above the unit that it was handed to, or else above its own."""
    reason: Reason
    decision_asked: Question | None = None
    """The decision that is needed from there; the present question stays if left out."""


class NewDecision(Shape):
    """Answers what was asked."""

    model_config = example({"decision": "Ya, sampai 31 Desember"})

    decision: Question


class Said(Shape):
    """What somebody asked or decided."""

    text: str
    by: str
    """Code of the person, or name of the token that acts for nobody in particular."""
    at: Instant


class Escalated(Shape):
    """To where an obstacle was handed up last."""

    to: str
    """Code of the unit."""
    reason: str
    by: str
    at: Instant


class FollowUpCounts(Shape):
    """Actions against an obstacle."""

    open: int
    overdue: int
    """Open ones whose day is over."""
    done: int


class Obstacle(Shape):
    """What holds up an initiative, or a unit."""

    id: UUID
    unit: str
    """Code of the unit; of the initiative's."""
    initiative: str | None
    """Code of the initiative; null for an obstacle of the unit as a whole."""
    year: int
    title: str
    description: str | None
    severity: Severity
    state: ObstacleState
    owner: str | None
    """Code of the person who sees to it."""
    due_on: Day | None
    overdue_days: int
    """Days since `due_on` while it is not resolved, else 0."""
    escalation: Escalated | None
    decision_asked: Said | None
    decision: Said | None
    waiting: bool
    """Whether it is not resolved, and what was asked is not decided."""
    resolution: str | None
    resolved_at: Instant | None
    follow_ups: FollowUpCounts
    raised_by: str
    created_at: Instant
    updated_at: Instant
    version: int


class ObstaclesQuery(ChangesPaging):
    """How obstacles are filtered."""

    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units: their own and those of their initiatives, with all below them."""
    subtree: bool = True
    """False: the named units alone."""
    initiative: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    severity: list[Severity] = Field(default_factory=list)
    state: list[ObstacleState] = Field(default_factory=list)
    owner: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of people who see to it."""
    overdue: bool | None = None
    """Not resolved, and `due_on` is over."""
    escalated_to: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units to which it was handed."""
    waiting: bool | None = None
    """Waits for a decision."""
    sort: Sort = "-created_at"
    """`created_at`, `due_on` (none last), `severity`, `updated_at`; `-` for descending."""


class NewFollowUp(Shape):
    """An action against an obstacle."""

    model_config = example(
        {"action": "Surati Pusdatin KPU", "owner": "sek-32", "due_on": "2022-10-14"}
    )

    action: Question
    owner: Reference | None = None
    """Code of the person who does it."""
    due_on: Day | None = None


class FollowUpChanges(Shape):
    """A merge patch of an action."""

    model_config = example({"state": "done", "done_on": "2022-10-12"})

    action: Question | MISSING = MISSING
    owner: Reference | MISSING | None = MISSING
    due_on: Day | MISSING | None = MISSING
    state: FollowUpState | MISSING = MISSING
    done_on: Day | MISSING = MISSING
    """Of a done one; today if left out, never in the future."""
    reason: Reason | MISSING = MISSING


class FollowUp(Shape):
    """An action against an obstacle."""

    id: UUID
    obstacle: UUID
    """Id of the obstacle."""
    unit: str
    """Code of the obstacle's unit."""
    initiative: str | None
    """Code of the obstacle's initiative; null where it is the unit's as a whole."""
    action: str
    owner: str | None
    due_on: Day | None
    state: FollowUpState
    done_on: Day | None
    overdue_days: int
    """Days since `due_on` while it is open, else 0."""
    created_at: Instant
    updated_at: Instant
    version: int


class FollowUpsQuery(Paging):
    """How the actions against an obstacle are listed, the oldest first."""

    state: list[FollowUpState] = Field(default_factory=list)


class AllFollowUpsQuery(ChangesPaging):
    """How the actions against all obstacles are filtered."""

    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units: against their own obstacles and those of their initiatives, with all below them."""
    subtree: bool = True
    """False: the named units alone."""
    initiative: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    owner: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of people who do it."""
    state: list[FollowUpState] = Field(default_factory=list)
    overdue: bool | None = None
    """Open, and `due_on` is over."""
    sort: Sort = "-created_at"
    """`created_at`, `due_on` (none last), `updated_at`; `-` for descending."""
