"""Reporting periods on the wire: windows, locks, and who has reported and who has not."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import MISSING, Field, model_validator

from app.messages import said
from app.schemas.fields import (
    Code,
    Day,
    Digits,
    Flag,
    Instant,
    Names,
    Reason,
    Reference,
    Shape,
    Year,
    example,
)
from app.schemas.pages import ChangesPaging, Paging, Sort

DaysBefore = Annotated[list[Annotated[int, Field(strict=True, ge=0, le=366)]], Field(max_length=10)]
"""Days before `closes_on`, each 0-366; at most 10."""


class PeriodState(StrEnum):
    """Where a period is: before its window, in it, behind it and not closed yet, closed, reopened."""

    UPCOMING = "upcoming"
    OPEN = "open"
    OVER = "over"
    CLOSED = "closed"
    REOPENED = "reopened"


class NewPeriod(Shape):
    """A new reporting period."""

    model_config = example(
        {
            "code": "2026-B03",
            "name": {"id": "B03 tahun 2026", "en": "B03 of 2026"},
            "year": 2026,
            "starts_on": "2026-01-01",
            "ends_on": "2026-03-31",
            "opens_on": "2026-03-25",
            "closes_on": "2026-04-10",
        }
    )

    code: Code
    name: Names
    year: Year
    """Initiatives of this year owe a report."""
    starts_on: Day
    """First of the days that it is about; they overlap with those of no other period."""
    ends_on: Day
    """Last of the days that it is about."""
    opens_on: Day
    """First day of the window in which reports are handed in."""
    closes_on: Day
    """Last day of the window; later reports are `late`. Not before `ends_on`."""
    remind_days_before: DaysBefore = Field(default_factory=lambda: [7, 1])
    """So many days before `closes_on` there is an event `period.reminder`, and for each unit that owes
    a report a `period.unit_reminder`, with its initiatives and who is accountable for them."""
    closes_by_itself: Flag = True
    """Whether it is closed on the day after `closes_on`; else somebody closes it."""
    locks: Flag = True
    """Whether no report on its days is taken once it is closed; else such reports are `late`."""
    all_years: Flag = False
    """Whether initiatives of all years owe a report, not only those of `year`."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for earlier, later in ORDERED:
            if getattr(self, earlier) > getattr(self, later):
                message = said("{earlier} cannot be after {later}", earlier=earlier, later=later)
                raise ValueError(message)
        return self


ORDERED = (("starts_on", "ends_on"), ("opens_on", "closes_on"), ("ends_on", "closes_on"))
"""Which days of a period come in which order."""


class StandardPeriods(Shape):
    """The four periods of a year: B03, B06, B09 and B12."""

    model_config = example({"year": 2026})

    year: Year
    days_to_report: Annotated[int, Field(strict=True, ge=0, le=90)] = 10
    """So many days after its last day a period closes; it opens a week before that last day."""
    closes_by_itself: Flag = True
    """False for a year that is over: its windows would be closed, and its days locked, at once."""


class PeriodChanges(Shape):
    """A merge patch of a period. Days and window of a closed one stay as they are."""

    model_config = example({"closes_on": "2026-04-17", "reason": "Libur Idulfitri"})

    name: Names | MISSING = MISSING
    year: Year | MISSING = MISSING
    starts_on: Day | MISSING = MISSING
    ends_on: Day | MISSING = MISSING
    opens_on: Day | MISSING = MISSING
    closes_on: Day | MISSING = MISSING
    """Reports that came before the change stay as they were flagged."""
    remind_days_before: DaysBefore | MISSING = MISSING
    closes_by_itself: Flag | MISSING = MISSING
    locks: Flag | MISSING = MISSING
    all_years: Flag | MISSING = MISSING
    reason: Reason | MISSING = MISSING


class Closing(Shape):
    """Closes a period by hand."""

    model_config = example({"reason": "Semua satker sudah melapor"})

    reason: Reason | None = None


class NewReopening(Shape):
    """Lets reports on a closed period's days in again for a while."""

    model_config = example({"reason": "Gangguan jaringan di Papua", "until": "2026-04-20"})

    reason: Reason
    """Why; owed, and kept with the period."""
    until: Day
    """The last day; on the day after it the period is closed again. Not in the past."""


class Counts(Shape):
    """Initiatives that owe a report on a period, by what has come."""

    owing: int
    """That owe a report: active or on hold, with a milestone that was not done before the period."""
    in_time: int
    """With a report on a day of the period that came within the window."""
    late: int
    """With such reports only after the window."""
    missing: int
    """With none."""
    percent_reported: float | None
    """In time or late, of those that owe one; null where none does."""


class Reopening(Shape):
    """When a closed period was reopened last."""

    reason: str
    until: Day
    by: str
    """Code of the person, or name of the token that acts for nobody in particular."""
    at: Instant


class Period(Shape):
    """A reporting period."""

    id: UUID
    code: str
    name: Names
    year: int
    starts_on: Day
    ends_on: Day
    opens_on: Day
    closes_on: Day
    remind_days_before: list[int]
    closes_by_itself: bool
    locks: bool
    all_years: bool
    state: PeriodState
    """As of today; `locked_at` tells whether reports on its days are refused."""
    closed_at: Instant | None
    """Null while it is not closed, or reopened."""
    closed_by: str | None
    locked_at: Instant | None
    report: UUID | None
    """Id of the frozen report of its last close."""
    at_close: Counts | None
    """Who had reported, of the whole institution, when it was closed last."""
    reopened: Reopening | None
    """The last reopening, also when it is over."""
    created_at: Instant
    updated_at: Instant
    version: int


class Periods(Shape):
    """Several periods that were made in one call."""

    items: list[Period]


PeriodYear = Annotated[int, Field(ge=1900, le=2199), Digits]


class PeriodsQuery(ChangesPaging):
    """How periods are listed; the earliest days first."""

    year: Annotated[list[PeriodYear], Field(max_length=50)] = Field(default_factory=list)
    state: list[PeriodState] = Field(default_factory=list)
    covers: Day | None = None
    """The one that is about this day."""
    ended_before: Day | None = None
    """Those whose last day is before this one."""
    sort: Sort = "starts_on"
    """`starts_on` or `closes_on`, `-` for descending."""


class StandingQuery(Shape):
    """Of which unit is asked who has reported."""

    unit: Reference | None = None
    """Code of a unit with all below it; the root if left out."""


class UnitStanding(Counts):
    """Who has reported in a unit with all below it, or in the unit itself."""

    unit: str
    """Code of the unit."""
    unit_name: str


class PeriodStanding(Shape):
    """Who has reported on a period and who has not, as things stand now."""

    period: str
    """Code of the period."""
    closes_on: Day
    total: UnitStanding
    """The unit that is asked for, with all below it: what `own` and `items` add up to."""
    own: UnitStanding
    """Its own initiatives."""
    items: list[UnitStanding]
    """Each unit directly below it, with all below that one, by code."""


class MissingFilter(Shape):
    """Which of the initiatives that owe a report and have none are wanted."""

    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them."""
    subtree: bool = True
    """False: the named units alone."""
    owner: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of people who own the initiative in any role."""
    sort: Sort = "unit,initiative"
    """`unit`, `initiative`, `last_reported_at` (never first), `-` for descending."""


class MissingQuery(MissingFilter, Paging):
    """Which of the initiatives that owe a report and have none are listed."""


class Chased(Shape):
    """Who is accountable for what is missing."""

    code: str
    name: str | None
    """Null where you may not see the person."""
    email: str | None
    """Null where there is none, or you may not see the person."""


class MissingReport(Shape):
    """An initiative that owes a report on a period and has none."""

    initiative: str
    """Code of the initiative."""
    title: str
    unit: str
    unit_name: str
    accountable: Chased | None
    days_late: int
    """Days since the window closed; 0 until then."""
    last_reported_at: Instant | None
    """When the initiative was last reported on, whatever the period; null if never."""
