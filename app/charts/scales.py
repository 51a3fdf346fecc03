"""From days and percents to places on the paper, and which of them are worth a label."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from app.languages import Words

FULL = 100.0
GRID = (0, 25, 50, 75, 100)
"""Percents that have a line."""
_MONTHS = 12
_DAYS = (1, 2, 7, 14)
_OF_MONTHS = (1, 3, 6)
_OF_YEARS = (1, 2, 5, 10, 20, 50)
_WEEK = 7


class Span(NamedTuple):
    """A stretch from one place to another."""

    start: float
    end: float

    @property
    def length(self) -> float:
        """How long it is."""
        return abs(self.end - self.start)

    def at(self, part: float) -> float:
        """The place that lies a part of the way along it."""
        return self.start + (self.end - self.start) * part

    def percent(self, value: float) -> float:
        """The place of a percent, 0 at the start and 100 at the end."""
        return self.at(value / FULL)


class Days(NamedTuple):
    """Days laid along a span."""

    first: date
    last: date
    across: Span

    def at(self, day: date) -> float:
        """The place of a day."""
        return self.across.at((day - self.first).days / ((self.last - self.first).days or 1))

    def holds(self, day: date) -> bool:
        """Whether a day is among them."""
        return self.first <= day <= self.last

    def ticks(self, words: Words, room: Callable[[str], float]) -> list[tuple[date, str]]:
        """Days to label, as close as their labels have `room`: days, weeks, months, or years."""
        for step in _steps(self, words):
            found = [(day, step.label(day)) for day in step.days if self.holds(day)]
            places = [(self.at(day), room(label)) for day, label in found]
            if all(b[0] - a[0] >= (a[1] + b[1]) / 2 for a, b in pairwise(places)):
                return found
        return []


class _Step(NamedTuple):
    days: Iterable[date]
    label: Callable[[date], str]


def _steps(along: Days, words: Words) -> Iterator[_Step]:
    length = (along.last - along.first).days
    if length <= _DAYS[-1] * _MONTHS:
        for days in _DAYS:
            yield _Step(_every_days(along, days), words.day)
    for months in _OF_MONTHS:
        yield _Step(_every_months(along, months), words.month)
    for years in _OF_YEARS:
        yield _Step(_every_months(along, years * _MONTHS), lambda day: str(day.year))


def _every_days(along: Days, step: int) -> list[date]:
    """From the first one on; weeks begin on Mondays."""
    first = along.first
    if step % _WEEK == 0:
        first += timedelta(days=-first.weekday() % _WEEK)
    return [first + timedelta(days=days) for days in range(0, (along.last - first).days + 1, step)]


def _every_months(along: Days, step: int) -> list[date]:
    """First days of months; years begin with January."""
    first = (along.first.year * _MONTHS + along.first.month - 1) // step * step
    last = along.last.year * _MONTHS + along.last.month - 1
    return [
        date(month // _MONTHS, month % _MONTHS + 1, 1) for month in range(first, last + 1, step)
    ]


def apart(wanted: list[float], gap: float, within: Span) -> list[float]:
    """Places as near as can be to those that are wanted, in their order, a gap apart."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    found = list(wanted)
    lowest = within.start
    for index in order:
        found[index] = lowest = max(found[index], lowest)
        lowest += gap
    highest = within.end
    for index in reversed(order):
        found[index] = highest = min(found[index], highest)
        highest -= gap
    return found


def flow(widths: list[float], room: float) -> list[tuple[int, float]]:
    """Row and place of each entry, as many in a row as there is room for."""
    found, row, x = [], 0, 0.0
    for width in widths:
        if x and x + width > room:
            row, x = row + 1, 0.0
        found.append((row, x))
        x += width
    return found
