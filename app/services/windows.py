"""Windows: what reports are held against of the reporting periods.

It is kept on the institution's row, which every call reads anyway, so a report costs no statement
more: the days that are locked, and up to when reports on the other periods' days are in time.
"""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.errors import NotReportable
from app.models import Institution, InstitutionClock, ReportingPeriod
from app.models.base import day_in
from app.models.base import table as table_of
from app.services import events
from app.services.access import Scope

_REVISION, _LOCKED, _OPEN = "revision", "locked", "open"
# Dates are kept and compared as they are written: nothing need be read out of a locked year.


class PeriodLocked(NotReportable):
    """The reporting period of this day is closed: report for a later day, or have it reopened."""

    code = "period_locked"


def check(scope: Scope, day: date) -> None:
    """Raise `PeriodLocked` for a day of a locked period."""
    on = day.isoformat()
    if any(first <= on <= last for first, last in scope.windows.get(_LOCKED, ())):
        raise PeriodLocked


def is_late(scope: Scope, day: date, reported_on: date) -> bool:
    """Whether a report on a day came after the window of that day's period."""
    on, came = day.isoformat(), reported_on.isoformat()
    return any(
        first <= on <= last and came > closes
        for first, last, closes in scope.windows.get(_OPEN, ())
    )


def rely_on(session: Session, scope: Scope) -> None:
    """Let this transaction write only if the windows of the scope still hold when it commits."""
    events.expect_windows(session, scope.id, scope.windows.get(_REVISION, 0))


def hold(session: Session, institution_id: UUID) -> None:
    """Keep other changes of the institution's periods waiting until this transaction ends.

    To be asked before anything else of them is read or locked. Reports do not wait for it.
    """
    row = select(Institution.id).where(Institution.id == institution_id)
    session.execute(row.with_for_update(key_share=True))


def publish(session: Session, institution_id: UUID) -> None:
    """Make reports see what the periods say now: those that began before are tried again."""
    session.flush()
    locked: list[tuple[str, str]] = []
    others: list[tuple[str, str, str]] = []
    zone = session.scalars(
        select(Institution.time_zone).where(Institution.id == institution_id)
    ).one()
    for period in session.scalars(
        select(ReportingPeriod)
        .where(ReportingPeriod.institution_id == institution_id)
        .order_by(ReportingPeriod.starts_on)
    ):
        days = (period.starts_on.isoformat(), period.ends_on.isoformat())
        if period.locked_at is not None:
            locked.append(days)
        else:
            others.append((*days, _in_time_until(period, zone).isoformat()))
    clock, institution = table_of(InstitutionClock), table_of(Institution)
    mine = clock.c.institution_id == institution_id
    held = select(clock.c.windows).where(mine).with_for_update()
    revision = session.execute(held).scalar_one() + 1
    session.execute(update(clock).where(mine).values(windows=revision))
    windows = {_REVISION: revision, _LOCKED: locked, _OPEN: others}
    session.execute(
        update(institution).where(institution.c.id == institution_id).values(windows=windows)
    )


def _in_time_until(period: ReportingPeriod, time_zone: str) -> date:
    """The last day on which reports that are still to come are in time."""
    instants = [at for at in (period.closed_at, period.reopened_at) if at is not None]
    ended = [day_in(time_zone, at) - timedelta(days=1) for at in instants]
    return min([period.closes_on, *ended])
