"""S-curves on the wire."""

from typing import Annotated

from pydantic import Field

from app.schemas.fields import Day, Interval, Shape
from app.schemas.rollups import RollupQuery


class CurveQuery(RollupQuery):
    """What stretch of which curve is asked for."""

    from_: Annotated[Day | None, Field(alias="from")] = None
    """First day; if left out, the first planned or earned one, at most 20 years before `to`."""
    to: Day | None = None
    """Last day, `as_of` if left out. Behind `as_of` only the plan goes on."""
    interval: Interval = Interval.MONTH
    """Points lie at the ends of months, of weeks (Sundays) or of days; also the periods of
    `earned_schedule`."""


class CurvePoint(Shape):
    """Cumulative values at the end of a day, in percent of the budget at completion."""

    on: Day
    planned: float | None
    earned: float | None
    """Null behind `as_of`, and where nothing is measurable."""
    verified: float | None


class OnTime(Shape):
    """Milestones due in the range, up to `as_of`, and those of them done by their due date."""

    due: int
    met: int
    percent: float | None
    """Null where none was due."""


class Curve(Shape):
    """The S-curve of a unit with all below it, and what its earned schedule says."""

    institution: str
    unit: str
    unit_name: str
    year: int | None
    area: str | None
    as_of: Day
    version: int
    interval: Interval
    points: list[CurvePoint]
    """The point on `as_of` equals the roll-up of that day; it is the last one by default."""
    planned_start_on: Day | None
    """The first planned day."""
    planned_finish_on: Day | None
    """The last planned day."""
    earned_schedule: float | None
    """ES: periods of the plan that are earned by `as_of`, four decimals."""
    actual_time: float | None
    """AT: periods from the start of the first planned period to `as_of`, or to completion."""
    spi_t: float | None
    """SPI(t) = ES ÷ AT, four decimals. Unlike SPI it does not drift to 1 at the end of late work."""
    forecast_finish: Day | None
    """Start + planned duration ÷ SPI(t); the day of completion once all is earned."""
    reason: str | None
    """Why there is no forecast: `no_plan`, `plan_not_begun`, `nothing_earned`, `plan_of_one_day` or
    `beyond_the_calendar`."""
    on_time: OnTime
