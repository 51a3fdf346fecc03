"""Quarterly targets and the milestones that they stand for; pure.

`B03`, `B06`, `B09` and `B12` hold what part of the plan is to be reached by the end of March, June,
September and December, cumulative and in percent. What a quarter adds is its milestone: due on the
last day of that month, weighing as many tenths of a percent. Where nothing is added there is none.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from app.spreadsheets.columns import QUARTERS

FULL = 1_000
"""Tenths of a percent: as many as a milestone weighs at most."""
Targets = dict[str, int]
"""Cumulative target by quarter, tenths of a percent."""


class Part(NamedTuple):
    """What is known of a live milestone."""

    title: str
    due_on: date
    weight: int


def due_on(quarter: str, year: int) -> date:
    """The last day of a quarter's month."""
    month = QUARTERS[quarter]
    return date(year, month, monthrange(year, month)[1])


def quarter_of(title: str) -> str | None:
    """The quarter that a milestone was made for, by its title: `B03`, `B03: pelatihan`."""
    name = title[:3].upper()
    return name if name in QUARTERS and not title[3:4].isalnum() else None


def tenths(percent: Decimal) -> int:
    """A percent to the tenth, halves up."""
    return int((percent * 10).quantize(Decimal(1), ROUND_HALF_UP))


def weights(targets: Mapping[str, int]) -> dict[str, int]:
    """What each quarter adds to those before it, where it adds anything."""
    added: dict[str, int] = {}
    before = 0
    for quarter in QUARTERS:
        if quarter in targets:
            if targets[quarter] > before:
                added[quarter] = targets[quarter] - before
            before = targets[quarter]
    return added


def targets(parts: Iterable[Part], year: int) -> Targets:
    """The targets that live milestones amount to: what of their weight is due by then.

    A milestone that was made for a quarter counts there, wherever its due date has moved; others
    by the date, and what is due later than the year by its end. Empty without milestones.
    """
    of_quarter = dict.fromkeys(QUARTERS, 0)
    for part in parts:
        quarter = quarter_of(part.title) or next(
            (name for name in QUARTERS if part.due_on <= due_on(name, year)), "B12"
        )
        of_quarter[quarter] += part.weight
    whole = sum(of_quarter.values())
    if not whole:
        return {}
    reached, found = 0, Targets()
    for quarter, weight in of_quarter.items():
        reached += weight
        found[quarter] = tenths(Decimal(100 * reached) / whole)
    return found


def filled(given: Mapping[str, int]) -> Targets:
    """Targets of all quarters: a quarter that is left out adds nothing."""
    reached, found = 0, Targets()
    for quarter in QUARTERS:
        reached = given.get(quarter, reached)
        found[quarter] = reached
    return found
