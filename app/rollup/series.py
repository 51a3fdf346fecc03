"""Reads of the ledger over time: steps within a range, and the plan's own periods."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from app.models import RollupPeriod
from app.models.base import table as table_of
from app.models.rollups import Span
from app.rollup.queries import sums
from app.rollup.schedule import Period, Plan, period
from app.schemas.fields import Interval

_ONE_DAY = timedelta(days=1)
_NEVER = Period(date.max, date.min)
_MOST_DAY_RANGES = 3
"""Months are cut where a range begins, where it ends, and where it passes the date of the roll-up."""
_LEDGER = table_of(RollupPeriod).c


class Bucket(NamedTuple):
    """One unit, one area or all, one year or all, of an institution."""

    institution_id: UUID
    unit_id: UUID
    area_id: UUID
    year: int | None


class Step(NamedTuple):
    """What changes within one stretch of days; values, and milestones due and met."""

    planned: int = 0
    earned: int = 0
    verified: int = 0
    due: int = 0
    met: int = 0


def steps(session: Session, bucket: Bucket, first: date, ends: Sequence[date]) -> list[Step]:
    """The sum of the changes from the day after each end to the next; the first from `first` on.

    Whole months are read as such: the cost grows with the number of ends, not with the days.
    """
    stretches = [
        Period(after, end)
        for after, end in zip((first, *(end + _ONE_DAY for end in ends)), ends, strict=False)
    ]
    whole = [stretch for stretch in stretches if _is_month(stretch)]
    cut = list(_joined(stretch for stretch in stretches if not _is_month(stretch)))
    if len(cut) > _MOST_DAY_RANGES:
        cut, whole = [Period(first, ends[-1])], []
    asked: dict[str, Any] = _keys(bucket)
    asked["month_from"], asked["month_to"] = (whole[0].first, whole[-1].first) if whole else _NEVER
    for i in range(_MOST_DAY_RANGES):
        asked[f"from_{i}"], asked[f"to_{i}"] = cut[i] if i < len(cut) else _NEVER
    months, days = {}, []
    for span, starts_on, *numbers in session.connection().execute(
        _STEPS[bucket.year is None], asked
    ):
        if span == Span.MONTH:
            months[starts_on] = Step(*numbers)
        else:
            days.append((starts_on, Step(*numbers)))
    waiting = iter(days)
    following = next(waiting, None)
    found = []
    for stretch in stretches:
        if whole and _is_month(stretch):
            found.append(months.get(stretch.first, Step()))
            continue
        total = Step()
        while following is not None and following[0] <= stretch.last:
            total = Step(*map(sum, zip(total, following[1], strict=True)))
            following = next(waiting, None)
        found.append(total)
    return found


class Extent(NamedTuple):
    """Where a bucket's steps begin and end."""

    plan: Plan | None
    """Its first and its last planned day."""
    first_earned: date | None
    """The first day on which the earned value changed."""
    first_verified: date | None
    """The same of the verified value; earlier, where a report that is verified was corrected that day."""

    def is_all_from(self, first: date) -> bool:
        """Whether no value changed before a day."""
        begins = self.plan and self.plan.starts_on, self.first_earned, self.first_verified
        return all(day is None or day >= first for day in begins)


def extent(session: Session, bucket: Bucket) -> Extent:
    """Where a bucket's steps begin and end, with one statement."""
    statement = _EXTENT[bucket.year is None]
    first, last, *others = session.connection().execute(statement, _keys(bucket)).one()
    return Extent(None if first is None else Plan(first, last), *others)


def planned(session: Session, bucket: Bucket, interval: Interval) -> list[tuple[date, int]]:
    """(first day of a period, value planned in it) by day; periods without any are left out."""
    span = Span.MONTH if interval is Interval.MONTH else Span.DAY
    rows = session.connection().execute(
        _PLANNED[bucket.year is None], {**_keys(bucket), "span": int(span)}
    )
    found: dict[date, int] = {}
    for starts_on, value in rows:
        first = period(starts_on, interval).first
        found[first] = found.get(first, 0) + value
    return list(found.items())


def last_earned(session: Session, bucket: Bucket, as_of: date) -> date | None:
    """The last day up to a date on which the earned value changed."""
    asked = {**_keys(bucket), "as_of": as_of}
    found: date | None = session.scalars(_LAST_EARNED[bucket.year is None], asked).one_or_none()
    return found


def _keys(bucket: Bucket) -> dict[str, Any]:
    return {
        "institution": bucket.institution_id,
        "unit": bucket.unit_id,
        "area": bucket.area_id,
        "year": bucket.year,
    }


def _is_month(stretch: Period) -> bool:
    return stretch == period(stretch.first, Interval.MONTH)


def _joined(stretches: Iterator[Period]) -> Iterator[Period]:
    """Neighbouring stretches as one."""
    before: Period | None = None
    for stretch in stretches:
        if before is not None and before.last + _ONE_DAY == stretch.first:
            before = Period(before.first, stretch.last)
            continue
        if before is not None:
            yield before
        before = stretch
    if before is not None:
        yield before


def _within(span: Span, first: str, last: str) -> ColumnElement[bool]:
    return and_(
        _LEDGER.span == int(span), _LEDGER.starts_on.between(bindparam(first), bindparam(last))
    )


def _of_bucket(statement: Select[*tuple[Any, ...]], *, all_years: bool) -> Select[*tuple[Any, ...]]:
    found = statement.where(
        _LEDGER.institution_id == bindparam("institution"),
        _LEDGER.unit_id == bindparam("unit"),
        _LEDGER.area_id == bindparam("area"),
    )
    return found if all_years else found.where(_LEDGER.year == bindparam("year"))


def _for_years(statement: Select[*tuple[Any, ...]]) -> dict[bool, Select[*tuple[Any, ...]]]:
    """The statement of one bucket for every year together, and for one."""
    return {is_all: _of_bucket(statement, all_years=is_all) for is_all in (True, False)}


def _extents(*, all_years: bool) -> Select[*tuple[Any, ...]]:
    """Each end by itself: so it is read off the index, whatever lies between."""
    days = select().where(_LEDGER.span == int(Span.DAY))
    ends = (
        (func.min, _LEDGER.planned > 0),
        (func.max, _LEDGER.planned > 0),
        (func.min, _LEDGER.earned != 0),
        (func.min, _LEDGER.verified != 0),
    )
    return select(
        *(
            _of_bucket(
                days.add_columns(end(_LEDGER.starts_on)).where(is_step), all_years=all_years
            ).scalar_subquery()
            for end, is_step in ends
        )
    )


_STEPS = _for_years(
    select(_LEDGER.span, _LEDGER.starts_on, *sums(_LEDGER, Step._fields))
    .where(
        or_(
            _within(Span.MONTH, "month_from", "month_to"),
            *(_within(Span.DAY, f"from_{i}", f"to_{i}") for i in range(_MOST_DAY_RANGES)),
        )
    )
    .group_by(_LEDGER.span, _LEDGER.starts_on)
    .order_by(_LEDGER.span, _LEDGER.starts_on)
)
_EXTENT = {is_all: _extents(all_years=is_all) for is_all in (True, False)}
_PLANNED = _for_years(
    select(_LEDGER.starts_on, *sums(_LEDGER, ("planned",)))
    .where(_LEDGER.span == bindparam("span"), _LEDGER.planned > 0)
    .group_by(_LEDGER.starts_on)
    .order_by(_LEDGER.starts_on)
)
_EARNED_SUM = sums(_LEDGER, ("earned",))[0]
_LAST_EARNED = _for_years(
    select(_LEDGER.starts_on)
    .where(_LEDGER.span == int(Span.DAY), _LEDGER.starts_on <= bindparam("as_of"))
    .group_by(_LEDGER.starts_on)
    .having(_EARNED_SUM != 0)
    .order_by(_LEDGER.starts_on.desc())
    .limit(1)
)
