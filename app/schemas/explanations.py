"""Why a number is what it is, and what moved it, on the wire."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from app.schemas.fields import Day, Health, Reference, Shape
from app.schemas.pages import Paging
from app.schemas.rollups import Coverage, RollupQuery, RollupYear


class Values(Shape):
    """Exact integers: points × basis points. An initiative of weight 1 is 10,000,000,000 of them."""

    bac: int
    """Budget at completion."""
    planned_value: int
    earned_value: int
    verified_value: int


class Kind(StrEnum):
    """What a term stands for."""

    UNIT = "unit"
    OWN = "own"
    INITIATIVE = "initiative"
    MILESTONE = "milestone"


class Term(Shape):
    """One part of a number. The values of all terms add up to the total's exactly."""

    kind: Kind
    code: str
    """Code of the unit or initiative; number of the milestone."""
    name: str
    weight: int
    values: Values
    percent_complete: float | None
    """Its own: earned ÷ its budget."""
    percent_verified: float | None
    percent_scheduled: float | None
    health: Health | None
    """Null for a milestone."""
    share: float | None
    """Its budget in percent of the total's."""
    contribution: float | None
    """Percentage points that it brings to the total's `percent_complete`: earned ÷ total budget."""


class LeftOut(Shape):
    """The unit's own initiatives that are in no term. Those of the units below are told by them."""

    unmeasured: int
    """They count, but have no live milestone."""
    proposed: int
    shortlisted: int
    cancelled: int


class ExplanationQuery(RollupQuery, Paging):
    """What is explained."""


class _Explanation(Shape):
    as_of: Day
    version: int
    percent_complete: float | None
    percent_verified: float | None
    percent_scheduled: float | None
    values: Values
    """The total of all terms, on all pages."""
    items: list[Term]
    """The largest earned value first, then the largest budget."""


class Explanation(_Explanation):
    """The terms of a unit's number: the units directly below it, and its own initiatives."""

    institution: str
    unit: str
    unit_name: str
    year: int | None
    area: str | None
    coverage: Coverage
    left_out: LeftOut
    reason: str | None
    """Why percents are null."""
    next_cursor: str | None
    total: int | None
    """How many terms there are; only with `include_total=true`."""


class InitiativeExplanationQuery(Shape):
    """When."""

    as_of: Day | None = None
    """Reports effective by this day; today if left out."""


class InitiativeExplanation(_Explanation):
    """The terms of an initiative's number: its live milestones."""

    institution: str
    initiative: str
    unit: str
    counted: bool
    """Whether its status lets it into the numbers of its unit."""
    dropped: int
    """Milestones that are left out since they were dropped."""


class Level(StrEnum):
    """How finely changes are told."""

    UNIT = "unit"
    INITIATIVE = "initiative"
    MILESTONE = "milestone"


class ChangesQuery(Paging):
    """Between which dates, and how finely."""

    year: RollupYear | None = None
    """Initiatives of this year; all years if left out."""
    area: Reference | None = None
    """Code of a reform area: initiatives that serve it, in full."""
    from_: Annotated[Day, Field(alias="from")]
    """What was so at the end of this day …"""
    to: Day | None = None
    """… is compared with the end of this one; today if left out."""
    level: Level = Level.UNIT
    """`unit`: the units directly below, and the unit's own initiatives together; `initiative` and
    `milestone`: all those in the subtree that moved."""


class Move(Shape):
    """What one part did to the number. The moves of all parts add up to the difference exactly."""

    kind: Kind
    code: str
    name: str
    unit: str
    """Code of its unit."""
    initiative: str | None
    """Code of a milestone's initiative."""
    before: float | None
    """Its own percent complete."""
    after: float | None
    change: float
    """Percentage points of the total's `percent_complete`."""
    earned_value: int
    """What it has earned between the dates, in points × basis points; negative if it lost."""


class Changes(Shape):
    """What moved a number between two dates, with the plan as it stands now; largest first."""

    institution: str
    unit: str
    unit_name: str
    year: int | None
    area: str | None
    version: int
    from_: Annotated[Day, Field(alias="from", serialization_alias="from")]
    to: Day
    level: Level
    before: float | None
    """Percent complete at the end of `from`."""
    after: float | None
    change: float | None
    """Percentage points between the two, rounded once."""
    bac: int
    """Budget at completion, in points × basis points."""
    earned_value: int
    """What was earned between the dates: the sum of all moves."""
    items: list[Move]
    next_cursor: str | None
    total: int | None
    """How many moves there are; only with `include_total=true`."""
