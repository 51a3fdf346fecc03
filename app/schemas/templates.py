"""Templates on the wire, and copies of them."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from pydantic import MISSING, AfterValidator, Field, StringConstraints, model_validator

from app.schemas.fields import (
    Code,
    Day,
    InitiativeKind,
    Instant,
    Label,
    Name,
    Origin,
    Reason,
    Reference,
    Shape,
    Technique,
    Text,
    Weight,
    Year,
    example,
)
from app.schemas.initiatives import Areas, Owners, Tags
from app.schemas.milestones import MOST_MILESTONES, MilestoneNumber

MOST_COPIES = 1_000
"""Units of one call."""
PLACEHOLDER = "{unit}"
"""Stands for the unit's code in a pattern of codes."""
_LEAP_YEAR = 2000


def _day_of_a_year(value: str) -> str:
    date.fromisoformat(f"{_LEAP_YEAR}-{value}")
    return value


MonthDay = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{2}-[0-9]{2}$"), AfterValidator(_day_of_a_year)
]
"""A day of any year, MM-DD; 02-29 is the 28th where there is no such day."""


class TemplateMilestone(Shape):
    """A milestone that every copy gets: due some days after the start, or on a day of the year."""

    title: Name
    number: MilestoneNumber | None = None
    """Its number in the initiative; one more than all before it if left out."""
    description: Text | None = None
    weight: Weight = 1
    technique: Technique = Technique.PERCENT
    due_after_days: Annotated[int, Field(strict=True, ge=0, le=3660)] | None = None
    """Days from the copy's start to the due date. Either this or `due_month_day`."""
    due_month_day: MonthDay | None = None
    """Day of the copy's year, MM-DD, such as `06-30`; 02-29 is 02-28 where there is none."""

    @model_validator(mode="after")
    def _due_once(self) -> Self:
        if (self.due_after_days is None) == (self.due_month_day is None):
            message = "either due_after_days or due_month_day is needed"
            raise ValueError(message)
        return self


TemplateMilestones = Annotated[list[TemplateMilestone], Field(max_length=MOST_MILESTONES)]


class NewTemplate(Shape):
    """A new template."""

    model_config = example(
        {
            "code": "pelayanan-satu-pintu",
            "title": "Pelayanan satu pintu",
            "areas": ["public-service"],
            "milestones": [
                {"title": "Tim dibentuk", "due_after_days": 30},
                {"title": "Layanan dibuka", "due_month_day": "12-15", "weight": 2},
            ],
        }
    )

    code: Code
    title: Name
    description: Text | None = None
    kind: InitiativeKind = InitiativeKind.QUICK_WIN
    origin: Origin = Origin.SELF_SELECTED
    weight: Weight = 1
    areas: Areas = Field(default_factory=list)
    """Codes of reform areas."""
    tags: Tags = Field(default_factory=list)
    expected_result: Text | None = None
    milestones: TemplateMilestones = Field(default_factory=list)
    reason: Reason | None = None


class TemplateChanges(Shape):
    """A merge patch of a template; lists are replaced whole. Copies that are there stay as they are."""

    model_config = example({"weight": 3, "reason": "Diprioritaskan"})

    title: Name | MISSING = MISSING
    description: Text | MISSING | None = MISSING
    kind: InitiativeKind | MISSING = MISSING
    origin: Origin | MISSING = MISSING
    weight: Weight | MISSING = MISSING
    areas: Areas | MISSING = MISSING
    tags: Tags | MISSING = MISSING
    expected_result: Text | MISSING | None = MISSING
    milestones: TemplateMilestones | MISSING = MISSING
    reason: Reason | MISSING = MISSING


class Template(Shape):
    """What an institution wants in many units: a quick win with its standard milestones."""

    id: UUID
    code: str
    title: str
    description: str | None
    kind: InitiativeKind
    origin: Origin
    weight: int
    areas: list[str]
    tags: list[str]
    expected_result: str | None
    milestones: list[TemplateMilestone]
    created_at: Instant
    updated_at: Instant
    version: int


class NewCopies(Shape):
    """Which units get a copy, and what the template leaves open."""

    model_config = example(
        {
            "below": "32",
            "kinds": ["regency", "city"],
            "year": 2026,
            "start_on": "2026-01-15",
            "code": "QW-2026-PSP-{unit}",
        }
    )

    units: Annotated[list[Reference], Field(max_length=MOST_COPIES)] = Field(default_factory=list)
    """Codes of units."""
    below: Reference | None = None
    """Code of a unit: all units below it too, but archived ones."""
    kind: Label | None = None
    """Of the units below, those of this kind."""
    kinds: Annotated[list[Label], Field(max_length=50)] = Field(default_factory=list)
    """Of the units below, those of one of these kinds, that of `kind` too."""
    year: Year
    start_on: Day | None = None
    """Owed where a milestone is due so many days after the start."""
    code: Annotated[
        str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9._-]*\{unit\}[A-Za-z0-9._-]*$")
    ]
    """Code of each copy, with `{unit}` for the code of its unit."""
    owners: Owners = Field(default_factory=list)
    """Of each copy."""
    reason: Reason | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not self.units and self.below is None:
            message = "name units, or the unit below which they are"
            raise ValueError(message)
        if (self.kind is not None or self.kinds) and self.below is None:
            message = "kinds are of the units below a unit: name that"
            raise ValueError(message)
        return self


class CopyOf(Shape):
    """One unit's copy."""

    unit: str
    code: str
    """Code of the initiative."""
    created: bool
    """False: it was there already, copied from this template for this unit and year."""


class Copies(Shape):
    """What became of a call."""

    created: int
    present: int
    """How many were there already; they stay as they are by now."""
    items: list[CopyOf]
    """One for each unit, in the order of the units' codes."""
