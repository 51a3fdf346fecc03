"""Appointments to the reform team on the wire."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import MISSING, Field, model_validator

from app.schemas.fields import Day, Digits, Instant, Reason, Reference, Shape, Year, example
from app.schemas.pages import ChangesPaging, Sort

MOST_RENEWED = 10_000
"""Appointments that one renewal looks at."""


class NewAppointment(Shape):
    """A person in a role of a unit's reform team, for a year or a part of it."""

    model_config = example(
        {
            "person": "sek-32",
            "role": "quick-wins",
            "unit": "32",
            "year": 2024,
            "decree": "SK-TIM-2024",
        }
    )

    person: Reference
    """Code of the person; active, and no program."""
    role: Reference
    """Code of the team role."""
    unit: Reference | None = None
    """Code of the unit whose team it is; the root unit, which is the whole institution, if left out."""
    year: Year
    decree: Reference | None = None
    """Code of the decree that appoints."""
    from_on: Day | None = None
    """First day; 1 January of the year, if left out."""
    until_on: Day | None = None
    """Last day; 31 December of the year, if left out."""
    reason: Reason | None = None


class AppointmentChanges(Shape):
    """A merge patch of an appointment. Who, what, where and the year stay: appoint anew for these."""

    model_config = example({"until_on": "2024-06-30", "reason": "Mutasi"})

    decree: Reference | MISSING | None = MISSING
    from_on: Day | MISSING = MISSING
    until_on: Day | MISSING = MISSING
    reason: Reason | MISSING = MISSING


class Appointment(Shape):
    """A person in a role of a unit's reform team in one year."""

    id: UUID
    person: str
    """Code of the person."""
    role: str
    """Code of the team role."""
    unit: str
    """Code of the unit."""
    year: int
    decree: str | None
    """Code of the decree that appointed them."""
    from_on: Day
    until_on: Day
    """Before the end of the year for who left earlier: a renewal passes them over."""
    created_at: Instant
    updated_at: Instant
    version: int


class AppointmentsQuery(ChangesPaging):
    """How appointments are filtered and sorted."""

    person: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of people."""
    role: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of team roles."""
    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them."""
    subtree: bool = True
    """False: the named units alone."""
    decree: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of decrees."""
    year: Annotated[list[Annotated[int, Field(ge=1900, le=2199), Digits]], Field(max_length=50)] = (
        Field(default_factory=list)
    )
    on: Day | None = None
    """Appointed on this day."""
    sort: Sort = "-year,unit,role,person"
    """Fields by comma, `-` for descending: year, unit, role, person, from_on, until_on, created_at."""


class NewRenewal(Shape):
    """A whole year's team, appointed again for a later year."""

    model_config = example(
        {"from_year": 2023, "to_year": 2024, "decree": "SK-TIM-2024", "unit": "32"}
    )

    from_year: Year
    to_year: Year
    decree: Reference | None = None
    """Code of the decree that appoints them again."""
    unit: Reference | None = None
    """Code of the unit whose teams these are, with all below it; the root unit if left out."""
    from_on: Day | None = None
    """First day of the new appointments; 1 January of `to_year`, if left out."""
    reason: Reason | None = None

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.to_year <= self.from_year:
            message = "to_year comes after from_year"
            raise ValueError(message)
        return self


class PassedOver(StrEnum):
    """Why somebody was not appointed again."""

    ENDED = "ended"
    INACTIVE_PERSON = "inactive_person"
    RETIRED_ROLE = "retired_role"
    ARCHIVED_UNIT = "archived_unit"


class NotRenewed(Shape):
    """An appointment that was not renewed."""

    person: str
    role: str
    unit: str
    cause: PassedOver
    """`ended`: before the end of its year."""


class Renewal(Shape):
    """What became of a year's team."""

    from_year: int
    to_year: int
    unit: str
    decree: str | None
    appointed: int
    """How many are appointed now."""
    already_there: int
    """How many had the same role in that year before: sent twice, nobody is appointed twice."""
    passed_over: list[NotRenewed]
