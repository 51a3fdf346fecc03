"""Indicators on the wire, with targets and actuals by period and by year."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import MISSING, Field, model_validator

from app.schemas.amounts import Amount, Figure
from app.schemas.fields import (
    Code,
    Day,
    Instant,
    Name,
    Names,
    Reason,
    Reference,
    Shape,
    Text,
    Url,
    Year,
    example,
)
from app.schemas.pages import ChangesPaging
from app.schemas.rollups import RollupYear


class Polarity(StrEnum):
    """What is better: `higher` values or `lower` ones."""

    HIGHER = "higher"
    LOWER = "lower"


class Aggregation(StrEnum):
    """How periods add up to a year: their `sum`, the `last` of them, or their `average`."""

    SUM = "sum"
    LAST = "last"
    AVERAGE = "average"


class NewIndicator(Shape):
    """A new indicator."""

    model_config = example(
        {
            "code": "ikm",
            "name": {"id": "Indeks kepuasan masyarakat", "en": "Citizen satisfaction"},
            "unit_of_measure": "indeks 0-100",
            "polarity": "higher",
            "aggregation": "last",
            "baseline": 81.2,
            "baseline_year": 2021,
        }
    )

    code: Code
    name: Names
    unit_of_measure: Name
    polarity: Polarity = Polarity.HIGHER
    aggregation: Aggregation = Aggregation.LAST
    baseline: Amount | None = None
    baseline_year: Year | None = None
    source: Text | None = None
    """Who measures it, and how."""
    source_url: Url | None = None
    retired_on: Day | None = None
    reason: Reason | None = None


class NewUnitIndicator(NewIndicator):
    """A new indicator of a unit."""

    unit: Reference | None = None
    """Code of the unit; the institution as a whole if left out."""


class IndicatorChanges(Shape):
    """A merge patch of an indicator."""

    model_config = example({"retired_on": "2021-09-16", "reason": "Dihentikan penerbitnya"})

    name: Names | MISSING = MISSING
    unit_of_measure: Name | MISSING = MISSING
    polarity: Polarity | MISSING = MISSING
    aggregation: Aggregation | MISSING = MISSING
    baseline: Amount | MISSING | None = MISSING
    baseline_year: Year | MISSING | None = MISSING
    source: Text | MISSING | None = MISSING
    source_url: Url | MISSING | None = MISSING
    retired_on: Day | MISSING | None = MISSING
    """From this day on it takes no values; what it has stays. Null brings it back."""
    reason: Reason | MISSING = MISSING


class Indicator(Shape):
    """What is measured, period by period."""

    id: UUID
    code: str
    name: Names
    unit: str | None
    """Code of its unit; null for a national one."""
    unit_of_measure: str
    polarity: Polarity
    aggregation: Aggregation
    baseline: Amount | None
    baseline_year: int | None
    source: str | None
    source_url: str | None
    retired_on: Day | None
    created_at: Instant
    updated_at: Instant
    version: int


class IndicatorYear(Shape):
    """A year of an indicator, as its periods add up. A period belongs to the year that it ends in."""

    year: int
    periods: int
    measured: int
    """Those with an actual value."""
    target: Figure | None
    """Over all periods that have one."""
    actual: Figure | None
    """Over all periods that have one."""
    target_to_date: Figure | None
    """Over the periods that have both a target and an actual value."""
    achieved_percent: Figure | None
    """Of `target_to_date`, by the actual values of the same periods. Higher is better: actual ÷
    target; lower is better: (2 × target - actual) ÷ target. Null where the target is not above 0."""


class IndicatorWithYears(Indicator):
    """An indicator with its years."""

    years: list[IndicatorYear]
    """In their order."""


class IndicatorQuery(ChangesPaging):
    """Which indicators."""

    retired: bool | None = None
    """Whether they were retired by today."""


class UnitIndicatorQuery(IndicatorQuery):
    """Which indicators of an institution. Filters join by AND; a repeated one by OR."""

    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them."""


class PeriodValue(Shape):
    """What is aimed at and reached in a period; the whole of it."""

    model_config = example(
        {"starts_on": "2022-01-01", "ends_on": "2022-03-31", "target": 82, "actual": 81.75}
    )

    starts_on: Day
    ends_on: Day
    target: Amount | None = None
    actual: Amount | None = None
    source: Text | None = None
    source_url: Url | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.ends_on < self.starts_on:
            message = "ends_on cannot be before starts_on"
            raise ValueError(message)
        return self


class IndicatorValue(Shape):
    """A period of an indicator."""

    id: UUID
    period: str
    """Its label, such as `2022-B03`: unique in the indicator."""
    starts_on: Day
    ends_on: Day
    target: Amount | None
    actual: Amount | None
    achieved_percent: Figure | None
    """As for a year."""
    source: str | None
    source_url: str | None
    created_at: Instant
    updated_at: Instant
    version: int


class ValueQuery(ChangesPaging):
    """Which periods of an indicator."""

    year: RollupYear | None = None
    """Those that end in this year."""
