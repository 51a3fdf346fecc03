"""Programmes across institutions on the wire."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import MISSING, Field, model_validator

from app.schemas.fields import Code, Day, Instant, Names, Reason, Reference, Shape, Year, example
from app.schemas.groups import GroupNumbers
from app.schemas.pages import ChangesPaging, Paging
from app.schemas.rollups import RollupYear

Carriers = Annotated[list[Reference], Field(max_length=1_000)]


class NewProgramme(Shape):
    """A new programme."""

    model_config = example(
        {
            "code": "spbe-2025",
            "name": {"id": "Percepatan SPBE", "en": "E-government programme"},
            "level": "meso",
            "lead": "kpu",
            "carriers": ["kpu"],
            "from_year": 2025,
            "to_year": 2029,
        }
    )

    code: Code
    """Unique over all institutions."""
    name: Names
    level: Reference | None = None
    """Code of the level on which it is led."""
    lead: Reference
    """Code of the institution that leads it; its admins may change it."""
    carriers: Carriers = Field(default_factory=list)
    """Codes of the institutions that carry it out; the leading one may be among them."""
    from_year: Year
    to_year: Year | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.to_year is not None and self.to_year < self.from_year:
            message = "to_year cannot be before from_year"
            raise ValueError(message)
        return self


class ProgrammeChanges(Shape):
    """A merge patch of a programme; the carriers are replaced whole."""

    model_config = example({"to_year": 2030})

    name: Names | MISSING = MISSING
    level: Reference | MISSING | None = MISSING
    lead: Reference | MISSING = MISSING
    """For operators: who leads may change it."""
    carriers: Carriers | MISSING = MISSING
    """Institutions that you do not see may stay or go; an operator adds them."""
    from_year: Year | MISSING = MISSING
    to_year: Year | MISSING | None = MISSING
    reason: Reason | MISSING = MISSING


class Programme(Shape):
    """A programme that one institution leads and others carry out."""

    id: UUID
    code: str
    name: Names
    level: str | None
    lead: str
    carriers: list[str]
    """By code."""
    from_year: int
    to_year: int | None
    created_at: Instant
    updated_at: Instant
    version: int


class ProgrammeQuery(ChangesPaging):
    """Which programmes. Filters join by AND; a repeated one by OR."""

    level: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    year: RollupYear | None = None
    """Those that run in this year."""


class ProgrammeRollupQuery(Shape):
    """What of a programme is asked for. Always of today, like groups."""

    year: RollupYear | None = None
    """Initiatives of this year; all years if left out."""


class ProgrammeInstitutionsQuery(ProgrammeRollupQuery, Paging):
    """What of a programme's institutions is asked for."""


class ProgrammeRollup(GroupNumbers):
    """The numbers of a programme over all its institutions."""

    programme: str
    year: int | None
    as_of: Day
    """UTC's day."""
    institutions: int
    """How many of its institutions are in it; 0 for who reads none of them as a whole."""


class InstitutionInProgramme(GroupNumbers):
    """The numbers of a programme in one of its institutions."""

    institution: str
    institution_name: str
    leads: bool
    carries: bool
