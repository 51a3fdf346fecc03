"""Obligations: which initiatives owe a report on a period, and which of them have reported.

Owing is as things stand now: an initiative that was cancelled or finished since owes nothing. What
was the case when a period closed is kept with the period.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from app.given import portions
from app.keyset import Key, paginate, parse_sort
from app.models import (
    Initiative,
    InitiativeOwner,
    Milestone,
    Person,
    ProgressUpdate,
    ReportingPeriod,
    Unit,
    UnitClosure,
)
from app.models.base import refers
from app.rollup.points import percent
from app.schemas import periods as wire
from app.schemas.fields import InitiativeStatus, OwnerRole
from app.schemas.pages import Page
from app.services import access, selection
from app.services.access import Scope
from app.services.actors import Actor

_UNDER_WAY = (InitiativeStatus.ACTIVE, InitiativeStatus.ON_HOLD)
_IN_TIME, _LATE = 0, 1
_AT_ONCE = 500
_IS_ACCOUNTABLE = and_(
    refers(InitiativeOwner.initiative_id, Initiative),
    InitiativeOwner.role == OwnerRole.ACCOUNTABLE,
)
_NEVER = datetime(1900, 1, 1, tzinfo=UTC)
_SORTS: dict[str, Any] = {
    # By the plain column SQLite begins with the units, and reads all initiatives for each of them.
    "unit": func.coalesce(Unit.code_key, "", type_=Unit.code_key.type),
    "initiative": Initiative.code_key,
    "last_reported_at": func.coalesce(
        Initiative.last_reported_at,
        literal(_NEVER, Initiative.last_reported_at.type),
        type_=Initiative.created_at.type,
    ),
}


def standing(
    session: Session, actor: Actor, institution: str, key: str, query: wire.StandingQuery
) -> wire.PeriodStanding:
    """Who has reported on a period and who has not, by the units below the one that is asked for."""
    scope, unit, *_ = access.place(session, actor, institution, query.unit)
    period = access.find(session, scope, ReportingPeriod, key)
    owing = (
        select(Initiative.unit_id, _came(scope, period).label("came"))
        .where(access.within(scope, Initiative), *_owes(scope, period))
        .subquery()
    )
    is_own = Unit.id == unit.id
    rows = session.execute(
        select(Unit.id, Unit.code, Unit.name, *_numbers(owing.c.unit_id, owing.c.came))
        .select_from(Unit)
        .join(UnitClosure, refers(UnitClosure.ancestor_id, Unit))
        .outerjoin(owing, owing.c.unit_id == UnitClosure.descendant_id)
        .where(
            access.within(scope, Unit),
            access.within(scope, UnitClosure),
            or_(Unit.parent_id == unit.id, and_(is_own, UnitClosure.distance == 0)),
        )
        .group_by(Unit.id, Unit.code, Unit.name, Unit.code_key)
        .order_by(Unit.code_key)
    ).all()
    named = [(row.id, _of_unit(row.code, row.name, _counted(row))) for row in rows]
    parts = [counts for _, counts in named]
    return wire.PeriodStanding(
        period=period.code,
        closes_on=period.closes_on,
        total=_of_unit(unit.code, unit.name, _added(parts)),
        own=next(counts for unit_id, counts in named if unit_id == unit.id),
        items=[counts for unit_id, counts in named if unit_id != unit.id],
    )


def counts(session: Session, scope: Scope, period: ReportingPeriod) -> wire.Counts:
    """Who has reported, of the whole institution."""
    owing = (
        select(Initiative.id, _came(scope, period).label("came"))
        .where(access.within(scope, Initiative), *_owes(scope, period))
        .subquery()
    )
    return _counted(session.execute(select(*_numbers(owing.c.id, owing.c.came))).one())


def missing(
    session: Session, actor: Actor, institution: str, key: str, query: wire.MissingQuery
) -> Page[wire.MissingReport]:
    """The initiatives that owe a report on a period and have none, with whom to ask."""
    scope = access.institution(session, actor, institution)
    period = access.find(session, scope, ReportingPeriod, key)
    is_seen = type_coerce(access.seen(scope, Person), Boolean)
    statement = (
        access.visible(scope, Initiative)
        .join(Unit, refers(Initiative.unit_id, Unit))
        .outerjoin(InitiativeOwner, _IS_ACCOUNTABLE)
        .outerjoin(Person, refers(InitiativeOwner.person_id, Person))
        .where(
            *_misses(scope, period),
            *selection.places(scope, _Placed(query)),
        )
        .add_columns(
            Unit.code.label("unit"),
            Unit.name.label("unit_name"),
            Person.code.label("person"),
            Person.name.label("person_name"),
            Person.email,
            is_seen.label("is_seen"),
        )
    )
    keys = parse_sort(query.sort, _SORTS, Key(Initiative.id, descending=False))
    found = paginate(session, statement, keys, query)
    days_late = max(0, (scope.today() - period.closes_on).days)
    return found.page([_missing(row, days_late) for row in found.rows])


class Owing(NamedTuple):
    """What a unit still owes on a period, and by whom."""

    unit_id: UUID
    unit: str
    unit_name: str
    initiatives: list[str]
    people: list[str]
    """Codes of those who are accountable for these."""


def owing_units(session: Session, scope: Scope, period: ReportingPeriod) -> list[Owing]:
    """The units whose own initiatives owe a report on a period and have none, by code."""
    statement = (
        select(Unit.id, Unit.code, Unit.name, Initiative.code, Person.code.label("person"))
        .select_from(Initiative)
        .join(Unit, refers(Initiative.unit_id, Unit))
        .outerjoin(InitiativeOwner, _IS_ACCOUNTABLE)
        .outerjoin(Person, refers(InitiativeOwner.person_id, Person))
        .where(
            access.within(scope, Initiative),
            *_misses(scope, period),
        )
        .order_by(Unit.code_key, Initiative.code_key)
    )
    found: dict[UUID, Owing] = {}
    for unit_id, unit, name, initiative, person in session.execute(statement):
        owing = found.setdefault(unit_id, Owing(unit_id, unit, name, [], []))
        owing.initiatives.append(initiative)
        if person is not None and person not in owing.people:
            owing.people.append(person)
    return list(found.values())


def owing_of(
    session: Session, scope: Scope, period: ReportingPeriod, initiative_ids: Collection[UUID]
) -> set[UUID]:
    """Those of some initiatives that owe a report on a period and have none."""
    found: set[UUID] = set()
    for some in portions(sorted(initiative_ids), _AT_ONCE):
        statement = select(Initiative.id).where(
            access.within(scope, Initiative),
            Initiative.id.in_(some),
            *_misses(scope, period),
        )
        found.update(session.scalars(statement))
    return found


class _Placed:
    """A query as lists of initiatives have it."""

    def __init__(self, query: wire.MissingQuery) -> None:
        self.unit, self.subtree, self.owner = query.unit, query.subtree, query.owner
        self.area: list[str] = []


def _owes(scope: Scope, period: ReportingPeriod) -> list[ColumnElement[bool]]:
    """Which initiatives owe a report: under way, begun, and with something left to report on.

    What was done before the period began needs no report that it still is.
    """
    # Most have something that is not done, and keep how much: no milestone is read for these.
    left = or_(
        Initiative.done < Initiative.milestones,
        exists().where(
            access.within(scope, Milestone),
            Milestone.initiative_id == Initiative.id,
            Milestone.dropped_at.is_(None),
            # The second half alone would do, but SQLite would go by the day instead of the initiative.
            or_(Milestone.done_on.is_(None), Milestone.done_on >= period.starts_on),
        ),
    )
    conditions = [
        Initiative.status.in_(_UNDER_WAY),
        or_(Initiative.start_on.is_(None), Initiative.start_on <= period.ends_on),
        left,
    ]
    if not period.all_years:
        conditions.append(Initiative.year == period.year)
    return conditions


def _misses(scope: Scope, period: ReportingPeriod) -> list[ColumnElement[bool]]:
    """Which initiatives owe a report and have none."""
    return [~_has_come(scope, period), *_owes(scope, period)]


def _came(scope: Scope, period: ReportingPeriod) -> ColumnElement[int]:
    """When reports on the initiative at hand came: in time if one did, else late; null if none."""
    # One that came in time is enough: the others are not looked at.
    return case(
        (_has_come(scope, period, ~ProgressUpdate.late), _IN_TIME),
        (_has_come(scope, period), _LATE),
    )


def _has_come(
    scope: Scope, period: ReportingPeriod, *how: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether there is a report on the initiative at hand, of such."""
    return exists().where(
        access.within(scope, ProgressUpdate),
        ProgressUpdate.initiative_id == Initiative.id,
        ProgressUpdate.effective_on.between(period.starts_on, period.ends_on),
        *how,
    )


def _numbers(owing: ColumnElement[Any], came: ColumnElement[int]) -> list[ColumnElement[int]]:
    def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    return [
        func.count(owing).label("owing"),
        count(came == _IN_TIME).label("in_time"),
        count(came == _LATE).label("late"),
    ]


def _counted(row: Any) -> wire.Counts:  # noqa: ANN401  a row with the columns of `_numbers`
    return _counts(row.owing, row.in_time, row.late)


def _counts(owing: int, in_time: int, late: int) -> wire.Counts:
    return wire.Counts(
        owing=owing,
        in_time=in_time,
        late=late,
        missing=owing - in_time - late,
        percent_reported=percent(in_time + late, owing) if owing else None,
    )


def _added(parts: list[wire.UnitStanding]) -> wire.Counts:
    sums = (sum(getattr(part, name) for part in parts) for name in ("owing", "in_time", "late"))
    return _counts(*sums)


def _of_unit(code: str, name: str, counts: wire.Counts) -> wire.UnitStanding:
    return wire.UnitStanding(unit=code, unit_name=name, **dict(counts))


def _missing(row: Any, days_late: int) -> wire.MissingReport:  # noqa: ANN401  a row of `missing`
    initiative: Initiative = row[0]
    return wire.MissingReport(
        initiative=initiative.code,
        title=initiative.title,
        unit=row.unit,
        unit_name=row.unit_name,
        accountable=None
        if row.person is None
        else wire.Chased(
            code=row.person,
            name=row.person_name if row.is_seen else None,
            email=row.email if row.is_seen else None,
        ),
        days_late=days_late,
        last_reported_at=initiative.last_reported_at,
    )
