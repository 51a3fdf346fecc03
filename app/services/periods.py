"""Reporting periods: made, changed and removed by whoever administers the whole institution."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from app.errors import Conflict, FieldError, InUse, Invalid, StatusConflict
from app.keyset import Key, paginate, parse_sort
from app.models import ProgressUpdate, ReportingPeriod
from app.models.base import code_key, new_id, now
from app.models.hints import flagged
from app.schemas import periods as wire
from app.schemas.fields import LAST_DAY, Names
from app.schemas.pages import Page
from app.schemas.periods import PeriodState
from app.schemas.permissions import Permission
from app.services import access, events, versions, windows
from app.services.access import Scope
from app.services.actors import Actor
from app.services.versions import Expected
from app.spreadsheets import quarters
from app.spreadsheets.columns import QUARTERS

_DAYS = ("starts_on", "ends_on", "opens_on", "closes_on")
_PLAIN = (*_DAYS, "year", "remind_days_before", "closes_by_itself", "locks", "all_years")
_FIXED = {*_DAYS, "locks"}
"""What stays as it is while a period is closed."""
_ONE_DAY = timedelta(days=1)
_OPENS_BEFORE = timedelta(days=6)
"""A standard period opens so long before its last day."""


class PeriodsOverlap(Conflict):
    """Another period is about some of these days; each day belongs to one period."""

    code = "periods_overlap"


def create(session: Session, actor: Actor, institution: str, new: wire.NewPeriod) -> wire.Period:
    """Add a period. Raises `CodeTaken`, and `PeriodsOverlap` where a day has one already."""
    scope = _held(session, actor, institution)
    row = _add(session, scope, new)
    windows.publish(session, scope.id)
    return shape(row, scope.today())


def create_standard(
    session: Session, actor: Actor, institution: str, new: wire.StandardPeriods
) -> wire.Periods:
    """Add the four periods of a year, all or none; raises as `create` does."""
    scope = _held(session, actor, institution)
    made = [_add(session, scope, each) for each in _standard(new)]
    windows.publish(session, scope.id)
    return wire.Periods(items=[shape(row, scope.today()) for row in made])


def change(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    changes: wire.PeriodChanges,
    expected: Expected,
) -> wire.Period:
    """Change a period; raises `StatusConflict` for days and window of one that is closed."""
    scope = _held(session, actor, institution)
    row = access.find(session, scope, ReportingPeriod, key, lock=True)
    versions.check(row, expected)
    if row.closed_at is not None and changes.model_fields_set & _FIXED:
        detail = "This period is closed: reopen it before you change its days, window or lock."
        raise StatusConflict(detail)
    if changes.name is not MISSING:
        row.name_id, row.name_en = changes.name.id, changes.name.en
    for name in changes.model_fields_set & set(_PLAIN):
        setattr(row, name, getattr(changes, name))
    _check_order(row)
    _check_days(session, scope, row)
    plan_next(row)
    versions.touch(row)
    record(session, scope, row, "period.changed", changes)
    windows.publish(session, scope.id)
    return shape(row, scope.today())


def delete(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    expected: Expected,
    reason: str | None = None,
) -> None:
    """Remove a period; raises `InUse` once it was closed, or a report was late by it."""
    scope = _held(session, actor, institution)
    row = access.find(session, scope, ReportingPeriod, key, lock=True)
    versions.check(row, expected)
    was_late = exists().where(
        access.within(scope, ProgressUpdate),
        flagged(ProgressUpdate.late),
        ProgressUpdate.effective_on.between(row.starts_on, row.ends_on),
    )
    if row.closed_at or row.reopened_at or session.scalar(select(was_late)):
        detail = "This period was closed once, or a report was late by it: it stays in the record."
        raise InUse(detail)
    record(session, scope, row, "period.deleted", reason=reason)
    session.delete(row)
    windows.publish(session, scope.id)


def get(session: Session, actor: Actor, institution: str, key: str) -> wire.Period:
    """One period."""
    scope = access.institution(session, actor, institution)
    return shape(access.find(session, scope, ReportingPeriod, key), scope.today())


def page(
    session: Session, actor: Actor, institution: str, query: wire.PeriodsQuery
) -> Page[wire.Period]:
    """Periods, filtered and sorted."""
    return page_of(session, access.institution(session, actor, institution), query)


def page_of(session: Session, scope: Scope, query: wire.PeriodsQuery) -> Page[wire.Period]:
    """As `page`, of an institution that is found already."""
    today = scope.today()
    statement = select(ReportingPeriod).where(access.within(scope, ReportingPeriod))
    if query.year:
        statement = statement.where(ReportingPeriod.year.in_(query.year))
    if query.state:
        statement = statement.where(or_(*(_in_state(state, today) for state in query.state)))
    if query.covers is not None:
        statement = statement.where(
            ReportingPeriod.starts_on <= query.covers, ReportingPeriod.ends_on >= query.covers
        )
    if query.ended_before is not None:
        statement = statement.where(ReportingPeriod.ends_on < query.ended_before)
    if query.updated_since is not None:
        statement = statement.where(ReportingPeriod.updated_at >= query.updated_since)
    sorts = {"starts_on": ReportingPeriod.starts_on, "closes_on": ReportingPeriod.closes_on}
    keys = parse_sort(query.sort, sorts, Key(ReportingPeriod.id, descending=False))
    found = paginate(session, statement, keys, query)
    return found.page([shape(row[0], today) for row in found.rows])


def last_ended(session: Session, scope: Scope, day: date) -> wire.Period | None:
    """The last period whose days were over before this one."""
    query = wire.PeriodsQuery(ended_before=day, sort="-starts_on", limit=1)
    return next(iter(page_of(session, scope, query).items), None)


def begun(session: Session, scope: Scope, most: int) -> list[wire.Period]:
    """The periods that have begun, the latest first; at most so many."""
    day, today = ReportingPeriod.starts_on, scope.today()
    which = access.within(scope, ReportingPeriod), day <= today
    rows = session.scalars(select(ReportingPeriod).where(*which).order_by(day.desc()).limit(most))
    return [shape(row, today) for row in rows]


def plan_next(row: ReportingPeriod) -> None:
    """Set the day on which something happens by itself next."""
    days: list[date] = []
    if row.closed_at is None and row.reopened_until is not None:
        days.append(max(row.reopened_until, row.ends_on) + _ONE_DAY)  # its days may have changed
    elif row.closed_at is None:
        days += (day for day in reminders(row) if day > row.reminded_on)
        if row.closes_by_itself:
            days.append(row.closes_on + _ONE_DAY)
    row.acts_on = min(days, default=None)


def reminders(row: ReportingPeriod) -> list[date]:
    """The days on which a period reminds."""
    return [row.closes_on - timedelta(days=days) for days in row.remind_days_before]


def record(
    session: Session,
    scope: Scope,
    row: ReportingPeriod,
    kind: str,
    data: wire.NewPeriod | wire.PeriodChanges | dict[str, object] | None = None,
    reason: str | None = None,
    unit_id: UUID | None = None,
) -> None:
    """Record an event of a period; of one unit, if it concerns that alone."""
    subject = events.Subject(row.id, f"periods/{row.code}")
    events.record(
        session, scope.actor, scope.id, kind, subject, data, reason=reason, unit_id=unit_id
    )


def shape(row: ReportingPeriod, today: date) -> wire.Period:
    """A period as it is answered."""
    return wire.Period(
        id=row.id,
        code=row.code,
        name=Names(id=row.name_id, en=row.name_en),
        **{name: getattr(row, name) for name in _PLAIN},
        state=_state(row, today),
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        locked_at=row.locked_at,
        report=row.report_id,
        at_close=None if row.counts is None else wire.Counts.model_validate(row.counts),
        reopened=None
        if row.reopened_at is None
        else wire.Reopening.model_validate(
            {
                "reason": row.reopening_reason,
                "until": row.reopened_until,
                "by": row.reopened_by,
                "at": row.reopened_at,
            }
        ),
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )


def _held(session: Session, actor: Actor, institution: str) -> Scope:
    scope = access.institution(session, actor, institution)
    access.require(session, scope, Permission.PERIODS_CHANGE, None)
    windows.hold(session, scope.id)
    return scope


def _add(session: Session, scope: Scope, new: wire.NewPeriod) -> ReportingPeriod:
    access.code_is_free(session, scope, ReportingPeriod, new.code)
    at = now()
    row = ReportingPeriod(
        institution_id=scope.id,
        id=new_id(),
        code=new.code,
        code_key=code_key(new.code),
        name_id=new.name.id,
        name_en=new.name.en,
        **{name: getattr(new, name) for name in _PLAIN},
        reminded_on=scope.today() - _ONE_DAY,
        created_at=at,
        updated_at=at,
        version=1,
    )
    _check_days(session, scope, row)
    plan_next(row)
    session.add(row)
    session.flush()
    record(session, scope, row, "period.created", new)
    return row


def _standard(new: wire.StandardPeriods) -> Sequence[wire.NewPeriod]:
    days_to_report = timedelta(days=new.days_to_report)
    if date(new.year, 12, 31) > LAST_DAY - days_to_report:
        raise Invalid.field("/year", "out_of_range", "The last window would end after 2199.")
    return [
        wire.NewPeriod(
            code=f"{new.year}-{quarter}",
            name=Names(id=f"{quarter} tahun {new.year}", en=f"{quarter} of {new.year}"),
            year=new.year,
            starts_on=date(new.year, month - 2, 1),
            ends_on=last_day,
            opens_on=last_day - _OPENS_BEFORE,
            closes_on=last_day + days_to_report,
            closes_by_itself=new.closes_by_itself,
        )
        for quarter, month in QUARTERS.items()
        for last_day in [quarters.due_on(quarter, new.year)]
    ]


def _check_order(row: ReportingPeriod) -> None:
    wrong = [pair for pair in wire.ORDERED if getattr(row, pair[0]) > getattr(row, pair[1])]
    if wrong:
        raise Invalid(
            errors=tuple(
                FieldError(f"/{later}", "days_order", f"{later} cannot be before {earlier}.")
                for earlier, later in wrong
            )
        )


def _check_days(session: Session, scope: Scope, row: ReportingPeriod) -> None:
    other = select(ReportingPeriod.id).where(
        access.within(scope, ReportingPeriod),
        ReportingPeriod.id != row.id,
        ReportingPeriod.starts_on <= row.ends_on,
        ReportingPeriod.ends_on >= row.starts_on,
    )
    with session.no_autoflush:
        if session.execute(other).first():
            raise PeriodsOverlap


def _state(row: ReportingPeriod, today: date) -> PeriodState:
    if row.closed_at is not None:
        return PeriodState.CLOSED
    if row.reopened_at is not None:
        return PeriodState.REOPENED
    if today < row.opens_on:
        return PeriodState.UPCOMING
    return PeriodState.OPEN if today <= row.closes_on else PeriodState.OVER


# What `_state` says of one period.
def _in_state(state: PeriodState, today: date) -> ColumnElement[bool]:
    period = ReportingPeriod
    never_closed = and_(period.closed_at.is_(None), period.reopened_at.is_(None))
    conditions: dict[PeriodState, ColumnElement[bool]] = {
        PeriodState.CLOSED: period.closed_at.is_not(None),
        PeriodState.REOPENED: and_(period.closed_at.is_(None), period.reopened_at.is_not(None)),
        PeriodState.UPCOMING: and_(never_closed, period.opens_on > today),
        PeriodState.OPEN: and_(never_closed, period.opens_on <= today, period.closes_on >= today),
        PeriodState.OVER: and_(never_closed, period.closes_on < today),
    }
    return conditions[state]
