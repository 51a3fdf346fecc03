"""What charts say in words: their subjects, and their findings for those who do not see them."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from app.languages import Words
from app.schemas.curves import Curve, CurvePoint
from app.schemas.rollups import Numbers, Rollup
from app.terms import term

_NAMED = 3
"""How many units a sentence names at each end."""
_FULL = 100


class Percents(Protocol):
    """Whatever has the three numbers."""

    @property
    def percent_complete(self) -> float | None:
        """As reported; null where nothing is measurable."""

    @property
    def percent_verified(self) -> float | None:
        """As verified."""

    @property
    def percent_scheduled(self) -> float | None:
        """As planned."""


def unmeasured(words: Words) -> str:
    """What stands in place of numbers that are null."""
    return words.gettext("Nothing to measure yet")


def subject(of: Curve | Rollup, words: Words) -> str:
    """The unit, and the year and area where it is not of all."""
    parts = [of.unit_name]
    if of.year is not None:
        parts.append(words.gettext("year %(year)s") % {"year": of.year})
    if of.area is not None:
        parts.append(words.gettext("area %(area)s") % {"area": of.area})
    return ", ".join(parts)


def present(curve: Curve) -> CurvePoint | None:
    """The last point with an earned value: the one on `as_of`, if it is in the range."""
    return next((point for point in reversed(curve.points) if point.earned is not None), None)


def standing(of: Curve | Numbers, words: Words) -> str:
    """The three percents, and the day that they are of."""
    if isinstance(of, Numbers):
        return percents(of, of.as_of, words)
    point = present(of)
    if point is not None:
        return _percents(point.on, point.earned, point.planned, point.verified, words)
    if any(each.planned is not None for each in of.points):
        return words.gettext("%(day)s is not among the days shown") % {"day": words.day(of.as_of)}
    return _percents(of.as_of, None, None, None, words)


def percents(of: Percents, day: date, words: Words) -> str:
    """The three percents of a day."""
    return _percents(day, of.percent_complete, of.percent_scheduled, of.percent_verified, words)


def _percents(
    day: date,
    complete: float | None,
    scheduled: float | None,
    verified: float | None,
    words: Words,
) -> str:
    if complete is None:
        return f"{words.day(day)}: {unmeasured(words)}"
    told = words.gettext(
        "%(day)s: complete %(complete)s, scheduled %(scheduled)s, verified %(verified)s"
    )
    return told % {
        "complete": words.percent(complete),
        "scheduled": words.percent(scheduled),
        "verified": words.percent(verified),
        "day": words.day(day),
    }


def finish(curve: Curve, words: Words) -> str:
    """What the forecast finish is called; once all is earned it is the finish."""
    point = present(curve)
    if point is not None and point.earned == _FULL:
        return words.gettext("Finished")
    return words.gettext("Forecast finish")


def curve(found: Curve, words: Words) -> str:
    """What an S-curve shows: where it stands, and when it will be finished."""
    told = [f"{standing(found, words)}."]
    if found.planned_finish_on is not None:
        planned = words.gettext("Planned finish"), words.day(found.planned_finish_on)
        told.append("{}: {}.".format(*planned))
    if found.forecast_finish is not None:
        told.append(f"{finish(found, words)}: {words.day(found.forecast_finish)}.")
    elif found.reason is not None:
        told.append(term(words, found.reason))
    return " ".join(told)


def row(of: Rollup, words: Words) -> str:
    """One unit with its numbers and its health."""
    return f"{of.unit_name}. {standing(of, words)}. {term(words, of.health)}."


def children(found: Sequence[Rollup], words: Words) -> str:
    """What a comparison shows: how many units, and which of them are farthest and least far."""
    told = [
        words.ngettext("%(count)s unit", "%(count)s units", len(found))
        % {"count": words.number(len(found))}
        + "."
    ]
    measured = [item for item in found if item.percent_complete is not None]
    measured.sort(key=lambda item: -(item.percent_complete or 0))
    if len(measured) > 1:
        highest = measured[:_NAMED]
        told.append(words.gettext("Highest: %(units)s.") % {"units": _named(highest, words)})
    if len(measured) > _NAMED:
        lowest = list(reversed(measured[_NAMED:]))[:_NAMED]
        told.append(words.gettext("Lowest: %(units)s.") % {"units": _named(lowest, words)})
    if missing := len(found) - len(measured):
        told.append(words.gettext("Not measurable: %(count)s.") % {"count": words.number(missing)})
    return " ".join(told)


def _named(items: Sequence[Rollup], words: Words) -> str:
    return ", ".join(f"{item.unit_name} {words.percent(item.percent_complete)}" for item in items)
