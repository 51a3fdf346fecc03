"""Earned schedule: how far the plan has been earned, in time instead of in value. Pure.

Names and formulas after W. Lipke, "Schedule is Different" (2003), as NASA and DAU use them:
ES = C + (EV - PV_C) / (PV_{C+1} - PV_C), with C the last period whose cumulative PV ≤ EV;
SPI(t) = ES ÷ AT. Periods are calendar months, weeks from Monday, or days, and the first one is
that of the first planned day.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from app.schemas.fields import LAST_DAY, Interval

_ONE_DAY = timedelta(days=1)
_DECEMBER = 12


class Period(NamedTuple):
    """A stretch of days, both ends included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1


class Plan(NamedTuple):
    """A plan's planned days: the first and the last."""

    starts_on: date
    ends_on: date


class Forecast(NamedTuple):
    """Earned schedule and what follows from it; None where there is nothing to go by."""

    earned_schedule: Fraction | None = None
    """Periods of the plan that have been earned."""
    actual_time: Fraction | None = None
    """Periods from the start of the plan to the date, or to its completion."""
    spi_t: Fraction | None = None
    finish_on: date | None = None
    reason: str | None = None
    """Why there is no finish."""


def period(day: date, interval: Interval) -> Period:
    """The period that a day lies in."""
    if interval is Interval.DAY:
        return Period(day, day)
    if interval is Interval.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(days=6))
    following = (
        date(day.year + 1, 1, 1) if day.month == _DECEMBER else date(day.year, day.month + 1, 1)
    )
    return Period(day.replace(day=1), following - _ONE_DAY)


def place(day: date, start: date, interval: Interval) -> int:
    """How many periods a day's period comes behind the first one, which `start` lies in."""
    if interval is Interval.MONTH:
        return (day.year - start.year) * 12 + day.month - start.month
    return (period(day, interval).first - period(start, interval).first).days // (
        7 if interval is Interval.WEEK else 1
    )


def elapsed(day: date, start: date, interval: Interval) -> Fraction:
    """Periods from the beginning of the first one to the end of a day; 0 or less before it."""
    here = period(day, interval)
    return place(day, start, interval) + Fraction((day - here.first).days + 1, here.days)


def earned_schedule(planned: Iterable[tuple[int, int]], earned: int) -> Fraction:
    """Periods of the plan that `earned` covers.

    `planned` has (place of the period, value planned in it) in order, without empty periods.
    """
    covered, end = 0, 0
    for at, value in planned:
        if covered + value > earned:
            return at + Fraction(earned - covered, value)
        covered += value
        end = at + 1
    return Fraction(end)


def forecast(
    plan: Plan | None,
    planned: Iterable[tuple[int, int]],
    earned: int,
    as_of: date,
    completed_on: date | None,
    interval: Interval,
) -> Forecast:
    """Earned schedule on a date, SPI(t), and start + planned duration ÷ SPI(t).

    After completion, time stops on the day of completion, which is then the finish.
    """
    if plan is None:
        return Forecast(reason="no_plan")
    at = elapsed(completed_on or as_of, plan.starts_on, interval)
    covered = earned_schedule(planned, earned)
    if at <= 0:
        return Forecast(covered, reason="plan_not_begun")
    known = Forecast(covered, at, covered / at)
    if completed_on is not None:
        return known._replace(finish_on=completed_on)
    if not earned or plan.starts_on == plan.ends_on:
        return known._replace(reason="plan_of_one_day" if earned else "nothing_earned")
    start = period(plan.starts_on, interval).first
    duration = (plan.ends_on - start).days + 1
    needed = ceil(duration * at / covered)
    if needed > (LAST_DAY - start).days:
        return known._replace(reason="beyond_the_calendar")
    return known._replace(finish_on=start + timedelta(days=needed - 1))


def ends(first: date, last: date, interval: Interval) -> list[date]:
    """The last days of all periods from `first` on that end before `last`, and `last` itself."""
    found = []
    end = period(first, interval).last
    while end < last:
        found.append(end)
        end = period(end + _ONE_DAY, interval).last
    return [*found, last]
