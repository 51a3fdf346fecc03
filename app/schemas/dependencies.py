"""Dependencies on the wire: what has to be finished before something else can be."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.schemas.fields import Day, Instant, Reason, Reference, Shape, example
from app.schemas.milestones import MilestoneNumber
from app.schemas.pages import Paging

MOST_LAG_DAYS, MOST_PREDECESSORS = 3_660, 200


class Side(StrEnum):
    """Which part something has in a dependency."""

    PREDECESSOR = "predecessor"
    SUCCESSOR = "successor"


class NewDependency(Shape):
    """An initiative, or one of its milestones, waits for another to be finished."""

    model_config = example(
        {"milestone": 3, "predecessor": "QW-2022-002", "predecessor_milestone": 1, "lag_days": 14}
    )

    milestone: MilestoneNumber | None = None
    """Number of the milestone that waits; the whole initiative if left out."""
    predecessor: Reference
    """Code of the initiative that it waits for."""
    predecessor_milestone: MilestoneNumber | None = None
    """Number of its milestone; the whole initiative if left out."""
    lag_days: Annotated[int, Field(strict=True, ge=-MOST_LAG_DAYS, le=MOST_LAG_DAYS)] = 0
    """Days to wait after the predecessor is finished; negative: before."""
    reason: Reason | None = None


class End(Shape):
    """An initiative or a milestone on one side of a dependency.

    Of what you do not see the code and the number alone are told.
    """

    initiative: str
    milestone: int | None
    """Null: the whole initiative."""
    title: str | None
    due_on: Day | None
    """Of an initiative, when its last live milestone is due, or else its own `due_on`."""
    over: bool | None
    """Whether nothing is left to wait for: done, or out of the plan (dropped, cancelled)."""


class Dependency(Shape):
    """The successor waits for the predecessor to finish."""

    id: UUID
    predecessor: End
    successor: End
    lag_days: int
    late: bool
    """Whether a predecessor that is not over is overdue, or due (with the lag) after a successor
    that is not over either."""
    created_at: Instant
    created_by: str
    """Code of the person, or name of the token, that made it."""


class DependencyFilter(Shape):
    """Which dependencies of an initiative."""

    late: bool | None = None
    """Only those with a late predecessor, or only the others."""


class InitiativeDependencyQuery(DependencyFilter, Paging):
    """How the dependencies of an initiative are listed."""

    side: Side | None = None
    """Of which part the others are: `predecessor` for what it waits for."""


class DependencyQuery(DependencyFilter, Paging):
    """How the dependencies of an institution are listed."""

    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them, whose initiatives wait."""
