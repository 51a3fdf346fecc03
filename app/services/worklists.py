"""Worklists: the milestones that wait for somebody's report, by how much they press.

They are those of initiatives that one owns in any role, and of units where one may report. Nothing
here grows with the institution: what is due is read by an index in its order, and a list is a page.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, true, union
from sqlalchemy.orm import Session

from app.keyset import Key, paginate
from app.models import Initiative, InitiativeOwner, Milestone, ProgressUpdate, ReportingPeriod, Unit
from app.models.base import refers
from app.rollup.contribution import DUE_SOON_DAYS
from app.schemas.fields import InitiativeStatus, Verification
from app.schemas.periods import Period, PeriodsQuery, PeriodState
from app.schemas.permissions import Permission
from app.schemas.worklists import Pressing, WorklistQuery
from app.services import access, obligations, people, periods, rights
from app.services.access import Scope
from app.services.actors import Actor

MOST_RETURNED = 20
MOST_COUNTED = 1_000
"""Initiatives among which is counted what is owed; of more it is only said that something is."""
_UNDER_WAY = (InitiativeStatus.ACTIVE, InitiativeStatus.ON_HOLD)
_BY_DATE = [Key(Milestone.due_on, descending=False), Key(Milestone.id, descending=False)]


class Returned(NamedTuple):
    """A report that a verifier has sent back, and nobody has answered."""

    id: UUID
    percent: float
    effective_on: date
    note: str | None
    by: str | None
    """The verifier's name, or their code where the actor sees no such person."""
    at: datetime | None


class Task(NamedTuple):
    """A milestone that waits for a report."""

    initiative: str
    initiative_title: str
    unit_name: str
    number: int
    title: str
    due_on: date
    days_late: int
    """Days past the due date; negative: days that are left."""
    percent_complete: float
    percent_verified: float
    may_report: bool
    """Whoever owns it without a role on its unit may not."""
    is_owed: bool
    """Whether its initiative owes a report on the open period."""
    returned: Returned | None = None

    @property
    def pressing(self) -> Pressing:
        """How much it presses."""
        if self.days_late > 0:
            return Pressing.OVERDUE
        return Pressing.SOON if -self.days_late <= DUE_SOON_DAYS else Pressing.LATER


class Window(NamedTuple):
    """A reporting period in which reports are handed in now."""

    period: Period
    days_left: int
    owed: int | None
    """Initiatives of this list without a report; null where they are too many to be counted."""


class Worklist(NamedTuple):
    """What waits for somebody's report."""

    institution: str
    today: date
    time_zone: str
    windows: list[Window]
    returned: list[Task]
    tasks: list[Task]
    next_cursor: str | None


def get(session: Session, actor: Actor, institution: str, query: WorklistQuery) -> Worklist:
    """What waits for the actor's report: what came back, then what is due, the first first."""
    scope = access.institution(session, actor, institution)
    today = scope.today()
    found = paginate(session, _open(scope, query, today), _BY_DATE, query)
    returned = session.execute(_returned(scope, query)).all()
    rows = _without(found.rows, returned)
    windows = _windows(session, actor, scope, institution)
    listed = [*returned, *rows]
    owing = {row.initiative_id for row in listed}
    if windows:
        owing = obligations.owing_of(session, scope, windows[0][1], owing)
    unit_ids = frozenset(row.unit_id for row in listed)
    _, held = rights.sort_out(session, actor, scope.id, Permission.UPDATES_REPORT, unit_ids)

    def task(row: Any) -> Task:  # noqa: ANN401  a row of `_listed`
        is_owed = bool(windows) and row.initiative_id in owing
        return _task(row, today, may_report=row.unit_id in held, is_owed=is_owed)

    judges = {row[1].verified_by for row in returned if row[1].verified_by}
    known = people.names(session, scope, judges)
    is_first = query.cursor is None and query.due is None
    return Worklist(
        institution=scope.code,
        today=today,
        time_zone=scope.time_zone,
        windows=[_window(session, scope, today, *each) for each in windows],
        returned=[task(row)._replace(returned=_given_back(row[1], known)) for row in returned]
        if is_first
        else [],
        tasks=[task(row) for row in rows],
        next_cursor=found.next_cursor,
    )


def _without(rows: Sequence[Any], returned: Sequence[Any]) -> list[Any]:
    """What is due but for what came back, which stands first."""
    told = {row.milestone_id for row in returned}
    return [row for row in rows if row.milestone_id not in told]


def _listed(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """What a task is made of."""
    return (
        statement.join(Initiative, refers(Milestone.initiative_id, Initiative))
        .join(Unit, refers(Initiative.unit_id, Unit))
        .add_columns(
            Milestone.id.label("milestone_id"),
            Milestone.initiative_id,
            Milestone.number,
            Milestone.title,
            Milestone.due_on,
            Milestone.percent,
            Milestone.verified,
            Initiative.code,
            Initiative.title.label("initiative_title"),
            Initiative.unit_id,
            Unit.name.label("unit_name"),
        )
    )


def _open(scope: Scope, query: WorklistQuery, today: date) -> Select[*tuple[Any, ...]]:
    soon = today + timedelta(days=DUE_SOON_DAYS)
    due = {
        None: true(),
        Pressing.OVERDUE: Milestone.due_on < today,
        Pressing.SOON: Milestone.due_on.between(today, soon),
        Pressing.LATER: Milestone.due_on > soon,
    }
    return _listed(access.visible(scope, Milestone)).where(
        Milestone.dropped_at.is_(None),
        Milestone.done_on.is_(None),
        Initiative.status.in_(_UNDER_WAY),
        due[query.due],
        *_chosen(scope, query),
    )


def _returned(scope: Scope, query: WorklistQuery) -> Select[*tuple[Any, ...]]:
    """Milestones of which the newest report was returned; the newest first."""
    newest = and_(
        refers(ProgressUpdate.milestone_id, Milestone),
        ProgressUpdate.sequence == Milestone.reports,
    )
    # Written out: of a bound value no database knows that the index of returned ones has it.
    state = literal(Verification.RETURNED, ProgressUpdate.verification.type, literal_execute=True)
    plain = access.visible(scope, Milestone).join(ProgressUpdate, newest)
    return (
        _listed(plain.add_columns(ProgressUpdate))
        .where(
            access.within(scope, ProgressUpdate),
            ProgressUpdate.verification == state,
            Milestone.dropped_at.is_(None),
            Initiative.status != InitiativeStatus.CANCELLED,
            *_chosen(scope, query),
        )
        .order_by(ProgressUpdate.id.desc())
        .limit(MOST_RETURNED)
    )


def _chosen(scope: Scope, query: WorklistQuery) -> list[ColumnElement[bool]]:
    conditions = [_is_mine(scope)]
    if query.unit:
        conditions.append(Initiative.unit_id.in_(access.below(scope, query.unit)))
    return conditions


def _is_mine(scope: Scope) -> ColumnElement[bool]:
    """Whether the initiative at hand is on the actor's list."""
    if scope.actor.reach(Permission.UPDATES_REPORT) is None:
        return true()
    held = select(Initiative.id).where(
        access.within(scope, Initiative), access.seen(scope, Initiative, Permission.UPDATES_REPORT)
    )
    # A union, since of two lists joined by OR a database reads all initiatives.
    return Initiative.id.in_(union(held, _owned(scope)))


def _owned(scope: Scope) -> Select[UUID]:
    return select(InitiativeOwner.initiative_id).where(
        access.within(scope, InitiativeOwner), InitiativeOwner.person_id == scope.actor.id
    )


def _windows(
    session: Session, actor: Actor, scope: Scope, institution: str
) -> list[tuple[Period, ReportingPeriod]]:
    asked = PeriodsQuery(state=[PeriodState.OPEN, PeriodState.REOPENED], sort="closes_on", limit=3)
    found = periods.page(session, actor, institution, asked).items
    return [
        (period, access.find(session, scope, ReportingPeriod, str(period.id))) for period in found
    ]


def _window(
    session: Session, scope: Scope, today: date, period: Period, row: ReportingPeriod
) -> Window:
    last = period.closes_on
    if period.state is PeriodState.REOPENED and period.reopened is not None:
        last = period.reopened.until
    candidates = (
        select(Initiative.id)
        .where(
            access.within(scope, Initiative),
            Initiative.status.in_(_UNDER_WAY),
            access.seen(scope, Initiative),
            _is_mine(scope),
        )
        .limit(MOST_COUNTED + 1)
    )
    count = session.execute(select(func.count()).select_from(candidates.subquery())).scalar_one()
    owed = None
    if count <= MOST_COUNTED:
        owed = len(obligations.owing_of(session, scope, row, session.scalars(candidates).all()))
    return Window(period, (last - today).days, owed)


def _task(row: Any, today: date, *, may_report: bool, is_owed: bool) -> Task:  # noqa: ANN401  a row of `_listed`
    return Task(
        initiative=row.code,
        initiative_title=row.initiative_title,
        unit_name=row.unit_name,
        number=row.number,
        title=row.title,
        due_on=row.due_on,
        days_late=(today - row.due_on).days,
        percent_complete=row.percent / 100,
        percent_verified=row.verified / 100,
        may_report=may_report,
        is_owed=is_owed,
    )


def _given_back(row: ProgressUpdate, names: dict[str, str]) -> Returned:
    return Returned(
        id=row.id,
        percent=row.percent / 100,
        effective_on=row.effective_on,
        note=row.verification_note,
        by=names.get(row.verified_by, row.verified_by) if row.verified_by else None,
        at=row.verified_at,
    )
