"""Stages on the wire: of an election, or of any other calendar that work has to make room for."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import MISSING, Field, model_validator

from app.schemas.fields import (
    Code,
    Day,
    Digits,
    Instant,
    Label,
    Name,
    Names,
    Reason,
    Reference,
    Shape,
    Url,
    example,
)
from app.schemas.pages import ChangesPaging, Paging, Sort


class StageRelation(StrEnum):
    """What a stage means for an initiative.

    `must_finish_before`: it has to be finished before the stage begins. `runs_during`: it is at work
    in the stage. `blocked_during`: nothing of it can be finished while the stage lasts.
    """

    MUST_FINISH_BEFORE = "must_finish_before"
    RUNS_DURING = "runs_during"
    BLOCKED_DURING = "blocked_during"


class ConflictKind(StrEnum):
    """How a plan and a stage contradict each other.

    `milestone_in_blocked_stage`: an unfinished milestone is due while its initiative is blocked.
    `unfinished_before_stage`: what must be finished before a stage is planned to end after it has
    begun, or is not finished although it has begun.
    """

    MILESTONE_IN_BLOCKED_STAGE = "milestone_in_blocked_stage"
    UNFINISHED_BEFORE_STAGE = "unfinished_before_stage"


class StageLink(Shape):
    """How an initiative relates to a stage; to each stage in one way."""

    stage: Reference
    """Code of the stage."""
    relation: StageRelation


StageLinks = Annotated[list[StageLink], Field(max_length=50)]


class NewStage(Shape):
    """A new stage, from the beginning of its first day to the end of its last."""

    model_config = example(
        {
            "code": "campaign",
            "calendar": "pemilu-2024",
            "name": {"id": "Masa kampanye", "en": "Campaign"},
            "starts_on": "2023-11-28",
            "ends_on": "2024-02-10",
            "basis": "PKPU 3/2022",
        }
    )

    code: Code
    """Unique in the institution, whatever the calendar."""
    calendar: Label
    """Label of the calendar that it belongs to, such as `pemilu-2024`: calendars stand side by side."""
    name: Names
    starts_on: Day
    ends_on: Day
    """The last day, which belongs to it."""
    basis: Name | None = None
    """The regulation that sets it."""
    source_url: Url | None = None
    """Where that can be read."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.ends_on < self.starts_on:
            message = "ends_on cannot be before starts_on"
            raise ValueError(message)
        return self


class StandardStages(Shape):
    """The stages of a calendar that is known here."""

    model_config = example({"calendar": "pemilu-2024"})

    calendar: Label
    """`pemilu-2024`: the 13 stages that PKPU 3/2022 set for the general election of 2024."""


class StageChanges(Shape):
    """A merge patch of a stage."""

    model_config = example({"ends_on": "2024-02-11", "reason": "Perubahan PKPU"})

    calendar: Label | MISSING = MISSING
    name: Names | MISSING = MISSING
    starts_on: Day | MISSING = MISSING
    ends_on: Day | MISSING = MISSING
    basis: Name | MISSING | None = MISSING
    source_url: Url | MISSING | None = MISSING
    reason: Reason | MISSING = MISSING


class Stage(Shape):
    """A stage of a calendar; stages may overlap."""

    id: UUID
    code: str
    calendar: str
    name: Names
    starts_on: Day
    ends_on: Day
    basis: str | None
    source_url: str | None
    created_at: Instant
    updated_at: Instant
    version: int


Calendars = Annotated[list[Label], Field(max_length=50)]
_References = Annotated[list[Reference], Field(max_length=50)]
_Years = Annotated[list[Annotated[int, Field(ge=1900, le=2199), Digits]], Field(max_length=50)]


class Stages(Shape):
    """What became of a call for the stages of a calendar."""

    created: int
    present: int
    """How many were there already, by their codes; they stay as they are by now."""
    items: list[Stage]
    """All of them, by their first days as the calendar set them."""


class StageQuery(ChangesPaging):
    """How stages are filtered and sorted."""

    calendar: Calendars = Field(default_factory=list)
    on: Day | None = None
    """Stages that last on this day."""
    sort: Sort = "starts_on"
    """Fields by comma, `-` for descending: code, calendar, starts_on, ends_on, updated_at."""


class PlacedQuery(Paging):
    """Which initiatives are held against which stages. Filters join by AND; a repeated one by OR."""

    unit: _References = Field(default_factory=list)
    """Codes of units, with all below them."""
    subtree: bool = True
    """False: the named units alone."""
    stage: _References = Field(default_factory=list)
    """Codes of stages."""
    calendar: Calendars = Field(default_factory=list)
    year: _Years = Field(default_factory=list)
    """Years of initiatives."""


class ConflictQuery(PlacedQuery):
    """Which conflicts are listed; by the stage's first day, then by stage, initiative and milestone."""

    kind: list[ConflictKind] = Field(default_factory=list)


class StageConflict(Shape):
    """Where a plan contradicts a stage, as the plan stands today."""

    kind: ConflictKind
    stage: str
    """Code of the stage."""
    calendar: str
    starts_on: Day
    ends_on: Day
    initiative: str
    """Code of the initiative."""
    title: str
    """Of the initiative."""
    unit: str
    """Code of its unit."""
    milestone: int | None
    """Number of the unfinished milestone; of several before a stage the one that is due last. Null
    where an initiative has no milestones, and its own `due_on` counts."""
    milestone_title: str | None
    due_on: Day
    """Of the milestone, else of the initiative."""
    days: int
    """`milestone_in_blocked_stage`: by how many days it would have to move to be due after the stage.
    `unfinished_before_stage`: how many days too late it ends, by its plan or, if that is later, today."""


class LoadQuery(PlacedQuery):
    """For which stages, and of what, the load is asked for; by first day and code."""


class StageLoad(Shape):
    """What is due in a stage: live milestones of counted initiatives, due on one of its days."""

    stage: str
    """Code of the stage."""
    calendar: str
    name: Names
    starts_on: Day
    ends_on: Day
    due: int
    """Milestones that are due in it; those of overlapping stages count in each."""
    done: int
    """Of these, at 100 %."""
    overdue: int
    """Of these, past their due date and not at 100 %, today."""
