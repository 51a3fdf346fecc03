"""The days that a report to print is about: those of a reporting period, or of the reader's choice."""

from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.errors import Invalid
from app.schemas.explanations import ChangesQuery, Level, Move
from app.schemas.fields import FIRST_DAY, Reference
from app.schemas.periods import Period
from app.schemas.rollups import RollupQuery
from app.services import access, changes, curves, periods, rollups
from app.services.access import Scope
from app.services.actors import Actor
from app.services.rollups import Asked
from app.web.views import View

_ONE_DAY = timedelta(days=1)
_MOST_MOVES = 10
MOVABLE = 2_000
"""Initiatives; to find what moved among them costs with their reports of the days."""
_MOST_OFFERED = 40


class PrintQuery(View):
    """What is reported."""

    period: Reference | None = None
    """Code of a reporting period: it says both days, and the year where none is given."""


class Stretch(NamedTuple):
    """What is asked for, and from the end of which day its change is counted."""

    asked: Asked
    since: date | None
    """None where no day is given, and no reporting period is over."""
    period: Period | None
    """Where one is asked for."""


def of(session: Session, actor: Actor, institution: str, unit: str, query: PrintQuery) -> Stretch:
    """The stretch that is asked for; without a day, since the end of the last period that is over.

    Raises `NotFound`, and `Invalid` for a period that has not begun.
    """
    year, as_of, since, period = query.year, query.as_of, query.since, None
    if query.period is not None:
        period = periods.get(session, actor, institution, query.period)
        today = access.institution(session, actor, institution).today()
        if period.starts_on > today:
            raise Invalid.parameter("period", "in_future", "The period has not begun.")
        since = max(FIRST_DAY, period.starts_on - _ONE_DAY)
        as_of = min(period.ends_on, today)
        if year is None and not period.all_years:
            year = period.year
    plain = RollupQuery(year=year, area=query.area, as_of=as_of)
    asked = rollups.resolve(session, actor, institution, unit, plain)
    if since is None:
        ended = periods.last_ended(session, asked.scope, asked.as_of)
        since = None if ended is None else ended.ends_on
    return Stretch(asked, since, period)


def offered(session: Session, scope: Scope, chosen: Period | None) -> list[Period]:
    """Reporting periods that have begun, the newest first; the chosen one is among them."""
    found = periods.begun(session, scope, _MOST_OFFERED)
    is_there = chosen is None or any(each.id == chosen.id for each in found)
    return found if chosen is None or is_there else [*found, chosen]


def moves(session: Session, actor: Actor, stretch: Stretch, initiatives: int) -> list[Move] | None:
    """The initiatives that moved the number most; None where they, or the years, are too many."""
    asked, since = stretch.asked, stretch.since
    if since is None or initiatives > MOVABLE:
        return None
    if asked.as_of.year - since.year >= curves.MOST_YEARS:
        return None
    query = ChangesQuery.model_validate(
        {
            "year": asked.year,
            "area": asked.area[1],
            "from": since,
            "to": asked.as_of,
            "level": Level.INITIATIVE,
            "limit": _MOST_MOVES,
        }
    )
    unit = str(asked.unit.id)
    return changes.get(session, actor, asked.scope.code, unit, query).items
