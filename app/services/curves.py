"""S-curves: the same numbers over time, and the forecast that follows from earned schedule."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate

from sqlalchemy.orm import Session

from app.errors import Invalid
from app.messages import said
from app.rollup import queries, schedule, series
from app.rollup.contribution import Change
from app.rollup.figures import Figures, share_of
from app.rollup.points import divide, percent
from app.rollup.schedule import Forecast
from app.rollup.series import Bucket, Extent, Step
from app.schemas import curves as wire
from app.schemas.fields import LAST_DAY
from app.services import rollups
from app.services.actors import Actor
from app.services.rollups import Asked

MOST_YEARS, MOST_POINTS = 20, 2_000
_ONE_DAY = timedelta(days=1)
_LEAP_DAY = (2, 29)


def get(
    session: Session, actor: Actor, institution: str, unit: str | None, query: wire.CurveQuery
) -> wire.Curve:
    """The S-curve of a unit with all below it, and its forecast.

    Raises `Invalid` for a range that is reversed, longer than 20 years, or of over 2,000 points.
    """
    return of(session, rollups.resolve(session, actor, institution, unit, query), query)


def whole(
    session: Session, actor: Actor, institution: str, unit: str | None, query: wire.CurveQuery
) -> wire.Curve:
    """As `get`; without a `to`, up to the end of the plan: what a chart shows."""
    asked = rollups.resolve(session, actor, institution, unit, query)
    return of(session, asked, query, whole_plan=True)


def of(
    session: Session,
    asked: Asked,
    query: wire.CurveQuery,
    *,
    whole_plan: bool = False,
    found: Figures | None = None,
) -> wire.Curve:
    """As `get`, of what is resolved; without a `to`, up to the end of the plan if the `whole_plan` is wanted.

    `found` are the roll-up's figures, where they have been read already.
    """
    unit_id, area_id = asked.unit.id, asked.area[0]
    bucket = Bucket(asked.scope.id, unit_id, area_id, asked.year)
    extent = series.extent(session, bucket)
    plan, to = extent.plan, query.to or asked.as_of
    first = query.from_ or _beginning(extent, min(to, asked.as_of))
    if whole_plan and query.to is None and plan is not None:
        to = max(to, min(plan.ends_on, _years_after(first)))
    ends = _ends(first, to, asked.as_of, query)

    if found is None:
        figures = rollups.figures(session, asked, [unit_id], [area_id])
        found = figures.get((unit_id, area_id), Figures())
    before = Change() if extent.is_all_from(first) else _before(session, bucket, first)
    steps = series.steps(session, bucket, first, ends)
    forecast = _forecast(session, bucket, asked, query, plan, found)
    return wire.Curve(
        institution=asked.scope.code,
        unit=asked.unit.code,
        unit_name=asked.unit.name,
        year=asked.year,
        area=asked.area[1],
        as_of=asked.as_of,
        version=asked.version,
        interval=query.interval,
        points=_points(before, steps, ends, asked.as_of, found.totals.bac),
        planned_start_on=plan.starts_on if plan else None,
        planned_finish_on=plan.ends_on if plan else None,
        earned_schedule=_decimal(forecast.earned_schedule),
        actual_time=_decimal(forecast.actual_time),
        spi_t=_decimal(forecast.spi_t),
        forecast_finish=forecast.finish_on,
        reason=forecast.reason,
        on_time=_on_time(steps, ends, asked.as_of),
    )


def span(first: date, last: date) -> None:
    """Raise `Invalid` for a reversed range, or one of over 20 years."""
    if first > last:
        raise Invalid.parameter("from", "from_after_to", "from cannot be after to.")
    if first < _years_before(last):
        detail = said("A range has at most {most} years.", most=MOST_YEARS)
        raise Invalid.parameter("from", "range_too_long", detail)


def _years_before(day: date) -> date:
    if (day.month, day.day) == _LEAP_DAY:
        day -= _ONE_DAY
    return day.replace(year=day.year - MOST_YEARS)


def _years_after(day: date) -> date:
    year = min(day.year + MOST_YEARS, LAST_DAY.year)
    return (
        day.replace(year=year, day=28)
        if (day.month, day.day) == _LEAP_DAY
        else day.replace(year=year)
    )


def _beginning(extent: Extent, latest: date) -> date:
    starts = extent.plan.starts_on if extent.plan else latest
    return max(min(latest, starts, extent.first_earned or latest), _years_before(latest))


def _ends(first: date, to: date, as_of: date, query: wire.CurveQuery) -> list[date]:
    span(first, to)
    ends = schedule.ends(first, to, query.interval)
    if first <= as_of < to and as_of not in ends:
        ends = sorted([*ends, as_of])
    if len(ends) > MOST_POINTS:
        detail = said(
            "This would give over {most} points; take a longer interval.", most=MOST_POINTS
        )
        raise Invalid.parameter("interval", "too_many_points", detail)
    return ends


def _before(session: Session, bucket: Bucket, first: date) -> Change:
    at = (bucket.unit_id, bucket.area_id)
    found = queries.changes(
        session, bucket.institution_id, [at[0]], [at[1]], bucket.year, first - _ONE_DAY
    )
    return found.get(at, Change())


def _points(
    before: Change, steps: Sequence[Step], ends: Sequence[date], as_of: date, bac: int
) -> list[wire.CurvePoint]:
    start = Step(before.planned, before.earned, before.verified)
    values = accumulate(
        steps, lambda so_far, step: Step(*map(sum, zip(so_far, step, strict=True))), initial=start
    )
    next(values)
    return [
        wire.CurvePoint(
            on=end,
            planned=share_of(value.planned, bac),
            earned=share_of(value.earned, bac) if end <= as_of else None,
            verified=share_of(value.verified, bac) if end <= as_of else None,
        )
        for end, value in zip(ends, values, strict=True)
    ]


def _forecast(
    session: Session,
    bucket: Bucket,
    asked: Asked,
    query: wire.CurveQuery,
    plan: schedule.Plan | None,
    found: Figures,
) -> Forecast:
    if plan is None:
        return Forecast(reason="no_plan")
    planned = [
        (schedule.place(day, plan.starts_on, query.interval), value)
        for day, value in series.planned(session, bucket, query.interval)
    ]
    earned = found.to_date.earned
    is_complete = earned == found.totals.bac
    completed_on = series.last_earned(session, bucket, asked.as_of) if is_complete else None
    return schedule.forecast(plan, planned, earned, asked.as_of, completed_on, query.interval)


def _on_time(steps: Sequence[Step], ends: Sequence[date], as_of: date) -> wire.OnTime:
    past = [step for step, end in zip(steps, ends, strict=True) if end <= as_of]
    due, met = sum(step.due for step in past), sum(step.met for step in past)
    return wire.OnTime(due=due, met=met, percent=percent(met, due) if due else None)


def _decimal(number: Fraction | None) -> float | None:
    return None if number is None else divide(number.numerator, number.denominator, 4)
