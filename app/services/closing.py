"""Closing: what happens to reporting periods as days go by, and by hand.

A close is one transaction. It holds the institution's clock from the frozen report on, so a report
that commits before it is in what was frozen, and one that would commit after it is tried again and
finds the days locked.
"""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Invalid, StatusConflict
from app.models import FrozenReport, Institution, ReportingPeriod
from app.models.base import day_in, now
from app.schemas import periods as wire
from app.schemas.permissions import Permission
from app.schemas.reports import NewReport
from app.services import access, obligations, periods, reports, standings, versions, windows
from app.services.access import Lock, Scope
from app.services.actors import SYSTEM, Actor

REMINDER = "period.reminder"
UNIT_REMINDER = "period.unit_reminder"
_MOST_NAMED = 50
"""Initiatives, and people, that the reminder of a unit names; the list to chase has all."""


def close(
    session: Session, actor: Actor, institution: str, key: str, asked: wire.Closing
) -> wire.Period:
    """Close a period whose days are over: freeze the institution's report, and lock the days.

    Raises `StatusConflict` where it is closed already, or its days are not over.
    """
    scope, row = _held(session, actor, institution, key)
    if row.closed_at is not None:
        raise StatusConflict("This period is closed already.")
    if scope.today() < row.ends_on:
        raise StatusConflict("A period is closed on its last day at the earliest.")
    _close(session, scope, row, asked.reason)
    return periods.shape(row, scope.today())


def reopen(
    session: Session, actor: Actor, institution: str, key: str, asked: wire.NewReopening
) -> wire.Period:
    """Take reports on a closed period's days again, late as they are, up to a day.

    One that is reopened already gets another day. Raises `StatusConflict` for one that was never
    closed, and `Invalid` for a day in the past.
    """
    scope, row = _held(session, actor, institution, key)
    if row.closed_at is None and row.reopened_at is None:
        raise StatusConflict("This period has not been closed.")
    if asked.until < scope.today():
        raise Invalid.field("/until", "in_past", "This day is over.")
    row.closed_at = row.closed_by = row.locked_at = None
    row.reopened_at, row.reopened_by = now(), scope.actor.name
    row.reopened_until, row.reopening_reason = asked.until, asked.reason
    periods.plan_next(row)
    versions.touch(row)
    periods.record(session, scope, row, "period.reopened", asked.model_dump(mode="json"))
    windows.publish(session, scope.id)
    return periods.shape(row, scope.today())


def due(session: Session) -> list[tuple[UUID, UUID]]:
    """Periods for which something is to be done today, by institution and id."""
    tomorrow = now().date() + timedelta(days=1)  # where it is east of Greenwich
    rows = session.execute(
        select(
            ReportingPeriod.institution_id,
            ReportingPeriod.id,
            ReportingPeriod.acts_on,
            Institution.time_zone,
        )
        .join(Institution, Institution.id == ReportingPeriod.institution_id)
        .where(ReportingPeriod.acts_on <= tomorrow)
        .order_by(ReportingPeriod.institution_id, ReportingPeriod.starts_on)
    )
    at = now()
    return [(row[0], row[1]) for row in rows if row.acts_on <= day_in(row.time_zone, at)]


def act(session: Session, institution_id: UUID, period_id: UUID) -> bool:
    """Do what is to be done for a period today, unless somebody has done it; whether it was done."""
    scope, row = _held(session, SYSTEM, str(institution_id), str(period_id))
    today = scope.today()
    if row.acts_on is None or row.acts_on > today:
        return False
    ends_on = row.reopened_until or (row.closes_on if row.closes_by_itself else None)
    if ends_on is not None and max(ends_on, row.ends_on) < today:
        _close(session, scope, row, None)
    else:
        _remind(session, scope, row, today)
    return True


def _held(
    session: Session, actor: Actor, institution: str, key: str
) -> tuple[Scope, ReportingPeriod]:
    scope = access.institution(session, actor, institution, Lock.SHARED)
    access.require(session, scope, Permission.PERIODS_CHANGE, None)
    windows.hold(session, scope.id)
    return scope, access.find(session, scope, ReportingPeriod, key, lock=True)


def _close(session: Session, scope: Scope, row: ReportingPeriod, reason: str | None) -> None:
    frozen = reports.freeze(
        session,
        scope.actor,
        str(scope.id),
        NewReport(
            title=row.name_id,
            year=None if row.all_years else row.year,
            as_of=row.ends_on,
            note=reason,
            supersedes=_last_of(session, scope, row.report_id),
        ),
    )
    counts = standings.counts(session, scope, row).model_dump(mode="json")
    row.report_id, row.counts = frozen.id, counts
    row.closed_at, row.closed_by = now(), scope.actor.name
    row.locked_at = row.closed_at if row.locks else None
    periods.plan_next(row)
    versions.touch(row)
    told: dict[str, Any] = {
        "report": str(frozen.id),
        "digest": frozen.digest,
        "locked": row.locks,
        "at_close": counts,
    }
    periods.record(session, scope, row, "period.closed", told, reason)
    windows.publish(session, scope.id)


def _remind(session: Session, scope: Scope, row: ReportingPeriod, today: date) -> None:
    """Tell once for all reminders that are due, also late, unless the window is over by then.

    The institution is told how many are missing, and each unit that owes which those are and who
    answers for them: an event of that unit, which webhooks and feeds above it have too.
    """
    row.reminded_on = today
    periods.plan_next(row)
    versions.touch(row)
    if today > row.closes_on:
        return
    told: dict[str, Any] = {
        "period": row.code,
        "name": {"id": row.name_id, "en": row.name_en},
        "closes_on": row.closes_on.isoformat(),
        "days_left": (row.closes_on - today).days,
    }
    counts = standings.counts(session, scope, row).model_dump(mode="json")
    periods.record(session, scope, row, REMINDER, told | counts)
    for owing in obligations.owing_units(session, scope, row):
        of_unit: dict[str, Any] = {
            "unit": owing.unit,
            "unit_name": owing.unit_name,
            "missing": len(owing.initiatives),
            "initiatives": owing.initiatives[:_MOST_NAMED],
            "people": owing.people[:_MOST_NAMED],
        }
        periods.record(session, scope, row, UNIT_REMINDER, told | of_unit, unit_id=owing.unit_id)


def _last_of(session: Session, scope: Scope, report_id: UUID | None) -> UUID | None:
    """The report that holds in the place of one that may have been superseded."""
    last = report_id
    while report_id is not None:
        last = report_id
        report_id = session.scalar(
            select(FrozenReport.id).where(
                access.within(scope, FrozenReport),
                access.seen(scope, FrozenReport),
                FrozenReport.supersedes_id == last,
            )
        )
    return last
