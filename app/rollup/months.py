"""The months for which an initiative has reports, as the bits of one number, kept with it.

Who has reported on a period is asked of all initiatives at once, and nearly all periods are whole
months: then the number says it, and no report is looked for. Bit 0 is January of the year before the
initiative's own; there are as many as a signed whole number of 64 bits holds, up to March four years
after its own. Of days outside it says nothing.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    SQLColumnExpression,
    cast,
    distinct,
    extract,
    func,
    literal,
)

KEPT = 63


class Days(NamedTuple):
    """The days of a period, as months of initiatives of one year."""

    touched: int
    """The months that they are in: where none is set, there is no report for them."""
    whole: int
    """Those that they are all days of: where one is set, there is a report for them."""


def of_period(year: int, starts_on: date, ends_on: date) -> Days | None:
    """Days as months of initiatives of a year; none where they reach beyond what is kept."""
    first, last = _place(year, starts_on), _place(year, ends_on)
    if first < 0 or last >= KEPT:
        return None
    is_from_first = starts_on.day == 1
    is_to_last = (ends_on + timedelta(days=1)).day == 1
    whole = range(first + (not is_from_first), last + is_to_last)
    return Days(_bits(range(first, last + 1)), _bits(whole))


def bits(year: int, days: Iterable[date]) -> int:
    """The months that days are in, for an initiative of a year."""
    return _bits(place for day in days if 0 <= (place := _place(year, day)) < KEPT)


def kept(
    year: SQLColumnExpression[int], day: SQLColumnExpression[date]
) -> tuple[Any, ColumnElement[bool]]:
    """`bits` of days as an aggregate, and which days it may be given."""
    place = (extract("year", day) - year + 1) * 12 + extract("month", day) - 1
    bit = cast(literal(1), BigInteger).bitwise_lshift(cast(place, Integer))
    return cast(func.coalesce(func.sum(distinct(bit)), 0), BigInteger), place.between(0, KEPT - 1)


def _place(year: int, day: date) -> int:
    return (day.year - year + 1) * 12 + day.month - 1


def _bits(places: Iterable[int]) -> int:
    return sum(1 << place for place in set(places))
